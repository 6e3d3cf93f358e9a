//! Calls made over and over, and what they took.

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use host_runner::Took;
use serde_json::{Value, json};

use super::values::Form;

/// How often, and whether it is measured.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options")]
pub(crate) struct TimingFlags {
    /// Does it this often, each time in a fresh instance; the first that traps or meets a limit is the last.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,

    /// Tells on standard error what it took, least, median and most: to start the instance, and to call it.
    ///
    /// Compiling is not counted. `--time=json` tells it as one line of JSON, in nanoseconds:
    /// {"calls": 1, "start": {"min": …, "median": …, "max": …}, "call": {…}}.
    #[arg(
        long,
        value_name = "text|json",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text"
    )]
    time: Option<Form>,
}

impl TimingFlags {
    /// Prints what was asked for. Nobody left to tell is no error.
    pub(crate) fn report(&self, took: &[Took]) {
        let (Some(form), false) = (self.time, took.is_empty()) else { return };
        let start = Spread::of(took.iter().map(|took| took.start));
        let call = Spread::of(took.iter().map(|took| took.call));
        let text = match form {
            Form::Json => {
                json!({ "calls": took.len(), "start": start.json(), "call": call.json() }).to_string()
            }
            Form::Text => format!(
                "{:<6}{:>12}{:>12}{:>12}\n{}\n{}",
                "",
                "min",
                "median",
                "max",
                start.line("start"),
                call.line("call")
            ),
        };
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}

struct Spread {
    min: Duration,
    median: Duration,
    max: Duration,
}

impl Spread {
    /// Of at least one.
    fn of(all: impl Iterator<Item = Duration>) -> Self {
        let mut sorted: Vec<Duration> = all.collect();
        sorted.sort_unstable();
        let last = sorted.len() - 1;
        Self { min: sorted[0], median: (sorted[last / 2] + sorted[last.div_ceil(2)]) / 2, max: sorted[last] }
    }

    fn json(&self) -> Value {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        json!({ "min": nanoseconds(self.min), "median": nanoseconds(self.median), "max": nanoseconds(self.max) })
    }

    fn line(&self, name: &str) -> String {
        let shown = |time: Duration| format!("{time:.1?}");
        format!("{name:<6}{:>12}{:>12}{:>12}", shown(self.min), shown(self.median), shown(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_middle_two() {
        let spread = |all: &[u64]| {
            let spread = Spread::of(all.iter().map(|time| Duration::from_nanos(*time)));
            (spread.min.as_nanos(), spread.median.as_nanos(), spread.max.as_nanos())
        };
        assert_eq!(spread(&[7]), (7, 7, 7));
        assert_eq!(spread(&[9, 1, 2]), (1, 2, 9));
        assert_eq!(spread(&[4, 1, 8, 2]), (1, 3, 8));
    }
}
