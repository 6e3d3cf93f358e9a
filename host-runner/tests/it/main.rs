//! The tests of host-runner, in one program: of the library, and of the command as its users run it.

mod admin;
mod blame;
mod call;
mod cli;
mod code;
mod config;
mod descent;
#[cfg(unix)]
mod disk;
mod engine;
mod exposition;
mod extension;
mod granted;
mod held;
mod http2;
mod keyvalue;
mod library;
mod limits;
mod loading;
mod open_files;
mod operations;
mod output;
mod proposed;
mod reused;
mod scripts;
mod serve;
mod slow;
mod support;
mod swap;
mod third_party;
mod wasi3;
