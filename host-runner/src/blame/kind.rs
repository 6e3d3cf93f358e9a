//! What can happen to a guest, in words: what the engine's reason means, and what to do about it.

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap};

use crate::limits::LimitHit;

/// What ended a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// It gave up itself: a panic, an abort, a failed assertion, an uncaught exception.
    GaveUp,
    /// It read or wrote outside its memory.
    MemoryBounds,
    /// It called through a table at a place where there is no fitting function.
    IndirectCall,
    /// Its calls were nested too deeply.
    StackOverflow,
    /// It divided a whole number by zero.
    DivisionByZero,
    /// A whole number did not fit: a quotient, or a number made from a fraction.
    IntegerOverflow,
    /// It passed text that is not text.
    BadText,
    /// It passed a case that its type does not have.
    BadCase,
    /// It passed a list, a string or a record that does not lie within its memory.
    BadPointer,
    /// It used a handle that it does not have: never given, dropped before, or of another resource.
    BadHandle,
    /// It kept a borrowed handle past its call, or gave a handle away that is still lent.
    Borrow,
    /// A call came back into a part that is in the middle of another one, or left one that may not call.
    Reentry,
    /// It broke the rules of asynchronous calls, or waited for what can never come.
    Async,
    /// It asked the engine to pass more at once between guest and host than that passes.
    TooMuchPassed,
    /// It called an import that was closed for it when composing, and that has no error to say so.
    Closed,
    /// What it asked of the host could not be done, and the interface has no error to say so.
    HostCall,
    /// It met a limit.
    Limit(LimitHit),
    /// It returned without having answered.
    NoAnswer,
    /// It did not finish the body of its answer, gave it another length than it had said, or ended it with an error.
    BadBody,
    /// Something else; the reason has the engine's words.
    Other,
}

/// One row of the table.
struct Row {
    /// A word for logs.
    name: &'static str,
    /// What happened.
    what: &'static str,
    /// What to do next.
    next: &'static str,
}

impl Kind {
    /// Reads it off the error with which a call ended.
    pub(crate) fn of(error: &Error) -> Self {
        if let Some(trap) = error.downcast_ref::<Trap>() {
            return Self::of_trap(*trap);
        }
        let text = error.root_cause().to_string();
        match error.downcast_ref::<ResourceTableError>() {
            Some(ResourceTableError::NotPresent | ResourceTableError::WrongType) => return Self::BadHandle,
            Some(ResourceTableError::HasChildren) => return Self::Borrow,
            _ => {}
        }
        // What the engine says without a type for it. It is pinned, and a test provokes each of these.
        let begins = |starts: &[&str]| starts.iter().any(|start| text.starts_with(start));
        if begins(&[
            "unknown handle index",
            "index is not",
            "handle index",
            "handle is",
            "host-owned resource",
        ]) || text.contains("is not a resource")
            || text.contains("is not an own resource")
            || text.contains("resource type mismatch")
        {
            Self::BadHandle
        } else if begins(&["borrow handles still remain", "cannot remove owned resource", "cannot lend"]) {
            Self::Borrow
        } else if begins(&[
            "invalid utf8",
            "invalid utf-8",
            "invalid utf16",
            "converted integer out of range",
        ]) || text.contains("invalid utf-8")
            || text.contains("unpaired surrogate")
        {
            Self::BadText
        } else if text.contains("discriminant") {
            Self::BadCase
        } else if text.contains("out of bounds") || text.contains("not aligned") || text.contains("overflow")
        {
            Self::BadPointer
        } else if begins(&["too much data is being copied"]) {
            Self::TooMuchPassed
        } else if begins(&["realloc return"]) {
            Self::BadPointer
        } else {
            Self::HostCall
        }
    }

    fn of_trap(trap: Trap) -> Self {
        match trap {
            Trap::UnreachableCodeReached => Self::GaveUp,
            Trap::StackOverflow => Self::StackOverflow,
            Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::ArrayOutOfBounds => Self::MemoryBounds,
            Trap::TableOutOfBounds
            | Trap::IndirectCallToNull
            | Trap::BadSignature
            | Trap::NullReference
            | Trap::CastFailure => Self::IndirectCall,
            Trap::IntegerDivisionByZero => Self::DivisionByZero,
            Trap::IntegerOverflow | Trap::BadConversionToInteger => Self::IntegerOverflow,
            Trap::InvalidChar => Self::BadText,
            Trap::InvalidDiscriminant => Self::BadCase,
            Trap::StringOutOfBounds | Trap::ListOutOfBounds | Trap::UnalignedPointer => Self::BadPointer,
            Trap::CannotEnterComponent | Trap::CannotLeaveComponent => Self::Reentry,
            Trap::NoAsyncResult
            | Trap::AsyncDeadlock
            | Trap::CannotBlockSyncTask
            | Trap::TaskCancelNotCancelled
            | Trap::TaskCancelOrReturnTwice
            | Trap::SubtaskCancelAfterTerminal
            | Trap::TaskReturnInvalid
            | Trap::WaitableSetDropHasWaiters
            | Trap::SubtaskDropNotResolved
            | Trap::BackpressureOverflow
            | Trap::UnsupportedCallbackCode
            | Trap::ConcurrentFutureStreamOp
            | Trap::StreamOpTooBig
            | Trap::WaitableSyncAndAsync => Self::Async,
            _ => Self::Other,
        }
    }

    /// Whether it lies in a value that one side passed and the other took, rather than in what a part did by itself.
    pub(crate) fn is_about_a_value(self) -> bool {
        matches!(
            self,
            Self::BadText | Self::BadCase | Self::BadPointer | Self::BadHandle | Self::TooMuchPassed
        )
    }

