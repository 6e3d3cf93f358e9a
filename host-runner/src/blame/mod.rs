//! Blame: which part of a composition failed, in which function, on whose behalf, and what to do next.
//!
//! A frame of a backtrace knows its offset in the binary, and the binary knows where its parts are, so the parts need
//! neither names nor debug information for this. Where the frames change from one part to another, a call went through
//! an exported function; which one is told by the names of the core exports (`ns:pkg/iface@1.0.0#func`), and where two
//! instances of one component look alike, the wires between the parts narrow it down as far as they go. What cannot be
//! known is said to be unknown: see [`Call::parts`] and [`Blame::cut`].

mod frames;
mod handles;
mod index;
mod kind;
mod page;
mod walk;

use wasmtime::{Error, WasmBacktrace};

use crate::limits::LimitHit;

pub use frames::Frame;
pub use index::PartName;
pub use kind::Kind;

pub(crate) use index::Index;

/// How many frames are kept of a backtrace. Names of functions are the guest's, and may be 100 kB long each: this bounds
/// what a trap costs the host.
pub(crate) const FRAMES: usize = 256;

/// Who failed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blame {
    /// What happened.
    pub kind: Kind,
    /// The engine's words for it, or the host's.
    pub reason: String,
    /// The calls from part to part that led there, the host's own call first, the part where it happened last. Empty
    /// where nothing of the component can be read.
    pub path: Vec<Call>,
    /// The other side, where it happened while a value passed between two.
    pub other: Option<Other>,
    /// Whether it was waiting in the host, and did not compute.
    pub waiting: bool,
    /// The function of the host that it was in, `ns:pkg/iface@1.0.0#func`, where that can be told.
    pub host_function: Option<String>,
    /// What a guest did that met a limit and was not ended by that: usually a trap.
    pub then: Option<String>,
    /// The backtrace, innermost first.
    pub frames: Vec<Frame>,
    /// How the calls at the beginning of `path` are known.
    pub begins: Beginning,
    /// Whether the outer frames were too many to keep. The beginning of `path` then follows from the wiring where there
    /// is only one way, and is missing where there are several.
    pub cut: bool,
    /// Whether calls between parts may have been inlined, so that a frame may hide its callee's.
    pub coarse: bool,
}

/// How the calls at the beginning of a path are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// From the frames, or from what the host called.
    Seen,
    /// So many calls have no frame, and follow from the wires, along which there is only one way. An asynchronous call
    /// leaves no frame of its caller.
    Wired(usize),
    /// Who made the first call is not known: it has no frame, and along the wires there are several ways.
    Unknown,
}

/// A call into a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The part. Several where one component is instantiated more than once, which look alike in a frame, and the wires
    /// do not tell which of them it was.
    pub parts: Vec<PartName>,
    /// The exported interface, with its version. None for a function of the component itself, or where it is not known.
    pub interface: Option<String>,
    /// The exported function. None where it is not known.
    pub function: Option<String>,
    /// What the call was for.
    pub role: Role,
    /// Whether it can be made from text: the function takes and returns no handle. False where that is not known.
    pub from_text: bool,
}

/// What a part was entered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A function that it exports.
    Function,
    /// To start: data and globals are set up.
    Start,
    /// To clean up: after a result was taken, or a resource dropped.
    CleanUp,
    /// To make room for a value that is passed to it.
    MakeRoom,
}

/// The other side of a value that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Who that is. Without parts where it cannot be told.
    pub call: Call,
    /// What it had to do with it.
    pub relation: Relation,
}

/// What the other side had to do with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// It gave the value, for which the part that failed had no room.
    Gave,
    /// It gave or took the value; which of the two the engine does not say.
    Passed,
    /// It is the part that was called and kept what it was lent.
    Kept,
    /// It is the host, which could not take what the part gave.
    HostTook,
    /// It is the host, which gave what the part had no room for.
    HostGave,
}

/// The export that the host called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    pub(crate) interface: Option<String>,
    pub(crate) function: String,
}

impl Called {
    /// The name under which the whole exports it, or the interface that it is in.
    fn outlet(&self) -> &str {
        self.interface.as_deref().unwrap_or(&self.function)
    }
}

/// What is known when a guest has failed.
pub(crate) struct Scene<'a> {
    pub(crate) index: &'a Index,
    /// None while an instance is made.
    pub(crate) called: Option<&'a Called>,
    /// Where the guest was.
    pub(crate) trace: Option<&'a WasmBacktrace>,
    /// Whether calls between parts may have been inlined.
    pub(crate) coarse: bool,
    /// Whether a part may call another asynchronously. Then the frames begin with the part that was called.
    pub(crate) concurrent: bool,
}

impl Blame {
    /// Blames a trap, or an error of the host's within a call.
    pub(crate) fn trap(scene: &Scene<'_>, error: &Error) -> Self {
        Self::new(scene, Kind::of(error), reason(error)).without_stub()
    }

    /// A stub for what was closed when composing traps where the interface has no error: then whoever called it failed.
    fn without_stub(mut self) -> Self {
        let is_stub = |call: &Call| !call.parts.is_empty() && call.parts.iter().all(|part| part.stub);
        if self.kind == Kind::GaveUp
            && self.path.len() > 1
            && let Some(stub) = self.path.pop_if(|call| is_stub(call))
        {
            self.kind = Kind::Closed;
            self.reason = format!("it called {}, which was closed when composing", stub.entered());
        }
        self
    }

    /// Blames a limit.
    pub(crate) fn limit(scene: &Scene<'_>, hit: LimitHit) -> Self {
        Self::new(scene, Kind::Limit(hit), hit.to_string())
    }

    /// Adds that it waited in the host, and in which function, where that is known.
    pub(crate) fn waiting(mut self, function: Option<&str>) -> Self {
        self.waiting = true;
        // With its version, where a frame told it.
        self.host_function = self.host_function.or_else(|| function.map(str::to_owned));
        self
    }

    /// Adds what ended the call, where the limit alone did not.
    pub(crate) fn ended_with(mut self, error: &Error) -> Self {
        self.then = Some(reason(error));
        self
    }

    /// Blames a handler that returned without an answer.
    pub(crate) fn silent(scene: &Scene<'_>) -> Self {
        Self::new(scene, Kind::NoAnswer, "it returned without an answer".to_owned())
    }

    /// Blames a handler that did not give the body of its answer as it should.
    pub(crate) fn bad_body(scene: &Scene<'_>, reason: String) -> Self {
        Self::new(scene, Kind::BadBody, reason)
    }

    /// The limit that was met.
    #[must_use]
    pub fn limit_hit(&self) -> Option<LimitHit> {
        match self.kind {
            Kind::Limit(hit) => Some(hit),
            _ => None,
        }
    }

    /// The part where it happened, and the function.
    #[must_use]
    pub fn at(&self) -> Option<&Call> {
        self.path.last()
    }
}

/// The last cause, as the engine or the host says it.
fn reason(error: &Error) -> String {
    let text = error.root_cause().to_string();
    frames::plain(text.strip_prefix("wasm trap: ").unwrap_or(&text), 400)
}
