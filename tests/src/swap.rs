//! A host whose component is swapped, again and again.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
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
    /// How much of the log was read before, in bytes. Guests that fail make it grow without end, so none is read twice.
    read: u64,
}

impl Swapped {
    /// Serves a copy of this component, which lies in the directory with the log.
    ///
    /// # Errors
    /// When the host does not start.
    pub fn start(component: &Path, arguments: &[String], directory: &Path) -> Result<Self> {
        let (file, log) = (directory.join("served.wasm"), directory.join("host.log"));
        fs::copy(component, &file)?;
        let host = Host::start(&file, "127.0.0.1:0", arguments, &log)?;
        Ok(Self { host, file, log, arguments: arguments.to_vec(), read: 0 })
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
            let news = self.news()?;
            if let Some(line) = news.lines().find(|line| line.contains("(SIGHUP)")) {
                return match line {
                    _ if line.contains("was swapped in") => Ok(Swap::Done),
                    _ if line.contains("try again when these have ended") => Ok(Swap::Busy),
                    _ => bail!("the swap was refused: {line}"),
                };
            }
            if Instant::now() > deadline {
                bail!("nothing was said of a swap within {PATIENCE:?}: {}", self.host.log());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// What was logged since this was last asked for, in whole lines: one that is being written comes with the next.
    fn news(&mut self) -> Result<String> {
        let mut file = File::open(&self.log)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        self.read += bytes.len() as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Ends it as a power failure would, and starts it again where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub fn kill_and_revive(&mut self) -> Result<()> {
        let address = self.host.address().to_string();
        self.host.kill()?;
        self.host = Host::start(&self.file, &address, &self.arguments, &self.log)?;
        self.read = 0;
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
