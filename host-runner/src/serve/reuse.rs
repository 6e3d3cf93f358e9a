//! Instances that answer more than one request, one after the other, where the operator allows it; and the one that showed
//! that the component starts, which answers the first.
//!
//! An instance is given its next request only when nothing of the last one is left to do: its guest has returned, its
//! answer was taken to the end, and nothing went wrong on either side. Everything else ends the instance, as it does where
//! each request has its own. What a guest keeps on purpose, in its memory or in handles, its next request may see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::Store;

use super::handler::{Export, Handler};
use crate::app::App;
use crate::observe::{Going, Observe};
use crate::output::Output;
use crate::session::{CallError, FOREVER, limited, new_store};
use crate::state::{StartError, State};

const FAILED: &str = "its request was not answered well";

/// A store, and the instance in it once it has started.
pub(super) struct Instance {
    store: Store<State>,
    export: Option<Export>,
    /// Requests that it was given, and may be given.
    requests: u32,
    most: u32,
    /// Why it ends, if it ends now.
    end: &'static str,
}

impl Instance {
    /// One that has not started: that is part of its first request, and within its limits.
    pub(super) fn new(app: &App, id: &Arc<str>, observe: &Observe) -> Result<Self, StartError> {
        let mut instance = Self::without_request(app, id)?;
        instance.requests = 1;
        instance.tell(observe);
        Ok(instance)
    }

    /// One that has started, and was given nothing yet. What it prints meanwhile is logged under this id.
    pub(super) async fn ahead(app: &App, handler: &Handler, id: &Arc<str>) -> Result<Self, CallError> {
        let mut instance = Self::without_request(app, id)?;
        instance.end = "it did not start";
        let (store, export) = instance.parts();
        limited(store, app, None, app.limits().time, async |store| {
            started(export, handler, store).await.map(drop)
        })
        .await?;
        instance.rest();
        Ok(instance)
    }

    fn without_request(app: &App, id: &Arc<str>) -> Result<Self, StartError> {
        let store = new_store(app, &Output::log(id, app.limits().output))?;
        Ok(Self { store, export: None, requests: 0, most: app.limits().reuse, end: FAILED })
    }

    /// Has its memory counted, where anybody counts it.
    fn tell(&mut self, observe: &Observe) {
        if let Some(total) = observe.guest_memory() {
            self.store.data_mut().limiter.tell_in(total);
        }
    }

    /// Is given another request. What it prints is logged under this id from now on.
    pub(super) fn next(&mut self, id: &Arc<str>, observe: &Observe) {
        self.tell(observe);
        self.requests += 1;
        self.end = FAILED;
        self.store.data().output().begin(id);
    }

    /// Store and handler; the handler is started where it is not.
    pub(super) fn parts(&mut self) -> (&mut Store<State>, &mut Option<Export>) {
        (&mut self.store, &mut self.export)
    }

    /// What in it speaks against another request, after one that went well.
    pub(super) fn worn(&mut self) -> Option<&'static str> {
        if self.requests < self.most {
            self.store.data_mut().worn()
        } else {
            Some("it was given as many requests as it may")
        }
    }

    /// Ends it, and says why.
    pub(super) fn end(self, why: &'static str) {
        drop(self.because(why));
    }

    /// Says why it ends, when it does.
    pub(super) fn because(mut self, why: &'static str) -> Self {
        self.end = why;
        self
    }

    /// Ends a request: a line that it has not ended is logged as one of this request.
    pub(super) fn rest(&mut self) {
        self.end = "there was no request for it";
        self.store.data().output().end();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.most > 1 {
            let (requests, (memory, grown)) = (self.requests, self.store.data().limiter.memory());
            tracing::debug!(requests, memory, grown, "an instance ended: {}", self.end);
        }
    }
}

/// An instance without a request. One that has had requests is counted for as long as it has none.
pub(super) struct Idle {
    pub(super) instance: Instance,
    pub(super) _counted: Option<Going>,
}

/// Starts the handler where it is not started.
pub(super) async fn started<'a>(
    export: &'a mut Option<Export>,
    handler: &Handler,
    store: &mut Store<State>,
) -> wasmtime::Result<&'a Export> {
    match export {
        Some(export) => Ok(export),
        None => {
            let started = handler.start(store).await?;
            store.data_mut().has_started();
            Ok(export.insert(started))
        }
    }
}

