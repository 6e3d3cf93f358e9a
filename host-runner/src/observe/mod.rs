//! What is told of a server while it runs: numbers for a collector that asks, traces, and whether it takes requests.
//!
//! The server calls a few functions here at fixed places of a request's way. Where nothing watches, each of them is a look
//! at an option, and no more.

mod collector;
mod keyvalue;
mod labels;
mod metrics;
mod process;
mod request;
mod routes;
mod traces;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use prometheus_client::metrics::gauge::Gauge;

use crate::app::App;
use crate::blame::Blame;
use crate::limits::InUse;

pub(crate) use metrics::MEDIA_TYPE;
pub use metrics::Metrics;
pub use routes::{RouteError, Routes};
pub use traces::{Traces, TracesError};

pub(crate) use labels::Away;
pub(crate) use request::Seen;
pub(crate) use traces::{Step, Trace};

/// What watches a [server](crate::Server). By default nothing does, and that costs nothing.
#[derive(Default)]
pub struct Observe {
    /// The routes that requests are told apart by.
    pub routes: Routes,
    /// Counts. `None` counts nothing.
    pub metrics: Option<Arc<Metrics>>,
    /// Makes a span of each request. `None` makes none, and what requests say of their trace goes to the guest as it came.
    pub traces: Option<Traces>,
    /// Whether the server takes requests.
    pub readiness: Readiness,
}

impl Observe {
    /// An app is about to be served, with so many instances at the same time.
    pub(crate) fn serves(&self, app: &App, concurrency: u32) {
        if let Some(metrics) = &self.metrics {
            let limits = app.limits();
            metrics.instances_limit.set(i64::from(concurrency));
            metrics.queue_limit.set(as_gauge(limits.queue));
            metrics.connections_limit.set(as_gauge(limits.connections.max(1)));
            metrics.watch(app);
        }
    }

    /// An app answers requests from now on.
    pub(crate) fn runs(&self, app: &App) {
        if let Some(metrics) = &self.metrics {
            metrics.runs(app.digest());
        }
    }

    /// Another app was to take over.
    pub(crate) fn swapped(&self, outcome: SwapOutcome) {
        if let Some(metrics) = &self.metrics {
            metrics.swapped(outcome);
        }
    }

    /// A connection was accepted. It is open until what this gives is dropped.
    pub(crate) fn connection(&self) -> Option<Going> {
        let metrics = self.metrics.as_ref()?;
        metrics.accepted.inc();
        Some(Going::on(&metrics.connections))
    }

    /// A guest is about to run. It does until what this gives is dropped.
    pub(crate) fn instance(&self) -> Option<Going> {
        Some(Going::on(&self.metrics.as_ref()?.instances))
    }

    /// Returns the total in which the memory of guests counts.
    pub(crate) fn guest_memory(&self) -> Option<InUse> {
        Some(self.metrics.as_ref()?.guest_memory.clone())
    }

    /// An instance waits for another request. It does until what this gives is dropped.
    pub(crate) fn warm(&self) -> Option<Going> {
        Some(Going::on(&self.metrics.as_ref()?.warm))
    }

    /// A request has to wait for an instance. It does until what this gives is dropped.
    pub(crate) fn queued(&self, trace: Option<&Trace>) -> Queued<'_> {
        let counted = self.metrics.as_deref().map(|metrics| Going::on(&metrics.queue));
        Queued {
            metrics: self.metrics.as_deref(),
            _going: counted,
            _step: trace.map(|trace| trace.step("queue")),
            began: Instant::now(),
        }
    }

    /// A request was turned away.
    pub(crate) fn turned_away(&self, why: Away) {
        if let Some(metrics) = &self.metrics {
            metrics.turned_away(why);
        }
    }

    /// A request failed because of its guest. Where no part is to blame, there is none.
    pub(crate) fn failed(&self, blame: Option<&Blame>) {
        if let Some(metrics) = &self.metrics {
            metrics.failed(blame);
        }
    }
}

/// What became of a swap.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SwapOutcome {
    Done,
    /// The component was the one that ran already.
    Unchanged,
    /// It could not take over.
    Refused,
}

/// What goes on counts in a gauge, until this is dropped.
pub(crate) struct Going(Gauge);

impl Going {
    fn on(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A request in the queue.
pub(crate) struct Queued<'a> {
    metrics: Option<&'a Metrics>,
    _going: Option<Going>,
    _step: Option<Step>,
    began: Instant,
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.metrics {
            metrics.queue_wait.observe(self.began.elapsed().as_secs_f64());
        }
    }
}

/// Whether a server takes requests. Clones tell of the same server.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

/// Where a server is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// It does not accept yet.
    Starting,
    /// It takes requests.
    Ready,
    /// It takes no more, and finishes what is in flight.
    Draining,
}

impl Readiness {
    /// Where the server is now.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.0.load(Ordering::Acquire) {
            0 => Stage::Starting,
            1 => Stage::Ready,
            _ => Stage::Draining,
        }
    }

    pub(crate) fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Release);
    }
}

/// Bytes of a path that are kept.
const LONGEST_PATH: usize = 1 << 10;

/// As much of a path as the log and a span keep: spans wait for the collector by the thousand, and clients choose the paths.
pub(crate) fn beginning(path: &str) -> &str {
    &path[..path.floor_char_boundary(LONGEST_PATH)]
}

pub(crate) fn as_gauge(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_path_is_kept() {
        assert_eq!(beginning("/a"), "/a");
        let long = format!("{}é", "/".repeat(LONGEST_PATH - 1));
        assert_eq!(beginning(&long).len(), LONGEST_PATH - 1);
    }

    #[test]
    fn stages_are_told_as_they_were_set() {
        let readiness = Readiness::default();
        assert_eq!(readiness.stage(), Stage::Starting);
        for stage in [Stage::Ready, Stage::Draining, Stage::Starting] {
            readiness.clone().set(stage);
            assert_eq!(readiness.stage(), stage);
        }
    }
}
