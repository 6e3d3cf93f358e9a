//! Packages that call themselves by their full name.
//!
//! `use a:b/types.{t}` in the package `a:b` means `use types.{t}`, which the parser reads. The longer form is overwritten with blanks,
//! so that everything stays at its place, for messages. Where the short name means something else in a text, it stays.

use std::collections::HashSet;
use std::ops::Range;

use crate::wit_text::Pieces;

/// Returns the texts of a package with all names of itself shortened.
pub(super) fn shortened<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let tokens: Vec<Vec<Token<'_>>> = texts.clone().map(tokens).collect();
    let main = tokens.iter().find_map(|tokens| main_package(tokens));
    let each = texts.zip(&tokens).map(|(text, tokens)| match main {
        Some(main) => blank(text, &own_names(tokens, main)),
        None => text.to_owned(),
    });
    each.collect()
}

/// Puts the lines of the texts back into a message that quotes the shortened ones.
pub(super) fn restored<'a>(message: &str, texts: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut message = message.to_owned();
    for (text, short) in texts.clone().zip(shortened(texts)) {
        for (written, read) in text.lines().zip(short.lines()).filter(|(written, read)| written != read) {
            message = message.replace(read, written);
        }
    }
    message
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    at: usize,
    text: &'a str,
}

/// Words and single characters, without blanks and comments.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut at = 0;
    let mut all = Vec::new();
    for piece in (Pieces { text }) {
        let is_comment = piece.starts_with("//") || piece.starts_with("/*");
        if !is_comment && !piece.starts_with(char::is_whitespace) {
            all.push(Token { at, text: piece });
        }
        at += piece.len();
    }
    all
}

/// A package as it is written: namespace, name, and version with its `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Name<'a> {
    namespace: &'a str,
    name: &'a str,
    version: Version<'a>,
}

/// The tokens of a version, without their places.
#[derive(Debug, Clone, Copy)]
struct Version<'a>(&'a [Token<'a>]);

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().map(|token| token.text).eq(other.0.iter().map(|token| token.text))
    }
}

impl Eq for Version<'_> {}

/// Returns the package of a text, where it says so outside of packages that are nested in it.
fn main_package<'a>(tokens: &'a [Token<'a>]) -> Option<Name<'a>> {
    (0..tokens.len())
        .find_map(|start| header(tokens, start).filter(|(_, opens)| !opens).map(|(name, _)| name))
}

/// Reads `package a:b@1.0.0` and whether a brace follows.
fn header<'a>(tokens: &'a [Token<'a>], start: usize) -> Option<(Name<'a>, bool)> {
    let ["package", namespace, ":", name] = words(tokens, start)? else { return None };
    let end = start + 4;
    let version = version(tokens, end);
    let next = tokens.get(end + version.0.len())?.text;
    let name = Name { namespace: plain(namespace), name: plain(name), version };
    (next == ";" || next == "{").then_some((name, next == "{"))
}

/// Returns the tokens of `@1.0.0`, or none.
fn version<'a>(tokens: &'a [Token<'a>], start: usize) -> Version<'a> {
    let rest = tokens.get(start..).unwrap_or_default();
    if rest.first().is_none_or(|token| token.text != "@") {
        return Version(&[]);
    }
    let mut length = 1;
    while let Some(token) = rest.get(length) {
        let joins =
            matches!(token.text, "." | "+") && rest.get(length + 1).is_some_and(|next| is_word(next.text));
        let continues = joins || is_word(token.text) && touches(rest[length - 1], *token);
        if !continues {
            break;
        }
        length += 1;
    }
    Version(&rest[..length])
}

fn touches(before: Token<'_>, after: Token<'_>) -> bool {
    before.at + before.text.len() == after.at
}

/// Returns the places of a text where its own package is named and need not be.
fn own_names(tokens: &[Token<'_>], main: Name<'_>) -> Vec<Range<usize>> {
    let taken = taken(tokens);
    let mut found = Vec::new();
    let mut nested: Option<(Name<'_>, usize)> = None;
    let mut depth = 0_usize;
    for (start, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                nested = nested.filter(|(_, around)| *around < depth);
            }
            "package" => {
                if let Some((name, true)) = header(tokens, start) {
                    nested = Some((name, depth));
                }
            }
            _ => {}
        }
        let own = nested.map_or(main, |(name, _)| name);
        let Some([namespace, ":", name, "/", item]) = words(tokens, start) else { continue };
        let version = version(tokens, start + 5);
        if (Name { namespace: plain(namespace), name: plain(name), version }) == own
            && !taken.contains(plain(item))
        {
            found.push(token.at..tokens[start + 4].at);
            if let (Some(first), Some(last)) = (version.0.first(), version.0.last()) {
                found.push(first.at..last.at + last.text.len());
            }
        }
    }
    found
}

/// Returns the names that a `use` outside of interfaces and worlds gives to something in a text.
fn taken<'a>(tokens: &[Token<'a>]) -> HashSet<&'a str> {
    let uses = tokens.iter().enumerate().filter(|(_, token)| token.text == "use");
    uses.filter_map(|(start, _)| {
        let length = tokens[start..].iter().position(|token| matches!(token.text, ";" | "{" | "}"))?;
        let statement = &tokens[start..start + length];
        if tokens[start + length].text != ";" {
            return None;
        }
        let renamed = statement.iter().position(|token| token.text == "as").map(|at| at + 1);
        let plainly = || statement.iter().rposition(|token| token.text == "/").map(|at| at + 1);
        statement.get(renamed.or_else(plainly)?).map(|token| plain(token.text))
    })
    .collect()
}

