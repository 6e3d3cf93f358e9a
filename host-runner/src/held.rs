//! What the host holds in its own memory for one instance: header fields, requests, answers and their bodies.
//!
//! Guests have memories of their own, which are counted as they grow. What they have the host make lies in the memory of the
//! host, and a handle is all that shows of it. So the functions that make the host keep something whose size the guest
//! chooses are [replaced](crate::link) by ones that count it first, against one limit for the instance. What is dropped is not followed:
//! when the count reaches the limit, what is really there is measured, and the count goes on from that.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use http::HeaderMap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::p2::bindings::http::types as types2;
use wasmtime_wasi_http::p2::types::{HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse};
use wasmtime_wasi_http::{FieldMap, p3};

use crate::limits::LimitHit;

/// Bytes that a guest can write of a body at once. A few of these wait for a slow reader, and no more.
pub(crate) const CHUNK: usize = 64 << 10;

/// Bytes that any resource takes, whatever it is: more than most do.
pub(crate) const RESOURCE: usize = 512;

/// From how many bytes on, made for one instance, memory is returned to the system when the instance has gone.
const WORTH_RETURNING: usize = 4 << 20;

/// How long memory that was freed waits to be returned, together with what others free meanwhile.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// Bytes that a header takes besides its name and value: its places in the map, and two allocations.
const HEADER: usize = 256;

/// Bytes of a body that may wait for somebody to read them.
pub(crate) const BODY: usize = 3 * CHUNK;

/// What is held for one instance.
pub(crate) struct Held {
    limit: usize,
    /// What was there when it was measured last.
    measured: usize,
    /// What was made since then.
    since: usize,
    /// What was made in all.
    made: usize,
}

impl Drop for Held {
    /// All that was held is gone by now: in [`State`](crate::State), it comes before this.
    fn drop(&mut self) {
        if self.made > WORTH_RETURNING {
            return_memory();
        }
    }
}

impl Held {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, measured: 0, since: 0, made: 0 }
    }

    /// Counts something that is about to be made.
    pub(crate) fn count(&mut self, bytes: usize, table: &mut ResourceTable) -> Result<(), LimitHit> {
        self.made = self.made.saturating_add(bytes);
        self.since = self.since.saturating_add(bytes);
        if self.measured.saturating_add(self.since) <= self.limit {
            return Ok(());
        }
        self.measure(table);
        self.since = bytes;
        if self.measured.saturating_add(bytes) <= self.limit {
            Ok(())
        } else {
            Err(LimitHit::HostMemory(self.limit))
        }
    }

    fn measure(&mut self, table: &mut ResourceTable) {
        self.measured = table.iter_mut().map(|entry| RESOURCE + size(entry)).sum();
        self.since = 0;
    }

    /// Whether no more than half of what may be held is there. What was made and dropped again takes nothing.
    pub(crate) fn is_half_free(&mut self, table: &mut ResourceTable) -> bool {
        if self.measured.saturating_add(self.since) > self.limit / 2 {
            self.measure(table);
        }
        self.measured.saturating_add(self.since) <= self.limit / 2
    }
}

/// Returns memory that is free to the system, soon. The allocator keeps it otherwise: what many small things were in is seldom at
/// the end of its heaps.
fn return_memory() {
    static WAITS: AtomicBool = AtomicBool::new(false);
    if WAITS.swap(true, Ordering::Relaxed) {
        return;
    }
    let thread = thread::Builder::new().name("return-memory".into()).spawn(|| {
        thread::sleep(GATHERED_FOR);
        WAITS.store(false, Ordering::Relaxed);
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        // SAFETY: it may be called at any time.
        unsafe {
            libc::malloc_trim(0);
        }
    });
    if thread.is_err() {
        WAITS.store(false, Ordering::Relaxed);
    }
}

/// Bytes that a resource takes besides itself.
fn size(entry: &dyn Any) -> usize {
    let body = |there: bool| if there { BODY } else { 0 };
    if let Some(fields) = entry.downcast_ref::<FieldMap>() {
        headers(fields)
    } else if let Some(request) = entry.downcast_ref::<HostOutgoingRequest>() {
        let texts = [&request.authority, &request.path_with_query].into_iter().flatten().map(String::len);
        headers(&request.headers)
            + texts.sum::<usize>()
            + name_2(&request.method)
            + body(request.body.is_some())
    } else if let Some(answer) = entry.downcast_ref::<HostOutgoingResponse>() {
        headers(&answer.headers) + body(answer.body.is_some())
    } else if let Some(answer) = entry.downcast_ref::<HostIncomingResponse>() {
        headers(&answer.headers)
    } else if let Some(request) = entry.downcast_ref::<p3::Request>() {
        let path = request.path_with_query.as_ref().map_or(0, |path| path.as_str().len());
        let authority = request.authority.as_ref().map_or(0, |authority| authority.as_str().len());
        headers(&request.headers) + path + authority + request.method.as_str().len()
    } else if let Some(answer) = entry.downcast_ref::<p3::Response>() {
        headers(&answer.headers)
    } else {
        0
    }
}

/// Returns the bytes that a map of headers takes.
pub(crate) fn headers(map: &HeaderMap) -> usize {
    map.iter().map(|(name, value)| header(name.as_str(), value.as_bytes())).sum()
}

/// Returns the bytes that one header takes.
pub(crate) fn header(name: &str, value: &[u8]) -> usize {
    HEADER + name.len() + value.len()
}

/// Returns the bytes of a method's name, where it has one of its own.
pub(crate) fn name_2(method: &types2::Method) -> usize {
    if let types2::Method::Other(name) = method { name.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(value: usize) -> FieldMap {
        let mut fields = FieldMap::new_mutable(usize::MAX);
        fields.append_raw(http::header::ACCEPT, vec![b'x'; value].try_into().unwrap()).unwrap();
        fields
    }

    #[test]
    fn what_is_dropped_makes_room_and_what_stays_does_not() {
        let (mut held, mut table) = (Held::new(100_000), ResourceTable::new());
        for _ in 0..1_000 {
            held.count(10_000, &mut table).unwrap();
            let made = table.push(fields(9_000)).unwrap();
            table.delete(made).unwrap();
        }
        let mut kept = 0;
        while held.count(10_000, &mut table).is_ok() {
            table.push(fields(9_000)).unwrap();
            kept += 1;
        }
        // As many as there is room for, of somewhat less than they were counted for.
        assert!((9..=10).contains(&kept), "{kept}");
        assert_eq!(held.count(10_000, &mut table), Err(LimitHit::HostMemory(100_000)));
    }

    #[test]
    fn what_is_larger_than_all_is_refused() {
        let (mut held, mut table) = (Held::new(1_000), ResourceTable::new());
        assert!(held.count(usize::MAX, &mut table).is_err());
        assert!(held.count(1_000, &mut table).is_ok());
        // It was counted, and never came to be.
        assert!(held.is_half_free(&mut table));
        table.push(fields(500)).unwrap();
        assert!(held.count(1_000, &mut table).is_ok());
        assert!(held.count(1, &mut table).is_err());
        assert!(!held.is_half_free(&mut table));
    }
}
