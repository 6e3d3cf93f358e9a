//! The functions of `wasi:http` that make the host keep something whose size the guest chooses, counted.

use wasmtime::component::{Linker, LinkerInstance, Resource};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p2::bindings::http::types as types2;
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest, HostOutgoingResponse};
use wasmtime_wasi_http::p3::bindings::http::types as types3;
use wasmtime_wasi_http::{FieldMap, WasiHttpView, p2, p3};

use super::{VERSION_0_2, VERSION_0_3};
use crate::held::{BODY, RESOURCE, header, headers, name_2};
use crate::state::State;

/// The longest method, scheme or authority that a request of a guest has, in bytes.
const LONGEST_NAME: usize = 1 << 10;

/// The longest path of a request with its query, in bytes.
const LONGEST_PATH: usize = 16 << 10;

fn listed(entries: &[(String, Vec<u8>)]) -> usize {
    RESOURCE + entries.iter().map(|(name, value)| header(name, value)).sum::<usize>()
}

fn repeated(name: &str, values: &[Vec<u8>]) -> usize {
    values.iter().map(|value| header(name, value)).sum()
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
pub(super) fn count_0_2(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use types2::{HostFields, HostOutgoingRequest as HostRequest, HostOutgoingResponse as HostResponse};
    type Request = Resource<HostOutgoingRequest>;
    type Response = Resource<HostOutgoingResponse>;

    linker.allow_shadowing(true);
    let mut http = linker.instance(&format!("wasi:http/types@{VERSION_0_2}"))?;
    count_fields!(http, fallible_2);
    count!(http, "[method]outgoing-request.body", HostRequest::body, plain, (request: Request), BODY);
    count!(http, "[method]outgoing-response.body", HostResponse::body, plain, (response: Response), BODY);
    count_responses(&mut http)?;
    bound!(http, "[method]outgoing-request.set-method", HostRequest::set_method,
        (request: Request, method: types2::Method), name_2(&method), LONGEST_NAME);
    bound!(http, "[method]outgoing-request.set-authority", HostRequest::set_authority,
        (request: Request, authority: Option<String>), text(&authority), LONGEST_NAME);
    bound!(http, "[method]outgoing-request.set-path-with-query", HostRequest::set_path_with_query,
        (request: Request, path: Option<String>), text(&path), LONGEST_PATH);
    linker.allow_shadowing(false);
    Ok(())
}

/// Counts the heads of responses from other servers, as the guest takes them.
fn count_responses(http: &mut LinkerInstance<'_, State>) -> wasmtime::Result<()> {
    http.func_wrap(
        "[method]future-incoming-response.get",
        |mut store, (future,): (Resource<HostFutureIncomingResponse>,)| {
            let state: &mut State = store.data_mut();
            let outcome = types2::HostFutureIncomingResponse::get(&mut state.http(), future)?;
            if let Some(Ok(Ok(response))) = &outcome {
                let bytes = RESOURCE + headers(&state.table().get(response)?.headers);
                state.hold(bytes)?;
            }
            Ok((outcome,))
        },
    )
}

/// Counts what is made through `wasi:http` 0.3, which has to be in the linker already.
pub(super) fn count_0_3(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use types3::{HostFields, HostRequest};
    type Request = Resource<p3::Request>;

    linker.allow_shadowing(true);
    let mut http = linker.instance(&format!("wasi:http/types@{VERSION_0_3}"))?;
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
