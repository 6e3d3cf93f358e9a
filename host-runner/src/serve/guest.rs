//! A guest on a request: it is started, answers, and its answer is let through as far as its limits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use tokio::sync::oneshot;

use super::admit::{Admitted, faulty};
use super::body::{
    Begun, Ended, Fault, Inflow, Outflow, Outline, RequestBody, ResponseBody, Settled, Taken, Wrong,
    declared_length,
};
use super::composition::Composition;
use super::handler::GuestAnswer;
use super::reuse::{Idle, Instance, started};
use super::traffic::Work;
use super::{Asked, Body, Failure, Server};
use crate::blame::Blame;
use crate::limits::LimitHit;
use crate::observe::{Observe, Trace};
use crate::session::{CallError, limited};

/// How long the head of an answer is held back for the first of its body: a guest that fails meanwhile is still answered
/// for in full, and one that takes longer is not kept from telling its client that it has begun.
const HELD_BACK: Duration = Duration::from_millis(100);

/// How long an instance waits until its client has taken the answer, before it is given up: it has a place meanwhile. Less
/// where somebody waits for a place.
const PATIENCE: Duration = Duration::from_millis(100);
const LESS_PATIENCE: Duration = Duration::from_millis(10);

impl Server {
    /// Starts a guest on the request, and answers as soon as it does. The guest goes on writing its body, and
    /// whatever it does after that, in its own task.
    pub(super) async fn ask_guest(self: Arc<Self>, admitted: Admitted, asked: Asked) -> Response<Body> {
        let composition = Arc::clone(&asked.composition);
        let limits = composition.app.limits();
        let Admitted { request, place, share, inflow, ended, depth } = admitted;
        let work = (Work::begin(&asked.traffic), self.observe.instance());
        let asked = Arc::new(asked);
        let (sender, answered) = oneshot::channel();
        let guest = tokio::spawn({
            let (server, asked) = (Arc::clone(&self), Arc::clone(&asked));
            let (inflow, ended) = (inflow.clone(), ended.clone());
            async move {
                let by_client = server.run_guest(request, depth, sender, &asked, &ended, &inflow).await;
                drop((place, share, work));
                by_client
            }
        });
        let answer = match answered.await {
            Ok(Ok(response)) => {
                let aborts = composition.handler.aborts();
                hold_back(response, &ended, asked.method == Method::HEAD, aborts).await
            }
            Ok(Err(code)) => Held::Wrong(format!("the guest answered with the error {code}")),
            Err(_) => Held::Nothing,
        };
        // Whatever the guest made of half a body.
        if let Some(fault @ (Fault::TooLong | Fault::Stalled)) = inflow.fault() {
            return faulty(fault, limits.request_body);
        }
        match answer {
            Held::Answer(response) => self.let_through(response, &asked, ended),
            Held::Wrong(reason) => self.bad_answer(&asked, reason, None),
            Held::Broken(wrong) => {
                let blame = Blame::bad_body(&composition.witness.scene(), wrong.to_string());
                self.bad_answer(&asked, blame.reason.clone(), Some(blame))
            }
            Held::Nothing => match (guest.await, asked.case.failure.get()) {
                (_, Some(failure)) => failure.answer(),
                (Ok(true), None) => faulty(inflow.fault().unwrap_or(Fault::Stalled), limits.request_body),
                _ => {
                    let blame = Blame::silent(&composition.witness.scene());
                    self.bad_answer(&asked, blame.reason.clone(), Some(blame))
                }
            },
        }
    }

