//! Names that WAC takes for instances, imports and packages, made of whatever the binary says.

use std::collections::{HashMap, HashSet};

use check::bare;

/// How long a name gets, in characters.
const LONGEST: usize = 40;

/// Names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// The last number that was tried for a name: thousands may want the same one.
    numbers: HashMap<String, u32>,
}

impl Names {
    /// A name like `wanted` that nobody has.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let plain = identifier(wanted);
        let number = self.numbers.entry(plain.clone()).or_insert(1);
        let mut name = plain.clone();
        while keyword(&name) || self.taken.contains(&name) {
            *number += 1;
            name = format!("{plain}{}{number}", separator(&plain));
        }
        self.taken.insert(name.clone());
        name
    }
}

/// A number right after a digit would make another number of it.
fn separator(name: &str) -> &'static str {
    if name.ends_with(|c: char| c.is_ascii_digit()) { "-n" } else { "" }
}

/// The words of a text, in lower case, joined by hyphens: WAC wants each to begin with a letter, so one that begins with a
/// digit sticks to the one before it. Of the name of an interface it is what comes after the slash, without the
/// version.
pub(super) fn identifier(text: &str) -> String {
    let text = bare(text);
    let text = text.rsplit('/').next().unwrap_or(text);
    let mut name = String::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let digit = word.starts_with(|c: char| c.is_ascii_digit());
        if name.is_empty() && digit {
            name.push_str("part");
        } else if !name.is_empty() && !digit {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
        if name.len() > LONGEST {
            break;
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "part".to_owned() } else { name.to_owned() }
}

/// Whether a word means something in WAC.
fn keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 43] = [
        "import",
        "with",
        "type",
        "tuple",
        "list",
        "option",
        "result",
        "borrow",
        "resource",
        "variant",
        "record",
        "flags",
        "enum",
        "func",
        "static",
        "constructor",
        "u8",
        "s8",
        "u16",
        "s16",
        "u32",
        "s32",
        "u64",
        "s64",
        "f32",
        "f64",
        "char",
        "bool",
        "string",
        "interface",
        "world",
        "export",
        "new",
        "let",
        "use",
        "include",
        "as",
        "package",
        "targets",
        "async",
        "stream",
        "future",
        "error-context",
    ];
    KEYWORDS.contains(&word)
}
