//! What is chosen for a component, and why.

use std::fmt;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use wasmtime::{Config, Enabled, Inlining, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::demands::{Demands, Feature, Holdings};
use super::{Pool, Tuning};
use crate::blame;

/// Memories and tables that a pool holds for each instance of a component of which nothing is known. A composition has
/// about one a part.
const UNKNOWN_PER_INSTANCE: u32 = 16;

/// Bytes of each memory that stay resident for a component of which nothing is known.
const UNKNOWN_RESIDENT: u64 = 20 << 20;

/// The most that stays resident of each memory, unless more is asked for: what all memories of all instances keep is
/// memory that the machine does without.
const MOST_RESIDENT: u64 = 32 << 20;

/// What a guest usually writes to beyond what it starts with: its heap and its stack.
const BEYOND_START: u64 = 1 << 20;

/// The largest heap image that is mapped whatever it consists of. The engine's own bound is 16 MiB.
const MOST_IMAGE: u64 = 128 << 20;
const ENGINE_IMAGE: u64 = 16 << 20;

/// Bytes of an element of a table.
const ELEMENT: u64 = 8;

/// How exactly a trap is blamed on a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exactness {
    /// Nothing is inlined from one module into another, so that every frame of a trap is where its code came from.
    #[default]
    Exact,
    /// Functions may be inlined from one module into another: a call from part to part that does next to nothing costs
    /// half, and a frame of a trap may hide a function of another part that was inlined into it.
    Coarse,
}

/// One setting, what was chosen for it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// The setting.
    pub setting: &'static str,
    /// What was chosen.
    pub chosen: String,
    /// Why.
    pub reason: String,
    /// The flag that decides otherwise; what it does not need to be told has none.
    pub flag: Option<&'static str>,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<18} {:<10} {}", self.setting, self.chosen, self.reason)?;
        match self.flag {
            Some(flag) => write!(f, " ({flag})"),
            None => Ok(()),
        }
    }
}

/// The room that a pool makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    pub(crate) instances: u32,
    pub(crate) memories: u32,
    pub(crate) tables: u32,
    memories_of_a_module: u32,
    tables_of_a_module: u32,
    memory: usize,
    table_elements: usize,
    resident_memory: u64,
    resident_table: u64,
    page_map_scan: bool,
    warm: u32,
}

/// Those of the settings that decide how code is compiled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    concurrency: bool,
    features: Vec<Feature>,
    pub(crate) blame: Exactness,
    copy_on_write: bool,
    image: u64,
}

/// The settings of an engine, with the reason of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    recipe: Recipe,
    slots: Option<Slots>,
    choices: Vec<Choice>,
}

impl Settings {
    /// Chooses for what a component needs; what the options say is done as they say.
    pub fn choose(tuning: &Tuning, demands: &Demands) -> Self {
        let mut choices = Choices::default();
        let concurrency = choices.concurrency(tuning.concurrency, demands.concurrency);
        choices.features(&demands.features);
        choices.blame(tuning.blame);
        let copy_on_write = choices.copy_on_write(tuning.copy_on_write);
        let image = choices.image(copy_on_write, demands.instance.as_ref());
        let slots = choices.pool(tuning, demands.instance.as_ref(), copy_on_write);
        let (features, blame) = (demands.features.clone(), tuning.blame);
        Self {
            recipe: Recipe { concurrency, features, blame, copy_on_write, image },
            slots,
            choices: choices.0,
        }
    }

    /// Every choice, in the order in which they are made.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Whether asynchronous calls are supported.
    pub fn concurrency(&self) -> bool {
        self.recipe.concurrency
    }

    /// Returns the features that are enabled, of those that are off unless a component needs them.
    pub fn features(&self) -> &[Feature] {
        &self.recipe.features
    }

    /// How exactly a trap is blamed on a part.
    pub fn blame(&self) -> Exactness {
        self.recipe.blame
    }

    /// Those that decide how code is compiled.
    pub(crate) fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    pub(crate) fn slots(&self) -> Option<&Slots> {
        self.slots.as_ref()
    }

    /// What decides how code is compiled and is not among what the engine itself compares.
    pub(crate) fn image(&self) -> u64 {
        self.recipe.image
    }

    /// The same without a pool, for the reason given.
    pub(crate) fn without_pool(mut self, reason: String) -> Self {
        self.slots = None;
        let first =
            self.choices.iter().position(|choice| choice.setting == POOL).unwrap_or(self.choices.len());
        self.choices.truncate(first);
        self.choices.push(Choice { setting: POOL, chosen: "off".into(), reason, flag: None });
        self
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = self.recipe.config();
        if let Some(slots) = &self.slots {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(
                slots.config(if self.concurrency() { 4 } else { 1 }),
            ));
        }
        config
    }
}