    /// Runs an instance on the request: one that waits for it, or else one in a store of its own. Tells of it if it fails;
    /// returns whether its client made it fail.
    async fn run_guest(
        &self,
        request: Request<RequestBody>,
        depth: u32,
        answer: oneshot::Sender<GuestAnswer>,
        asked: &Asked,
        ended: &Ended,
        inflow: &Inflow,
    ) -> bool {
        let composition = &*asked.composition;
        let Composition { app, handler, witness, .. } = composition;
        let observe = &*self.observe;
        let mut instance = match composition.warm.take() {
            Some(Idle { mut instance, .. }) => {
                instance.next(&asked.case.id, observe);
                instance
            }
            None => match Instance::new(app, &asked.case.id, observe) {
                Ok(instance) => instance,
                Err(error) => {
                    ended.fail();
                    return self.judge(&error.into(), asked, inflow, false);
                }
            },
        };
        let outflow = Outflow::default();
        let (tell, taken) = oneshot::channel();
        let (limit, to_head) = (app.limits().response_body, asked.method == Method::HEAD);
        let answer = {
            let outflow = outflow.clone();
            move |given: GuestAnswer| {
                let given = given.map(|response| {
                    let bodiless = is_bodiless(to_head, response.status());
                    // One that is not let through is not taken, however much of it is looked at.
                    let tell = is_let_through(&response, bodiless, limit).then_some(tell);
                    Taken::told(response, outflow, bodiless, tell)
                });
                // Nobody waits any more where the client has gone.
                let _ = answer.send(given);
            }
        };
        let (store, export) = instance.parts();
        store.data_mut().go_on_with(asked.trace.as_ref().map(Trace::headers).unwrap_or_default());
        store.data_mut().descend(depth);
        let step = asked.trace.as_ref().map(|trace| trace.step("guest"));
        let outcome = limited(store, app, witness.called(), app.limits().time, async |store| {
            started(export, handler, store).await?.handle(store, request, answer).await
        })
        .await;
        // Before the store goes, and with it the guest's end of the body: a body that ends because its guest has ended
        // must not look complete, and one that is complete must not be cut off.
        let settled = outflow.settle().await;
        match outcome {
            // What is left of it is in other hands, with WASI 0.3.
            Ok(()) if settled == Settled::Open && handler.aborts() => {
                self.tell_unfinished(asked, inflow);
                ended.fail();
                outflow.wake();
                instance.end("it did not finish its answer");
                inflow.fault().is_some()
            }
            Ok(()) => {
                outflow.wake();
                drop(step);
                let Some(instance) = keep(composition, instance, taken, inflow, observe).await else {
                    return false;
                };
                let unfinished = outflow.ends_with(|| drop(instance), ended).await;
                if unfinished {
                    self.tell_unfinished(asked, inflow);
                }
                outflow.wake();
                unfinished && inflow.fault().is_some()
            }
            Err(CallError::Exit(0)) if !matches!(settled, Settled::None | Settled::Open) => {
                outflow.wake();
                instance.end("it ended itself");
                false
            }
            Err(error) => {
                if let Some(step) = step {
                    step.failed(&error);
                }
                let answered = outflow.is_answered();
                if !answered {
                    ended.fail();
                }
                // A body that breaks off with the store counts as what is told here, so its reader comes after that.
                let by_client = self.judge(&error, asked, inflow, answered);
                outflow.wake();
                by_client
            }
        }
    }

    /// Tells of a guest that returned with its answer unfinished, unless its client was at fault.
    fn tell_unfinished(&self, asked: &Asked, inflow: &Inflow) {
        if inflow.fault().is_none() {
            let blame = Blame::bad_body(&asked.composition.witness.scene(), Wrong::Unfinished.to_string());
            self.tell(&asked.case, Failure::bad_answer(&asked.case, blame.reason.clone(), Some(blame)));
        }
    }

    /// Tells of a guest that failed, unless its client made it fail. Whether it did. `answered` says that the guest had
    /// finished its answer.
    fn judge(&self, error: &CallError, asked: &Asked, inflow: &Inflow, answered: bool) -> bool {
        let out_of_time = matches!(error, CallError::Limit { hit: LimitHit::Time(_), .. });
        // Whether a byte had come just then makes no difference: whom the time was spent on is at fault.
        let client_took_it = || inflow.waited() >= asked.composition.app.limits().time / 2;
        let by_client = inflow.fault().or(Some(Fault::Stalled).filter(|_| out_of_time && client_took_it()));
        if let Some(fault) = by_client {
            let what = match fault {
                Fault::TooLong => "sent more of its body than it may",
                Fault::Stalled => "sent its body too slowly",
                Fault::BrokenOff => "broke off within its body",
            };
            tracing::info!(
                id = &*asked.case.id,
                request = &*asked.case.what,
                "a client {what}, and its guest ended: {}",
                error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
            );
            return true;
        }
        self.tell(&asked.case, Failure::of(&asked.case, error, answered));
        false
    }

    fn bad_answer(&self, asked: &Asked, reason: String, blame: Option<Blame>) -> Response<Body> {
        self.tell(&asked.case, Failure::bad_answer(&asked.case, reason, blame)).answer()
    }

