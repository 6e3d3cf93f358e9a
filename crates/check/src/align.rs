//! Lays two lists of names beside each other: fields with fields, parameters with parameters.

use std::collections::{HashMap, HashSet};

use super::guesses::Guesses;
use super::names::likeness;

/// What two lists have to do with each other. Numbers are positions, first in what is wanted, then in what is offered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Names that both have.
    pub(super) common: Vec<(usize, usize)>,
    /// Names that stand for each other, as far as one can tell.
    pub(super) renamed: Vec<(usize, usize)>,
    /// Names that only the wanted list has.
    pub(super) missing: Vec<usize>,
    /// Names that only the offered list has.
    pub(super) extra: Vec<usize>,
    /// Whether the common names come in another order.
    pub(super) reordered: bool,
}

impl Alignment {
    /// Names are aligned by name; whether their letters are capitals makes no difference here, as it makes none to
    /// engines. Of those that remain, such as are alike or stand at the same place stand for each other.
    pub(super) fn new(wanted: &[&str], offered: &[&str], guesses: &Guesses) -> Self {
        let fold = |name: &str| name.to_ascii_lowercase();
        let places: HashMap<String, usize> =
            offered.iter().enumerate().map(|(at, name)| (fold(name), at)).collect();
        let known: HashSet<String> = wanted.iter().map(|name| fold(name)).collect();
        let mut found = Alignment::default();
        for (at, name) in wanted.iter().enumerate() {
            match places.get(&fold(name)) {
                Some(&other) => found.common.push((at, other)),
                None => found.missing.push(at),
            }
        }
        found.extra = (0..offered.len()).filter(|&at| !known.contains(&fold(offered[at]))).collect();
        found.reordered = !found.common.is_sorted_by_key(|(_, other)| *other);
        found.pair_up(wanted, offered, guesses);
        found
    }

    fn pair_up(&mut self, wanted: &[&str], offered: &[&str], guesses: &Guesses) {
        let strangers = (self.missing.iter().map(|&at| wanted[at]), self.extra.iter().map(|&at| offered[at]));
        if !guesses.may_compare(strangers.0, strangers.1) {
            return;
        }
        let ranks = [
            ranks(wanted.len(), self.common.iter().map(|pair| pair.0)),
            ranks(offered.len(), self.common.iter().map(|pair| pair.1)),
        ];
        let mut pairs = Vec::new();
        for &at in &self.missing {
            for &other in &self.extra {
                let alike = likeness(wanted[at], offered[other]);
                if alike >= 0.6 || ranks[0][at] == ranks[1][other] {
                    // Likeness first, then the same position.
                    pairs.push((alike + if at == other { 0.5 } else { 0.0 }, at, other));
                }
            }
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        for (_, at, other) in pairs {
            if self.missing.contains(&at) && self.extra.contains(&other) {
                self.missing.retain(|known| *known != at);
                self.extra.retain(|known| *known != other);
                self.renamed.push((at, other));
            }
        }
        self.renamed.sort_unstable();
    }
}

/// How many of the common names stand before each place of a list.
fn ranks(length: usize, common: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut is_common = vec![false; length];
    common.for_each(|at| is_common[at] = true);
    let count = |before: &mut usize, is_common: bool| {
        let rank = *before;
        *before += usize::from(is_common);
        Some(rank)
    };
    is_common.into_iter().scan(0, count).collect()
}

#[cfg(test)]
mod tests {
    use super::{Alignment, Guesses};

    fn aligned(wanted: &[&str], offered: &[&str]) -> Alignment {
        Alignment::new(wanted, offered, &Guesses::default())
    }

    #[test]
    fn names_find_each_other() {
        let found = aligned(&["a", "colour", "c"], &["c", "a", "color", "d"]);
        assert_eq!(found.common, [(0, 1), (2, 0)]);
        assert_eq!(found.renamed, [(1, 2)]);
        assert_eq!((found.missing.as_slice(), found.extra.as_slice()), (&[][..], &[3][..]));
        assert!(found.reordered);
    }

    #[test]
    fn what_stands_at_the_same_place_was_renamed() {
        let found = aligned(&["a", "b", "c"], &["a", "x", "c"]);
        assert_eq!(found.renamed, [(1, 1)]);
        let found = aligned(&["a"], &["a", "b"]);
        assert_eq!((found.renamed.len(), found.extra.as_slice()), (0, &[1][..]));
    }
}
