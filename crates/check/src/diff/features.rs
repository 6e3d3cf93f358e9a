//! What is behind a feature now, or was: to those who use it, it is gone or new, but it is there.

use std::collections::HashMap;

use wit_parser::Stability;

use super::notes::{self, Notes};
use super::{Change, Class};
use contract::Contracts;

/// Says of what is gone that it is behind a feature now, and of what is new that it was, where that is so.
pub(super) fn explain(old: &Contracts, new: &Contracts, changes: &mut [Change]) {
    let (before, now) = (gated(old), gated(new));
    for change in changes {
        let (gone, features) = match change.class {
            Class::Removed => (true, &now),
            Class::Added => (false, &before),
            _ => continue,
        };
        if let Some(feature) = features.get(&within(&change.path)) {
            let (is, was) = if gone { (" is gone", "is") } else { (" is new", "was") };
            let what = change.problem.strip_suffix(is).unwrap_or(&change.problem);
            let end = if gone { " now" } else { "" };
            change.problem = format!("{what} {was} behind the feature `{feature}`{end}");
        }
    }
}

/// Which feature something is behind, by its path in the package.
fn gated(contracts: &Contracts) -> HashMap<Vec<String>, &str> {
    let notes: Notes<'_> = contracts.unstable().map(notes::package).unwrap_or_default();
    let features = notes.into_iter().filter_map(|(path, (_, stability))| match stability {
        Stability::Unstable { feature, .. } => Some((path, feature.as_str())),
        _ => None,
    });
    features.collect()
}

/// What is within an interface has its place there, whichever world imports or exports it.
fn within(path: &[String]) -> Vec<String> {
    let bare = |name: &String| {
        let bare = name.strip_prefix("import ").or_else(|| name.strip_prefix("export "));
        bare.filter(|bare| bare.contains('/')).map(str::to_owned)
    };
    match path.iter().position(|name| bare(name).is_some()) {
        Some(at) if at + 1 < path.len() => {
            bare(&path[at]).into_iter().chain(path[at + 1..].iter().cloned()).collect()
        }
        _ => path.to_vec(),
    }
}
