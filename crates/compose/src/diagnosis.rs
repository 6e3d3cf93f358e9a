//! Why a text does not compose: reads the wiring out of it, and has it checked.
//!
//! The library that resolves the language stops at the first argument that does not fit, and does not know the identity of
//! resources. What it was asked to do is in the text: who is instantiated, and what is wired to what.

use std::collections::{BTreeMap, HashMap};

use wac_parser::{
    Document, Expr, ImportStatement, ImportType, InstantiationArgument, NewExpr, PostfixExpr, PrimaryExpr,
    Statement,
};

use super::Packages;
use check::{self, Connection, Export, Mismatch, Part, Report, bare, compatible};
use contract::shape::{Item, Shape};

/// All that does not fit in the wiring that a document asks for. Empty where it cannot be told.
pub(crate) fn wiring(document: &Document<'_>, packages: &Packages) -> Vec<Mismatch> {
    let mut plan = Plan {
        packages,
        shapes: BTreeMap::new(),
        parts: Vec::new(),
        imports: Vec::new(),
        wires: Vec::new(),
        closed: Vec::new(),
        names: HashMap::new(),
    };
    for statement in &document.statements {
        match statement {
            Statement::Let(statement) => {
                if let Some(value) = plan.value(&statement.expr) {
                    if value.path.is_empty() {
                        plan.parts[value.part].instance.get_or_insert(statement.id.string);
                    }
                    plan.names.insert(statement.id.string, value);
                }
            }
            Statement::Import(statement) => {
                if let Some(value) = plan.outside(statement) {
                    plan.names.insert(statement.id.string, value);
                }
            }
            Statement::Export(statement) => {
                plan.value(&statement.expr);
            }
            _ => {}
        }
    }
    let parts: Vec<Part<'_>> = plan
        .parts
        .iter()
        .filter_map(|part| {
            Some(Part { name: plan.title(part), shape: plan.shapes.get(&part.package)?.as_ref()? })
        })
        .collect();
    if parts.len() != plan.parts.len() {
        return Vec::new();
    }
    let report = check::wiring(&parts, &plan.wires, &plan.closed);
    let mut mismatches = report.map(|report| report.mismatches).unwrap_or_default();
    for mismatch in &mut mismatches {
        if let Some(edit) = plan.left_to_host(mismatch) {
            mismatch.edit = edit;
        }
    }
    mismatches
}

/// What a check says of a composition and the world that it targets. Nothing where it cannot be told.
pub(crate) fn target(composition: &[u8], world: &str, packages: &Packages) -> Report {
    let find = || {
        let (package, name) = world.split_once('/')?;
        let name = bare(name);
        let wanted = Shape::of_world_in(packages.get(package)?, name).ok()?;
        let shape = Shape::of_component(composition).ok()?;
        let component = Part { name: "the composition", shape: &shape };
        check::world(component, Part { name: world, shape: &wanted }).ok()
    };
    find().unwrap_or_default()
}

/// An instance, or an export of one.
#[derive(Debug, Clone)]
struct Value {
    part: usize,
    path: Vec<String>,
}

/// What is instantiated.
#[derive(Debug)]
struct Instance<'a> {
    package: String,
    /// Its name in the text, if it has one.
    instance: Option<&'a str>,
}

struct Plan<'a> {
    packages: &'a Packages,
    /// By package; None for what is no component.
    shapes: BTreeMap<String, Option<Shape>>,
    parts: Vec<Instance<'a>>,
    /// Which of the parts are imports of the composition.
    imports: Vec<usize>,
    wires: Vec<Connection>,
    closed: Vec<usize>,
    names: HashMap<&'a str, Value>,
}

impl<'a> Plan<'a> {
    /// How two resources become one, where one of them comes with an import of the composition: that cannot be wired.
    fn left_to_host(&self, mismatch: &Mismatch) -> Option<String> {
        let title = |part: usize| self.title(&self.parts[part]);
        let offered = mismatch.offered_by.as_deref();
        let host = self.imports.iter().find(|import| offered == Some(title(**import)))?;
        let name = mismatch.wanted.as_ref()?.token();
        let wanting = (0..self.parts.len()).find(|part| title(*part) == mismatch.wanted_by)?;
        let shape = self.shapes.get(&self.parts[wanting].package)?.as_ref()?;
        let asked =
            shape.root().asked.iter().find(|(_, place)| place.last().is_some_and(|last| last == name));
        let interface = asked?.1.first()?;
        Some(format!(
            "leave `{interface}` of `{}` to the host as well, where the `{name}` of `{}` comes from (`...` instead of an \
             argument), or take both from parts",
            mismatch.wanted_by,
            title(*host)
        ))
    }

