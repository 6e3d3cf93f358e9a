//! What goes to standard error: the log, errors and pages, as text or as JSON.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::calm::Calm;

/// In which form things are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// Set once, at the start.
static FORMAT: OnceLock<Format> = OnceLock::new();

/// Begins to log, at the levels that RUST_LOG sets.
pub(crate) fn begin(format: Format) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,host_runner=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false)
        // A log that cannot be written is no reason to end: by default that is printed to where the log goes, and
        // whatever prints there panics.
        .log_internal_errors(false);
    match *FORMAT.get_or_init(|| format) {
        Format::Text => {
            let colour = io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            log.with_ansi(colour).finish().with(Calm::new(left_out)).init();
        }
        Format::Json => {
            let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false);
            log.finish().with(Calm::new(left_out)).init();
        }
    }
}

/// Tells how many lines like the next one were left out.
fn left_out(lines: u64, like: &tracing::Event<'_>) {
    let level = like.metadata().level().as_str();
    let message = format!("{lines} more lines like the next one were left out");
    if is_json() {
        return object(level, &message, json!({ "left_out": lines }));
    }
    let mut text = String::new();
    // Only writing fails, and a string takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    write(&format!("{text} {level:>5} {message}\n"));
}

/// Prints an error with its causes, the last thing that a command does.
pub(crate) fn error(error: &anyhow::Error, code: u8) {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    if is_json() {
        return object("ERROR", &error.to_string(), json!({ "causes": causes, "exit_code": code }));
    }
    let mut text = format!("error: {error}\n");
    for (number, cause) in causes.iter().enumerate() {
        if causes.len() == 1 {
            text.push_str(&format!("  because: {cause}\n"));
        } else {
            text.push_str(&format!("  because ({}): {cause}\n", number + 1));
        }
    }
    write(&text);
}

/// Prints a page for a person; as JSON, it is a text in an object.
pub(crate) fn page(page: &str) {
    if is_json() {
        object("WARN", "a guest failed: the page about it", json!({ "page": page }));
    } else {
        write(page);
    }
}

fn is_json() -> bool {
    FORMAT.get() == Some(&Format::Json)
}

/// One line, with the fields that every line of the log has.
fn object(level: &str, message: &str, fields: Value) {
    let mut timestamp = String::new();
    // Only writing fails, and a string takes everything.
    let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
    let mut line = json!({ "timestamp": timestamp, "level": level, "message": message });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    write(&format!("{line}\n"));
}

/// In one piece. Nobody left to read it is no error.
fn write(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
