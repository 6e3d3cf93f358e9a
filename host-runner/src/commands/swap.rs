//! What makes a running server take the component that now lies in its file.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use host_runner::admin::NotSwapped;
use host_runner::{App, Pool, Setup, Swapped, Swapper};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::Signal;
use tokio::sync::{Mutex, mpsc};
use tokio::task::block_in_place;

use super::flags::EngineFlags;
use super::{Failure, load};

/// How long a file must stay as it is before it counts as written.
const QUIET: Duration = Duration::from_millis(200);

/// How often a file is looked at where nothing tells of a change: a network does not, and neither does a link in its path.
const LOOK_ANYWAY: Duration = Duration::from_secs(2);

/// How often it is looked whether there can be a swap again.
const AGAIN: Duration = Duration::from_secs(1);

/// How the component is loaded: as it was at the start.
pub(super) struct Reload {
    pub(super) file: PathBuf,
    pub(super) engine: EngineFlags,
    pub(super) pool: Pool,
    pub(super) setup: Setup,
}

impl Reload {
    fn load(&self, given_up: Arc<AtomicBool>) -> Result<App, Failure> {
        // The engine is only explained at the start, and then nothing is served.
        let prepared = self.engine.beside(given_up).prepare(&self.file, Some(self.pool), true)?;
        let prepared = prepared.ok_or_else(|| Failure::usage("the engine is explained at the start"))?;
        Ok(load(prepared, self.setup.clone())?)
    }
}

/// Loads what lies in the file, and swaps it in.
#[derive(Clone)]
pub(super) struct Swaps {
    swapper: Swapper,
    reload: Arc<Reload>,
    /// Held from the reading of the file to the swap: what was read first must not be swapped in last, and one component
    /// at a time is enough to compile.
    turn: Arc<Mutex<()>>,
    /// What is being loaded.
    loading: Arc<StdMutex<Option<InLoad>>>,
}

/// A file that is being loaded.
struct InLoad {
    file: Option<Identity>,
    given_up: Arc<AtomicBool>,
}

impl Swaps {
    pub(super) fn new(swapper: Swapper, reload: Reload) -> Self {
        Self { swapper, reload: Arc::new(reload), turn: Arc::default(), loading: Arc::default() }
    }

    /// Does so whenever a signal asks for it or the file changes.
    pub(super) async fn follow(self, mut asked: Signal, mut changes: Option<Changes>) {
        // Whether there was no room for a change.
        let mut put_off = false;
        // Whether the file changed while what was in it before was loaded.
        let mut overtaken = false;
        loop {
            let again = async { if put_off { self.ready().await } else { std::future::pending().await } };
            let by_change = tokio::select! {
                () = std::future::ready(()), if overtaken => true,
                _ = asked.recv() => false,
                () = change(&mut changes) => true,
                () = again => true,
            };
            overtaken = false;
            // What else came of it is in the log.
            let mut swap = pin!(self.swap(if by_change { "its file changed" } else { "SIGHUP" }));
            let outcome = loop {
                tokio::select! {
                    outcome = &mut swap => break outcome,
                    () = change(&mut changes) => overtaken = true,
                    Some(()) = asked.recv() => overtaken = true,
                }
                self.give_up_other().await;
            };
            // Who sends a signal can send another one. A file that has changed does not change again.
            put_off = (by_change || put_off) && matches!(outcome, Err(NotSwapped::NotNow(_)));
        }
    }

    /// Waits until there can be a swap again.
    async fn ready(&self) {
        loop {
            tokio::time::sleep(AGAIN).await;
            if self.swapper.ready().is_ok() {
                return;
            }
        }
    }

    /// Does so once, and logs what came of it.
    pub(super) async fn swap(&self, why: &str) -> Result<Swapped, NotSwapped> {
        let outcome = self.load_and_swap().await;
        let file = self.reload.file.display();
        match &outcome {
            Ok(swapped) if swapped.changed => tracing::info!(
                before = swapped.before,
                now = swapped.digest,
                "{file} was swapped in ({why}): requests that began before end on the component before it"
            ),
            Ok(_) => tracing::info!("nothing to swap ({why}): {file} is the component that runs"),
            Err(reason) => tracing::error!(
                "{file} was not swapped in ({why}), and the running component goes on: {reason}"
            ),
        }
        outcome
    }

    /// Gives up what is being loaded where another file lies in its place by now: nothing good has to wait for it.
    async fn give_up_other(&self) {
        let file = self.reload.file.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || Identity::of(&file)).await else { return };
        if let Some(loading) = &*self.loading()
            && loading.file != now
        {
            loading.given_up.store(true, Ordering::Relaxed);
        }
    }

    fn loading(&self) -> std::sync::MutexGuard<'_, Option<InLoad>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load_and_swap(&self) -> Result<Swapped, NotSwapped> {
        self.give_up_other().await;
        let _turn = self.turn.lock().await;
        let app = match self.swapper.ready() {
            Ok(()) => self.load().await,
            Err(error) => Err(error.into()),
        };
        let app = app.inspect_err(|_| self.swapper.could_not_load())?;
        Ok(self.swapper.swap(app).await?)
    }

    async fn load(&self) -> Result<App, NotSwapped> {
        let swaps = self.clone();
        let loaded = tokio::task::spawn_blocking(move || {
            let given_up = Arc::new(AtomicBool::new(false));
            let file = Identity::of(&swaps.reload.file);
            *swaps.loading() = Some(InLoad { file, given_up: Arc::clone(&given_up) });
            let loaded = swaps.reload.load(given_up);
            *swaps.loading() = None;
            loaded
        })
        .await;
        let loaded = loaded.unwrap_or_else(|error| Err(Failure::host(error)));
        loaded.map_err(|failure| NotSwapped::Refused(failure.on_one_line()))
    }
}