    /// What an instance is called in messages: by its package, as long as that names only one.
    fn title<'b>(&'b self, part: &'b Instance<'a>) -> &'b str {
        let twins = self.parts.iter().filter(|other| other.package == part.package).count();
        part.instance.filter(|_| twins > 1).unwrap_or(&part.package)
    }

    fn value(&mut self, expression: &'a Expr<'a>) -> Option<Value> {
        let mut value = match &expression.primary {
            PrimaryExpr::New(new) => self.instance(new)?,
            PrimaryExpr::Nested(nested) => self.value(&nested.inner)?,
            PrimaryExpr::Ident(name) => self.names.get(name.string)?.clone(),
        };
        for step in &expression.postfix {
            let name = match step {
                PostfixExpr::NamedAccess(access) => access.string.value.to_owned(),
                PostfixExpr::Access(access) => self.short(&value, access.id.string),
            };
            value.path.push(name);
        }
        Some(value)
    }

    /// The full name that a short one stands for, as in `instance.greeter`.
    fn short(&self, value: &Value, name: &str) -> String {
        let names = self.exports(value);
        let full = names.iter().find(|full| {
            let interface = bare(full).rsplit('/').next();
            full.contains('/') && interface == Some(name)
        });
        if names.iter().any(|known| known == name) {
            name.to_owned()
        } else {
            full.cloned().unwrap_or_else(|| name.to_owned())
        }
    }

    fn exports(&self, value: &Value) -> Vec<String> {
        let Some(Some(shape)) = self.shapes.get(&self.parts[value.part].package) else { return Vec::new() };
        let mut items = &shape.root().exports;
        for name in &value.path {
            match items.iter().find(|(known, _)| known == name) {
                Some((_, Item::Interface(id))) => items = &shape.interface(*id).items,
                _ => return Vec::new(),
            }
        }
        items.iter().map(|(name, _)| name.clone()).collect()
    }

    /// An interface that the composition imports, as the export of a part of its own: types that it takes from other
    /// interfaces are the host's. None for what is no interface of a package.
    fn outside(&mut self, import: &'a ImportStatement<'a>) -> Option<Value> {
        let ImportType::Package(path) = &import.ty else { return None };
        let shape = Shape::of_interface_in(self.packages.get(path.name)?, path.segments).ok()??;
        let export = shape.root().exports.first().map(|(name, _)| name.clone())?;
        let package = path.string.to_owned();
        self.shapes.insert(package.clone(), Some(shape));
        let part = self.parts.len();
        self.parts.push(Instance { package, instance: Some(import.id.string) });
        self.imports.push(part);
        Some(Value { part, path: vec![export] })
    }

    fn instance(&mut self, new: &'a NewExpr<'a>) -> Option<Value> {
        let package = new.package.name.to_owned();
        let packages = self.packages;
        let shape = || packages.get(&package).and_then(|bytes| Shape::of_component(bytes).ok());
        let shape = self.shapes.entry(package.clone()).or_insert_with(shape).as_ref()?;
        let imports: Vec<String> = shape.root().imports.iter().map(|(name, _)| name.clone()).collect();
        // Arguments first: they may hold instances of their own.
        let mut given: Vec<(String, Value)> = Vec::new();
        let mut outside: Vec<String> = Vec::new();
        let mut open = false;
        for argument in &new.arguments {
            match argument {
                InstantiationArgument::Named(argument) => {
                    // What is wired from outside the composition is not known here.
                    let value = self.value(&argument.expr);
                    let name = long(&imports, argument.name.as_str());
                    match value {
                        Some(value) => given.push((name, value)),
                        None => outside.push(name),
                    }
                }
                InstantiationArgument::Inferred(name) => match self.names.get(name.string) {
                    Some(value) => {
                        let export = value.path.last().filter(|last| imports.contains(last));
                        let import = export.cloned().unwrap_or_else(|| long(&imports, name.string));
                        given.push((import, value.clone()));
                    }
                    None => outside.push(long(&imports, name.string)),
                },
                InstantiationArgument::Spread(name) => match self.names.get(name.string).cloned() {
                    Some(value) => {
                        for export in self.exports(&value) {
                            let import = imports.iter().find(|import| compatible(import, &export));
                            let free =
                                import.filter(|import| !given.iter().any(|(known, _)| known == *import));
                            let path = [value.path.as_slice(), std::slice::from_ref(&export)].concat();
                            given.extend(
                                free.map(|import| (import.clone(), Value { part: value.part, path })),
                            );
                        }
                    }
                    None => open = true,
                },
                InstantiationArgument::Fill(_) => open = true,
            }
        }
        let part = self.parts.len();
        self.parts.push(Instance { package, instance: None });
        for (import, value) in given {
            self.wires.push(Connection {
                part,
                import,
                from: Some(Export { part: value.part, path: value.path }),
            });
        }
        open |= !outside.is_empty();
        for import in outside {
            self.wires.push(Connection { part, import, from: None });
        }
        if !open {
            self.closed.push(part);
        }
        Some(Value { part, path: Vec::new() })
    }
}

/// The import that a name stands for: itself, or the interface of that short name.
fn long(imports: &[String], name: &str) -> String {
    let interface = |full: &&String| bare(full).rsplit_once('/').is_some_and(|(_, last)| last == name);
    if imports.iter().any(|import| import == name) {
        return name.to_owned();
    }
    let version_aside = imports.iter().find(|import| bare(import) == bare(name));
    version_aside.or_else(|| imports.iter().find(interface)).cloned().unwrap_or_else(|| name.to_owned())
}
