//! The core modules inside a component, wherever they are embedded: what a frame of a backtrace leads to.

use wasmparser::{Chunk, ExternalKind, Parser, Payload};

use crate::error::ReadError;
use crate::limits::Limits;
use crate::producers::printable;
use crate::scan::{check_head, embedded};

/// A core module inside a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreModule {
    /// Where it begins, in bytes from the beginning of the whole.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// The functions that it exports: their indices in the module, and their names, cut at 100 characters.
    pub functions: Vec<(u32, String)>,
}

/// Reads where the core modules of a component are, and what they export, in the order in which they begin. Looks at no
/// function body and at no data.
///
/// # Errors
///
/// Where the bytes are no component, break the binary format, or exceed the default [`Limits`].
pub fn core_modules(bytes: &[u8]) -> Result<Vec<CoreModule>, ReadError> {
    let limits = Limits::default();
    check_head(bytes, &limits)?;
    let mut modules: Vec<CoreModule> = Vec::new();
    // What is open around the current parser, and which module the current parser reads, if it is one.
    let (mut parser, mut module) = (Parser::new(0), None);
    let mut around = Vec::new();
    let (mut count, mut items) = (0, 0);
    let mut rest = bytes;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            unreachable!("no more data is asked for where there is none")
        };
        rest = &rest[consumed..];
        match payload {
            Payload::ModuleSection { unchecked_range, parser: inner } => {
                let range = embedded(bytes, unchecked_range, "module")?;
                around.push((std::mem::replace(&mut parser, inner), module));
                module = Some(modules.len());
                let (offset, bytes) = (range.start as u64, range.len() as u64);
                modules.push(CoreModule { offset, bytes, functions: Vec::new() });
                enough(&mut count, 1, limits.definitions, offset, "embedded modules and components")?;
            }
            Payload::ComponentSection { unchecked_range, parser: inner } => {
                let offset = embedded(bytes, unchecked_range, "component")?.start as u64;
                around.push((std::mem::replace(&mut parser, inner), module));
                module = None;
                enough(&mut count, 1, limits.definitions, offset, "embedded modules and components")?;
            }
            Payload::End(_) => match around.pop() {
                Some(outer) => (parser, module) = outer,
                None => return Ok(modules),
            },
            Payload::CodeSectionStart { size, .. } => {
                if let Some(after) = rest.get(size as usize..) {
                    parser.skip_section();
                    rest = after;
                }
            }
            Payload::ExportSection(reader) => {
                enough(&mut items, reader.count(), limits.items, reader.range().start, "exports of modules")?;
                let Some(module) = module.and_then(|index: usize| modules.get_mut(index)) else { continue };
                for export in reader {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        module.functions.push((export.index, printable(export.name)));
                    }
                }
            }
            _ => {}
        }
    }
}

fn enough(count: &mut u32, more: u32, limit: u32, offset: u64, what: &'static str) -> Result<(), ReadError> {
    *count = count.saturating_add(more);
    if *count > limit { Err(ReadError::TooMany { offset, what, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_at_every_depth_with_what_they_export() {
        let text = r#"(component
            (core module (func (export "outer")) (memory (export "memory") 1))
            (component
                (core module (import "" "f" (func)) (func (export "x:y/z#inner")) (func (export "other")))))"#;
        let bytes = wat::parse_str(text).unwrap();
        let modules = core_modules(&bytes).unwrap();
        let names: Vec<Vec<(u32, &str)>> = modules
            .iter()
            .map(|module| module.functions.iter().map(|(index, name)| (*index, &**name)).collect())
            .collect();
        assert_eq!(names, [vec![(0, "outer")], vec![(1, "x:y/z#inner"), (2, "other")]]);
        for module in modules {
            assert!(bytes[module.offset as usize..].starts_with(b"\0asm\x01\0\0\0"));
        }
        assert!(core_modules(&bytes[..bytes.len() - 3]).is_err());
        assert!(core_modules(b"\0asm\x01\0\0\0").is_err());
    }
}
