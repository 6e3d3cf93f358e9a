//! One loaded component, and the places that its instances have.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::ServeError;
use super::failure::new_id;
use super::handler::Handler;
use super::reuse::{Instance, Warm};
use crate::app::App;
use crate::blame::{Called, Scene};
use crate::observe::Observe;
use crate::output::Output;
use crate::session::Session;

/// What answers requests. A request keeps hold of the one that it began on, so that another may take over meanwhile.
pub(super) struct Composition {
    pub(super) app: App,
    pub(super) handler: Handler,
    /// The export that is called, for blame.
    pub(super) called: Option<Called>,
    /// A place for each instance that may run.
    pub(super) instances: Arc<Semaphore>,
    concurrency: u32,
    /// How many requests wait for a place.
    pub(super) waiting: AtomicUsize,
    /// Instances for further requests.
    pub(super) warm: Arc<Warm<Instance>>,
}

impl Composition {
    /// Makes sure that the app can answer at all: it has the handler, and an instance of it starts.
    pub(super) async fn start(app: App) -> Result<Self, ServeError> {
        let file = || app.name().to_owned();
        let handler = Handler::of(app.pre()).ok_or_else(|| ServeError::NoHandler { file: file() })?;
        let output = Output::log(&new_id().into(), app.limits().output);
        Session::start(&app, &output).await.map_err(|source| ServeError::Start { file: file(), source })?;
        let concurrency = app.concurrency();
        let exports = app.exports();
        let called = exports
            .iter()
            .find(|exported| exported.interface().is_some_and(|interface| handler.is_in(interface)))
            .map(|exported| exported.called());
        Ok(Self {
            warm: Warm::new(app.limits().warm),
            app,
            handler,
            called,
            instances: Arc::new(Semaphore::new(concurrency as usize)),
            concurrency,
            waiting: AtomicUsize::new(0),
        })
    }

    /// Who is blamed for an answer, of which no frame tells.
    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            index: self.app.blame(),
            called: self.called.as_ref(),
            trace: None,
            coarse: self.app.is_coarse(),
        }
    }

    /// Tells whoever watches the server of it.
    pub(super) fn is_watched(&self, observe: &Observe) {
        observe.serves(&self.app, self.concurrency);
    }

    /// How many guests of it are at work.
    pub(super) fn in_flight(&self) -> u32 {
        let free = u32::try_from(self.instances.available_permits()).unwrap_or(u32::MAX);
        self.concurrency.saturating_sub(free)
    }

    /// Waits until no guest of it is running.
    pub(super) async fn finished(&self) {
        // Every permit back. The semaphore is never closed.
        let _ = self.instances.acquire_many(self.concurrency).await;
    }

    /// How long requests in flight may take to finish.
    pub(super) fn drain(&self) -> Duration {
        self.app.limits().drain
    }
}
