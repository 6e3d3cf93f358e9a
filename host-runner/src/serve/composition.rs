//! One loaded component, with its share of the server's places.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::ServeError;
use super::failure::{Witness, new_id};
use super::handler::Handler;
use super::places::{Gate, Place, Places, Share, half};
use super::reuse::{Idle, Instance, Warm};
use super::room::Room;
use crate::app::App;
use crate::observe::Observe;
use crate::run::Use;

/// What answers requests. A request keeps hold of the one that it began on, so that another may take over meanwhile.
pub(super) struct Composition {
    pub(super) app: App,
    pub(super) handler: Handler,
    pub(super) witness: Arc<Witness>,
    /// Those of the server.
    places: Places,
    /// A place for each instance that fits into the pool of its engine, of those that the server has.
    guests: Gate,
    /// One for each share of these places.
    shares: Gate,
    concurrency: u32,
    /// How many requests wait for a place, of the whole server.
    pub(super) waiting: Arc<AtomicUsize>,
    /// How many of them wait for others as well.
    pub(super) dependent: Arc<AtomicUsize>,
    /// Instances that have started and wait for a request.
    pub(super) warm: Arc<Warm<Idle>>,
}

impl Composition {
    /// Makes sure that the app can answer at all: it has the handler, and an instance of it starts. That one waits for the
    /// first request.
    pub(super) async fn start(app: App, places: &Places) -> Result<Self, ServeError> {
        let file = || app.name().to_owned();
        let handler = Handler::of(&app)
            .ok_or_else(|| ServeError::NoHandler { file: file(), instead: Use::of(&app.exports()) })?;
        let first = Instance::ahead(&app, &handler, &new_id().into()).await;
        let first = first.map_err(|source| ServeError::Start { file: file(), source })?;
        let warm = Warm::new(app.limits().warm);
        warm.keep(Idle { instance: first, _counted: None });
        let concurrency = app.concurrency().min(places.most);
        let fewer = (concurrency < places.most).then_some(concurrency as usize);
        let guests = Gate::new(&places.guests, fewer);
        let shares = Gate::new(&places.shares, fewer.map(half));
        let exports = app.exports();
        let called = exports
            .iter()
            .find(|exported| exported.interface().is_some_and(|interface| handler.is_in(interface)))
            .map(|exported| exported.called());
        let digest = app.digest().map(str::to_owned);
        let (coarse, concurrent) = (app.is_coarse(), app.is_concurrent());
        let witness = Witness { index: Arc::clone(app.blame()), called, coarse, concurrent, digest };
        Ok(Self {
            witness: Arc::new(witness),
            warm,
            app,
            handler,
            places: places.clone(),
            guests,
            shares,
            concurrency,
            waiting: Arc::clone(&places.waiting),
            dependent: Arc::clone(&places.dependent),
        })
    }

    /// Tells whoever watches the server of it.
    pub(super) fn watch(&self, observe: &Observe) {
        observe.serves(&self.app, self.concurrency);
    }

    /// Tells them that it answers from now on.
    pub(super) fn runs_now(&self, observe: &Observe) {
        observe.runs(&self.app);
    }

    /// What is kept of bodies that are not whole yet.
    pub(super) fn gathering(&self) -> &Room {
        &self.places.room
    }

    /// A share of the places, if there is one.
    pub(super) fn try_share(&self) -> Option<Share> {
        self.shares.try_pass().map(Share)
    }

    /// A share of the places, once there is one.
    pub(super) async fn share(&self) -> Option<Share> {
        self.shares.pass().await.map(Share)
    }

    /// A place for a guest, if there is one.
    pub(super) fn try_place(&self) -> Option<Place> {
        self.guests.try_pass().map(Place)
    }

    /// A place for a guest, once there is one.
    pub(super) async fn place(&self) -> Option<Place> {
        self.guests.pass().await.map(Place)
    }

    /// How long requests in flight may take to finish.
    pub(super) fn drain(&self) -> Duration {
        self.app.limits().drain
    }
}
