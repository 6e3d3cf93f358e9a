//! What is told of a server while it runs, and where.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use host_runner::Grants;
use host_runner::admin::{Admin, AdminAddr, AdminListener, NotSwapped};
use host_runner::observe::{Metrics, Observe, Routes, Traces};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::Failure;
use super::config::ServeTable;
use super::swap::Swaps;

/// How long the end waits for the collector to take the last traces.
const LAST_TRACES: Duration = Duration::from_secs(5);

/// Metrics, health and traces. All of it is off where nothing is named here.
#[derive(Args, Debug)]
#[command(next_help_heading = "Operations")]
pub(crate) struct ObserveFlags {
    /// Listens here for whoever runs the host: GET /metrics, /livez and /readyz, POST /swap [default: nowhere].
    ///
    /// Metrics are in the text format of OpenMetrics, which Prometheus reads. /readyz is 503 before requests are accepted
    /// and while those in flight finish. /swap does what SIGHUP does, for processes on this machine, and answers what came of
    /// it. Port 0 takes a free one; which one is logged. A socket at PATH is for its owner
    /// alone.
    #[arg(long, value_name = "ADDRESS|unix:PATH")]
    admin: Option<AdminAddr>,

    /// Tells requests apart by this pattern of their path; may be repeated.
    ///
    /// {name} is one segment, and {*name} all that follows. Requests that match none are of the route `other`.
    #[arg(long, value_name = "PATTERN")]
    route: Vec<String>,

    /// Sends a span of each request to this collector of OpenTelemetry, by OTLP over HTTP [default: none].
    ///
    /// Such as http://127.0.0.1:4318. The trace that a request names with traceparent goes on, in the guest and in what
    /// it sends. OTEL_EXPORTER_OTLP_ENDPOINT and the other variables of OpenTelemetry are heeded.
    #[arg(long, value_name = "URL")]
    otlp: Option<String>,
}

impl ObserveFlags {
    /// What the file says, and the flags over it.
    pub(crate) fn open(&self, file: &ServeTable, runtime: &Handle) -> Result<Operations, Failure> {
        let admin = self.admin.clone().or_else(|| file.admin());
        let patterns = file.routes.iter().chain(&self.route).map(String::as_str);
        let routes = Routes::new(patterns).map_err(|error| Failure::usage(error.to_string()))?;
        let metrics = admin.as_ref().map(|_| Metrics::new());
        let traces = match self.otlp.clone().or_else(|| file.otlp.clone()).or_else(of_the_environment) {
            Some(collector) => Some(Traces::to(&collector, runtime).map_err(Failure::wrong)?),
            None => None,
        };
        Ok(Operations { admin, observe: Arc::new(Observe { routes, metrics, traces, ..Observe::default() }) })
    }
}

/// The collector that the variables of OpenTelemetry name, unless they switch traces off.
fn of_the_environment() -> Option<String> {
    let said = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let off = said("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || said("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    if off {
        return None;
    }
    said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| said("OTEL_EXPORTER_OTLP_ENDPOINT"))
}

/// What watches the server.
pub(crate) struct Operations {
    admin: Option<AdminAddr>,
    pub(crate) observe: Arc<Observe>,
}

impl Operations {
    /// Has the operations on the store counted.
    pub(crate) fn count(&self, grants: Grants) -> Grants {
        let Some(metrics) = &self.observe.metrics else { return grants };
        Grants { keyvalue: grants.keyvalue.map(|store| metrics.of_store(store)), ..grants }
    }

    /// Sends the traces that are left. Not to be called on a thread of the runtime.
    pub(crate) fn finish(&self) {
        if let Some(traces) = &self.observe.traces {
            traces.finish(LAST_TRACES);
        }
    }

    /// Listens for the administrator, if an address was named, and says where. What swaps the component is there once one is
    /// loaded.
    pub(crate) async fn listen(&self, swaps: Arc<OnceLock<Swaps>>) -> Result<Option<Listening>, Failure> {
        let Some(address) = &self.admin else { return Ok(None) };
        let listener = AdminListener::bind(address).await.map_err(Failure::host)?;
        tracing::info!("admin on {}", listener.address());
        let admin = Admin::new(Arc::clone(&self.observe)).swap_by(move || {
            let swaps = swaps.get().cloned();
            Box::pin(async move {
                let Some(swaps) = swaps else {
                    return Err(NotSwapped::NotNow("The first component is still being loaded.".to_owned()));
                };
                // In a task of its own: who asks for a swap and goes away has asked for it all the same.
                let swapping = tokio::spawn(async move { swaps.swap("POST /swap").await });
                swapping.await.unwrap_or_else(|error| Err(NotSwapped::Refused(error.to_string())))
            })
        });
        Ok(Some(Listening(tokio::spawn(admin.serve(listener, std::future::pending())))))
    }
}

/// Somebody listens for the administrator.
pub(crate) struct Listening(JoinHandle<()>);

impl Listening {
    /// Ends it. A socket in the file system is gone when this returns.
    pub(crate) async fn end(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}
