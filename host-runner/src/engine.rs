//! The engine: compiler settings chosen for a component, and the clock that interrupts guests.
//!
//! What a component needs is found out from its bytes ([`Demands`]), and the settings are chosen for that
//! ([`Settings`]), each with its reason. *Concurrency support* is off where the component validates without: then a
//! call from part to part costs half. *Epochs, not fuel*: an epoch check costs a load and a compare, and ticks with the wall
//! clock, which is what a limit on a request is about.

use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use wasmtime::ResourcesRequired;

use crate::code::{self, Cache, Compiler, Key};

use crate::tuning::Tuned;

pub use crate::tuning::{Choice, Demands, Exactness, Feature, Holdings, Pool, Settings, Tuning};

/// How often running guests are looked at: the granularity of every limit on time, and how long a guest
/// that computes keeps a thread before others get their turn.
pub const TICK: Duration = Duration::from_millis(10);

/// What to build an [`Engine`] for.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Its settings.
    pub tuning: Tuning,
    /// Keeps compiled code. `None` keeps nothing.
    pub cache: Option<Cache>,
    /// The key of code that was compiled ahead of time. `None` takes that of the cache.
    pub key: Option<Key>,
    /// Compiles in processes of their own, so that what a component costs while it is compiled is limited. `None` compiles in
    /// this process, without limits: only what is [declared](Self::structure) in a component is bounded then.
    pub compiler: Option<Compiler>,
    /// How many times each bound on the [structure](anatomy::bounds) of a component is taken. `None` is once.
    pub structure: Option<NonZeroU32>,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine refuses its settings, or this machine cannot run it.
    #[error("the WebAssembly engine cannot start on this machine")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Compiles and runs components. Cheap to clone; all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    tuned: Tuned,
    options: EngineOptions,
    /// Whether the settings were chosen for a component.
    chosen: bool,
    fingerprint: OnceLock<String>,
}

impl EngineOptions {
    /// The key of code that was compiled ahead of time.
    pub(crate) fn any_key(&self) -> Option<&Key> {
        self.key.as_ref().or_else(|| self.cache.as_ref().map(Cache::key))
    }

    /// How many times each bound on the structure of a component is taken.
    pub(crate) fn structure(&self) -> u32 {
        self.structure.map_or(1, NonZeroU32::get)
    }

    /// What stands for the engine where code is looked for before it is known what the component needs: the same for
    /// all engines of these options that are chosen for a component, and for all that are not.
    pub(crate) fn fingerprint(&self, chosen: bool) -> Result<String, EngineError> {
        let tuning = Tuning { pool: None, ..self.tuning.clone() };
        let settings = Settings::choose(&tuning, &Demands::unknown());
        let engine =
            wasmtime::Engine::new(&settings.config()).map_err(|error| EngineError::Start(error.into()))?;
        // Unknown demands choose what `Some(true)` tells, and a component may choose otherwise.
        Ok(code::fingerprint(&engine, (chosen, self.tuning.concurrency)))
    }
}

impl Engine {
    /// Builds an engine for whatever component: with support for asynchronous calls, and with a pool, if any, of
    /// sizes that most components fit into. [`Engine::for_demands`] is faster where the component is known.
    pub fn new(options: &EngineOptions) -> Result<Self, EngineError> {
        Self::build(options, &Demands::unknown(), false)
    }

    /// Builds an engine with the settings that suit a component, and starts the thread that ticks its epoch; the thread
    /// ends with the last clone.
    ///
    /// Where the address space for a pool cannot be had (a container with a limit on it), instances are
    /// allocated on demand instead: slower, and the same in everything else.
    pub fn for_demands(options: &EngineOptions, demands: &Demands) -> Result<Self, EngineError> {
        Self::build(options, demands, true)
    }

    fn build(options: &EngineOptions, demands: &Demands, chosen: bool) -> Result<Self, EngineError> {
        let tuned =
            Tuned::build(&options.tuning, demands).map_err(|error| EngineError::Start(error.into()))?;
        tick(tuned.inner()).map_err(|error| EngineError::Start(error.into()))?;
        let shared = Shared { tuned, options: options.clone(), chosen, fingerprint: OnceLock::new() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What was chosen, with the reasons.
    pub fn settings(&self) -> &Settings {
        self.shared.tuned.settings()
    }

    /// Whether it keeps the code that it compiles.
    pub fn keeps_code(&self) -> bool {
        self.shared.options.cache.is_some()
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        self.shared.tuned.inner()
    }

    /// The engine below with its settings: all that code is compiled and loaded with.
    pub(crate) fn tuned(&self) -> &Tuned {
        &self.shared.tuned
    }

    /// What compiles for it, in processes of their own.
    pub(crate) fn compiler(&self) -> Option<&Compiler> {
        self.shared.options.compiler.as_ref()
    }

    /// How many times each bound on the structure of a component is taken.
    pub(crate) fn structure(&self) -> u32 {
        self.shared.options.structure()
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.shared.options.cache.as_ref()
    }

    /// The key of code that was compiled ahead of time.
    pub(crate) fn key(&self) -> Option<&Key> {
        self.shared.options.any_key()
    }

    /// What code is looked for by, besides the component.
    pub(crate) fn fingerprint(&self) -> &str {
        // An engine was built of these options already, so another one will be.
        self.shared
            .fingerprint
            .get_or_init(|| self.shared.options.fingerprint(self.shared.chosen).unwrap_or_default())
    }

    /// How many instances that need this much fit into the pool at once; no bound without a pool.
    pub(crate) fn room_for(&self, need: Option<&ResourcesRequired>) -> Option<u32> {
        let slots = self.settings().slots()?;
        let (memories, tables) = need.map_or((0, 0), |need| (need.num_memories, need.num_tables));
        let room =
            |of_instance: u32, needed: u32| slots.instances.saturating_mul(of_instance) / needed.max(1);
        Some(slots.instances.min(room(slots.memories, memories)).min(room(slots.tables, tables)))
    }
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
