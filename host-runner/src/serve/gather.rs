//! The body of a request before it has an instance. What is there to work on is waited for outside: a client that sends its
//! body slowly holds no place.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Frame;

use super::admit::declared_length;
use super::body::{Fault, RequestBody};

/// How much of a body is waited for.
const MOST: usize = 64 << 10;
/// The same of all bodies together.
const MOST_OF_ALL: usize = 64 << 20;
/// How long a body is waited for before it may be given to a guest in part: its client may send more only when it
/// has seen some of the answer. Shorter where it is longer than what is waited for, or does not say how long it is.
const PATIENCE: Duration = Duration::from_secs(1);
const LESS_PATIENCE: Duration = Duration::from_millis(100);

/// What all bodies that wait take together.
#[derive(Clone, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    /// Makes room for a body that has so many bytes by now, if there is any.
    fn take(&self, claim: &mut Claim, bytes: usize) -> bool {
        let more = bytes - claim.bytes;
        if self.0.fetch_add(more, Ordering::AcqRel) + more > MOST_OF_ALL {
            self.0.fetch_sub(more, Ordering::AcqRel);
            return false;
        }
        claim.bytes = bytes;
        true
    }

    fn claim(&self) -> Claim {
        Claim { room: self.clone(), bytes: 0 }
    }
}

/// What one body takes of it.
struct Claim {
    room: Room,
    bytes: usize,
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
        Self { data: BytesMut::new(), trailers: None, whole: false, claim: room.claim() }
    }
}

/// How long the body of a request is waited for before it may be given to a guest in part. `None` where it is not: one that
/// is only sent when it is asked for (`Expect: 100-continue`), which is for the guest to do.
pub(super) fn patience(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(header::EXPECT) {
        return None;
    }
    let is_short = declared_length(headers).is_some_and(|length| length <= MOST as u64);
    Some(if is_short { PATIENCE } else { LESS_PATIENCE })
}

/// Waits for a body, or for as much of it as fits; whether all of it is there then. What has come is kept in the body when
/// this is given up.
pub(super) async fn gather(body: &mut RequestBody, room: &Room) -> Result<bool, Fault> {
    loop {
        let gathered = body.gathered(room);
        if gathered.whole || gathered.data.len() >= MOST {
            return Ok(gathered.whole);
        }
        let frame = poll_fn(|context| body.poll_source(context)).await;
        let ended = body.source_has_ended();
        let fault = body.fault();
        let gathered = body.gathered(room);
        match frame {
            None => gathered.whole = true,
            Some(Err(_)) => return Err(fault.unwrap_or(Fault::BrokenOff)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => gathered.data.extend_from_slice(&data),
                Err(other) => gathered.trailers = Some(other),
            },
        }
        gathered.whole |= ended;
        if !gathered.whole && !room.take(&mut gathered.claim, gathered.data.len()) {
            return Ok(false);
        }
    }
}
