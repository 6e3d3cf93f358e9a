//! Puts load on an HTTP server, and prints what it did as JSON: requests a second, and how long they took.
//!
//! Each connection sends one request after the other, without pause (a closed loop), so the time of a request includes
//! whatever the server makes it wait. An answer counts when its body has been read to the end. What does not answer with
//! 2xx is counted by its status, what does not answer at all as a failure: a number of requests a second is worth
//! nothing when those are not 0, so the exit code says so too.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Puts load on an HTTP server and prints requests a second and latencies as JSON.
#[derive(Parser)]
struct Load {
    /// Where to: http://HOST:PORT/PATH.
    url: Uri,

    /// The method.
    #[arg(long, default_value = "GET")]
    method: Method,

    /// The body; {n} in it becomes a number that is in no other request.
    #[arg(long, default_value = "")]
    body: String,

    /// A header, NAME: VALUE, where {n} is the number as well; may be repeated.
    #[arg(long)]
    header: Vec<String>,

    /// How many connections send requests at the same time.
    #[arg(long, default_value_t = 8)]
    connections: usize,

    /// How long to measure.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,

    /// How long to send requests before that.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
}

/// What all connections share.
struct Plan {
    load: Load,
    authority: String,
    headers: Vec<(HeaderName, String)>,
    /// The next number.
    number: AtomicU64,
    begin: Instant,
    end: Instant,
}

/// What one connection saw.
#[derive(Default)]
struct Seen {
    /// Microseconds, of requests that were answered with 2xx.
    times: Vec<u32>,
    statuses: BTreeMap<u16, u64>,
    failures: u64,
}

fn main() -> Result<ExitCode> {
    let load = Load::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (seen, seconds) = runtime.block_on(run(load))?;
    let sound = seen.failures == 0 && seen.statuses.keys().all(|status| (200..300).contains(status));
    println!("{}", report(seen, seconds));
    Ok(ExitCode::from(u8::from(!sound)))
}

async fn run(load: Load) -> Result<(Seen, f64)> {
    let Some(authority) = load.url.authority().filter(|_| load.url.scheme_str() == Some("http")) else {
        bail!("{} is no address of the form http://HOST:PORT/PATH", load.url);
    };
    let authority = match authority.port_u16() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:80"),
    };
    let headers = load
        .header
        .iter()
        .map(|header| {
            let (name, value) = header.split_once(':').context("write a header as NAME: VALUE")?;
            Ok((name.trim().parse()?, value.trim().to_owned()))
        })
        .collect::<Result<_>>()?;
    let begin = Instant::now() + Duration::from_secs_f64(load.warm_up);
    let end = begin + Duration::from_secs_f64(load.seconds);
    // Numbers of one run are not those of another.
    let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_micros() as u64;
    let seconds = load.seconds;
    let connections = load.connections;
    let plan = Arc::new(Plan { load, authority, headers, number: AtomicU64::new(first), begin, end });
    // The first connection says whether there is anybody at all.
    connect(&plan.authority).await.with_context(|| format!("nobody answers at {}", plan.authority))?;
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        tasks.spawn(requests(Arc::clone(&plan)));
    }
    let mut all = Seen::default();
    while let Some(seen) = tasks.join_next().await {
        let seen = seen?;
        all.times.extend(seen.times);
        all.failures += seen.failures;
        for (status, count) in seen.statuses {
            *all.statuses.entry(status).or_default() += count;
        }
    }
    Ok((all, seconds))
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// One connection's requests until the end; a connection that breaks is a failure, and is made again.
async fn requests(plan: Arc<Plan>) -> Seen {
    let mut seen = Seen::default();
    let mut sender = None;
    while Instant::now() < plan.end {
        let begun = Instant::now();
        let outcome = one(&plan, &mut sender).await;
        let ended = Instant::now();
        // Neither what began before the measurement nor what ended after it.
        if begun < plan.begin || ended > plan.end {
            continue;
        }
        match outcome {
            Ok(status) => {
                *seen.statuses.entry(status).or_default() += 1;
                if (200..300).contains(&status) {
                    seen.times.push((ended - begun).as_micros() as u32);
                }
            }
            Err(_) => {
                seen.failures += 1;
                sender = None;
            }
        }
    }
    seen
}

async fn one(plan: &Plan, connection: &mut Option<SendRequest<Full<Bytes>>>) -> Result<u16> {
    let sender = match connection {
        Some(sender) if !sender.is_closed() => sender,
        _ => connection.insert(connect(&plan.authority).await?),
    };
    let number = plan.number.fetch_add(1, Ordering::Relaxed).to_string();
    let body = Full::new(Bytes::from(plan.load.body.replace("{n}", &number)));
    let mut request = Request::new(body);
    *request.method_mut() = plan.load.method.clone();
    *request.uri_mut() = plan.load.url.path_and_query().map_or("/", |path| path.as_str()).parse()?;
    request.headers_mut().insert(HOST, HeaderValue::from_str(&plan.authority)?);
    for (name, value) in &plan.headers {
        request.headers_mut().insert(name.clone(), HeaderValue::from_str(&value.replace("{n}", &number))?);
    }
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    Ok(status)
}

fn report(mut seen: Seen, seconds: f64) -> serde_json::Value {
    seen.times.sort_unstable();
    let at = |share: f64| match seen.times.len() {
        0 => None,
        count => Some(f64::from(seen.times[((count - 1) as f64 * share).round() as usize]) / 1000.0),
    };
    serde_json::json!({
        "requests": seen.times.len(),
        "requests_per_second": (seen.times.len() as f64 / seconds * 10.0).round() / 10.0,
        "milliseconds": { "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": at(1.0) },
        "statuses": seen.statuses,
        "failures": seen.failures,
    })
}
