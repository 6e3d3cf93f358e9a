//! Python, with componentize-py: a class for each exported interface, and a module for its resources.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use wit_parser::{Function, FunctionKind, Handle, Type, TypeDefKind, TypeOwner, WorldItem, WorldKey};

use super::exports::{Exports, Interface, Resource, label};
use super::text::{Text, wrapped};
use super::{File, Part, ScaffoldError, file, unwritten};
use crate::manifest::Language;

pub fn files(exports: &Exports<'_>, part: &Part<'_>) -> Result<Vec<File>, ScaffoldError> {
    let mut files = vec![file("pyproject.toml", project(part))];
    let mut app = Module::new(exports);
    for interface in &exports.interfaces {
        if let WorldKey::Name(name) = interface.key {
            return Err(ScaffoldError::Inline { language: Language::Python, interface: name.clone() });
        }
        app.interface(interface);
        if !interface.resources.is_empty() {
            let mut module = Module::new(exports);
            interface.resources.iter().for_each(|resource| module.resource(interface, resource));
            let about = format!("The resources of `{}`: they are found here by their names.", interface.full);
            files
                .push(file(&format!("{}.py", interface.label.to_snake_case()), module.finish(&about, false)));
        }
    }
    app.world();
    let mut about = format!("The component `{}`, for the world `{}`.", part.name, part.world);
    if let Some(docs) = exports.docs() {
        about = format!("{about}\n\n{}", docs.trim());
    }
    let imports = exports.imports();
    if !imports.is_empty() {
        about = format!("{about}\n\nWhat it may call is in `wit_world.imports`: `{}`.", imports.join("`, `"));
    }
    about.push_str(
        "\n\nThe bindings, `wit_world` and `componentize_py_types`, are generated while the component is built. An error \
         result is raised as `Err`, from `componentize_py_types`. Each stub traps until it is written.",
    );
    files.push(file("app.py", app.finish(&about, true)));
    Ok(files)
}

fn project(part: &Part<'_>) -> String {
    format!(
        "[project]\nname = \"{}\"\nversion = \"0.1.0\"\ndescription = \"A component for the world {}\"\n\
         # The component itself runs on the interpreter that componentize-py brings along.\n\
         requires-python = \">=3.11\"\n",
        part.name, part.world
    )
}

/// A Python file in the making: its classes, and what they need to be imported.
struct Module<'a> {
    exports: &'a Exports<'a>,
    body: Text,
    /// Modules of the bindings, by direction and name.
    modules: BTreeSet<(&'static str, String)>,
    /// Names from `typing`.
    typing: BTreeSet<&'static str>,
    /// Names from `componentize_py_types`.
    types: BTreeSet<&'static str>,
    /// Whether the world's own functions are implemented.
    whole: bool,
}

impl<'a> Module<'a> {
    fn new(exports: &'a Exports<'a>) -> Self {
        Module {
            exports,
            body: Text::default(),
            modules: BTreeSet::new(),
            typing: BTreeSet::new(),
            types: BTreeSet::new(),
            whole: false,
        }
    }

    /// The file: description, imports, classes.
    fn finish(self, about: &str, app: bool) -> String {
        let mut text = Text::default();
        docstring(&mut text, about);
        text.gap();
        // Types in signatures are for readers and editors: they are not looked at while the component runs.
        text.line("from __future__ import annotations");
        text.gap();
        let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
        if !self.typing.is_empty() {
            text.line(format!("from typing import {}", list(&self.typing)));
            text.gap();
        }
        if self.whole {
            text.line("import wit_world");
        }
        if !self.types.is_empty() {
            text.line(format!("from componentize_py_types import {}", list(&self.types)));
        }
        if app && !self.exports.interfaces.is_empty() {
            text.line("from wit_world import exports");
        }
        for (direction, module) in &self.modules {
            let name = called(direction, module);
            let renamed = if name == *module { String::new() } else { format!(" as {name}") };
            text.line(format!("from wit_world.{direction} import {module}{renamed}"));
        }
        format!("{}{}", text.finish(), self.body.finish())
    }

