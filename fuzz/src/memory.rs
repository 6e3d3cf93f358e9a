//! Counts the bytes that are allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes of memory for each byte of input.
const TIMES: usize = 256;
/// Bytes of memory that are granted to any input, where its target says nothing else.
pub const BASE: usize = 32 << 20;
/// Beyond this nothing is given any more, whatever the input: what asks for it would take the machine along.
const NEVER: usize = 2 << 30;

/// How many bytes an input of this length may take at its peak, of what is allocated: what is granted to any input, and 256 bytes
/// for each of its own.
#[must_use]
pub const fn allowed(base: usize, length: usize) -> usize {
    base + TIMES * length
}

/// The bytes that are allocated now.
#[must_use]
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

/// The most memory that the process had at once while this ran, in bytes, beyond what it had before: what it mapped and touched
/// counts as well as what it allocated. None where the system does not tell.
pub fn resident(work: impl FnOnce()) -> Option<usize> {
    // The system takes the peak for what is resident now.
    let reset = std::fs::write("/proc/self/clear_refs", "5");
    let before = status("VmRSS:");
    work();
    reset.ok()?;
    Some(status("VmHWM:")?.saturating_sub(before?))
}

/// A line of what Linux says of the process.
fn status(line: &str) -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let found = text.lines().find_map(|found| found.strip_prefix(line))?;
    let kilobytes: usize = found.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// The most bytes that were allocated at once while this ran, beyond those that were before.
pub fn peak(work: impl FnOnce()) -> usize {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed).saturating_sub(before)
}

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static COUNTING: Counting = Counting;

struct Counting;

impl Counting {
    /// Takes note of an allocation, unless it is one that must not be.
    fn grow(by: usize) -> bool {
        let live = LIVE.fetch_add(by, Relaxed).saturating_add(by);
        if live > NEVER {
            LIVE.fetch_sub(by, Relaxed);
            return false;
        }
        PEAK.fetch_max(live, Relaxed);
        true
    }
}

// SAFETY: all is the system's allocator's; what is counted decides only whether it is asked.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !Self::grow(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // For a moment there may be both.
        if !Self::grow(new_size) {
            return std::ptr::null_mut();
        }
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
