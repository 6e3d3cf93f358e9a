//! What is kept of the bodies of requests before they have an instance, and how much all of them may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http_body::Frame;

/// How much is kept of all bodies together, in bytes.
const MOST_OF_ALL: usize = 64 << 20;

/// What all bodies that wait take together.
#[derive(Clone, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

/// What one body takes of it.
struct Claim {
    room: Room,
    bytes: usize,
}

impl Claim {
    /// Makes room for a body that has so many bytes by now, if there is any.
    fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes - self.bytes;
        if self.room.0.fetch_add(more, Ordering::AcqRel) + more > MOST_OF_ALL {
            self.room.0.fetch_sub(more, Ordering::AcqRel);
            return false;
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// What has come of a body.
pub(super) struct Gathered {
    pub(super) data: BytesMut,
    pub(super) trailers: Option<Frame<Bytes>>,
    /// Whether nothing else comes.
    pub(super) whole: bool,
    claim: Claim,
}

impl Gathered {
    pub(super) fn new(room: &Room) -> Self {
        let claim = Claim { room: room.clone(), bytes: 0 };
        Self { data: BytesMut::new(), trailers: None, whole: false, claim }
    }

    /// Makes room for what is there by now, if there is any.
    pub(super) fn claim_all(&mut self) -> bool {
        self.claim.grow(self.data.len())
    }
}
