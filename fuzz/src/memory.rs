//! Counts the bytes that are allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes of memory for each byte of input.
const TIMES: usize = 256;
/// Bytes of memory that are granted to any input.
const BASE: usize = 32 << 20;
/// Beyond this nothing is given any more, whatever the input: what asks for it would take the machine along.
const NEVER: usize = 2 << 30;

/// How many bytes an input of this length may take at its peak, of what is allocated: 32 MiB, and 256 bytes for each of its
/// own.
#[must_use]
pub const fn allowed(length: usize) -> usize {
    BASE + TIMES * length
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
