//! How much may be spent on finding what was meant by a name, or became of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::names::{LONGEST, nearest};

/// Letters that may be compared with letters, over all names: a second's work. Some 250 functions that were all renamed are
/// within it.
const LETTERS: usize = 40_000_000;
/// What it costs to look at a name at all, in letters.
const NAME: usize = 8;

/// What is left of the comparisons of names with names. Once it is used up, no name is taken for another spelling: what was
/// renamed counts as gone and new, and what is missing is said to be missing, without a candidate.
///
/// Clones spend from the same.
#[derive(Debug, Clone)]
pub(crate) struct Guesses(Arc<AtomicUsize>);

impl Default for Guesses {
    fn default() -> Self {
        Guesses(Arc::new(AtomicUsize::new(LETTERS)))
    }
}

impl Guesses {
    /// Whether each of these names may be compared with each of the others. If so, that is spent.
    pub(super) fn may_compare<'n>(
        &self,
        gone: impl Iterator<Item = &'n str>,
        fresh: impl Iterator<Item = &'n str>,
    ) -> bool {
        let letters = |name: &str| NAME + name.len().min(LONGEST);
        let cost = gone.map(letters).sum::<usize>().saturating_mul(fresh.map(letters).sum());
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost)).is_ok()
    }
}

/// Which of these names became which other one, as far as they are alike.
pub(crate) fn renamed<'n>(
    gone: &[&'n str],
    fresh: &[&'n str],
    guesses: &Guesses,
) -> HashMap<&'n str, &'n str> {
    let mut renamed = HashMap::new();
    if !guesses.may_compare(gone.iter().copied(), fresh.iter().copied()) {
        return renamed;
    }
    let mut taken: HashSet<&str> = HashSet::new();
    for name in gone {
        let free = fresh.iter().copied().filter(|other| !taken.contains(other));
        if let Some(other) = nearest(name, free) {
            taken.insert(other);
            renamed.insert(*name, other);
        }
    }
    renamed
}