    /// Lets an answer through as far as its limit: what declares more is withheld, what turns out to be more is cut off.
    fn let_through(self: Arc<Self>, response: Response<Body>, asked: &Asked, ended: Ended) -> Response<Body> {
        let status = response.status();
        if status.is_informational() {
            let reason = format!("the guest answered with the status {status}, which is no final answer");
            return self.bad_answer(asked, reason, None);
        }
        let limit = asked.composition.app.limits().response_body;
        let witness = Arc::clone(&asked.composition.witness);
        let bodiless = is_bodiless(asked.method == Method::HEAD, status);
        let blame = move |wrong: Wrong| match wrong {
            Wrong::Limit => Blame::limit(&witness.scene(), LimitHit::ResponseBody(limit)),
            wrong => Blame::bad_body(&witness.scene(), wrong.to_string()),
        };
        if !is_let_through(&response, bodiless, limit) {
            let blame = blame(Wrong::Limit);
            return self.bad_answer(asked, blame.reason.clone(), Some(blame));
        }
        let outline = Outline {
            limit,
            said: declared_length(response.headers()).filter(|_| !bodiless),
            aborts: asked.composition.handler.aborts(),
            bodiless,
        };
        let case = Arc::clone(&asked.case);
        let wrong = move |wrong: Wrong| {
            let blame = blame(wrong);
            self.tell(&case, Failure::bad_answer(&case, blame.reason.clone(), Some(blame)));
        };
        let response = response.map(|body| ResponseBody::new(body, outline, ended, wrong).boxed_unsync());
        if bodiless { without_body(response) } else { response }
    }
}

/// Keeps an instance for another request, where everything about this one has come to a good end. Gives it back where it has
/// not, to be ended.
async fn keep(
    composition: &Composition,
    mut instance: Instance,
    taken: oneshot::Receiver<()>,
    inflow: &Inflow,
    observe: &Observe,
) -> Option<Instance> {
    if let Some(worn) = instance.worn() {
        return Some(instance.because(worn));
    }
    let patience = if composition.waiting.load(Ordering::Acquire) == 0 { PATIENCE } else { LESS_PATIENCE };
    match tokio::time::timeout(patience, taken).await {
        Ok(Ok(())) => {}
        Ok(Err(_)) => return Some(instance.because("its answer was not taken to the end")),
        Err(_) => return Some(instance.because("its answer was not taken to the end in time")),
    }
    if inflow.fault().is_some() {
        return Some(instance.because("its request was not sent well"));
    }
    inflow.cut();
    instance.rest();
    composition.warm.keep(Idle { instance, _counted: observe.warm() });
    None
}

/// Whether an answer has no body, whatever its guest writes.
fn is_bodiless(to_head: bool, status: StatusCode) -> bool {
    to_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Whether an answer is sent on, as far as its head tells.
fn is_let_through(response: &Response<Body>, bodiless: bool, limit: u64) -> bool {
    !response.status().is_informational()
        && (bodiless || declared_length(response.headers()).is_none_or(|length| length <= limit))
}

/// What a guest's answer is once the first of its body is there.
enum Held {
    Answer(Response<Body>),
    /// None that can be sent on, and why.
    Wrong(String),
    /// One with a body that cannot be sent on.
    Broken(Wrong),
    /// The guest gave none, or failed before the first of its body.
    Nothing,
}

/// Waits a little for the first of an answer's body. Of an answer without a body, such as one to HEAD, that is not there,
/// whatever its length is said to be.
async fn hold_back(response: Response<Body>, ended: &Ended, to_head: bool, aborts: bool) -> Held {
    let (head, mut body) = response.into_parts();
    let bodiless = is_bodiless(to_head, head.status);
    let said = declared_length(&head.headers).filter(|_| !bodiless);
    let body = match tokio::time::timeout(HELD_BACK, body.frame()).await {
        Err(_) => body,
        Ok(Some(Ok(first))) => match (said, first.data_ref().map_or(0, |data| data.len() as u64)) {
            (Some(said), wrote) if wrote > said => return Held::Broken(Wrong::Length { said, wrote }),
            _ => Begun::new(first, body).boxed_unsync(),
        },
        Ok(_) if ended.failed() => return Held::Nothing,
        Ok(None) => match said {
            Some(said) if said > 0 => return Held::Broken(Wrong::Length { said, wrote: 0 }),
            _ => empty(),
        },
        Ok(Some(Err(_))) if bodiless => empty(),
        Ok(Some(Err(error))) => return Held::Broken(Wrong::of(&error, said, 0, aborts)),
    };
    Held::Answer(Response::from_parts(head, body))
}

/// The head alone. What the guest writes is taken and dropped, so that a guest that makes no difference between HEAD and
/// GET is none the worse.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (head, mut body) = response.into_parts();
    tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    Response::from_parts(head, empty())
}

fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}