impl Recipe {
    /// Returns the configuration of an engine that compiles so, and holds nothing ready for instances.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .wasm_backtrace_max_frames(NonZeroUsize::new(blame::FRAMES))
            .wasm_component_model(true)
            .concurrency_support(self.concurrency)
            .compiler_inlining(match self.blame {
                Exactness::Exact => Inlining::No,
                Exactness::Coarse => Inlining::InterModule,
            })
            .memory_init_cow(self.copy_on_write)
            .memory_guaranteed_dense_image_size(self.image)
            // Only foreign profilers and debuggers read it; the engine finds its own frames by their pointers.
            .native_unwind_info(false);
        for feature in &self.features {
            match feature {
                Feature::Map => config.wasm_component_model_map(true),
                Feature::FixedLengthLists => config.wasm_component_model_fixed_length_lists(true),
                Feature::Implements => config.wasm_component_model_implements(true),
            };
        }
        config
    }
}

impl Slots {
    fn config(&self, stacks_of_an_instance: u32) -> PoolingAllocationConfig {
        let memories = self.instances.saturating_mul(self.memories);
        let tables = self.instances.saturating_mul(self.tables);
        let to_usize = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let mut config = PoolingAllocationConfig::new();
        config
            .total_component_instances(self.instances)
            // Core instances lie in no slot: what the pool does with this number is to compare it.
            .total_core_instances(u32::MAX)
            .total_memories(memories)
            .total_tables(tables)
            .total_stacks(self.instances.saturating_mul(stacks_of_an_instance).saturating_add(8))
            .max_memories_per_module(self.memories_of_a_module)
            .max_tables_per_module(self.tables_of_a_module)
            .max_memory_size(self.memory)
            .table_elements(self.table_elements)
            .linear_memory_keep_resident(to_usize(self.resident_memory))
            .table_keep_resident(to_usize(self.resident_table))
            .pagemap_scan(if self.page_map_scan { Enabled::Yes } else { Enabled::No })
            .max_unused_warm_slots(self.warm);
        config
    }
}

const POOL: &str = "pool";

/// The choices so far.
#[derive(Default)]
struct Choices(Vec<Choice>);

impl Choices {
    fn add(
        &mut self,
        setting: &'static str,
        chosen: impl Into<String>,
        reason: impl Into<String>,
        flag: &'static str,
    ) {
        let (chosen, reason) = (chosen.into(), reason.into());
        let flag = Some(flag).filter(|flag| !flag.is_empty());
        self.0.push(Choice { setting, chosen, reason, flag });
    }

    fn concurrency(&mut self, told: Option<bool>, needed: bool) -> bool {
        let chosen = told.unwrap_or(needed);
        let (reason, flag) = match (told, needed) {
            (Some(_), _) => ("as told", "--concurrency auto chooses"),
            (None, true) => (
                "the component does not validate without the asynchronous component model",
                "--concurrency off refuses it",
            ),
            (None, false) => (
                "the component validates without the asynchronous component model, and a call from part to part costs half without it",
                "--concurrency on",
            ),
        };
        self.add("concurrency", on_off(chosen), reason, flag);
        chosen
    }

    fn features(&mut self, needed: &[Feature]) {
        if !needed.is_empty() {
            let names: Vec<&str> = needed.iter().map(|feature| feature.name()).collect();
            self.add("features", names.join(", "), "the component does not validate without", "");
        }
    }

    fn blame(&mut self, blame: Exactness) {
        match blame {
            Exactness::Exact => self.add(
                "blame",
                "exact",
                "nothing is inlined from one module into another, so every frame of a trap tells its part",
                "--blame coarse",
            ),
            Exactness::Coarse => self.add(
                "blame",
                "coarse",
                "as told: modules may be inlined into each other, and a frame of a trap may hide an inlined function",
                "--blame exact",
            ),
        }
    }

    fn copy_on_write(&mut self, told: Option<bool>) -> bool {
        let chosen = told.unwrap_or(true);
        let (reason, flag) = match told {
            Some(_) => ("as told", "--copy-on-write auto chooses"),
            None => (
                "an instance maps the image of its heap, and copies only the pages that it writes to",
                "--copy-on-write off",
            ),
        };
        self.add("copy-on-write", on_off(chosen), reason, flag);
        chosen
    }

    fn image(&mut self, copy_on_write: bool, holdings: Option<&Holdings>) -> u64 {
        let largest = holdings.map_or(0, |holdings| holdings.largest_image);
        if !copy_on_write || largest <= ENGINE_IMAGE {
            return ENGINE_IMAGE;
        }
        let image = largest.min(MOST_IMAGE);
        self.add(
            "heap image",
            size(image),
            format!("the largest heap begins with {} between its first and last byte", size(largest)),
            "--copy-on-write off",
        );
        image
    }

