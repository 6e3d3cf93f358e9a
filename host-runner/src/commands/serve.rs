//! `host-runner serve`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use host_runner::{App, Limits, Pool, ServeError, Server, Setup};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::config::{self, Config, ConfigFlag};
use super::flags::{BlameFlags, EngineFlags, GrantFlags, LimitFlags, size, time, to_usize};
use super::observe::{ObserveFlags, Operations};
use super::open_files::make_room;
use super::swap::{Changes, Reload, Swaps};
use super::{Failure, load, print_line, runtime};
use crate::log;

/// How long the end waits for what guests left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(1);

/// Where a server listens that nobody told.
const ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Answers HTTP requests with a component that exports wasi:http/incoming-handler@0.2 or wasi:http/handler@0.3.
///
/// Speaks HTTP/1.1, and HTTP/2 with prior knowledge on the same port, without TLS.
/// Every request gets a fresh instance, unless --reuse says otherwise. Prints one line,
/// `listening on http://ADDRESS`, once it accepts. SIGTERM and SIGINT stop it: it accepts no more, and requests in
/// flight finish. A second one cuts them off.
///
/// SIGHUP swaps in the component that now lies in FILE: it is loaded beside the running one, started, and compared with
/// it; then all new requests are its, and those in flight end on the one that they began on. It must export all that the
/// running one does, and ask for no more. Where it cannot take over, the log says why, and the running one goes on.
#[derive(Args)]
#[command(after_long_help = config::HELP)]
pub(crate) struct Serve {
    /// The component.
    file: PathBuf,

    /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8080].
    #[arg(long)]
    addr: Option<SocketAddr>,

    /// How long requests in flight may take to finish after the signal to stop [default: 30s].
    #[arg(long, value_name = "TIME", value_parser = time)]
    drain: Option<Duration>,

    /// Requests that an instance answers, one after the other, before it is dropped [default: 1].
    ///
    /// With 1 every request has an instance of its own. More is for components that are safe for it: a request may see
    /// what a request before it left in the guest's memory. An instance that trapped, met a limit or left something
    /// unfinished gets no other request.
    #[arg(long, value_name = "COUNT")]
    reuse: Option<NonZeroU32>,

    /// Swaps the component as SIGHUP does whenever its file changes.
    #[arg(long)]
    watch: bool,

    /// Lets a component be swapped in that asks for grants which the running one does not ask for: those that are
    /// granted here.
    #[arg(long)]
    swap_asking_more: bool,

    #[command(flatten)]
    config: ConfigFlag,

    #[command(flatten)]
    grants: GrantFlags,

    #[command(flatten)]
    limits: LimitFlags,

    /// Bytes in the body of a request [default: 8MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_request: Option<u64>,

    /// Bytes in the body of an answer [default: 64MiB].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_response: Option<u64>,

    /// Instances at the same time [default: 64].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_concurrency: Option<u32>,

    /// How long an instance waits for its next request before it is dropped, with --reuse [default: 10s].
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_warm: Option<Duration>,

    /// Requests that wait for an instance; the next one is answered 503 [default: 256].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_queue: Option<usize>,

    /// Connections at the same time; the next one waits to be accepted [default: 1024].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_connections: Option<usize>,

    /// How long a client may take nothing of its answer before its connection is closed [default: 30s].
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_stall: Option<Duration>,

    /// Bytes in the head of a request, 8KiB at least; a longer one is answered 431 [default: 64KiB].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    max_head: Option<u64>,

    /// How long a client may send nothing of a body that its guest waits for, before it is answered 408 [default: 15s].
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_body_stall: Option<Duration>,

    /// How long a connection may have no request, before it is closed; sending the head of one counts [default: 15s].
    #[arg(long, value_name = "TIME|none", value_parser = time, help_heading = "Limits")]
    max_idle: Option<Duration>,

    /// Requests at the same time on one connection of HTTP/2 [default: 100].
    #[arg(long, value_name = "COUNT", help_heading = "Limits")]
    max_streams: Option<u32>,

    /// Bytes that a guest may print to the log for one request; the rest is dropped [default: 64KiB].
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
        let mut limits = self.limits(&config);
        let addr = self.addr.or(config.serve.addr).unwrap_or(ADDR);
        let runtime = runtime()?;
        let operations = self.observe.open(&config.serve, runtime.handle())?;
        let pool = Pool {
            instances: limits.concurrency,
            memory: limits.memory,
            table_elements: limits.table_elements,
        };
        let Some(prepared) = self.engine.prepare(&self.file, Some(pool), true)? else {
            return Ok(ExitCode::SUCCESS);
        };
        let grants = operations.count(self.grants.open(&config.grants)?);
        let chosen = self.limits.max_open_files.or(config.limits.open_files).is_some();
        make_room(&grants, &mut limits, chosen);
        let setup = Setup { grants, limits, ..Setup::default() };
        let app = load(prepared, setup.clone())?;
        let serving = Serving {
            addr,
            watch: self.watch || config.serve.watch,
            swap_asking_more: self.swap_asking_more || config.serve.swap_asking_more,
            blame: self.blame,
            reload: Reload { file: self.file, engine: self.engine, pool, setup },
        };
        let outcome = runtime.block_on(serving.serve(app, &operations));
        operations.finish();
        // A guest that was cut off may have left something behind that waits without end: the opening of a
        // named pipe in a granted folder, for example.
        runtime.shutdown_timeout(LEFT_BEHIND);
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
            idle: self.max_idle.unwrap_or(defaults.idle),
            streams: self.max_streams.unwrap_or(defaults.streams).max(1),
            output: self.max_output.unwrap_or(defaults.output),
            drain: self.drain.or(config.serve.drain()).unwrap_or(defaults.drain),
            ..self.limits.limits(defaults)
        }
    }
}

