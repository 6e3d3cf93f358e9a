//! An instance and the calls into it.

use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};

use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Instance, ResourceAny, Val};
use wasmtime::{Store, StoreContextMut, UpdateDeadline, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::app::App;
use crate::blame::{Blame, Called, Scene};
use crate::engine::TICK;
use crate::exports::{self, Exported, LookupError};
use crate::limits::{Exceeded, LimitHit, Outwaited};
use crate::output::Output;
use crate::state::{StartError, State};

/// Stands in for "no limit": far enough away, and still a point in time.
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The instance could not be prepared.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such function.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The arguments do not fit the function.
    #[error("{reason}. The function is {signature}")]
    Arguments {
        /// The function's signature.
        signature: String,
        /// What does not fit.
        reason: String,
    },
    /// The guest met a limit, and was ended or gave up.
    #[error("the guest was stopped: {hit}{blame}")]
    Limit {
        /// The limit.
        hit: LimitHit,
        /// Which part it was, and on whose behalf.
        blame: Box<Blame>,
    },
    /// The guest trapped.
    #[error("the guest trapped: {}{blame}", blame.reason)]
    Trap {
        /// Which part it was, and on whose behalf.
        blame: Box<Blame>,
    },
    /// The guest ended itself through `wasi:cli/exit`.
    #[error("the guest ended itself with status {0}")]
    Exit(i32),
    /// A call before this one failed, and left the instance in an unknown state: start another session.
    #[error("the instance ended with an earlier call: nothing more can be called in it")]
    Ended,
}

impl CallError {
    fn limit(hit: LimitHit, blame: Blame) -> Self {
        Self::Limit { hit, blame: Box::new(blame) }
    }

    /// Who failed, where a guest did.
    #[must_use]
    pub fn blame(&self) -> Option<&Blame> {
        match self {
            Self::Limit { blame, .. } | Self::Trap { blame } => Some(blame),
            _ => None,
        }
    }
}

/// One instance, on which functions are called one after the other, with values that stay alive between the
/// calls: handles to resources among them.
///
/// A call that traps or meets a limit ends the session. Dropping a session drops its memory and runs nothing
/// of the guest: no destructor sees the end, as when the host is killed.
pub struct Session {
    store: Store<State>,
    instance: Instance,
    app: App,
    time: Duration,
    ended: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("app", &self.app).field("ended", &self.ended).finish()
    }
}

impl App {
    /// Starts an instance whose exports can be called one after the other.
    pub async fn session(&self) -> Result<Session, CallError> {
        Session::start(self).await
    }
}

impl Session {
    async fn start(app: &App) -> Result<Self, CallError> {
        let time = app.limits().time;
        let mut store = new_store(app, &Output::Host)?;
        let instance =
            limited(&mut store, app, None, time, async |store| app.pre().instantiate_async(store).await)
                .await?;
        Ok(Self { store, instance, app: app.clone(), time, ended: false })
    }

    /// Gives every following call this much time. A call with none traps at its first instruction.
    pub fn set_time_limit(&mut self, time: Duration) {
        self.time = time;
    }

    /// Calls a function: `ns:pkg/iface@1.0.0#func`, without the version, or `func` alone where one export
    /// has that name. Gives its result, if it has one.
    ///
    /// Methods are called by their full name, `[method]thing.do`, with the handle as the first argument.
    pub async fn call(&mut self, function: &str, arguments: &[Val]) -> Result<Option<Val>, CallError> {
        let exported = exports::find(self.app.component(), function)?;
        self.call_exported(&exported, arguments).await
    }

    /// Calls a function that [`App::exports`] listed.
    pub async fn call_exported(
        &mut self,
        exported: &Exported,
        arguments: &[Val],
    ) -> Result<Option<Val>, CallError> {
        if self.ended {
            return Err(CallError::Ended);
        }
        let wrong = |reason: String| CallError::Arguments { signature: exported.signature(), reason };
        let wanted = exported.ty().params().len();
        if wanted != arguments.len() {
            return Err(wrong(format!("it takes {wanted} arguments, and {} were given", arguments.len())));
        }
        let function = self
            .instance
            .get_func(&mut self.store, exported.index())
            .ok_or_else(|| wrong("it is not in the instance".to_owned()))?;
        let mut results = vec![Val::Bool(false); result_count(exported.ty())];
        let called = exported.called();
        let outcome = limited(&mut self.store, &self.app, Some(&called), self.time, async |store| {
            function.call_async(store, arguments, &mut results).await
        })
        .await;
        self.ended = outcome.is_err();
        outcome.map(|()| results.pop())
    }