    fn pool(&mut self, tuning: &Tuning, holdings: Option<&Holdings>, copy_on_write: bool) -> Option<Slots> {
        let Some(pool) = tuning.pool else {
            self.0.push(Choice {
                setting: POOL,
                chosen: "off".into(),
                reason: "instances are allocated on demand".into(),
                flag: None,
            });
            return None;
        };
        let mut slots = self.slots(pool, holdings);
        slots.page_map_scan = self.page_map_scan(tuning.page_map_scan);
        slots.resident_memory = self.resident_memory(tuning.resident_memory, holdings, copy_on_write, &slots);
        slots.resident_table = self.resident_table(tuning.resident_table, holdings);
        slots.warm = self.warm(tuning.warm_slots);
        Some(slots)
    }

    fn warm(&mut self, told: Option<u32>) -> u32 {
        let (chosen, reason) = match told {
            Some(told) => (told.to_string(), "as told"),
            None => (
                "all".to_owned(),
                "a memory without a free place of its own takes one that was never used, and none that another's image is in",
            ),
        };
        self.add("warm slots", chosen, reason, "--warm-slots COUNT");
        told.unwrap_or(u32::MAX)
    }

    fn slots(&mut self, pool: Pool, holdings: Option<&Holdings>) -> Slots {
        let instances = pool.instances.max(1);
        let count = |of_instance: u64| u32::try_from(of_instance).unwrap_or(u32::MAX).max(1);
        let slots = match holdings {
            Some(holdings) => Slots {
                instances,
                memories: count(holdings.memories),
                tables: count(holdings.tables),
                memories_of_a_module: holdings.memories_of_a_module.max(1),
                tables_of_a_module: holdings.tables_of_a_module.max(1),
                memory: pool.memory,
                table_elements: pool.table_elements,
                resident_memory: 0,
                resident_table: 0,
                page_map_scan: false,
                warm: 0,
            },
            None => Slots {
                instances,
                memories: UNKNOWN_PER_INSTANCE,
                tables: UNKNOWN_PER_INSTANCE,
                memories_of_a_module: UNKNOWN_PER_INSTANCE,
                tables_of_a_module: UNKNOWN_PER_INSTANCE,
                memory: pool.memory,
                table_elements: pool.table_elements,
                resident_memory: 0,
                resident_table: 0,
                page_map_scan: false,
                warm: 0,
            },
        };
        self.add(
            POOL,
            format!("{instances} instances"),
            "as many as may run at the same time; a fresh one takes a place that is ready",
            "--max-concurrency COUNT; --pool off allocates on demand",
        );
        let why = |what: &str, of_module: u32| match holdings {
            Some(_) => {
                format!("{what} are in one instance of the component, {of_module} in one of its modules")
            }
            None => format!("how many {what} an instance has is not written in the component"),
        };
        for (setting, chosen, what, of_module) in [
            ("memories", slots.memories, "memories", slots.memories_of_a_module),
            ("tables", slots.tables, "tables", slots.tables_of_a_module),
        ] {
            let reason = why(what, of_module);
            self.0.push(Choice { setting, chosen: format!("{chosen} each"), reason, flag: None });
        }
        slots
    }

    fn page_map_scan(&mut self, told: Option<bool>) -> bool {
        let available = PoolingAllocationConfig::is_pagemap_scan_available();
        let chosen = told.unwrap_or(true) && available;
        let (reason, flag) = match (told, available) {
            (Some(_), true) | (Some(false), false) => ("as told", "--page-map-scan auto chooses"),
            (None, true) => (
                "the kernel tells which pages were written to, so only those are restored",
                "--page-map-scan off",
            ),
            (_, false) => ("this kernel cannot tell which pages were written to: Linux can from 6.7 on", ""),
        };
        self.add("page-map scan", on_off(chosen), reason, flag);
        chosen
    }

    fn resident_memory(
        &mut self,
        told: Option<u64>,
        holdings: Option<&Holdings>,
        copy_on_write: bool,
        slots: &Slots,
    ) -> u64 {
        let (chosen, reason) = match (told, holdings) {
            (Some(told), _) => (told, "as told".to_owned()),
            // Worse than the faults: docs/measurements.md, "A request".
            (None, _) if copy_on_write && !slots.page_map_scan => (
                0,
                "without a scan, what stays would be copied back whether it was written to or not".to_owned(),
            ),
            (None, None) => {
                (UNKNOWN_RESIDENT, "how large memories begin is not written in the component".to_owned())
            }
            (None, Some(holdings)) => {
                let start = holdings.largest_memory;
                let most = MOST_RESIDENT.min(slots.memory as u64);
                let chosen = start.saturating_add(BEYOND_START).min(most);
                let what = if copy_on_write { "copied back" } else { "cleared" };
                (
                    chosen,
                    format!(
                        "the largest memory begins with {}; what stays is {what}, and faults no more",
                        size(start)
                    ),
                )
            }
        };
        self.add("resident memory", size(chosen), reason, "--resident-memory SIZE");
        chosen
    }

