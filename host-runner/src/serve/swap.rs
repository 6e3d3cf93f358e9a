//! How another composition takes over from the running one, without a request that notices.
//!
//! The new one is started beside the old one and compared with it; then every request that comes is its. Requests that
//! began on the old one end on it, and with the last of them it goes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::ServeError;
use super::composition::Composition;
use super::places::Places;
use crate::app::App;
use crate::exports::Exported;
use crate::extension::compatible;
use crate::needs::Growth;
use crate::observe::{Observe, SwapOutcome};

/// How many compositions may still have requests, beside the running one: each holds the memory of its instances.
const LEAVING: usize = 4;

/// The composition that answers, and those before it.
pub(super) struct Running {
    state: RwLock<State>,
    /// Locked for as long as a swap takes, which may be as long as an instance takes to start.
    turn: Mutex<()>,
    places: Places,
}

struct State {
    current: Arc<Composition>,
    /// Those that were swapped out and may still have requests.
    leaving: Vec<Weak<Composition>>,
    /// Whether the server ends, and the current one stays.
    stopping: bool,
}

impl Running {
    pub(super) fn start(app: App) -> BoxFuture<'static, Result<Self, ServeError>> {
        async move {
            let places = Places::new(app.limits().concurrency);
            let current = Arc::new(Composition::start(app, &places).await?);
            let state = State { current, leaving: Vec::new(), stopping: false };
            Ok(Self { state: RwLock::new(state), turn: Mutex::default(), places })
        }
        .boxed()
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_to_change(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn current(&self) -> Arc<Composition> {
        Arc::clone(&self.state().current)
    }

    /// Lets no other composition take over from now on.
    pub(super) fn stop(&self) {
        self.state_to_change().stopping = true;
    }

    /// Waits until no guest is running, of whichever composition.
    pub(super) async fn wait_until_idle(&self) {
        self.places.wait_until_free().await;
    }

    /// Lets a composition take over, and gives the one before it.
    fn replace(&self, new: &Arc<Composition>) -> Result<Arc<Composition>, SwapError> {
        let mut state = self.state_to_change();
        state.goes_on()?;
        let old = std::mem::replace(&mut state.current, Arc::clone(new));
        state.leaving.retain(|composition| composition.strong_count() > 0);
        state.leaving.push(Arc::downgrade(&old));
        Ok(old)
    }
}

impl State {
    fn goes_on(&self) -> Result<(), SwapError> {
        if self.stopping { Err(SwapError::Stopping) } else { Ok(()) }
    }

    fn has_room(&self) -> Result<(), SwapError> {
        let there = self.leaving.iter().filter(|composition| composition.strong_count() > 0).count();
        if there >= LEAVING { Err(SwapError::Busy) } else { Ok(()) }
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
    /// The server ends.
    #[error("the server stops: it finishes what is in flight, and takes no other component")]
    Stopping,
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

    /// How many guests are at work: those of the running app, and those of the apps before it.
    pub fn in_flight(&self) -> u32 {
        self.running.places.in_flight()
    }

    /// Whether there can be a swap at the moment, whatever the app: to be asked before one is loaded, which takes its time.
    ///
    /// # Errors
    ///
    /// [`SwapError::Busy`] and [`SwapError::Stopping`]. Both may come true later all the same.
    pub fn ready(&self) -> Result<(), SwapError> {
        let state = self.running.state();
        state.goes_on()?;
        state.has_room()
    }

    /// Starts an instance of the app, compares the app with the running one, and lets it take over. Requests that began
    /// before end on the app that they began on.
    ///
    /// Swaps that are asked for at the same time follow one another. How many guests run at the same time stays what the
    /// limits of the server's first app say, whichever apps they are of.
    ///
    /// # Errors
    ///
    /// Where the app cannot take over. Then the running one goes on as if nothing had been.
    pub async fn swap(&self, app: App) -> Result<Swapped, SwapError> {
        let outcome = self.take_over(app).await;
        self.observe.swapped(match &outcome {
            Ok(Swapped { changed: true, .. }) => SwapOutcome::Done,
            Ok(_) => SwapOutcome::Unchanged,
            Err(_) => SwapOutcome::Refused,
        });
        outcome
    }

    /// Counts a swap that came to nothing because there was no app to swap in.
    pub fn could_not_load(&self) {
        self.observe.swapped(SwapOutcome::Refused);
    }

    fn take_over(&self, app: App) -> BoxFuture<'_, Result<Swapped, SwapError>> {
        async move {
            let _turn = self.running.turn.lock().await;
            let old = self.running.current();
            let [before, digest] = [&old.app, &app].map(|app| app.digest().map(str::to_owned));
            self.running.state().goes_on()?;
            if digest.is_some() && digest == before {
                return Ok(Swapped { digest, before, changed: false });
            }
            self.running.state().has_room()?;
            exports_all(&app, &old.app)?;
            if !self.asking_more {
                asks_no_more(&app, &old.app)?;
            }
            let new = Arc::new(Composition::start(app, &self.running.places).await?);
            // The server may have been told to stop meanwhile.
            let old = self.running.replace(&new)?;
            new.watch(&self.observe);
            new.runs_now(&self.observe);
            // Instances that wait for another request have no place: they would be there beside those that the server may have.
            old.warm.close();
            Ok(Swapped { digest, before, changed: true })
        }
        .boxed()
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
