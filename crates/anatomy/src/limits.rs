//! What a component may cost its reader.

/// Limits against hostile bytes.
///
/// Each is checked before the work that it bounds, and before anything recursive, so that neither memory nor
/// the stack of the reader is at the mercy of its input. The defaults are beyond what any engine accepts.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Length of the input, in bytes. Default: 1 GiB.
    pub bytes: u64,
    /// How deep components may be nested in components, and instances in instances. Default: 64.
    pub component_depth: u32,
    /// How deep component and instance types may be nested in each other. Default: 100, as in wasmparser.
    pub type_depth: u32,
    /// Embedded modules and components, over all levels. Default: 10,000.
    pub definitions: u32,
    /// Imports, exports, aliases, types, functions and instances of components, over all levels.
    /// Default: 500,000.
    pub items: u32,
    /// Parts that are listed, and compositions within. Default: 2,000; wasmtime accepts fewer than 500 in one level.
    pub parts: u32,
    /// Steps taken to find out what is wired to what. A component may instantiate another twice, and that
    /// one a third twice, and so on: the work may grow exponentially with the input. So may what is found, and be kept
    /// in memory: no input gets more than 100,000 steps, and 4 for each of its bytes. Default: 2,000,000.
    pub steps: u32,
    /// Length of a link map, in bytes. One of 480 parts takes less than 1 MB. Default: 8 MiB.
    pub link_map: u32,
}

impl Limits {
    /// The steps that an input of this length gets.
    pub(crate) fn steps_for(&self, bytes: usize) -> u32 {
        let granted = bytes.saturating_mul(4).saturating_add(100_000);
        self.steps.min(u32::try_from(granted).unwrap_or(u32::MAX))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 1 << 30,
            component_depth: 64,
            type_depth: 100,
            definitions: 10_000,
            items: 500_000,
            parts: 2_000,
            steps: 2_000_000,
            link_map: 8 << 20,
        }
    }
}
