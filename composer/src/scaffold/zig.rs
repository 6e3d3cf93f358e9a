//! Zig, with wit-bindgen's header for C, which `composer build` has translated into the module `bindings`.

use wit_parser::Function;

use super::c::titled;
use super::exports::{Exports, Interface};
use super::header::{Declaration, Header, Param};
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
    text.line(format!("//! The component `{}`, for the world `{}`.", part.name, part.world));
    if let Some(docs) = exports.docs() {
        text.line("//!");
        text.comment("//!", docs);
    }
    text.line("//!");
    text.line("//! The header that wit-bindgen writes for C, translated by `zig translate-c`, is the module `bindings`.");
    text.line("//! What arrives belongs to this side and is freed here. What is returned belongs to the caller and is");
    text.line(
        "//! freed by the bindings: it has to come from C's allocator. Each stub traps until it is written.",
    );
    text.gap();
    text.line("const std = @import(\"std\");");
    text.line("const bindings = @import(\"bindings\");");
    text.gap();
    text.line("/// A panic is a trap. The standard library's own handler would write to standard error, and bring WASI");
    text.line("/// imports along that no contract mentions.");
    text.line("pub const panic = std.debug.no_panic;");
    for interface in &exports.interfaces {
        text.gap();
        text.comment("//", &titled(&interface.full, interface.docs));
        for resource in &interface.resources {
            text.gap();
            text.comment("//", &titled(resource.name, resource.docs));
            text.line("//");
            text.line("// A handle carries a pointer of your own: its type is opaque to the bindings.");
            text.gap();
            text.line(format!("/// Called when the last handle of a `{}` is dropped.", resource.name));
            let destructor = header.destructor(exports, interface, resource.name)?;
            body(&mut text, destructor, &format!("the end of {} is not written yet", resource.name));
        }
        for function in interface.all() {
            let declaration = header.function(exports, Some(interface), function)?;
            stub(&mut text, exports, Some(interface), function, declaration);
        }
    }
    for function in &exports.functions {
        stub(&mut text, exports, None, function, header.function(exports, None, function)?);
    }
    Ok(vec![file("src/main.zig", text.finish())])
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
    text.comment("///", &described(function.docs.contents.as_deref(), &signature));
    body(text, declaration, &unwritten(interface, function));
}

fn body(text: &mut Text, declaration: &Declaration, words: &str) {
    let result = ty(&declaration.result);
    let names: Vec<String> = declaration.params.iter().map(|param| ident(&param.name)).collect();
    let params: Vec<String> = names
        .iter()
        .zip(&declaration.params)
        .map(|(name, param)| format!("{name}: {}{}", pointer(param), ty(&param.ty)))
        .collect();
    let one = format!("export fn {}({}) {result} {{", declaration.name, params.join(", "));
    if one.len() <= text.room("") {
        text.line(one);
    } else {
        text.line(format!("export fn {}(", declaration.name));
        text.inside(4, |text| params.iter().for_each(|param| text.line(format!("{param},"))));
        text.line(format!(") {result} {{"));
    }
    text.inside(4, |text| {
        names.iter().for_each(|name| text.line(format!("_ = {name};")));
        text.line(format!("@panic({words:?});"));
    });
    text.line("}");
}

fn pointer(param: &Param) -> &'static str {
    match (param.pointer, param.name.starts_with("maybe_")) {
        (false, _) => "",
        // The header passes what may be missing as a pointer that may be null, under such a name.
        (true, true) => "?*",
        (true, false) => "*",
    }
}

/// A C type in Zig.
fn ty(c: &str) -> String {
    match c {
        "void" | "bool" => c.to_owned(),
        "float" => "f32".to_owned(),
        "double" => "f64".to_owned(),
        _ => match c.strip_suffix("_t").and_then(|short| Some((short, integer(short)?))) {
            Some((_, integer)) => integer,
            None => format!("bindings.{c}"),
        },
    }
}

/// `u32` for `uint32`.
fn integer(c: &str) -> Option<String> {
    let (sign, bits) = match c.strip_prefix("uint") {
        Some(bits) => ("u", bits),
        None => ("i", c.strip_prefix("int")?),
    };
    matches!(bits, "8" | "16" | "32" | "64").then(|| format!("{sign}{bits}"))
}

/// A name, with `_` behind it where Zig or this file has the word for itself.
fn ident(name: &str) -> String {
    const WORDS: &[&str] = &[
        "addrspace",
        "align",
        "allowzero",
        "and",
        "anyerror",
        "anyframe",
        "anyopaque",
        "anytype",
        "asm",
        "async",
        "await",
        "bindings",
        "bool",
        "break",
        "callconv",
        "catch",
        "comptime",
        "comptime_float",
        "comptime_int",
        "const",
        "continue",
        "defer",
        "else",
        "enum",
        "errdefer",
        "error",
        "export",
        "extern",
        "false",
        "fn",
        "for",
        "if",
        "inline",
        "isize",
        "linksection",
        "noalias",
        "noinline",
        "noreturn",
        "nosuspend",
        "null",
        "opaque",
        "or",
        "orelse",
        "packed",
        "panic",
        "pub",
        "resume",
        "return",
        "std",
        "struct",
        "suspend",
        "switch",
        "test",
        "threadlocal",
        "true",
        "try",
        "type",
        "undefined",
        "union",
        "unreachable",
        "usize",
        "usingnamespace",
        "var",
        "void",
        "volatile",
        "while",
    ];
    let number = name
        .strip_prefix(['i', 'u', 'f'])
        .is_some_and(|bits| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit()));
    if number || WORDS.contains(&name) || name.starts_with("c_") {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}
