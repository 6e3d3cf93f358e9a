//! What a component needs of an engine, read off its bytes before anything is compiled.
//!
//! Three questions are answered here. *Is it asynchronous?* It is not where it validates without the asynchronous
//! component model; a scan for types would not be the validator's word. *Which features does it use that an engine has
//! behind a switch, or not at all?* The validator answers that in the same way. *What does one instance of it hold?* Core
//! modules are counted as often as they are instantiated, through components within components. Function bodies are
//! not looked at: they say nothing about either, and are most of the bytes.

use serde::{Deserialize, Serialize};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef,
    DataKind, Instance, Operator, Parser, Payload, Validator, WasmFeatures,
};

/// Everything that only components of the asynchronous component model use.
const ASYNCHRONOUS: WasmFeatures = WasmFeatures::CM_ASYNC
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT);

/// A feature of the Component Model that the engine has behind a switch, and that is enabled for the components that
/// do not validate without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// The type `map<K, V>`.
    Map,
    /// The type `list<T, N>`.
    FixedLengthLists,
    /// An import or export with a name of its own that says which interface it implements.
    Implements,
}

impl Feature {
    /// Every feature that has a switch.
    pub const ALL: [Self; 3] = [Self::Map, Self::FixedLengthLists, Self::Implements];

    /// Returns its usual name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::FixedLengthLists => "fixed-length lists",
            Self::Implements => "implements",
        }
    }

    /// Returns what the validator and the engine call it.
    pub(super) fn flag(self) -> WasmFeatures {
        match self {
            Self::Map => WasmFeatures::CM_MAP,
            Self::FixedLengthLists => WasmFeatures::CM_FIXED_LENGTH_LISTS,
            Self::Implements => WasmFeatures::CM_IMPLEMENTS,
        }
    }
}

/// The features of the Component Model that this host never enables, by their usual names: the engine lacks them, or
/// calls its own support incomplete.
const OFF: [(WasmFeatures, &str); 9] = [
    (WasmFeatures::CM_VALUES, "values"),
    (WasmFeatures::CM_NESTED_NAMES, "nested names"),
    (WasmFeatures::CM_ASYNC_STACKFUL, "stackful async"),
    (WasmFeatures::CM_MORE_ASYNC_BUILTINS, "more async built-ins"),
    (WasmFeatures::CM_THREADING, "threads"),
    (WasmFeatures::CM_ERROR_CONTEXT, "error-context"),
    (WasmFeatures::CM_GC, "GC"),
    (WasmFeatures::CM64, "64-bit memories"),
    (WasmFeatures::CM_CANON_NAMES, "version suffixes"),
];

/// What a component needs of its engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demands {
    /// Whether it is valid only where the engine supports asynchronous calls.
    pub concurrency: bool,
    /// The features without which it is not valid, of those that the engine has behind a switch.
    pub features: Vec<Feature>,
    /// The names of the features without which it is not valid, of those that this host never enables.
    pub lacking: Vec<String>,
    /// What one instance of it holds. `None` where that is not written in it: it instantiates what it imports, or its
    /// bytes cannot be read.
    pub instance: Option<Holdings>,
}

/// What one instance of a component holds when it starts, over all core modules in it, each counted as often as it
/// is instantiated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    /// Instances of core modules. The engine adds adapters of its own, which hold nothing that is counted here.
    pub core_instances: u64,
    /// Memories.
    pub memories: u64,
    /// Tables.
    pub tables: u64,
    /// Bytes that all memories have at the start.
    pub memory: u64,
    /// Elements that all tables have at the start.
    pub table_elements: u64,
    /// Memories of the core module that defines the most.
    pub memories_of_a_module: u32,
    /// Tables of the core module that defines the most.
    pub tables_of_a_module: u32,
    /// Bytes of the memory that is largest at the start.
    pub largest_memory: u64,
    /// Elements of the table that is largest at the start.
    pub largest_table: u64,
    /// Bytes from the first to the last byte of data of the memory where that is the most.
    pub largest_image: u64,
}

