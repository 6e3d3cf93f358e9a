//! The core modules inside a component, wherever they are embedded: what a frame of a backtrace leads to.

use std::collections::HashMap;

use wasmparser::{
    Chunk, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentTypeRef, ExternalKind,
    Instance, InstantiationArgKind, Parser, Payload,
};

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
    /// Those of them that other modules of the same component are given, in the order in which they are.
    pub given: Vec<Given>,
}

/// A function of one core module that is given to another, which imports it under two names. Toolchains put modules
/// between a program and what its component imports; the program's import then has the names of the component's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Index of the function in the module that exports it.
    pub function: u32,
    /// The name of the import's module: by convention that of an interface. Cut at 100 characters.
    pub module: String,
    /// The name of the import's field: by convention that of a function of the interface. Cut at 100 characters.
    pub field: String,
}

/// Reads where the core modules of a component are, what they export, and what of it other modules are given, in the order
/// in which they begin. Looks at no function body and at no data.
///
/// # Errors
///
/// Where the bytes are no component, break the binary format, or exceed the default [`Limits`].
pub fn core_modules(bytes: &[u8]) -> Result<Vec<CoreModule>, ReadError> {
    let limits = Limits::default();
    check_head(bytes, &limits)?;
    let mut found =
        Found { limits: &limits, modules: Vec::new(), exports: Vec::new(), embedded: 0, items: 0 };
    let (mut parser, mut open) = (Parser::new(0), Open::Component(Spaces::default()));
    let mut around = Vec::new();
    let mut rest = bytes;
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            unreachable!("no more data is asked for where there is none")
        };
        rest = &rest[consumed..];
        match payload {
            Payload::ModuleSection { unchecked_range, parser: inner } => {
                let range = embedded(bytes, unchecked_range, "module")?;
                let module = found.module(range.start as u64, range.len() as u64)?;
                if let Open::Component(spaces) = &mut open {
                    spaces.modules.push(Some(module));
                }
                around.push((std::mem::replace(&mut parser, inner), open));
                open = Open::Module(module);
            }
            Payload::ComponentSection { unchecked_range, parser: inner } => {
                found.embed(embedded(bytes, unchecked_range, "component")?.start as u64)?;
                around.push((std::mem::replace(&mut parser, inner), open));
                open = Open::Component(Spaces::default());
            }
            Payload::End(_) => match around.pop() {
                Some(outer) => (parser, open) = outer,
                None => return Ok(found.modules),
            },
            Payload::CodeSectionStart { size, .. } => {
                if let Some(after) = rest.get(size as usize..) {
                    parser.skip_section();
                    rest = after;
                }
            }
            payload => match &mut open {
                Open::Module(module) => found.exports_of(*module, payload)?,
                Open::Component(spaces) => found.section(spaces, payload)?,
            },
        }
    }
}

/// What the parser is in.
enum Open<'a> {
    /// A core module, by its index in the list.
    Module(usize),
    Component(Spaces<'a>),
}

/// The index spaces of a component's core items.
#[derive(Default)]
struct Spaces<'a> {
    /// None for modules that are not embedded in this component itself.
    modules: Vec<Option<usize>>,
    instances: Vec<CoreInstance<'a>>,
    /// None for functions that no core instance exports.
    functions: Vec<Option<Exported<'a>>>,
}

/// A function, as the export of a core instance.
#[derive(Clone, Copy)]
struct Exported<'a> {
    instance: u32,
    name: &'a str,
}

enum CoreInstance<'a> {
    Of(Option<usize>),
    /// Put together from functions, and from others that are left out.
    Bag(Vec<(&'a str, Exported<'a>)>),
}

struct Found<'a, 'l> {
    limits: &'l Limits,
    modules: Vec<CoreModule>,
    /// The same functions of each module by their full names.
    exports: Vec<HashMap<&'a str, u32>>,
    embedded: u32,
    items: u32,
}

