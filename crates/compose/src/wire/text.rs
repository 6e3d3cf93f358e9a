//! The wiring as a text in the WAC language.

use std::fmt::Write;

use super::{Argument, Instance, Outlet, Wiring, names, package};

/// Words that mean something in the language: as names they are written with a `%`.
const KEYWORDS: [&str; 43] = [
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "let",
    "list",
    "new",
    "option",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "targets",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

impl Wiring {
    /// The wiring as a text in the WAC language, whose parts are the [packages](super::packages) of the bag. `name` is
    /// what the composition is called; `target` is the full name of a world that it has to fit.
    ///
    /// The text says everything: each argument is written out, and `...` stands only where something is left to the
    /// host.
    #[must_use]
    pub fn text(&self, name: &str, target: Option<&str>) -> String {
        let mut text = String::new();
        self.write(&mut text, name, target).map_or_else(|_| String::new(), |()| text)
    }

    fn write(&self, text: &mut String, name: &str, target: Option<&str>) -> std::fmt::Result {
        let [name] = &names::part_names(&[(name.to_owned(), String::new())], &[])[..] else { return Ok(()) };
        let target = target.map(|target| format!(" targets {target}")).unwrap_or_default();
        writeln!(text, "package composed:{name}{target};")?;
        for instance in &self.instances {
            text.push('\n');
            instance.write(text)?;
        }
        text.push('\n');
        self.exports.iter().try_for_each(|outlet| outlet.write(text))
    }
}

impl Instance {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        let (name, package) = (identifier(&self.part), package(&self.part));
        if self.arguments.is_empty() && self.open.is_empty() {
            return writeln!(text, "let {name} = new {package} {{}};");
        }
        writeln!(text, "let {name} = new {package} {{")?;
        self.arguments.iter().try_for_each(|argument| argument.write(text))?;
        if !self.open.is_empty() {
            writeln!(text, "    // From the host:")?;
            self.open.iter().try_for_each(|open| writeln!(text, "    //   {open}"))?;
            writeln!(text, "    ...")?;
        }
        writeln!(text, "}};")
    }
}

impl Argument {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "    \"{}\": {}", self.import, identifier(&self.part))?;
        self.path.iter().try_for_each(|name| write!(text, "[\"{name}\"]"))?;
        writeln!(text, ",")
    }
}

impl Outlet {
    fn write(&self, text: &mut String) -> std::fmt::Result {
        if let Some(because) = &self.because_of {
            writeln!(text, "// `{because}` takes types from this one.")?;
        }
        let (part, export) = (identifier(&self.part), &self.export);
        let name = if self.labelled { format!(" as \"{export}\"") } else { String::new() };
        writeln!(text, "export {part}[\"{export}\"]{name};")
    }
}

fn identifier(part: &str) -> String {
    if KEYWORDS.contains(&part) { format!("%{part}") } else { part.to_owned() }
}
