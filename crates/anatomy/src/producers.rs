//! The language and the toolchain of a component, from what its toolchain wrote down.

use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader, SectionLimited};

use crate::model::Tool;

/// How many entries of a section are looked at. It takes a handful.
const ENTRIES: usize = 64;

/// What producers sections say, in their order.
#[derive(Default)]
pub(crate) struct Producers<'a> {
    languages: Vec<&'a str>,
    /// Names and versions.
    tools: Vec<(&'a str, &'a str)>,
    modules: Vec<&'a str>,
}

impl<'a> Producers<'a> {
    /// Takes the entries of a section in. A custom section says nothing that must be true: what is broken in it
    /// is passed over.
    pub(crate) fn add(&mut self, section: ProducersSectionReader<'a>) {
        for field in section.into_iter().take(3).map_while(Result::ok) {
            let values = SectionLimited::into_iter(field.values).map_while(Result::ok);
            match field.name {
                "language" => {
                    let room = ENTRIES.saturating_sub(self.languages.len());
                    self.languages.extend(values.map(|value| value.name).take(room));
                }
                "processed-by" | "sdk" => {
                    let room = ENTRIES.saturating_sub(self.tools.len());
                    self.tools.extend(values.map(|value| (value.name, value.version)).take(room));
                }
                _ => {}
            }
        }
    }

    /// Takes in the name of a core module: some versions of componentize-py leave no other trace.
    pub(crate) fn add_module(&mut self, name: &'a str) {
        if self.modules.len() < ENTRIES {
            self.modules.push(name);
        }
    }

    /// Takes in what a core module says. What wit-component made itself, or took along to adapt a module, tells with its
    /// tools what had a hand in it, but not which language the component is written in.
    pub(crate) fn merge(&mut self, module: Producers<'a>) {
        let helper = module.modules.iter().any(|name| name.starts_with("wit-component:"));
        if !helper {
            self.languages
                .extend(module.languages.into_iter().take(ENTRIES.saturating_sub(self.languages.len())));
        }
        self.tools.extend(module.tools.into_iter().take(ENTRIES.saturating_sub(self.tools.len())));
        self.modules.extend(module.modules.into_iter().take(ENTRIES.saturating_sub(self.modules.len())));
    }

    fn tool_names(&self) -> impl Iterator<Item = &'a str> {
        self.tools.iter().map(|(name, _)| *name).chain(self.modules.iter().copied())
    }
}

/// The language of a component with these sections: its own, and those of its core modules.
///
/// What the component says of itself goes first: the core modules of an interpreted language tell of
/// the interpreter. Then the tools that make components of one language only; then the modules. Where C or C++ stand
/// beside another language they are a library of it, and C is one of C++.
pub(crate) fn language(own: &Producers<'_>, modules: &Producers<'_>) -> Option<String> {
    let by_tool = own.tool_names().chain(modules.tool_names()).find_map(tool_language);
    let chosen = main(&own.languages).or(by_tool).or_else(|| main(&modules.languages))?;
    Some(readable(chosen))
}

/// The tools that made a component with these sections, each once: those of its language first, then its own, then
/// those of its modules.
pub(crate) fn toolchain(own: &Producers<'_>, modules: &Producers<'_>, language: Option<&str>) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    for (name, version) in own.tools.iter().chain(&modules.tools) {
        // After the number there may be a commit and a date, which tell nobody anything.
        let number = version.split_whitespace().next().unwrap_or_default();
        let tool = Tool { name: printable(name), version: printable(number) };
        if !tools.contains(&tool) {
            tools.push(tool);
        }
    }
    tools.sort_by_key(|tool| !language.is_some_and(|language| makes(&tool.name, language)));
    tools
}

/// Returns the tools that bytes say they were made by, with their versions, in one line; `None` where nothing says so.
///
/// It is for bytes that cannot be read as a component: those may be damaged, or made by newer tools. What is not a
/// producers section is passed over unread, and reading ends where the next section cannot be found.
pub fn made_by(bytes: &[u8]) -> Option<String> {
    let mut found = Producers::default();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::CustomSection(section) = payload
            && let KnownCustom::Producers(producers) = section.as_known()
        {
            found.add(producers);
        }
    }
    let tools = toolchain(&found, &Producers::default(), None);
    let named: Vec<String> =
        tools.iter().map(|tool| format!("{} {}", tool.name, tool.version).trim_end().to_owned()).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// Whether a tool is what turns this language into WebAssembly.
fn makes(tool: &str, language: &str) -> bool {
    match language {
        "Rust" => tool == "rustc",
        "C" | "C++" => tool == "clang",
        "Zig" => tool == "zig",
        "Go" => tool == "Go" || tool == "TinyGo",
        _ => tool_language(tool) == Some(language),
    }
}

fn main<'a>(languages: &[&'a str]) -> Option<&'a str> {
    let rank = |name: &&str| match readable(name).as_str() {
        "C" => 2,
        "C++" => 1,
        _ => 0,
    };
    // Of those that rank alike the first one counts.
    languages.iter().copied().min_by_key(rank)
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
