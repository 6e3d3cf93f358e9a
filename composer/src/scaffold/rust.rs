//! Rust, with wit-bindgen: a trait for each exported interface, and one for each of its resources.

use heck::{ToSnakeCase, ToUpperCamelCase};
use wit_bindgen_core::name_package_module;
use wit_parser::{Function, FunctionKind, Handle, Type, TypeDefKind, WorldKey};

use super::exports::{Exports, Interface, Resource};
use super::text::{Text, WIDTH};
use super::{File, Part, file, unwritten};

/// The version of wit-bindgen that goes with this composer: the Cargo manifest of a part without a workspace names it.
pub const WIT_BINDGEN: &str = "0.61.1";

/// What a crate may take over from its Cargo workspace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cargo {
    /// The keys of `[workspace.package]`.
    pub package: Vec<String>,
    /// Whether `[workspace.dependencies]` has wit-bindgen.
    pub wit_bindgen: bool,
    /// Whether there are `[workspace.lints]`.
    pub lints: bool,
}

/// How guests are built: small, and arithmetic that would wrap traps instead.
pub const PROFILE: &str = "\
[profile.guest]
inherits = \"release\"
opt-level = \"s\"
lto = true
codegen-units = 1
panic = \"abort\"
overflow-checks = true
strip = \"debuginfo\"
";

pub fn files(exports: &Exports<'_>, part: &Part<'_>) -> Vec<File> {
    vec![
        file("Cargo.toml", manifest(part)),
        file("src/lib.rs", library(exports, part)),
        file("src/component.rs", component(exports)),
    ]
}

fn manifest(part: &Part<'_>) -> String {
    let mut text = Text::default();
    text.line("[package]");
    text.line(format!("name = \"{}\"", part.name));
    text.line(format!("description = \"A component for the world {}\"", part.world));
    let given = [("version", "\"0.1.0\""), ("edition", "\"2024\""), ("rust-version", ""), ("license", "")];
    for (key, alone) in given.into_iter().chain([("publish", "false")]) {
        if part.cargo.is_some_and(|cargo| cargo.package.iter().any(|shared| shared == key)) {
            text.line(format!("{key}.workspace = true"));
        } else if !alone.is_empty() {
            text.line(format!("{key} = {alone}"));
        }
    }
    text.gap();
    text.line("[lib]");
    text.line("crate-type = [\"cdylib\", \"rlib\"]");
    text.gap();
    if part.cargo.is_some_and(|cargo| cargo.lints) {
        text.line("[lints]");
        text.line("workspace = true");
        text.gap();
    }
    text.line("[dependencies]");
    if part.cargo.is_some_and(|cargo| cargo.wit_bindgen) {
        text.line("wit-bindgen.workspace = true");
    } else {
        text.line(format!("wit-bindgen = \"={WIT_BINDGEN}\""));
    }
    if part.cargo.is_none() {
        text.gap();
        PROFILE.lines().for_each(|line| text.line(line));
    }
    text.finish()
}

fn library(exports: &Exports<'_>, part: &Part<'_>) -> String {
    let mut text = Text::default();
    text.line(format!("//! The component `{}`, for the world `{}`.", part.name, part.world));
    if let Some(docs) = exports.docs() {
        text.line("//!");
        text.comment("//!", docs);
    }
    let imports = exports.imports();
    if !imports.is_empty() {
        text.line("//!");
        text.comment("//!", &format!("What it may call is in `bindings`: `{}`.", imports.join("`, `")));
    }
    text.line("//!");
    text.line("//! What is exported is in `component.rs`. The bindings exist on WebAssembly only: their exports have");
    text.line(
        "//! names that a native linker does not take. Logic in modules of its own can be tested natively.",
    );
    text.line("#![deny(missing_docs)]");
    text.gap();
    text.line("#[cfg(target_arch = \"wasm32\")]");
    text.line("mod component;");
    text.gap();
    text.line("#[cfg(target_arch = \"wasm32\")]");
    text.line("#[allow(missing_docs, unused_qualifications)]");
    text.line("mod bindings {");
    text.inside(4, |text| {
        let one = format!(
            "wit_bindgen::generate!({{ path: \"{}\", world: \"{}\", generate_all }});",
            part.wit, part.world
        );
        text.line(one);
        text.gap();
        text.line("export!(Component with_types_in self);");
        text.line("use super::component::Component;");
    });
    text.line("}");
    text.finish()
}

