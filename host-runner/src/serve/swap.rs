//! How another composition takes over from the running one, without a request that notices.
//!
//! The new one is started beside the old one and compared with it; then every request that comes is its. Requests that
//! began on the old one end on it, and with the last of them it goes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use tokio::sync::Mutex;

use super::ServeError;
use super::composition::Composition;
use crate::app::App;
use crate::exports::Exported;
use crate::extension::compatible;
use crate::needs::Growth;
use crate::observe::Observe;

/// How many compositions may still have requests, beside the running one: each holds the memory of its instances.
const LEAVING: usize = 4;

/// The composition that answers, and those before it.
pub(super) struct Running {
    current: RwLock<Arc<Composition>>,
    /// Those that were swapped out and may still have requests. Locked for as long as a swap takes.
    leaving: Mutex<Vec<Weak<Composition>>>,
}

impl Running {
    pub(super) fn new(composition: Composition) -> Self {
        Self { current: RwLock::new(Arc::new(composition)), leaving: Mutex::default() }
    }

    pub(super) fn current(&self) -> Arc<Composition> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until no guest is running, of whichever composition.
    pub(super) async fn finished(&self) {
        let leaving: Vec<_> = self.leaving.lock().await.iter().filter_map(Weak::upgrade).collect();
        for composition in leaving.iter().chain([&self.current()]) {
            composition.finished().await;
        }
    }
}

/// Puts another app in the place of the one that a [`Server`](super::Server) runs. Cheap to clone.
#[derive(Clone)]
pub struct Swapper {
    running: Arc<Running>,
    observe: Arc<Observe>,
    asking_more: bool,
}

/// What became of a swap that was not refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Swapped {
    /// SHA-256 of the component that answers now, as 64 hexadecimal digits.
    pub digest: Option<String>,
    /// The same of the one before.
    pub before: Option<String>,
    /// False where the component is the one that was running already: then nothing was done.
    pub changed: bool,
}

/// Why the running composition stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwapError {
    /// The new one cannot answer at all.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// It lacks an export of the running one.
    #[error(
        "{file} does not export all that the running component does: {missing}. Build it with these exports, or stop the server and start it with this component"
    )]
    Exports {
        /// The component's file.
        file: String,
        /// What it lacks.
        missing: String,
    },
    /// It asks for grants that the running one does not ask for.
    #[error(
        "{file} asks for more than the running component: {more}. Start the server with --swap-asking-more if that is meant, or stop it and start it with this component"
    )]
    AsksForMore {
        /// The component's file.
        file: String,
        /// What it asks for, in words.
        more: String,
        /// What it asks for.
        growth: Box<Growth>,
    },
    /// Nobody can tell what it asks for.
    #[error("the structure of {file} cannot be read, so nothing tells what its parts ask for")]
    Unknown {
        /// The component's file.
        file: String,
    },
    /// Too many that were swapped out still have requests.
    #[error(
        "{LEAVING} components that were swapped out still answer requests that began on them: try again when these have ended"
    )]
    Busy,
}

impl Swapper {
    pub(super) fn new(running: &Arc<Running>, observe: &Arc<Observe>) -> Self {
        Self { running: Arc::clone(running), observe: Arc::clone(observe), asking_more: false }
    }

    /// Also takes an app that asks for grants which the running one does not ask for. Whatever it asks for was granted, or
    /// it could not have been loaded.
    #[must_use]
    pub fn asking_more(mut self, allowed: bool) -> Self {
        self.asking_more = allowed;
        self
    }

    /// How many guests of the running app are at work.
    pub fn in_flight(&self) -> u32 {
        self.running.current().in_flight()
    }

    /// Starts an instance of the app, compares the app with the running one, and lets it take over. Requests that began
    /// before end on the app that they began on.
    ///
    /// Swaps that are asked for at the same time follow one another.
    ///
    /// # Errors
    ///
    /// Where the app cannot take over. Then the running one goes on as if nothing had been.
    pub async fn swap(&self, app: App) -> Result<Swapped, SwapError> {
        let mut leaving = self.running.leaving.lock().await;
        leaving.retain(|composition| composition.strong_count() > 0);
        let old = self.running.current();
        let [before, digest] = [&old.app, &app].map(|app| app.digest().map(str::to_owned));
        if digest.is_some() && digest == before {
            return Ok(Swapped { digest, before, changed: false });
        }
        if leaving.len() >= LEAVING {
            return Err(SwapError::Busy);
        }
        exports_all(&app, &old.app)?;
        if !self.asking_more {
            asks_no_more(&app, &old.app)?;
        }
        let new = Arc::new(Composition::start(app).await?);
        new.is_watched(&self.observe);
        *self.running.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        old.warm.close();
        leaving.push(Arc::downgrade(&old));
        Ok(Swapped { digest, before, changed: true })
    }
}

/// Whether the new app exports what the old one does. The handler of requests may be one of another version.
fn exports_all(new: &App, old: &App) -> Result<(), SwapError> {
    let there = functions(new);
    let mut missing = String::new();
    for (name, (signature, shown)) in functions(old) {
        let found = there.get(&name).map(|(signature, _)| signature);
        if found == Some(&signature) {
            continue;
        }
        let _ = write!(missing, "{}`{shown}`", if missing.is_empty() { "" } else { ", " });
        if let Some(found) = found {
            let _ = write!(missing, " (it has `{found}`, and not `{signature}`)");
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(SwapError::Exports { file: new.name().to_owned(), missing }) }
}

/// An interface in the versions that semver calls compatible, and a function of it.
type Name = (String, String, String);

/// Exported functions, each with its signature and its name in full.
fn functions(app: &App) -> BTreeMap<Name, (String, String)> {
    let named = |exported: &Exported| {
        let (interface, versions) = exported.interface().map_or(("", ""), compatible);
        (interface.to_owned(), versions.to_owned(), exported.function().to_owned())
    };
    let answers_requests = |exported: &Exported| {
        exported.interface().is_some_and(|interface| {
            ["wasi:http/incoming-handler", "wasi:http/handler"].contains(&compatible(interface).0)
        })
    };
    let exports = app.exports();
    let others = exports.iter().filter(|exported| !answers_requests(exported));
    others.map(|exported| (named(exported), (exported.signature(), exported.name()))).collect()
}

fn asks_no_more(new: &App, old: &App) -> Result<(), SwapError> {
    let file = || new.name().to_owned();
    let (Some(after), Some(before)) = (new.asks(), old.asks()) else {
        return Err(SwapError::Unknown { file: file() });
    };
    let growth = after.grown_from(&before);
    if !growth.is_any() {
        return Ok(());
    }
    Err(SwapError::AsksForMore { file: file(), more: growth.to_string(), growth: Box::new(growth) })
}
