//! Closes interfaces that a part imports: makes a component, the *stub*, that exports them and refuses everything.
//!
//! Components that others built often import more than they use, and more than they should have. Composed with its
//! stub, a part still finds every import, and still starts; but what it calls there is refused in the interface's own
//! words, and never reaches the host:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use compose::deny::{Answer, deny};
//!
//! let part = wat::parse_str(r#"(component
//!     (import "example:mail/outbox@1.0.0" (instance
//!         (type $error (enum "full" "access-denied"))
//!         (export "error" (type $named (eq $error)))
//!         (export "send" (func (param "text" string) (result (result (error $named))))))))"#)?;
//!
//! let stub = deny(&part, &["example:mail/*".parse()?])?;
//! assert_eq!(stub.closed[0].functions[0].answer, Answer::Error("access-denied".to_owned()));
//! assert_eq!(anatomy::read(&stub.component)?.exports, ["example:mail/outbox@1.0.0"]);
//! # Ok(())
//! # }
//! ```
//!
//! # What a stub answers
//!
//! 1. A function that returns a `result` answers `err`. What `err` holds is the case that means "not allowed": by the
//!    written [`table`] for the error types of WASI, and for others the first of `access-denied`, `permission-denied`,
//!    `not-permitted`, `forbidden`, `unauthorized`, `denied` and `access` that the type has, without a payload.
//! 2. For a few functions, nothing is the truth: there are no environment variables, no directories, no terminal. The table
//!    has them, and they answer an empty list or `none`.
//! 3. Everything else traps: there is no honest answer. A clock does not tell a wrong time, a source of randomness does
//!    not repeat itself.
//!
//! Arguments are never looked at; handles among them are dropped. A function that gets handles of interfaces that stay
//! open in a list, a stream or among too many parameters to be passed directly cannot give them back, and traps.
//!
//! What a stub is shows in its bytes, not in its name: [`is_stub`] knows it by the tool that its producers section names.
//!
//! # Types
//!
//! A stub has the types of the part's imports exactly, in the versions that the part has. The resources of what is
//! closed are the stub's own. Where a closed interface uses types of one that stays open, the stub imports that one for
//! its types, so both see the same; the other way round it cannot be, and is refused.

mod answer;
mod module;
mod select;
mod table;
mod types;

use std::fmt;

use thiserror::Error;
use wasm_metadata::AddMetadata;
use wasmparser::{KnownCustom, Parser, Payload, Validator, WasmFeatures};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding};
use wit_parser::{Resolve, World, WorldId, WorldItem};

pub use self::select::{Pattern, PatternError, Used};
pub use self::table::table;

use self::answer::Scene;
use self::module::Builder;
use self::select::Closing;
use contract::contain::{Crash, contain};
use contract::decode::decode;

/// A component that stands in for what a part may not reach.
#[derive(Debug, Clone)]
pub struct Stub {
    /// Its bytes. The same part and the same interfaces give the same bytes, in whatever order they are named.
    pub component: Vec<u8>,
    /// What is closed, in the order in which the part imports it.
    pub closed: Vec<Closed>,
    /// The interfaces that it imports for their types: these stay open. It calls nothing in them.
    pub types_from: Vec<String>,
}

/// An import that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its full name, with the version that the part imports.
    pub name: String,
    /// Its functions: those that the part imports, which need not be all that the interface has.
    pub functions: Vec<Answered>,
}

/// A function of a stub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Its name in the interface, such as `[method]bucket.get`.
    pub name: String,
    /// What it answers, always.
    pub answer: Answer,
}

/// What a function of a stub answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `err`, with this case. A dot leads from a case into its payload.
    Error(String),
    /// `err`, where that has no payload.
    Err,
    /// An empty list.
    EmptyList,
    /// `none`.
    None,
    /// A handle to a resource of the stub's own, all of whose functions refuse: a stream that is closed, for example.
    Handle,
    /// It traps: there is no honest answer.
    Trap,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Error(case) => {
                let closing = ")".repeat(case.matches('.').count() + 1);
                write!(f, "err({}{closing}", case.replace('.', "("))
            }
            Answer::Err => f.write_str("err"),
            Answer::EmptyList => f.write_str("[]"),
            Answer::None => f.write_str("none"),
            Answer::Handle => f.write_str("a handle to what refuses everything"),
            Answer::Trap => f.write_str("trap"),
        }
    }
}

