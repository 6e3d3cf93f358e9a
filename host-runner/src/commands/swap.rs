//! What makes a running server take the component that now lies in its file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_runner::{App, Pool, Setup, Swapped, Swapper};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

use super::flags::EngineFlags;
use super::{Failure, load};

/// How long nothing must change before a file counts as written.
const QUIET: Duration = Duration::from_millis(200);

/// How the component is loaded: as it was at the start.
pub(super) struct Reload {
    pub(super) file: PathBuf,
    pub(super) engine: EngineFlags,
    pub(super) pool: Pool,
    pub(super) setup: Setup,
}

impl Reload {
    fn load(&self) -> Result<App, Failure> {
        // The engine is only explained at the start, and then nothing is served.
        let prepared = self.engine.prepare(&self.file, Some(self.pool), true)?;
        let prepared = prepared.ok_or_else(|| Failure::usage("the engine is explained at the start"))?;
        Ok(load(prepared, self.setup.clone())?)
    }
}

/// Loads what lies in the file, and swaps it in.
#[derive(Clone)]
pub(super) struct Swaps {
    pub(super) swapper: Swapper,
    pub(super) reload: Arc<Reload>,
}

impl Swaps {
    /// Does so whenever a signal asks for it or the file changes.
    pub(super) async fn follow(self, mut asked: Signal, mut changes: Option<Changes>) {
        loop {
            let changed = async {
                match &mut changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = asked.recv() => self.now("SIGHUP").await,
                () = changed => self.now("its file changed").await,
            }
        }
    }

    async fn now(&self, why: &str) {
        // What came of it is in the log.
        let _ = self.swap(why).await;
    }

    /// Does so once, and logs what came of it.
    pub(super) async fn swap(&self, why: &str) -> Result<Swapped, Failure> {
        let outcome = self.load_and_swap().await;
        let file = self.reload.file.display();
        match &outcome {
            Ok(swapped) if swapped.changed => tracing::info!(
                before = swapped.before,
                now = swapped.digest,
                "{file} was swapped in ({why}): requests that began before end on the component before it"
            ),
            Ok(_) => tracing::info!("nothing to swap ({why}): {file} is the component that runs"),
            Err(failure) => tracing::error!(
                "{file} was not swapped in ({why}), and the running component goes on: {}",
                failure.on_one_line()
            ),
        }
        outcome
    }

    async fn load_and_swap(&self) -> Result<Swapped, Failure> {
        let reload = Arc::clone(&self.reload);
        let loaded = tokio::task::spawn_blocking(move || reload.load()).await.map_err(Failure::host)?;
        Ok(self.swapper.swap(loaded?).await?)
    }
}

/// Tells when another file lies where the component does.
pub(super) struct Changes {
    file: PathBuf,
    seen: Option<Identity>,
    events: mpsc::Receiver<()>,
    /// Stops watching when it is dropped.
    watcher: RecommendedWatcher,
    /// The folder that the file really lies in, where a link leads there.
    behind: Option<PathBuf>,
}

/// What another content has another of.
#[derive(Debug, PartialEq, Eq)]
struct Identity {
    place: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Changes {
    /// Watches a file from now on: its folder, since most tools put a new file in the place of the old one.
    pub(super) fn of(file: &Path) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel(1);
        let handler = move |event: notify::Result<notify::Event>| {
            if !matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_))) {
                // Where one waits to be looked at already, that look will see this too.
                let _ = sender.try_send(());
            }
        };
        let mut watcher = notify::recommended_watcher(handler).map_err(|error| cannot_watch(&error))?;
        watcher.watch(folder_of(file), RecursiveMode::NonRecursive).map_err(|error| cannot_watch(&error))?;
        let mut changes = Self { file: file.to_owned(), seen: None, events, watcher, behind: None };
        changes.seen = changes.look();
        Ok(changes)
    }

    /// Waits until another file is there, and nothing has changed for a moment.
    async fn next(&mut self) {
        while self.events.recv().await.is_some() {
            while let Ok(Some(())) = tokio::time::timeout(QUIET, self.events.recv()).await {}
            let now = self.look();
            if now.is_some() && now != self.seen {
                self.seen = now;
                return;
            }
        }
        // The watcher has gone, and nothing will ever change.
        std::future::pending().await
    }

    /// What is there now. A link may lead elsewhere than before: there it is watched too.
    fn look(&mut self) -> Option<Identity> {
        let place = fs::canonicalize(&self.file).ok()?;
        let folder = folder_of(&place).to_owned();
        if fs::canonicalize(folder_of(&self.file)).ok().as_ref() != Some(&folder)
            && self.behind.as_ref() != Some(&folder)
        {
            if let Some(before) = self.behind.take() {
                // It may be gone itself.
                let _ = self.watcher.unwatch(&before);
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => self.behind = Some(folder),
                Err(error) => tracing::warn!("{} cannot be watched: {error}", folder.display()),
            }
        }
        let metadata = fs::metadata(&place).ok()?;
        Some(Identity { place, bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn cannot_watch(error: &notify::Error) -> Failure {
    Failure::host(anyhow::anyhow!(
        "the component's file cannot be watched for changes: {error}. Without --watch, SIGHUP swaps it"
    ))
}