fn component(exports: &Exports<'_>) -> String {
    let mut text = Text::default();
    text.line("//! The exports. Each stub says what the contract asks of it, and traps until it is written.");
    text.gap();
    let mut uses: Vec<String> =
        exports.interfaces.iter().map(|interface| import(exports, interface)).collect();
    if !exports.functions.is_empty() {
        uses.push("use crate::bindings;".to_owned());
    }
    uses.sort_by(|a, b| a.trim_end_matches(';').cmp(b.trim_end_matches(';')));
    uses.iter().for_each(|line| text.line(line));
    text.gap();
    text.line("/// What implements the world.");
    text.line("pub struct Component;");
    for interface in &exports.interfaces {
        let scope = Scope { exports, interface: Some(interface), path: ident(&interface.label) };
        text.gap();
        if let Some(docs) = interface.docs {
            text.comment("//", docs);
        }
        text.line(format!("impl {}::Guest for Component {{", scope.path));
        text.inside(4, |text| {
            for resource in &interface.resources {
                text.line(format!("type {} = {};", camel(resource.name), handle(interface, resource)));
            }
            for function in &interface.functions {
                text.gap_after_brace();
                scope.stub(text, function);
            }
        });
        text.line("}");
        for resource in &interface.resources {
            scope.resource(&mut text, interface, resource);
        }
    }
    if !exports.functions.is_empty() {
        let scope = Scope { exports, interface: None, path: "bindings".to_owned() };
        text.gap();
        text.line("impl bindings::Guest for Component {");
        text.inside(4, |text| {
            for function in &exports.functions {
                text.gap_after_brace();
                scope.stub(text, function);
            }
        });
        text.line("}");
    }
    text.finish()
}

/// The line that brings an exported interface's module in, under its label.
fn import(exports: &Exports<'_>, interface: &Interface<'_>) -> String {
    let label = ident(&interface.label);
    let resolve = exports.resolve;
    let (directory, module) = match interface.key {
        WorldKey::Name(name) => (String::new(), ident(name)),
        WorldKey::Interface(id) => {
            let found = &resolve.interfaces[*id];
            let package = found.package.map_or_else(String::new, |package| {
                let namespace = ident(&resolve.packages[package].name.namespace);
                format!("{namespace}::{}::", name_package_module(resolve, package))
            });
            (package, ident(found.name.as_deref().unwrap_or_default()))
        }
    };
    let renamed = if module == label { String::new() } else { format!(" as {label}") };
    format!("use crate::bindings::exports::{directory}{module}{renamed};")
}

/// The type behind a resource's handles.
fn handle(interface: &Interface<'_>, resource: &Resource<'_>) -> String {
    format!("{}{}", interface.label.to_upper_camel_case(), resource.name.to_upper_camel_case())
}

/// Where a stub stands, and so how it names types.
struct Scope<'a> {
    exports: &'a Exports<'a>,
    interface: Option<&'a Interface<'a>>,
    path: String,
}