impl Holdings {
    /// Adds what another instance holds.
    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.core_instances, other.core_instances),
            (&mut self.memories, other.memories),
            (&mut self.tables, other.tables),
            (&mut self.memory, other.memory),
            (&mut self.table_elements, other.table_elements),
        ] {
            // A component may instantiate another twice, and that one a third twice, and so on.
            *sum = sum.saturating_add(more);
        }
        self.memories_of_a_module = self.memories_of_a_module.max(other.memories_of_a_module);
        self.tables_of_a_module = self.tables_of_a_module.max(other.tables_of_a_module);
        self.largest_memory = self.largest_memory.max(other.largest_memory);
        self.largest_table = self.largest_table.max(other.largest_table);
        self.largest_image = self.largest_image.max(other.largest_image);
    }
}

impl Demands {
    /// What a component may need of which nothing is known: asynchronous calls, and none of the features that have a switch.
    pub fn unknown() -> Self {
        Self { concurrency: true, features: Vec::new(), lacking: Vec::new(), instance: None }
    }

    /// Reads the demands of a component. Bytes that no engine would accept have those of [`Demands::unknown`]: what is wrong
    /// with them is for the engine to say.
    pub fn of(bytes: &[u8]) -> Self {
        // It bounds how deep types are nested, which the validator's recursion does not.
        if anatomy::outline(bytes).is_err() {
            return Self::unknown();
        }
        let instance = Walk::holdings(bytes).ok().flatten();
        let switched = Feature::ALL.iter().fold(WasmFeatures::empty(), |all, own| all | own.flag());
        let off = OFF.iter().fold(WasmFeatures::empty(), |all, (flag, _)| all | *flag);
        // Most components are valid without all of them, and are validated once.
        if is_valid(bytes, WasmFeatures::all() - ASYNCHRONOUS - switched - off) {
            return Self { concurrency: false, features: Vec::new(), lacking: Vec::new(), instance };
        }
        let concurrency = needs(bytes, ASYNCHRONOUS);
        let (mut features, mut lacking) = (Vec::new(), Vec::new());
        // Of bytes that are not valid with every feature, it cannot be said what they need.
        if is_valid(bytes, WasmFeatures::all()) && !is_valid(bytes, WasmFeatures::all() - switched - off) {
            features.extend(Feature::ALL.into_iter().filter(|feature| needs(bytes, feature.flag())));
            let named = OFF.iter().filter(|(flag, _)| needs(bytes, *flag));
            lacking.extend(named.map(|(_, name)| (*name).to_owned()));
        }
        Self { concurrency, features, lacking, instance }
    }

    /// Returns whether a component is valid, and only where the engine supports asynchronous calls.
    pub(crate) fn is_asynchronous(bytes: &[u8]) -> bool {
        anatomy::outline(bytes).is_ok() && is_valid(bytes, WasmFeatures::all()) && needs(bytes, ASYNCHRONOUS)
    }
}

/// Whether it does not validate without these features.
fn needs(bytes: &[u8], features: WasmFeatures) -> bool {
    !is_valid(bytes, WasmFeatures::all() - features)
}

/// Whether it validates with these features, but for its function bodies.
fn is_valid(bytes: &[u8], features: WasmFeatures) -> bool {
    let mut validator = Validator::new_with_features(features);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    parser.parse_all(bytes).all(|payload| payload.is_ok_and(|payload| validator.payload(&payload).is_ok()))
}

/// A core module or component that is being read.
enum Open {
    Module(Module),
    Component(Level),
}

/// A core module: what an instance of it holds.
#[derive(Default)]
struct Module {
    holdings: Holdings,
    imported_memories: u32,
    /// The first and the last byte of data, for each memory that it defines.
    images: Vec<Option<(u64, u64)>>,
}

/// A component: its index spaces, with `None` for what is not in the file, and what an instance of it holds.
#[derive(Default)]
struct Level {
    modules: Vec<Option<Holdings>>,
    components: Vec<Option<Holdings>>,
    holdings: Option<Holdings>,
}

