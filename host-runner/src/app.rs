//! A component that is ready to run: read, compiled, its imports granted and linked.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use wasmtime::component::{Component, InstancePre};

use crate::blame::Index;
use crate::code::CompileLimit;
use crate::component::{self, ComponentFile, Source};
use crate::engine::{Demands, Engine, Exactness};
use crate::exports::{self, Exported};
use crate::extension::{ExtensionError, LinkFailed};
use crate::grants::Grants;
use crate::imports::{self, Refusal};
use crate::limits::Limits;
use crate::link;
use crate::needs::{self, Needs};
use crate::output::Output;
use crate::session::{CallError, Session};
use crate::state::{State, WallClock};

/// What a component is run with.
#[derive(Clone, Default)]
pub struct Setup {
    /// What it may reach.
    pub grants: Grants,
    /// What it may use up.
    pub limits: Limits,
    /// The arguments of a program, after its name; `wasi:cli/environment` tells them.
    pub arguments: Vec<String>,
    /// The clock behind `wasi:clocks/wall-clock`; `None` is the host's own.
    pub clock: Option<Arc<dyn WallClock>>,
}

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

/// Why an instance could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A granted folder cannot be opened.
    #[error("the folder {} was granted and cannot be opened", folder.display())]
    Directory {
        /// The folder on the host.
        folder: PathBuf,
        /// What the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An extension of the host has nothing for the instance.
    #[error("the extension for {interfaces} cannot start")]
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
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// A component with its grants and limits, ready to be instantiated any number of times. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    engine: Engine,
    pre: InstancePre<State>,
    blame: Arc<Index>,
    /// `None` where its structure cannot be read.
    anatomy: Option<anatomy::Component>,
    setup: Setup,
}

/// An app that may be gone.
pub(crate) struct WeakApp(Weak<Inner>);

impl WeakApp {
    /// The app, if it is still there.
    pub(crate) fn upgrade(&self) -> Option<App> {
        self.0.upgrade().map(|inner| App { inner })
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

impl App {
    /// Reads a file and makes it ready. Nothing of the guest runs yet.
    pub fn load(engine: &Engine, file: &Path, setup: Setup) -> Result<Self, LoadError> {
        Self::new(engine, &ComponentFile::read_for(file, engine)?, setup)
    }

    /// Makes a component ready that was read before, for an engine that was chosen for it.
    pub fn new(engine: &Engine, component: &ComponentFile, setup: Setup) -> Result<Self, LoadError> {
        Self::link(engine, component.name(), &component.source(), setup)
    }

    /// Makes the bytes of a component ready; `name` stands for the file in errors.
    pub fn from_bytes(engine: &Engine, name: &str, bytes: &[u8], setup: Setup) -> Result<Self, LoadError> {
        ComponentFile::check_preamble(name, bytes)?;
        component::check_structure(name, bytes, engine.structure())?;
        Self::link(engine, name, &Source::Binary(bytes), setup)
    }

    fn link(engine: &Engine, name: &str, source: &Source<'_>, setup: Setup) -> Result<Self, LoadError> {
        imports::check(name, source, &setup.grants)?;
        let component = source.code(engine, name)?;
        let mismatch =
            |error: wasmtime::Error| LoadError::Mismatch { file: name.to_owned(), reason: one_line(&error) };
        let mut linker = link::linker(engine, &setup.grants).map_err(mismatch)?;
        setup
            .grants
            .extensions
            .add_to_linker(&mut linker)
            .map_err(|LinkFailed { interfaces, source }| LoadError::Extension { interfaces, source })?;
        let pre = linker.instantiate_pre(&component).map_err(mismatch)?;
        let blame = Arc::new(source.blame());
        let anatomy = source.anatomy().map(Cow::into_owned);
        let inner = Inner { name: name.to_owned(), engine: engine.clone(), pre, blame, anatomy, setup };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Starts an instance whose exports can be called one after the other.
    pub async fn session(&self) -> Result<Session, CallError> {
        Session::start(self).await
    }

    /// Everything that can be called, in the component's own order.
    pub fn exports(&self) -> Vec<Exported> {
        exports::list(self.component())
    }

    /// The limits that it was loaded with.
    pub fn limits(&self) -> &Limits {
        &self.inner.setup.limits
    }

    /// What it asks its host for. `None` where its structure cannot be read.
    pub fn asks(&self) -> Option<Needs> {
        let anatomy = self.inner.anatomy.as_ref()?;
        Some(needs::needs_of(anatomy, &self.inner.setup.grants.extensions))
    }

    /// SHA-256 of the component, as 64 hexadecimal digits. `None` where its structure cannot be read.
    pub fn digest(&self) -> Option<&str> {
        Some(&self.inner.anatomy.as_ref()?.digest)
    }

    /// Whether a frame may hide a function of another part, that was inlined into it.
    pub(crate) fn is_coarse(&self) -> bool {
        self.inner.engine.settings().blame() == Exactness::Coarse
    }

    /// Whether its guests may work on when the function that was called has returned.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.inner.engine.settings().concurrency()
    }

    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    /// The same app, without keeping it.
    pub(crate) fn downgrade(&self) -> WeakApp {
        WeakApp(Arc::downgrade(&self.inner))
    }

    /// Where its parts are in the binary.
    pub(crate) fn blame(&self) -> &Arc<Index> {
        &self.inner.blame
    }

    pub(crate) fn component(&self) -> &Component {
        self.inner.pre.component()
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.inner.pre
    }

    /// The data for a fresh store.
    pub(crate) fn state(&self, output: &Output) -> Result<State, StartError> {
        let setup = &self.inner.setup;
        // The first argument of a program is its own name. Where on the host it lies is not the guest's to know.
        let name = Path::new(&self.inner.name).file_name().unwrap_or_default();
        let mut arguments = vec![name.to_string_lossy().into_owned()];
        arguments.extend_from_slice(&setup.arguments);
        State::new(&setup.grants, &setup.limits, setup.clock.as_ref(), &arguments, output)
    }

    /// How many instances can run at the same time: the limit, or less where the pool is smaller.
    pub(crate) fn concurrency(&self) -> u32 {
        let limit = self.inner.setup.limits.concurrency.max(1);
        let need = self.component().resources_required();
        match self.inner.engine.room_for(need.as_ref()) {
            Some(room) => limit.min(room.max(1)),
            None => limit,
        }
    }
}

/// The chain of causes on one line.
fn one_line(error: &wasmtime::Error) -> String {
    on_one_line(&format!("{error:#}"))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
