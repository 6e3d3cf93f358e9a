//! What moves on a connection, so that one on which nothing does can be closed.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::socket::Presence;
use crate::movement::{LastMove, Watch};
use crate::session::FOREVER;

/// The traffic on one connection. Kept without a timer for each request: whoever waits for an end of it looks again when
/// the time could be up, so an end is noticed late by at most the shorter of the two limits.
pub(super) struct Traffic {
    moved: LastMove,
    /// Requests of which the answer has not been taken whole.
    requests: AtomicUsize,
    /// Answers of which the client is to take more.
    offered: AtomicUsize,
    /// Guests at work, their clients still there or not.
    guests: AtomicUsize,
    /// Whether the system takes no more bytes for the client at the moment.
    blocked: AtomicBool,
    /// Bytes of answers that it took.
    taken: AtomicU64,
    /// Whether its client is there.
    presence: Option<Presence>,
}

/// Why a connection is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It carries no request.
    Idle,
    /// Its client takes nothing of its answers.
    Stalled,
    /// Its client takes less of its answers than it has to.
    Slow,
}

impl Traffic {
    pub(super) fn new(presence: Option<Presence>) -> Arc<Self> {
        Arc::new(Self {
            moved: LastMove::new(),
            requests: AtomicUsize::new(0),
            offered: AtomicUsize::new(0),
            guests: AtomicUsize::new(0),
            blocked: AtomicBool::new(false),
            taken: AtomicU64::new(0),
            presence,
        })
    }

    /// Waits until the client has gone.
    pub(super) async fn client_gone(&self) {
        match &self.presence {
            Some(presence) => presence.gone().await,
            None => std::future::pending().await,
        }
    }

    /// Guests at work for this connection.
    pub(super) fn guests(&self) -> usize {
        self.guests.load(Ordering::Acquire)
    }

    fn state(&self) -> Option<End> {
        let blocked = self.blocked.load(Ordering::Acquire);
        if blocked || self.offered.load(Ordering::Acquire) > 0 {
            Some(End::Stalled)
        } else if self.requests.load(Ordering::Acquire) == 0 {
            Some(End::Idle)
        } else {
            None
        }
    }

    /// Waits until there was no request for `idle`, the client took nothing for `stall`, or less than `rate` bytes a
    /// second while as long there was always something for it.
    pub(super) async fn end(&self, idle: Duration, stall: Duration, rate: u64) -> End {
        let (idle, stall) = (idle.min(FOREVER), stall.min(FOREVER));
        let waited_from = Instant::now();
        // Since when there is always something for the client, and what it had taken then.
        let mut offered: Option<(Instant, u64)> = None;
        loop {
            let now = Instant::now();
            let moved = self.moved.at();
            let state = self.state();
            if state != Some(End::Stalled) {
                offered = None;
            }
            let next = match state {
                Some(End::Idle) => {
                    let end = moved.max(waited_from) + idle;
                    if now >= end {
                        return End::Idle;
                    }
                    end
                }
                Some(_) => {
                    let taken = self.taken.load(Ordering::Acquire);
                    let (since, before) = *offered.get_or_insert((now, taken));
                    if now >= moved + stall {
                        return End::Stalled;
                    }
                    if now >= since + stall {
                        if ((taken - before) as f64) < (now - since).as_secs_f64() * rate as f64 {
                            return End::Slow;
                        }
                        offered = Some((now, taken));
                    }
                    moved + stall
                }
                None => now + stall,
            };
            // What is idle now may stall soon after.
            tokio::time::sleep_until(next.min(now + idle.min(stall))).await;
        }
    }
}

/// A request on its connection, until its answer was taken whole or given up.
pub(super) struct Turn(Arc<Traffic>);

impl Turn {
    pub(super) fn enter(traffic: &Arc<Traffic>) -> Self {
        traffic.requests.fetch_add(1, Ordering::AcqRel);
        traffic.moved.note();
        Self(Arc::clone(traffic))
    }

    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.0
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.moved.note();
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A guest at work for a connection.
pub(super) struct Work(Arc<Traffic>);

impl Work {
    pub(super) fn begin(traffic: &Arc<Traffic>) -> Self {
        traffic.guests.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(traffic))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.guests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether it is the client's turn to take something of an answer. At the beginning it is.
pub(super) struct Offer {
    traffic: Arc<Traffic>,
    made: bool,
}

impl Offer {
    pub(super) fn new(traffic: &Arc<Traffic>) -> Self {
        let mut offer = Self { traffic: Arc::clone(traffic), made: false };
        offer.set(true);
        offer
    }

