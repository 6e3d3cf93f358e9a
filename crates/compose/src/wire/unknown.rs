//! Errors about decisions that name what is not there, or cannot be so.

use std::fmt;

use super::error::{WireError, list};
use super::flags::Decision;
use super::matching::{Bag, Opened};
use check::{Place, other_version};

impl WireError {
    pub(super) fn unknown(flag: &str, asked: &dyn fmt::Display, part: &str, bag: &Bag<'_>) -> Self {
        let known: Vec<&str> = bag.parts.iter().map(|part| part.name).collect();
        WireError::Unknown {
            what: format!("`{flag} {asked}`: there is no part `{part}`"),
            help: format!("there are {}", list(&known)),
        }
    }

    pub(super) fn no_such_export(place: &Place, bag: &Bag<'_>) -> Self {
        let names =
            names(bag, place, |part| part.surface.exports.iter().map(|item| item.name.as_str()).collect());
        WireError::Unknown {
            what: format!("`--export {place}`: {}", nobody(place, "export")),
            help: instead(&place.name, &names, "exported"),
        }
    }

    pub(super) fn no_such_import(flag: &str, place: &Place, bag: &Bag<'_>) -> Self {
        let names =
            names(bag, place, |part| part.surface.imports.iter().map(|item| item.name.as_str()).collect());
        WireError::Unknown {
            what: format!("`{flag} {place}`: {}", nobody(place, "import")),
            help: instead(&place.name, &names, "imported"),
        }
    }

    pub(super) fn contradiction(place: &Place, provider: &str) -> Self {
        WireError::Unknown {
            what: format!("`--leave-open {place}` leaves to the host what `--wire` takes from `{provider}`"),
            help: "keep one of the two".to_owned(),
        }
    }

    pub(super) fn itself(decision: &Decision) -> Self {
        WireError::Unknown {
            what: format!("`--wire {decision}`: a part cannot satisfy its own imports"),
            help: "name another part".to_owned(),
        }
    }

    pub(super) fn nothing_between(decision: &Decision) -> Self {
        let Decision { part, provider, .. } = decision;
        WireError::Unknown {
            what: format!("`--wire {decision}`: `{provider}` exports nothing that `{part}` imports"),
            help: format!("`--wire {part}.IFACE={provider}.IFACE` wires what does not go by the same name"),
        }
    }

    pub(super) fn no_such_provider(decision: &Decision, import: &str, bag: &Bag<'_>) -> Self {
        let place = Place { part: Some(decision.provider.clone()), name: import.to_owned() };
        let names =
            names(bag, &place, |part| part.surface.exports.iter().map(|item| item.name.as_str()).collect());
        let wanted = decision.export.as_deref().unwrap_or(import);
        let help = match other_version(wanted, names.iter().copied()) {
            Some(other) => format!(
                "it exports `{other}`; to have that one used all the same: `--wire {}.{import}={}.{other}`",
                decision.part, decision.provider
            ),
            None => instead(wanted, &names, "exported"),
        };
        WireError::Unknown {
            what: format!("`--wire {decision}`: `{}` does not export `{wanted}`", decision.provider),
            help,
        }
    }
}

fn names<'b>(bag: &'b Bag<'_>, place: &Place, of: impl Fn(&'b Opened<'b>) -> Vec<&'b str>) -> Vec<&'b str> {
    let parts = bag.parts.iter().filter(|part| place.part.as_ref().is_none_or(|name| name == part.name));
    parts.flat_map(of).collect()
}

fn nobody(place: &Place, does: &str) -> String {
    match &place.part {
        Some(part) => format!("`{part}` does not {does} that"),
        None => format!("no part {does}s that"),
    }
}

/// What there is, for someone who asked for something else: another version of it, or else everything.
fn instead(wanted: &str, names: &[&str], done: &str) -> String {
    if let Some(other) = other_version(wanted, names.iter().copied()) {
        return format!("there is `{other}`");
    }
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [] => format!("nothing is {done}"),
        names => format!("{done} are {}", list(names)),
    }
}
