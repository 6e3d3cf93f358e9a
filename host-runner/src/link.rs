//! The linker: exactly the interfaces that reach nothing, and those that were granted.

mod files;
mod http;
mod waits;
mod wasi3;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random, sockets};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_http::p2::bindings::http as wasi_http;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView};

use crate::engine::Engine;
use crate::grants::Grants;
use crate::keyvalue::{self, Draft};
use crate::state::State;

/// The versions under which the engine's bindings define the interfaces of WASI. Components of any other patch find them
/// too.
const VERSION_0_2: &str = "0.2.12";
const VERSION_0_3: &str = "0.3.0";

/// A linker for these grants.
pub(crate) fn linker(engine: &Engine, grants: &Grants) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine.inner());
    always(&mut linker)?;
    if grants.environment.is_some() {
        cli::environment::add_to_linker::<State, WasiCli>(&mut linker, State::cli)?;
    }
    if grants.stdio.is_some() {
        stdio(&mut linker)?;
    }
    if grants.directories.is_some() {
        filesystem::types::add_to_linker::<State, WasiFilesystem>(&mut linker, State::filesystem)?;
        filesystem::preopens::add_to_linker::<State, WasiFilesystem>(&mut linker, State::filesystem)?;
        files::count_0_2(&mut linker)?;
    }
    if grants.sockets {
        all_sockets(&mut linker)?;
    }
    if grants.outbound.is_some() {
        wasi_http::outgoing_handler::add_to_linker::<State, WasiHttp>(&mut linker, State::http)?;
    }
    if grants.keyvalue.is_some() {
        keyvalue::add_to_linker(&mut linker, Draft::One, State::keyvalue)?;
        keyvalue::add_to_linker(&mut linker, Draft::Two, State::keyvalue)?;
    }
    wasi3::add_to_linker(&mut linker, grants, engine.settings().concurrency())?;
    Ok(linker)
}

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

fn always(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    io::error::add_to_linker::<State, HasTable>(linker, State::table)?;
    io::poll::add_to_linker::<State, HasTable>(linker, State::table)?;
    io::streams::add_to_linker::<State, HasTable>(linker, State::table)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(linker, State::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, State::random)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    wasi_http::types::add_to_linker::<State, WasiHttp>(linker, &Default::default(), State::http)?;
    http::count_0_2(linker)?;
    waits::add_to_linker(linker)
}

fn stdio(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    cli::stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, State::cli)
}

fn all_sockets(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    sockets::network::add_to_linker::<State, WasiSockets>(linker, &Default::default(), State::sockets)?;
    sockets::instance_network::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    sockets::ip_name_lookup::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    sockets::tcp::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    sockets::tcp_create_socket::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    sockets::udp::add_to_linker::<State, WasiSockets>(linker, State::sockets)?;
    sockets::udp_create_socket::add_to_linker::<State, WasiSockets>(linker, State::sockets)
}
