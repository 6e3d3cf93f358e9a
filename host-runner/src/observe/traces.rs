//! Traces: a span for each request, in the trace of whoever sent it, for a collector of OpenTelemetry.
//!
//! What a request says of its trace (W3C Trace Context: `traceparent`, `tracestate`) is the parent of the host's span. The
//! guest is given the host's span instead, so what it sends on with these headers goes on with the trace; and what it sends
//! without them is given them on the way out.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, Request, StatusCode, Version};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderInjector;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use super::beginning;
use super::collector::Collector;
use super::labels::{self, OTHER};
use crate::session::CallError;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The name of the host where nobody gave it another one.
const SERVICE: &str = "host-runner";

/// Why there are no traces.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TracesError {
    /// The address of the collector is none.
    #[error(
        "{0:?} is no address of a collector; write for example http://127.0.0.1:4318: OTLP over HTTP, without the path /v1/traces"
    )]
    Address(String),
    /// The address has a name and a password in it, which would not be used. They are not repeated here.
    #[error(
        "the address of the collector has a name and a password in it: write them into OTEL_EXPORTER_OTLP_HEADERS (authorization=…)"
    )]
    Credentials,
    /// The exporter refuses its settings, which are those of the environment too.
    #[error("traces cannot be sent with these settings; look at the variables that begin with OTEL_")]
    Settings(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes spans, and sends them to a collector: in batches, on threads of their own. What cannot be sent is dropped; no
/// request waits for it.
///
/// The variables `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…` and
/// `OTEL_EXPORTER_OTLP_HEADERS` mean what they mean elsewhere.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    propagator: TraceContextPropagator,
}

impl Traces {
    /// Begins to send to a collector, by OTLP over HTTP (protobuf). The address is that of the collector alone, such as
    /// `http://127.0.0.1:4318`; `/v1/traces` is added where it is not there. Batches are sent on threads of this runtime.
    ///
    /// # Errors
    ///
    /// Where the address is none. Whether somebody listens there shows later, in the log.
    pub fn to(collector: &str, runtime: &Handle) -> Result<Self, TracesError> {
        let endpoint = endpoint(collector)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_http_client(Collector::new(runtime.clone()))
            .build()
            .map_err(|error| TracesError::Settings(error.into()))?;
        let provider =
            SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build();
        let tracer = provider.tracer(SERVICE);
        Ok(Self { provider, tracer, propagator: TraceContextPropagator::new() })
    }

    /// Sends what is left, for at most so long. Makes no spans any more.
    ///
    /// Waits with the whole thread: not to be called on one of the runtime.
    pub fn finish(&self, within: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(within) {
            tracing::debug!("the last traces were not sent: {error}");
        }
    }

    /// Begins the span of a request, and names it to the guest in place of the one that the client named.
    pub(super) fn begin<B>(&self, request: &mut Request<B>, route: Option<&Arc<str>>, id: &str) -> Trace {
        let parent = self.propagator.extract_with_context(&Context::new(), &Said::by(request.headers()));
        let method = labels::method(request.method());
        let known = method != OTHER;
        let name = match (if known { method } else { "HTTP" }, route) {
            (method, Some(route)) => format!("{method} {route}"),
            (method, None) => method.to_owned(),
        };
        let mut attributes = vec![
            KeyValue::new("http.request.method", if known { method } else { "_OTHER" }),
            KeyValue::new("url.path", beginning(request.uri().path()).to_owned()),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("host_runner.request.id", id.to_owned()),
        ];
        attributes.extend(route.map(|route| KeyValue::new("http.route", Arc::clone(route))));
        attributes.extend(
            version(request.version()).map(|version| KeyValue::new("network.protocol.version", version)),
        );
        let span = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_attributes(attributes)
            .start_with_context(&self.tracer, &parent);
        let trace = Trace { context: parent.with_span(span), tracer: self.tracer.clone() };
        let headers = request.headers_mut();
        headers.remove(TRACEPARENT);
        headers.remove(TRACESTATE);
        headers.extend(trace.headers());
        trace
    }
}

/// Where traces go at a collector.
fn endpoint(collector: &str) -> Result<String, TracesError> {
    // Of what cannot be read, anything before an @ may be a password too.
    if collector.contains('@') {
        return Err(TracesError::Credentials);
    }
    let uri: Option<http::Uri> = collector.parse().ok();
    let is_fine = |uri: &http::Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    };
    if !uri.as_ref().is_some_and(is_fine) {
        let (shown, _) = collector.split_once('?').unwrap_or((collector, ""));
        return Err(TracesError::Address(shown.to_owned()));
    }
    let base = collector.trim_end_matches('/');
    Ok(if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") })
}

