//! `just serve`: builds the shop, loads the catalogue into a new store, and becomes the host that serves it.
//!
//! The store, `target/shop.redb`, is kept: delete the file for an empty order book and full shelves.

use std::convert::Infallible;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use e2e::{catalogue, project};

/// The first port that is tried.
const PORT: u16 = 8080;

fn main() -> ExitCode {
    match serve() {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("The shop cannot be opened: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<Infallible> {
    // The composition may be named; everything else is for the host.
    let mut arguments = std::env::args().skip(1).peekable();
    let name = arguments.next_if(|first| !first.starts_with('-')).unwrap_or_else(|| "shop-zig".to_owned());
    let more: Vec<String> = arguments.collect();

    let status = Command::new(project::command("composer"))
        .args(["build", &name])
        .current_dir(project::root())
        .status()?;
    ensure!(status.success(), "composer build {name} failed: see above");
    let file = project::path(&format!("target/compositions/{name}.wasm"));

    let store = project::path("target/shop.redb");
    let cache = project::path("target/cache").display().to_string();
    if !store.exists() {
        let products = catalogue::read(&project::path("tests/data/catalogue.csv"))?;
        eprintln!("Loading {} products into {} …", products.len(), store.display());
        // Under another name until it is whole: half a catalogue would be kept for ever.
        let fresh = store.with_extension("new");
        if fresh.exists() {
            fs::remove_file(&fresh)?;
        }
        let keyvalue = format!("redb:{}", fresh.display());
        catalogue::load(&file, &["--keyvalue", &keyvalue, "--cache", &cache], &products)?;
        fs::rename(&fresh, &store)?;
    }

    let port = free_port().context("no port is free")?;
    eprintln!(
        "The shop opens at http://127.0.0.1:{port}/ (Ctrl-C closes it). Orders are kept in {}.",
        store.display()
    );
    let error = Command::new(project::command("host-runner"))
        .arg("serve")
        .arg(&file)
        .args(["--addr", &format!("127.0.0.1:{port}")])
        .arg("--keyvalue")
        .arg(format!("redb:{}", store.display()))
        .args(["--cache", &cache])
        .args(more)
        .exec();
    bail!("host-runner cannot be started: {error}")
}

/// The first port from 8080 on that nobody listens on.
fn free_port() -> Option<u16> {
    (PORT..PORT + 100).find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
}
