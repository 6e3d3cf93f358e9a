//! The labels of metrics. Each has a bounded number of values, whatever clients and guests do: the names of methods, the
//! routes that the operator named, and what guests are made of.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Whatever is beyond a bound.
pub(super) const OTHER: &str = "other";

/// How many names of parts are told apart. A composition has a few; another that takes its place may have others.
const MOST_PARTS: usize = 256;
/// The longest name of a part, in bytes. What is longer is cut off.
const LONGEST_PART: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRequest {
    pub(super) route: Arc<str>,
    pub(super) method: &'static str,
    pub(super) status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRoute {
    pub(super) route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfReason {
    pub(super) reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfLimit {
    pub(super) limit: &'static str,
    pub(super) part: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfTrap {
    pub(super) kind: &'static str,
    pub(super) part: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfOperation {
    pub(super) operation: &'static str,
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfTiming {
    pub(super) operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfDirection {
    pub(super) direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfSwap {
    pub(super) outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfComponent {
    pub(super) digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfBuild {
    pub(super) version: &'static str,
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
}

/// The method of a request, if it is one of those that HTTP names.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => OTHER,
    }
}

/// The status of an answer. A guest may answer with any of nine hundred: those that nobody has named are told by their class,
/// such as `2xx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Status {
    /// The client left before there was an answer.
    None,
    Named(u16),
    Class(u16),
}

impl From<Option<StatusCode>> for Status {
    fn from(status: Option<StatusCode>) -> Self {
        match status {
            None => Self::None,
            Some(status) if status.canonical_reason().is_some() => Self::Named(status.as_u16()),
            Some(status) => Self::Class(status.as_u16() / 100),
        }
    }
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> std::fmt::Result {
        match self {
            Self::None => encoder.write_str("none"),
            Self::Named(status) => write!(encoder, "{status}"),
            Self::Class(class) => write!(encoder, "{class}xx"),
        }
    }
}

/// Why a request was turned away.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Away {
    /// The queue was full.
    Queue,
    /// It waited for as long as a request may take.
    Wait,
    /// Its connection had too many guests at work.
    Connection,
    /// Its client left while it waited.
    Client,
    /// Too many requests of guests led to it.
    Depth,
}

impl Away {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Wait => "wait",
            Self::Connection => "connection",
            Self::Client => "client",
            Self::Depth => "depth",
        }
    }
}

/// The names of parts that were told so far.
#[derive(Debug, Default)]
pub(super) struct Parts(Mutex<HashSet<Arc<str>>>);

impl Parts {
    /// The label for a part: its name, as long as there are not too many of them.
    pub(super) fn label(&self, name: &str) -> Arc<str> {
        let name = &name[..name.floor_char_boundary(LONGEST_PART)];
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = told.get(name) {
            return Arc::clone(label);
        }
        if told.len() >= MOST_PARTS {
            return OTHER.into();
        }
        let label: Arc<str> = name.into();
        told.insert(Arc::clone(&label));
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_clients_invent_are_one() {
        for name in ["BREW", "get", "X", "PROPFIND"] {
            assert_eq!(method(&Method::from_bytes(name.as_bytes()).unwrap()), OTHER);
        }
        assert_eq!(method(&Method::PATCH), "PATCH");
    }

    #[test]
    fn all_statuses_together_are_few() {
        let all: HashSet<Status> =
            (100..1_000).map(|code| Status::from(Some(StatusCode::from_u16(code).unwrap()))).collect();
        assert!(all.len() < 80, "{}", all.len());
        assert_eq!(Status::from(StatusCode::from_u16(799).ok()), Status::Class(7));
        assert_eq!(Status::from(Some(StatusCode::NOT_FOUND)), Status::Named(404));
    }

    #[test]
    fn parts_are_told_apart_up_to_a_bound() {
        let parts = Parts::default();
        let long = "é".repeat(LONGEST_PART);
        assert!(parts.label(&long).len() <= LONGEST_PART);
        for number in 0..2 * MOST_PARTS {
            parts.label(&format!("part{number}"));
        }
        assert_eq!(&*parts.label("part1"), "part1");
        assert_eq!(&*parts.label("another"), OTHER);
        assert_eq!(parts.0.lock().unwrap().len(), MOST_PARTS);
    }
}