    /// Drops a handle that a call gave: the guest's destructor of the resource runs.
    pub async fn drop_resource(&mut self, resource: ResourceAny) -> Result<(), CallError> {
        if self.ended {
            return Err(CallError::Ended);
        }
        let outcome = limited(&mut self.store, &self.app, None, self.time, async |store| {
            resource.resource_drop_async(store).await
        })
        .await;
        self.ended = outcome.is_err();
        outcome
    }
}

fn result_count(ty: &ComponentFunc) -> usize {
    ty.results().len()
}

/// A store with the app's limits set on it.
pub(crate) fn new_store(app: &App, output: &Output) -> Result<Store<State>, StartError> {
    let engine = app.component().engine();
    let mut store = Store::new(engine, app.state(output)?);
    store.limiter(|state| &mut state.limiter);
    store.set_max_component_handles(app.limits().guest_handles);
    // What a single call hands to the host.
    store.set_hostcall_fuel(app.limits().host_memory);
    // Every tick: has it run out of time, and if not, does somebody else want the thread?
    store.epoch_deadline_callback(|context: StoreContextMut<'_, State>| {
        match context.data().out_of_time(Instant::now()) {
            Some(hit) => Err(Exceeded(hit).into()),
            None => Ok(UpdateDeadline::Yield(1)),
        }
    });
    Ok(store)
}

/// Runs something in the store for at most `time`, and says what ended it. `called` is the export that is called, if it
/// is one.
///
/// The epoch stops a guest that computes, the end of its wait one that waits; both trap where it is. Whatever else the
/// guest is in, the timer gives it up, two ticks later: then nothing tells where it was.
pub(crate) async fn limited<T>(
    store: &mut Store<State>,
    app: &App,
    called: Option<&Called>,
    time: Duration,
    run: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, CallError> {
    let now = Instant::now();
    let deadline = now.checked_add(time.min(FOREVER)).unwrap_or(now);
    store.data_mut().begin(time, deadline, app.limits());
    store.set_epoch_deadline(u64::from(!time.is_zero()));
    let meter = store.data().meter.clone();
    let outcome = {
        let running = pin!(run(store));
        tokio::time::timeout_at((deadline + 2 * TICK).into(), meter.measure(running)).await
    };
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(explain(&error, app, called, store.data())),
        Err(_) => {
            let scene = scene(app, called, None);
            Err(CallError::limit(
                LimitHit::Time(time),
                Blame::limit(&scene, LimitHit::Time(time)).waiting(None),
            ))
        }
    }
}

fn scene<'a>(app: &'a App, called: Option<&'a Called>, trace: Option<&'a WasmBacktrace>) -> Scene<'a> {
    let (coarse, concurrent) = (app.is_coarse(), app.is_concurrent());
    Scene { index: app.blame(), called, trace, coarse, concurrent }
}

fn explain(error: &wasmtime::Error, app: &App, called: Option<&Called>, state: &State) -> CallError {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return CallError::Exit(*status);
    }
    let scene = scene(app, called, error.downcast_ref());
    if let Some(Outwaited { hit, function }) = error.downcast_ref() {
        return CallError::limit(*hit, Blame::limit(&scene, *hit).waiting(Some(function)));
    }
    if let Some(hit) = LimitHit::of(error, app.limits()) {
        return CallError::limit(hit, Blame::limit(&scene, hit));
    }
    // A guest that is denied memory usually gives up with a trap that does not say so.
    if let Some(hit) = state.limiter.hit() {
        return CallError::limit(hit, Blame::limit(&scene, hit).ended_with(error));
    }
    CallError::Trap { blame: Box::new(Blame::trap(&scene, error)) }
}
