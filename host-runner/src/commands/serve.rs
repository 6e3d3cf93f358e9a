//! `host-runner serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Args;
use host_runner::{App, Limits, Pool, Proxy, ServeError, Server, Setup};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::config::{self, Config, ConfigFlag, GrantTable};
use super::flags::{BlameFlags, EngineFlags, GrantFlags, LimitFlags};
use super::observe::{ObserveFlags, Operations};
use super::open_files::make_room;
use super::swap::{Changes, Reload, Swaps};
use super::values::{size, time, to_usize};
use super::{Failure, load, print_line, runtime};
use crate::log;

/// How long the end waits for what guests left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// Where a server listens that nobody told.
const ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Serve HTTP requests with a component that exports wasi:http/incoming-handler@0.2 or
/// wasi:http/handler@0.3.
///
/// Speaks HTTP/1.1, and HTTP/2 with prior knowledge on the same port, without TLS. Each request
/// gets a fresh instance, unless --reuse says otherwise. Prints one line, `listening on
/// http://ADDRESS`, when it accepts connections. SIGTERM and SIGINT stop it: it accepts no more
/// connections, and requests in flight finish. A second signal cuts them off; a signal before that
/// line stops it at once.
///
/// SIGHUP swaps in the component that is now in FILE: it is loaded beside the running one, started,
/// and compared with it; new requests then go to the new component, and requests in flight finish
/// on the old one. The new component must export everything that the running one exports, and must
/// not need more grants. If it cannot take over, the log says why, and the running component
/// continues to serve.
#[derive(Args)]
#[command(after_long_help = config::HELP)]
pub(crate) struct Serve {
    /// The component.
    file: PathBuf,

    /// Address to listen on; port 0 selects a free port [default: 127.0.0.1:8080].
    #[arg(long)]
    addr: Option<SocketAddr>,

    /// Time for requests in flight to finish after the signal to stop [default: 30s].
    #[arg(long, value_name = "TIME", value_parser = time)]
    drain: Option<Duration>,

    /// Requests that an instance serves, one after the other, before it is dropped [default: 1].
    ///
    /// With 1, each request gets its own instance. Use more only for components that are safe to
    /// reuse: a request may see what an earlier request left in the guest's memory. An instance
    /// that trapped, exceeded a limit or left something unfinished serves no further request.
    #[arg(long, value_name = "COUNT")]
    reuse: Option<NonZeroU32>,

    /// Trust the proxy at this address to report the scheme of requests; can be repeated.
    ///
    /// The address is an IP address, a network such as 10.0.0.0/8, or `any`, for a host that only
    /// its proxy can reach.
    ///
    /// For a request from a trusted proxy, the guest sees https if its header Forwarded or
    /// X-Forwarded-Proto says so, or without them the target of the request (on HTTP/2, :scheme).
    /// For all other requests it sees http.
    #[arg(long, value_name = "ADDRESS[/BITS]|any")]
    trust_proxy: Vec<Proxy>,

    /// Swap the component, as SIGHUP does, whenever its file changes.
    #[arg(long)]
    watch: bool,

    /// Allow a swap to a component that needs more grants than the running one: those that are
    /// granted here.
    #[arg(long)]
    swap_asking_more: bool,

    #[command(flatten)]
    config: ConfigFlag,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    limits: LimitFlags,

    /// Request body [default: 8MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_request: Option<u64>,

    /// Response body [default: 64MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_response: Option<u64>,

    /// Concurrent instances [default: 64].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_concurrency: Option<u32>,

    /// Idle time of an instance before it is dropped [default: 10s].
    ///
    /// With --reuse, an instance waits for its next request. The instance that showed at the start
    /// that the component starts waits for its first.
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_warm: Option<Duration>,

    /// Requests that wait for an instance [default: 256].
    ///
    /// The next one gets 503.
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_queue: Option<usize>,

    /// Concurrent connections [default: 1024].
    ///
    /// The next one waits to be accepted.
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_connections: Option<usize>,

    /// Time a client may read nothing of its response [default: 30s].
    ///
    /// Then its connection is closed.
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_stall: Option<Duration>,

    /// Request head, at least 8KiB [default: 64KiB].
    ///
    /// A longer one gets 431.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_head: Option<u64>,

    /// Time a client may send nothing of a body [default: 15s].
    ///
    /// It counts while the guest waits for the body. Then the client gets 408.
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_body_stall: Option<Duration>,

