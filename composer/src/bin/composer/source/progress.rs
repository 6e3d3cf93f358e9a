//! Shows a download once it takes more than a second: a bar on a terminal, a line elsewhere.

use std::future::Future;
use std::time::Duration;

use composer::report::size;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::capable;
use crate::files;

/// How long something may take before it is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is shown of a download. Clones show the same one.
#[derive(Clone)]
pub struct Gauge {
    bar: ProgressBar,
    what: String,
}

impl Gauge {
    /// For a download that is described by these words, with nothing to be seen yet.
    pub fn new(what: String) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Gauge { bar, what }
    }

    /// The download has begun, anew perhaps, and is so long.
    pub fn begin(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.bar.set_position(0);
    }

    /// So many more bytes are there.
    pub fn more(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// Does the work, and shows it where it takes long.
    pub async fn show<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(PATIENCE) => self.appear(),
        }
        let done = work.await;
        self.bar.finish_and_clear();
        done
    }

    fn appear(&self) {
        if !capable() {
            let length = self.bar.length().map(|bytes| format!(", {}", size(bytes))).unwrap_or_default();
            files::say(&format!("{}{length}", self.what));
            return;
        }
        let style = ProgressStyle::with_template(
            "{spinner} {msg} {decimal_bytes} of {decimal_total_bytes} {elapsed}",
        );
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.bar.set_message(self.what.clone());
        self.bar.set_draw_target(ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }
}
