//! A fuzzer without instrumentation, for targets that libFuzzer does not run.
//!
//! To instrument the engine would mean to build it a second time, for many minutes. So what an input does is told by the target
//! itself: it [notes](note) what went wrong and what was called. An input that brings about a note which none before it had is
//! kept, and changed again.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::{Target, memory, mutate, seeds};

/// The longest input.
const LONGEST: usize = 8192;
/// How many changes are made to an input at once, at most.
const CHANGES: usize = 4;
/// After so long an input counts as one that never ends.
const ENDLESS: Duration = Duration::from_secs(60);
/// What all inputs together may leave allocated.
const LEFT: usize = 64 << 20;
/// The letters of a note that count.
const LETTERS: usize = 120;

static NOTES: Mutex<Notes> = Mutex::new(Notes { all: Vec::new(), deep: false });

/// What an input brought about.
struct Notes {
    all: Vec<String>,
    /// Whether it got past the checks at the door.
    deep: bool,
}

fn notes() -> MutexGuard<'static, Notes> {
    NOTES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes something that an input brought about. Names and numbers do not count, since every input has others.
pub fn note(words: &str) {
    // What is in backticks is quoted from the input, and a name stands before a colon.
    let plain: String = words.split('`').step_by(2).collect();
    let plain = plain.split_whitespace().filter(|word| !word.ends_with(':'));
    let plain = plain.collect::<Vec<_>>().join(" ");
    let letters = plain.chars().filter(|letter| !letter.is_ascii_digit()).take(LETTERS);
    notes().all.push(letters.collect());
}

/// Notes that an input got past the checks at the door. It is changed more often than one that did not.
pub fn deep() {
    notes().deep = true;
}

/// What to do, and where.
#[derive(Debug, Clone)]
pub struct Wandering {
    /// How long.
    pub time: Duration,
    /// Where chance begins. None is the time of day.
    pub seed: Option<u64>,
    /// Where inputs are kept that do something new, and where those of earlier times are.
    pub kept: PathBuf,
    /// Where an input goes that fails.
    pub artifacts: PathBuf,
}

/// Puts inputs through a target until time is up: those of its corpus and those kept earlier, then changed ones. Prints a line
/// as libFuzzer does; what it counts as edges are the notes.
///
/// # Errors
///
/// Where an input failed, which lies among the artifacts then; and where files cannot be read or written.
pub fn wander(target: &'static Target, wandering: &Wandering) -> io::Result<()> {
    fs::create_dir_all(&wandering.kept)?;
    fs::create_dir_all(&wandering.artifacts)?;
    let mut walk = Walk::new(target, wandering)?;
    let before = memory::live();
    let began = Instant::now();
    for input in corpus(target, &wandering.kept)? {
        walk.put(&input)?;
    }
    while began.elapsed() < wandering.time && !walk.population.is_empty() {
        let input = walk.changed();
        if walk.put(&input)? {
            fs::write(wandering.kept.join(name("", &input)), &input)?;
        }
        let left = memory::live().saturating_sub(before + walk.size());
        if left > LEFT {
            return Err(
                walk.failed(&input, &format!("{left} bytes of memory were left by all inputs together"))
            );
        }
    }
    println!(
        "#{} DONE cov: {} corp: {}/{}b",
        walk.runs,
        walk.known.len(),
        walk.population.len(),
        walk.size()
    );
    Ok(())
}

/// The corpora of all targets that take components, and what was kept.
fn corpus(target: &Target, kept: &Path) -> io::Result<Vec<Vec<u8>>> {
    let alike = crate::TARGETS.iter().filter(|other| other.input == target.input);
    let mut paths = seeds::of(target.name)?;
    for other in alike.filter(|other| other.name != target.name) {
        paths.extend(
            seeds::of(other.name)?.into_iter().filter(|path| path.extension().is_some_and(|it| it == "wat")),
        );
    }
    let mut inputs = Vec::new();
    for path in &paths {
        inputs.extend(seeds::components(&seeds::load(path)?).map(<[u8]>::to_vec));
    }
    let mut earlier: Vec<PathBuf> =
        fs::read_dir(kept)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    earlier.sort();
    for path in earlier {
        inputs.push(fs::read(path)?);
    }
    Ok(inputs)
}

