//! Limits for WIT texts, before the parser gets to see them.
//!
//! How deep brackets are nested the parser bounds itself.

use thiserror::Error;

/// The longest WIT text that is read, in bytes. All of WASI together has a tenth of it.
pub const LONGEST: usize = 4 << 20;

/// How many statements and interfaces a text of several worlds may have, times its worlds: the parser copies into each world what that
/// includes, and what the interfaces in it take types from. WASI stays below a tenth of it, in each of its texts.
const COPIES: usize = 200_000;

/// Why a WIT text is kept from the parser.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// It is longer than [`LONGEST`].
    #[error("{name}: a WIT text of {bytes} bytes is not read: the limit is {LONGEST}")]
    TooLong {
        /// The name of the text.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// It has a comment that begins like documentation and ends at once.
    #[error(
        "{name}:{line}:{column}: the WIT parser gives up at the empty comment `/**/`: take it out, or write `/* */`"
    )]
    EmptyComment {
        /// The name of the text.
        name: String,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
    /// It has so many worlds, and so much that may be in each of them.
    #[error(
        "{name}: {worlds} worlds and {items} statements and interfaces are too many for one WIT text: the limit for \
         their product is {COPIES}"
    )]
    TooMany {
        /// The name of the text.
        name: String,
        /// How many worlds.
        worlds: usize,
        /// How many statements and interfaces.
        items: usize,
    },
}

/// Checks a WIT text for what the parser would panic on, or take memory for that is out of proportion.
///
/// # Errors
///
/// Where it is too long, has an empty comment `/**/`, or too many worlds with too much in them.
pub fn guard(name: &str, text: &str) -> Result<(), TextError> {
    let name = || name.to_owned();
    if text.len() > LONGEST {
        return Err(TextError::TooLong { name: name(), bytes: text.len() });
    }
    let (mut worlds, mut items) = (0_usize, 0_usize);
    for piece in (Pieces { text }) {
        match piece {
            "/**/" => {
                let (line, column) = place(text, piece);
                return Err(TextError::EmptyComment { name: name(), line, column });
            }
            "world" => worlds += 1,
            "interface" | ";" | "," => items += 1,
            _ => {}
        }
    }
    if worlds > 1 && worlds.saturating_mul(items) > COPIES {
        return Err(TextError::TooMany { name: name(), worlds, items });
    }
    Ok(())
}

/// Line and column of a piece of a text.
fn place(text: &str, piece: &str) -> (usize, usize) {
    let before = &text[..piece.as_ptr() as usize - text.as_ptr() as usize];
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Comments, words and single characters, in their order.
pub(crate) struct Pieces<'a> {
    pub(crate) text: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let first = self.text.chars().next()?;
        let of_word = |c: char| c.is_alphanumeric() || c == '-' || c == '%';
        let length = if self.text.starts_with("//") {
            self.text.find('\n').unwrap_or(self.text.len())
        } else if self.text.starts_with("/*") {
            comment(self.text.as_bytes())
        } else if of_word(first) {
            self.text.find(|c| !of_word(c)).unwrap_or(self.text.len())
        } else {
            first.len_utf8()
        };
        let (piece, rest) = self.text.split_at(length);
        self.text = rest;
        Some(piece)
    }
}

/// The length of the comment at the beginning. Comments of this kind nest, and one that is not closed goes on to the end.
fn comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1_usize);
    while depth > 0 && at < text.len() {
        let rest = &text[at..];
        at += if rest.starts_with(b"/*") {
            depth += 1;
            2
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            2
        } else {
            1
        };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, TextError, guard};
    use crate::Contracts;

    #[test]
    fn an_empty_comment_is_named_with_its_place() {
        let error =
            guard("a.wit", "package a:b;\n  // /**/\n é /**/ interface i {}").expect_err("it is there");
        assert_eq!(error, TextError::EmptyComment { name: "a.wit".into(), line: 3, column: 4 });
        let error = Contracts::parse("a.wit", "package a:b;\n/**/ interface i {}").expect_err("it is there");
        assert_eq!(
            error.to_string(),
            "a.wit:2:1: the WIT parser gives up at the empty comment `/**/`: take it out, or write `/* */`"
        );
    }

    #[test]
    fn other_comments_are_not() {
        for good in
            ["//**/ x", "/* /**/ */", "/* */", "/***/", "/** d */ /* /* */ */", "/* // */ ", "a /* open /**/"]
        {
            assert_eq!(guard("a.wit", good), Ok(()), "{good}");
            let _ = Contracts::parse("a.wit", &format!("package a:b;\n{good}\ninterface i {{}}"));
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_read() {
        let long = " ".repeat(LONGEST + 1);
        assert!(
            matches!(guard("a.wit", &long), Err(TextError::TooLong { bytes, .. }) if bytes == LONGEST + 1)
        );
    }

    #[test]
    fn worlds_that_include_each_other_are_not_copied_without_end() {
        let each =
            |index: usize| format!("world w{} {{ include w{index}; import g{index}: func(); }}\n", index + 1);
        let text = |count: usize| {
            format!("package a:b; world w0 {{}}\n{}", (0..count).map(each).collect::<String>())
        };
        assert_eq!(guard("a.wit", &text(200)), Ok(()));
        let expected = TextError::TooMany { name: "a.wit".to_owned(), worlds: 1001, items: 2001 };
        assert_eq!(guard("a.wit", &text(1000)), Err(expected));
    }
}
