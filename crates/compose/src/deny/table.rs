//! The written table: what the interfaces of WASI themselves call "not allowed", and where nothing is an answer.
//!
//! What is not listed here, and has no error that [`REFUSALS`] names, traps. An answer may say "you may not" or "there is
//! none"; it never says something that a caller could take for data.

use super::Answer;

/// What `err` holds where the error has this type: package, interface and name of the type, and the case. A dot leads from
/// a case into its payload.
const ERRORS: [(&str, &str, &str, &str); 7] = [
    ("wasi:filesystem", "types", "error-code", "access"),
    ("wasi:http", "types", "error-code", "HTTP-request-denied"),
    ("wasi:http", "types", "header-error", "forbidden"),
    ("wasi:io", "streams", "stream-error", "closed"),
    ("wasi:keyvalue", "atomics", "cas-error", "store-error.access-denied"),
    ("wasi:keyvalue", "store", "error", "access-denied"),
    ("wasi:sockets", "network", "error-code", "access-denied"),
];

/// Cases that say "not allowed" in error types of anybody: the first that a type has is taken, if it has no payload.
const REFUSALS: [&str; 7] =
    ["access-denied", "permission-denied", "not-permitted", "forbidden", "unauthorized", "denied", "access"];

/// Functions for which nothing is the truth: package, interface, function, and the answer.
const NOTHING: [(&str, &str, &str, Answer); 15] = [
    // No variable is set and no argument was given.
    ("wasi:cli", "environment", "get-environment", Answer::EmptyList),
    ("wasi:cli", "environment", "get-arguments", Answer::EmptyList),
    ("wasi:cli", "environment", "initial-cwd", Answer::None),
    // Of the next releases, where it has another name.
    ("wasi:cli", "environment", "get-initial-cwd", Answer::None),
    // Nobody sits at a terminal.
    ("wasi:cli", "terminal-stdin", "get-terminal-stdin", Answer::None),
    ("wasi:cli", "terminal-stdout", "get-terminal-stdout", Answer::None),
    ("wasi:cli", "terminal-stderr", "get-terminal-stderr", Answer::None),
    // A stream that is closed, a network in which nothing is allowed: handles to resources of the stub's own, all of
    // whose functions refuse.
    ("wasi:cli", "stdin", "get-stdin", Answer::Handle),
    ("wasi:cli", "stdout", "get-stdout", Answer::Handle),
    ("wasi:cli", "stderr", "get-stderr", Answer::Handle),
    ("wasi:sockets", "instance-network", "instance-network", Answer::Handle),
    ("wasi:filesystem", "preopens", "get-directories", Answer::EmptyList),
    // They ask whether a stream's error came from here: none ever did.
    ("wasi:filesystem", "types", "filesystem-error-code", Answer::None),
    ("wasi:http", "types", "http-error-code", Answer::None),
    ("wasi:sockets", "network", "network-error-code", Answer::None),
];

/// The case that the table has for an error type.
pub(super) fn error(package: &str, interface: &str, name: &str) -> Option<&'static str> {
    let row = ERRORS.iter().find(|row| (row.0, row.1, row.2) == (package, interface, name))?;
    Some(row.3)
}

/// The case that says "not allowed" among those of a type that the table does not have.
pub(super) fn refusal(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    REFUSALS.into_iter().find(|case| has(case))
}

/// The answer of a function for which nothing is the truth.
pub(super) fn nothing(package: &str, interface: &str, function: &str) -> Option<Answer> {
    let row = NOTHING.iter().find(|row| (row.0, row.1, row.2) == (package, interface, function))?;
    Some(row.3.clone())
}

/// The table as people read it: for each row what it is about, and the answer.
///
/// The rows about error types come first, and then those about single functions.
pub fn table() -> impl Iterator<Item = (String, String)> {
    let errors = ERRORS.iter().map(|(package, interface, name, case)| {
        (format!("{package}/{interface}#{name}"), Answer::Error((*case).to_owned()).to_string())
    });
    let nothing = NOTHING.iter().map(|(package, interface, function, answer)| {
        (format!("{package}/{interface}#{function}"), answer.to_string())
    });
    errors.chain(nothing)
}
