//! Says what is being done: a spinner for each on a terminal, a line for each that is done elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use composer::report::size;
use contract::shown::{padded, width};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::product::Ended;
use super::step::StepError;
use crate::failure::capable;
use crate::files::say;

/// How an attempt ended well.
pub enum Report {
    /// There was nothing to do.
    Unchanged,
    /// There is a new product.
    Made {
        /// How it came to be.
        verb: &'static str,
        /// Its size.
        bytes: u64,
    },
}

/// Where progress is shown.
pub struct Progress {
    /// None where standard error is no terminal, or one that can only show lines.
    bars: Option<MultiProgress>,
    /// Length of the longest name.
    width: usize,
    counts: Mutex<HashMap<&'static str, usize>>,
}

impl Progress {
    /// For things of these names.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let bars = capable().then(MultiProgress::new);
        Progress { bars, width: width(names), counts: Mutex::default() }
    }

    /// Shows that something is attempted, does it, and shows how it ended.
    pub fn attempt(
        &self,
        name: &str,
        kind: &str,
        attempt: impl FnOnce(&dyn Fn(&str)) -> Result<Report, StepError>,
    ) -> Ended {
        let begun = Instant::now();
        let bar = self.bars.as_ref().map(|bars| {
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = bars.add(ProgressBar::new_spinner().with_style(style));
            bar.set_message(format!("{name} ({kind})"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let note = |text: &str| match &bar {
            Some(bar) => bar.set_message(format!("{name} ({kind}): {text}")),
            None => self.line(&format!("{}  {text}", padded(name, self.width))),
        };
        let result = attempt(&note);
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        let took = begun.elapsed();
        let seconds = took.as_secs_f64();
        let (verb, line) = match &result {
            Ok(Report::Unchanged) => ("unchanged", None),
            Ok(Report::Made { verb, bytes }) => (*verb, Some(format!("{seconds:6.1} s  {}", size(*bytes)))),
            Err(_) => ("failed", Some(format!("{seconds:6.1} s"))),
        };
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(verb).or_default() += 1;
        if let Some(line) = line {
            self.line(&format!("{}  {verb:8}  {kind:11}  {line}", padded(name, self.width)));
        }
        let error = result.err().map(|error| {
            let (text, error) = error.told();
            self.line(text.trim_end());
            error
        });
        Ended { verb, took, error }
    }

    /// Whether anything was made, or failed.
    pub fn worth_a_word(&self) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.keys().any(|verb| *verb != "unchanged")
    }

    /// Sums up.
    pub fn finish(&self, took: Duration) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let said = ["built", "composed", "unchanged", "failed"]
            .iter()
            .filter_map(|verb| counts.get(verb).map(|count| format!("{count} {verb}")));
        let said: Vec<String> = said.collect();
        let said = if said.is_empty() { "nothing to build".to_owned() } else { said.join(", ") };
        self.line(&format!("{said} in {:.1} s", took.as_secs_f64()));
    }

    fn line(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.suspend(|| say(text)),
            None => say(text),
        }
    }
}
