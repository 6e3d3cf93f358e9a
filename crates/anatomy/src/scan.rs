//! From bytes to a flat list of component definitions: what each imports, defines, aliases and exports.
//!
//! Nothing is interpreted here. Every reference is checked to lead to an earlier item of its index space, so
//! what comes after needs no bounds to be afraid of.

use std::collections::HashMap;
use std::ops::Range;

use wasmparser::{
    BinaryReader, CanonicalFunction, Chunk, ComponentAlias, ComponentExternalKind as Kind, ComponentInstance,
    ComponentName, ComponentNameSectionReader, ComponentOuterAliasKind, ComponentType, ComponentTypeRef,
    CustomSectionReader, Encoding, Instance, InstanceTypeDeclaration, KnownCustom, Name, Parser, Payload,
    TypeBounds, WasmFeatures, names,
};

use crate::error::{self, ReadError};
use crate::guard;
use crate::limits::Limits;
use crate::link_map;
use crate::model::Sizes;
use crate::producers::Producers;

/// A component, as it is written down: instantiating it is another matter.
pub(crate) struct Definition<'a> {
    /// Where it is in the input.
    pub range: Range<usize>,
    /// The name it gives itself.
    pub name: Option<&'a str>,
    /// Names for its component instances, by index.
    pub instance_names: HashMap<u32, &'a str>,
    /// Everything that adds to an index space, in order.
    pub steps: Vec<Step<'a>>,
    /// The imports that something must satisfy.
    pub imports: Vec<Import<'a>>,
    /// Exports that are not types.
    pub exports: Vec<&'a str>,
    /// Imports and exports that are nothing but types.
    pub types: [Vec<&'a str>; 2],
    /// Imports and exports with a name of their own that say which interface they implement: the name, the interface.
    pub implements: [Vec<(&'a str, &'a str)>; 2],
    /// Whether it instantiates a core module, and so runs code of its own.
    pub runs: bool,
    /// Core instances that it makes of core modules.
    pub core_instances: u32,
    /// What its toolchain says of itself.
    pub producers: Producers<'a>,
    /// The same, of the core modules embedded in it.
    pub module_producers: Producers<'a>,
    /// What the bytes are, over all that is embedded.
    pub sizes: Sizes,
    /// Its link map, and whether there is more than one.
    pub link_map: Option<(Range<usize>, bool)>,
    /// What is in instances of those of its types that are instance types.
    instance_types: HashMap<u32, Face>,
    lengths: Lengths,
}

/// An import that something must satisfy.
#[derive(Clone, Copy)]
pub(crate) struct Import<'a> {
    pub name: &'a str,
    /// What can be done with it, where that is known.
    pub face: Option<Face>,
}

/// What an item offers to whoever imports it.
#[derive(Clone, Copy)]
pub(crate) struct Face {
    /// Functions in it.
    pub functions: u32,
    /// Whether there is nothing in it but names for types: no function, no resource, no further instance.
    pub names_only: bool,
}