/// A name that follows from the input.
fn name(prefix: &str, input: &[u8]) -> String {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{prefix}{:016x}", input.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}

/// Since when an input is at work, and which.
type Current = Arc<Mutex<Option<(Instant, Vec<u8>)>>>;

struct Walk<'a> {
    target: &'static Target,
    wandering: &'a Wandering,
    chance: u64,
    runs: u64,
    population: Vec<Vec<u8>>,
    /// Which of them got past the checks at the door.
    deep: Vec<usize>,
    known: HashSet<String>,
    current: Current,
}

impl<'a> Walk<'a> {
    fn new(target: &'static Target, wandering: &'a Wandering) -> io::Result<Self> {
        let of_day = || {
            SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs() ^ u64::from(time.subsec_nanos()))
        };
        let chance = wandering.seed.unwrap_or_else(of_day);
        println!("seed {chance}");
        let (known, current) = (HashSet::new(), Current::default());
        watch(&current, &wandering.artifacts)?;
        Ok(Self {
            target,
            wandering,
            chance,
            runs: 0,
            population: Vec::new(),
            deep: Vec::new(),
            known,
            current,
        })
    }

    /// Puts an input through the target; returns whether it did something new.
    fn put(&mut self, input: &[u8]) -> io::Result<bool> {
        self.runs += 1;
        *notes() = Notes { all: Vec::new(), deep: false };
        // Where the process dies of it, the input is found here.
        let running = self.wandering.artifacts.join("running");
        fs::write(&running, input)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), input.to_vec()));
        let outcome = catch_unwind(AssertUnwindSafe(|| crate::attempt(self.target, input)));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        fs::remove_file(&running)?;
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(words)) => return Err(self.failed(input, &words)),
            Err(_) => return Err(self.failed(input, "it panicked")),
        }
        let Notes { all, deep } = std::mem::replace(&mut *notes(), Notes { all: Vec::new(), deep: false });
        let mut new = false;
        for note in all {
            if !self.known.contains(&note) {
                eprintln!("#{} NEW {note:?}", self.runs);
                new |= self.known.insert(note);
            }
        }
        if new && deep {
            self.deep.push(self.population.len());
        }
        if new {
            self.population.push(input.to_vec());
        }
        Ok(new)
    }

    fn failed(&self, input: &[u8], words: &str) -> io::Error {
        let path = self.wandering.artifacts.join(name("crash-", input));
        let kept =
            fs::write(&path, input).map_or_else(|error| error.to_string(), |()| path.display().to_string());
        io::Error::other(format!("{words}: {kept}"))
    }

    fn size(&self) -> usize {
        self.population.iter().map(Vec::len).sum()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.chance =
            self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).unwrap_or_default() % bound
    }

    /// One of those that did something new, changed.
    fn changed(&mut self) -> Vec<u8> {
        let at = match self.deep.len() {
            deep if deep > 0 && self.below(8) > 0 => {
                let at = self.below(deep);
                self.deep[at]
            }
            _ => self.below(self.population.len()),
        };
        let mut data = self.population[at].clone();
        let mut size = data.len().min(LONGEST);
        data.resize(LONGEST, 0);
        for _ in 0..=self.below(CHANGES) {
            let seed = u32::try_from(self.below(1 << 31)).unwrap_or_default();
            size = if seed % 8 == 0 {
                mutate::bytes(&mut data, size, LONGEST)
            } else {
                mutate::component(&mut data, size, LONGEST, seed, mutate::bytes)
            };
        }
        data.truncate(size);
        data
    }
}

/// Ends the process where an input takes too long. It is among the artifacts then.
fn watch(current: &Current, artifacts: &Path) -> io::Result<()> {
    let (current, artifacts) = (Arc::clone(current), artifacts.to_path_buf());
    let watching = move || loop {
        thread::sleep(Duration::from_secs(1));
        let current = current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((began, input)) = &*current
            && began.elapsed() > ENDLESS
        {
            let path = artifacts.join(name("timeout-", input));
            let kept = fs::write(&path, input)
                .map_or_else(|error| error.to_string(), |()| path.display().to_string());
            eprintln!("an input takes more than {ENDLESS:?}: {kept}");
            std::process::exit(1);
        }
    };
    thread::Builder::new().name("watch".to_owned()).spawn(watching).map(drop)
}
