//! What the host keeps for one instance, and how the instance's imports find it.

use std::any::{Any, TypeId};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::body::HostOutgoingBody;
use wasmtime_wasi_http::p2::types::HostResponseOutparam;
use wasmtime_wasi_http::{
    RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::cpu::Meter;
use crate::descent;
use crate::grants::{Authority, Directory, Grants, Stdio};
use crate::held::{self, CHUNK, Held};
use crate::keyvalue::{self, Backend, Budget, Copies};
use crate::limits::{Exceeded, LimitHit, Limiter, Limits};
use crate::open_files::OpenFiles;
use crate::output::Output;

/// Tells the time of day. The host's own clock by default; a test brings one that it can set.
pub trait WallClock: Send + Sync + 'static {
    /// The time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;
}

/// What an extension fails with.
pub type ExtensionError = Box<dyn Error + Send + Sync>;

/// Why an instance could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A granted directory cannot be opened.
    #[error("the directory {} was granted and cannot be opened", directory.display())]
    Directory {
        /// The directory on the host.
        directory: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An extension of the host has nothing for the instance.
    #[error("the extension for {interfaces} cannot start")]
    Extension {
        /// The interfaces that it adds.
        interfaces: String,
        /// Why not.
        source: ExtensionError,
    },
}

/// What extensions keep for one instance, by their type.
#[derive(Default)]
pub(crate) struct Kept(Vec<(TypeId, Box<dyn Any + Send>)>);

impl Kept {
    pub(crate) fn add(&mut self, extension: TypeId, data: Box<dyn Any + Send>) {
        self.0.push((extension, data));
    }

    /// Returns what an extension of this type keeps, if it is there and of type `D`.
    fn of<D: 'static>(&mut self, extension: TypeId) -> Option<&mut D> {
        let (_, data) = self.0.iter_mut().find(|(id, _)| *id == extension)?;
        data.downcast_mut()
    }
}

/// What the host keeps for one instance of a component. Linkers of [extensions](crate::extension) are made for it.
pub struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    table: ResourceTable,
    held: Held,
    open_files: OpenFiles,
    keyvalue: Option<Arc<dyn Backend>>,
    seen: Copies,
    extensions: Kept,
    budget: Budget,
    output: Output,
    pub(crate) limiter: Limiter,
    /// How long the guest may take, and when it has to be done.
    time: Duration,
    deadline: Instant,
    /// How long it may compute, and for how long it has.
    cpu: Duration,
    pub(crate) meter: Meter,
}

impl State {
    pub(crate) fn new(
        grants: &Grants,
        extensions: Kept,
        limits: &Limits,
        clock: Option<&Arc<dyn WallClock>>,
        arguments: &[String],
        output: &Output,
    ) -> Result<Self, StartError> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.host_handles);
        let open_files = OpenFiles::new(limits.open_files);
        Ok(Self {
            wasi: context(grants, limits, clock, arguments, output)?,
            http: WasiHttpCtx::new(),
            outbound: Outbound {
                allowed: grants.outbound.clone().unwrap_or_default(),
                trace: HeaderMap::new(),
                depth: 0,
                open_files: open_files.clone(),
            },
            table,
            held: Held::new(limits.host_memory),
            open_files,
            keyvalue: grants.keyvalue.clone(),
            seen: Copies::default(),
            extensions,
            budget: Budget::new(limits),
            output: output.clone(),
            limiter: Limiter::new(*limits),
            // Every call sets its own before it enters the guest.
            time: Duration::ZERO,
            deadline: Instant::now(),
            cpu: limits.cpu,
            meter: Meter::default(),
        })
    }

    /// Returns what an extension keeps for this instance, and the table of the instance's handles.
    pub(crate) fn kept_and_table<D: 'static>(
        &mut self,
        extension: TypeId,
    ) -> (Option<&mut D>, &mut ResourceTable) {
        (self.extensions.of(extension), &mut self.table)
    }

    /// Makes ready for a call: what is counted for each call begins anew.
    pub(crate) fn begin(&mut self, time: Duration, deadline: Instant, limits: &Limits) {
        self.time = time;
        self.deadline = deadline;
        self.budget = Budget::new(limits);
        self.meter.reset();
    }

    /// What it prints to.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// The instance is there: from now on it grows.
    pub(crate) fn has_started(&mut self) {
        self.limiter.has_started();
    }

    /// What speaks against another call after one that went well: an answer or a body that was left open, a limit that was
    /// met, or that half of what there is has been used up.
    pub(crate) fn worn(&mut self) -> Option<&'static str> {
        let (mut handles, mut open) = (0, false);
        for entry in self.table.iter_mut() {
            handles += 1;
            open |= entry.is::<HostOutgoingBody>() || entry.is::<HostResponseOutparam>();
        }
        if open {
            Some("it left an answer open, or a body")
        } else if handles > self.table.max_capacity() / 2 {
            Some("it holds half of the resources that the host keeps for it")
        } else if !self.open_files.is_half_free() {
            Some("it has half of the files open that it may")
        } else if !self.held.is_half_free(&mut self.table) {
            Some("the host holds half of what it may hold for it")
        } else if !self.seen.is_half_free() {
            Some("the host keeps half of the values for its comparisons that it may")
        } else {
            self.limiter.worn()
        }
    }

    /// Sets the headers of a trace, or none, that go with what the guest sends without any of its own.
    pub(crate) fn go_on_with(&mut self, trace: HeaderMap) {
        self.outbound.trace = trace;
    }

    /// The guest works on a request to which so many requests of guests led.
    pub(crate) fn descend(&mut self, depth: u32) {
        self.outbound.depth = depth;
    }

    /// The limit on time that the guest has met, if it has. Only to be asked while it runs.
    pub(crate) fn out_of_time(&self, now: Instant) -> Option<LimitHit> {
        if now >= self.deadline {
            Some(self.time_limit())
        } else if self.meter.used() > self.cpu {
            Some(LimitHit::Cpu(self.cpu))
        } else {
            None
        }
    }

    /// When the guest has to be done.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The limit on its time.
    pub(crate) fn time_limit(&self) -> LimitHit {
        LimitHit::Time(self.time)
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Counts something that the host is about to keep for the instance.
    pub(crate) fn hold(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.held.count(bytes, &mut self.table).map_err(|hit| Exceeded(hit).into())
    }

    pub(crate) fn open_files(&self) -> &OpenFiles {
        &self.open_files
    }

    pub(crate) fn keyvalue(&mut self) -> keyvalue::View<'_> {
        keyvalue::View {
            backend: self.keyvalue.as_ref(),
            table: &mut self.table,
            seen: &mut self.seen,
            deadline: (self.deadline, self.time),
            budget: &mut self.budget,
        }
    }
}