/// Something that adds to an index space of a component.
pub(crate) enum Step<'a> {
    /// An import.
    Import { kind: Kind, name: &'a str },
    /// An export of an instance.
    Alias { kind: Kind, instance: u32, name: &'a str },
    /// A component of an enclosing component, `count` levels out.
    OuterComponent { count: u32, index: u32 },
    /// An embedded component: an index into the list of definitions.
    Embed { definition: usize },
    /// An instance of a component.
    Instantiate { component: u32, arguments: Vec<Reference<'a>> },
    /// An instance put together from items.
    Bag { items: Vec<Reference<'a>> },
    /// An export, which is a new index for an old item.
    Export { item: Reference<'a> },
    /// Items that lead nowhere: types and functions defined in place, and the like.
    Local { kind: Kind, count: u32 },
}

/// A named reference to an item.
pub(crate) struct Reference<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub index: u32,
}

/// Lengths of the index spaces.
#[derive(Default)]
struct Lengths([u32; 6]);

impl Lengths {
    fn of(&mut self, kind: Kind) -> &mut u32 {
        &mut self.0[slot(kind)]
    }
}

/// The place of a kind in arrays that have one for each.
pub(crate) fn slot(kind: Kind) -> usize {
    match kind {
        Kind::Module => 0,
        Kind::Func => 1,
        Kind::Value => 2,
        Kind::Type => 3,
        Kind::Instance => 4,
        Kind::Component => 5,
    }
}

/// Reads all components of `bytes`. The first is the whole.
pub(crate) fn scan<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<Definition<'a>>, ReadError> {
    check_head(bytes, limits)?;
    let mut scanner = Scanner { bytes, limits, done: Vec::new(), open: Vec::new(), embedded: 0, items: 0 };
    // Where the component or module whose header comes next is in the input.
    let mut next = 0..bytes.len();
    let (mut parser, mut around) = (Parser::new(0), Vec::new());
    let mut rest = bytes;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            unreachable!("no more data is asked for where there is none")
        };
        rest = &rest[consumed..];
        match payload {
            Payload::Version { encoding, range, .. } => scanner.enter(encoding, next.clone(), range.start)?,
            Payload::ModuleSection { unchecked_range, parser: inner } => {
                next = embedded(bytes, unchecked_range, "module")?;
                around.push(std::mem::replace(&mut parser, inner));
            }
            Payload::ComponentSection { unchecked_range, parser: inner } => {
                next = embedded(bytes, unchecked_range, "component")?;
                around.push(std::mem::replace(&mut parser, inner));
            }
            Payload::End(_) => {
                scanner.leave();
                match around.pop() {
                    Some(outer) => parser = outer,
                    None => return Ok(scanner.done.into_iter().flatten().collect()),
                }
            }
            Payload::CodeSectionStart { size, .. } => {
                scanner.section(payload)?;
                // There may be tens of thousands of bodies, of which none is looked at. Where they are cut off, the
                // parser says so.
                if let Some(after) = rest.get(size as usize..) {
                    parser.skip_section();
                    rest = after;
                }
            }
            other => scanner.section(other)?,
        }
    }
}

/// Where something embedded is, if the file is long enough for it: the parser takes the end of the file for the end of
/// whatever is open.
pub(crate) fn embedded(
    bytes: &[u8],
    range: Range<u64>,
    what: &'static str,
) -> Result<Range<usize>, ReadError> {
    let missing = range.end.saturating_sub(bytes.len() as u64);
    if missing > 0 {
        return Err(ReadError::CutOff { offset: range.start, what, missing });
    }
    Ok(range.start as usize..range.end as usize)
}

/// What can be said without parsing.
pub(crate) fn check_head(bytes: &[u8], limits: &Limits) -> Result<(), ReadError> {
    if bytes.len() as u64 > limits.bytes {
        return Err(ReadError::TooLarge { bytes: bytes.len() as u64, limit: limits.bytes });
    }
    if !bytes.starts_with(b"\0asm") {
        // A file cut off within its first four bytes is not text, and an empty one is not either.
        let sample = &bytes[..bytes.len().min(1024)];
        let text = !sample.is_empty() && std::str::from_utf8(sample).is_ok_and(|text| !text.contains('\0'))
            || std::str::from_utf8(sample)
                .is_err_and(|error| error.error_len().is_none() && bytes.len() > 1024);
        return Err(if text { ReadError::Text } else { ReadError::NotWasm });
    }
    if bytes.len() >= 8 && Parser::is_core_wasm(bytes) {
        return Err(ReadError::CoreModule);
    }
    // After the version of the format there is a layer, which is 1 for components.
    if let [version, high, 1, 0] = bytes[4..].first_chunk().copied().unwrap_or_default() {
        let version = u16::from_le_bytes([version, high]);
        if version != error::VERSION {
            return Err(ReadError::Draft { version });
        }
    }
    Ok(())
}

enum Open<'a> {
    Module(Producers<'a>),
    Component(usize),
}

struct Scanner<'a, 'l> {
    bytes: &'a [u8],
    limits: &'l Limits,
    /// Definitions in the order in which they begin; each is put in place when it ends.
    done: Vec<Option<Definition<'a>>>,
    open: Vec<(Open<'a>, Option<Definition<'a>>)>,
    embedded: u32,
    items: u32,
}

