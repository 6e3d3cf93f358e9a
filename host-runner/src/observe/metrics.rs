//! Numbers about a server, in the text format of OpenMetrics, which Prometheus reads.

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::SwapOutcome;
use super::labels::{
    Away, OfBuild, OfDirection, OfLimit, OfOperation, OfReason, OfRequest, OfRoute, OfSwap, OfTiming, OfTrap,
    Parts,
};
use super::process::{Apps, Engines, GuestMemory, Process, Running};
use crate::app::App;
use crate::blame::{Blame, Kind};
use crate::limits::InUse;

/// The media type of what [`Metrics::text`] gives.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of times, in seconds.
const TIMES: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// The same for operations of a store.
const SHORT_TIMES: [f64; 12] =
    [0.00001, 0.000025, 0.0001, 0.00025, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 10.0];

/// Makes histograms with these upper bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds(&'static [f64]);

impl MetricConstructor<Histogram> for Bounds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

type Histograms<Labels> = Family<Labels, Histogram, Bounds>;

/// Counts what a server does, and tells it on request. What each number means is in `docs/operations.md`.
///
/// The labels have a bounded number of values, whatever clients and guests do, and no paths, no queries and nothing that
/// a guest says are among them.
#[derive(Debug)]
pub struct Metrics {
    requests: Family<OfRequest, Counter>,
    request_time: Histograms<OfRoute>,
    answer_delay: Histograms<OfRoute>,
    pub(super) in_flight: Gauge,
    pub(super) instances: Gauge,
    pub(super) instances_limit: Gauge,
    pub(super) warm: Gauge,
    pub(super) guest_memory: InUse,
    pub(super) queue: Gauge,
    pub(super) queue_limit: Gauge,
    pub(super) queue_wait: Histogram,
    turned_away: Family<OfReason, Counter>,
    pub(super) connections: Gauge,
    pub(super) connections_limit: Gauge,
    pub(super) accepted: Counter,
    limits_hit: Family<OfLimit, Counter>,
    traps: Family<OfTrap, Counter>,
    bad_answers: Counter,
    parts: Parts,
    keyvalue: Family<OfOperation, Counter>,
    keyvalue_time: Histograms<OfTiming>,
    keyvalue_bytes: Family<OfDirection, Counter>,
    swaps: Family<OfSwap, Counter>,
    apps: Apps,
    running: Running,
    /// All of these.
    registry: Registry,
}

/// Adds metrics to a registry.
struct Adding<'a>(&'a mut Registry);

impl Adding<'_> {
    fn plain<M: Metric + Clone>(&mut self, name: &str, help: &str, metric: M) -> M {
        self.0.register(name, help, metric.clone());
        metric
    }

    fn with_unit<M: Metric + Clone>(&mut self, name: &str, unit: Unit, help: &str, metric: M) -> M {
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }
}

