//! What a command does about the lock.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use composer::lock::{self, Difference, Entry, Lock};

use super::pull::Pinned;
use super::{Source, Wanted};
use crate::failure::{Exit, Failure};
use crate::files;

/// The part of a lock that is about one composition.
pub struct Ledger {
    file: PathBuf,
    /// Whether the lock is written also where there is none yet, and all inputs are paths.
    asked: bool,
    locked: bool,
    /// What the composition is known by.
    output: String,
    /// What the lock says about it.
    before: Option<Vec<Entry>>,
    /// What there is, once it is known.
    now: Option<Vec<Entry>>,
}

impl Ledger {
    /// The part of this lock that is about this output. `asked` says that the user named the file.
    pub fn open(file: PathBuf, asked: bool, locked: bool, output: &Path) -> Result<Self, Failure> {
        let output = match output.to_str() {
            Some("-") => "-".to_owned(),
            _ => relative(output, &file),
        };
        let mut ledger = Ledger { file, asked: asked || locked, locked, output, before: None, now: None };
        ledger.before = ledger.read()?.compositions.remove(&ledger.output);
        if locked && ledger.before.is_none() {
            return Err(ledger.lacks_all());
        }
        Ok(ledger)
    }

    /// Where the lock is, or would be.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the lock as it is now.
    fn read(&self) -> Result<Lock, Failure> {
        if !self.file.exists() {
            return self.refuse_old_name().map(|()| Lock::default());
        }
        let text = files::read_text(&self.file).map_err(|failure| {
            failure.help("a lock is a text that composer writes: give `--lock` a file of its own")
        })?;
        let shown = self.file.display().to_string();
        lock::parse(&shown, &text).map_err(|error| Failure::of(Exit::Input, error))
    }

    /// Refuses to go on beside a lock of the old name, whose digests would be forgotten. Another tool's file of that name
    /// does not matter.
    fn refuse_old_name(&self) -> Result<(), Failure> {
        let old = self.file.with_file_name(lock::OLD_FILE);
        let is_ours = |text: String| lock::parse(lock::OLD_FILE, &text).is_ok();
        if self.file.file_name() != Some(OsStr::new(lock::FILE))
            || !fs::read_to_string(&old).is_ok_and(is_ours)
        {
            return Ok(());
        }
        let message = format!("`{}` has the old name of the lock", old.display());
        Err(Failure::new(Exit::Input, message).help(format!("rename it to `{}`", self.file.display())))
    }

    /// Whether the lock counts: where it was asked for, has this composition already, or has to say what came from a
    /// registry.
    fn needed(&self) -> bool {
        let pulled = |entries: &Vec<Entry>| entries.iter().any(|entry| entry.manifest.is_some());
        self.asked || self.before.is_some() || self.now.as_ref().is_some_and(pulled)
    }

    /// Whether it will count for these: where it will not, nobody has to know their digests.
    pub fn concerns(&self, wanted: &[Wanted]) -> bool {
        self.needed() || wanted.iter().any(|wanted| matches!(wanted.source, Source::Registry(_)))
    }

    /// What a source is called in the lock.
    pub fn name(&self, source: &Source) -> String {
        match source {
            Source::Path(path) => relative(path, &self.file),
            Source::Registry(reference) => reference.to_string(),
        }
    }

    /// What a reference is pinned to: under `--locked`, what the lock says.
    pub fn pinned(&self, package: Option<&str>, source: &Source) -> Option<Pinned> {
        let name = self.name(source);
        let entries = self.before.as_ref().filter(|_| self.locked)?;
        let entry = entries.iter().find(|entry| entry.key() == (package, &name))?;
        Some(Pinned { manifest: entry.manifest?, digest: entry.digest })
    }