impl Level {
    fn new() -> Self {
        Self { holdings: Some(Holdings::default()), ..Self::default() }
    }

    /// Counts an instance; of something that is not in the file, nothing can be said any more.
    fn instantiate(&mut self, what: Option<Holdings>) {
        match (&mut self.holdings, what) {
            (Some(sum), Some(more)) => sum.add(&more),
            (sum, _) => *sum = None,
        }
    }

    fn push(&mut self, kind: ComponentExternalKind, what: Option<Holdings>) {
        match kind {
            ComponentExternalKind::Module => self.modules.push(what),
            ComponentExternalKind::Component => self.components.push(what),
            _ => {}
        }
    }
}

/// The walk through everything that is embedded, innermost last.
#[derive(Default)]
struct Walk {
    open: Vec<Open>,
}

impl Walk {
    fn holdings(bytes: &[u8]) -> wasmparser::Result<Option<Holdings>> {
        let mut walk = Self::default();
        let mut parser = Parser::new(0);
        parser.set_features(WasmFeatures::all());
        for payload in parser.parse_all(bytes) {
            let payload = payload?;
            if let Payload::End(_) = payload {
                if let Some(whole) = walk.close() {
                    return Ok(whole);
                }
            } else {
                walk.payload(payload)?;
            }
        }
        Ok(None)
    }

    /// Ends what is innermost, and adds it to what is around it. Gives what the whole holds at its end.
    fn close(&mut self) -> Option<Option<Holdings>> {
        let closed = self.open.pop()?;
        let (kind, what) = match closed {
            Open::Module(module) => (ComponentExternalKind::Module, Some(module.holdings())),
            Open::Component(level) => (ComponentExternalKind::Component, level.holdings),
        };
        match self.open.last_mut() {
            Some(Open::Component(around)) => {
                around.push(kind, what);
                None
            }
            _ => Some(what),
        }
    }

    fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        if let Payload::Version { encoding, .. } = payload {
            self.open.push(match encoding {
                wasmparser::Encoding::Module => Open::Module(Module::default()),
                wasmparser::Encoding::Component => Open::Component(Level::new()),
            });
            return Ok(());
        }
        if let Payload::ComponentAliasSection(reader) = payload {
            return reader.into_iter().try_for_each(|alias| {
                self.alias(alias?);
                Ok(())
            });
        }
        match self.open.last_mut() {
            Some(Open::Module(module)) => module.payload(payload),
            Some(Open::Component(level)) => level.payload(payload),
            None => Ok(()),
        }
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) {
        let (kind, what) = match alias {
            ComponentAlias::InstanceExport { kind, .. } => (kind, None),
            ComponentAlias::Outer { kind, count, index } => {
                let index = index as usize;
                let outer = (self.open.len().checked_sub(1))
                    .and_then(|own| own.checked_sub(count as usize))
                    .and_then(|level| match &self.open[level] {
                        Open::Component(level) => Some(level),
                        Open::Module(_) => None,
                    });
                match kind {
                    ComponentOuterAliasKind::CoreModule => (
                        ComponentExternalKind::Module,
                        outer.and_then(|outer| outer.modules.get(index).copied().flatten()),
                    ),
                    ComponentOuterAliasKind::Component => (
                        ComponentExternalKind::Component,
                        outer.and_then(|outer| outer.components.get(index).copied().flatten()),
                    ),
                    _ => return,
                }
            }
            ComponentAlias::CoreInstanceExport { .. } => return,
        };
        if let Some(Open::Component(level)) = self.open.last_mut() {
            level.push(kind, what);
        }
    }
}

