//! Commands that are printed so that a shell can run them.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::source::Source;

/// The command that composes a text of these packages. `more` are words that it needs besides.
pub fn compose<'a>(
    text: &Path,
    packages: impl IntoIterator<Item = (&'a str, &'a Source)>,
    more: &[(&str, &OsStr)],
) -> String {
    let mut command = format!("composer compose {} -o again.wasm", quoted(text.as_os_str()));
    let given = packages.into_iter().map(|(package, source)| {
        let mut word = OsString::from(format!("{package}="));
        match source {
            Source::Path(path) => word.push(path),
            Source::Registry(_) => word.push(source.to_string()),
        }
        ("-d", word)
    });
    let more = more.iter().map(|(flag, word)| (*flag, (*word).to_owned()));
    for (flag, word) in given.chain(more) {
        command.push_str(&format!(" \\\n    {flag} {}", quoted(&word)));
    }
    command
}

/// A word as a shell takes it. One that holds control characters, or is no text, is written in the quotes `$'…'` of bash,
/// zsh and newer POSIX shells: there is no other way to print it.
fn quoted(word: &OsStr) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:+@".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => format!("$'{}'", word.as_encoded_bytes().utf8_chunks().map(escaped).collect::<String>()),
    }
}

/// Text as it is, and as octal digits what is none: always three, so that no digit that follows belongs to them.
fn escaped(chunk: std::str::Utf8Chunk<'_>) -> String {
    let octal = |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:03o}")).collect::<String>();
    let mut text = String::new();
    for c in chunk.valid().chars() {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => text.push_str(&octal(c.encode_utf8(&mut [0; 4]).as_bytes())),
            c => text.push(c),
        }
    }
    text + &octal(chunk.invalid())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::quoted;

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        for (word, expected) in [
            ("a/b-1.wasm", "a/b-1.wasm"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(it's)", r"'$(it'\''s)'"),
            ("groß", "'groß'"),
            ("a\n1\\'ß", r"$'a\0121\\\'ß'"),
            ("\u{85}", r"$'\302\205'"),
        ] {
            assert_eq!(quoted(OsStr::new(word)), expected);
        }
    }

    #[test]
    #[cfg(unix)]
    fn words_that_are_no_text_are_quoted_byte_by_byte() {
        use std::os::unix::ffi::OsStrExt;

        assert_eq!(quoted(OsStr::from_bytes(b"a\xff7 \xc3")), r"$'a\3777 \303'");
    }
}