/// Instances without a request. The one that was used last is used next, so that as few as possible stay; one that is not
/// used for a while is dropped.
///
/// Whoever takes or keeps one has a place among the instances that may be there at the same time. A request looks here
/// before it makes an instance, so those that run and those that wait together are never more than there are places.
pub(super) struct Warm<T> {
    idle: Mutex<Waiting<T>>,
    /// How long one waits.
    patience: Duration,
}

struct Waiting<T> {
    /// With the time since when, the latest last.
    instances: Vec<(Instant, T)>,
    /// Whether somebody looks for those that have waited too long.
    watched: bool,
    closed: bool,
}

impl<T: Send + 'static> Warm<T> {
    pub(super) fn new(patience: Duration) -> Arc<Self> {
        let idle = Waiting { instances: Vec::new(), watched: false, closed: false };
        Arc::new(Self { idle: Mutex::new(idle), patience: patience.min(FOREVER) })
    }

    fn idle(&self) -> MutexGuard<'_, Waiting<T>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The instance that was used last.
    pub(super) fn take(&self) -> Option<T> {
        self.idle().instances.pop().map(|(_, instance)| instance)
    }

    /// Keeps an instance for another request, unless this is closed.
    pub(super) fn keep(self: &Arc<Self>, instance: T) {
        let now = Instant::now();
        let mut idle = self.idle();
        if idle.closed {
            return;
        }
        idle.instances.push((now, instance));
        if !std::mem::replace(&mut idle.watched, true) {
            tokio::spawn(Self::watch(Arc::downgrade(self), now + self.patience));
        }
    }

    /// Drops all, and keeps none from now on.
    pub(super) fn close(&self) {
        let mut idle = self.idle();
        idle.closed = true;
        let all = std::mem::take(&mut idle.instances);
        // Requests in flight look here meanwhile.
        drop(idle);
        drop(all);
    }

    async fn watch(warm: Weak<Self>, mut next: Instant) {
        loop {
            tokio::time::sleep_until(next).await;
            let Some(warm) = warm.upgrade() else { return };
            match warm.expire(Instant::now()) {
                Some(later) => next = later,
                None => return,
            }
        }
    }

    /// Drops those that have waited too long, and says when the next one will have. None where none is left.
    ///
    /// They are dropped before others can look: whoever finds none here makes one, for which there has to be room.
    fn expire(&self, now: Instant) -> Option<Instant> {
        let mut idle = self.idle();
        let old = idle.instances.iter().take_while(|(since, _)| *since + self.patience <= now).count();
        idle.instances.drain(..old);
        let next = idle.instances.first().map(|(since, _)| *since + self.patience);
        idle.watched = next.is_some();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn the_last_that_was_kept_is_taken_first() {
        let warm = Warm::new(PATIENCE);
        assert_eq!(warm.take(), None);
        for instance in 1..=3 {
            warm.keep(instance);
        }
        assert_eq!([warm.take(), warm.take()], [Some(3), Some(2)]);
        warm.keep(4);
        assert_eq!([warm.take(), warm.take(), warm.take()], [Some(4), Some(1), None]);
    }

    #[tokio::test]
    async fn what_has_waited_too_long_is_dropped() {
        let warm = Warm::new(PATIENCE);
        let (old, young) = (Arc::new(()), Arc::new(()));
        warm.keep(Arc::clone(&old));
        let between = Instant::now();
        warm.keep(Arc::clone(&young));
        assert!(warm.expire(between).is_some());
        assert_eq!((Arc::strong_count(&old), Arc::strong_count(&young)), (2, 2));
        assert!(warm.expire(between + PATIENCE).is_some());
        assert_eq!((Arc::strong_count(&old), Arc::strong_count(&young)), (1, 2));
        assert_eq!(warm.expire(Instant::now() + PATIENCE), None);
        assert_eq!(Arc::strong_count(&young), 1);
    }

    #[tokio::test]
    async fn nothing_is_kept_after_the_end() {
        let warm = Warm::new(PATIENCE);
        let instance = Arc::new(());
        warm.keep(Arc::clone(&instance));
        warm.close();
        assert_eq!(Arc::strong_count(&instance), 1);
        warm.keep(Arc::clone(&instance));
        assert_eq!((warm.take(), Arc::strong_count(&instance)), (None, 1));
    }
}
