//! What a part can reach outside, and through whom.

use std::collections::{HashSet, VecDeque};

use crate::model::{Component, Source};

/// Imports of the whole that a part can reach along one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Indices of the parts that lead there: the part in question first, and last the one that imports from the
    /// host. A single index where that is the same.
    pub path: Vec<usize>,
    /// The imports of the whole that the last part of the path is given, as far as no shorter path leads to them, in
    /// the order in which it imports them. What only names types leads nowhere and is left out.
    pub imports: Vec<String>,
}

impl Component {
    /// Which imports of the whole a part can reach, and through which other parts: the shortest path for each.
    ///
    /// A part reaches what it imports itself, and through its calls what those reach that satisfy its imports. Whether
    /// they let themselves be used for that is a matter of their code, which is not looked at: this is the most that a part
    /// can reach. Takes time in proportion to the edges.
    ///
    /// # Panics
    ///
    /// Where there is no part with this index.
    #[must_use]
    pub fn reach(&self, part: usize) -> Vec<Reached> {
        assert!(part < self.parts.len(), "there is no part {part}");
        let mut before: Vec<Option<usize>> = vec![None; self.parts.len()];
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        let mut queue = VecDeque::from([part]);
        while let Some(current) = queue.pop_front() {
            let mut imports = Vec::new();
            for edge in self.edges_of(current).filter(|edge| !edge.types_only) {
                match &edge.from {
                    Source::Host { import } => {
                        if seen.insert(import.as_str()) {
                            imports.push(import.clone());
                        }
                    }
                    Source::Part { part: next, .. } => {
                        if *next != part && before[*next].is_none() {
                            before[*next] = Some(current);
                            queue.push_back(*next);
                        }
                    }
                }
            }
            if !imports.is_empty() {
                found.push(Reached { path: path(current, &before), imports });
            }
        }
        found
    }

    /// The edges of one part: what satisfies its imports.
    pub fn edges_of(&self, part: usize) -> impl Iterator<Item = &crate::Edge> {
        let first = self.edges.partition_point(|edge| edge.part < part);
        self.edges[first..].iter().take_while(move |edge| edge.part == part)
    }
}

fn path(last: usize, before: &[Option<usize>]) -> Vec<usize> {
    let mut path = vec![last];
    let mut at = last;
    while let Some(earlier) = before[at] {
        path.push(earlier);
        at = earlier;
    }
    path.reverse();
    path
}