/// Returns as many tokens from here as are asked for.
fn words<'a, const N: usize>(tokens: &[Token<'a>], start: usize) -> Option<[&'a str; N]> {
    let mut words = [""; N];
    for (word, token) in words.iter_mut().zip(tokens.get(start..start + N)?) {
        *word = token.text;
    }
    Some(words)
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphanumeric() || c == '-' || c == '%')
}

fn plain(word: &str) -> &str {
    word.strip_prefix('%').unwrap_or(word)
}

/// Overwrites these places with blanks; line feeds stay.
fn blank(text: &str, places: &[Range<usize>]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut done = 0;
    for place in places {
        written.push_str(&text[done..place.start]);
        written.extend(text[place.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        done = place.end;
    }
    written.push_str(&text[done..]);
    written
}

#[cfg(test)]
mod tests {
    use super::shortened;

    fn one(text: &str) -> String {
        shortened(std::iter::once(text)).remove(0)
    }

    #[test]
    fn own_names_are_blanks_and_everything_stays_at_its_place() {
        let cases = [
            ("package a:b; world w { import a:b/i; }", "package a:b; world w { import     i; }"),
            ("package a:b@1.0.0; use a:b/i@1.0.0.{t};", "package a:b@1.0.0; use     i      .{t};"),
            ("package a:%b; use %a:b/%i.{t};", "package a:%b; use      %i.{t};"),
            ("package a:b; use a:b /* é */\n/ i.{t};", "package a:b; use             \n  i.{t};"),
            ("package a:b; export x: a:b/i;", "package a:b; export x:     i;"),
            (
                "package a:b; package c:d { use c:d/i.{t}; } use a:b/j.{t};",
                "package a:b; package c:d { use     i.{t}; } use     j.{t};",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(one(text), expected);
        }
    }

    #[test]
    fn other_names_stay() {
        for text in [
            "package a:b; use a:c/i.{t};",
            "package a:b@1.0.0; use a:b/i.{t};",
            "package a:b@1.0.0; use a:b/i@1.0.1.{t};",
            "package a:b; // a:b/i\n/* a:b/i */",
            "package a:b; use c:d/i; world w { import a:b/i; }",
            "package a:b; use c:d/j as i; world w { import a:b/i; }",
            "package a:b; package c:d { use a:b/i.{t}; }",
            "use a:b/i.{t};",
        ] {
            assert_eq!(one(text), text);
        }
    }

    #[test]
    fn the_package_may_be_named_in_another_text() {
        let texts = ["world w { import a:b/i; }", "package a:b; interface i {}"];
        assert_eq!(shortened(texts.into_iter()), ["world w { import     i; }", texts[1]]);
    }
}
