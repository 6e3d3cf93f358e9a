//! The functions of `wasi:io` in which a guest waits, with an end to it.
//!
//! A guest that waits is on no thread. Were it given up from outside, nothing would tell where it had been. So the wait
//! itself ends at the deadline, as a trap inside the guest's own call, which has a backtrace like any other. What waits
//! elsewhere (opening a named pipe in a granted directory) is given up from outside a little later.

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::poll::{self, HostPollable};
use wasmtime_wasi::p2::bindings::io::streams::{self, HostInputStream, HostOutputStream};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError};

use super::VERSION_0_2;
use crate::limits::{Exceeded, LimitHit, Outwaited};
use crate::state::State;

/// Replaces a function that waits by one that waits until the deadline.
macro_rules! wait {
    ($instance:ident, $interface:literal, $name:literal, $call:path, $into:path, ($($argument:ident: $ty:ty),+)) => {
        $instance.func_wrap_async($name, |mut store, ($($argument,)+): ($($ty,)+)| {
            Box::new(async move {
                let state = store.data_mut();
                let end = state.deadline();
                let waiting = tokio::time::timeout_at(end.into(), $call(state.table(), $($argument),+));
                match waiting.await {
                    Ok(outcome) => $into(store.data_mut(), outcome),
                    Err(_) => {
                        let function = concat!($interface, "#", $name);
                        Err(Outwaited { hit: store.data().time_limit(), function }.into())
                    },
                }
            })
        })
    };
}

/// Puts an end to every wait. The interfaces have to be in the linker already.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut io = linker.instance(&format!("wasi:io/poll@{VERSION_0_2}"))?;
    wait!(io, "wasi:io/poll", "poll", poll_some, plain, (list: Vec<Resource<DynPollable>>))?;
    wait!(
        io, "wasi:io/poll", "[method]pollable.block", HostPollable::block, nothing,
        (pollable: Resource<DynPollable>)
    )?;
    let mut io = linker.instance(&format!("wasi:io/streams@{VERSION_0_2}"))?;
    wait!(
        io, "wasi:io/streams", "[method]input-stream.blocking-read", HostInputStream::blocking_read, stream,
        (from: Resource<DynInputStream>, length: u64)
    )?;
    wait!(
        io, "wasi:io/streams", "[method]input-stream.blocking-skip", HostInputStream::blocking_skip, stream,
        (from: Resource<DynInputStream>, length: u64)
    )?;
    wait!(
        io, "wasi:io/streams", "[method]output-stream.blocking-flush", HostOutputStream::blocking_flush, stream,
        (to: Resource<DynOutputStream>)
    )?;
    wait!(
        io, "wasi:io/streams", "[method]output-stream.blocking-write-and-flush",
        HostOutputStream::blocking_write_and_flush, stream,
        (to: Resource<DynOutputStream>, bytes: Vec<u8>)
    )?;
    wait!(
        io, "wasi:io/streams", "[method]output-stream.blocking-write-zeroes-and-flush",
        HostOutputStream::blocking_write_zeroes_and_flush, stream,
        (to: Resource<DynOutputStream>, length: u64)
    )?;
    wait!(
        io, "wasi:io/streams", "[method]output-stream.blocking-splice", HostOutputStream::blocking_splice,
        stream, (to: Resource<DynOutputStream>, from: Resource<DynInputStream>, length: u64)
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Waits for one of these, of which there are no more than there can be handles: each is watched for itself.
async fn poll_some(
    table: &mut ResourceTable,
    list: Vec<Resource<DynPollable>>,
) -> wasmtime::Result<Vec<u32>> {
    let most = table.max_capacity();
    if list.len() > most {
        return Err(Exceeded(LimitHit::HostHandles(most)).into());
    }
    poll::Host::poll(table, list).await
}

/// A function without a result.
fn nothing(_: &mut State, outcome: wasmtime::Result<()>) -> wasmtime::Result<()> {
    outcome
}

/// A function without errors of its own.
fn plain<T>(_: &mut State, outcome: wasmtime::Result<T>) -> wasmtime::Result<(T,)> {
    outcome.map(|value| (value,))
}

/// A function with the errors of streams.
fn stream<T>(
    state: &mut State,
    outcome: Result<T, StreamError>,
) -> wasmtime::Result<(Result<T, streams::StreamError>,)> {
    match outcome {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => streams::Host::convert_stream_error(state.table(), error).map(|error| (Err(error),)),
    }
}
