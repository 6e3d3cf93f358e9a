//! The language of a component, from what its toolchain wrote down.

use wasmparser::{ProducersSectionReader, SectionLimited};

/// How many entries of a section are looked at. It takes a handful.
const ENTRIES: usize = 64;

/// What producers sections say, in their order.
#[derive(Default)]
pub(crate) struct Producers<'a> {
    languages: Vec<&'a str>,
    tools: Vec<&'a str>,
}

impl<'a> Producers<'a> {
    /// Takes the entries of a section in. A custom section says nothing that must be true: what is broken in it
    /// is passed over.
    pub(crate) fn add(&mut self, section: ProducersSectionReader<'a>) {
        for field in section.into_iter().take(3).map_while(Result::ok) {
            let list = match field.name {
                "language" => &mut self.languages,
                "processed-by" => &mut self.tools,
                _ => continue,
            };
            let names = SectionLimited::into_iter(field.values).map_while(Result::ok).map(|value| value.name);
            list.extend(names.take(ENTRIES.saturating_sub(list.len())));
        }
    }

    /// Takes in the name of a core module: componentize-py leaves no other trace.
    pub(crate) fn add_module(&mut self, name: &'a str) {
        if self.tools.len() < ENTRIES {
            self.tools.push(name);
        }
    }
}

/// The language of a component with these sections: its own, and those of its core modules.
///
/// What the component says of itself goes first: the core modules of an interpreted language tell of
/// the interpreter. Then the tools that make components of one language only; then the modules. Where C stands
/// beside another language it is a library of it.
pub(crate) fn language(own: &Producers<'_>, modules: &Producers<'_>) -> Option<String> {
    let by_tool = own.tools.iter().chain(&modules.tools).find_map(|tool| tool_language(tool));
    let chosen = main(&own.languages).or(by_tool).or_else(|| main(&modules.languages))?;
    Some(readable(chosen))
}

fn main<'a>(languages: &[&'a str]) -> Option<&'a str> {
    let is_c = |name: &&str| readable(name).starts_with('C') && readable(name).len() <= 3;
    languages.iter().copied().find(|name| !is_c(name)).or_else(|| languages.first().copied())
}

fn tool_language(tool: &str) -> Option<&'static str> {
    let tool = tool.to_ascii_lowercase();
    match tool.as_str() {
        _ if tool.starts_with("componentize-py") || tool.starts_with("componentize_py") => Some("Python"),
        _ if tool.starts_with("componentizejs") || tool.starts_with("componentize-js") => Some("JavaScript"),
        _ => None,
    }
}

/// Compilers write the standard of C and C++ into the name. The name comes from the file, so whatever does
/// not belong on a terminal is taken out.
fn readable(name: &str) -> String {
    let digits = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    match name.strip_prefix("C_plus_plus").or_else(|| name.strip_prefix("C++")) {
        Some(rest) if digits(rest.trim_start_matches('_')) => return "C++".to_owned(),
        _ => {}
    }
    match name.strip_prefix('C') {
        Some(rest) if digits(rest) => "C".to_owned(),
        _ => printable(name),
    }
}

/// At most 100 characters, none of them a control character.
pub(crate) fn printable(name: &str) -> String {
    name.chars().take(100).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
