//! Reads the outermost level of a composition: what it embeds, instantiates, passes on, imports and exports.
//!
//! Only what the WAC language has words for gets through; the first thing that it has none for is the answer. The bytes
//! were validated before, so every index leads to an earlier item.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::ops::Range;

use wasmparser::{
    Chunk, ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentName,
    ComponentNameSectionReader, Instance, KnownCustom, Parser, Payload,
};

use super::DecomposeError;

/// The outermost level of a component.
#[derive(Default)]
pub(super) struct Root<'a> {
    /// Embedded components, each once: two that are equal byte for byte are one.
    pub parts: Vec<&'a [u8]>,
    pub imports: Vec<Import<'a>>,
    pub instances: Vec<Instantiation<'a>>,
    pub exports: Vec<Export<'a>>,
    /// Everything that instances can be given and exports can be made of.
    pub items: Vec<Item<'a>>,
    /// Where the last import ends. What is before is a component as well, which imports the same.
    pub imports_end: usize,
}

/// How deep items may be inside of instances inside of instances: names of the way there are written out for each.
const DEEPEST: u32 = 64;

pub(super) struct Import<'a> {
    pub name: &'a str,
    /// Where it is written, as with all offsets here, in bytes from the beginning of the whole.
    pub offset: u64,
}

pub(super) struct Instantiation<'a> {
    /// Index of the part.
    pub part: usize,
    /// What the name section calls it.
    pub name: Option<&'a str>,
    pub arguments: Vec<Argument<'a>>,
    pub offset: u64,
}

pub(super) struct Argument<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Index of the item that is given.
    pub item: usize,
}

pub(super) struct Export<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// Index of the item that is exported.
    pub item: usize,
    pub offset: u64,
}

/// Something with an index of its own.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    /// An import, by its index.
    Import(usize),
    /// An instance of a part, by its index.
    Instance(usize),
    /// What another item exports under this name.
    Member { of: usize, name: &'a str },
    /// An embedded component, by the index of the part.
    Part(usize),
    /// A type that is defined in place.
    Type,
}

/// Reads the outermost level of a valid component.
pub(super) fn read(bytes: &[u8]) -> Result<Root<'_>, DecomposeError> {
    let mut reader = Reader { root: Root::default(), spaces: HashMap::new(), embedded: HashMap::new() };
    let mut parser = Parser::new(0);
    let mut at = 0;
    let mut names = None;
    loop {
        let chunk = parser.parse(&bytes[at..], true).map_err(DecomposeError::Invalid)?;
        let Chunk::Parsed { consumed, payload } = chunk else { break };
        at += consumed;
        match payload {
            Payload::End(_) => break,
            Payload::ComponentSection { unchecked_range, .. } => {
                let (range, offset) = (sized(&unchecked_range), unchecked_range.start);
                at = range.end;
                reader.embed(bytes.get(range).ok_or(DecomposeError::CutOff { offset })?, offset);
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::ComponentName(reader) = section.as_known() {
                    names = Some(reader);
                }
            }
            other => reader.section(other)?,
        }
    }
    reader.finish(names)
}

/// What a component calls itself in its name section.
pub(super) fn own_name(bytes: &[u8]) -> Option<&str> {
    let mut parser = Parser::new(0);
    let mut at = 0;
    while let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(bytes.get(at..)?, true) {
        at += consumed;
        match payload {
            Payload::End(_) => break,
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                at = sized(&unchecked_range).end;
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::ComponentName(reader) = section.as_known() {
                    let mut names = reader.into_iter().map_while(Result::ok);
                    return names.find_map(|name| match name {
                        ComponentName::Component { name, .. } => Some(name),
                        _ => None,
                    });
                }
            }
            _ => {}
        }
    }
    None
}

/// Offsets within a slice fit into its indices.
fn sized(range: &Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}

struct Reader<'a> {
    root: Root<'a>,
    /// The index spaces, by kind: each index leads to an item.
    spaces: HashMap<Discriminant<Kind>, Vec<usize>>,
    /// Embedded components that were seen: the index of the part, and where the first one is.
    embedded: HashMap<&'a [u8], (usize, u64)>,
}