fn context(
    grants: &Grants,
    limits: &Limits,
    clock: Option<&Arc<dyn WallClock>>,
    arguments: &[String],
    output: &Output,
) -> Result<WasiCtx, StartError> {
    // The builder starts with closed streams, no variables, no directories and no addresses.
    let mut builder = WasiCtxBuilder::new();
    if grants.stdio == Some(Stdio::Inherit) {
        match output {
            Output::Host => builder.inherit_stdio(),
            Output::Log(log) => builder.stdout(log.stdout.clone()).stderr(log.stderr.clone()),
        };
    }
    // A call for more is a trap.
    builder.max_random_size(limits.host_memory as u64);
    builder.envs(grants.environment.as_deref().unwrap_or_default()).args(arguments);
    for directory in grants.directories.iter().flatten() {
        preopen(&mut builder, directory)?;
    }
    if let Some(clock) = clock {
        builder.wall_clock(SharedClock(Arc::clone(clock)));
    }
    Ok(builder.build())
}

fn preopen(builder: &mut WasiCtxBuilder, directory: &Directory) -> Result<(), StartError> {
    let access = if directory.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
    builder
        .preopened_dir(&directory.host, &directory.guest, access)
        .map(drop)
        .map_err(|error| StartError::Directory { directory: directory.host.clone(), source: error.into() })
}

struct SharedClock(Arc<dyn WallClock>);

impl HostWallClock for SharedClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0.now()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Bytes in the head of a response from another server: as many as one set of fields may have.
const MOST_HEAD: usize = 128 << 10;

/// Lets requests out to the granted authorities and denies all others.
struct Outbound {
    allowed: Vec<Authority>,
    /// What a request is given that says of no trace. Empty without traces.
    trace: HeaderMap,
    /// How many requests of guests led to what the guest works on.
    depth: u32,
    /// Each request has a connection of its own.
    open_files: OpenFiles,
}

/// What the engine's HTTP calls the answer to a request.
type Answer =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Sent> + Send>), wasmtime_wasi_http::Error>;
type Sent = Result<(), wasmtime_wasi_http::Error>;

impl WasiHttpHooks for Outbound {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        mut request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Sent> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        use http_body_util::BodyExt;

        let uri = request.uri();
        let https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let granted = uri
            .authority()
            .is_some_and(|asked| self.allowed.iter().any(|allowed| allowed.allows(asked, https)));
        if !granted {
            // Nothing else of the URI: paths and queries hold keys and names of people.
            let asked = uri.authority().map_or("no host", |authority| {
                let whole = authority.as_str();
                whole.rsplit_once('@').map_or(whole, |(_, host)| host)
            });
            tracing::warn!("a request to {asked} was denied: its authority is not granted (--http-out)");
            return Box::new(async { Err(wasmtime_wasi_http::Error::HttpRequestDenied) });
        }
        if !request.headers().contains_key("traceparent") {
            request.headers_mut().extend(self.trace.clone());
        }
        descent::mark(request.headers_mut(), self.depth);
        let room = match self.open_files.room() {
            Ok(room) => room,
            Err(hit) => {
                tracing::warn!("a guest may not open another connection: {hit}");
                return Box::new(async { Err(wasmtime_wasi_http::Error::ConnectionLimitReached) });
            }
        };
        Box::new(async move {
            let (answer, rest) = wasmtime_wasi_http::default_send_request(request, options).await?;
            let head = held::headers(answer.headers());
            if head > MOST_HEAD {
                let size = u32::try_from(head).ok();
                return Err(wasmtime_wasi_http::Error::HttpResponseHeaderSectionSize(size));
            }
            let rest: Box<dyn Future<Output = Sent> + Send> = Box::new(async move {
                let sent = rest.await;
                drop(room);
                sent
            });
            Ok((answer.map(BodyExt::boxed_unsync), rest))
        })
    }
}
