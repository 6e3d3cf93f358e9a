//! The body of a request before it has an instance. What is there to work on is waited for outside: a client that sends its
//! body slowly holds no place.

use std::future::poll_fn;
use std::time::Duration;

use http::{HeaderMap, header};

use super::body::{Fault, RequestBody, declared_length};
use super::room::Room;

/// How much of a body is waited for.
const MOST: usize = 64 << 10;
/// How long a body is waited for before it may be given to a guest in part: its client may send more only when it
/// has seen some of the answer. Shorter where it is longer than what is waited for, or does not say how long it is.
const PATIENCE: Duration = Duration::from_secs(1);
const LESS_PATIENCE: Duration = Duration::from_millis(100);

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
        if !gathered.whole && !gathered.claim_all() {
            return Ok(false);
        }
    }
}
