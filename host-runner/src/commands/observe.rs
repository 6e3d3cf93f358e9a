//! What is told of a server while it runs, and where.

use std::sync::Arc;

use clap::Args;
use host_runner::Grants;
use host_runner::admin::{Admin, AdminAddr, AdminListener};
use host_runner::observe::{Metrics, Observe, Routes};
use tokio::task::JoinHandle;

use super::Failure;
use super::config::ServeTable;

/// Metrics and health. All of it is off where nothing is named here.
#[derive(Args, Debug)]
#[command(next_help_heading = "Operations")]
pub(crate) struct ObserveFlags {
    /// Listens here for whoever runs the host: GET /metrics, /livez and /readyz [default: nowhere].
    ///
    /// Metrics are in the text format of OpenMetrics, which Prometheus reads. /readyz is 503 before requests are accepted
    /// and while those in flight finish. Port 0 takes a free one; which one is logged. A socket at PATH is for its owner
    /// alone.
    #[arg(long, value_name = "ADDRESS|unix:PATH")]
    admin: Option<AdminAddr>,

    /// Tells requests apart by this pattern of their path; may be repeated.
    ///
    /// {name} is one segment, and {*name} all that follows. Requests that match none are of the route `other`.
    #[arg(long, value_name = "PATTERN")]
    route: Vec<String>,
}

impl ObserveFlags {
    /// What the file says, and the flags over it.
    pub(crate) fn open(&self, file: &ServeTable) -> Result<Operations, Failure> {
        let admin = self.admin.clone().or_else(|| file.admin());
        let patterns = file.routes.iter().chain(&self.route).map(String::as_str);
        let routes = Routes::new(patterns).map_err(|error| Failure::usage(error.to_string()))?;
        let metrics = admin.as_ref().map(|_| Metrics::new());
        Ok(Operations { admin, observe: Arc::new(Observe { routes, metrics, ..Observe::default() }) })
    }
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

    /// Listens for the administrator, if an address was named, and says where. It does until what this gives is dropped.
    pub(crate) async fn listen(&self) -> Result<Option<Listening>, Failure> {
        let Some(address) = &self.admin else { return Ok(None) };
        let listener = AdminListener::bind(address).await.map_err(Failure::host)?;
        tracing::info!("admin on {}", listener.address());
        let admin = Admin::new(Arc::clone(&self.observe));
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