impl<'a> Reader<'a> {
    fn embed(&mut self, bytes: &'a [u8], offset: u64) {
        let next = self.root.parts.len();
        let (part, _) = *self.embedded.entry(bytes).or_insert((next, offset));
        if part == next {
            self.root.parts.push(bytes);
        }
        self.add(Kind::Component, Item::Part(part));
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), DecomposeError> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                return Err(unsayable("a core module at the root", unchecked_range.start));
            }
            Payload::InstanceSection(reader) => {
                if let Some(first) = reader.into_iter_with_offsets().next() {
                    let (offset, instance) = first.map_err(DecomposeError::Invalid)?;
                    let what = match instance {
                        Instance::Instantiate { .. } => "an instance of a core module at the root",
                        Instance::FromExports(_) => "a bag of core items at the root",
                    };
                    return Err(unsayable(what, offset));
                }
            }
            Payload::ComponentCanonicalSection(reader) => {
                if let Some(first) = reader.into_iter_with_offsets().next() {
                    let (offset, _) = first.map_err(DecomposeError::Invalid)?;
                    return Err(unsayable("a canonical definition at the root", offset));
                }
            }
            Payload::ComponentStartSection { range, .. } => {
                return Err(unsayable("a start function", range.start));
            }
            Payload::ComponentTypeSection(reader) => {
                for _ in 0..reader.count() {
                    self.add(Kind::Type, Item::Type);
                }
            }
            Payload::ComponentImportSection(reader) => {
                self.root.imports_end = reader.range().end as usize;
                for import in reader.into_iter_with_offsets() {
                    let (offset, import) = import.map_err(DecomposeError::Invalid)?;
                    self.add(import.ty.kind(), Item::Import(self.root.imports.len()));
                    self.root.imports.push(Import { name: import.name.name, offset });
                }
            }
            Payload::ComponentAliasSection(reader) => {
                for alias in reader.into_iter_with_offsets() {
                    let (offset, alias) = alias.map_err(DecomposeError::Invalid)?;
                    self.alias(&alias, offset)?;
                }
            }
            Payload::ComponentInstanceSection(reader) => {
                for instance in reader.into_iter_with_offsets() {
                    let (offset, instance) = instance.map_err(DecomposeError::Invalid)?;
                    self.instance(&instance, offset)?;
                }
            }
            Payload::ComponentExportSection(reader) => {
                for export in reader.into_iter_with_offsets() {
                    let (offset, export) = export.map_err(DecomposeError::Invalid)?;
                    let (name, kind) = (export.name.name, export.kind);
                    let item = self.at(kind, export.index);
                    self.spaces.entry(discriminant(&kind)).or_default().push(item);
                    self.root.exports.push(Export { name, kind, item, offset });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>, offset: u64) -> Result<(), DecomposeError> {
        match *alias {
            ComponentAlias::InstanceExport { kind, instance_index, name } => {
                let of = self.at(Kind::Instance, instance_index);
                if self.depth(of) >= DEEPEST {
                    let what = format!("an item that is more than {DEEPEST} instances deep");
                    return Err(unsayable(what, offset));
                }
                self.add(kind, Item::Member { of, name });
                Ok(())
            }
            ComponentAlias::CoreInstanceExport { .. } => {
                Err(unsayable("an alias of something in a core instance", offset))
            }
            ComponentAlias::Outer { .. } => Err(unsayable("an outer alias at the root", offset)),
        }
    }

    fn instance(&mut self, instance: &ComponentInstance<'a>, offset: u64) -> Result<(), DecomposeError> {
        let ComponentInstance::Instantiate { component_index, args } = instance else {
            return Err(unsayable("an instance put together from single items (a bag of exports)", offset));
        };
        let part = match self.root.items[self.at(Kind::Component, *component_index)] {
            Item::Part(part) => part,
            Item::Import(_) => return Err(unsayable("an instance of an imported component", offset)),
            _ => return Err(unsayable("an instance of a component that an instance exports", offset)),
        };
        let mut arguments = Vec::with_capacity(args.len());
        for argument in args {
            let item = self.at(argument.kind, argument.index);
            if let Item::Part(_) = self.root.items[item] {
                let what = format!("an embedded component as the argument `{}`", argument.name);
                return Err(unsayable(what, offset));
            }
            arguments.push(Argument { name: argument.name, kind: argument.kind, item });
        }
        self.add(Kind::Instance, Item::Instance(self.root.instances.len()));
        self.root.instances.push(Instantiation { part, name: None, arguments, offset });
        Ok(())
    }

    fn finish(mut self, names: Option<ComponentNameSectionReader<'a>>) -> Result<Root<'a>, DecomposeError> {
        for part in 0..self.root.parts.len() {
            if !self.root.instances.iter().any(|instance| instance.part == part) {
                let (_, offset) = self.embedded[self.root.parts[part]];
                return Err(unsayable("a component that is embedded and never instantiated", offset));
            }
        }
        for export in &self.root.exports {
            match self.root.items[export.item] {
                Item::Part(_) => {
                    let what = format!("the export of an embedded component as `{}`", export.name);
                    return Err(unsayable(what, export.offset));
                }
                Item::Type => {
                    let what = format!("the export `{}` of a type that is defined at the root", export.name);
                    return Err(unsayable(what, export.offset));
                }
                _ => {}
            }
        }
        if let Some(names) = names {
            self.name(names);
        }
        Ok(self.root)
    }

    /// A name section says nothing that must be true: what is broken in it is passed over.
    fn name(&mut self, names: ComponentNameSectionReader<'a>) {
        for names in names.into_iter().map_while(Result::ok) {
            let ComponentName::Instances(map) = names else { continue };
            for naming in map.into_iter().map_while(Result::ok) {
                let instances = self.spaces.get(&discriminant(&Kind::Instance));
                let item = instances.and_then(|instances| instances.get(naming.index as usize));
                if let Some(Item::Instance(instance)) = item.map(|&item| self.root.items[item]) {
                    // An exported instance has a second index, which may have a name as well: the first counts.
                    self.root.instances[instance].name.get_or_insert(naming.name);
                }
            }
        }
    }

    fn add(&mut self, kind: Kind, item: Item<'a>) {
        self.spaces.entry(discriminant(&kind)).or_default().push(self.root.items.len());
        self.root.items.push(item);
    }

    fn depth(&self, mut item: usize) -> u32 {
        let mut depth = 0;
        while let Item::Member { of, .. } = self.root.items[item] {
            (item, depth) = (of, depth + 1);
        }
        depth
    }

    fn at(&self, kind: Kind, index: u32) -> usize {
        self.spaces[&discriminant(&kind)][index as usize]
    }
}

impl Root<'_> {
    /// The import that an item is, or is a member of, if any.
    pub(super) fn import_behind(&self, mut item: usize) -> Option<usize> {
        loop {
            match self.items[item] {
                Item::Import(import) => return Some(import),
                Item::Member { of, .. } => item = of,
                _ => return None,
            }
        }
    }
}

fn unsayable(construct: impl Into<String>, offset: u64) -> DecomposeError {
    DecomposeError::Unsayable { construct: construct.into(), offset, reason: None }
}
