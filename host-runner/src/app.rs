//! A component that is ready to run: read, compiled, its imports granted and linked.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Weak};

use wasmtime::component::{Component, InstancePre};

use crate::blame::Index;
use crate::component::{self, ComponentFile, Source};
use crate::engine::{Engine, Exactness};
use crate::error::{LoadError, one_line};
use crate::exports::{self, Exported};
use crate::extension::{Extensions, LinkFailed};
use crate::grants::Grants;
use crate::imports;
use crate::limits::Limits;
use crate::link;
use crate::needs::{self, Needs};
use crate::output::Output;
use crate::state::{StartError, State, WallClock};

/// What a component is run with.
#[derive(Clone, Default)]
pub struct Setup {
    /// What it may reach.
    pub grants: Grants,
    /// Interfaces that this host lacks, added from outside. They are granted by being here.
    pub extensions: Extensions,
    /// What it may use up.
    pub limits: Limits,
    /// The arguments of a program, after its name; `wasi:cli/environment` tells them.
    pub arguments: Vec<String>,
    /// The clock behind `wasi:clocks/wall-clock`; `None` is the host's own.
    pub clock: Option<Arc<dyn WallClock>>,
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
        if let Some(imports) = source.imports() {
            imports::check(name, &imports, || source.anatomy(), &setup.grants, &setup.extensions)?;
        }
        let component = source.code(engine, name)?;
        let mismatch =
            |error: wasmtime::Error| LoadError::Mismatch { file: name.to_owned(), reason: one_line(&error) };
        let mut linker = link::linker(engine, &setup.grants).map_err(mismatch)?;
        setup
            .extensions
            .add_to_linker(&mut linker)
            .map_err(|LinkFailed { interfaces, source }| LoadError::Extension { interfaces, source })?;
        let pre = linker.instantiate_pre(&component).map_err(mismatch)?;
        let blame = Arc::new(source.blame());
        let anatomy = source.anatomy().map(Cow::into_owned);
        let inner = Inner { name: name.to_owned(), engine: engine.clone(), pre, blame, anatomy, setup };
        Ok(Self { inner: Arc::new(inner) })
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
        Some(needs::needs_of(anatomy, &self.inner.setup.extensions))
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
        let extensions = setup.extensions.start().map_err(|failed| {
            let LinkFailed { interfaces, source } = failed;
            StartError::Extension { interfaces, source }
        })?;
        State::new(&setup.grants, extensions, &setup.limits, setup.clock.as_ref(), &arguments, output)
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
