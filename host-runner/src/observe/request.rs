//! One request, from its head to the end of its answer.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};

use super::labels::{self, OfRequest, Status};
use super::{Going, Metrics, Observe, Trace};

impl Observe {
    /// A request has come in, and has got this id. It counts when what this gives is dropped.
    pub(crate) fn request<B>(&self, request: &mut Request<B>, id: &str) -> Seen {
        let route = self.routes.of(request.uri().path());
        let counted = self.metrics.as_ref().map(|metrics| Counted {
            metrics: Arc::clone(metrics),
            _going: Going::on(&metrics.in_flight),
            method: labels::method(request.method()),
            route: Arc::clone(route.unwrap_or(self.routes.other())),
            began: Instant::now(),
        });
        let trace = self.traces.as_ref().map(|traces| traces.begin(request, route, id));
        Seen { counted, trace, status: None }
    }
}

/// A request that is in flight, until this is dropped. Empty where nobody wants to know.
pub(crate) struct Seen {
    counted: Option<Counted>,
    trace: Option<Trace>,
    status: Option<StatusCode>,
}

/// What the metrics have to know of it.
struct Counted {
    metrics: Arc<Metrics>,
    _going: Going,
    method: &'static str,
    route: Arc<str>,
    began: Instant,
}

impl Seen {
    /// The trace that it is in, if there is one.
    pub(crate) fn trace(&self) -> Option<Trace> {
        self.trace.clone()
    }

    /// The head of its answer is there.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = Some(status);
        if let Some(counted) = &self.counted {
            counted.metrics.answered(&counted.route, counted.began.elapsed().as_secs_f64());
        }
        if let Some(trace) = &self.trace {
            trace.answered(status);
        }
    }
}

impl Seen {
    /// Its answer broke off. It counts with the status that stands for why, and not with that of its head.
    pub(crate) fn broke_off(&mut self, status: StatusCode) {
        self.status = Some(status);
        if let Some(trace) = &self.trace {
            trace.broke_off(status);
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if let Some(counted) = &self.counted {
            let request = OfRequest {
                route: Arc::clone(&counted.route),
                method: counted.method,
                status: Status::from(self.status),
            };
            counted.metrics.ended(request, counted.began.elapsed().as_secs_f64());
        }
        if let Some(trace) = &self.trace {
            if self.status.is_none() {
                trace.given_up();
            }
            trace.end();
        }
    }
}
