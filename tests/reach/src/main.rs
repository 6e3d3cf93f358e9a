//! A program that tries to reach what its arguments name, and prints what came of it: a fixture for the tests of
//! what a host grants. For `wasm32-wasip2`, with the standard library as everybody uses it.
//!
//! - `read PATH`, `write PATH TEXT`, `list PATH`: files;
//! - `get AUTHORITY PATH`: HTTP;
//! - `connect ADDRESS`: a socket;
//! - `env`: variables.

#[cfg(target_os = "wasi")]
mod http;

use std::fs;
use std::io::ErrorKind;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match attempt(&words) {
        Ok(found) => println!("ok: {found}"),
        Err(reason) => println!("error: {reason}"),
    }
}

fn attempt(words: &[&str]) -> Result<String, String> {
    match words {
        ["read", path] => fs::read_to_string(path).map_err(|error| kind(error.kind())),
        ["write", path, text] => {
            fs::write(path, text).map(|()| "written".to_owned()).map_err(|error| kind(error.kind()))
        }
        ["list", path] => list(path).map_err(|error| kind(error.kind())),
        ["connect", address] => std::net::TcpStream::connect(address)
            .map(|_| "connected".to_owned())
            .map_err(|error| kind(error.kind())),
        ["env"] => {
            let mut variables: Vec<_> =
                std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
            variables.sort();
            Ok(variables.join(" "))
        }
        #[cfg(target_os = "wasi")]
        ["get", authority, path] => http::get(authority, path),
        _ => Err(format!("what is {words:?}?")),
    }
}

fn kind(kind: ErrorKind) -> String {
    format!("{kind:?}")
}

fn list(path: &str) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}
