//! One loaded component, and the places that its instances have.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ServeError;
use super::failure::new_id;
use super::handler::Handler;
use super::reuse::{Idle, Instance, Warm};
use super::room::Room;
use crate::app::App;
use crate::blame::{Called, Index, Scene};
use crate::observe::Observe;
use crate::run::Use;

/// The places that all compositions of a server have together. While one takes over from another, no more guests run and
/// no more requests wait than at any other time.
#[derive(Clone)]
pub(super) struct Places {
    /// One for each guest that may run.
    guests: Arc<Semaphore>,
    most: u32,
    /// How many requests wait for one.
    waiting: Arc<AtomicUsize>,
    /// One for each place that requests may have which wait for others while they have it.
    shares: Arc<Semaphore>,
    /// How many of these wait for one.
    dependent: Arc<AtomicUsize>,
    /// What is kept of bodies that are not whole yet.
    room: Room,
}

impl Places {
    pub(super) fn new(most: u32) -> Self {
        let most = most.max(1);
        let shares = half(most as usize);
        Self {
            guests: Arc::new(Semaphore::new(most as usize)),
            most,
            waiting: Arc::default(),
            shares: Arc::new(Semaphore::new(shares)),
            dependent: Arc::default(),
            room: Room::default(),
        }
    }

    /// How many guests are at work.
    pub(super) fn in_flight(&self) -> u32 {
        let free = u32::try_from(self.guests.available_permits()).unwrap_or(u32::MAX);
        self.most.saturating_sub(free)
    }

    /// Waits until no guest is running, of whichever composition.
    pub(super) async fn wait_until_free(&self) {
        // Every permit back. The semaphore is never closed.
        let _ = self.guests.acquire_many(self.most).await;
    }
}

/// What requests may have at the most that wait for others, of so many.
pub(super) fn half(all: usize) -> usize {
    (all / 2).max(1)
}

/// A share of the places, for a request that waits for others while it has one: for its client to send the rest of its
/// body, or because it comes from a guest, which waits for it. Only half of the places are for these, so that they never
/// keep all others waiting.
pub(super) struct Share(#[expect(dead_code, reason = "it is given back when it is dropped")] Permits);

/// A place for one guest: of the server, and in its composition's pool where that has fewer.
pub(super) struct Place(#[expect(dead_code, reason = "it is given back when it is dropped")] Permits);

/// A permit of the server, and one of the composition's own where that has fewer.
type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// What gives out such permits. Neither semaphore is ever closed.
struct Gate {
    all: Arc<Semaphore>,
    own: Option<Arc<Semaphore>>,
}

impl Gate {
    /// `own` is how many the composition may have, where that is fewer than the server has.
    fn new(all: &Arc<Semaphore>, own: Option<usize>) -> Self {
        Self { all: Arc::clone(all), own: own.map(|most| Arc::new(Semaphore::new(most))) }
    }

    /// Permits, if there are any.
    fn try_pass(&self) -> Option<Permits> {
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).try_acquire_owned().ok()?),
            None => None,
        };
        Some((Arc::clone(&self.all).try_acquire_owned().ok()?, own))
    }

    /// Permits, once there are any. Who waits for one of the composition's own holds up no other composition.
    async fn pass(&self) -> Option<Permits> {
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).acquire_owned().await.ok()?),
            None => None,
        };
        Some((Arc::clone(&self.all).acquire_owned().await.ok()?, own))
    }
}

/// What it takes to blame an answer, of which no frame tells, without the app.
pub(super) struct Witness {
    index: Arc<Index>,
    called: Option<Called>,
    coarse: bool,
    concurrent: bool,
    digest: Option<String>,
}

impl Witness {
    /// The export that is called.
    pub(super) fn called(&self) -> Option<&Called> {
        self.called.as_ref()
    }

    /// The component's.
    pub(super) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            index: &self.index,
            called: self.called(),
            trace: None,
            coarse: self.coarse,
            concurrent: self.concurrent,
        }
    }
}

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
