//! Compiling in a process of its own, which limits hold for.
//!
//! What compiling a component takes shows only when it is done, and a compiler can be neither stopped nor made to give up its
//! memory within a process. So the host starts its own executable once more, as a worker: it is given the bytes and
//! how to compile them, limits itself, and leaves the code behind. Whatever becomes of it, the host goes on.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::image::Image;
use crate::tuning::{Exactness, Recipe};

/// The most threads that a worker compiles with: each takes some of its memory.
const MOST_THREADS: usize = 16;

/// How much longer than its processor time a worker may take by the clock on the wall, on a machine that has other work.
const PATIENCE: u32 = 10;

/// The exit code of a worker whose component is not valid. The reason is on its standard error.
const INVALID: u8 = 3;

/// The most that is read of what a worker says.
const LONGEST_REASON: u64 = 64 << 10;

/// Compiles components in processes of their own.
#[derive(Debug, Clone)]
pub struct Compiler {
    program: PathBuf,
    arguments: Vec<String>,
    memory: Option<u64>,
    time: Option<Duration>,
    background: bool,
    given_up: Arc<AtomicBool>,
}

/// How often it is looked whether compiling was given up.
const LOOK: Duration = Duration::from_millis(50);

/// A limit on compiling, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileLimit {
    /// Bytes of memory.
    Memory(u64),
    /// Processor time.
    Time(Duration),
}

impl std::fmt::Display for CompileLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(bytes) => write!(f, "{} MiB of memory (--max-compile-memory)", bytes >> 20),
            Self::Time(time) => {
                write!(f, "{} s of processor time (--max-compile-time)", time.as_secs_f64().ceil())
            }
        }
    }
}

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The component is not valid, for the reason given.
    Invalid(String),
    Limit(CompileLimit),
    /// Nobody wants the code any more.
    GivenUp,
    /// The worker could not do its work, for the reason given.
    Worker(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Worker(format!("could not be started: {error}"))
    }
}

/// What a worker is told, on the first line of its input. The bytes of the component follow.
#[derive(Serialize, Deserialize)]
struct Job {
    recipe: Recipe,
    memory: u64,
    /// Seconds of processor time.
    time: u64,
    background: bool,
}

impl Compiler {
    /// Compiles with a program that calls [`compile_here`] when it is started with these arguments, which for most is the program
    /// that runs.
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            memory: None,
            time: None,
            background: false,
            given_up: Arc::default(),
        }
    }

    /// Sets how much memory a worker may have. The default, with `None`, is 128 MiB, twice the component, and 256 bytes for each
    /// byte of its functions, 2 GiB at most; where modules are inlined into each other, four times that.
    #[must_use]
    pub fn memory(mut self, bytes: Option<u64>) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets how much processor time a worker may take. The default, with `None`, is 2 s and 8 s for each MiB of its
    /// functions.
    #[must_use]
    pub fn time(mut self, time: Option<Duration>) -> Self {
        self.time = time;
        self
    }

    /// Leaves the processors to whatever else wants them.
    #[must_use]
    pub fn in_background(mut self) -> Self {
        self.background = true;
        self
    }

    /// Ends a worker as soon as this is true.
    #[must_use]
    pub fn until(mut self, given_up: Arc<AtomicBool>) -> Self {
        self.given_up = given_up;
        self
    }

    fn memory_for(&self, bytes: u64, code: u64, recipe: &Recipe) -> u64 {
        self.memory.unwrap_or_else(|| {
            let most = (128 << 20) + bytes.saturating_mul(2) + code.saturating_mul(256);
            most.min(2 << 30) * if recipe.blame == Exactness::Coarse { 4 } else { 1 }
        })
    }

    fn time_for(&self, code: u64) -> Duration {
        self.time.unwrap_or_else(|| Duration::from_secs(2 + (code.saturating_mul(8) >> 20)))
    }

    /// Compiles a component. Blocks until that is done.
    pub(super) fn compile(&self, recipe: &Recipe, bytes: &[u8]) -> Result<Image, Failed> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(Failed::GivenUp);
        }
        // What cannot be read is refused by the engine, at once.
        let code = anatomy::structure(bytes).map_or(0, |found| found.sizes.code);
        let (memory, time) = (self.memory_for(bytes.len() as u64, code, recipe), self.time_for(code));
        // The system counts whole seconds.
        let seconds = time.as_secs_f64().ceil() as u64;
        let job = Job { recipe: recipe.clone(), memory, time: seconds, background: self.background };
        let mut input = scratch()?;
        serde_json::to_writer(&input, &job).map_err(io::Error::from)?;
        input.write_all(b"\n")?;
        input.write_all(bytes)?;
        input.rewind()?;
        let mut output = scratch()?;
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let child = Command::new(&self.program)
            .args(&self.arguments)
            // Nothing of what the host knows is any of its business.
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(input)
            .stdout(output.try_clone()?)
            .stderr(Stdio::piped())
            .spawn()?;
        let patience = time.saturating_mul(PATIENCE).saturating_add(Duration::from_secs(60));
        Ended::of(child, patience, &self.given_up)?.verdict(memory, time)?;
        let length = usize::try_from(output.metadata()?.len())
            .map_err(|_| Failed::Limit(CompileLimit::Memory(memory)))?;
        output.rewind()?;
        Ok(Image::copy(&mut output, length, &mut blake3::Hasher::new())?)
    }
}

