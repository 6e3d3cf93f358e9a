//! The words for what differs: between what is wanted and what is offered, between what two want of the same, or between
//! what was and what is.

/// Which of them it is. In the last, what is wanted is what was, and what is offered is what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// Two sides that must fit.
    Fit,
    /// Two that want the same of the host: what is offered is what the other one wants.
    Both,
    /// One thing, before and after.
    Change,
}

impl Voice {
    pub(super) fn differ(self, wanted: &str, offered: &str) -> String {
        match self {
            Voice::Fit => format!("{wanted} is wanted, {offered} is offered"),
            Voice::Both => format!("one wants {wanted}, the other {offered}"),
            Voice::Change => format!("{wanted} became {offered}"),
        }
    }

    pub(super) fn kinds(self, wanted: &str, offered: &str) -> String {
        match self {
            Voice::Fit => format!("wanted is {wanted}, offered is {offered}"),
            Voice::Both => format!("one wants {wanted}, the other {offered}"),
            Voice::Change if wanted == offered => format!("{wanted} became another one"),
            Voice::Change => format!("{wanted} became {offered}"),
        }
    }

    /// A function that is `async` on one side only.
    pub(super) fn asynchronous(self, wanted: bool) -> String {
        let (one, other) = if wanted {
            ("an `async` function", "a synchronous one")
        } else {
            ("a synchronous function", "an `async` one")
        };
        match self {
            Voice::Fit => format!("wanted is {one}, offered is {other}"),
            Voice::Both => format!("one wants {one}, the other {other}"),
            Voice::Change => format!("{one} became {other}"),
        }
    }

    /// A payload or result that only one side has.
    pub(super) fn presence(self, what: &str, wanted: bool) -> String {
        match (self, wanted) {
            (Voice::Fit, true) => format!("{what} is wanted, and none offered"),
            (Voice::Fit, false) => format!("{what} is offered, and none wanted"),
            (Voice::Both, true) => format!("one wants {what}, and the other none"),
            (Voice::Both, false) => format!("one wants no such thing as {what}, and the other does"),
            (Voice::Change, true) => format!("it had {what}, and has none now"),
            (Voice::Change, false) => format!("it has {what} now, and had none"),
        }
    }

    /// A field, case, label or parameter under another name.
    pub(super) fn renamed(self, one: &str, wanted: &str, offered: &str) -> String {
        match self {
            Voice::Fit => format!("the {one} is called `{offered}` where `{wanted}` is wanted"),
            Voice::Both => format!("one wants the {one} `{wanted}`, the other `{offered}`"),
            Voice::Change => format!("the {one} `{wanted}` is called `{offered}` now"),
        }
    }

    /// A field, case, label or parameter that only one side has.
    pub(super) fn member(self, one: &str, name: &str, wanted: bool) -> String {
        match (self, wanted) {
            (Voice::Fit, true) => format!("the {one} `{name}` is wanted, and not offered"),
            (Voice::Fit, false) => format!("the {one} `{name}` is offered, and not wanted"),
            (Voice::Both, true) => format!("one wants the {one} `{name}`, the other does not"),
            (Voice::Both, false) => format!("one does not want the {one} `{name}`, the other does"),
            (Voice::Change, true) => format!("the {one} `{name}` was removed"),
            (Voice::Change, false) => format!("the {one} `{name}` was added"),
        }
    }
}
