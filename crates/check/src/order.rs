//! Puts parts in an order in which each comes after all that it takes something from, or finds the smallest cycle.

use std::collections::{BTreeSet, VecDeque};

/// `edges[part]` are the parts that it takes something from. Of several possible orders it is the one in which the
/// smallest index comes first, wherever there is a choice.
///
/// A cycle comes as its parts, each taking something from the next and the last from the first: no other has fewer,
/// and of those with as few it is the one that begins with the smallest index.
pub fn order(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut users = vec![Vec::new(); edges.len()];
    let mut missing: Vec<usize> = vec![0; edges.len()];
    for (part, providers) in edges.iter().enumerate() {
        let providers: BTreeSet<usize> = providers.iter().copied().collect();
        missing[part] = providers.len();
        providers.into_iter().for_each(|provider| users[provider].push(part));
    }
    let mut ready: BTreeSet<usize> = (0..edges.len()).filter(|&part| missing[part] == 0).collect();
    let mut done = Vec::with_capacity(edges.len());
    while let Some(part) = ready.pop_first() {
        done.push(part);
        for &user in &users[part] {
            missing[user] -= 1;
            if missing[user] == 0 {
                ready.insert(user);
            }
        }
    }
    if done.len() == edges.len() {
        return Ok(done);
    }
    let left: BTreeSet<usize> = (0..edges.len()).filter(|&part| missing[part] > 0).collect();
    let cycles = left.iter().filter_map(|&part| back_to(part, edges, &left));
    // `min_by_key` keeps the first of equals.
    Err(cycles.min_by_key(Vec::len).unwrap_or_default())
}

/// The shortest way from a part back to itself, among those that are left.
fn back_to(start: usize, edges: &[Vec<usize>], left: &BTreeSet<usize>) -> Option<Vec<usize>> {
    let mut before: Vec<Option<usize>> = vec![None; edges.len()];
    let mut waiting = VecDeque::from([start]);
    while let Some(part) = waiting.pop_front() {
        let next: BTreeSet<usize> = edges[part].iter().copied().filter(|part| left.contains(part)).collect();
        for provider in next {
            if provider == start {
                let mut way = vec![part];
                while let Some(earlier) = before[way[way.len() - 1]] {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way);
            }
            if before[provider].is_none() {
                before[provider] = Some(part);
                waiting.push_back(provider);
            }
        }
    }
    None
}
