//! Names of parts: words that a text in the WAC language can have for them.

use std::collections::{BTreeMap, BTreeSet};

/// Whether a part may have this name: words of lower-case letters and digits that begin with a letter, joined by
/// single hyphens.
#[must_use]
pub fn is_part_name(name: &str) -> bool {
    name.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

/// Names for parts, made of whatever their files are called: valid and unique.
///
/// Each file comes as its name without directory and suffix, and something that tells it from others of the same name,
/// such as its digest; by that, and not by their order, such files are numbered. `taken` are names that are not free.
#[must_use]
pub fn part_names(files: &[(String, String)], taken: &[String]) -> Vec<String> {
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, (stem, _)) in files.iter().enumerate() {
        alike.entry(valid(stem)).or_default().push(index);
    }
    // All names as they are come before any with a number, which might be another file's name.
    let mut used: BTreeSet<String> = taken.iter().cloned().collect();
    let free: BTreeSet<String> = alike.keys().filter(|name| !used.contains(*name)).cloned().collect();
    used.extend(free.iter().cloned());
    let mut names = vec![String::new(); files.len()];
    for (name, mut indices) in alike {
        indices.sort_by(|&a, &b| files[a].1.cmp(&files[b].1));
        let mut first = free.contains(&name);
        let mut number = 1_usize;
        for index in indices {
            names[index] = if std::mem::take(&mut first) {
                name.clone()
            } else {
                loop {
                    number += 1;
                    let numbered = format!("{name}{number}");
                    if used.insert(numbered.clone()) {
                        break numbered;
                    }
                }
            };
        }
    }
    names
}

/// The nearest valid name. A word that begins with a digit is taken as part of the word before it.
fn valid(stem: &str) -> String {
    let mut name = String::new();
    for word in stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.is_empty() && word.starts_with(|c: char| c.is_ascii_digit()) {
            name.push_str("part");
        } else if !name.is_empty() && !word.starts_with(|c: char| c.is_ascii_digit()) {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    if name.is_empty() { "part".to_owned() } else { name }
}
