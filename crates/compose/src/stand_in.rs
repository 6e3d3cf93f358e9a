//! Stand-ins for parts: components of the same type and structure, without what makes parts large.
//!
//! The library that composes copies what it is given several times, and reads all of it. Nothing that it wants to know is
//! in code, data or custom sections, which are nearly all of a part; so it gets parts without these, and the parts
//! themselves take the places of their stand-ins in what it made.

use wasm_encoder::{
    ComponentSectionId, CustomSection, Encode, ExportKind, ExportSection, FunctionSection, Module,
    RawSection, Section, SectionId,
};
use wasmparser::{Chunk, ConstExpr, Export, ExternalKind, Operator, Parser, Payload, TableInit, TypeRef};

/// The custom section with which a stand-in ends: its last four bytes are the number of the part.
const NUMBER: &str = "stand-in";
/// The custom section with the names of a component's instances, by which parts of parts are known.
const NAMES: &str = "component-name";
/// A function without locals that traps: valid for every type of function.
const BODY: [u8; 4] = [3, 0, 0x00, 0x0b];

/// The stand-in for part `number`. None where that is no component, or breaks the binary format.
pub(crate) fn of(component: &[u8], number: u32) -> Option<Vec<u8>> {
    let (mut parser, mut around) = (Parser::new(0), Vec::new());
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut at = 0;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(component.get(at..)?, true).ok()? else {
            return None;
        };
        at += consumed;
        match &payload {
            Payload::Version { range, .. } => {
                open.push(component.get(range.start as usize..range.end as usize)?.to_vec());
            }
            Payload::ComponentSection { parser: inner, .. } => {
                around.push(std::mem::replace(&mut parser, inner.clone()));
            }
            Payload::ModuleSection { unchecked_range: range, .. } => {
                at = range.end as usize;
                let module = module(component.get(range.start as usize..at)?)?;
                section(open.last_mut()?, ComponentSectionId::CoreModule as u8, &module);
            }
            Payload::End(_) => {
                let done = open.pop()?;
                match (open.last_mut(), around.pop()) {
                    (Some(outer), Some(back)) => {
                        section(outer, ComponentSectionId::Component as u8, &done);
                        parser = back;
                    }
                    _ => return Some(numbered(done, number)),
                }
            }
            Payload::CustomSection(custom) if custom.name() != NAMES => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    section(open.last_mut()?, id, component.get(range.start as usize..range.end as usize)?);
                }
            }
        }
    }
}

fn numbered(mut component: Vec<u8>, number: u32) -> Vec<u8> {
    let number: &[u8] = &number.to_le_bytes();
    CustomSection { name: NUMBER.into(), data: number.into() }.append_to(&mut component);
    component
}

/// The number of the part that a stand-in is for.
pub(crate) fn number(stand_in: &[u8]) -> Option<usize> {
    let number = stand_in.last_chunk()?;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn section(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    into.push(id);
    content.encode(into);
}

/// A core module with the same imports and exports, whose functions trap: what it exports of them, and no others.
fn module(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut found = Outside::default();
    let mut parser = Parser::new(0);
    let mut at = 0;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(bytes.get(at..)?, true).ok()? else {
            return None;
        };
        at += consumed;
        match &payload {
            Payload::CodeSectionStart { size, .. } => {
                parser.skip_section();
                at += *size as usize;
            }
            Payload::End(_) => return found.module(),
            other => found.add(other, bytes)?,
        }
    }
}

/// What tells the type of a core module.
#[derive(Default)]
struct Outside<'a> {
    /// Sections before that of the functions.
    before: Vec<RawSection<'a>>,
    /// How many functions are imported.
    imported: u32,
    /// The types of all others.
    functions: Vec<u32>,
    /// Sections between those of the functions and of the exports.
    between: Vec<RawSection<'a>>,
    exports: Vec<Export<'a>>,
    /// Whether a global or table is initialized with functions, by their indices.
    mentioned: bool,
}

impl<'a> Outside<'a> {
    fn add(&mut self, payload: &Payload<'a>, bytes: &'a [u8]) -> Option<()> {
        let raw = || {
            let (id, range) = payload.as_section()?;
            Some(RawSection { id, data: bytes.get(range.start as usize..range.end as usize)? })
        };
        match payload {
            Payload::TypeSection(_) => self.before.push(raw()?),
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let function = matches!(import.ok()?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    self.imported += u32::from(function);
                }
                self.before.push(raw()?);
            }
            Payload::FunctionSection(functions) => {
                self.functions = functions.clone().into_iter().collect::<Result<_, _>>().ok()?;
            }
            Payload::TableSection(tables) => {
                for table in tables.clone() {
                    if let TableInit::Expr(init) = table.ok()?.init {
                        self.mentioned |= mentions(&init)?;
                    }
                }
                self.between.push(raw()?);
            }
            Payload::GlobalSection(globals) => {
                for global in globals.clone() {
                    self.mentioned |= mentions(&global.ok()?.init_expr)?;
                }
                self.between.push(raw()?);
            }
            Payload::MemorySection(_) | Payload::TagSection(_) => self.between.push(raw()?),
            Payload::ExportSection(exports) => {
                self.exports = exports.clone().into_iter().collect::<Result<_, _>>().ok()?;
            }
            _ => {}
        }
        Some(())
    }

    fn module(&self) -> Option<Vec<u8>> {
        let mut functions = FunctionSection::new();
        if self.mentioned {
            self.functions.iter().for_each(|ty| _ = functions.function(*ty));
        }
        let mut exports = ExportSection::new();
        for &Export { name, kind, mut index } in &self.exports {
            if matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
                && let Some(own) = index.checked_sub(self.imported)
                && !self.mentioned
            {
                index = self.imported + functions.len();
                functions.function(*self.functions.get(own as usize)?);
            }
            exports.export(name, exported(kind), index);
        }
        let mut bodies = Vec::new();
        functions.len().encode(&mut bodies);
        (0..functions.len()).for_each(|_| bodies.extend(BODY));
        let mut module = Module::new();
        self.before.iter().for_each(|section| _ = module.section(section));
        module.section(&functions);
        self.between.iter().for_each(|section| _ = module.section(section));
        module.section(&exports).section(&RawSection { id: SectionId::Code as u8, data: &bodies });
        Some(module.finish())
    }
}

/// Whether an expression has the index of a function in it.
fn mentions(expression: &ConstExpr<'_>) -> Option<bool> {
    for operator in expression.get_operators_reader() {
        if let Operator::RefFunc { .. } = operator.ok()? {
            return Some(true);
        }
    }
    Some(false)
}

fn exported(kind: ExternalKind) -> ExportKind {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
        ExternalKind::Table => ExportKind::Table,
        ExternalKind::Memory => ExportKind::Memory,
        ExternalKind::Global => ExportKind::Global,
        ExternalKind::Tag => ExportKind::Tag,
    }
}