    /// Minimum bytes per second from and to a client [default: 240].
    ///
    /// A client that sends a body that the guest waits for, or reads a response that is ready, more
    /// slowly is treated as one that stalls. The rate is an average over --max-body-stall and
    /// --max-stall. 0 means no minimum.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    min_rate: Option<u64>,

    /// Nested requests from guest to guest [default: 4].
    ///
    /// A guest that handles a request may send one to this host, or to another like it. A request
    /// that more requests of guests led to gets 508.
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_depth: Option<u32>,

    /// Idle time of a connection before it is closed [default: 15s].
    ///
    /// Sending the head of a request counts as idle.
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_idle: Option<Duration>,

    /// Concurrent requests on one HTTP/2 connection [default: 100].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_streams: Option<u32>,

    /// Output of a guest to the log, per request [default: 64KiB].
    ///
    /// The rest is dropped.
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_output: Option<u64>,

    #[command(flatten)]
    engine: EngineFlags,

    #[command(flatten)]
    blame: BlameFlags,

    #[command(flatten)]
    observe: ObserveFlags,
}

impl Serve {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        let config = self.config.read()?;
        let limits = self.limits(&config);
        let runtime = runtime()?;
        let operations = Arc::new(self.observe.open(&config.serve, runtime.handle())?);
        let serving = Serving {
            addr: self.addr.or(config.serve.addr).unwrap_or(ADDR),
            watch: self.watch || config.serve.watch,
            swap_asking_more: self.swap_asking_more || config.serve.swap_asking_more,
            blame: self.blame,
            proxies: self.trust_proxy.into_iter().chain(config.serve.proxies()).collect(),
        };
        let mut engine = self.engine;
        engine.fill(&config.limits);
        let loading = Loading {
            file: self.file,
            engine,
            grants: self.grants,
            granted: config.grants,
            limits,
            chosen: self.limits.max_open_files.or(config.limits.open_files).is_some(),
            operations: Arc::clone(&operations),
        };
        let outcome = runtime.block_on(serving.serve(loading, &operations));
        operations.finish();
        match &outcome {
            // Nobody waits for code that is still being compiled.
            Ok(End::BeforeItBegan) => runtime.shutdown_background(),
            // A guest that was cut off may have left something behind that waits without end: the opening of a
            // named pipe in a granted directory, for example.
            _ => runtime.shutdown_timeout(LEFT_BEHIND),
        }
        outcome?;
        Ok(ExitCode::SUCCESS)
    }

    fn limits(&self, config: &Config) -> Limits {
        let defaults = config.limits.over(Limits::default());
        Limits {
            request_body: self.max_request.unwrap_or(defaults.request_body),
            response_body: self.max_response.unwrap_or(defaults.response_body),
            concurrency: self.max_concurrency.unwrap_or(defaults.concurrency).max(1),
            reuse: self.reuse.or(config.serve.reuse).map_or(defaults.reuse, NonZeroU32::get),
            warm: self.max_warm.unwrap_or(defaults.warm),
            queue: self.max_queue.unwrap_or(defaults.queue),
            connections: self.max_connections.unwrap_or(defaults.connections).max(1),
            stall: self.max_stall.unwrap_or(defaults.stall),
            request_head: self.max_head.map_or(defaults.request_head, to_usize),
            body_stall: self.max_body_stall.unwrap_or(defaults.body_stall),
            rate: self.min_rate.unwrap_or(defaults.rate),
            depth: self.max_depth.unwrap_or(defaults.depth),
            idle: self.max_idle.unwrap_or(defaults.idle),
            streams: self.max_streams.unwrap_or(defaults.streams).max(1),
            output: self.max_output.unwrap_or(defaults.output),
            drain: self.drain.or(config.serve.drain()).unwrap_or(defaults.drain),
            ..self.limits.limits(defaults)
        }
    }
}

/// What it takes to load the component.
struct Loading {
    file: PathBuf,
    engine: EngineFlags,
    grants: GrantFlags,
    granted: GrantTable,
    limits: Limits,
    /// Whether somebody has chosen how many files an instance may have open.
    chosen: bool,
    operations: Arc<Operations>,
}

impl Loading {
    /// Loads it, which may take long. `None` when all that was wanted is to explain the engine.
    fn load(self) -> Result<Option<(App, Reload)>, Failure> {
        let Self { file, engine, grants, granted, mut limits, chosen, operations } = self;
        let pool = Pool {
            instances: limits.concurrency,
            memory: limits.memory,
            table_elements: limits.table_elements,
        };
        let Some(prepared) = engine.prepare(&file, Some(pool), true)? else { return Ok(None) };
        let grants = operations.count(grants.open(&granted)?);
        make_room(&grants, &mut limits, chosen);
        let setup = Setup { grants, limits, ..Setup::default() };
        let app = load(prepared, setup.clone())?;
        Ok(Some((app, Reload { file, engine, pool, setup })))
    }
}

