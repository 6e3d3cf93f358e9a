//! What a component may cost an engine that compiles it, counted from its structure before anything is compiled.
//!
//! A few bytes can declare a great deal: a component that instantiates another a thousand times, which does the same with a
//! third; a function with fifty thousand variables. An engine only finds out by doing the work. [`check`] counts what
//! is declared in one pass over the bytes, multiplies out what is instantiated on paper, and stops at the first of
//! [`BOUNDS`] that is passed.

use wasmparser::{BinaryReader, Chunk, CompositeInnerType, FunctionBody, Parser, Payload, TypeSectionReader};

use crate::error::ReadError;
use crate::limits::Limits;
use crate::{link, scan};

pub use crate::bound::Bound;

const INSTANCES: Bound = Bound {
    name: "instances",
    most: 10_000,
    counts: "instances of components and core modules, each counted as often as it is made",
};
const EXPANDED: Bound = Bound {
    name: "expanded items",
    most: 500_000,
    counts: "imports, exports, aliases, types, functions and instances of components, each counted as often as its component is instantiated",
};
const FUNCTIONS: Bound = Bound { name: "functions", most: 250_000, counts: "functions in core modules" };
const BODY: Bound =
    Bound { name: "function body", most: 1 << 20, counts: "bytes in the body of one function" };
const LOCALS: Bound =
    Bound { name: "locals", most: 10_000_000, counts: "local variables of all functions together" };
const SIGNATURE: Bound =
    Bound { name: "signature", most: 256, counts: "parameters and results in the type of one core function" };
const TYPES: Bound = Bound { name: "types", most: 100_000, counts: "types of core modules" };
const SIGNATURES: Bound = Bound {
    name: "signatures",
    most: 1_000_000,
    counts: "parameters and results in the types of all core functions together",
};
const DECLARATIONS: Bound = Bound {
    name: "declarations",
    most: 500_000,
    counts: "types, imports, exports, globals, tables, memories and segments of core modules",
};
const SECTIONS: Bound = Bound { name: "sections", most: 100_000, counts: "sections" };

/// All bounds that [`check`] has beside [`Limits`].
pub const BOUNDS: [Bound; 10] =
    [INSTANCES, EXPANDED, FUNCTIONS, BODY, LOCALS, TYPES, SIGNATURE, SIGNATURES, DECLARATIONS, SECTIONS];

/// Checks that a component keeps within [`BOUNDS`], each taken `factor` times, and within the default [`Limits`].
///
/// Takes time in proportion to the bytes, and neither time nor memory in proportion to what the component would become.
///
/// # Errors
///
/// As for [`read`](crate::read), and [`ReadError::Beyond`] at the first bound that is passed.
pub fn check(bytes: &[u8], factor: u32) -> Result<(), ReadError> {
    let mut counts = Counts { factor: u64::from(factor), ..Counts::default() };
    scan::check_head(bytes, &Limits::default())?;
    counts.modules(bytes)?;
    let limits = Limits::default();
    let definitions = scan::scan(bytes, &limits).map_err(|error| error.with_makers(bytes))?;
    link::count(bytes, &definitions, &limits, [INSTANCES, EXPANDED].map(|bound| counts.scaled(bound)))
}

/// What was counted so far.
#[derive(Default)]
struct Counts {
    factor: u64,
    functions: u64,
    locals: u64,
    types: u64,
    signatures: u64,
    declarations: u64,
    sections: u64,
    depth: u32,
}

impl Counts {
    fn scaled(&self, bound: Bound) -> Bound {
        Bound { most: bound.most.saturating_mul(self.factor), ..bound }
    }

    fn within(&self, count: u64, bound: Bound, offset: u64) -> Result<(), ReadError> {
        self.scaled(bound).check(count, offset)
    }

    /// Goes through all sections. Those of components are left to [`scan`], as far as they are not core modules.
    fn modules(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let limit = Limits::default().component_depth;
        let (mut parser, mut around) = (Parser::new(0), Vec::new());
        let mut rest = bytes;
        loop {
            let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
                unreachable!("no more data is asked for where there is none")
            };
            let offset = (bytes.len() - rest.len()) as u64;
            rest = &rest[consumed..];
            match payload {
                Payload::ModuleSection { parser: inner, .. }
                | Payload::ComponentSection { parser: inner, .. } => {
                    self.depth += 1;
                    // A module is within the innermost component.
                    if self.depth > limit + 1 {
                        return Err(ReadError::TooDeep { offset, what: "components", limit });
                    }
                    around.push(std::mem::replace(&mut parser, inner));
                }
                Payload::End(_) => match around.pop() {
                    Some(outer) => {
                        self.depth -= 1;
                        parser = outer;
                    }
                    None => return Ok(()),
                },
                payload => self.section(&payload, offset)?,
            }
        }
    }

    fn section(&mut self, payload: &Payload<'_>, offset: u64) -> Result<(), ReadError> {
        if let Payload::CodeSectionEntry(body) = payload {
            return self.body(body);
        }
        self.sections += 1;
        self.within(self.sections, SECTIONS, offset)?;
        let declared = match payload {
            Payload::FunctionSection(reader) => {
                self.functions += u64::from(reader.count());
                return self.within(self.functions, FUNCTIONS, offset);
            }
            Payload::TypeSection(reader) => {
                self.declare(reader.count(), offset)?;
                return self.signatures(reader);
            }
            Payload::ImportSection(reader) => reader.count(),
            Payload::ExportSection(reader) => reader.count(),
            Payload::GlobalSection(reader) => reader.count(),
            Payload::TableSection(reader) => reader.count(),
            Payload::MemorySection(reader) => reader.count(),
            Payload::TagSection(reader) => reader.count(),
            Payload::ElementSection(reader) => reader.count(),
            Payload::DataSection(reader) => reader.count(),
            _ => 0,
        };
        self.declare(declared, offset)
    }

    fn declare(&mut self, count: u32, offset: u64) -> Result<(), ReadError> {
        self.declarations += u64::from(count);
        self.within(self.declarations, DECLARATIONS, offset)
    }

    /// A validator keeps every distinct type, with all its parameters and results.
    fn signatures(&mut self, reader: &TypeSectionReader<'_>) -> Result<(), ReadError> {
        for group in reader.clone().into_iter_with_offsets() {
            let (offset, group) = group?;
            for ty in group.types() {
                self.types += 1;
                self.within(self.types, TYPES, offset)?;
                if let CompositeInnerType::Func(function) = &ty.composite_type.inner {
                    let count = (function.params().len() + function.results().len()) as u64;
                    self.within(count, SIGNATURE, offset)?;
                    self.signatures += count;
                    self.within(self.signatures, SIGNATURES, offset)?;
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), ReadError> {
        let range = body.range();
        self.within(range.end - range.start, BODY, range.start)?;
        // The groups of variables: how many, and of which type.
        let mut reader: BinaryReader<'_> = body.get_binary_reader();
        for _ in 0..reader.read_var_u32()? {
            self.locals = self.locals.saturating_add(u64::from(reader.read_var_u32()?));
            reader.read::<wasmparser::ValType>()?;
            self.within(self.locals, LOCALS, range.start)?;
        }
        Ok(())
    }
}
