//! The text of a composition, in WAC.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use sha2::{Digest, Sha256};
use wac_graph::types::are_semver_compatible;
use wasmparser::ComponentExternalKind as Kind;

use super::names::Names;
use super::root::{Instantiation, Item, Root, own_name};
use super::{DecomposeError, PARTS};

/// How long a line gets before the arguments of an instance have a line each, in characters.
const WIDEST: usize = 100;

/// What things are called in the text.
pub(super) struct Naming {
    /// Names of the instances, in their order.
    pub instances: Vec<String>,
    /// Names of the parts, without the namespace.
    pub parts: Vec<String>,
    /// Names of the imports, for those that have a statement.
    pub imports: Vec<String>,
}

/// As `anatomy` writes it.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Naming {
    /// `packages` are names that parts are known by, by their digests.
    pub(super) fn new(root: &Root<'_>, packages: &HashMap<String, String>) -> Self {
        let mut names = Names::default();
        let called = root.instances.iter().enumerate().map(|(number, instance)| {
            let own = || own_name(root.parts[instance.part]);
            let known = instance.name.filter(|name| !name.is_empty()).or_else(own);
            names.take(known.unwrap_or(&format!("part{}", number + 1)))
        });
        let instances: Vec<String> = called.collect();
        let mut taken = Names::default();
        let parts = root.parts.iter().enumerate().map(|(part, bytes)| {
            if let Some(package) = packages.get(&digest(bytes)) {
                return taken.take(package.rsplit(':').next().unwrap_or(package));
            }
            let mut of_part = (0..instances.len()).filter(|&index| root.instances[index].part == part);
            let first = of_part.next().map_or("part", |index| &instances[index]);
            // What has several instances is better called by its own name than by that of one of them.
            let own = of_part.next().and_then(|_| own_name(bytes));
            taken.take(own.unwrap_or(first))
        });
        let parts = parts.collect();
        let imports = root.imports.iter().map(|import| names.take(import.name)).collect();
        Naming { instances, parts, imports }
    }
}

/// The imports that need a statement: whoever composes the parts without one does not get them, or not under their
/// names.
///
/// What instances are not given is imported under the names that they have for it; of several versions that are
/// compatible wac makes one, the newest.
///
/// # Errors
///
/// Where the composition has several imports that wac would make one of.
pub(super) fn stated(root: &Root<'_>) -> Result<BTreeSet<usize>, DecomposeError> {
    merged(root)?;
    let mut stated = BTreeSet::new();
    let mut wanted: BTreeMap<usize, HashSet<&str>> = BTreeMap::new();
    for argument in root.instances.iter().flat_map(|instance| &instance.arguments) {
        match root.items[argument.item] {
            Item::Import(import) => {
                wanted.entry(import).or_default().insert(argument.name);
            }
            Item::Member { .. } => stated.extend(root.import_behind(argument.item)),
            _ => {}
        }
    }
    stated.extend(root.exports.iter().filter_map(|export| root.import_behind(export.item)));
    for (import, names) in wanted {
        let own = root.imports[import].name;
        // The newest of compatible versions is the longest way to say one thing, so the import's own must be there.
        if !names.contains(own) || !names.iter().all(|name| are_semver_compatible(name, own)) {
            stated.insert(import);
        }
    }
    Ok(stated)
}

/// Imports under one name and compatible versions become one import, whatever the text says.
fn merged(root: &Root<'_>) -> Result<(), DecomposeError> {
    // What comes before a release is compatible with nothing.
    let released = |name: &str| name.split_once('@').is_some_and(|(_, version)| !version.contains('-'));
    let mut versioned: Vec<_> = root.imports.iter().filter(|import| released(import.name)).collect();
    versioned.sort_by_key(|import| import.name);
    for pair in versioned.windows(2) {
        if are_semver_compatible(pair[0].name, pair[1].name) {
            let (first, second) = (pair[0].name, pair[1].name);
            return Err(DecomposeError::Unsayable {
                construct: format!("an import of `{second}` beside `{first}`, which WAC makes one import of"),
                offset: pair[1].offset,
                reason: None,
            });
        }
    }
    Ok(())
}

