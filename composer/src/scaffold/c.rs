//! C, with wit-bindgen's header: a function for each of the world's.

use heck::ToSnakeCase;
use wit_parser::Function;

use super::exports::{Exports, Interface};
use super::header::{Declaration, Header};
use super::text::{Text, described};
use super::{File, Part, ScaffoldError, file, unwritten, wit};
use contract::Contracts;

pub fn files(
    exports: &Exports<'_>,
    part: &Part<'_>,
    contracts: &Contracts,
) -> Result<Vec<File>, ScaffoldError> {
    let header = Header::of(contracts, part.world)?;
    let mut text = Text::default();
    let mut about = format!("The component `{}`, for the world `{}`.", part.name, part.world);
    if let Some(docs) = exports.docs() {
        about = format!("{about}\n\n{}", docs.trim());
    }
    about.push_str(
        "\n\nWhat arrives belongs to this side and is freed here; what is returned belongs to the caller, and is freed by \
         the bindings after it was copied.\nEach stub traps until it is written.",
    );
    text.block_comment("/*", &about);
    text.line(format!("#include \"{}\"", header.name));
    text.gap();
    text.line("/* Ends the call, with these words for whoever reads the source. */");
    text.line("#define NOT_WRITTEN(words) __builtin_trap()");
    for interface in &exports.interfaces {
        text.gap();
        text.block_comment("/*", &titled(&interface.full, interface.docs));
        for resource in &interface.resources {
            let destructor = header.destructor(exports, interface, resource.name)?;
            representation(&mut text, resource.name, resource.docs, destructor);
        }
        for function in interface.all() {
            let declaration = header.function(exports, Some(interface), function)?;
            stub(&mut text, exports, Some(interface), function, declaration);
        }
    }
    for function in &exports.functions {
        let declaration = header.function(exports, None, function)?;
        stub(&mut text, exports, None, function, declaration);
    }
    Ok(vec![file("src/main.c", text.finish())])
}

/// An interface's name and description.
pub fn titled(name: &str, docs: Option<&str>) -> String {
    match docs {
        Some(docs) => format!("`{name}`\n\n{}", docs.trim()),
        None => format!("`{name}`"),
    }
}

/// The struct behind a resource's handles, and what ends it.
fn representation(text: &mut Text, name: &str, docs: Option<&str>, destructor: &Declaration) {
    let ty = destructor.params.first().map_or_else(|| name.to_snake_case(), |param| param.ty.clone());
    text.gap();
    text.block_comment("/*", &titled(name, docs));
    text.line(format!("struct {ty} {{"));
    text.inside(4, |text| text.line("/* C has no struct without a member. */\n    char unused;"));
    text.line("};");
    text.gap();
    text.line(format!("/* Called when the last handle of a `{name}` is dropped. */"));
    body(text, destructor, &format!("the end of {name} is not written yet"));
}

fn stub(
    text: &mut Text,
    exports: &Exports<'_>,
    interface: Option<&Interface<'_>>,
    function: &Function,
    declaration: &Declaration,
) {
    text.gap();
    let signature = wit::signature(exports.resolve, function);
    text.block_comment("/*", &described(function.docs.contents.as_deref(), &signature));
    body(text, declaration, &unwritten(interface, function));
}

fn body(text: &mut Text, declaration: &Declaration, words: &str) {
    let Declaration { name, result, params } = declaration;
    let list: Vec<String> = params
        .iter()
        .map(|param| format!("{} {}{}", param.ty, if param.pointer { "*" } else { "" }, param.name))
        .collect();
    let list = if list.is_empty() { vec!["void".to_owned()] } else { list };
    let one = format!("{result} {name}({})", list.join(", "));
    if one.len() <= text.room("") {
        text.line(one);
    } else {
        text.line(format!("{result} {name}("));
        text.inside(4, |text| {
            for (index, param) in list.iter().enumerate() {
                text.line(format!("{param}{}", if index + 1 == list.len() { ")" } else { "," }));
            }
        });
    }
    text.line("{");
    text.inside(4, |text| {
        params.iter().for_each(|param| text.line(format!("(void){};", param.name)));
        text.line(format!("NOT_WRITTEN({words:?});"));
    });
    text.line("}");
}
