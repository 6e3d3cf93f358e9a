//! What the host holds in its own memory for one instance: header fields, requests, answers and their bodies.
//!
//! Guests have memories of their own, which are counted as they grow. What they have the host make lies in the memory of the
//! host, and a handle is all that shows of it. So the functions that make the host keep something whose size the guest
//! chooses are replaced by ones that count it first, against one limit for the instance. What is dropped is not followed:
//! when the count reaches the limit, what is really there is measured, and the count goes on from that.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use http::HeaderMap;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p2::bindings::http::types as types2;
use wasmtime_wasi_http::p2::types::{HostIncomingResponse, HostOutgoingRequest, HostOutgoingResponse};
use wasmtime_wasi_http::p3::bindings::http::types as types3;
use wasmtime_wasi_http::{FieldMap, WasiHttpView, p2, p3};

use crate::exceeded::{Exceeded, LimitHit};
use crate::state::{CHUNK, State};

/// The versions under which the engine's bindings define the interface. Components of any other patch find them too.
const VERSION_2: &str = "0.2.12";
const VERSION_3: &str = "0.3.0";

/// Bytes that any resource takes, whatever it is: more than most do.
const RESOURCE: usize = 512;

/// From how many bytes on, made for one instance, memory is returned to the system when the instance has gone.
const WORTH_RETURNING: usize = 4 << 20;

/// How long memory that was freed waits to be returned, together with what others free meanwhile.
const GATHERED_FOR: Duration = Duration::from_millis(500);

/// Bytes that a header takes besides its name and value: its places in the map, and two allocations.
const HEADER: usize = 256;

/// Bytes of a body that may wait for somebody to read them.
const BODY: usize = 3 * CHUNK;

/// The longest method, scheme or authority that a request of a guest has, in bytes.
const LONGEST_NAME: usize = 1 << 10;

