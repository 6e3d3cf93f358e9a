//! The engine: one set of compiler settings for the whole host, and the clock that interrupts guests.
//!
//! Two decisions stand here. *Concurrency support is off* unless it is asked for: WASI 0.2 has no use for
//! it, and without it calls and instantiation cost about half. A component that needs the asynchronous
//! component model is then invalid and told so when it is loaded. *Epochs, not fuel*: an epoch
//! check costs a load and a compare, and ticks with the wall clock, which is what a limit on a request
//! is about.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig,
    ResourcesRequired,
};

use crate::blame;

/// How often running guests are looked at: the granularity of every limit on time, and how long a guest
/// that computes keeps a thread before others get their turn.
pub const TICK: Duration = Duration::from_millis(10);

/// Bytes of a memory slot that stay in place between two instances instead of being given back to the
/// kernel. Large guests (a JavaScript engine touches about ten megabytes) start twice as fast this way.
const KEPT_RESIDENT: usize = 20 << 20;

/// Memories and tables that the pool holds for each instance. A composition has about one a part.
const POOLED_PER_INSTANCE: u32 = 16;

/// What to build an [`Engine`] for.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Prepares room for this many instances, so that a fresh one costs microseconds. `None` allocates on
    /// demand, which is right for a single call.
    pub pool: Option<Pool>,
    /// Keeps compiled code in this folder, keyed by the code and by the engine's settings. The engine
    /// trusts what it finds there: nobody else may be able to write to it. `None` keeps nothing.
    pub cache: Option<PathBuf>,
    /// Support for asynchronous calls, which components of WASI 0.3 need. `None` is off: calls then cost less.
    pub concurrency: Option<bool>,
}

/// The size of the pool.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// How many instances of the component exist at the same time.
    pub instances: u32,
    /// The largest single memory, in bytes.
    pub memory: usize,
    /// The largest single table, in elements.
    pub table_elements: usize,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The folder for compiled code cannot be used.
    #[error("the folder for compiled code, {}, cannot be used", folder.display())]
    Cache {
        /// The folder that was asked for.
        folder: PathBuf,
        /// What the engine or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine refuses its settings, or this machine cannot run it.
    #[error("the WebAssembly engine cannot start on this machine")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Compiles and runs components. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    pooled: Option<Pool>,
    concurrency: bool,
}

impl Engine {
    /// Builds an engine and starts the thread that ticks its epoch; the thread ends with the last clone.
    ///
    /// Where the address space for a pool cannot be had (a container with a limit on it), instances are
    /// allocated on demand instead: slower, and the same in everything else.
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        let concurrency = options.concurrency.unwrap_or(false);
        let mut config = base_config(concurrency);
        if let Some(folder) = &options.cache {
            config.cache(Some(open_cache(folder)?));
        }
        let mut pooled = None;
        let engine = match options.pool {
            Some(pool) => {
                config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(pool, concurrency)));
                match wasmtime::Engine::new(&config) {
                    Ok(engine) => {
                        pooled = Some(pool);
                        Ok(engine)
                    }
                    Err(error) => {
                        tracing::warn!("no room for a pool of instances ({error:#}): allocating on demand");
                        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
                        wasmtime::Engine::new(&config)
                    }
                }
            }
            None => wasmtime::Engine::new(&config),
        }
        .map_err(|error| EngineError::Start(error.into()))?;
        tick(&engine).map_err(|error| EngineError::Start(error.into()))?;
        Ok(Self { inner: engine, pooled, concurrency })
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Whether it supports asynchronous calls.
    pub(crate) fn concurrency(&self) -> bool {
        self.concurrency
    }

    /// How many instances that need this much fit into the pool at once; no bound without a pool.
    pub(crate) fn room_for(&self, need: Option<&ResourcesRequired>) -> Option<u32> {
        let pool = self.pooled?;
        let (memories, tables) = need.map_or((0, 0), |need| (need.num_memories, need.num_tables));
        let many = pool.instances.saturating_mul(POOLED_PER_INSTANCE);
        Some(pool.instances.min(many / memories.max(1)).min(many / tables.max(1)))
    }
}

fn base_config(concurrency: bool) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(concurrency).wasm_component_model(true);
    config.wasm_backtrace_max_frames(NonZeroUsize::new(blame::FRAMES));
    config
}

fn open_cache(folder: &PathBuf) -> Result<Cache, EngineError> {
    let failed = |source| EngineError::Cache { folder: folder.clone(), source };
    std::fs::create_dir_all(folder).map_err(|error| failed(error.into()))?;
    // The engine wants an absolute path.
    let absolute = folder.canonicalize().map_err(|error| failed(error.into()))?;
    let mut config = CacheConfig::new();
    config.with_directory(absolute);
    Cache::new(config).map_err(|error| failed(error.into()))
}

fn pooling(pool: Pool, concurrency: bool) -> PoolingAllocationConfig {
    let instances = pool.instances.max(1);
    let many = instances.saturating_mul(POOLED_PER_INSTANCE);
    let mut config = PoolingAllocationConfig::new();
    config
        .total_component_instances(instances)
        // Core instances lie in no slot: what the pool does with this number is to compare it.
        .total_core_instances(u32::MAX)
        .total_memories(many)
        .total_tables(many)
        .total_stacks(instances.saturating_mul(if concurrency { 4 } else { 1 }).saturating_add(8))
        .max_memories_per_module(POOLED_PER_INSTANCE)
        .max_tables_per_module(POOLED_PER_INSTANCE)
        .max_memory_size(pool.memory)
        .table_elements(pool.table_elements)
        .linear_memory_keep_resident(KEPT_RESIDENT)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::No);
    config
}

fn tick(engine: &wasmtime::Engine) -> std::io::Result<()> {
    let weak = engine.weak();
    thread::Builder::new()
        .name("epoch".into())
        .spawn(move || {
            loop {
                thread::sleep(TICK);
                let Some(engine) = weak.upgrade() else { break };
                engine.increment_epoch();
            }
        })
        .map(drop)
}
