//! `composer watch`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use clap::Args;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::build::{self, Summary};
use crate::failure::{Exit, Failure};
use crate::files::say;
use crate::project::Project;

/// How long nothing must change before a build begins: editors and Git change many files at once.
const QUIET: Duration = Duration::from_millis(120);

/// Build, and build again whenever a source, a contract or interlock.toml changes, until Ctrl-C.
///
/// It builds as `composer build` does: only what changed, each product checked against its world
/// before it replaces the old one, and then the compositions that contain it. It shows failures and
/// continues to watch.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  composer watch\n  composer watch greeter whole")]
pub struct Watch {
    /// Components and compositions to build; a composition includes its components. Default: all.
    names: Vec<String>,
}

/// Something that happened.
enum Event {
    /// These paths changed; where there are none, something did and it cannot be told what.
    Changed(Vec<PathBuf>),
    /// It was asked to stop.
    Stop,
}

/// Executes the command.
pub fn run(arguments: &Watch) -> Result<(), Failure> {
    let project = find()?;
    let inputs = build::inputs(&project, &arguments.names)?;
    let (sender, events) = mpsc::channel();
    stop_on_signal(sender.clone())?;
    let mut watched = Watched::new(sender)?;
    // Watching begins before the first build does: what changes during a build makes another one.
    watched.follow(&project, inputs)?;
    let first = build::build(&project, &arguments.names, Summary::Always);
    let mut well = shown(first.and_then(|outcome| outcome.verdict));
    say("watching; Ctrl-C stops it");
    while watched.wait(&events) {
        // What failed may be well again without any work: with its old source, for which there is a product.
        let summary = if well { Summary::OfWork } else { Summary::Always };
        well = shown(again(&mut watched, &arguments.names, summary));
    }
    say("stopped");
    Ok(())
}

/// Builds what changed. The manifest may have changed too, and with it what there is to watch.
fn again(watched: &mut Watched, names: &[String], summary: Summary) -> Result<(), Failure> {
    let project = find()?;
    let inputs = build::inputs(&project, names)?;
    watched.follow(&project, inputs)?;
    build::build(&project, names, summary)?.verdict
}

fn find() -> Result<Project, Failure> {
    Project::find(Path::new("."))?.ok_or_else(|| {
        Failure::new(Exit::Input, "there is no interlock.toml in this directory or above it")
            .help("it lists what is to be built: run this inside a project")
    })
}

/// Shows what failed, if anything did. Answers whether all went well.
fn shown(result: Result<(), Failure>) -> bool {
    if let Err(failure) = &result {
        say(failure.render().trim_end());
    }
    result.is_ok()
}

/// Ctrl-C on a terminal also ends the tools that a build runs, so that it ends soon, and then this does. Products are
/// in place whole or not at all, whenever that is. Whoever cannot wait asks twice.
fn stop_on_signal(sender: Sender<Event>) -> Result<(), Failure> {
    const INTERRUPTED: i32 = 130;
    let mut asked = false;
    ctrlc::set_handler(move || {
        if std::mem::replace(&mut asked, true) || sender.send(Event::Stop).is_err() {
            std::process::exit(INTERRUPTED);
        }
    })
    .map_err(|error| Failure::because(Exit::Cannot, "cannot watch for Ctrl-C", error))
}

/// What is watched, and what of it counts.
struct Watched {
    watcher: RecommendedWatcher,
    /// Directories that the system watches, and whether with all below them.
    directories: BTreeMap<PathBuf, bool>,
    /// Files, and directories of which all counts.
    inputs: Vec<(PathBuf, bool)>,
    /// Where products go.
    out: PathBuf,
}

impl Watched {
    fn new(sender: Sender<Event>) -> Result<Self, Failure> {
        let handler = move |event: notify::Result<notify::Event>| {
            let changed = match event {
                // To read a source is to open it: builds would set off builds.
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
                Ok(event) => event.paths,
                Err(_) => Vec::new(),
            };
            // Nobody receives it any more when the program ends.
            let _ = sender.send(Event::Changed(changed));
        };
        let watcher = notify::recommended_watcher(handler).map_err(|error| cannot_watch(&error))?;
        Ok(Watched { watcher, directories: BTreeMap::new(), inputs: Vec::new(), out: PathBuf::new() })
    }

    /// Watches these inputs of a project from now on, and no others.
    fn follow(&mut self, project: &Project, inputs: Vec<(PathBuf, bool)>) -> Result<(), Failure> {
        self.out = real(&project.out());
        self.inputs = inputs.into_iter().map(|(path, all)| (real(&path), all)).collect();
        let wanted = directories(&self.inputs);
        for gone in self
            .directories
            .keys()
            .filter(|directory| wanted.get(*directory) != self.directories.get(*directory))
        {
            // A directory that is gone is watched no longer anyway.
            let _ = self.watcher.unwatch(gone);
        }
        // All of them, each time: a directory that was replaced by another one of its name is not watched any more.
        for (directory, all) in &wanted {
            let mode = if *all { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            self.watcher.watch(directory, mode).map_err(|error| cannot_watch(&error))?;
        }
        self.directories = wanted;
        Ok(())
    }

    /// Waits until something changes and then nothing does for a moment. False when it is time to stop.
    fn wait(&self, events: &Receiver<Event>) -> bool {
        let mut changed = false;
        loop {
            let next = if changed {
                events.recv_timeout(QUIET)
            } else {
                events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match next {
                Ok(Event::Changed(paths)) => {
                    changed |= paths.is_empty() || paths.iter().any(|path| self.counts(path));
                }
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    /// Whether a change there may change a product. What builds write themselves does not.
    fn counts(&self, path: &Path) -> bool {
        const NOWHERE: [&str; 2] = ["node_modules", "__pycache__"];
        !path.starts_with(&self.out)
            && self.inputs.iter().any(|(input, all)| match path.strip_prefix(input) {
                Ok(below) if *all => !below.components().any(|step| {
                    let name = step.as_os_str().to_string_lossy();
                    name.starts_with('.') || NOWHERE.contains(&&*name)
                }),
                Ok(below) => below.as_os_str().is_empty(),
                // A directory that is not there yet comes with the first of those that lead to it.
                Err(_) => !input.exists() && input.starts_with(path),
            })
    }
}

/// The directories that have to be watched for these inputs: of a file its directory, since editors put a new file in its place;
/// of what is not there the nearest directory that is.
fn directories(inputs: &[(PathBuf, bool)]) -> BTreeMap<PathBuf, bool> {
    let mut directories: BTreeMap<PathBuf, bool> = BTreeMap::new();
    for (path, all) in inputs {
        let there = path.ancestors().skip(usize::from(!all)).find(|directory| directory.is_dir());
        if let Some(directory) = there {
            *directories.entry(directory.to_owned()).or_default() |= *all && directory == path;
        }
    }
    let whole: Vec<PathBuf> =
        directories.iter().filter(|(_, all)| **all).map(|(directory, _)| directory.clone()).collect();
    directories
        .retain(|directory, _| !whole.iter().any(|above| above != directory && directory.starts_with(above)));
    directories
}

/// A path as the system reports it, where it is there.
fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn cannot_watch(error: &notify::Error) -> Failure {
    let failure = Failure::new(Exit::Cannot, format!("cannot watch for changes: {error}"));
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            failure.help("the system has a limit to it: on Linux `fs.inotify.max_user_watches`")
        }
        _ => failure,
    }
}