/// What is served, besides the component.
struct Serving {
    addr: SocketAddr,
    watch: bool,
    swap_asking_more: bool,
    blame: BlameFlags,
    reload: Reload,
}

impl Serving {
    /// Everything that can go wrong at the start does so before the line is printed.
    async fn serve(self, app: App, operations: &Operations) -> Result<(), Failure> {
        let server = self.start(app, operations).await?;
        let on_signal = |kind| signal(kind).map_err(Failure::host);
        let mut terminate = on_signal(SignalKind::terminate())?;
        let mut interrupt = on_signal(SignalKind::interrupt())?;
        let hangup = on_signal(SignalKind::hangup())?;
        let changes = if self.watch { Some(Changes::of(&self.reload.file)?) } else { None };
        let swapper = server.swapper().asking_more(self.swap_asking_more);
        let swaps = Swaps { swapper, reload: Arc::new(self.reload) };
        let admin = operations.listen(swaps.clone()).await?;
        let addr = self.addr;
        let cannot_listen = |error: std::io::Error| {
            Failure::host(anyhow::Error::new(error).context(format!(
                "cannot listen on {addr}. Stop whoever listens there, or name another address: --addr 127.0.0.1:0 takes a free port"
            )))
        };
        let listener = TcpListener::bind(addr).await.map_err(cannot_listen)?;
        let local = listener.local_addr().map_err(cannot_listen)?;
        print_line(&format!("listening on http://{local}"))?;
        // In a task of its own: the start of an instance must not hold up new connections.
        let swaps = tokio::spawn(swaps.follow(hangup, changes));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = server.serve(listener, async {
            let _ = stopped.await;
        });
        let signals = async {
            either(&mut terminate, &mut interrupt).await;
            tracing::info!("stopping: requests in flight finish; a second signal cuts them off");
            swaps.abort();
            // Gone if the server has ended by itself.
            let _ = stop.send(());
            either(&mut terminate, &mut interrupt).await;
            tracing::warn!("stopped: requests that were in flight are cut off");
        };
        let outcome = tokio::select! {
            outcome = serving => outcome,
            () = signals => Ok(()),
        };
        // Until here it could be asked how the end goes on.
        if let Some(admin) = admin {
            admin.end().await;
        }
        Ok(outcome?)
    }

    async fn start(&self, app: App, operations: &Operations) -> Result<Server, Failure> {
        let server = Server::new(app).await;
        if let Err(ServeError::Start { source, .. }) = &server {
            self.blame.explain(source, "the start of a first instance");
        }
        let server = server?.observe(Arc::clone(&operations.observe));
        Ok(if self.blame.explain_traps {
            server.on_failure(|failure| log::page(&failure.to_string()))
        } else {
            server
        })
    }
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