/// Waits for the next change, where changes are followed.
async fn change(changes: &mut Option<Changes>) {
    match changes {
        Some(changes) => changes.next().await,
        None => std::future::pending().await,
    }
}

/// Tells when another file lies where the component does.
///
/// Events make it quick. They do not decide: some changes come with none, and directories that are watched go and come again.
pub(super) struct Changes {
    file: PathBuf,
    seen: Option<Identity>,
    events: mpsc::Receiver<()>,
    /// Stops watching when it is dropped.
    watcher: RecommendedWatcher,
    /// The directory that the file is named in, and the one that it really lies in where a link leads there.
    watched: Vec<Directory>,
    /// Whether it was said that one of them cannot be watched.
    said: bool,
}

/// What another content has another of.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    place: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
    file: Numbers,
    /// When the system last changed anything of it. Unlike the time above, nobody can set it.
    changed: Option<(i64, i64)>,
}

impl Identity {
    /// What a path leads to. None where there is no file.
    fn of(file: &Path) -> Option<Self> {
        Self::at(fs::canonicalize(file).ok()?)
    }

    fn at(place: PathBuf) -> Option<Self> {
        let metadata = fs::metadata(&place).ok()?;
        Some(Self {
            place,
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            file: numbers(&metadata),
            changed: changed(&metadata),
        })
    }
}

/// What another directory under the same name has another of.
#[derive(Debug, PartialEq, Eq)]
struct Directory {
    path: PathBuf,
    directory: Numbers,
    /// Numbers are given again.
    made: Option<SystemTime>,
}

impl Directory {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { path: path.to_owned(), directory: numbers(&metadata), made: metadata.created().ok() })
    }
}

impl Changes {
    /// Watches a file from now on: its directory, since most tools put a new file in the place of the old one.
    pub(super) fn of(file: &Path) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel(1);
        let handler = move |event: notify::Result<notify::Event>| {
            if !matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_))) {
                // Where one waits to be looked at already, that look will see this too.
                let _ = sender.try_send(());
            }
        };
        let mut watcher = notify::recommended_watcher(handler).map_err(|error| cannot_watch(&error))?;
        let directory = directory_of(file);
        watcher.watch(directory, RecursiveMode::NonRecursive).map_err(|error| cannot_watch(&error))?;
        let watched = Directory::of(directory).into_iter().collect();
        let mut changes = Self { file: file.to_owned(), seen: None, events, watcher, watched, said: false };
        changes.seen = changes.look();
        Ok(changes)
    }

    /// Waits until another file is there, and has stayed as it is for a moment.
    async fn next(&mut self) {
        loop {
            if let Ok(None) = tokio::time::timeout(LOOK_ANYWAY, self.events.recv()).await {
                // The watcher has gone.
                tokio::time::sleep(LOOK_ANYWAY).await;
            }
            let now = self.settled().await;
            if now.is_some() && now != self.seen {
                self.seen = now;
                return;
            }
        }
    }

    /// What is there once it stays as it is. What else changes in its directory makes no difference.
    async fn settled(&mut self) -> Option<Identity> {
        // A file system may take its time, above all one on a network.
        let mut before = block_in_place(|| self.look());
        loop {
            tokio::time::sleep(QUIET).await;
            let now = block_in_place(|| self.look());
            if now == before {
                return now;
            }
            before = now;
        }
    }

    /// What is there now.
    fn look(&mut self) -> Option<Identity> {
        let place = fs::canonicalize(&self.file).ok();
        self.watch_around(place.as_deref());
        Identity::at(place?)
    }

    /// Sees to it that the right directories are watched: a link may lead elsewhere than before, and another directory may be in the
    /// place of one that was watched.
    fn watch_around(&mut self, place: Option<&Path>) {
        let named = Directory::of(directory_of(&self.file));
        let real = place.and_then(|place| Directory::of(directory_of(place)));
        // Mostly it is the same one by another name.
        let is_same =
            |real: &Directory| named.as_ref().is_some_and(|named| named.directory == real.directory);
        let real = real.filter(|real| !is_same(real));
        let now: Vec<Directory> = named.into_iter().chain(real).collect();
        let before = std::mem::take(&mut self.watched);
        let (stay, go): (Vec<_>, Vec<_>) = before.into_iter().partition(|directory| now.contains(directory));
        self.watched = stay;
        for directory in go {
            // It may be gone itself.
            let _ = self.watcher.unwatch(&directory.path);
        }
        for directory in now {
            if self.watched.contains(&directory) {
                continue;
            }
            match self.watcher.watch(&directory.path, RecursiveMode::NonRecursive) {
                Ok(()) => self.watched.push(directory),
                // It is tried again with every look. What is not watched is looked at all the same.
                Err(error) if !self.said => {
                    tracing::warn!("{} cannot be watched: {error}", directory.path.display());
                    self.said = true;
                }
                Err(_) => {}
            }
        }
    }
}

/// What a system tells files apart by: device and number.
type Numbers = (u64, u64);

#[cfg(unix)]
fn numbers(metadata: &Metadata) -> Numbers {
    use std::os::unix::fs::MetadataExt;

    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn numbers(_: &Metadata) -> Numbers {
    (0, 0)
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<(i64, i64)> {
    use std::os::unix::fs::MetadataExt;

    Some((metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn changed(_: &Metadata) -> Option<(i64, i64)> {
    None
}

fn directory_of(file: &Path) -> &Path {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

fn cannot_watch(error: &notify::Error) -> Failure {
    Failure::host(anyhow::anyhow!(
        "the component's file cannot be watched for changes: {error}. Without --watch, SIGHUP swaps it"
    ))
}
