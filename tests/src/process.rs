//! Running the commands, and stopping them.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

use crate::project;

/// How long a host may take to compile a composition and to listen. Generous: the machine may be busy.
const START: Duration = Duration::from_secs(180);

/// What a command that ran to its end left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs one of the two commands in a directory, with these arguments and this standard input, to its end.
///
/// # Errors
/// When it cannot be started or its output cannot be read; not when it fails.
pub fn run<A: AsRef<OsStr>>(name: &str, directory: &Path, arguments: &[A], input: &str) -> Result<Finished> {
    let mut child = Command::new(project::command(name))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    // From a thread of its own: a child that writes before it has read everything would wait for us.
    let mut stdin = child.stdin.take().context("the child has a standard input")?;
    let input = input.to_owned();
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    // A child that ends without having read everything breaks the pipe: that is its right.
    let _ = writer.join();
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// What a command said, and what it used of its machine.
#[derive(Debug)]
pub struct Measured {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard error.
    pub stderr: String,
    /// What it and its own children computed.
    pub processor: Duration,
    /// The most memory that any command of this process ever had, in bytes: the system tells no more of those that ended.
    pub peak: u64,
}

/// Runs one of the two commands to its end, and measures it. No other child of this process may end meanwhile.
///
/// # Errors
/// When it cannot be started.
pub fn measured(name: &str, directory: &Path, arguments: &[&str]) -> Result<Measured> {
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let output = Command::new(project::command(name))
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} cannot be started"))?;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let computed = |usage: &nix::sys::resource::Usage| usage.user_time() + usage.system_time();
    let micros = (computed(&after) - computed(&before)).num_microseconds();
    // In units of a kilobyte, but for macOS.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Measured {
        code: output.status.code(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        processor: Duration::from_micros(u64::try_from(micros)?),
        peak: u64::try_from(after.max_rss())? * unit,
    })
}

/// What a process uses of its machine.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// The most memory that it ever had, in bytes.
    pub peak: u64,
    /// The memory that it has now, in bytes.
    pub resident: u64,
    /// Its threads.
    pub threads: u64,
    /// What it has computed, in milliseconds.
    pub processor_millis: u64,
    /// Files, sockets and the like that it has open.
    pub open_files: usize,
}

impl Usage {
    /// As Linux tells it.
    #[cfg(target_os = "linux")]
    fn of(process: u32) -> Result<Self> {
        let directory = PathBuf::from(format!("/proc/{process}"));
        let status = std::fs::read_to_string(directory.join("status"))?;
        let told = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            Ok(line.with_context(|| format!("no {name}"))?.trim_end_matches("kB").trim().parse()?)
        };
        // The name of the program is the second field, in parentheses, and may hold anything.
        let stat = std::fs::read_to_string(directory.join("stat"))?;
        let fields = stat.rsplit_once(") ").context("it has a name")?.1;
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
        // A hundred ticks a second, on every machine that runs Linux today.
        Ok(Self {
            peak: told("VmHWM")? << 10,
            resident: told("VmRSS")? << 10,
            threads: told("Threads")?,
            processor_millis: ticks * 10,
            open_files: std::fs::read_dir(directory.join("fd"))?.count(),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn of(_process: u32) -> Result<Self> {
        bail!("only Linux tells")
    }
}

/// A host that serves a component. Killed when it is dropped.
#[derive(Debug)]
pub struct Host {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Host {
    /// Starts `host-runner serve COMPONENT --addr ADDRESS` with more arguments, its log going to a file, and waits
    /// until it accepts requests.
    ///
    /// # Errors
    /// When it ends, or says nothing in time: with its log.
    pub fn start<A: AsRef<OsStr>>(
        component: &Path,
        address: &str,
        arguments: &[A],
        log: &Path,
    ) -> Result<Self> {
        Self::start_with(component, address, arguments, log, &[])
    }

    /// The same, with these variables of the environment.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with<A: AsRef<OsStr>>(
        component: &Path,
        address: &str,
        arguments: &[A],
        log: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut child = Command::new(project::command("host-runner"))
            .arg("serve")
            .arg(component)
            .args(["--addr", address])
            // Code is kept from test to test, and away from the user's own.
            .env("XDG_CACHE_HOME", project::path("target/cache"))
            .args(arguments)
            .envs(variables.iter().copied())
            .current_dir(project::root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .spawn()
            .context("host-runner cannot be started")?;
        let stdout = child.stdout.take().context("the host has a standard output")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(read.map(|_| line));
        });
        let told = receiver.recv_timeout(START);
        let mut host = Self { child, address: ([127, 0, 0, 1], 0).into(), log: log.to_owned() };
        let line = match told {
            Ok(line) => line?,
            Err(_) => bail!("host-runner did not listen within {START:?}: {}", host.log()),
        };
        let Some(address) = line.trim_end().strip_prefix("listening on http://") else {
            bail!("host-runner did not start to listen, but said {line:?}: {}", host.log());
        };
        host.address = address.parse().with_context(|| format!("{address:?} is no address"))?;
        Ok(host)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it uses; `None` where the system is not Linux.
    ///
    /// # Panics
    /// When Linux does not tell.
    pub fn usage(&self) -> Option<Usage> {
        cfg!(target_os = "linux")
            .then(|| Usage::of(self.child.id()).expect("Linux tells what a process uses"))
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Ends it as a power failure would: no handler runs, nothing is flushed.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to swap in what lies in its component's file, without waiting.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn hang_up(&self) -> Result<()> {
        kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGHUP)?;
        Ok(())
    }

    /// Asks it to stop, without waiting.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn terminate(&self) -> Result<()> {
        kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGTERM)?;
        Ok(())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When it still runs after that long.
    pub fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("the host still runs after {patience:?}: {}", self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it and waits until it has ended.
    ///
    /// # Errors
    /// When it does not end in time, or with a failure.
    pub fn stop(mut self) -> Result<()> {
        self.terminate()?;
        let status = self.wait(Duration::from_secs(30))?;
        if !status.success() {
            bail!("the host ended with {status}: {}", self.log());
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