/// How a worker ended.
struct Ended {
    status: ExitStatus,
    said: String,
    /// Why it was ended.
    because: Option<Because>,
}

enum Because {
    Late,
    GivenUp,
}

impl Ended {
    /// Waits until a worker has ended, and ends it when that takes too long.
    fn of(mut child: Child, patience: Duration, given_up: &AtomicBool) -> io::Result<Self> {
        let stderr = child.stderr.take();
        let (closed, waiting) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut said = Vec::new();
            if let Some(mut stderr) = stderr {
                // A worker that says more than that has lost its reader, and ends.
                let _ = (&mut stderr).take(LONGEST_REASON).read_to_end(&mut said);
            }
            drop(closed);
            said
        });
        let begun = Instant::now();
        let because = loop {
            // The end of what it says is its own end.
            if waiting.recv_timeout(LOOK) != Err::<(), _>(RecvTimeoutError::Timeout) {
                break None;
            }
            let because = if given_up.load(Ordering::Relaxed) {
                Because::GivenUp
            } else if begun.elapsed() > patience {
                Because::Late
            } else {
                continue;
            };
            child.kill()?;
            break Some(because);
        };
        let status = child.wait()?;
        let said = reader.join().unwrap_or_default();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        Ok(Self { status, said, because })
    }

    fn verdict(self, memory: u64, time: Duration) -> Result<(), Failed> {
        match self.because {
            Some(Because::Late) => return Err(Failed::Limit(CompileLimit::Time(time))),
            Some(Because::GivenUp) => return Err(Failed::GivenUp),
            None => {}
        }
        let status = self.status;
        if status.success() {
            return Ok(());
        }
        let signal = status.signal().and_then(Signal::from_named_raw);
        let no_memory = ["memory allocation of", "annot allocate memory", "out of memory"];
        if signal == Some(Signal::XCPU) {
            Err(Failed::Limit(CompileLimit::Time(time)))
        } else if signal == Some(Signal::XFSZ) || no_memory.iter().any(|words| self.said.contains(words)) {
            Err(Failed::Limit(CompileLimit::Memory(memory)))
        } else if status.code() == Some(i32::from(INVALID)) {
            Err(Failed::Invalid(self.said))
        } else {
            let first = self.said.lines().next().map(|line| format!(": {line}")).unwrap_or_default();
            Err(Failed::Worker(format!("ended early ({status}){first}")))
        }
    }
}

/// A file without a name.
fn scratch() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    if let Ok(file) = rustix::fs::memfd_create("compiling", rustix::fs::MemfdFlags::CLOEXEC) {
        return Ok(file.into());
    }
    tempfile::tempfile()
}

/// Does the work of a [`Compiler`]'s worker, and gives the exit code that the process is to end with: reads a component from
/// standard input and writes its code to standard output, within the limits that it is told there.
pub fn compile_here() -> ExitCode {
    match work() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(invalid)) => {
            eprintln!("{invalid:#}");
            ExitCode::from(INVALID)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Compiles what is on standard input. The inner error is that of the engine.
fn work() -> io::Result<wasmtime::Result<()>> {
    let mut input = BufReader::new(io::stdin().lock());
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    let job: Job = serde_json::from_slice(&line)?;
    job.limit()?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let engine = wasmtime::Engine::new(&job.recipe.config());
    let compiled = match engine.and_then(|engine| engine.precompile_component(&bytes)) {
        Ok(compiled) => compiled,
        Err(error) => return Ok(Err(error)),
    };
    let mut output = io::stdout().lock();
    output.write_all(&compiled)?;
    output.flush()?;
    Ok(Ok(()))
}

impl Job {
    /// Limits this process.
    fn limit(&self) -> io::Result<()> {
        // What it works for may end before it.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if self.background {
            rustix::process::nice(19)?;
        }
        // Memory that is written to, wherever it comes from. Address space would count what is only set aside as well.
        lower(Resource::Data, self.memory, self.memory)?;
        lower(Resource::Fsize, self.memory, self.memory)?;
        lower(Resource::Core, 0, 0)?;
        lower(Resource::Cpu, self.time, self.time.saturating_add(1))
    }
}

/// Lowers a limit on this process: to the first number, at which it is told, and to the second, at which it ends. One that
/// is lower already stays.
fn lower(resource: Resource, told: u64, ended: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = |wanted: u64| Some(wanted.min(most));
    setrlimit(resource, Rlimit { current: limit(told), maximum: limit(ended) })?;
    Ok(())
}
