//! Shows what changed: in the style of a compiler for people, and as JSON for programs.
//!
//! # The JSON
//!
//! One object. `format` is 1, and changes when something is taken away or gets another meaning; fields may be added
//! without that. The rest is what [`Diff`] has: `old`, `new`; `callers` and `implementers`, true where these break;
//! `calls_for`; `version`, with `old`, `needed`, `new` and `enough`; `contracts` and `changes`. Spans are byte offsets in the
//! text beside them: `start`, and `end` after the last byte.

use std::fmt::Write;

use serde::Serialize;

use super::{Affected, Breaks, Change, Class, Diff, PackageVersions, Verdict, Versions};
use crate::{Ink, side};
use contract::shown::{padded, width};

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    #[serde(flatten)]
    diff: &'a Diff,
}

/// The JSON, as described in the [module's documentation](self), over several lines.
#[must_use]
pub fn json(diff: &Diff) -> String {
    serde_json::to_string_pretty(&Json { format: 1, diff })
        .expect("names and numbers always have a form in JSON")
}

/// All changes one after the other, each with both sides and the differing token underlined; then whom they break, and the
/// version that they call for. Ends with a line feed.
#[must_use]
pub fn text(diff: &Diff, colour: bool) -> String {
    let ink = Ink { colour };
    let (silent, loud): (Vec<&Change>, Vec<&Change>) =
        diff.changes.iter().partition(|change| change.class == Class::Documentation);
    let mut blocks: Vec<String> = loud.iter().map(|change| block(diff, change, ink)).collect();
    if !silent.is_empty() {
        blocks.push(documentation(&silent, ink));
    }
    blocks.push(summary(diff, ink));
    blocks.join("\n")
}

fn block(diff: &Diff, change: &Change, ink: Ink) -> String {
    let mut text = String::new();
    let heading = format!("{}:", change.class);
    let heading = if change.breaks == Breaks::NOBODY { ink.way_out(&heading) } else { ink.strong(&heading) };
    line(&mut text, &format!("{heading} {}", change.path.join(" > ")));
    line(&mut text, &format!("  {}", change.problem));
    side(&mut text, &format!("before, in `{}`", diff.old), change.old.as_ref(), ink);
    side(&mut text, &format!("now, in `{}`", diff.new), change.new.as_ref(), ink);
    let Change { breaks, level, .. } = change;
    line(&mut text, &format!("  {} {breaks}; a {level} change", ink.way_out("breaks:")));
    text
}

/// What is documented otherwise is listed in one.
fn documentation(changes: &[&Change], ink: Ink) -> String {
    let mut text = String::new();
    line(&mut text, &ink.way_out("documentation:"));
    for change in changes {
        line(&mut text, &format!("  {}: {}", change.path.join(" > "), change.problem));
    }
    line(&mut text, &format!("  {} nobody; a patch change", ink.way_out("breaks:")));
    text
}

fn summary(diff: &Diff, ink: Ink) -> String {
    let mut text = String::new();
    let Some(level) = diff.level else {
        line(&mut text, "nothing changed");
        if let Some(versions) = diff.versions.as_ref().filter(|versions| !versions.enough) {
            line(&mut text, &verdict(versions, ink));
        }
        return text;
    };
    let (what, verb) = match diff.changes.len() {
        1 => ("one change".to_owned(), "breaks"),
        many => (format!("{many} changes"), "break"),
    };
    line(&mut text, &format!("{what}, which {verb} {}", diff.breaks));
    let width = width(diff.contracts.iter().map(|found| found.name.as_str()));
    for Affected { kind, name, breaks, level } in &diff.contracts {
        line(&mut text, &format!("  {kind:<9} {}  {breaks}; {level}", padded(name, width)));
    }
    match &diff.versions {
        Some(versions) => line(&mut text, &verdict(versions, ink)),
        None if diff.packages.is_empty() => line(&mut text, &format!("that calls for a {level} version")),
        None => {}
    }
    for PackageVersions { name, versions } in &diff.packages {
        line(&mut text, &format!("`{name}`: {}", verdict(versions, ink)));
    }
    text
}

fn verdict(versions: &Versions, ink: Ink) -> String {
    let old = &versions.old;
    let called_for = match (&versions.needed, versions.level) {
        (Some(needed), Some(level)) => format!("after {old}, a {level} change calls for {needed}"),
        (Some(needed), None) => format!("after {needed}, no other version is called for"),
        (None, _) => format!("after {old}, which promises nothing, any other version will do"),
    };
    let new = versions.new.as_ref().map(ToString::to_string).unwrap_or_default();
    let declared = match versions.verdict() {
        Verdict::Enough => format!("{new} is declared"),
        Verdict::Undeclared => format!("{} is declared", ink.strong("none")),
        Verdict::Unchanged => format!("{new} is declared, which is {}", ink.strong("the same")),
        Verdict::Backwards => format!("{new} is declared, which goes {}", ink.strong("backwards")),
        Verdict::TooSmall => format!("{new} is declared, which is {}", ink.strong("too small")),
    };
    format!("{called_for}; {declared}")
}

fn line(text: &mut String, content: &str) {
    writeln!(text, "{}", content.trim_end()).expect("writing to a string never fails");
}