    fn interface(&mut self, interface: &Interface<'_>) {
        let name = interface.label.to_upper_camel_case();
        self.class(&name, &format!("exports.{name}"), &titled(&interface.full, interface.docs), |module| {
            for function in &interface.functions {
                module.stub(function, Some(interface));
            }
        });
    }

    fn resource(&mut self, interface: &Interface<'_>, resource: &Resource<'_>) {
        let module = interface.label.to_snake_case();
        let name = resource.name.to_upper_camel_case();
        let base = format!("{}.{name}", called("exports", &module));
        self.modules.insert(("exports", module));
        self.class(&name, &base, &titled(resource.name, resource.docs), |module| {
            for function in &resource.functions {
                module.stub(function, Some(interface));
            }
        });
    }

    /// The class of the world's own functions.
    fn world(&mut self) {
        if self.exports.functions.is_empty() {
            return;
        }
        self.whole = true;
        self.class("WitWorld", "wit_world.WitWorld", "Functions of the world itself.", |module| {
            for function in &module.exports.functions {
                module.stub(function, None);
            }
        });
    }

    fn class(&mut self, name: &str, base: &str, about: &str, methods: impl FnOnce(&mut Self)) {
        self.body.line("");
        self.body.line("");
        self.body.line(format!("class {name}({base}):"));
        self.body.indented(|text| docstring(text, about));
        methods(self);
    }

    fn stub(&mut self, function: &Function, interface: Option<&Interface<'_>>) {
        let mut params = Vec::new();
        let mut rest = &function.params[..];
        let mut name = ident(function.item_name());
        let mut decorator = None;
        match function.kind {
            FunctionKind::Static(_) => {
                decorator = Some("@classmethod");
                params.push("cls".to_owned());
            }
            FunctionKind::Constructor(_) => {
                name = "__init__".to_owned();
                params.push("self".to_owned());
            }
            FunctionKind::Method(_) => {
                params.push("self".to_owned());
                rest = &rest[1..];
            }
            _ => params.push("self".to_owned()),
        }
        for param in rest {
            let ty = self.ty(param.ty);
            let given = ident(&param.name);
            // The first is taken already.
            let given = if params.contains(&given) { format!("{given}_") } else { given };
            params.push(format!("{given}: {ty}"));
        }
        let (result, error) = self.result(function);
        let mut about =
            function.docs.contents.as_deref().map(|docs| docs.trim().to_owned()).unwrap_or_default();
        if let Some(error) = error {
            let gap = if about.is_empty() { "" } else { "\n\n" };
            about = format!("{about}{gap}Raises: `Err` of {error}");
        }
        self.body.line("");
        self.body.indented(|text| {
            decorator.into_iter().for_each(|line| text.line(line));
            let one = format!("def {name}({}) -> {result}:", params.join(", "));
            if one.len() <= text.room("") {
                text.line(one);
            } else {
                text.line(format!("def {name}("));
                text.inside(4, |text| params.iter().for_each(|param| text.line(format!("{param},"))));
                text.line(format!(") -> {result}:"));
            }
            text.inside(4, |text| {
                docstring(text, &about);
                text.line(format!("raise NotImplementedError({:?})", unwritten(interface, function)));
            });
        });
    }

    /// What a function returns, and what it raises.
    fn result(&mut self, function: &Function) -> (String, Option<String>) {
        let result = function.result.and_then(|ty| match ty {
            Type::Id(id) => {
                match &self.exports.resolve.types[wit_bindgen_core::dealias(self.exports.resolve, id)].kind {
                    TypeDefKind::Result(result) => Some((result.ok, result.err)),
                    _ => None,
                }
            }
            _ => None,
        });
        let constructor = matches!(function.kind, FunctionKind::Constructor(_));
        match result {
            Some((ok, err)) => {
                let ok = if constructor { None } else { ok };
                let ok = self.optional(ok);
                let err = self.optional(err);
                (ok, Some(err))
            }
            None if constructor => ("None".to_owned(), None),
            None => (self.optional(function.result), None),
        }
    }

    fn optional(&mut self, ty: Option<Type>) -> String {
        ty.map_or_else(|| "None".to_owned(), |ty| self.ty(ty))
    }