/// Who sends the spans: what the environment says, with a name in any case.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let name = said.get(&"service.name".into()).map(|name| name.to_string());
    if name.is_none_or(|name| name.starts_with("unknown_service")) {
        Resource::builder().with_service_name(SERVICE).build()
    } else {
        said
    }
}

fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        _ => return None,
    })
}

/// What a request says of its trace. More than one parent is none, and states in several headers are one list.
struct Said {
    parent: Option<String>,
    state: Option<String>,
}

impl Said {
    fn by(headers: &HeaderMap) -> Self {
        let all = |name| {
            let values: Option<Vec<&str>> =
                headers.get_all(name).iter().map(|value| value.to_str().ok()).collect();
            values.unwrap_or_default()
        };
        let parent = match &*all(TRACEPARENT) {
            [one] => Some((*one).to_owned()),
            _ => None,
        };
        let states = all(TRACESTATE);
        Self { parent, state: (!states.is_empty()).then(|| states.join(",")) }
    }
}

impl Extractor for Said {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.parent.as_deref(),
            "tracestate" => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// The span of a request, and what takes place within it. Clones are the same span.
#[derive(Clone)]
pub(crate) struct Trace {
    context: Context,
    tracer: SdkTracer,
}

impl Trace {
    /// The headers that say whose work a request is.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        TraceContextPropagator::new().inject_context(&self.context, &mut HeaderInjector(&mut headers));
        if headers.get(TRACESTATE).is_some_and(|state| state.is_empty()) {
            headers.remove(TRACESTATE);
        }
        headers
    }

    /// Begins a step of the request, which lasts until what this gives is dropped.
    pub(crate) fn step(&self, name: &'static str) -> Step {
        let span = self.tracer.span_builder(name).start_with_context(&self.tracer, &self.context);
        Step(self.context.with_span(span))
    }

    /// The head of the answer is there.
    pub(super) fn answered(&self, status: StatusCode) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            self.broke_off(status);
        }
    }

    /// The answer broke off, for which this status stands.
    pub(super) fn broke_off(&self, status: StatusCode) {
        let span = self.context.span();
        span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
        span.set_status(Status::error(""));
    }

    /// The client left before there was an answer.
    pub(super) fn given_up(&self) {
        self.context.span().set_attribute(KeyValue::new("error.type", "cancelled"));
    }

    pub(super) fn end(&self) {
        self.context.span().end();
    }
}

/// A step of a request that is under way.
pub(crate) struct Step(Context);

impl Step {
    /// It failed for this reason.
    pub(crate) fn failed(&self, error: &CallError) {
        let span = self.0.span();
        let blame = error.blame();
        let kind = blame.map_or("exit", |blame| blame.kind.name());
        span.set_attribute(KeyValue::new("error.type", kind));
        if let Some(at) = blame.and_then(|blame| blame.at()) {
            span.set_attribute(KeyValue::new("host_runner.part", at.part()));
        }
        span.set_status(Status::error(kind));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.0.span().end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_to_a_collectors_address() {
        for (collector, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://collector.example/", "https://collector.example/v1/traces"),
            ("http://collector:4318/otlp", "http://collector:4318/otlp/v1/traces"),
            ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
        ] {
            assert_eq!(endpoint(collector).unwrap(), expected);
        }
        for collector in
            ["", "127.0.0.1:4318", "ftp://collector", "http://", "grpc://x:4317", "http://x/?a=b"]
        {
            let error = endpoint(collector).unwrap_err();
            assert!(matches!(error, TracesError::Address(_)), "{collector}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        for collector in
            ["http://me:secret@h:4318", "http://me:secret@h:1/?a=b", "me:secret@h", "http://h/?secret"]
        {
            let error = endpoint(collector).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn two_parents_are_none_and_two_states_are_one() {
        let mut headers = HeaderMap::new();
        for value in ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "another"] {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        for value in ["a=1", "b=2,c=3"] {
            headers.append(TRACESTATE, value.parse().unwrap());
        }
        let said = Said::by(&headers);
        assert_eq!((said.get("traceparent"), said.get("tracestate")), (None, Some("a=1,b=2,c=3")));
    }
}
