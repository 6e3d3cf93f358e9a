//! What the engine and the process use, read when somebody asks.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;
use rustix::time::{ClockId, clock_gettime};
use wasmtime::Engine;

use super::as_gauge;
use super::labels::OfComponent;
use crate::app::{App, WeakApp};
use crate::limits::InUse;

/// The apps that are loaded. None is kept for being in it.
#[derive(Clone, Default)]
pub(super) struct Apps(Arc<Mutex<Vec<WeakApp>>>);

impl Apps {
    pub(super) fn add(&self, app: &App) {
        let mut apps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        apps.retain(|app| app.upgrade().is_some());
        apps.push(app.downgrade());
    }

    fn loaded(&self) -> Vec<App> {
        let apps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        apps.iter().filter_map(WeakApp::upgrade).collect()
    }
}

impl fmt::Debug for Apps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.loaded()).finish()
    }
}

/// The digest of the component that answers, if it is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Option<String>>>);

impl Running {
    pub(super) fn set(&self, digest: Option<&str>) {
        *self.digest() = digest.map(str::to_owned);
    }

    fn digest(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Running {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(digest) = self.digest().clone() else { return Ok(()) };
        let info = Info::new(OfComponent { digest });
        let help = "The component that answers requests, by its SHA-256.";
        info.encode(encoder.encode_descriptor("component", help, None, info.metric_type())?)
    }
}

/// What all pools hold together.
#[derive(Default)]
struct Pools {
    core_instances: i64,
    memories: i64,
    tables: i64,
    stacks: i64,
    idle_memories: i64,
    idle_memory_bytes: i64,
    idle_table_bytes: i64,
    idle_stack_bytes: i64,
}

impl Pools {
    fn add(&mut self, engine: &Engine) {
        let Some(pool) = engine.pooling_allocator_metrics() else { return };
        self.core_instances += i64::try_from(pool.core_instances()).unwrap_or(i64::MAX);
        self.memories += as_gauge(pool.memories());
        self.tables += as_gauge(pool.tables());
        self.stacks += as_gauge(pool.stacks());
        self.idle_memories += i64::from(pool.unused_warm_memories());
        self.idle_memory_bytes += as_gauge(pool.unused_memory_bytes_resident());
        self.idle_table_bytes += as_gauge(pool.unused_table_bytes_resident());
        self.idle_stack_bytes += as_gauge(pool.unused_stack_bytes_resident().unwrap_or(0));
    }
}

/// Writes gauges.
struct Gauges<'a>(DescriptorEncoder<'a>);

impl Gauges<'_> {
    fn write<N: EncodeGaugeValue>(
        &mut self,
        name: &str,
        unit: Option<Unit>,
        help: &str,
        value: N,
    ) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        // The registry adds the full stop to what it holds itself.
        let help = format!("{help}.");
        gauge.encode(self.0.encode_descriptor(name, &help, unit.as_ref(), gauge.metric_type())?)
    }
}

/// What engines hold for the apps that are loaded.
#[derive(Debug)]
pub(super) struct Engines(pub(super) Apps);

impl Collector for Engines {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let apps = self.0.loaded();
        let mut engines: Vec<&Engine> = Vec::new();
        let mut code = 0;
        for app in &apps {
            let image = app.component().image_range();
            code += as_gauge(image.end as usize - image.start as usize);
            let engine = app.component().engine();
            if !engines.iter().any(|other| Engine::same(other, engine)) {
                engines.push(engine);
            }
        }
        let mut pools = Pools::default();
        engines.iter().for_each(|engine| pools.add(engine));
        let mut gauges = Gauges(encoder);
        let bytes = || Some(Unit::Bytes);
        gauges.write("compositions", None, "Components that are loaded", as_gauge(apps.len()))?;
        gauges.write("compiled_code", bytes(), "Compiled code that is mapped", code)?;
        gauges.write("pool_core_instances", None, "Core instances in use", pools.core_instances)?;
        gauges.write("pool_memories", None, "Memories in use", pools.memories)?;
        gauges.write("pool_tables", None, "Tables in use", pools.tables)?;
        gauges.write("pool_stacks", None, "Stacks in use", pools.stacks)?;
        gauges.write(
            "pool_idle_memories",
            None,
            "Memories that were in use, and are kept for the next instance",
            pools.idle_memories,
        )?;
        gauges.write(
            "pool_idle_memory",
            bytes(),
            "What stays in place of memories that are not in use",
            pools.idle_memory_bytes,
        )?;
        gauges.write(
            "pool_idle_table",
            bytes(),
            "What stays in place of tables that are not in use",
            pools.idle_table_bytes,
        )?;
        gauges.write(
            "pool_idle_stack",
            bytes(),
            "What stays in place of stacks that are not in use",
            pools.idle_stack_bytes,
        )
    }
}

/// The memory that all guests together have.
#[derive(Debug)]
pub(super) struct GuestMemory(pub(super) InUse);

impl Collector for GuestMemory {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Memory that guests have";
        Gauges(encoder).write("guest_memory", Some(Unit::Bytes), help, self.0.bytes())
    }
}

/// This process, under the names that all programs have in Prometheus.
#[derive(Debug)]
pub(super) struct Process {
    /// When it began to be watched, which is soon after its start, in seconds of the Unix clock.
    began: f64,
}

impl Process {
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: now.as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let computed = ConstCounter::new(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9);
        computed.encode(encoder.encode_descriptor(
            "process_cpu",
            "Computing time of all threads.",
            Some(&Unit::Seconds),
            computed.metric_type(),
        )?)?;
        let mut gauges = Gauges(encoder);
        gauges.write("process_start_time", Some(Unit::Seconds), "When the host started", self.began)?;
        if let Some(resident) = resident() {
            let help = "Memory of the whole process that is in place";
            gauges.write("process_resident_memory", Some(Unit::Bytes), help, as_gauge(resident))?;
        }
        if let Some(open) = open_files() {
            gauges.write("process_open_fds", None, "Open files and sockets", as_gauge(open))?;
        }
        Ok(())
    }
}

/// Bytes of the process that are in place, where the system tells (Linux).
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kilobytes << 10)
}

/// Open files and sockets, where the system tells (Linux).
fn open_files() -> Option<usize> {
    // The directory that is read is open meanwhile.
    std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1))
}
