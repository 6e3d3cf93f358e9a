//! The settings of an engine: what a component demands, and what is chosen for it, each with its reason.

mod demands;
mod settings;

pub use demands::{Demands, Feature, Holdings};
pub(crate) use settings::Recipe;
pub use settings::{Choice, Exactness, Settings};

/// What is asked of an engine's settings. Where an option is `None`, it is chosen for the component.
#[derive(Debug, Clone, Default)]
pub struct Tuning {
    /// Prepares room for this many instances, so that a fresh one costs microseconds. `None` allocates on
    /// demand, which is right for a single call.
    pub pool: Option<Pool>,
    /// How exactly a trap is blamed on a part.
    pub blame: Exactness,
    /// Support for asynchronous calls. A component that needs it is invalid without.
    pub concurrency: Option<bool>,
    /// Whether instances map the image of their heap and copy only what they write to. `None` is on.
    pub copy_on_write: Option<bool>,
    /// Bytes of each memory in a pool that stay in place between two instances, instead of being given back to the
    /// system and asked for again, page by page.
    pub resident_memory: Option<u64>,
    /// Bytes of each table in a pool that stay in place between two instances.
    pub resident_table: Option<u64>,
    /// A memory gets a place of the pool that it was in before, if one is free. Where none is, and more than so many places
    /// are free that others were in, it takes one of those, and else one that was never used. `None` is no bound.
    pub warm_slots: Option<u32>,
    /// Whether the system is asked which pages of a memory were written to, so that only those are restored. Linux
    /// from 6.7 on; elsewhere it is off.
    pub page_map_scan: Option<bool>,
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

/// The engine below, and the settings that it was made with.
pub(crate) struct Tuned {
    inner: wasmtime::Engine,
    settings: Settings,
}

impl Tuned {
    /// Builds an engine with the settings that suit a component.
    ///
    /// Where the address space for a pool cannot be had (a container with a limit on it), instances are
    /// allocated on demand instead: slower, and the same in everything else.
    pub(crate) fn build(tuning: &Tuning, demands: &Demands) -> wasmtime::Result<Self> {
        let mut settings = Settings::choose(tuning, demands);
        let mut built = wasmtime::Engine::new(&settings.config());
        if let Err(error) = &built
            && settings.slots().is_some()
        {
            tracing::warn!("no room for a pool of instances ({error:#}): allocating on demand");
            settings = settings.without_pool(format!("there was no room for one: {error:#}"));
            built = wasmtime::Engine::new(&settings.config());
        }
        Ok(Self { inner: built?, settings })
    }

    pub(crate) fn inner(&self) -> &wasmtime::Engine {
        &self.inner
    }

    /// Returns what was chosen, with the reasons.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}