    /// Something was taken. Now it is the client's turn, or its guest's.
    pub(super) fn set(&mut self, made: bool) {
        self.traffic.moved.note();
        match (self.made, made) {
            (false, true) => drop(self.traffic.offered.fetch_add(1, Ordering::AcqRel)),
            (true, false) => drop(self.traffic.offered.fetch_sub(1, Ordering::AcqRel)),
            _ => {}
        }
        self.made = made;
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// A piece of an answer on its way. Until its client has taken it whole it is the client's turn, and its request is not
/// over, whatever else is said on the connection meanwhile.
pub(super) struct Piece {
    left: Bytes,
    turn: Arc<Turn>,
}

impl Piece {
    pub(super) fn new(bytes: Bytes, turn: &Arc<Turn>) -> Self {
        turn.0.offered.fetch_add(1, Ordering::AcqRel);
        Self { left: bytes, turn: Arc::clone(turn) }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.left.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.left.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.left.advance(count);
        self.turn.0.taken.fetch_add(count as u64, Ordering::AcqRel);
        self.turn.0.moved.note();
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.turn.0.offered.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Tells when nothing more can be written, and when something can again. Other writes tell nothing of an answer: on HTTP/2
/// the two sides ask each other whether they are still there.
impl Watch for Traffic {
    fn read(&self, _bytes: usize) {}

    fn written(&self, outcome: &Poll<io::Result<usize>>) {
        let was_blocked = self.blocked.swap(outcome.is_pending(), Ordering::AcqRel);
        if was_blocked != outcome.is_pending() {
            self.moved.note();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_millis(20);
    const STALL: Duration = Duration::from_millis(50);
    const RATE: u64 = 1_000;

    #[tokio::test]
    async fn a_connection_without_requests_is_idle() {
        let traffic = Traffic::new(None);
        let began = Instant::now();
        assert_eq!(traffic.end(IDLE, STALL, RATE).await, End::Idle);
        assert!(began.elapsed() >= IDLE);
    }

    #[tokio::test]
    async fn a_guest_that_takes_its_time_is_no_fault_of_its_connection() {
        let traffic = Traffic::new(None);
        let turn = Turn::enter(&traffic);
        let end = traffic.end(IDLE, STALL, RATE);
        assert!(tokio::time::timeout(10 * STALL, end).await.is_err());
        drop(turn);
        assert_eq!(traffic.end(IDLE, STALL, RATE).await, End::Idle);
    }

    /// Words about the connection are written all the while.
    #[tokio::test]
    async fn a_piece_that_is_not_taken_is_a_stall_whatever_else_is_written() {
        let traffic = Traffic::new(None);
        let turn = Arc::new(Turn::enter(&traffic));
        let mut piece = Piece::new(Bytes::from_static(b"hello"), &turn);
        drop(turn);
        let talk = async {
            loop {
                tokio::time::sleep(STALL / 10).await;
                traffic.written(&Poll::Ready(Ok(17)));
            }
        };
        tokio::select! {
            end = traffic.end(IDLE, STALL, RATE) => assert_eq!(end, End::Stalled),
            () = talk => {}
        }
        let before = traffic.moved.at();
        piece.advance(2);
        assert!(traffic.moved.at() > before);
        drop(piece);
        assert_eq!(traffic.end(IDLE, STALL, RATE).await, End::Idle);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_a_stall() {
        let traffic = Traffic::new(None);
        let _turn = Turn::enter(&traffic);
        let mut offer = Offer::new(&traffic);
        assert_eq!(traffic.end(IDLE, STALL, RATE).await, End::Stalled);
        // The guest's turn: it may take as long as its own limits let it.
        offer.set(false);
        assert!(tokio::time::timeout(10 * STALL, traffic.end(IDLE, STALL, RATE)).await.is_err());
    }

    /// It always takes a byte before it would count as stalled.
    #[tokio::test]
    async fn an_answer_that_is_taken_byte_by_byte_is_slow() {
        let traffic = Traffic::new(None);
        let turn = Arc::new(Turn::enter(&traffic));
        let mut piece = Piece::new(Bytes::from(vec![0; 1_000]), &turn);
        let take = async {
            loop {
                tokio::time::sleep(STALL / 10).await;
                piece.advance(1);
            }
        };
        tokio::select! {
            end = traffic.end(STALL, STALL, RATE) => assert_eq!(end, End::Slow),
            () = take => {}
        }
    }
}
