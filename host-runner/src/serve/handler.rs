//! The export that answers requests, of WASI 0.2 or of 0.3.

use std::future::poll_fn;

use http::{Request, Response};
use wasmtime::Store;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};
use wasmtime_wasi_http::p3::Request as Request3;
use wasmtime_wasi_http::p3::bindings::{Service, ServicePre};
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView};

use super::Body;
use super::body::RequestBody;
use crate::app::App;
use crate::state::State;

/// What a guest answers: a response, or an error code of `wasi:http`, in words.
pub(super) type GuestAnswer = Result<Response<Body>, String>;

/// A component's handler.
pub(super) enum Handler {
    /// `wasi:http/incoming-handler@0.2`.
    Two {
        /// What it is made of.
        pre: ProxyPre<State>,
        /// Whether there are tasks that outlast the call.
        tasks: bool,
    },
    /// `wasi:http/handler@0.3`.
    Three(ServicePre<State>),
}

impl Handler {
    /// The handler of a component; that of 0.3 where it has both.
    pub(super) fn of(app: &App) -> Option<Self> {
        if let Ok(pre) = ServicePre::new(app.pre().clone()) {
            return Some(Self::Three(pre));
        }
        let pre = ProxyPre::new(app.pre().clone()).ok()?;
        Some(Self::Two { pre, tasks: app.is_concurrent() })
    }

    /// Whether this is the interface that it is exported as.
    pub(super) fn is_in(&self, interface: &str) -> bool {
        interface.starts_with(match self {
            Self::Two { .. } => "wasi:http/incoming-handler@",
            Self::Three(_) => "wasi:http/handler@",
        })
    }

    /// Whether a body that ends with an error is one that its guest did not finish. In WASI 0.3 a guest can end one with an
    /// error of its own.
    pub(super) fn aborts(&self) -> bool {
        matches!(self, Self::Two { .. })
    }

    /// Starts an instance.
    pub(super) async fn start(&self, store: &mut Store<State>) -> wasmtime::Result<Export> {
        Ok(match self {
            Self::Two { pre, tasks } => {
                Export::Two { proxy: pre.instantiate_async(store).await?, tasks: *tasks }
            }
            Self::Three(pre) => Export::Three(pre.instantiate_async(store).await?),
        })
    }
}

/// The handler of an instance.
pub(super) enum Export {
    Two { proxy: Proxy, tasks: bool },
    Three(Service),
}

impl Export {
    /// Gives the instance a request, and waits until it has done all that it does. The answer is told as soon as the guest
    /// gives it; the guest may write its body, and work on, after that.
    pub(super) async fn handle(
        &self,
        store: &mut Store<State>,
        request: Request<RequestBody>,
        answer: impl FnOnce(GuestAnswer) + Send + Sync + 'static,
    ) -> wasmtime::Result<()> {
        match self {
            Self::Two { proxy, tasks } => {
                let http = &mut store.data_mut().http();
                let is_https = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
                let scheme = if is_https { Scheme::Https } else { Scheme::Http };
                let request = http.new_incoming_request(scheme, request)?;
                let out = http.new_response_outparam_from_callback(|response| {
                    answer(response.map_err(|code| format!("{code:?}")));
                })?;
                proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await?;
                if *tasks {
                    // The handler itself has returned; what it called in other parts may not have.
                    store.run_concurrent(async |accessor| nothing_left(accessor).await).await?;
                }
                Ok(())
            }
            Self::Three(service) => {
                let WasiHttpCtxView { hooks, .. } = store.data_mut().http();
                let (request, sent) = Request3::from_http(hooks, request);
                store
                    .run_concurrent(async |accessor| {
                        let response = match service.handle(accessor, request).await? {
                            Ok(response) => Ok(accessor.with(|store| response.into_http(store, sent))?),
                            Err(code) => Err(format!("{code:?}")),
                        };
                        answer(response);
                        // The guest's task goes on after its answer: it writes the body.
                        nothing_left(accessor).await;
                        Ok(())
                    })
                    .await?
            }
        }
    }
}

/// Waits for the last of the guest's tasks.
async fn nothing_left(accessor: &Accessor<State>) {
    poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
}
