//! Who satisfies an import, by name: the one rule of `check` and of bags.

use std::collections::HashMap;

use semver::Version;

use super::names::{bare, track, version};

/// What is offered, by its name and by what promises to fit the name.
#[derive(Debug)]
pub struct Index<T> {
    by_name: HashMap<String, Vec<T>>,
    by_track: HashMap<String, Vec<(Version, T)>>,
    /// By the name without its version.
    by_bare: HashMap<String, Vec<T>>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Index { by_name: HashMap::new(), by_track: HashMap::new(), by_bare: HashMap::new() }
    }
}

impl<T: Copy> Index<T> {
    /// Adds an offer under a name.
    pub fn add(&mut self, name: &str, offer: T) {
        self.by_name.entry(name.to_owned()).or_default().push(offer);
        self.by_bare.entry(bare(name).to_owned()).or_default().push(offer);
        if let Some((track, version)) = track(name).zip(version(name)) {
            self.by_track.entry(track).or_default().push((version, offer));
        }
    }

    /// Of what is allowed, all that satisfies an import equally well: the very name, or else the newest version that promises
    /// to fit. In the order in which it was added.
    pub fn satisfying(&self, import: &str, allowed: impl Fn(&T) -> bool) -> Vec<T> {
        let exact = self.by_name.get(import).into_iter().flatten().copied();
        let exact: Vec<T> = exact.filter(&allowed).collect();
        if !exact.is_empty() {
            return exact;
        }
        let Some(track) = track(import) else { return Vec::new() };
        let compatible = self.by_track.get(&track).into_iter().flatten();
        let compatible: Vec<_> = compatible.filter(|(_, offer)| allowed(offer)).collect();
        let newest = compatible.iter().map(|(version, _)| version).max();
        compatible.iter().filter(|(version, _)| Some(version) == newest).map(|(_, offer)| *offer).collect()
    }

    /// The same interface in whatever version, or in none.
    pub fn any_version(&self, import: &str) -> impl Iterator<Item = T> + '_ {
        self.by_bare.get(bare(import)).into_iter().flatten().copied()
    }
}