    /// A word for logs: `gave-up`, `division-by-zero`, `limit-time`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What happened, in a sentence.
    #[must_use]
    pub fn what(self) -> &'static str {
        self.row().what
    }

    /// What to do next, in sentences.
    #[must_use]
    pub fn next(self) -> &'static str {
        self.row().next
    }

    fn row(self) -> Row {
        let row = |name, what, next| Row { name, what, next };
        match self {
            Self::GaveUp => row(
                "gave-up",
                "It gave up: it ran into the instruction `unreachable`, in which a panic, an abort, a failed assertion and an uncaught exception end.",
                "Most languages print the reason to standard error before they give up: grant --stdio, and a server logs it under the id of the request.",
            ),
            Self::MemoryBounds => row(
                "memory-bounds",
                "It read or wrote outside its own memory.",
                "This is a bug in the part, or in a library in it: a stale pointer, a wrong length, an index that was not checked. Build it with checks on (Zig: ReleaseSafe, C: -fsanitize=undefined) and call the function alone. Nothing outside the part's memory was touched.",
            ),
            Self::IndirectCall => row(
                "indirect-call",
                "It called through a pointer that leads to no function, or to one of another type.",
                "This is a bug in the part: a function pointer that was overwritten or cast, or a memory that was corrupted before. Build it with checks on and call the function alone.",
            ),
            Self::StackOverflow => row(
                "stack-overflow",
                "Its calls were nested too deeply for its stack.",
                "Look for a recursion without an end, or one as deep as an input is long: the repeating frames above show it. The host's stack was not touched.",
            ),
            Self::DivisionByZero => row(
                "division-by-zero",
                "It divided a whole number by zero.",
                "Check the divisor before the division, or refuse the input that leads there. The frames above say where.",
            ),
            Self::IntegerOverflow => row(
                "integer-overflow",
                "A whole number did not fit: the quotient of the smallest number and -1, or a number made from a fraction that is too large or no number.",
                "Check the range before the division or the conversion, or use a saturating one.",
            ),
            Self::BadText => row(
                "bad-text",
                "It passed text that is none: bytes that are not UTF-8 (or the encoding that it declared), or a character that does not exist.",
                "The side that made the text has to check it: text that came as bytes must be decoded before it is passed as a `string`. If it may be any bytes, the contract should say `list<u8>`.",
            ),
            Self::BadCase => row(
                "bad-case",
                "It passed a variant, an enum or an option with a case that the type does not have.",
                "The side that made the value is at fault: its bindings belong to another version of the contract, or its memory was corrupted. Build it again against the contract in use (`composer check` tells the difference).",
            ),
            Self::BadPointer => row(
                "bad-pointer",
                "It passed a list, a string or a record that does not lie within its memory, or at a place where such a value may not lie.",
                "The side that made the value is at fault: its bindings are wrong, or its length is. Bindings that are generated do not do this: build it again with current ones. If the receiver ran out of room, its `realloc` gave a place that is not there.",
            ),
            Self::BadHandle => row(
                "bad-handle",
                "It used a handle that it does not have: it was never given to it, was dropped or given away before, or belongs to another resource.",
                "Look for a handle that is dropped twice, or used after it was passed on as `own`. Generated bindings keep count of that: look at code that goes around them.",
            ),
            Self::Borrow => row(
                "borrow",
                "It kept a borrowed handle past the call that lent it, or dropped or gave away a resource that is still lent.",
                "A `borrow` must be dropped before the function returns. Whoever needs the resource for longer must be given an `own`.",
            ),
            Self::Reentry => row(
                "reentry",
                "A call came into a part that was in the middle of another call, or a part called out where it may not (in `realloc` or after its return).",
                "Look for a circle in the wiring (`composer inspect` shows it), and for imports that are called while memory is allocated or a result is cleaned up.",
            ),
            Self::Async => row(
                "async",
                "It broke the rules of asynchronous calls, or waited for something that can never come.",
                "The reason above names the rule. Current bindings of its toolchain keep these rules: build it again with them.",
            ),
            Self::TooMuchPassed => row(
                "too-much-passed",
                "It passed more to the host in one call than the host takes at once (128 MiB).",
                "Pass large data in pieces: a stream, or several calls.",
            ),
            Self::Closed => row(
                "closed",
                "It called an import that was closed for it when it was composed (`composer compose --deny`). The interface has no error by which to say so, so the call ends it.",
                "If the part may reach this, compose it again without closing the import; `host-runner grants FILE` lists what is closed for which part. If it may not, look for a way through the part that does without.",
            ),
            Self::HostCall => row(
                "host-call",
                "A call to the host failed, and the interface has no error by which to say so.",
                "The reason above has the host's words. If it is a wrong argument, the part has to check it; if the host was refused something by the system, look there.",
            ),
            Self::Limit(hit) => row(hit.kind_name(), hit.what(), hit.next()),
            Self::NoAnswer => row(
                "no-answer",
                "It returned without having answered.",
                "A handler must set its response before it returns, on every way through it: look for one that returns early.",
            ),
            Self::BadBody => row(
                "bad-body",
                "It answered, and did not give the whole body of its answer.",
                "The client was cut off, or told that there is no answer. A handler must finish the body on every way through it (WASI 0.2: `outgoing-body.finish`, also before it exits), and a `content-length` must be the number of bytes that it writes.",
            ),
            Self::Other => row("other", "The engine ended it.", "The reason above has the engine's words."),
        }
    }
}
