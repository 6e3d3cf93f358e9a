//! A reader of components that shares nothing with `anatomy`: the parser's payloads, counted.

use std::collections::BTreeSet;
use std::ops::Range;

use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, Instance, KnownCustom, Parser, Payload, TypeBounds,
};

/// What is in a file.
#[derive(Default)]
pub struct Facts {
    /// Imports of the whole, without types that only equal others.
    pub imports: Vec<String>,
    /// Exports of the whole, without types.
    pub exports: Vec<String>,
    /// Components right inside the whole that instantiate a core module themselves.
    pub running: Vec<Range<usize>>,
    /// Whether the whole instantiates a core module itself.
    pub runs: bool,
    /// Names and versions of tools that any producers section mentions.
    pub tools: BTreeSet<(String, String)>,
    /// Bytes of function bodies, counts and lengths included.
    pub code: u64,
    /// Bytes of data sections.
    pub data: u64,
}

/// What is open: a module, or a component with its range and whether it runs.
enum Open {
    Module,
    Component(Range<usize>, bool),
}

pub fn read(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut open: Vec<Open> = Vec::new();
    let mut next = 0..bytes.len();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("the parser takes it") {
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } => open.push(Open::Module),
            Payload::Version { .. } => open.push(Open::Component(next.clone(), false)),
            Payload::ModuleSection { unchecked_range: range, .. }
            | Payload::ComponentSection { unchecked_range: range, .. } => {
                next = range.start as usize..range.end as usize;
            }
            Payload::End(_) => match (open.pop(), open.len()) {
                (Some(Open::Component(range, true)), 1) => facts.running.push(range),
                (Some(Open::Component(_, runs)), 0) => facts.runs = runs,
                _ => {}
            },
            Payload::InstanceSection(section) => {
                let runs = section
                    .into_iter()
                    .any(|instance| matches!(instance.expect("an instance"), Instance::Instantiate { .. }));
                if let Some(Open::Component(_, known)) = open.last_mut() {
                    *known |= runs;
                }
            }
            Payload::ComponentImportSection(section) if open.len() == 1 => {
                for import in section {
                    let import = import.expect("an import");
                    if !matches!(import.ty, ComponentTypeRef::Type(TypeBounds::Eq(_))) {
                        facts.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if open.len() == 1 => {
                for export in section {
                    let export = export.expect("an export");
                    if export.kind != ComponentExternalKind::Type {
                        facts.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::CodeSectionStart { size, .. } => facts.code += u64::from(size),
            Payload::DataSection(section) => facts.data += section.range().end - section.range().start,
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(fields) = section.as_known() {
                    for field in fields {
                        let field = field.expect("a field of the producers section");
                        if field.name != "language" {
                            facts.tools.extend(field.values.into_iter().map(|value| {
                                let value = value.expect("a tool");
                                let version = value.version.split_whitespace().next().unwrap_or_default();
                                (value.name.to_owned(), version.to_owned())
                            }));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    facts
}