impl Level {
    fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::InstanceSection(reader) => {
                for instance in reader {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.instantiate(self.modules.get(module_index as usize).copied().flatten());
                    }
                }
            }
            Payload::ComponentInstanceSection(reader) => {
                for instance in reader {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        self.instantiate(self.components.get(component_index as usize).copied().flatten());
                    }
                }
            }
            Payload::ComponentImportSection(reader) => {
                for import in reader {
                    match import?.ty {
                        ComponentTypeRef::Module(_) => self.push(ComponentExternalKind::Module, None),
                        ComponentTypeRef::Component(_) => self.push(ComponentExternalKind::Component, None),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    let index = export.index as usize;
                    let what = match export.kind {
                        ComponentExternalKind::Module => self.modules.get(index).copied().flatten(),
                        ComponentExternalKind::Component => self.components.get(index).copied().flatten(),
                        _ => None,
                    };
                    // An export is one more item of its index space.
                    self.push(export.kind, what);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Module {
    fn holdings(self) -> Holdings {
        let largest_image =
            self.images.into_iter().flatten().map(|(first, end)| end.saturating_sub(first)).max();
        Holdings { core_instances: 1, largest_image: largest_image.unwrap_or(0), ..self.holdings }
    }

    fn payload(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        let holdings = &mut self.holdings;
        match payload {
            Payload::ImportSection(reader) => {
                for import in reader.into_imports() {
                    if let wasmparser::TypeRef::Memory(_) = import?.ty {
                        self.imported_memories += 1;
                    }
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader {
                    let memory = memory?;
                    let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(16)).unwrap_or(u64::MAX);
                    let bytes = memory.initial.saturating_mul(page);
                    holdings.memories += 1;
                    holdings.memories_of_a_module += 1;
                    holdings.memory = holdings.memory.saturating_add(bytes);
                    holdings.largest_memory = holdings.largest_memory.max(bytes);
                    self.images.push(None);
                }
            }
            Payload::TableSection(reader) => {
                for table in reader {
                    let elements = table?.ty.initial;
                    holdings.tables += 1;
                    holdings.tables_of_a_module += 1;
                    holdings.table_elements = holdings.table_elements.saturating_add(elements);
                    holdings.largest_table = holdings.largest_table.max(elements);
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data?;
                    if let DataKind::Active { memory_index, offset_expr } = data.kind {
                        self.data(memory_index, constant(&offset_expr), data.data.len() as u64);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Extends what is known of a memory's data. An offset that is computed makes no image.
    fn data(&mut self, memory: u32, offset: Option<u64>, length: u64) {
        let defined = memory.checked_sub(self.imported_memories);
        let (Some(defined), Some(first)) = (defined, offset) else { return };
        let end = first.saturating_add(length);
        if let Some(image) = self.images.get_mut(defined as usize) {
            let (first_so_far, end_so_far) = image.unwrap_or((first, end));
            *image = Some((first.min(first_so_far), end.max(end_so_far)));
        }
    }
}

/// The value of an expression that is a plain constant.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> Option<u64> {
    match expression.get_operators_reader().read().ok()? {
        Operator::I32Const { value } => Some(u64::from(value as u32)),
        Operator::I64Const { value } => Some(value as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demands(text: &str) -> Demands {
        Demands::of(&wat::parse_str(text).unwrap())
    }

    const SYNCHRONOUS: &str = r#"(component
        (core module $m
            (memory 2) (memory 1) (table 7 funcref)
            (data (i32.const 100) "ab") (data (i32.const 70000) "c"))
        (core instance (instantiate $m)))"#;

    #[test]
    fn one_instance_is_counted_as_it_is_instantiated() {
        let demands = demands(SYNCHRONOUS);
        assert!(!demands.concurrency);
        let expected = Holdings {
            core_instances: 1,
            memories: 2,
            tables: 1,
            memory: 3 << 16,
            table_elements: 7,
            memories_of_a_module: 2,
            tables_of_a_module: 1,
            largest_memory: 2 << 16,
            largest_table: 7,
            largest_image: 70_001 - 100,
        };
        assert_eq!(demands.instance, Some(expected));
    }

    #[test]
    fn components_within_components_count_each_time() {
        let demands = demands(
            r#"(component
                (core module $outer (memory 1))
                (component $Inner
                    (core module $m (memory 1) (table 1 funcref))
                    (alias outer 1 $outer (core module $o))
                    (core instance (instantiate $m))
                    (core instance (instantiate $o)))
                (component $Twice
                    (alias outer 1 $Inner (component $Inner))
                    (instance (instantiate $Inner)) (instance (instantiate $Inner)))
                (instance (instantiate $Twice))
                (instance (instantiate $Inner)))"#,
        );
        let holdings = demands.instance.unwrap();
        assert_eq!((holdings.core_instances, holdings.memories, holdings.tables), (6, 6, 3));
        assert_eq!(holdings.memories_of_a_module, 1);
    }

    #[test]
    fn growth_without_end_by_nesting_costs_nothing() {
        let mut text =
            "(component (component $c0 (core module $m (memory 1)) (core instance (instantiate $m)))"
                .to_owned();
        for level in 1..80 {
            let inner = level - 1;
            text.push_str(&format!(
                "(component $c{level} (alias outer 1 $c{inner} (component $c))
                    (instance (instantiate $c)) (instance (instantiate $c)))"
            ));
        }
        text.push_str("(instance (instantiate $c79)))");
        let bytes = wat::parse_str(&text).unwrap();
        assert_eq!(Walk::holdings(&bytes).unwrap().unwrap().memories, u64::MAX);
        // No engine would instantiate that, so nothing is chosen for it.
        assert_eq!(Demands::of(&bytes), Demands::unknown());
    }

    #[test]
    fn what_is_imported_cannot_be_counted() {
        let demands = demands(
            r#"(component
                (import "m" (core module $m))
                (core instance (instantiate $m)))"#,
        );
        assert_eq!(demands.instance, None);
        assert!(!demands.concurrency);
    }

    #[test]
    fn asynchronous_is_what_does_not_validate_without() {
        let lifted = r#"(component
            (core module $m
                (func (export "f") (result i32) i32.const 0)
                (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
            (core instance $i (instantiate $m))
            (func (export "f") async (canon lift (core func $i "f") async (callback (func $i "cb")))))"#;
        assert!(demands(lifted).concurrency);
        assert!(
            demands(r#"(component (type $s (stream u8)) (import "f" (func (param "s" $s))))"#).concurrency
        );
        assert!(!demands("(component)").concurrency);
    }

    #[test]
    fn features_are_needed_where_it_does_not_validate_without() {
        let map = r#"(type $t (map string u32)) (import "a" (func (param "x" $t)))"#;
        let list = r#"(type $l (list u8 4)) (import "b" (func (param "x" $l)))"#;
        let implements = r#"(import "c" (implements "a:b/c") (instance))"#;
        let error = r#"(type $e error-context) (import "d" (func (param "x" $e)))"#;
        let of = |items: &[&str]| {
            let demands = demands(&format!("(component {})", items.concat()));
            (demands.features, demands.lacking)
        };
        assert_eq!(of(&[]), (vec![], vec![]));
        assert_eq!(of(&[map]), (vec![Feature::Map], vec![]));
        assert_eq!(of(&[list]), (vec![Feature::FixedLengthLists], vec![]));
        assert_eq!(of(&[implements]), (vec![Feature::Implements], vec![]));
        assert_eq!(of(&[map, list, implements]), (Feature::ALL.to_vec(), vec![]));
        assert_eq!(of(&[map, error]), (vec![Feature::Map], vec!["error-context".to_owned()]));
        assert!(!demands(&format!("(component {map})")).concurrency);
    }

    #[test]
    fn of_what_is_no_component_everything_may_be_needed() {
        assert_eq!(Demands::of(b"hello"), Demands::unknown());
        assert_eq!(Demands::of(b""), Demands::unknown());
        let whole = wat::parse_str(SYNCHRONOUS).unwrap();
        for end in 0..whole.len() {
            let _ = Demands::of(&whole[..end]);
        }
    }
}
