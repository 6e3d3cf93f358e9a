//! What a core module imports and exports, as far as it decides which component it becomes.

use wasmparser::types::{EntityType, TypesRef};
use wasmparser::{Parser, Payload, TypeRef, Validator, WasmFeatures};

/// What matters of a core module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// Whether it says which world it was built for.
    pub names_world: bool,
    /// What it imports, by module.
    pub imports: Vec<Imported>,
    /// Whether it is a program: it exports `_start`.
    pub starts: bool,
    /// Whether its `_start` is something else than a function without parameters and results.
    pub odd_start: bool,
    /// Whether it exports a memory as `memory`.
    pub shows_memory: bool,
    /// What shows that it was built for threads, where something does.
    pub threads: Option<&'static str>,
}

/// What a core module imports from one module.
#[derive(Debug)]
pub(super) struct Imported {
    /// The name of that module.
    pub module: String,
    /// What is imported from it.
    pub names: Vec<String>,
}

impl Module {
    /// Validates and reads a core module.
    ///
    /// # Errors
    ///
    /// Where it is not valid.
    pub fn read(core: &[u8]) -> Result<Self, wasmparser::Error> {
        let types = Validator::new_with_features(WasmFeatures::all()).validate_all(core)?;
        let mut module = Self::outline(core)?;
        for (name, ty) in types.as_ref().core_exports().into_iter().flatten() {
            module.shows_memory |= name == "memory" && matches!(ty, EntityType::Memory(_));
            module.odd_start |= name == "_start" && !is_plain_function(types.as_ref(), ty);
        }
        Ok(module)
    }

    /// Reads what can be told without types. Nothing is validated.
    ///
    /// # Errors
    ///
    /// Where it breaks the binary format.
    pub fn outline(core: &[u8]) -> Result<Self, wasmparser::Error> {
        let mut module = Module::default();
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::CustomSection(section) if section.name().starts_with("component-type") => {
                    module.names_world = true;
                }
                Payload::ImportSection(reader) => {
                    for import in reader.into_imports() {
                        let import = import?;
                        module.add(import.module, import.name);
                        module.threads = module.threads.or_else(|| threads(&import));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        module.starts |= export?.name == "_start";
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    fn add(&mut self, from: &str, name: &str) {
        match self.imports.iter_mut().find(|imported| imported.module == from) {
            Some(imported) => imported.names.push(name.to_owned()),
            None => self.imports.push(Imported { module: from.to_owned(), names: vec![name.to_owned()] }),
        }
    }
}

fn is_plain_function(types: TypesRef<'_>, ty: EntityType) -> bool {
    let EntityType::Func(id) = ty else { return false };
    let function = types[id].unwrap_func();
    function.params().is_empty() && function.results().is_empty()
}

fn threads(import: &wasmparser::Import<'_>) -> Option<&'static str> {
    match import.ty {
        TypeRef::Memory(memory) if memory.shared => Some("it imports a shared memory"),
        _ if import.module == "wasi" && import.name == "thread-spawn" => {
            Some("it imports `thread-spawn` from `wasi`")
        }
        _ => None,
    }
}
