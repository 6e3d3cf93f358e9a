//! Components in this process: the engine, the stores and the clock are the test's own.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use host_runner::keyvalue::Backend;
use host_runner::{
    App, Cache, CallError, Engine, EngineOptions, Exported, Grants, Session, Setup, WallClock,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{ResourceAny, Type, Val};

use crate::project;

/// The engine of this process. Compiled code is kept, since a JavaScript or Python guest takes seconds.
pub fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let cache = Cache::open(&project::path("target/cache")).expect("compiled code can be kept");
        let options = EngineOptions { cache: Some(cache), ..EngineOptions::default() };
        Engine::new(&options).expect("the engine starts")
    })
}

/// Where calls into guests are polled. One thread is enough: a guest runs one call at a time.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct Clock(AtomicU64);

impl Clock {
    /// A clock at this many seconds since 1970.
    pub fn at(seconds: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seconds * 1_000)))
    }

    /// Moves it on.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Milliseconds since 1970, as the contracts count.
    pub fn millis(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl WallClock for Clock {
    fn now(&self) -> Duration {
        Duration::from_millis(self.millis())
    }
}

/// What a component is started with, for tests.
pub fn setup(store: Option<Arc<dyn Backend>>, clock: Option<Arc<Clock>>) -> Setup {
    Setup {
        grants: Grants { keyvalue: store, ..Grants::default() },
        clock: clock.map(|clock| clock as Arc<dyn WallClock>),
        ..Setup::default()
    }
}

/// Makes a component ready.
///
/// # Panics
/// When it cannot be loaded: with the host's words.
pub fn app(file: &Path, setup: Setup) -> App {
    App::load(engine(), file, setup).unwrap_or_else(|error| panic!("{error}"))
}

/// One instance of a component, called synchronously.
///
/// After a call that fails the instance has ended; the next call starts another, as a host does for the next
/// request.
pub struct Guest {
    app: App,
    exports: Vec<Exported>,
    session: Option<Session>,
    runtime: Runtime,
    time: Option<Duration>,
    kill: Arc<Notify>,
}

impl Guest {
    /// Starts an instance.
    pub fn new(app: &App) -> Self {
        Self {
            app: app.clone(),
            exports: app.exports(),
            session: None,
            runtime: runtime(),
            time: None,
            kill: Arc::new(Notify::new()),
        }
    }

    /// Gives every call this much time.
    pub fn set_time_limit(&mut self, time: Duration) {
        self.time = Some(time);
        if let Some(session) = &mut self.session {
            session.set_time_limit(time);
        }
    }

    /// Once this is notified, the call under way ends where it is, and the instance with it, as when its process is
    /// killed. The caller sees [`CallError::Ended`].
    pub fn killed_by(&mut self, kill: Arc<Notify>) {
        self.kill = kill;
    }

    /// Ends the instance as a kill does: nothing of the guest runs any more.
    pub fn vanish(&mut self) {
        self.session = None;
    }

    fn exported(&self, function: &str) -> Result<Exported> {
        let names = |exported: &&Exported| {
            let name = exported.name();
            name == function
                || name
                    .split_once('@')
                    .zip(name.split_once('#'))
                    .is_some_and(|((package, _), (_, own))| format!("{package}#{own}") == function)
        };
        self.exports.iter().find(names).cloned().with_context(|| format!("{function} is not exported"))
    }

    fn session(&mut self) -> Result<&mut Session, CallError> {
        if self.session.is_none() {
            let mut session = self.runtime.block_on(self.app.session())?;
            if let Some(time) = self.time {
                session.set_time_limit(time);
            }
            self.session = Some(session);
        }
        Ok(self.session.as_mut().expect("it was just started"))
    }

    /// Calls `ns:pkg/iface#func` with values.
    ///
    /// # Errors
    /// When the call traps or meets a limit.
    ///
    /// # Panics
    /// When there is no such function: that is a mistake in the test.
    pub fn call(&mut self, function: &str, arguments: &[Val]) -> Result<Option<Val>, CallError> {
        let exported = self.exported(function).unwrap_or_else(|error| panic!("{error}"));
        self.session()?;
        let session = self.session.as_mut().expect("it was just started");
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = session.call_exported(&exported, arguments) => outcome,
                () = self.kill.notified() => Err(CallError::Ended),
            }
        });
        if outcome.is_err() {
            self.session = None;
        }
        outcome
    }

    /// Calls a function with arguments in WAVE, `(1, "two")`, and gives the result in WAVE.
    ///
    /// # Errors
    /// When the call traps or meets a limit.
    ///
    /// # Panics
    /// When the arguments do not fit: that is a mistake in the test.
    pub fn wave(&mut self, function: &str, arguments: &str) -> Result<String, CallError> {
        let values = self.values(function, arguments);
        Ok(self.call(function, &values)?.map_or_else(|| "()".to_owned(), |value| text(&value)))
    }

    /// Arguments in WAVE as values of a function's types.
    ///
    /// # Panics
    /// When they do not fit.
    pub fn values(&self, function: &str, arguments: &str) -> Vec<Val> {
        let exported = self.exported(function).unwrap_or_else(|error| panic!("{error}"));
        let types: Vec<Type> = exported.ty().params().map(|(_, ty)| ty).collect();
        UntypedFuncCall::parse(&format!("f{arguments}"))
            .and_then(|call| call.to_wasm_params(types.iter()))
            .unwrap_or_else(|error| panic!("{function}{arguments}: {error}"))
    }

    /// Drops a handle: the guest's destructor runs.
    ///
    /// # Errors
    /// When the destructor traps.
    ///
    /// # Panics
    /// When the instance that gave the handle has ended.
    pub fn drop_resource(&mut self, resource: ResourceAny) -> Result<(), CallError> {
        let session = self.session.as_mut().expect("the instance that gave the handle lives");
        self.runtime.block_on(session.drop_resource(resource))
    }
}

/// A value in WAVE.
///
/// # Panics
/// When it holds a handle, which has no text.
pub fn text(value: &Val) -> String {
    wasm_wave::to_string(value).unwrap_or_else(|error| panic!("{value:?} has no text: {error}"))
}

/// A field of a record.
///
/// # Errors
/// When the value is no record with that field.
pub fn field<'a>(value: &'a Val, name: &str) -> Result<&'a Val> {
    match value {
        Val::Record(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
        _ => None,
    }
    .ok_or_else(|| anyhow!("{value:?} has no field {name}"))
}

/// The value inside `ok(…)`, or the text of the error.
///
/// # Errors
/// When it is `err(…)`: with the error in WAVE; or no result at all.
pub fn ok(value: Option<Val>) -> Result<Option<Val>> {
    match value {
        Some(Val::Result(Ok(value))) => Ok(value.map(|value| *value)),
        Some(Val::Result(Err(Some(error)))) => Err(anyhow!("err({})", text(&error))),
        other => Err(anyhow!("{other:?} is no result")),
    }
}