/// Why there is no stub.
#[derive(Debug, Error)]
pub enum DenyError {
    /// The part cannot be read.
    #[error("it cannot be read as a component")]
    Read(#[from] anatomy::ReadError),
    /// It is no part, but a WIT package in its binary form.
    #[error("it is a WIT package: it has types, and nothing that runs")]
    Package,
    /// The part is not valid.
    #[error("it is not a valid component")]
    Invalid(#[source] wasmparser::Error),
    /// The part has types that WIT cannot say.
    #[error("what it imports cannot be said in WIT")]
    Decode(#[source] anyhow::Error),
    /// The part imports nothing of this name.
    #[error("it imports nothing that `{pattern}` stands for")]
    NoSuchImport {
        /// What was to be closed.
        pattern: Pattern,
        /// What it does import.
        imports: Vec<String>,
    },
    /// What stays open uses types of what is to be closed.
    #[error("what stays open uses types of what is to be closed:{}", Listed(.0))]
    Used(Vec<Used>),
    /// The import uses types that the part imports by themselves, outside any interface.
    #[error(
        "`{0}` uses types that belong to no interface; only interfaces can be closed where types are shared"
    )]
    Loose(String),
    /// The encoder cannot say it.
    #[error("no stub can be made")]
    Encode(#[source] anyhow::Error),
    /// The decoder or encoder crashed.
    #[error("no stub can be made")]
    Crash(#[from] Crash),
}

struct Listed<'a>(&'a [Used]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|used| write!(f, "\n- {used}"))
    }
}

/// Makes the stub that closes, for this part, all imports that the patterns stand for.
///
/// # Errors
///
/// Where the part cannot be read, a pattern stands for nothing that it imports, or something that stays open uses
/// types of what is to be closed: then all of that is named.
pub fn deny(part: &[u8], close: &[Pattern]) -> Result<Stub, DenyError> {
    anatomy::read(part)?;
    contain(|| make(part, close))?
}

fn make(part: &[u8], close: &[Pattern]) -> Result<Stub, DenyError> {
    // The decoder validates as well, and says the same of what is not valid and of what it has no words for.
    let decoded = decode(part).map_err(|error| {
        match Validator::new_with_features(WasmFeatures::all()).validate_all(part) {
            Err(invalid) => DenyError::Invalid(invalid),
            Ok(_) => DenyError::Decode(error),
        }
    })?;
    let DecodedWasm::Component(mut resolve, world) = decoded else { return Err(DenyError::Package) };
    let closing = Closing::select(&resolve, world, close)?;
    let stub = world_of(&mut resolve, world, &closing);
    let scene = Scene::new(&resolve, &closing);
    let mut module = Builder::new(&scene);
    let mut closed = Vec::new();
    for (key, item) in &resolve.worlds[stub].exports {
        let mut functions = Vec::new();
        for function in types::functions(&resolve, item) {
            let answer = scene.decide(key, function);
            module.add(key, item, function, &answer);
            functions.push(Answered { name: function.name.clone(), answer });
        }
        closed.push(Closed { name: resolve.name_world_key(key), functions });
    }
    let mut core = module.finish();
    let component = encode(&mut core, &resolve, stub).map_err(DenyError::Encode)?;
    let types_from = anatomy::read(&component)?.imports;
    Ok(Stub { component, closed, types_from })
}

/// The world of the stub: it exports what is closed, and imports what that uses of the rest. Both are in the order of
/// the part's imports, in which types come before those who use them.
fn world_of(resolve: &mut Resolve, part: WorldId, closing: &Closing) -> WorldId {
    let World { package, imports, span, .. } = resolve.worlds[part].clone();
    let kept = closing.lenders(resolve);
    let (exports, imports): (Vec<_>, Vec<_>) =
        imports.into_iter().partition(|(key, _)| closing.contains(key));
    let lends = |item: &WorldItem| matches!(item, WorldItem::Interface { id, .. } if kept.contains(id));
    let world = World {
        name: "stub".to_owned(),
        imports: imports.into_iter().filter(|(_, item)| lends(item)).collect(),
        exports: exports.into_iter().collect(),
        package,
        docs: Default::default(),
        stability: Default::default(),
        includes: Vec::new(),
        span,
    };
    let name = world.name.clone();
    let id = resolve.worlds.alloc(world);
    if let Some(package) = package {
        resolve.packages[package].worlds.insert(name, id);
    }
    id
}

/// The tool that the producers section of a stub names.
const TOOL: &str = "composer-deny";

/// Whether these bytes are a stub that was made here, by this version or another: its own producers section says so. What
/// only has a stub inside is none.
#[must_use]
pub fn is_stub(bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::CustomSection(section)) if depth == 0 => {
                let KnownCustom::Producers(fields) = section.as_known() else { continue };
                let made_by = fields.into_iter().flatten().filter(|field| field.name == "processed-by");
                if made_by.flat_map(|field| field.values.into_iter().flatten()).any(|tool| tool.name == TOOL)
                {
                    return true;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Makes a component of the core module, and says in it what it is. Versions stay as they are: the part may import two of one track.
fn encode(core: &mut Vec<u8>, resolve: &Resolve, world: WorldId) -> anyhow::Result<Vec<u8>> {
    wit_component::embed_component_metadata(core, resolve, world, StringEncoding::UTF8)?;
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).merge_imports_based_on_semver(false).module(core)?;
    let mut metadata = AddMetadata::default();
    metadata.processed_by = vec![(TOOL.to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
    metadata.to_wasm(&encoder.encode()?)
}
