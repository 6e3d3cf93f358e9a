//! The places that guests have on a server, and who waits for one.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::room::Room;

/// The places that all compositions of a server have together. While one takes over from another, no more guests run and
/// no more requests wait than at any other time.
#[derive(Clone)]
pub(super) struct Places {
    /// One for each guest that may run.
    pub(super) guests: Arc<Semaphore>,
    pub(super) most: u32,
    /// How many requests wait for one.
    pub(super) waiting: Arc<AtomicUsize>,
    /// One for each place that requests may have which wait for others while they have it.
    pub(super) shares: Arc<Semaphore>,
    /// How many of these wait for one.
    pub(super) dependent: Arc<AtomicUsize>,
    /// What is kept of bodies that are not whole yet.
    pub(super) room: Room,
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
pub(super) struct Share(
    #[expect(dead_code, reason = "it is given back when it is dropped")] pub(super) Permits,
);

/// A place for one guest: of the server, and in its composition's pool where that has fewer.
pub(super) struct Place(
    #[expect(dead_code, reason = "it is given back when it is dropped")] pub(super) Permits,
);

/// A permit of the server, and one of the composition's own where that has fewer.
pub(super) type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// What gives out such permits. Neither semaphore is ever closed.
pub(super) struct Gate {
    all: Arc<Semaphore>,
    own: Option<Arc<Semaphore>>,
}

impl Gate {
    /// `own` is how many the composition may have, where that is fewer than the server has.
    pub(super) fn new(all: &Arc<Semaphore>, own: Option<usize>) -> Self {
        Self { all: Arc::clone(all), own: own.map(|most| Arc::new(Semaphore::new(most))) }
    }

    /// Permits, if there are any.
    pub(super) fn try_pass(&self) -> Option<Permits> {
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).try_acquire_owned().ok()?),
            None => None,
        };
        Some((Arc::clone(&self.all).try_acquire_owned().ok()?, own))
    }

    /// Permits, once there are any. Who waits for one of the composition's own holds up no other composition.
    pub(super) async fn pass(&self) -> Option<Permits> {
        let own = match &self.own {
            Some(own) => Some(Arc::clone(own).acquire_owned().await.ok()?),
            None => None,
        };
        Some((Arc::clone(&self.all).acquire_owned().await.ok()?, own))
    }
}