    /// Under `--locked`, refuses before anything is pulled what the lock cannot have.
    pub fn expect(&self, wanted: &[Wanted]) -> Result<(), Failure> {
        if !self.locked {
            return Ok(());
        }
        let mut missing = Vec::new();
        for Wanted { package, source, .. } in wanted {
            if matches!(source, Source::Registry(_)) && self.pinned(package.as_deref(), source).is_none() {
                let package = package.as_ref().map_or_else(String::new, |package| format!(" as `{package}`"));
                missing.push(format!("`{source}`{package} is not in the lock"));
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(self.refusal(&missing)) }
    }

    /// Takes note of what there is. Under `--locked`, refuses what differs from the lock; otherwise says which inputs
    /// from registries are no longer what they were.
    pub fn found(&mut self, entries: Vec<Entry>) -> Result<(), Failure> {
        self.now = Some(entries);
        if !self.needed() {
            return Ok(());
        }
        let entries = self.now.as_deref().unwrap_or_default();
        told_apart(entries)?;
        let before = self.before.as_deref().unwrap_or_default();
        let differences = lock::differences(before, entries);
        if self.locked && !differences.is_empty() {
            return Err(self.refusal(&differences.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
        for difference in &differences {
            if let Difference::Changed { locked, found } = difference
                && let (Some(was), Some(is)) = (locked.manifest, found.manifest)
            {
                files::say(&format!("note: `{}` has moved: it was {was}, and is {is}", found.source));
            }
        }
        Ok(())
    }

    fn refusal(&self, lines: &[String]) -> Failure {
        let count =
            if lines.len() == 1 { "an input is".to_owned() } else { format!("{} inputs are", lines.len()) };
        let message = format!("{count} not what `{}` says for `{}`", self.file.display(), self.output);
        Failure::because(Exit::Cannot, message, lines.join("\n"))
            .help("without `--locked` the lock is brought up to date")
    }

    fn lacks_all(&self) -> Failure {
        let file = self.file.display();
        let message = if self.file.exists() {
            format!("`{file}` says nothing about `{}`", self.output)
        } else {
            format!("there is no lock `{file}`")
        };
        let help = format!(
            "without `--locked`, and with `--lock {file}` where all inputs are files, it is written; compositions are \
             known by their output, as it is named from the lock's directory"
        );
        Failure::new(Exit::Cannot, message).help(help)
    }

    /// Writes the lock, where it counts and is not what it should be.
    pub fn settle(mut self) -> Result<(), Failure> {
        if !self.needed() || self.locked {
            return Ok(());
        }
        let Some(entries) = self.now.take() else { return Ok(()) };
        // Another composition may be written to the same lock at this moment. The directory stays where it is while the
        // file is replaced, so it is what is locked; where the system cannot, the last one to write wins.
        let directory = fs::File::open(directory_of(&self.file));
        let _held = directory.as_ref().is_ok_and(|directory| directory.lock().is_ok());
        self.asked = true;
        let mut lock = self.read()?;
        let before = lock::format(&lock);
        lock.compositions.insert(self.output.clone(), entries);
        let text = lock::format(&lock);
        if text == before && self.file.exists() { Ok(()) } else { files::write(&self.file, text.as_bytes()) }
    }
}

/// Refuses different inputs that would have one name in the lock: names that are not UTF-8 may look alike.
fn told_apart(entries: &[Entry]) -> Result<(), Failure> {
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|other| other.key() == entry.key() && other != entry) {
            let message = format!("two inputs would both be called `{}` in the lock", entry.source);
            return Err(Failure::new(Exit::Usage, message).help("give one of them another name"));
        }
    }
    Ok(())
}

fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path as it is seen from the directory of a lock, with `/` between names. What is not UTF-8 in it is replaced.
///
/// Below that directory it is what was given, whatever links there are on the way: where they lead may differ between
/// machines. Elsewhere links are followed, so that a path does not depend on how one came to the directory.
fn relative(path: &Path, lock: &Path) -> String {
    let below = || {
        let (path, lock) = (std::path::absolute(path).ok()?, std::path::absolute(lock).ok()?);
        let plain = |path: &Path| path.components().all(|name| name != Component::ParentDir);
        (plain(&path) && plain(&lock) && path.starts_with(lock.parent()?)).then_some((path, lock))
    };
    let (path, lock) = below().unwrap_or_else(|| (files::absolute(path), files::absolute(lock)));
    let directory = lock.parent().unwrap_or(&lock);
    let shared =
        path.components().zip(directory.components()).take_while(|(one, other)| one == other).count();
    let up = directory.components().skip(shared).map(|_| Component::ParentDir);
    let names = up.chain(path.components().skip(shared));
    let names: Vec<_> = names.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}