    fn ty(&mut self, ty: Type) -> String {
        let id = match ty {
            Type::Id(id) => wit_bindgen_core::dealias(self.exports.resolve, id),
            Type::Bool => return "bool".to_owned(),
            Type::F32 | Type::F64 => return "float".to_owned(),
            Type::Char | Type::String => return "str".to_owned(),
            _ => return "int".to_owned(),
        };
        let resolve = self.exports.resolve;
        match &resolve.types[id].kind {
            TypeDefKind::List(Type::U8) => "bytes".to_owned(),
            TypeDefKind::List(inner) => {
                self.typing.insert("List");
                format!("List[{}]", self.ty(*inner))
            }
            TypeDefKind::Option(inner) => {
                self.typing.insert("Optional");
                let nested = self.is_option(*inner);
                let inner = self.ty(*inner);
                if nested {
                    self.types.insert("Some");
                    format!("Optional[Some[{inner}]]")
                } else {
                    format!("Optional[{inner}]")
                }
            }
            TypeDefKind::Tuple(tuple) => {
                self.typing.insert("Tuple");
                let parts: Vec<String> = tuple.types.iter().map(|ty| self.ty(*ty)).collect();
                format!("Tuple[{}]", parts.join(", "))
            }
            TypeDefKind::Result(result) => {
                self.types.insert("Result");
                let (ok, err) = (self.optional(result.ok), self.optional(result.err));
                format!("Result[{ok}, {err}]")
            }
            TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => {
                self.ty(Type::Id(*resource))
            }
            _ => self.named(id),
        }
    }

    fn is_option(&self, ty: Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let id = wit_bindgen_core::dealias(self.exports.resolve, id);
        matches!(self.exports.resolve.types[id].kind, TypeDefKind::Option(_))
    }

    /// A type with a name of its own, in the module of the interface that defines it.
    fn named(&mut self, id: wit_parser::TypeId) -> String {
        let resolve = self.exports.resolve;
        let definition = &resolve.types[id];
        let name = definition.name.as_deref().unwrap_or_default().to_upper_camel_case();
        let TypeOwner::Interface(owner) = definition.owner else {
            self.whole = true;
            return format!("wit_world.{name}");
        };
        let world = &resolve.worlds[self.exports.world];
        let (direction, list) = if self.exports.exported(owner) {
            ("exports", &world.exports)
        } else {
            ("imports", &world.imports)
        };
        let key =
            list.iter().find(|(_, item)| matches!(item, WorldItem::Interface { id, .. } if *id == owner));
        let Some((key, _)) = key else { return name };
        let module = label(resolve, key, list.iter()).to_snake_case();
        let path = format!("{}.{name}", called(direction, &module));
        self.modules.insert((direction, module));
        path
    }
}

/// What a module of the bindings is called here: imported and exported ones may have the same name.
fn called(direction: &str, module: &str) -> String {
    let module = ident(module);
    if direction == "imports" { format!("imported_{module}") } else { format!("{module}_contract") }
}

fn titled(name: &str, docs: Option<&str>) -> String {
    docs.map_or_else(|| format!("`{name}`"), |docs| docs.trim().to_owned())
}

impl Text {
    fn indented(&mut self, lines: impl FnOnce(&mut Self)) {
        self.inside(4, lines);
    }
}

/// A description as the first thing in a module, class or function.
fn docstring(text: &mut Text, description: &str) {
    let harmless = description.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let lines = wrapped(&harmless, text.room("\"\"\""));
    match &lines[..] {
        [] => {}
        [one] if !one.ends_with('"') => text.line(format!("\"\"\"{one}\"\"\"")),
        [first, rest @ ..] => {
            text.line(format!("\"\"\"{first}"));
            rest.iter().for_each(|line| text.line(line));
            text.line("\"\"\"");
        }
    }
}

/// A name, with `_` behind it where Python has the word for itself.
fn ident(name: &str) -> String {
    const WORDS: &[&str] = &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let name = name.to_snake_case();
    if WORDS.contains(&name.as_str()) { format!("{name}_") } else { name }
}