impl Metrics {
    /// Begins to count, from zero.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::default();
        let (apps, running, guest_memory) = (Apps::default(), Running::default(), InUse::default());
        registry.register_collector(Box::new(Process::new()));
        let own = registry.sub_registry_with_prefix("host_runner");
        own.register_collector(Box::new(Engines(apps.clone())));
        own.register_collector(Box::new(running.clone()));
        own.register_collector(Box::new(GuestMemory(guest_memory.clone())));
        let build = OfBuild {
            version: env!("CARGO_PKG_VERSION"),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        };
        own.register("build", "What this host is", Info::new(build));
        let times = || Family::new_with_constructor(Bounds(&TIMES));
        let mut add = Adding(own);
        Arc::new(Self {
            requests: add.plain("requests", "Requests whose answer has ended", Family::default()),
            request_time: add.with_unit(
                "request_duration",
                Unit::Seconds,
                "From the head of a request to the end of its answer",
                times(),
            ),
            answer_delay: add.with_unit(
                "answer_delay",
                Unit::Seconds,
                "From the head of a request to the head of its answer",
                times(),
            ),
            in_flight: add.plain(
                "requests_in_flight",
                "Requests whose answer has not ended",
                Gauge::default(),
            ),
            instances: add.plain("instances", "Guests at work on a request", Gauge::default()),
            instances_limit: add.plain(
                "instances_limit",
                "Guests that may be at work at the same time",
                Gauge::default(),
            ),
            warm: add.plain("instances_warm", "Guests that wait for another request", Gauge::default()),
            guest_memory,
            queue: add.plain("queue", "Requests that wait for an instance", Gauge::default()),
            queue_limit: add.plain("queue_limit", "Requests that may wait for an instance", Gauge::default()),
            queue_wait: add.with_unit(
                "queue_wait",
                Unit::Seconds,
                "How long requests waited that had to",
                Bounds(&TIMES).new_metric(),
            ),
            turned_away: add.plain(
                "turned_away",
                "Requests that were answered 503 at once",
                Family::default(),
            ),
            connections: add.plain("connections", "Open connections", Gauge::default()),
            connections_limit: add.plain(
                "connections_limit",
                "Connections that may be open at the same time",
                Gauge::default(),
            ),
            accepted: add.plain("connections_accepted", "Connections that were accepted", Counter::default()),
            limits_hit: add.plain("limits_hit", "Limits that guests met", Family::default()),
            traps: add.plain("traps", "Guests that trapped, or gave no answer", Family::default()),
            bad_answers: add.plain(
                "bad_answers",
                "Answers that could not be sent on and no part is blamed for",
                Counter::default(),
            ),
            parts: Parts::default(),
            keyvalue: add.plain(
                "keyvalue_operations",
                "Operations on the key-value store",
                Family::default(),
            ),
            keyvalue_time: add.with_unit(
                "keyvalue_duration",
                Unit::Seconds,
                "How long operations on the key-value store took",
                Family::new_with_constructor(Bounds(&SHORT_TIMES)),
            ),
            keyvalue_bytes: add.with_unit(
                "keyvalue",
                Unit::Bytes,
                "Keys and values that went to and came from the key-value store",
                Family::default(),
            ),
            swaps: add.plain("swaps", "Components that were to take over", Family::default()),
            apps,
            running,
            registry,
        })
    }

    /// All of it, as text. Reads what the engine and the process use at the moment.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Only writing fails, and a string takes everything.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    /// Tells of the memory of this app's engine, as long as the app is there.
    pub(super) fn watch(&self, app: &App) {
        self.apps.add(app);
    }

    /// Tells which component answers.
    pub(super) fn runs(&self, digest: Option<&str>) {
        self.running.set(digest);
    }

    pub(super) fn swapped(&self, outcome: SwapOutcome) {
        let outcome = match outcome {
            SwapOutcome::Done => "done",
            SwapOutcome::Unchanged => "unchanged",
            SwapOutcome::Refused => "refused",
        };
        self.swaps.get_or_create(&OfSwap { outcome }).inc();
    }

    pub(super) fn turned_away(&self, why: Away) {
        self.turned_away.get_or_create(&OfReason { reason: why.name() }).inc();
    }

    pub(super) fn failed(&self, blame: Option<&Blame>) {
        let Some(blame) = blame.filter(|blame| blame.kind != Kind::BadBody) else {
            self.bad_answers.inc();
            return;
        };
        let name = blame.at().map_or_else(|| "unknown".to_owned(), |call| call.part());
        let part = self.parts.label(&name);
        match blame.limit_hit() {
            Some(hit) => self.limits_hit.get_or_create(&OfLimit { limit: hit.name(), part }).inc(),
            None => self.traps.get_or_create(&OfTrap { kind: blame.kind.name(), part }).inc(),
        };
    }

    /// The head of an answer is there.
    pub(super) fn answered(&self, route: &Arc<str>, after: f64) {
        self.answer_delay.get_or_create(&OfRoute { route: Arc::clone(route) }).observe(after);
    }

    /// An answer has ended.
    pub(super) fn ended(&self, request: OfRequest, after: f64) {
        self.request_time.get_or_create(&OfRoute { route: Arc::clone(&request.route) }).observe(after);
        self.requests.get_or_create(&request).inc();
    }

    /// An operation on the store has ended.
    pub(super) fn operated(&self, operation: &'static str, outcome: &'static str, after: f64) {
        self.keyvalue.get_or_create(&OfOperation { operation, outcome }).inc();
        self.keyvalue_time.get_or_create(&OfTiming { operation }).observe(after);
    }

    /// Bytes went to the store, or came from it.
    pub(super) fn carried(&self, direction: &'static str, bytes: u64) {
        if bytes > 0 {
            self.keyvalue_bytes.get_or_create(&OfDirection { direction }).inc_by(bytes);
        }
    }
}
