//! The interfaces of WASI 0.3 in the linker, under the same grants as those of 0.2.
//!
//! Functions that wait, and those that take or give streams, need an engine with support for asynchronous calls; without
//! it no component can import them.

use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p3::bindings::{cli, clocks, filesystem, random, sockets};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p3::bindings::http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use super::files;
use crate::grants::Grants;
use crate::state::State;

/// Adds what reaches nothing, and what is granted.
pub(super) fn add_to_linker(
    linker: &mut Linker<State>,
    grants: &Grants,
    concurrency: bool,
) -> wasmtime::Result<()> {
    clocks::types::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    clocks::system_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    if grants.environment.is_some() {
        cli::environment::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    }
    if concurrency { asynchronous(linker, grants) } else { Ok(()) }
}

fn asynchronous(linker: &mut Linker<State>, grants: &Grants) -> wasmtime::Result<()> {
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    http::types::add_to_linker::<State, WasiHttp>(linker, State::http)?;
    super::http::count_0_3(linker)?;
    if grants.stdio.is_some() {
        cli::stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
        cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    }
    if grants.directories.is_some() {
        filesystem::types::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
        filesystem::preopens::add_to_linker::<State, WasiFilesystem>(linker, State::filesystem)?;
        files::count_0_3(linker)?;
    }
    if grants.sockets {
        sockets::types::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
        sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    }
    if grants.outbound.is_some() {
        http::client::add_to_linker::<State, WasiHttp>(linker, State::http)?;
    }
    Ok(())
}
