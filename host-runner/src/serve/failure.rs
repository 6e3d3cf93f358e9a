//! A request that its guest failed: what the log has of it, and what the client is told.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};

use http::{Response, StatusCode};

use super::Body;
use super::answer::problem_of;
use crate::blame::{Blame, Called, Index, Relation, Scene};
use crate::limits::LimitHit;
use crate::session::CallError;

/// What it takes to blame an answer, of which no frame tells, without the app.
pub(super) struct Witness {
    pub(super) index: Arc<Index>,
    pub(super) called: Option<Called>,
    pub(super) coarse: bool,
    pub(super) concurrent: bool,
    pub(super) digest: Option<String>,
}

impl Witness {
    /// The export that is called.
    pub(super) fn called(&self) -> Option<&Called> {
        self.called.as_ref()
    }

    /// The component's.
    pub(super) fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            index: &self.index,
            called: self.called(),
            trace: None,
            coarse: self.coarse,
            concurrent: self.concurrent,
        }
    }
}

/// A request, as far as failures are told of it. The app is not in it: a client may take its time with an answer, and what
/// was swapped out must be able to go.
pub(super) struct Case {
    /// The request's own id, in the log and in the answer where it failed.
    pub(super) id: Arc<str>,
    /// Method and path, for the log.
    pub(super) what: Arc<str>,
    pub(super) witness: Arc<Witness>,
    /// The first failure, once it is told.
    pub(super) failure: OnceLock<Failure>,
}

/// A request that could not be answered, or not to its end, because of its guest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// What the client and the log both have: a UUID, another one for each request. What the guest printed is under it too.
    pub id: String,
    /// Method and path of the request.
    pub request: String,
    /// The status that stands for it. The client has seen another one where the answer had begun.
    pub status: u16,
    /// SHA-256 of the component that was asked, as 64 hexadecimal digits. None where its structure cannot be read.
    pub digest: Option<String>,
    /// What happened, in a line.
    pub reason: String,
    /// Who failed. None where the guest ended itself, or answered with an error.
    pub blame: Option<Blame>,
    /// Whether the guest had finished its answer before. Then its client has all of it.
    pub answered: bool,
}

impl Failure {
    /// A guest that was ended, before or after it had finished its answer.
    pub(super) fn of(case: &Case, error: &CallError, answered: bool) -> Self {
        let status = match error {
            CallError::Limit { hit: LimitHit::Time(_) | LimitHit::Cpu(_), .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let blame = error.blame().cloned();
        let reason = blame.as_ref().map_or_else(|| error.to_string(), |blame| blame.reason.clone());
        Self { answered, ..Self::new(case, status, reason, blame) }
    }

    /// A guest that answered, and not with what can be sent on.
    pub(super) fn bad_answer(case: &Case, reason: String, blame: Option<Blame>) -> Self {
        Self::new(case, StatusCode::BAD_GATEWAY, reason, blame)
    }

    fn new(case: &Case, status: StatusCode, reason: String, blame: Option<Blame>) -> Self {
        Self {
            id: case.id.to_string(),
            request: case.what.to_string(),
            status: status.as_u16(),
            digest: case.witness.digest().map(str::to_owned),
            reason,
            blame,
            answered: false,
        }
    }

    /// The status that stands for it.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer for the client: nothing of the guest's inside, and the id under which the log has it.
    pub(super) fn answer(&self) -> Response<Body> {
        let status = self.status();
        let limit = self.blame.as_ref().and_then(Blame::limit_hit);
        let detail = match (status, limit) {
            (StatusCode::GATEWAY_TIMEOUT, _) => "The application took too long to answer.",
            (_, Some(LimitHit::ResponseBody(_))) => "The application's answer is too large.",
            (StatusCode::BAD_GATEWAY, _) => "The application gave no answer that can be sent on.",
            _ => "The application failed.",
        };
        problem_of(status, detail, Some(&self.id))
    }

    /// One line for the log.
    pub(super) fn log(&self) {
        let blame = self.blame.as_ref();
        let at = blame.and_then(Blame::at);
        let other = blame.and_then(|blame| blame.other.as_ref());
        tracing::warn!(
            id = self.id,
            request = self.request,
            status = self.status,
            kind = blame.map(|blame| blame.kind.name()),
            reason = self.reason,
            limit = blame.and_then(Blame::limit_hit).map(LimitHit::name),
            part = at.map(|at| at.part()),
            language = at.and_then(|at| at.language()),
            interface = at.and_then(|at| at.interface.as_deref()),
            function = at.and_then(|at| at.function.as_deref()),
            path = blame.map(Blame::way),
            frames = blame.and_then(Blame::frames_in_line),
            // Frames may hide others where modules were inlined into each other.
            blame = blame.filter(|blame| blame.coarse).map(|_| "coarse"),
            digest = self.digest,
            other = other.map(|other| match other.relation {
                Relation::HostTook | Relation::HostGave => "the host".to_owned(),
                _ => other.call.part(),
            }),
            "a guest failed{}",
            if self.answered { " after its answer, which is complete" } else { "" }
        );
    }

    /// One line for the log, of a request that has failed already.
    pub(super) fn mention(&self) {
        let part = self.blame.as_ref().and_then(Blame::at).map(|at| at.part());
        tracing::info!(id = self.id, part, "after that: {}", self.reason);
    }
}

impl fmt::Display for Failure {
    /// The page of its blame, or the reason where nobody is blamed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.blame {
            Some(blame) if self.answered => {
                let behalf = format!("{}, which it had answered before", self.request);
                f.write_str(&blame.page(&behalf, Some(&self.id)))
            }
            Some(blame) => f.write_str(&blame.page(&self.request, Some(&self.id))),
            None => writeln!(f, "── {}  {}: {}", self.id, self.request, self.reason),
        }
    }
}

/// A random UUID. The state of a hash map is seeded by the system and changes with every one that is made.
pub(super) fn new_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids: std::collections::HashSet<String> = (0..1_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 1_000);
        for id in ids {
            let groups: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert!(id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{id}");
            assert!(id.as_bytes()[14] == b'4' && b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }
}