impl<'a> Found<'a, '_> {
    fn embed(&mut self, offset: u64) -> Result<(), ReadError> {
        enough(&mut self.embedded, 1, self.limits.definitions, offset, "embedded modules and components")
    }

    fn module(&mut self, offset: u64, bytes: u64) -> Result<usize, ReadError> {
        self.embed(offset)?;
        self.modules.push(CoreModule { offset, bytes, functions: Vec::new(), given: Vec::new() });
        self.exports.push(HashMap::new());
        Ok(self.modules.len() - 1)
    }

    fn count(&mut self, items: u32, offset: u64) -> Result<(), ReadError> {
        enough(&mut self.items, items, self.limits.items, offset, "core items in components")
    }

    fn exports_of(&mut self, module: usize, payload: Payload<'a>) -> Result<(), ReadError> {
        let Payload::ExportSection(reader) = payload else { return Ok(()) };
        self.count(reader.count(), reader.range().start)?;
        for export in reader {
            let export = export?;
            if is_function(export.kind) {
                self.modules[module].functions.push((export.index, printable(export.name)));
                self.exports[module].insert(export.name, export.index);
            }
        }
        Ok(())
    }

    /// Follows the index spaces of core items through a section of a component.
    fn section(&mut self, spaces: &mut Spaces<'a>, payload: Payload<'a>) -> Result<(), ReadError> {
        match payload {
            Payload::InstanceSection(reader) => {
                let offset = reader.range().start;
                self.count(reader.count(), offset)?;
                for instance in reader {
                    self.instance(spaces, instance?, offset)?;
                }
            }
            Payload::ComponentAliasSection(reader) => {
                self.count(reader.count(), reader.range().start)?;
                for alias in reader {
                    match alias? {
                        ComponentAlias::CoreInstanceExport { kind, instance_index: instance, name }
                            if is_function(kind) =>
                        {
                            spaces.functions.push(Some(Exported { instance, name }));
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
                        | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
                            spaces.modules.push(None);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentCanonicalSection(reader) => {
                self.count(reader.count(), reader.range().start)?;
                for function in reader {
                    if !matches!(function?, wasmparser::CanonicalFunction::Lift { .. }) {
                        spaces.functions.push(None);
                    }
                }
            }
            Payload::ComponentImportSection(reader) => {
                self.count(reader.count(), reader.range().start)?;
                for import in reader {
                    if let ComponentTypeRef::Module(_) = import?.ty {
                        spaces.modules.push(None);
                    }
                }
            }
            Payload::ComponentExportSection(reader) => {
                self.count(reader.count(), reader.range().start)?;
                for export in reader {
                    if export?.kind == ComponentExternalKind::Module {
                        spaces.modules.push(None);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn instance(
        &mut self,
        spaces: &mut Spaces<'a>,
        instance: Instance<'a>,
        offset: u64,
    ) -> Result<(), ReadError> {
        let made = match instance {
            Instance::Instantiate { module_index, args } => {
                for arg in args.iter().filter(|arg| matches!(arg.kind, InstantiationArgKind::Instance)) {
                    self.give(spaces, arg.name, arg.index, offset)?;
                }
                CoreInstance::Of(spaces.modules.get(module_index as usize).copied().flatten())
            }
            Instance::FromExports(items) => {
                self.count(items.len() as u32, offset)?;
                let function = |index: u32| spaces.functions.get(index as usize).copied().flatten();
                CoreInstance::Bag(
                    items
                        .iter()
                        .filter(|item| is_function(item.kind))
                        .filter_map(|item| Some((item.name, function(item.index)?)))
                        .collect(),
                )
            }
        };
        spaces.instances.push(made);
        Ok(())
    }

    /// An instance is given to a module, which imports it as `module`.
    fn give(
        &mut self,
        spaces: &Spaces<'a>,
        module: &str,
        instance: u32,
        offset: u64,
    ) -> Result<(), ReadError> {
        let Some(CoreInstance::Bag(items)) = spaces.instances.get(instance as usize) else { return Ok(()) };
        // One may be given many times over.
        self.count(items.len() as u32, offset)?;
        for (field, Exported { instance, name }) in items {
            let Some(CoreInstance::Of(Some(from))) = spaces.instances.get(*instance as usize) else {
                continue;
            };
            if let Some(&function) = self.exports[*from].get(name) {
                let (module, field) = (printable(module), printable(field));
                self.modules[*from].given.push(Given { function, module, field });
            }
        }
        Ok(())
    }
}

fn is_function(kind: ExternalKind) -> bool {
    matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
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
            assert!(module.given.is_empty());
            assert!(bytes[module.offset as usize..].starts_with(b"\0asm\x01\0\0\0"));
        }
        assert!(core_modules(&bytes[..bytes.len() - 3]).is_err());
        assert!(core_modules(b"\0asm\x01\0\0\0").is_err());
    }

    #[test]
    fn functions_that_one_module_gives_another_have_the_names_under_which_it_imports_them() {
        let text = r#"(component
            (import "host" (func $host))
            (import "module" (core module $imported))
            (core func $lowered (canon lower (func $host)))
            (core module $shim
                (memory (export "memory") 1)
                (func) (func (export "0")) (func (export "1")) (func (export "unused")))
            (core instance $shim (instantiate $shim))
            (core module $main (import "x:y/z" "f" (func)) (import "x:y/z" "g" (func)) (import "env" "h" (func)))
            (alias core export $shim "memory" (core memory $memory))
            (alias core export $shim "1" (core func $one))
            (alias core export $shim "0" (core func $zero))
            (core instance $bag (export "f" (func $one)) (export "g" (func $zero)) (export "m" (memory $memory)))
            (core instance $env (export "h" (func $lowered)))
            (core instance (instantiate $main (with "x:y/z" (instance $bag)) (with "env" (instance $env))))
            (core instance (instantiate $imported (with "x:y/z" (instance $bag)))))"#;
        let modules = core_modules(&wat::parse_str(text).unwrap()).unwrap();
        let given: Vec<Vec<(u32, &str, &str)>> = modules
            .iter()
            .map(|module| module.given.iter().map(|it| (it.function, &*it.module, &*it.field)).collect())
            .collect();
        let both = [(2, "x:y/z", "f"), (1, "x:y/z", "g")];
        assert_eq!(given, [[both, both].concat(), vec![]]);
    }
}