    fn resident_table(&mut self, told: Option<u64>, holdings: Option<&Holdings>) -> u64 {
        let (chosen, reason) = match (told, holdings) {
            (Some(told), _) => (told, "as told".to_owned()),
            (None, None) => (64 << 10, "how large tables begin is not written in the component".to_owned()),
            (None, Some(holdings)) => (
                holdings.largest_table.saturating_mul(ELEMENT).next_multiple_of(4 << 10).min(1 << 20),
                format!("the largest table begins with {} elements", holdings.largest_table),
            ),
        };
        self.add("resident tables", size(chosen), reason, "--resident-table SIZE");
        chosen
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes >= 1 << 20 => {
            let tenths = bytes.saturating_mul(10) >> 20;
            if tenths.is_multiple_of(10) {
                format!("{} MiB", tenths / 10)
            } else {
                format!("{}.{} MiB", tenths / 10, tenths % 10)
            }
        }
        _ if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Tuning {
        let pool = Pool { instances: 8, memory: 64 << 20, table_elements: 1_000 };
        // Whatever the kernel of the machine has.
        Tuning { pool: Some(pool), page_map_scan: Some(true), ..Tuning::default() }
    }

    fn chosen(settings: &Settings, setting: &str) -> String {
        let found = settings.choices().iter().find(|choice| choice.setting == setting);
        found.map(|choice| choice.chosen.clone()).unwrap_or_default()
    }

    fn demands(largest_memory: u64) -> Demands {
        let instance = Holdings { memories: 3, tables: 2, largest_memory, ..Holdings::default() };
        Demands { concurrency: false, instance: Some(instance), ..Demands::unknown() }
    }

    #[test]
    fn what_the_component_does_not_need_is_off() {
        let settings = Settings::choose(&pool(), &demands(10 << 20));
        assert!(!settings.concurrency());
        assert_eq!(chosen(&settings, "memories"), "3 each");
        assert_eq!(chosen(&settings, "tables"), "2 each");
        assert_eq!(chosen(&settings, "resident memory"), "11 MiB");
    }

    #[test]
    fn a_memory_never_stays_resident_beyond_its_limit() {
        assert_eq!(chosen(&Settings::choose(&pool(), &demands(60 << 20)), "resident memory"), "32 MiB");
        let small = Pool { memory: 4 << 20, ..pool().pool.unwrap() };
        let tuning = Tuning { pool: Some(small), ..pool() };
        assert_eq!(chosen(&Settings::choose(&tuning, &demands(60 << 20)), "resident memory"), "4 MiB");
    }

    #[test]
    fn nothing_stays_resident_where_all_of_it_would_be_copied_back() {
        let tuning = Tuning { page_map_scan: Some(false), ..pool() };
        assert_eq!(chosen(&Settings::choose(&tuning, &demands(10 << 20)), "resident memory"), "0 bytes");
        // What is cleared and not copied costs less than its faults.
        let tuning = Tuning { copy_on_write: Some(false), ..tuning };
        assert_eq!(chosen(&Settings::choose(&tuning, &demands(10 << 20)), "resident memory"), "11 MiB");
    }

    #[test]
    fn options_have_the_last_word() {
        let tuning = Tuning {
            concurrency: Some(true),
            copy_on_write: Some(false),
            resident_memory: Some(0),
            resident_table: Some(8 << 10),
            warm_slots: Some(3),
            blame: Exactness::Coarse,
            ..pool()
        };
        let settings = Settings::choose(&tuning, &demands(10 << 20));
        for (setting, value) in [
            ("concurrency", "on"),
            ("copy-on-write", "off"),
            ("resident memory", "0 bytes"),
            ("resident tables", "8 KiB"),
            ("warm slots", "3"),
            ("blame", "coarse"),
        ] {
            assert_eq!(chosen(&settings, setting), value, "{setting}");
        }
    }

    #[test]
    fn without_a_pool_nothing_is_said_of_its_slots() {
        let settings = Settings::choose(&pool(), &demands(1)).without_pool("no room".into());
        assert_eq!(chosen(&settings, "pool"), "off");
        assert_eq!(chosen(&settings, "memories"), "");
    }
}
