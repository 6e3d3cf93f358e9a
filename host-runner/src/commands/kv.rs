//! `host-runner kv`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use host_runner::keyvalue::{Checked, OpenError, check};

use super::{Failure, print_line};

/// Maintain the files of `--keyvalue redb:FILE`.
#[derive(Args)]
pub(crate) struct Kv {
    #[command(subcommand)]
    command: KvCommand,
}

#[derive(Subcommand)]
enum KvCommand {
    Check(Check),
}

/// Compare everything in a store with its checksums, without changing anything.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  the store is sound
  1  it is damaged: restore it from a copy
  3  the file is missing, or is no store that can be read
  6  the file is in use, or the system refuses it

Example:
  host-runner kv check site.redb")]
struct Check {
    /// The store.
    file: PathBuf,
}

impl Kv {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        match self.command {
            KvCommand::Check(check) => check.execute(),
        }
    }
}

impl Check {
    fn execute(self) -> Result<ExitCode, Failure> {
        let file = self.file.display();
        if !self.file.exists() {
            return Err(Failure::file(anyhow::anyhow!("there is no store {file}")));
        }
        let checked = check(&self.file).map_err(|error| match error {
            error @ OpenError::NotAStore { .. } => Failure::file(error),
            error => Failure::host(error),
        })?;
        for line in report(&checked) {
            print_line(&format!("{file}: {line}"))?;
        }
        Ok(ExitCode::from(u8::from(!checked.is_sound())))
    }
}

/// What is to be said of a store.
fn report(checked: &Checked) -> Vec<String> {
    let Checked { entries, bytes, damaged, .. } = checked;
    let mut lines = Vec::new();
    if !checked.pages_sound {
        lines.push("pages of the file do not have the checksums that they were given".to_owned());
    }
    if !checked.complete {
        lines.push("not all entries can be reached".to_owned());
    }
    for (bucket, key) in &checked.named {
        lines.push(format!("damaged: bucket {bucket:?}, key {key:?}"));
    }
    let more = damaged - checked.named.len() as u64;
    if more > 0 {
        lines.push(format!("{more} more entries are damaged"));
    }
    lines.push(if checked.is_sound() {
        format!("sound: {entries} entries, {bytes} bytes of values")
    } else {
        format!(
            "damaged: {damaged} entries; {entries} are as they were written. Restore the file from a copy"
        )
    });
    if !checked.sealed && *entries > 0 {
        lines.push(
            "of an earlier version: its entries get checksums of their own when a host opens it".to_owned(),
        );
    }
    lines
}