/// The longest path of a request with its query, in bytes.
const LONGEST_PATH: usize = 16 << 10;

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
    /// All that was held is gone by now: in [`State`], it comes before this.
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
    fn count(&mut self, bytes: usize, table: &mut ResourceTable) -> Result<(), LimitHit> {
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

impl State {
    /// Counts something that the host is about to keep for the instance.
    pub(crate) fn hold(&mut self, bytes: usize) -> wasmtime::Result<()> {
        let (held, table) = self.held_and_table();
        held.count(bytes, table).map_err(|hit| Exceeded(hit).into())
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

fn headers(map: &HeaderMap) -> usize {
    map.iter().map(|(name, value)| header(name.as_str(), value.as_bytes())).sum()
}

fn header(name: &str, value: &[u8]) -> usize {
    HEADER + name.len() + value.len()
}

fn listed(entries: &[(String, Vec<u8>)]) -> usize {
    RESOURCE + entries.iter().map(|(name, value)| header(name, value)).sum::<usize>()
}

fn repeated(name: &str, values: &[Vec<u8>]) -> usize {
    values.iter().map(|value| header(name, value)).sum()
}

fn name_2(method: &types2::Method) -> usize {
    if let types2::Method::Other(name) = method { name.len() } else { 0 }
}

fn name_3(method: &types3::Method) -> usize {
    if let types3::Method::Other(name) = method { name.len() } else { 0 }
}

fn text(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// Replaces a function by one that counts first what it makes the host keep.
macro_rules! count {
    ($instance:ident, $name:literal, $call:path, $into:path, ($($argument:ident: $ty:ty),+), $bytes:expr) => {
        $instance.func_wrap($name, |mut store, ($($argument,)+): ($($ty,)+)| {
            let state: &mut State = store.data_mut();
            state.hold($bytes)?;
            let outcome = $call(&mut state.http(), $($argument),+);
            $into(state, outcome)
        })?
    };
}

/// Replaces a function by one that also refuses a text that is longer than a server would take.
macro_rules! bound {
    ($instance:ident, $name:literal, $call:path, ($request:ident: $ty:ty, $text:ident: $of:ty), $bytes:expr, $most:expr) => {
        $instance.func_wrap($name, |mut store, ($request, $text): ($ty, $of)| {
            let state: &mut State = store.data_mut();
            let bytes = $bytes;
            if bytes > $most {
                return Ok((Err(()),));
            }
            state.hold(bytes)?;
            $call(&mut state.http(), $request, $text).map(|outcome| (outcome,))
        })?
    };
}

/// Replaces the function that copies fields, which are counted as if nothing were shared.
macro_rules! copy {
    ($instance:ident, $call:path) => {
        $instance.func_wrap("[method]fields.clone", |mut store, (fields,): (Resource<FieldMap>,)| {
            let state: &mut State = store.data_mut();
            let bytes = RESOURCE + headers(state.table().get(&fields)?);
            state.hold(bytes)?;
            $call(&mut state.http(), fields).map(|fields| (fields,))
        })?
    };
}

/// Replaces the functions that make fields, which are the same in both versions but for their errors.
macro_rules! count_fields {
    ($instance:ident, $into:path) => {
        count!($instance, "[static]fields.from-list", HostFields::from_list, $into,
            (entries: Vec<(String, Vec<u8>)>), listed(&entries));
        count!($instance, "[method]fields.set", HostFields::set, $into,
            (fields: Resource<FieldMap>, name: String, values: Vec<Vec<u8>>), repeated(&name, &values));
        count!($instance, "[method]fields.append", HostFields::append, $into,
            (fields: Resource<FieldMap>, name: String, value: Vec<u8>), header(&name, &value));
        copy!($instance, HostFields::clone);
    };
}

/// Counts what is made through `wasi:http` 0.2, which has to be in the linker already.
pub(crate) fn count_http_of_0_2(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use types2::{HostFields, HostOutgoingRequest as HostRequest, HostOutgoingResponse as HostResponse};
    type Request = Resource<HostOutgoingRequest>;
    type Response = Resource<HostOutgoingResponse>;

    linker.allow_shadowing(true);
    let mut http = linker.instance(&format!("wasi:http/types@{VERSION_2}"))?;
    count_fields!(http, fallible_2);
    count!(http, "[method]outgoing-request.body", HostRequest::body, plain, (request: Request), BODY);
    count!(http, "[method]outgoing-response.body", HostResponse::body, plain, (response: Response), BODY);
    bound!(http, "[method]outgoing-request.set-method", HostRequest::set_method,
        (request: Request, method: types2::Method), name_2(&method), LONGEST_NAME);
    bound!(http, "[method]outgoing-request.set-authority", HostRequest::set_authority,
        (request: Request, authority: Option<String>), text(&authority), LONGEST_NAME);
    bound!(http, "[method]outgoing-request.set-path-with-query", HostRequest::set_path_with_query,
        (request: Request, path: Option<String>), text(&path), LONGEST_PATH);
    linker.allow_shadowing(false);
    Ok(())
}

/// Counts what is made through `wasi:http` 0.3, which has to be in the linker already.
pub(crate) fn count_http_of_0_3(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use types3::{HostFields, HostRequest};
    type Request = Resource<p3::Request>;

    linker.allow_shadowing(true);
    let mut http = linker.instance(&format!("wasi:http/types@{VERSION_3}"))?;
    count_fields!(http, fallible_3);
    bound!(http, "[method]request.set-method", HostRequest::set_method,
        (request: Request, method: types3::Method), name_3(&method), LONGEST_NAME);
    bound!(http, "[method]request.set-authority", HostRequest::set_authority,
        (request: Request, authority: Option<String>), text(&authority), LONGEST_NAME);
    bound!(http, "[method]request.set-path-with-query", HostRequest::set_path_with_query,
        (request: Request, path: Option<String>), text(&path), LONGEST_PATH);
    linker.allow_shadowing(false);
    Ok(())
}

/// A function without errors of its own.
fn plain<T>(_: &mut State, outcome: wasmtime::Result<T>) -> wasmtime::Result<(T,)> {
    outcome.map(|value| (value,))
}

/// A function with the errors of fields in 0.2.
fn fallible_2<T>(
    state: &mut State,
    outcome: Result<T, p2::HeaderError>,
) -> wasmtime::Result<(Result<T, types2::HeaderError>,)> {
    match outcome {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => types2::Host::convert_header_error(&mut state.http(), error).map(|error| (Err(error),)),
    }
}

/// A function with the errors of fields in 0.3.
fn fallible_3<T>(
    state: &mut State,
    outcome: Result<T, TrappableError<types3::HeaderError>>,
) -> wasmtime::Result<(Result<T, types3::HeaderError>,)> {
    match outcome {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => types3::Host::convert_header_error(&mut state.http(), error).map(|error| (Err(error),)),
    }
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
