//! `host-runner compile`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use host_runner::{Cache, Key, Limits, Pool};

use super::Failure;
use super::flags::{EngineFlags, Prepared};

/// Compile a component ahead of time, into a .cwasm file that `serve`, `call` and `run` accept in
/// its place.
///
/// The file runs on hosts of the same version, on processors like this one, with the same flags
/// under Engine, and only with the same key: compiled code has all the rights of the host. With
/// --key FILE, the key is created if the file is missing; without it, the key of the user's cache
/// directory is used.
#[derive(Args)]
#[command(after_help = "\
Example:
  host-runner compile site.wasm -o site.cwasm --key host.key
  host-runner serve site.cwasm --key host.key --keyvalue memory")]
pub(crate) struct Compile {
    /// The component.
    file: PathBuf,

    /// Where to write; `-` is standard output, unless that is a terminal.
    #[arg(short, long, value_name = "FILE|-")]
    output: PathBuf,

    #[command(flatten)]
    engine: EngineFlags,
}

impl Compile {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        let to_stdout = self.output == Path::new("-");
        if to_stdout && io::stdout().is_terminal() {
            return Err(Failure::usage(
                "compiled code is binary, and is not written to a terminal: name a file (-o FILE), or redirect the output",
            ));
        }
        let key = self.key()?;
        // The pool is no part of the code; with it, what is explained is what `serve` does.
        let limits = Limits::default();
        let pool = Pool {
            instances: limits.concurrency,
            memory: limits.memory,
            table_elements: limits.table_elements,
        };
        let Some(Prepared { component, engine }) = self.engine.prepare(&self.file, Some(pool), false)? else {
            return Ok(ExitCode::SUCCESS);
        };
        if to_stdout {
            let mut out = io::stdout().lock();
            component.compile(&engine, &key, &mut out)?;
            out.flush().map_err(Failure::host)?;
        } else {
            component.compile_to(&engine, &key, &self.output)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The key that was named, or that of the user's cache; either is made where it is missing.
    fn key(&self) -> Result<Key, Failure> {
        if let Some(file) = self.engine.key_file() {
            return Key::read_or_make(file).map_err(Failure::host);
        }
        let directory = Cache::of_user().ok_or_else(|| {
            Failure::usage("this user has no cache directory to keep a key in: name a key with --key FILE")
        })?;
        Ok(Cache::open(&directory).map_err(Failure::host)?.key().clone())
    }
}
