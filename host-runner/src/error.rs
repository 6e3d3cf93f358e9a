//! Why a component cannot be used.

use crate::code::CompileLimit;
use crate::engine::{Demands, Engine};
use crate::extension::ExtensionError;
use crate::imports::Refusal;

/// Why a component cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{file} cannot be read: {}", reason_of(error))]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said; the message has it in plain words.
        error: std::io::Error,
    },
    /// The bytes are not WebAssembly at all.
    #[error(
        "{file} is not a component: {found}. A component begins with the bytes 00 61 73 6d 0d 00 01 00; give the .wasm file that a component build made"
    )]
    NotWebAssembly {
        /// The file.
        file: String,
        /// What it looks like.
        found: &'static str,
    },
    /// It is a core module.
    #[error(
        "{file} is a core module, not a component: it has no interfaces to link. Make a component of it (with `composer componentize`, or by building for wasm32-wasip2)"
    )]
    CoreModule {
        /// The file.
        file: String,
    },
    /// The bytes begin as a component and are not a valid one.
    #[error(
        "{file} is not a valid component: {reason}. It may be cut short or damaged: build it again, or fetch it again. Or a newer toolchain made it than this host knows{}",
        toolchain.as_ref().map(|tools| format!(": it names {tools}")).unwrap_or_default()
    )]
    Invalid {
        /// The file.
        file: String,
        /// The rule that is broken, and where.
        reason: String,
        /// The tools that it says it was made by.
        toolchain: Option<String>,
    },
    /// It declares more than is compiled.
    #[error(
        "{file} was refused before anything of it was compiled: {reason}{}",
        if *flag { ". For a component that you trust, --max-structure FACTOR raises the bounds" } else { "" }
    )]
    Structure {
        /// The file.
        file: String,
        /// What there is too much of, and where.
        reason: Box<anatomy::ReadError>,
        /// Whether the bound can be raised.
        flag: bool,
    },
    /// Compiling it met a limit.
    #[error(
        "{file} was refused: to compile it takes more than {limit}. For a component that you trust, raise that"
    )]
    Compiling {
        /// The file.
        file: String,
        /// The limit.
        limit: CompileLimit,
    },
    /// Nobody waits for it any more.
    #[error("{file} was not compiled to the end: another file has taken its place")]
    GivenUp {
        /// The file.
        file: String,
    },
    /// The process that compiles could not do its work.
    #[error(
        "{file} could not be compiled: the process that compiles {reason}. It leaves this host unharmed; --compiler inside compiles without one, and without limits"
    )]
    Compiler {
        /// The file.
        file: String,
        /// What became of it.
        reason: String,
    },
    /// It uses features of the Component Model that are off or missing here.
    #[error("{file} needs {features} of the Component Model, {reason}", features = features.join(", "))]
    Features {
        /// The file.
        file: String,
        /// The usual names of the features.
        features: Vec<String>,
        /// Why they are not there, and what to do.
        reason: &'static str,
    },
    /// It is compiled code that nothing vouches for.
    #[error(
        "{file} was refused: it is compiled code, which would run with all rights of this host, and {reason}. Compile the component here (`host-runner compile`), or give the key that it was compiled with (--key FILE)"
    )]
    Untrusted {
        /// The file.
        file: String,
        /// Why it is not trusted.
        reason: String,
    },
    /// It is compiled code of another engine, or of another processor.
    #[error(
        "{file} cannot run here: it was compiled by another version of this host, for another processor, or with other settings. Compile the component again (`host-runner compile`), with the flags under Engine that it is run with"
    )]
    OtherSettings {
        /// The file.
        file: String,
    },
    /// It imports what was not granted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An import has the name of an interface of this host, and another shape.
    #[error(
        "{file} does not fit this host: {reason}. An interface of that name is there, and its types differ: build the component against the released WIT of that version"
    )]
    Mismatch {
        /// The file.
        file: String,
        /// What differs.
        reason: String,
    },
    /// An extension of the host cannot be linked.
    #[error("the extension for {interfaces} cannot be linked")]
    Extension {
        /// The interfaces that it adds.
        interfaces: String,
        /// Why not.
        source: ExtensionError,
    },
}

impl LoadError {
    /// Returns why a component is not taken that needs features which no engine of this host has.
    pub(crate) fn lacking(file: &str, demands: &Demands) -> Option<Self> {
        (!demands.lacking.is_empty()).then(|| Self::Features {
            file: file.to_owned(),
            features: demands.lacking.clone(),
            reason: "which this host does not have. Build it without, or run it on a host that has them",
        })
    }

    /// Returns why an engine does not take a component: it lacks a feature, or the component is not valid.
    pub(crate) fn invalid(file: &str, bytes: &[u8], engine: &Engine, reason: &str) -> Self {
        let demands = Demands::of(bytes);
        if let Some(error) = Self::lacking(file, &demands) {
            return error;
        }
        let settings = engine.settings();
        let has = settings.features();
        let off: Vec<String> = (demands.features.iter())
            .filter(|feature| !has.contains(feature))
            .map(|feature| feature.name().to_owned())
            .collect();
        if !off.is_empty() {
            return Self::Features {
                file: file.to_owned(),
                features: off,
                reason: "which is off in this engine. Build the engine for the component (`Engine::for_demands`)",
            };
        }
        if !settings.concurrency() && Demands::is_asynchronous(bytes) {
            return Self::Features {
                file: file.to_owned(),
                features: vec!["async".to_owned()],
                reason: "which is off in this engine. Leave `--concurrency off` out: `auto` enables it where a component needs it",
            };
        }
        Self::Invalid {
            file: file.to_owned(),
            reason: on_one_line(reason),
            toolchain: anatomy::made_by(bytes),
        }
    }
}

fn reason_of(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

/// The chain of causes on one line.
pub(crate) fn one_line(error: &wasmtime::Error) -> String {
    on_one_line(&format!("{error:#}"))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