/// Writes the text, under this name. `statements` are the types of the imports that have a statement, by their indices.
pub(super) fn write(
    name: &str,
    root: &Root<'_>,
    naming: &Naming,
    statements: &BTreeMap<usize, String>,
) -> String {
    let mut text = format!("package decomposed:{name};\n");
    if !statements.is_empty() {
        text.push('\n');
    }
    for (&import, ty) in statements {
        let (id, name) = (&naming.imports[import], root.imports[import].name);
        let renamed = if id == name { String::new() } else { format!(" as \"{name}\"") };
        writeln!(text, "import {id}{renamed}: {ty};").expect("writing to a string never fails");
    }
    let draft = Draft { root, naming, statements };
    for (instance, name) in root.instances.iter().zip(&naming.instances) {
        let part = &naming.parts[instance.part];
        writeln!(text, "\nlet {name} = new {PARTS}:{part} {};", draft.arguments(instance, name))
            .expect("writing to a string never fails");
    }
    if !root.exports.is_empty() {
        text.push('\n');
    }
    for export in &root.exports {
        let source = draft.source(export.item);
        let renamed = if draft.inferred(export.item) == Some(export.name) && says_so(export.kind, export.name)
        {
            String::new()
        } else {
            format!(" as \"{}\"", export.name)
        };
        writeln!(text, "export {source}{renamed};").expect("writing to a string never fails");
    }
    text
}

/// Whether an export gets its name without saying it: an instance may be called by its interface instead, so only one
/// that is called by that already may go without.
fn says_so(kind: Kind, name: &str) -> bool {
    kind != Kind::Instance || name.contains(':')
}

struct Draft<'a> {
    root: &'a Root<'a>,
    naming: &'a Naming,
    statements: &'a BTreeMap<usize, String>,
}

impl Draft<'_> {
    fn arguments(&self, instance: &Instantiation<'_>, name: &str) -> String {
        let mut arguments = Vec::new();
        let mut open = false;
        // wac writes arguments in the reverse of the order in which it reads them: so they come in the order of the text
        // that this was composed of, if it was.
        for argument in instance.arguments.iter().rev() {
            if self.given(argument.item) {
                arguments.push(format!("\"{}\": {}", argument.name, self.source(argument.item)));
            } else {
                open = true;
            }
        }
        if open {
            arguments.push("...".to_owned());
        }
        let line = arguments.join(", ");
        let part = &self.naming.parts[instance.part];
        if arguments.is_empty() {
            "{}".to_owned()
        } else if line.len() + name.len() + part.len() + "let  = new parts: {  };".len() <= WIDEST {
            format!("{{ {line} }}")
        } else {
            let lines: Vec<String> = arguments.iter().map(|argument| format!("    {argument}")).collect();
            // WAC takes no comma after `...`.
            let end = if open { "" } else { "," };
            format!("{{\n{}{end}\n}}", lines.join(",\n"))
        }
    }

    /// Whether the text gives this; what it does not give is left to `...`.
    fn given(&self, item: usize) -> bool {
        match self.root.items[item] {
            Item::Import(import) => self.statements.contains_key(&import),
            Item::Type | Item::Part(_) => false,
            Item::Instance(_) | Item::Member { .. } => true,
        }
    }

    fn source(&self, item: usize) -> String {
        let mut way = Vec::new();
        let mut item = item;
        while let Item::Member { of, name } = self.root.items[item] {
            way.push(name);
            item = of;
        }
        let mut source = match self.root.items[item] {
            Item::Import(import) => self.naming.imports[import].clone(),
            Item::Instance(instance) => self.naming.instances[instance].clone(),
            Item::Part(_) | Item::Type | Item::Member { .. } => String::new(),
        };
        for name in way.iter().rev() {
            write!(source, "[\"{name}\"]").expect("writing to a string never fails");
        }
        source
    }

    /// The name that an export of this gets by itself.
    fn inferred(&self, item: usize) -> Option<&str> {
        match self.root.items[item] {
            Item::Import(import) => Some(self.root.imports[import].name),
            Item::Member { name, .. } => Some(name),
            _ => None,
        }
    }
}
