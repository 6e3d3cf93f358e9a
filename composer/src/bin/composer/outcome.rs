//! How a command ended, for programs: what `--json` prints.

use check::Mismatch;
use miette::Diagnostic;
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::files;

/// Prints what a command has to say as one object, with `format` and, where it failed, `error`. `nothing` are its fields
/// where it failed. The failure goes on to people and the exit code.
pub fn print(outcome: Result<Value, Failure>, nothing: Value) -> Result<(), Failure> {
    let (mut answer, failure) = match outcome {
        Ok(answer) => (answer, None),
        Err(failure) => (nothing, Some(failure)),
    };
    answer["format"] = 1.into();
    answer["error"] = failure.as_ref().map_or(Value::Null, error);
    files::print(format!("{answer:#}\n").as_bytes())?;
    failure.map_or(Ok(()), |failure| Err(failure.told()))
}

/// A failure: `class`, `message`, `causes`, `help`, `place`, `mismatches`.
pub fn error(failure: &Failure) -> Value {
    let report = failure.report();
    let mismatches = failure.mismatches();
    let causes = std::iter::successors(report.source(), |error| error.source());
    json!({
        "class": class(failure, mismatches),
        "message": report.to_string(),
        "causes": causes.map(ToString::to_string).collect::<Vec<_>>(),
        "help": report.help().map(|help| help.to_string()),
        "place": place(report),
        "mismatches": mismatches,
    })
}

fn class(failure: &Failure, mismatches: &[Mismatch]) -> &'static str {
    match failure.exit {
        _ if failure.class().is_some() => failure.class().unwrap_or_default(),
        _ if !mismatches.is_empty() => "mismatch",
        Exit::Cannot | Exit::Breaks => "cannot",
        Exit::Usage => "usage",
        Exit::Input => "input",
    }
}

/// Where in a text it is, counted from 1.
fn place(report: &dyn Diagnostic) -> Option<Value> {
    let label = report.labels()?.next()?;
    let content = report.source_code()?.read_span(label.inner(), 0, 0).ok()?;
    Some(json!({ "file": content.name(), "line": content.line() + 1, "column": content.column() + 1 }))
}
