//! Names in a contract of which a bindings generator makes code that its language refuses.
//!
//! Most names that mean something in a language are given another form by its generator, and the stubs have that form too. Here is what the
//! generators miss. Where one learns it, the entry goes.

use heck::{ToLowerCamelCase, ToSnakeCase, ToUpperCamelCase};
use wit_parser::{Function, FunctionKind, InterfaceId, TypeDef, TypeDefKind, WorldItem};

use super::exports::Exports;
use super::{ScaffoldError, python, rust};
use crate::manifest::Language;

/// Refuses a world of which a language's bindings would not compile.
pub fn check(exports: &Exports<'_>, language: Language) -> Result<(), ScaffoldError> {
    let refuse = |(place, what, why): Clash| ScaffoldError::Clash { place, what, why, language };
    let world = &exports.resolve.worlds[exports.world];
    let items =
        world.imports.iter().map(|item| (item, false)).chain(world.exports.iter().map(|item| (item, true)));
    for ((key, item), exported) in items {
        let name = exports.resolve.name_world_key(key);
        let found = match item {
            WorldItem::Function(function) => in_function(language, function, &format!("`{name}`"), exported),
            WorldItem::Interface { id, .. } => in_interface(exports, language, *id, &name, exported),
            WorldItem::Type { id, .. } => in_type(language, &exports.resolve.types[*id], &name),
        };
        found.map_err(refuse)?;
    }
    Ok(())
}

/// Where the name is, which it is, and why it does not do.
type Clash = (String, String, &'static str);

fn in_interface(
    exports: &Exports<'_>,
    language: Language,
    id: InterfaceId,
    name: &str,
    exported: bool,
) -> Result<(), Clash> {
    let interface = &exports.resolve.interfaces[id];
    for ty in interface.types.values() {
        in_type(language, &exports.resolve.types[*ty], name)?;
    }
    interface.functions.values().try_for_each(|function| {
        in_function(language, function, &format!("`{name}#{}`", function.name), exported)
    })
}

fn in_function(language: Language, function: &Function, place: &str, exported: bool) -> Result<(), Clash> {
    let given = usize::from(matches!(function.kind, FunctionKind::Method(_)));
    let params = || function.params.iter().skip(given).map(|param| param.name.as_str());
    let clash = |what: String, why| Err((place.to_owned(), what, why));
    match language {
        Language::Python => {
            let Some(first) = first_in_python(&function.kind, exported) else { return Ok(()) };
            match params().find(|name| python::ident(name) == first) {
                Some(name) => clash(
                    format!("a parameter `{name}`"),
                    "componentize-py gives a method for it a first parameter of that name, and Python has no two of one name",
                ),
                None => Ok(()),
            }
        }
        Language::JavaScript => match (&function.kind, &function.item_name().to_lower_camel_case()[..]) {
            (FunctionKind::Static(_), "prototype") => clash(
                "the name `prototype`".to_owned(),
                "a class of JavaScript has no static method of that name",
            ),
            (FunctionKind::Method(_), "constructor") => clash(
                "the name `constructor`".to_owned(),
                "a method of that name is the constructor of a class in JavaScript",
            ),
            _ => Ok(()),
        },
        Language::Rust => {
            let item =
                Some(function.item_name()).filter(|_| !matches!(function.kind, FunctionKind::Constructor(_)));
            match params()
                .map(|name| ("a parameter", name))
                .chain(item.map(|name| ("the name", name)))
                .find(|(_, name)| is_missed_in_rust(name))
            {
                Some((what, name)) => clash(format!("{what} `{name}`"), MISSED_IN_RUST),
                None => Ok(()),
            }
        }
        // Their bindings are looked at themselves.
        Language::C | Language::Zig => Ok(()),
    }
}

/// The parameter that componentize-py puts before all others.
fn first_in_python(kind: &FunctionKind, exported: bool) -> Option<&'static str> {
    match kind {
        FunctionKind::Static(_) => Some("cls"),
        FunctionKind::Method(_) | FunctionKind::Constructor(_) => Some("self"),
        // Exported, they are methods of a class.
        _ => exported.then_some("self"),
    }
}

const MISSED_IN_RUST: &str = "wit-bindgen makes a word of it that Rust has for itself";

/// Whether wit-bindgen gives a name to something that is a word of Rust. It looks for these before it makes the letters small.
fn is_missed_in_rust(name: &str) -> bool {
    !rust::is_word(name) && rust::is_word(&name.to_snake_case())
}

fn in_type(language: Language, ty: &TypeDef, interface: &str) -> Result<(), Clash> {
    let Some(name) = ty.name.as_deref().filter(|_| language == Language::Rust) else { return Ok(()) };
    let is_self = |name: &str| name.to_upper_camel_case() == "Self";
    let clash = |what: String| Err((format!("the type `{name}` of `{interface}`"), what, MISSED_IN_RUST));
    if is_self(name) {
        return clash("that name".to_owned());
    }
    match &ty.kind {
        TypeDefKind::Record(record) => {
            match record.fields.iter().find(|field| is_missed_in_rust(&field.name)) {
                Some(field) => clash(format!("a field `{}`", field.name)),
                None => Ok(()),
            }
        }
        TypeDefKind::Variant(variant) if variant.cases.iter().any(|case| is_self(&case.name)) => {
            clash("a case `self`".to_owned())
        }
        TypeDefKind::Enum(cases) if cases.cases.iter().any(|case| is_self(&case.name)) => {
            clash("a case `self`".to_owned())
        }
        _ => Ok(()),
    }
}
