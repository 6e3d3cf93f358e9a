//! Types of imports, written out, for those that composing the parts alone would not bring back.
//!
//! Functions, and instances under plain names, are said in the text itself. An interface with a full name is not: others
//! may take types from it, by that name. Its WIT package goes beside the text in binary form, as for any composition with an
//! `import` statement. Everything is taken from the composition's own type, as the WIT tools read it.

use indexmap::IndexMap;
use wit_component::{DecodedWasm, OutputToString, WitPrinter};
use wit_parser::{
    Function, Interface, InterfaceId, PackageId, Resolve, Type, TypeDefKind, TypeOwner, WorldId, WorldItem,
};

use super::names::Names;
use contract::decode::decode;

/// Words of WAC that mean nothing in WIT, so that nobody there escapes them.
const MORE_KEYWORDS: [&str; 3] = ["let", "new", "targets"];

/// What the composition imports, for the WIT tools.
pub(super) struct Contract {
    resolve: Resolve,
    world: WorldId,
    /// WIT packages that the text mentions, and the names that it has for them.
    used: IndexMap<PackageId, String>,
    names: Names,
}

impl Contract {
    pub(super) fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        match decode(bytes)? {
            DecodedWasm::Component(resolve, world) => {
                Ok(Contract { resolve, world, used: IndexMap::new(), names: Names::default() })
            }
            DecodedWasm::WitPackage(..) => anyhow::bail!("it is a WIT package"),
        }
    }

    /// The type of an import, as WAC has it after the colon of an `import` statement.
    pub(super) fn statement(&mut self, import: &str) -> anyhow::Result<String> {
        let imports = &self.resolve.worlds[self.world].imports;
        let found = imports.iter().find(|(key, _)| self.resolve.name_world_key(key) == import);
        match found.map(|(_, item)| item.clone()) {
            Some(WorldItem::Interface { id, .. }) => match self.resolve.interfaces[id].name.clone() {
                Some(name) => self.by_name(id, &name),
                None => self.inline(id),
            },
            Some(WorldItem::Function(function)) => self.function(function),
            Some(WorldItem::Type { .. }) => anyhow::bail!("WAC imports no types"),
            None => anyhow::bail!("WIT has no word for it"),
        }
    }

    /// The WIT packages that statements mention: each with its name, in binary form.
    pub(super) fn packages(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let encoded =
            self.used.iter().map(|(id, name)| Ok((name.clone(), wit_component::encode(&self.resolve, *id)?)));
        encoded.collect()
    }

    fn by_name(&mut self, id: InterfaceId, name: &str) -> anyhow::Result<String> {
        let Some(package) = self.resolve.interfaces[id].package else {
            anyhow::bail!("its interface belongs to no package")
        };
        let full = &self.resolve.packages[package].name;
        let wanted = format!("{}-{}", full.namespace, full.name);
        let (used, names) = (&mut self.used, &mut self.names);
        let known = used.entry(package).or_insert_with(|| names.take(&wanted));
        Ok(format!("{}:{known}/{name}", super::CONTRACTS))
    }

    fn inline(&self, id: InterfaceId) -> anyhow::Result<String> {
        for (name, ty) in &self.resolve.interfaces[id].types {
            if let TypeDefKind::Type(Type::Id(other)) = self.resolve.types[*ty].kind
                && self.resolve.types[other].owner != TypeOwner::Interface(id)
            {
                anyhow::bail!(
                    "it uses the type `{name}` of another interface, and has no name that says which"
                );
            }
        }
        let body = self.print(&self.resolve, id)?;
        // Printed with two blanks a level, where the rest of the text has four.
        let lines = body.lines().map(str::trim_end).filter(|line| !line.is_empty());
        let indented = lines.map(|line| {
            let (depth, words) = (line.len() - line.trim_start().len(), line.trim_start());
            format!("    {:width$}{words}\n", "", width = 2 * depth)
        });
        Ok(format!("interface {{\n{}}}", indented.collect::<String>()))
    }

    /// A function is printed as the only one of an interface of its own.
    fn function(&self, mut function: Function) -> anyhow::Result<String> {
        const NAME: &str = "f";
        let mut resolve = self.resolve.clone();
        function.name = NAME.to_owned();
        let id = resolve.interfaces.alloc(Interface {
            name: None,
            types: IndexMap::default(),
            functions: [(NAME.to_owned(), function)].into_iter().collect(),
            docs: Default::default(),
            stability: Default::default(),
            package: resolve.worlds[self.world].package,
            span: Default::default(),
            clone_of: None,
        });
        let printed = self.print(&resolve, id)?;
        let ty = printed.trim().strip_prefix("f: ").and_then(|ty| ty.strip_suffix(';'));
        ty.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("it is printed as `{printed}`"))
    }

    fn print(&self, resolve: &Resolve, id: InterfaceId) -> anyhow::Result<String> {
        let mut printer = WitPrinter::new(OutputToString::default());
        printer.emit_docs(false).print_interface(resolve, id)?;
        Ok(escape(&printer.output.to_string()))
    }
}

/// Puts `%` before names that are words of the language in WAC and not in WIT.
fn escape(text: &str) -> String {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '%';
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(part_of_name) {
        let (before, from) = rest.split_at(begin);
        let end = from.find(|c| !part_of_name(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        escaped.push_str(before);
        if MORE_KEYWORDS.contains(&word) {
            escaped.push('%');
        }
        escaped.push_str(word);
        rest = after;
    }
    escaped.push_str(rest);
    escaped
}
