//! `interlock.toml`: what a project builds, in which languages, and what it composes.
//!
//! ```
//! let text = r#"
//! [project]
//! wit = "wit"               # the contracts: one root package, with its dependencies in `deps`
//! out = "target"            # products: target/components/NAME.wasm, target/compositions/NAME.wasm
//!
//! [tools]
//! node = "tools/node"       # holds node_modules
//! python = "tools/python"   # a virtual environment
//!
//! [components.greeter]
//! language = "javascript"
//! path = "components/greeter"
//! world = "example:worlds/greeter"
//! entry = "src/main.js"
//! disable = ["stdio", "random"]
//!
//! [compositions.whole]
//! file = "compositions/whole.wac"
//! "#;
//! let manifest = composer::manifest::parse("interlock.toml", text)?;
//! assert_eq!(manifest.components["greeter"].world, "example:worlds/greeter");
//! # Ok::<(), composer::TomlError>(())
//! ```
//!
//! Paths are relative to the directory of the file. Unknown keys are refused: a misspelt one would otherwise do
//! nothing, silently. In compositions a component `NAME` is the package `parts:NAME`.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use crate::TomlError;

/// The name of the file.
pub const FILE: &str = "interlock.toml";

/// The name that it had before.
pub const OLD_FILE: &str = "composer.toml";

/// The longest text that is read, in bytes: room for thousands of components.
pub const LONGEST: usize = 1 << 20;

/// The namespace that components have in compositions.
pub use compose::NAMESPACE;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The directory of the contracts.
    pub wit: PathBuf,
    /// The directory that products and everything intermediate are written to.
    pub out: PathBuf,
    /// Where the tools are.
    pub tools: Tools,
    /// What is built, by name, in the order of the file.
    pub components: IndexMap<String, Component>,
    /// What is composed, by name, in the order of the file.
    pub compositions: IndexMap<String, Composition>,
}

/// Where the tools of languages other than Rust are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tools {
    /// A directory that holds `node_modules`, with componentize-js in it.
    pub node: Option<PathBuf>,
    /// A virtual environment, with componentize-py or ziglang in it.
    pub python: Option<PathBuf>,
}

/// A component that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The language it is written in.
    pub language: Language,
    /// Its directory.
    pub path: PathBuf,
    /// The world that it is built for and checked against.
    pub world: String,
    /// The file that its toolchain starts from, relative to its directory. For Rust the Cargo manifest knows.
    pub entry: PathBuf,
    /// Features of the engine that are left out, for JavaScript.
    pub disable: Vec<String>,
    /// Whether imports of WASI that the toolchain brings along are left in although the world does not mention them,
    /// for JavaScript and Python.
    pub wasi: bool,
}

/// A composition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composition {
    /// The text that says how.
    pub file: PathBuf,
}

/// The languages that are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, with Cargo.
    Rust,
    /// Zig, with ziglang.
    Zig,
    /// C, with the C compiler of ziglang.
    C,
    /// Python, with componentize-py.
    Python,
    /// JavaScript, with componentize-js.
    JavaScript,
}

impl Language {
    /// The entry where none is given.
    fn entry(self) -> &'static str {
        match self {
            Language::Rust => "src/lib.rs",
            Language::Zig => "src/main.zig",
            Language::C => "src/main.c",
            Language::Python => "app.py",
            Language::JavaScript => "src/main.js",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::Zig => "Zig",
            Language::C => "C",
            Language::Python => "Python",
            Language::JavaScript => "JavaScript",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    project: RawProject,
    #[serde(default)]
    tools: RawTools,
    #[serde(default)]
    components: IndexMap<Spanned<String>, RawComponent>,
    #[serde(default)]
    compositions: IndexMap<Spanned<String>, RawComposition>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProject {
    wit: PathBuf,
    out: PathBuf,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawTools {
    node: Option<PathBuf>,
    python: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComponent {
    language: Language,
    path: PathBuf,
    world: String,
    entry: Option<Spanned<PathBuf>>,
    disable: Option<Spanned<Vec<String>>>,
    wasi: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComposition {
    file: PathBuf,
}

/// Reads `interlock.toml`: `name` is what the file is called in error messages.
///
/// # Errors
///
/// Where the text is longer than [`LONGEST`], is not TOML, has unknown keys or lacks some, or a name or key does not fit.
pub fn parse(name: &str, text: &str) -> Result<Manifest, TomlError> {
    if text.len() > LONGEST {
        let message = format!("a manifest of {} bytes is not read: the limit is {LONGEST}", text.len());
        return Err(TomlError::new(name, "", message, None, None));
    }
    let fail = |message: String, span: Option<Range<usize>>, help: Option<&str>| {
        TomlError::new(name, text, message, span, help)
    };
    let mut raw: Raw =
        toml::from_str(text).map_err(|error| fail(error.message().to_owned(), error.span(), None))?;
    raw.components.sort_by_key(|name, _| name.span().start);
    raw.compositions.sort_by_key(|name, _| name.span().start);
    let mut taken = HashSet::new();
    for key in raw.components.keys().chain(raw.compositions.keys()) {
        if !is_name(key.get_ref()) {
            let help = "names are lower-case words of letters and digits, joined by `-`, as in `price-list`";
            return Err(fail(format!("`{}` is not a name", key.get_ref()), Some(key.span()), Some(help)));
        }
        if !taken.insert(key.get_ref().as_str()) {
            let message = format!("`{}` is both a component and a composition", key.get_ref());
            let help = "give one of them another name: `composer build NAME` must know which is meant";
            return Err(fail(message, Some(key.span()), Some(help)));
        }
    }
    let mut components = IndexMap::new();
    for (name, component) in raw.components {
        if let (Language::Rust, Some(entry)) = (component.language, &component.entry) {
            let help = "leave it out: the Cargo manifest in the component's directory says where it begins";
            return Err(fail("`entry` does not go with Rust".to_owned(), Some(entry.span()), Some(help)));
        }
        if let (true, Some(disable)) = (component.language != Language::JavaScript, &component.disable) {
            let message = format!("`disable` does not go with {}", component.language);
            let help = "leave it out: it names features of the JavaScript engine";
            return Err(fail(message, Some(disable.span()), Some(help)));
        }
        if let (Language::Rust | Language::Zig | Language::C, Some(wasi)) =
            (component.language, &component.wasi)
        {
            let message = format!("`wasi` does not go with {}", component.language);
            let help =
                "leave it out: what its code uses of WASI is imported, and the world has to mention it";
            return Err(fail(message, Some(wasi.span()), Some(help)));
        }
        let built = Component {
            language: component.language,
            path: component.path,
            world: component.world,
            entry: component.entry.map_or_else(|| component.language.entry().into(), Spanned::into_inner),
            disable: component.disable.map(Spanned::into_inner).unwrap_or_default(),
            wasi: component.wasi.map(Spanned::into_inner).unwrap_or_default(),
        };
        components.insert(name.into_inner(), built);
    }
    let compositions = raw.compositions.into_iter();
    Ok(Manifest {
        wit: raw.project.wit,
        out: raw.project.out,
        tools: Tools { node: raw.tools.node, python: raw.tools.python },
        components,
        compositions: compositions
            .map(|(name, composition)| (name.into_inner(), Composition { file: composition.file }))
            .collect(),
    })
}

/// Whether a component or a composition may be called so: lower-case words of letters and digits, joined by `-`, 64
/// characters at most. Names become files and, for some languages, identifiers.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= 64 && name.split('-').all(word)
}