impl Scope<'_> {
    fn resource(&self, text: &mut Text, interface: &Interface<'_>, resource: &Resource<'_>) {
        let name = handle(interface, resource);
        text.gap();
        match resource.docs {
            Some(docs) => text.comment("///", docs),
            None => text.line(format!("/// What stands behind a handle of `{}`.", resource.name)),
        }
        text.line(format!("pub struct {name};"));
        text.gap();
        let opening = format!("impl {}::Guest{} for {name} {{", self.path, camel(resource.name));
        if resource.functions.is_empty() {
            text.line(format!("{opening}}}"));
            return;
        }
        text.line(opening);
        text.inside(4, |text| {
            for function in &resource.functions {
                text.gap_after_brace();
                self.stub(text, function);
            }
        });
        text.line("}");
    }

    fn stub(&self, text: &mut Text, function: &Function) {
        if let Some(docs) = &function.docs.contents {
            text.comment("///", docs);
        }
        let method = matches!(function.kind, FunctionKind::Method(_));
        let params = function.params.iter().skip(usize::from(method));
        let names: Vec<String> = params.clone().map(|param| ident(&param.name)).collect();
        let types = params.map(|param| self.ty(param.ty));
        let mut list = if method { vec!["&self".to_owned()] } else { Vec::new() };
        list.extend(names.iter().zip(types).map(|(name, ty)| format!("{name}: {ty}")));
        let name = match function.kind {
            FunctionKind::Constructor(_) => "new".to_owned(),
            _ => ident(function.item_name()),
        };
        signature(text, &name, &list, &self.result(function));
        text.inside(4, |text| {
            match &names[..] {
                [] => {}
                [one] => text.line(format!("let _ = {one};")),
                many => ignore(text, many),
            }
            text.line(format!("panic!({:?})", unwritten(self.interface, function)));
        });
        text.line("}");
    }

    fn result(&self, function: &Function) -> String {
        let Some(result) = function.result else { return String::new() };
        if !matches!(function.kind, FunctionKind::Constructor(_)) {
            return format!(" -> {}", self.ty(result));
        }
        let Type::Id(id) = result else { return " -> Self".to_owned() };
        match &self.exports.resolve.types[id].kind {
            TypeDefKind::Result(result) => format!(" -> Result<Self, {}>", self.optional(result.err)),
            _ => " -> Self".to_owned(),
        }
    }

    fn optional(&self, ty: Option<Type>) -> String {
        ty.map_or_else(|| "()".to_owned(), |ty| self.ty(ty))
    }

    fn ty(&self, ty: Type) -> String {
        let id = match ty {
            Type::Id(id) => id,
            Type::S8 => return "i8".to_owned(),
            Type::S16 => return "i16".to_owned(),
            Type::S32 => return "i32".to_owned(),
            Type::S64 => return "i64".to_owned(),
            Type::String => return "String".to_owned(),
            // The others have the same names in both.
            other => return super::wit::name(self.exports.resolve, other),
        };
        let definition = &self.exports.resolve.types[id];
        if let Some(name) = &definition.name {
            return format!("{}::{}", self.path, camel(name));
        }
        match &definition.kind {
            TypeDefKind::Option(inner) => format!("Option<{}>", self.ty(*inner)),
            TypeDefKind::List(inner) => format!("Vec<{}>", self.ty(*inner)),
            TypeDefKind::Tuple(tuple) => match &tuple.types[..] {
                [one] => format!("({},)", self.ty(*one)),
                many => format!("({})", many.iter().map(|ty| self.ty(*ty)).collect::<Vec<_>>().join(", ")),
            },
            TypeDefKind::Result(result) => {
                format!("Result<{}, {}>", self.optional(result.ok), self.optional(result.err))
            }
            TypeDefKind::Handle(Handle::Own(resource)) => self.ty(Type::Id(*resource)),
            TypeDefKind::Handle(Handle::Borrow(resource)) => {
                let name = self.ty(Type::Id(*resource));
                if self.exports.defined_here(*resource) {
                    format!("{name}Borrow<'_>")
                } else {
                    format!("&{name}")
                }
            }
            other => other.as_str().to_owned(),
        }
    }
}

/// A function's first lines, as rustfmt breaks them.
fn signature(text: &mut Text, name: &str, params: &[String], result: &str) {
    let one = format!("fn {name}({}){result} {{", params.join(", "));
    if one.len() <= text.room("") + 1 {
        text.line(one);
        return;
    }
    text.line(format!("fn {name}("));
    text.inside(4, |text| params.iter().for_each(|param| text.line(format!("{param},"))));
    text.line(format!("){result} {{"));
}

/// Takes note of arguments that are not used yet.
fn ignore(text: &mut Text, names: &[String]) {
    let one = format!("let _ = ({});", names.join(", "));
    if one.len() < WIDTH - 8 {
        text.line(one);
    } else {
        names.iter().for_each(|name| text.line(format!("let _ = {name};")));
    }
}

impl Text {
    /// An empty line, but not at the beginning of a block.
    fn gap_after_brace(&mut self) {
        if !self.opens_block() {
            self.gap();
        }
    }
}

fn camel(name: &str) -> String {
    match name {
        // It would be taken for the trait.
        "guest" => "Guest_".to_owned(),
        name => name.to_upper_camel_case(),
    }
}

/// A name, with `_` behind it where Rust has the word for itself.
fn ident(name: &str) -> String {
    if is_word(name) { format!("{name}_") } else { name.to_snake_case() }
}

/// Whether Rust has the word for itself.
pub fn is_word(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "as", "break", "const", "continue", "crate", "else", "enum", "extern", "false", "fn", "for", "if",
        "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static",
        "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while", "async", "await",
        "dyn", "abstract", "become", "box", "do", "final", "macro", "override", "priv", "typeof", "unsized",
        "virtual", "yield", "try",
    ];
    WORDS.contains(&name)
}
