//! A guest on a request: it is started, answers, and its answer is let through as far as its limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};

use super::admit::{declared_length, too_large};
use super::body::{Ended, RequestBody, ResponseBody};
use super::{Body, Failure, Server};
use crate::blame::Blame;
use crate::exceeded::LimitHit;
use crate::session::{CallError, limited, new_store};

type GuestAnswer = Result<Response<Body>, ErrorCode>;

impl Server {
    /// Starts a guest on the request, and answers as soon as it does. The guest goes on writing its body, and
    /// whatever it does after that, in its own task.
    pub(super) async fn ask_guest(
        self: Arc<Self>,
        request: Request<Incoming>,
        place: OwnedSemaphorePermit,
    ) -> Response<Body> {
        let limits = *self.app.limits();
        let too_long = Arc::new(AtomicBool::new(false));
        let ended = Ended::new();
        let what = format!("{} {}", request.method(), request.uri().path());
        let request = request
            .map(|body| RequestBody::new(body, limits.request_body, Arc::clone(&too_long), ended.clone()));
        let (sender, answered) = oneshot::channel();
        let guest = tokio::spawn({
            let (server, what, ended) = (Arc::clone(&self), what.clone(), ended.clone());
            async move {
                let outcome = server.run_guest(request, sender, &ended).await;
                let outcome = outcome.map_err(|error| Failure::of(&what, &error));
                if let Err(failure) = &outcome {
                    server.tell(failure);
                }
                drop(place);
                outcome
            }
        });
        let answer: Option<GuestAnswer> = answered.await.ok();
        // Whatever the guest made of half a body, its client sent too much.
        if too_long.load(Ordering::Acquire) {
            return too_large(limits.request_body);
        }
        match answer {
            Some(Ok(response)) => self.limit_answer(response, what, ended),
            Some(Err(code)) => {
                let reason = format!("the guest answered with the error {code:?}");
                self.bad_answer(&what, reason, None)
            }
            None => match guest.await {
                Ok(Err(failure)) => failure.answer(),
                _ => {
                    let blame = Blame::silent(&self.scene());
                    self.bad_answer(&what, blame.reason.clone(), Some(blame))
                }
            },
        }
    }

    fn bad_answer(&self, request: &str, reason: String, blame: Option<Blame>) -> Response<Body> {
        let failure = Failure::bad_answer(request, reason, blame);
        self.tell(&failure);
        failure.answer()
    }

    /// Lets an answer through as far as its limit: what declares more is withheld, what turns out to be more is cut off.
    fn limit_answer(
        self: Arc<Self>,
        response: Response<Body>,
        request: String,
        ended: Ended,
    ) -> Response<Body> {
        let limit = self.app.limits().response_body;
        let blame = move |server: &Self| {
            let blame = Blame::limit(&server.scene(), LimitHit::ResponseBody(limit));
            (blame.reason.clone(), Some(blame))
        };
        if declared_length(response.headers()).is_some_and(|length| length > limit) {
            let (reason, blame) = blame(&self);
            return self.bad_answer(&request, reason, blame);
        }
        let too_long = move || {
            let (reason, blame) = blame(&self);
            self.tell(&Failure::bad_answer(&request, reason, blame));
        };
        response.map(|body| ResponseBody::new(body, limit, ended, too_long).boxed_unsync())
    }

    async fn run_guest(
        &self,
        request: Request<RequestBody>,
        answer: oneshot::Sender<GuestAnswer>,
        ended: &Ended,
    ) -> Result<(), CallError> {
        let mut store = new_store(&self.app)?;
        let (app, called) = (&self.app, self.handler.as_ref());
        let outcome = limited(&mut store, app, called, app.limits().time, async |store| {
            let http = &mut store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request)?;
            let out = http.new_response_outparam(answer)?;
            let proxy = self.pre.instantiate_async(&mut *store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await
        })
        .await;
        // Before the store goes, and with it the guest's end of the body: a body that ends because its guest
        // failed must not look complete.
        if outcome.is_err() {
            ended.fail();
        }
        drop(store);
        outcome
    }
}
