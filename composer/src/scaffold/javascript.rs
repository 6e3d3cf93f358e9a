//! JavaScript, with componentize-js: an object for each exported interface, with classes for its resources.

use heck::{ToLowerCamelCase, ToUpperCamelCase};
use wit_parser::{Function, FunctionKind, WorldKey};

use super::c::titled;
use super::exports::{Exports, Interface, short};
use super::text::{Text, described};
use super::{File, Part, ScaffoldError, file, unwritten, wit};
use crate::manifest::Language;

/// How values look on this side, for whoever reads a signature.
const VALUES: &str = "\
64-bit integers are BigInts, records are objects with names in camelCase, variants are `{ tag, val }`, enums are \
strings, flags are objects of booleans, lists are arrays (`list<u8>` a Uint8Array) and what is missing is undefined. \
An error result is thrown, and has to be the bare value: anything derived from `Error` is a trap, as in each stub \
until it is written.";

pub fn files(exports: &Exports<'_>, part: &Part<'_>) -> Result<Vec<File>, ScaffoldError> {
    Ok(vec![file("package.json", package(part)), file("src/main.js", main(exports, part)?)])
}

fn package(part: &Part<'_>) -> String {
    format!(
        "{{\n  \"name\": \"{}\",\n  \"version\": \"0.1.0\",\n  \"description\": \"A component for the world {}\",\n  \
         \"private\": true,\n  \"type\": \"module\",\n  \"engines\": {{\n    \"node\": \">=20\"\n  }}\n}}\n",
        part.name, part.world
    )
}

fn main(exports: &Exports<'_>, part: &Part<'_>) -> Result<String, ScaffoldError> {
    let mut text = Text::default();
    let mut about = format!("The component `{}`, for the world `{}`.", part.name, part.world);
    if let Some(docs) = exports.docs() {
        about = format!("{about}\n\n{}", docs.trim());
    }
    let imports = exports.imports();
    if !imports.is_empty() {
        about = format!("{about}\n\nWhat it may call is imported by its name: `{}`.", imports.join("`, `"));
    }
    text.block_comment("/**", &format!("{about}\n\n{VALUES}"));
    let mut renamed = Vec::new();
    for interface in &exports.interfaces {
        let name = short(exports.resolve, interface.key);
        if let WorldKey::Name(name) = interface.key {
            let interface = name.clone();
            return Err(ScaffoldError::Inline { language: Language::JavaScript, interface });
        }
        let constant = interface.label.to_lower_camel_case();
        let constant = if reserved(&constant) { format!("{constant}_") } else { constant };
        text.gap();
        text.block_comment("/**", &titled(&interface.full, interface.docs));
        // A name that is shared, or is a word of the language, is given where it may be any text.
        let plain = interface.label == name && constant == name.to_lower_camel_case();
        if !plain {
            renamed.push(format!("{constant} as \"{}\"", interface.full));
        }
        text.line(format!("{}const {constant} = {{", if plain { "export " } else { "" }));
        text.inside(2, |text| members(text, exports, interface));
        text.line("};");
    }
    for function in &exports.functions {
        let wanted = function.name.to_lower_camel_case();
        let plain = !reserved(&wanted);
        let name = if plain { wanted.clone() } else { format!("{wanted}_") };
        if !plain {
            renamed.push(format!("{name} as {wanted}"));
        }
        text.gap();
        let head = format!("{}function {name}", if plain { "export " } else { "" });
        stub(&mut text, exports, None, function, &head, "");
    }
    if !renamed.is_empty() {
        text.gap();
        text.line(format!("export {{ {} }};", renamed.join(", ")));
    }
    Ok(text.finish())
}

/// Classes and functions of an interface, as members of its object.
fn members(text: &mut Text, exports: &Exports<'_>, interface: &Interface<'_>) {
    let mut first = true;
    for resource in &interface.resources {
        space(text, &mut first);
        text.block_comment("/**", &titled(resource.name, resource.docs));
        // A class without a name of its own: one called `Error` would hide the language's.
        text.line(format!("{}: class {{", resource.name.to_upper_camel_case()));
        text.inside(2, |text| {
            let mut first = true;
            for function in &resource.functions {
                space(text, &mut first);
                let head = match function.kind {
                    FunctionKind::Constructor(_) => "constructor".to_owned(),
                    FunctionKind::Static(_) => {
                        format!("static {}", function.item_name().to_lower_camel_case())
                    }
                    _ => function.item_name().to_lower_camel_case(),
                };
                stub(text, exports, Some(interface), function, &head, "");
            }
        });
        text.line("},");
    }
    for function in &interface.functions {
        space(text, &mut first);
        stub(text, exports, Some(interface), function, &function.name.to_lower_camel_case(), ",");
    }
}

fn space(text: &mut Text, first: &mut bool) {
    if !std::mem::take(first) {
        text.gap();
    }
}

fn stub(
    text: &mut Text,
    exports: &Exports<'_>,
    interface: Option<&Interface<'_>>,
    function: &Function,
    head: &str,
    end: &str,
) {
    let signature = wit::signature(exports.resolve, function);
    text.block_comment("/**", &described(function.docs.contents.as_deref(), &signature));
    let method = matches!(function.kind, FunctionKind::Method(_));
    let params = function.params.iter().skip(usize::from(method));
    let params = params.map(|param| param.name.to_lower_camel_case());
    let params = params.map(|name| if reserved(&name) { format!("{name}_") } else { name });
    text.line(format!("{head}({}) {{", params.collect::<Vec<_>>().join(", ")));
    text.inside(2, |text| text.line(format!("throw new Error({:?});", unwritten(interface, function))));
    text.line(format!("}}{end}"));
}

/// Whether the language has the word for itself, in a module.
fn reserved(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "arguments",
        "await",
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "eval",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "implements",
        "import",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "package",
        "private",
        "protected",
        "public",
        "return",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "undefined",
        "var",
        "void",
        "while",
        "with",
        "yield",
    ];
    WORDS.contains(&name)
}
