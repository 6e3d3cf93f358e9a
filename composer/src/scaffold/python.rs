//! Python, with componentize-py: a class for each exported interface, and a module for its resources.
//!
//! componentize-py imports the module `app` and takes the classes of interfaces from there. Those of resources it takes
//! from a module that is called like their interface.

mod names;
mod types;

use std::collections::BTreeSet;

use wit_parser::{Function, FunctionKind, WorldKey};

use super::exports::{Exports, Interface, Resource};
use super::text::{Text, wrapped};
use super::{File, Part, ScaffoldError, file, unwritten};
use crate::manifest::Language;
pub use names::ident;
use names::{called, class};

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
            let name = ident(&interface.label);
            let (stem, found) = if names::taken(&name) {
                let stem = unused(exports, &format!("{name}_resources"));
                let resources = interface.resources.iter().map(|resource| class(resource.name)).collect();
                app.handed.push(Handed { module: name, stem: stem.clone(), classes: resources });
                (stem, "`app.py` puts them where they are looked for")
            } else {
                (name, "they are found here by their names")
            };
            let about = format!("The resources of `{}`: {found}.", interface.full);
            files.push(file(&format!("{stem}.py"), module.finish(&about, false)));
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

/// A name for a module that is none of an interface's.
fn unused(exports: &Exports<'_>, name: &str) -> String {
    let mut name = name.to_owned();
    while exports.interfaces.iter().any(|interface| ident(&interface.label) == name) {
        name.push('_');
    }
    name
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
    /// Resources that cannot have the module to themselves in which they are looked for.
    handed: Vec<Handed>,
}

/// Classes that become members of a module that there is already.
struct Handed {
    /// That module.
    module: String,
    /// The one in which they are written.
    stem: String,
    classes: Vec<String>,
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
            handed: Vec::new(),
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
        for handed in &self.handed {
            text.line(format!("import {}", handed.module));
        }
        if !self.typing.is_empty() {
            text.line(format!("from typing import {}", list(&self.typing)));
        }
        if !self.handed.is_empty() || !self.typing.is_empty() {
            text.gap();
        }
        for handed in &self.handed {
            text.line(format!("import {}", handed.stem));
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
        for Handed { module, stem, classes } in &self.handed {
            text.gap();
            text.line(format!(
                "# componentize-py looks in `{module}` for these, and that is a module already."
            ));
            for class in classes {
                text.line(format!("{module}.{class} = {stem}.{class}"));
            }
        }
        format!("{}{}", text.finish(), self.body.finish())
    }

    fn interface(&mut self, interface: &Interface<'_>) {
        let name = class(&interface.label);
        self.class(&name, &format!("exports.{name}"), &titled(&interface.full, interface.docs), |module| {
            for function in &interface.functions {
                module.stub(function, Some(interface));
            }
        });
    }

    fn resource(&mut self, interface: &Interface<'_>, resource: &Resource<'_>) {
        let module = ident(&interface.label);
        let name = class(resource.name);
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
            params.push(format!("{}: {ty}", ident(&param.name)));
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
