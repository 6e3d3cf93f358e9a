//! One request, from its head to the end of its answer.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};

use super::labels::{self, OfRequest, Status};
use super::{Going, Metrics, Observe};

impl Observe {
    /// A request has come in. It counts when what this gives is dropped.
    pub(crate) fn request<B>(&self, request: &Request<B>) -> Seen {
        let watched = self.metrics.as_ref().map(|metrics| {
            let route = self.routes.of(request.uri().path()).unwrap_or(self.routes.other());
            Box::new(Watched {
                metrics: Arc::clone(metrics),
                _going: Going::on(&metrics.in_flight),
                method: labels::method(request.method()),
                route: Arc::clone(route),
                began: Instant::now(),
                status: None,
            })
        });
        Seen(watched)
    }
}

/// A request that is in flight, until this is dropped. Empty where nobody wants to know.
pub(crate) struct Seen(Option<Box<Watched>>);

struct Watched {
    metrics: Arc<Metrics>,
    _going: Going,
    method: &'static str,
    route: Arc<str>,
    began: Instant,
    status: Option<StatusCode>,
}

impl Seen {
    /// The head of its answer is there.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        if let Some(watched) = &mut self.0 {
            watched.status = Some(status);
            watched.metrics.answered(&watched.route, watched.began.elapsed().as_secs_f64());
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let request = OfRequest {
            route: Arc::clone(&self.route),
            method: self.method,
            status: Status::from(self.status),
        };
        self.metrics.ended(request, self.began.elapsed().as_secs_f64());
    }
}
