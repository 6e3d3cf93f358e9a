//! Keeps what others can make happen again and again from filling the log, whichever code logs it.
//!
//! Each place in the code that logs may log so much at once, and then so much in a time. What is left out is counted, and
//! told of with the next line from that place that is logged.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// How much of one place is logged.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Lines at once.
    at_once: u32,
    /// How long it takes until there may be another one.
    each: Duration,
}

/// What this program says of its guests and their clients: each line may be one that somebody looks for.
const OWN: Pace = Pace { at_once: 1_000, each: Duration::from_millis(100) };
/// What libraries say.
const OTHER: Pace = Pace { at_once: 20, each: Duration::from_secs(10) };

/// Lines of guests: they have [a limit of their own](host_runner::Limits::output).
const OF_GUESTS: &str = "host_runner::output";

/// The layer. `tell` is given how many lines of a place were left out, and what one of them is about.
pub(crate) struct Calm<F> {
    places: Mutex<HashMap<Identifier, Place>>,
    tell: F,
}

struct Place {
    left: u32,
    since: Instant,
    left_out: u64,
}

impl Place {
    /// Whether there may be a line now; if so, how many were left out before it.
    fn line(&mut self, pace: Pace, now: Instant) -> Option<u64> {
        let more = (now - self.since).as_nanos() / pace.each.as_nanos().max(1);
        if more > 0 {
            self.left = u32::try_from(u128::from(self.left) + more).unwrap_or(u32::MAX).min(pace.at_once);
            self.since = now;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.left_out += 1;
            return None;
        };
        self.left = left;
        Some(std::mem::take(&mut self.left_out))
    }
}

impl<F: Fn(u64, &Event<'_>)> Calm<F> {
    pub(crate) fn new(tell: F) -> Self {
        Self { places: Mutex::default(), tell }
    }
}

impl<S: Subscriber, F: Fn(u64, &Event<'_>) + 'static> Layer<S> for Calm<F> {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Whoever asks for more than that wants all of it.
        if *metadata.level() > Level::INFO || metadata.target() == OF_GUESTS {
            return true;
        }
        let pace = if metadata.target().starts_with("host_runner") { OWN } else { OTHER };
        let now = Instant::now();
        let left_out = {
            let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            let place = places.entry(metadata.callsite()).or_insert_with(|| Place {
                left: pace.at_once,
                since: now,
                left_out: 0,
            });
            place.line(pace, now)
        };
        if let Some(left_out) = left_out.filter(|left_out| *left_out > 0) {
            (self.tell)(left_out, event);
        }
        left_out.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted_and_told_with_the_next_line() {
        let pace = Pace { at_once: 3, each: Duration::from_secs(10) };
        let began = Instant::now();
        let mut place = Place { left: 3, since: began, left_out: 0 };
        let lines: Vec<_> = (0..10).map(|_| place.line(pace, began)).collect();
        assert_eq!(lines[..3], [Some(0); 3]);
        assert_eq!(lines[3..], [None; 7]);
        assert_eq!(place.line(pace, began + Duration::from_secs(9)), None);
        assert_eq!(place.line(pace, began + Duration::from_secs(10)), Some(8));
        assert_eq!(place.line(pace, began + Duration::from_secs(11)), None);
        assert_eq!(place.line(pace, began + Duration::from_secs(1_000)), Some(1));
        assert_eq!((place.left, place.left_out), (2, 0));
    }
}
