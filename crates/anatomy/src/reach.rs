//! What parts can reach outside, and through whom.

use std::collections::{BTreeSet, HashSet, VecDeque};

use serde::Serialize;

use crate::model::{Component, Source};

/// How many ways are listed from one part to another.
pub const WAYS: usize = 8;

/// How many places are looked at, over all searches. Those of 480 parts that all import from the host, and each of which
/// uses ten others, look at 2.5 million.
const PLACES: usize = 100_000_000;

/// What parts can reach outside: made by [`Component::reach`].
#[derive(Debug)]
pub struct Reach {
    /// The parts that satisfy imports of each, in order, each once.
    used: Vec<Vec<usize>>,
    targets: Vec<Target>,
    complete: bool,
}

/// A part that imports from the host.
#[derive(Debug)]
struct Target {
    part: usize,
    imports: Vec<String>,
    /// For each part, where it leads here.
    leads: Vec<Option<Lead>>,
}

/// On the shortest way from somewhere to a target.
#[derive(Debug, Clone, Copy)]
struct Lead {
    /// How many parts away that is.
    steps: u32,
    /// The next part. The target itself has itself.
    next: u32,
}

/// What a part can reach of the host's through one part that imports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    /// Index of the part that imports from the host: the part in question itself, or another one.
    pub importer: usize,
    /// The imports of the whole that it is given, in the order in which it imports them, each once. What only names types
    /// leads nowhere and is left out.
    pub imports: Vec<String>,
    /// The ways there, as indices of parts: first the part in question, last the importer, a single one where that is
    /// the same. One way for each part that the first uses directly and that leads there, and of those that begin so
    /// the shortest: who closes all of them has closed the importer off. The shortest come first, and there are never
    /// more than [`WAYS`].
    pub ways: Vec<Vec<usize>>,
    /// How many more parts that the first uses directly lead there as well.
    pub more: usize,
}

impl Component {
    /// Which imports of the whole parts can reach, and through which other parts.
    ///
    /// A part reaches what it imports itself, and through its calls what those reach that satisfy its imports. Whether
    /// they let themselves be used for that is a matter of their code, which is not looked at: this is the most that a part
    /// can reach. Takes time in proportion to the edges, times the parts that import from the host.
    #[must_use]
    pub fn reach(&self) -> Reach {
        let mut used = vec![BTreeSet::new(); self.parts.len()];
        let mut users = vec![Vec::new(); self.parts.len()];
        let mut imports: Vec<Vec<String>> = vec![Vec::new(); self.parts.len()];
        let mut seen = HashSet::new();
        for edge in self.edges.iter().filter(|edge| !edge.types_only) {
            match &edge.from {
                Source::Host { import } => {
                    if seen.insert((edge.part, import)) {
                        imports[edge.part].push(import.clone());
                    }
                }
                Source::Part { part, .. } => {
                    if *part != edge.part && used[edge.part].insert(*part) {
                        users[*part].push(edge.part);
                    }
                }
            }
        }
        let one = self.parts.len() + used.iter().map(BTreeSet::len).sum::<usize>();
        let mut importers = imports.into_iter().enumerate().filter(|(_, imports)| !imports.is_empty());
        let targets = importers.by_ref().take(PLACES / one.max(1));
        let targets: Vec<Target> =
            targets.map(|(part, imports)| Target { part, imports, leads: leads(part, &users) }).collect();
        let used = used.into_iter().map(|used| used.into_iter().collect()).collect();
        Reach { used, targets, complete: importers.next().is_none() }
    }

    /// The edges of one part: what satisfies its imports.
    pub fn edges_of(&self, part: usize) -> impl Iterator<Item = &crate::Edge> {
        let first = self.edges.partition_point(|edge| edge.part < part);
        self.edges[first..].iter().take_while(move |edge| edge.part == part)
    }
}

impl Reach {
    /// What one part can reach: itself first, then what is nearest.
    ///
    /// Where parts use each other in a circle, a way may come by the part in question once more.
    ///
    /// # Panics
    ///
    /// Where there is no part with this index.
    #[must_use]
    pub fn of(&self, part: usize) -> Vec<Reached> {
        assert!(part < self.used.len(), "there is no part {part}");
        let mut reached: Vec<Reached> =
            self.targets.iter().filter_map(|target| self.through(part, target)).collect();
        reached.sort_by_key(|reached| reached.ways[0].len());
        reached
    }

    /// Whether all parts that import from the host are told of. Only where there are many thousands of edges, and many
    /// such parts, the last of them are left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn through(&self, part: usize, target: &Target) -> Option<Reached> {
        let mut firsts: Vec<(u32, usize)> = if part == target.part {
            Vec::new()
        } else {
            let lead = |first: &usize| Some((target.leads[*first]?.steps, *first));
            self.used[part].iter().filter_map(lead).collect()
        };
        if firsts.is_empty() && part != target.part {
            return None;
        }
        firsts.sort_unstable();
        let more = firsts.len().saturating_sub(WAYS);
        let ways = if firsts.is_empty() {
            vec![vec![part]]
        } else {
            firsts.iter().take(WAYS).map(|(_, first)| target.way(part, *first)).collect()
        };
        Some(Reached { importer: target.part, imports: target.imports.clone(), ways, more })
    }
}

impl Target {
    /// The shortest way here that begins with these two.
    fn way(&self, part: usize, first: usize) -> Vec<usize> {
        let mut way = vec![part, first];
        let mut at = first;
        while let Some(lead) = self.leads[at].filter(|lead| lead.steps > 0) {
            at = lead.next as usize;
            way.push(at);
        }
        way
    }
}

/// From where a part is reached, and how.
fn leads(target: usize, users: &[Vec<usize>]) -> Vec<Option<Lead>> {
    let mut leads: Vec<Option<Lead>> = vec![None; users.len()];
    // There are never as many parts as would not fit into 32 bits: their indices in the binary do.
    leads[target] = Some(Lead { steps: 0, next: target as u32 });
    let mut queue = VecDeque::from([(target, 0)]);
    while let Some((current, steps)) = queue.pop_front() {
        for user in &users[current] {
            if leads[*user].is_none() {
                leads[*user] = Some(Lead { steps: steps + 1, next: current as u32 });
                queue.push_back((*user, steps + 1));
            }
        }
    }
    leads
}
