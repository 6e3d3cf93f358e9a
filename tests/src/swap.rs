//! A host whose component is swapped, again and again.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{Host, Usage};

/// How long a swap may take. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of a swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// The component answers.
    Done,
    /// Too many that were swapped out still had requests.
    Busy,
}

/// A host that serves whatever lies in a file of its own.
#[derive(Debug)]
pub struct Swapped {
    host: Host,
    file: PathBuf,
    log: PathBuf,
    arguments: Vec<String>,
    /// What was logged of swaps before, in lines.
    seen: usize,
}

impl Swapped {
    /// Serves a copy of this component, which lies in the folder with the log.
    ///
    /// # Errors
    /// When the host does not start.
    pub fn start(component: &Path, arguments: &[String], folder: &Path) -> Result<Self> {
        let (file, log) = (folder.join("served.wasm"), folder.join("host.log"));
        fs::copy(component, &file)?;
        let host = Host::start(&file, "127.0.0.1:0", arguments, &log)?;
        Ok(Self { host, file, log, arguments: arguments.to_vec(), seen: 0 })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.host.address()
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        self.host.log()
    }

    /// What it uses; `None` where the system is not Linux.
    pub fn usage(&self) -> Option<Usage> {
        self.host.usage()
    }

    /// Puts this component in the place of the one that is served, and waits until it answers.
    ///
    /// # Errors
    /// When the host refuses it, or says nothing in time.
    pub fn swap(&mut self, component: &Path) -> Result<Swap> {
        let next = self.file.with_extension("next");
        fs::copy(component, &next)?;
        fs::rename(&next, &self.file)?;
        self.host.hang_up()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.host.log();
            if let Some(line) = log.lines().filter(|line| line.contains("(SIGHUP)")).nth(self.seen) {
                self.seen += 1;
                return match line {
                    _ if line.contains("was swapped in") => Ok(Swap::Done),
                    _ if line.contains("try again when these have ended") => Ok(Swap::Busy),
                    _ => bail!("the swap was refused: {line}"),
                };
            }
            if Instant::now() > deadline {
                bail!("nothing was said of a swap within {PATIENCE:?}: {log}");
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it as a power failure would, and starts it again where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub fn kill_and_revive(&mut self) -> Result<()> {
        let address = self.host.address().to_string();
        self.host.kill()?;
        self.host = Host::start(&self.file, &address, &self.arguments, &self.log)?;
        self.seen = 0;
        Ok(())
    }

    /// Stops it and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end in time, or with a failure.
    pub fn stop(self) -> Result<()> {
        self.host.stop()
    }
}