impl<'a> Scanner<'a, '_> {
    fn enter(&mut self, encoding: Encoding, range: Range<usize>, offset: u64) -> Result<(), ReadError> {
        if self.open.len() as u64 > u64::from(self.limits.component_depth) {
            let limit = self.limits.component_depth;
            return Err(ReadError::TooDeep { offset, what: "components", limit });
        }
        self.embedded += 1;
        if self.embedded > self.limits.definitions {
            let limit = self.limits.definitions;
            return Err(ReadError::TooMany { offset, what: "embedded modules and components", limit });
        }
        match encoding {
            Encoding::Module => self.open.push((Open::Module(Producers::default()), None)),
            Encoding::Component => {
                let definition = self.done.len();
                self.done.push(None);
                if let Some(parent) = self.current() {
                    parent.steps.push(Step::Embed { definition });
                    *parent.lengths.of(Kind::Component) += 1;
                }
                self.open.push((Open::Component(definition), Some(Definition::new(range))));
            }
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some((open, definition)) = self.open.pop() {
            match open {
                Open::Component(index) => {
                    if let (Some(inner), Some(outer)) = (&definition, self.current()) {
                        outer.sizes.add(&inner.sizes);
                    }
                    self.done[index] = definition;
                }
                Open::Module(producers) => {
                    if let Some(parent) = self.current() {
                        parent.module_producers.merge(producers);
                        // The module itself is an item of the component around it.
                        parent.steps.push(Step::Local { kind: Kind::Module, count: 1 });
                        *parent.lengths.of(Kind::Module) += 1;
                    }
                }
            }
        }
    }

    /// The component that is being read, or None within a core module.
    fn current(&mut self) -> Option<&mut Definition<'a>> {
        self.open.last_mut().and_then(|(_, definition)| definition.as_mut())
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), ReadError> {
        if self.current().is_none() {
            self.module_section(&payload);
            return Ok(());
        }
        match payload {
            Payload::ComponentTypeSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                let (start, end) = (reader.original_position(), reader.range().end);
                let body = BinaryReader::new(&self.bytes[start as usize..end as usize], start);
                guard::types(body, reader.count(), self.limits.type_depth)?;
                if let Some(current) = self.current() {
                    let first = *current.lengths.of(Kind::Type);
                    for (index, ty) in (first..).zip(reader.clone()) {
                        if let Some(face) = face(&ty?) {
                            current.instance_types.insert(index, face);
                        }
                    }
                }
                self.push(Step::Local { kind: Kind::Type, count: reader.count() }, offset)?;
            }
            Payload::ComponentImportSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for import in reader {
                    let import = import?;
                    check_name(import.name.name, offset)?;
                    self.push(Step::Import { kind: import.ty.kind(), name: import.name.name }, offset)?;
                    // A type that must equal another is no demand, but a resource is.
                    let demand = !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_)));
                    if let Some(current) = self.current().filter(|_| demand) {
                        let face = match import.ty {
                            ComponentTypeRef::Instance(index) => current.instance_types.get(&index).copied(),
                            ComponentTypeRef::Func(_) => Some(Face { functions: 1, names_only: false }),
                            ComponentTypeRef::Type(_) => Some(Face { functions: 0, names_only: false }),
                            _ => None,
                        };
                        current.imports.push(Import { name: import.name.name, face });
                        if let Some(interface) = import.name.implements {
                            check_name(interface, offset)?;
                            current.implements[0].push((import.name.name, interface));
                        }
                    } else if let Some(current) = self.current() {
                        current.types[0].push(import.name.name);
                    }
                }
            }
            Payload::ComponentExportSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for export in reader {
                    let export = export?;
                    let name = export.name.name;
                    check_name(name, offset)?;
                    let item = Reference { name, kind: export.kind, index: export.index };
                    self.push(Step::Export { item }, offset)?;
                    if let Some(current) = self.current() {
                        let list = if export.kind == Kind::Type {
                            &mut current.types[1]
                        } else {
                            &mut current.exports
                        };
                        list.push(name);
                        if let Some(interface) = export.name.implements {
                            check_name(interface, offset)?;
                            current.implements[1].push((name, interface));
                        }
                    }
                }
            }
            Payload::ComponentAliasSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for alias in reader {
                    self.alias(alias?, offset)?;
                }
            }
            Payload::ComponentInstanceSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for instance in reader {
                    self.instance(instance?, offset)?;
                }
            }
            Payload::ComponentCanonicalSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for function in reader {
                    if let CanonicalFunction::Lift { .. } = function? {
                        self.push(Step::Local { kind: Kind::Func, count: 1 }, offset)?;
                    }
                }
            }
            Payload::ComponentStartSection { start, range } => {
                self.count(start.results, range.start)?;
                self.push(Step::Local { kind: Kind::Value, count: start.results }, range.start)?;
            }
            Payload::InstanceSection(reader) => {
                self.count(reader.count(), reader.range().start)?;
                for instance in reader {
                    if let Instance::Instantiate { .. } = instance?
                        && let Some(current) = self.current()
                    {
                        current.runs = true;
                        current.core_instances += 1;
                    }
                }
            }
            Payload::CustomSection(section) => match self.weigh(&section) {
                KnownCustom::ComponentName(reader) => self.names(reader),
                KnownCustom::Producers(reader) => {
                    if let Some(current) = self.current() {
                        current.producers.add(reader);
                    }
                }
                _ if section.name() == link_map::SECTION => {
                    let start = section.data_offset() as usize;
                    if let Some(current) = self.current() {
                        let twice = current.link_map.is_some();
                        current.link_map = Some((start..start + section.data().len(), twice));
                    }
                }
                _ => {}
            },
            Payload::UnknownSection { id, range, .. } => {
                return Err(ReadError::Unknown {
                    offset: range.start,
                    what: "section",
                    code: id,
                    made_by: None,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// Adds a custom section to the sizes, and says what it is.
    fn weigh(&mut self, section: &CustomSectionReader<'a>) -> KnownCustom<'a> {
        if let Some(current) = self.current() {
            current.sizes.custom(section.name(), length(&section.range()));
        }
        section.as_known()
    }

    /// Of a core module only its sizes are of interest, and what tells of its toolchain.
    fn module_section(&mut self, payload: &Payload<'a>) {
        let Some(((open, _), around)) = self.open.split_last_mut() else { return };
        let Open::Module(producers) = open else { return };
        let around = around.iter_mut().rev().find_map(|(_, definition)| definition.as_mut());
        let Some(component) = around else { return };
        match payload {
            Payload::CodeSectionStart { size, .. } => component.sizes.code += u64::from(*size),
            Payload::DataSection(reader) => component.sizes.data += length(&reader.range()),
            _ => {}
        }
        if let Payload::CustomSection(section) = payload {
            component.sizes.custom(section.name(), length(&section.range()));
            match section.as_known() {
                KnownCustom::Producers(reader) => producers.add(reader),
                // The name of the module is the first thing in its name section.
                KnownCustom::Name(mut reader) => {
                    if let Some(Ok(Name::Module { name, .. })) = reader.next() {
                        producers.add_module(name);
                    }
                }
                _ => {}
            }
        }
    }

    fn alias(&mut self, alias: ComponentAlias<'a>, offset: u64) -> Result<(), ReadError> {
        match alias {
            ComponentAlias::InstanceExport { kind, instance_index: instance, name } => {
                self.push(Step::Alias { kind, instance, name }, offset)
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                let enclosing = (self.open.len() - 1).checked_sub(count as usize);
                let there = enclosing
                    .and_then(|level| self.open[level].1.as_mut())
                    .is_some_and(|outer| index < *outer.lengths.of(Kind::Component));
                if !there {
                    return Err(ReadError::Dangling { offset, kind: "outer component", index });
                }
                self.push(Step::OuterComponent { count, index }, offset)
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. } => {
                self.push(Step::Local { kind: Kind::Type, count: 1 }, offset)
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
                self.push(Step::Local { kind: Kind::Module, count: 1 }, offset)
            }
            // Index spaces of core items, which lead to no other component.
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreType, .. }
            | ComponentAlias::CoreInstanceExport { .. } => Ok(()),
        }
    }

    fn instance(&mut self, instance: ComponentInstance<'a>, offset: u64) -> Result<(), ReadError> {
        match instance {
            ComponentInstance::Instantiate { component_index: component, args } => {
                self.count(args.len() as u32, offset)?;
                let arguments =
                    args.iter().map(|arg| Reference { name: arg.name, kind: arg.kind, index: arg.index });
                self.push(Step::Instantiate { component, arguments: arguments.collect() }, offset)
            }
            ComponentInstance::FromExports(exports) => {
                self.count(exports.len() as u32, offset)?;
                let items = exports.iter().map(|item| Reference {
                    name: item.name.name,
                    kind: item.kind,
                    index: item.index,
                });
                self.push(Step::Bag { items: items.collect() }, offset)
            }
        }
    }

    /// Adds a step, after checking that what it refers to is there.
    fn push(&mut self, step: Step<'a>, offset: u64) -> Result<(), ReadError> {
        let Some(current) = self.current() else { return Ok(()) };
        let mut check = |kind: Kind, index: u32| {
            if index < *current.lengths.of(kind) {
                Ok(())
            } else {
                Err(ReadError::Dangling { offset, kind: kind.desc(), index })
            }
        };
        let (kind, count) = match &step {
            Step::Import { kind, .. } => (*kind, 1),
            Step::Local { kind, count } => (*kind, *count),
            Step::OuterComponent { .. } | Step::Embed { .. } => (Kind::Component, 1),
            Step::Alias { kind, instance, .. } => {
                check(Kind::Instance, *instance)?;
                (*kind, 1)
            }
            Step::Instantiate { component, arguments } => {
                check(Kind::Component, *component)?;
                arguments.iter().try_for_each(|item| check(item.kind, item.index))?;
                (Kind::Instance, 1)
            }
            Step::Bag { items } => {
                items.iter().try_for_each(|item| check(item.kind, item.index))?;
                (Kind::Instance, 1)
            }
            Step::Export { item } => {
                check(item.kind, item.index)?;
                (item.kind, 1)
            }
        };
        *current.lengths.of(kind) += count;
        current.steps.push(step);
        Ok(())
    }

    /// Counts items against the limit, before they are read.
    fn count(&mut self, items: u32, offset: u64) -> Result<(), ReadError> {
        self.items = self.items.saturating_add(items);
        if self.items > self.limits.items {
            let limit = self.limits.items;
            return Err(ReadError::TooMany { offset, what: "items in components", limit });
        }
        Ok(())
    }

    /// Custom sections say nothing that must be true, so a broken one is passed over.
    fn names(&mut self, reader: ComponentNameSectionReader<'a>) {
        let Some(current) = self.current() else { return };
        for subsection in reader {
            match subsection {
                Ok(ComponentName::Component { name, .. }) => current.name = Some(name),
                Ok(ComponentName::Instances(map)) => {
                    for naming in map {
                        let Ok(naming) = naming else { break };
                        current.instance_names.insert(naming.index, naming.name);
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
}

impl Definition<'_> {
    fn new(range: Range<usize>) -> Self {
        Definition {
            range,
            name: None,
            instance_names: HashMap::new(),
            steps: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            types: <[Vec<&str>; 2]>::default(),
            implements: <[Vec<(&str, &str)>; 2]>::default(),
            runs: false,
            core_instances: 0,
            producers: Producers::default(),
            module_producers: Producers::default(),
            sizes: Sizes::default(),
            link_map: None,
            instance_types: HashMap::new(),
            lengths: Lengths::default(),
        }
    }
}

/// What is in an instance of this type, if it is an instance type.
fn face(ty: &ComponentType<'_>) -> Option<Face> {
    let ComponentType::Instance(declarations) = ty else { return None };
    let mut face = Face { functions: 0, names_only: true };
    for declaration in declarations.iter() {
        if let InstanceTypeDeclaration::Export { ty, .. } = declaration {
            face.functions += u32::from(matches!(ty, ComponentTypeRef::Func(_)));
            face.names_only &= matches!(ty, ComponentTypeRef::Type(TypeBounds::Eq(_)));
        }
    }
    Some(face)
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// Names of imports and exports are shown to people: only those that the component model allows get in,
/// but for versions, which are looked at where all is validated. Control characters are kept out of them too.
fn check_name(name: &str, offset: u64) -> Result<(), ReadError> {
    names::ComponentName::new_with_features(name, offset, WasmFeatures::all())?;
    if name.contains(char::is_control) {
        return Err(ReadError::Name { offset });
    }
    Ok(())
}