/// How serving ended.
enum End {
    /// It was told to stop before there was a component.
    BeforeItBegan,
    Served,
}

/// The signals to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// How the component is served.
struct Serving {
    addr: SocketAddr,
    watch: bool,
    swap_asking_more: bool,
    blame: BlameFlags,
    proxies: Vec<Proxy>,
}

impl Serving {
    /// Loads the component, and serves it. Signals are heeded and the administrator is answered from the beginning: it may
    /// have to be compiled first.
    async fn serve(self, loading: Loading, operations: &Operations) -> Result<End, Failure> {
        let on_signal = |kind| signal(kind).map_err(Failure::host);
        let terminate = on_signal(SignalKind::terminate())?;
        let stop = Stop { terminate, interrupt: on_signal(SignalKind::interrupt())? };
        // One that comes before there is something to swap is kept until then.
        let hangup = on_signal(SignalKind::hangup())?;
        let swaps = Arc::new(OnceLock::new());
        let admin = operations.listen(Arc::clone(&swaps)).await?;
        let outcome = self.load_and_serve(loading, operations, stop, hangup, &swaps).await;
        // Until here it could be asked how the end goes on.
        if let Some(admin) = admin {
            admin.end().await;
        }
        outcome
    }

    /// Everything that can go wrong at the start does so before the line is printed.
    async fn load_and_serve(
        &self,
        loading: Loading,
        operations: &Operations,
        mut stop: Stop,
        hangup: Signal,
        there: &OnceLock<Swaps>,
    ) -> Result<End, Failure> {
        // From before the file is read, so that no change is missed. A file that is not there is for others to tell.
        let changes = self.watch.then(|| Changes::of(&loading.file));
        let started = tokio::select! {
            started = self.start(loading, operations) => started?,
            () = stop.asked() => {
                tracing::info!("stopped before the component was loaded");
                return Ok(End::BeforeItBegan);
            }
        };
        let Some((server, reload)) = started else { return Ok(End::Served) };
        let changes = changes.transpose()?;
        let swapper = server.swapper().asking_more(self.swap_asking_more);
        let swaps = Swaps::new(swapper, reload);
        let addr = self.addr;
        let cannot_listen = |error: std::io::Error| {
            Failure::host(anyhow::Error::new(error).context(format!(
                "cannot listen on {addr}. Stop whoever listens there, or name another address: --addr 127.0.0.1:0 takes a free port"
            )))
        };
        let listener = TcpListener::bind(addr).await.map_err(cannot_listen)?;
        let local = listener.local_addr().map_err(cannot_listen)?;
        // Set once, here.
        let _ = there.set(swaps.clone());
        print_line(&format!("listening on http://{local}"))?;
        // In a task of its own: the start of an instance must not hold up new connections.
        let swaps = tokio::spawn(swaps.follow(hangup, changes));
        let (tell, told) = oneshot::channel::<()>();
        let serving = server.serve(listener, async {
            let _ = told.await;
        });
        let signals = async {
            stop.asked().await;
            tracing::info!("stopping: requests in flight finish; a second signal cuts them off");
            swaps.abort();
            // Gone if the server has ended by itself.
            let _ = tell.send(());
            stop.asked().await;
            tracing::warn!("stopped: requests that were in flight are cut off");
        };
        tokio::select! {
            outcome = serving => outcome?,
            () = signals => {}
        }
        Ok(End::Served)
    }

    /// Loads the component, and makes sure that it can answer.
    async fn start(
        &self,
        loading: Loading,
        operations: &Operations,
    ) -> Result<Option<(Server, Reload)>, Failure> {
        let loaded = tokio::task::spawn_blocking(move || loading.load()).await.map_err(Failure::host)?;
        let Some((app, reload)) = loaded? else { return Ok(None) };
        let server = Server::new(app).await;
        if let Err(ServeError::Start { source, .. }) = &server {
            self.blame.explain(source, "the start of a first instance");
        }
        let server = server?.observe(Arc::clone(&operations.observe)).trust(self.proxies.clone());
        let server = if self.blame.explain_traps {
            server.on_failure(|failure| log::page(&failure.to_string()))
        } else {
            server
        };
        Ok(Some((server, reload)))
    }
}
