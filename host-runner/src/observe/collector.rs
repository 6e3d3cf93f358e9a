//! The way to a collector of traces, on the host's own threads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;

/// How long the collector may take to answer for a batch.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of its answer that are read: it says what it refused, in a few words.
const LONGEST_ANSWER: usize = 64 << 10;

/// Sends batches, and says when it comes to be that they do not arrive.
pub(super) struct Collector {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    /// Whether the last batch did not arrive.
    failing: AtomicBool,
}

impl Collector {
    pub(super) fn new(runtime: Handle) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions of the protocol")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, runtime, failing: AtomicBool::new(false) }
    }

    /// Tells of the first batch that does not arrive, and of the first that does again.
    fn tell(&self, to: &str, failed: Option<&str>) {
        match (self.failing.swap(failed.is_some(), Ordering::AcqRel), failed) {
            (false, Some(why)) => {
                tracing::warn!("traces do not arrive at {to}: {why}. They are dropped until they do (--otlp)")
            }
            (true, None) => tracing::info!("traces arrive at {to} again"),
            _ => {}
        }
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// The exporter waits for it on a thread without a runtime.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // Without what may be in it beside host and port: the log is no place for a password.
        let to = request.uri().authority().map_or_else(String::new, |authority| {
            authority.as_str().rsplit('@').next().unwrap_or_default().to_owned()
        });
        let client = self.client.clone();
        let sending = async move {
            let response = client.request(request.map(Full::new)).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(head, body))
        };
        // The clock is that of the runtime, so it is set there.
        let sent = self.runtime.spawn(async move { tokio::time::timeout(PATIENCE, sending).await });
        let outcome = match sent.await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(format!("there was no answer within {PATIENCE:?}").into()),
            Err(ended) => Err(ended.into()),
        };
        match &outcome {
            Ok(response) if response.status().is_success() => self.tell(&to, None),
            Ok(response) => self.tell(&to, Some(&format!("the answer is {}", response.status()))),
            Err(error) => self.tell(&to, Some(&with_causes(error.as_ref()))),
        }
        outcome
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
