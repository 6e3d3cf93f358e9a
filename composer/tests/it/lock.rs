//! `interlock.lock`: what is refused, that it survives writing and reading, and what counts as a difference.

use composer::lock::{Difference, Digest, Entry, LONGEST, Lock, differences, format, parse};
use miette::Diagnostic;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn entry(source: &str, content: &[u8]) -> Entry {
    Entry { package: None, source: source.to_owned(), manifest: None, digest: Digest::of(content) }
}

fn wrong(text: &str) -> String {
    let error = parse("interlock.lock", text).expect_err("it should be refused");
    let help = error.help().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{error}{help}")
}

#[test]
fn what_is_no_lock_is_refused_with_the_reason() {
    let digest = Digest::of(b"");
    let input = format!("[[composition.input]]\nsource = \"a\"\ndigest = \"{digest}\"\n");
    let one = format!("[[composition]]\noutput = \"o\"\n{input}");
    assert!(parse("interlock.lock", &format!("version = 1\n{one}")).is_ok());

    assert!(wrong("{ \"packages\": [] }").contains("expected"), "a lock of another tool");
    assert_eq!(wrong(""), "missing field `version`");
    assert_eq!(
        wrong("version = 2\nnew = true\n"),
        "version 2 of the lock is not known; it was written by another version of composer: use that one, or have \
         the lock made anew"
    );
    assert!(wrong("version = 1\nnew = true\n").starts_with("unknown field `new`"));
    assert_eq!(wrong(&format!("version = 1\n{one}{one}")), "`o` is there twice");
    assert_eq!(wrong(&format!("version = 1\n{one}{input}")), "`a` is there twice");
    for bad in ["sha256:12", "sha512:12", &digest.to_string().to_uppercase(), &digest.hex(), ""] {
        let text = format!("version = 1\n{}", one.replace(&digest.to_string(), bad));
        assert_eq!(wrong(&text), format!("`{bad}` is not `sha256:` and 64 hexadecimal digits in lower case"));
    }
    assert!(wrong(&"#".repeat(LONGEST + 1)).starts_with("a lock of 8388609 bytes is not read"));
    assert!(!wrong(&format!("version = 1\nx = {}", "[".repeat(100_000))).is_empty());
}

#[test]
fn the_text_is_made_to_be_read() {
    let mut lock = Lock::default();
    let pulled = Entry {
        package: Some("parts:a".to_owned()),
        manifest: Some(Digest::of(b"m")),
        ..entry("oci://registry.example/a:1", b"a")
    };
    lock.compositions
        .insert("whole.wasm".to_owned(), vec![entry("b.wasm", b"b"), pulled, entry("a.wasm", b"a")]);
    let (a, b, m) = (Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"m"));
    let expected = format!(
        r#"# Written by composer: the inputs of each composition, and the digests they had.
# Keep it with the sources: `composer compose --locked` takes these inputs and no others.
version = 1

[[composition]]
output = "whole.wasm"

[[composition.input]]
source = "a.wasm"
digest = "{a}"

[[composition.input]]
source = "b.wasm"
digest = "{b}"

[[composition.input]]
package = "parts:a"
source = "oci://registry.example/a:1"
manifest = "{m}"
digest = "{a}"
"#
    );
    assert_eq!(format(&lock), expected);
}

#[test]
fn differences_name_both_digests() {
    let said = |locked: &[Entry], found: &[Entry]| -> Vec<String> {
        differences(locked, found).iter().map(ToString::to_string).collect()
    };
    let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
    assert_eq!(
        said(&[entry("a", b"1"), entry("c", b"1")], &[entry("b", b"2"), entry("a", b"2")]),
        [
            format!("`a` changed: locked {one}, found {two}"),
            format!("`b` is not in the lock: found {two}"),
            format!("`c` is in the lock and not among the inputs: locked {one}"),
        ]
    );
    let wrapped = |by: &[u8]| Entry { manifest: Some(Digest::of(by)), ..entry("a", b"x") };
    assert_eq!(
        said(&[wrapped(b"1")], &[wrapped(b"2")]),
        [format!("`a` changed: locked manifest {one}, found manifest {two}")]
    );
    assert_eq!(said(&[entry("a", b"1"), entry("b", b"1")], &[entry("b", b"1"), entry("a", b"1")]), [""; 0]);
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let name = || prop_oneof!["[ab]", "\\PC{0,12}"];
    let content = || prop_oneof![Just(b"1".to_vec()), Just(b"2".to_vec()), vec(any::<u8>(), 0..9)];
    let value = (proptest::option::of(content()), content());
    btree_map((proptest::option::of(name()), name()), value, 0..6).prop_map(|map| {
        let entry = |((package, source), (manifest, content)): (_, (Option<Vec<u8>>, Vec<u8>))| Entry {
            package,
            source,
            manifest: manifest.map(|bytes| Digest::of(&bytes)),
            digest: Digest::of(&content),
        };
        map.into_iter().map(entry).collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(compositions in btree_map("\\PC{0,8}", entries(), 0..4)) {
        let lock = Lock { compositions };
        let text = format(&lock);
        let read = parse("interlock.lock", &text).expect("its own text");
        prop_assert_eq!(&read, &lock);
        prop_assert_eq!(format(&read), text);
    }

    #[test]
    fn any_text_is_an_answer(text in "\\PC{0,200}") {
        let _ = parse("interlock.lock", &text);
        let _ = parse("interlock.lock", &format!("version = 1\n{text}"));
    }

    /// Against a model that looks every entry up, one by one.
    #[test]
    fn differences_are_those_of_the_entries(locked in entries(), mut found in entries(), reversed: bool) {
        if reversed {
            found.reverse();
        }
        let told = differences(&locked, &found);
        let twin = |entry: &Entry, others: &[Entry]| others.iter().find(|other| other.key() == entry.key()).cloned();
        for difference in &told {
            match difference {
                Difference::Changed { locked: before, found: now } => {
                    prop_assert!(locked.contains(before) && found.contains(now) && before != now);
                    prop_assert_eq!(before.key(), now.key());
                }
                Difference::New(entry) => prop_assert!(found.contains(entry) && twin(entry, &locked).is_none()),
                Difference::Gone(entry) => prop_assert!(locked.contains(entry) && twin(entry, &found).is_none()),
            }
        }
        let same = locked.iter().filter(|entry| found.contains(entry)).count();
        let changed = told.iter().filter(|one| matches!(one, Difference::Changed { .. })).count();
        prop_assert_eq!(told.len(), locked.len() + found.len() - 2 * same - changed);

    }
}
