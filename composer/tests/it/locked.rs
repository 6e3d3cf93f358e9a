//! The lock, for inputs that are files: where it is, what it says, and what `--locked` refuses.

use std::fs;

use crate::common::place::{Place, has, outcome};
use crate::common::{answers, doubles};
use composer::lock::{self, Digest, Entry, Lock};

const WHOLE: &str = r#"package example:whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source["answer"] };
export doubler["doubled"];
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("texts/whole.wac", WHOLE);
    place.write("parts/s.wasm", answers(21));
    place.write("parts/d.wasm", doubles());
    place
}

fn read(place: &Place, file: &str) -> Lock {
    lock::parse(file, &place.read(file)).expect("a lock")
}

fn entry(package: Option<&str>, source: &str, content: &[u8]) -> Entry {
    Entry {
        package: package.map(str::to_owned),
        source: source.to_owned(),
        manifest: None,
        digest: Digest::of(content),
    }
}

const TEXT: [&str; 8] = [
    "compose",
    "texts/whole.wac",
    "-o",
    "out/whole.wasm",
    "-d",
    "parts:source=parts/s.wasm",
    "-d",
    "parts:doubler=parts/d.wasm",
];

#[test]
fn files_alone_are_locked_when_asked_for() {
    let place = place();
    fs::create_dir(place.at("out")).expect("a directory");
    assert_eq!(place.said(&TEXT), (0, String::new()));
    assert!(!place.at("texts/interlock.lock").exists() && !place.at("interlock.lock").exists());

    let lock = [&TEXT[..], &["--lock", "texts/interlock.lock"]].concat();
    assert_eq!(place.said(&lock), (0, String::new()));
    let found = read(&place, "texts/interlock.lock");
    let doubler = entry(Some("parts:doubler"), "../parts/d.wasm", &doubles());
    let source = entry(Some("parts:source"), "../parts/s.wasm", &answers(21));
    assert_eq!(found.compositions["../out/whole.wasm"], [doubler.clone(), source]);

    // Once it is there it is found beside the text, and kept up to date.
    place.write("parts/s.wasm", answers(4));
    let (code, words) = place.said(&[&TEXT[..], &["--locked"]].concat());
    assert_eq!(code, 1);
    let (was, is) = (Digest::of(&answers(21)), Digest::of(&answers(4)));
    has(&words, &[&format!("`../parts/s.wasm` changed: locked {was}, found {is}")]);
    assert_eq!(place.said(&TEXT), (0, String::new()));
    let source = entry(Some("parts:source"), "../parts/s.wasm", &answers(4));
    assert_eq!(read(&place, "texts/interlock.lock").compositions["../out/whole.wasm"], [doubler, source]);
    assert_eq!(place.said(&[&TEXT[..], &["--locked"]].concat()), (0, String::new()));
}

#[test]
fn a_directory_is_what_was_in_it() {
    let place = place();
    let bag = ["compose", "parts", "-o", "whole.wasm", "--lock", "parts.lock"];
    assert_eq!(place.said(&bag), (0, String::new()));
    let expected = [entry(None, "parts/d.wasm", &doubles()), entry(None, "parts/s.wasm", &answers(21))];
    assert_eq!(read(&place, "parts.lock").compositions["whole.wasm"], expected);
    let locked = [&bag[..], &["--locked"]].concat();
    assert_eq!(place.said(&locked), (0, String::new()));
    let before = fs::read(place.at("whole.wasm")).expect("it is there");

    let other = answers(5);
    place.write("parts/other.wasm", &other);
    fs::remove_file(place.at("parts/d.wasm")).expect("it is there");
    let (code, words) = place.said(&locked);
    assert_eq!(code, 1);
    has(
        &words,
        &[
            "2 inputs are not what `parts.lock` says for `whole.wasm`",
            &format!(
                "`parts/d.wasm` is in the lock and not among the inputs: locked {}",
                Digest::of(&doubles())
            ),
            &format!("`parts/other.wasm` is not in the lock: found {}", Digest::of(&other)),
        ],
    );
    assert_eq!(fs::read(place.at("whole.wasm")).expect("it is there"), before);
}

#[test]
fn contracts_are_locked_too() {
    let place = place();
    place.write("wit/w.wit", "package example:worlds@1.0.0;\nworld w { export doubled: func() -> u32; }\n");
    place.write("texts/whole.wac", WHOLE.replacen(';', " targets example:worlds/w@1.0.0;", 1));
    let compose = [&TEXT[..], &["-d", "example:worlds=wit", "--lock", "interlock.lock"]].concat();
    let locked = [&compose[..], &["--locked"]].concat();
    assert_eq!(place.said(&compose), (0, String::new()));
    // The digest of a list of the files, as `sha256sum` writes it: anybody can check it.
    let contract = fs::read(place.at("wit/w.wit")).expect("it is there");
    let list = format!("{}  w.wit\n", Digest::of(&contract).hex());
    let entries = &read(&place, "interlock.lock").compositions["out/whole.wasm"];
    assert_eq!(entries[0], entry(Some("example:worlds"), "wit", list.as_bytes()));

    place.write("wit/.hidden", "of no interest");
    assert_eq!(place.said(&locked), (0, String::new()));
    place.write("wit/deps/other/o.wit", "package example:other;\n");
    let (code, words) = place.said(&locked);
    assert_eq!(code, 1);
    has(&words, &["`wit` changed: locked "]);
}

#[test]
fn a_lock_that_cannot_be_read_is_refused_and_left_as_it_is() {
    let place = place();
    let theirs = "{ \"packages\": [] }\n";
    place.write("texts/interlock.lock", theirs);
    for more in [&[][..], &["--locked"], &["--lock", "texts/interlock.lock"]] {
        let (code, words) = place.said(&[&TEXT[..], more].concat());
        assert_eq!(code, 3, "{words}");
        has(&words, &["texts/interlock.lock"]);
    }
    assert_eq!(place.read("texts/interlock.lock"), theirs);
}

#[test]
fn a_lock_of_the_old_name_is_to_be_renamed_and_one_of_another_tool_does_not_matter() {
    let place = place();
    place.write("texts/composer.lock", "{ \"packages\": [] }\n");
    assert_eq!(place.said(&TEXT), (0, String::new()));
    let mut old = Lock::default();
    old.compositions.insert("../out/whole.wasm".to_owned(), Vec::new());
    place.write("texts/composer.lock", lock::format(&old));
    let (code, words) = place.said(&TEXT);
    assert_eq!(code, 3, "{words}");
    has(
        &words,
        &["`texts/composer.lock` has the old name of the lock", "rename it to `texts/interlock.lock`"],
    );
    fs::rename(place.at("texts/composer.lock"), place.at("texts/interlock.lock")).expect("it can be renamed");
    let (code, words) = place.said(&TEXT);
    assert_eq!(code, 0, "{words}");
}

#[test]
fn a_project_has_one_lock_for_all_its_texts() {
    let place = place();
    place.write("interlock.toml", "[project]\nwit = \"wit\"\nout = \"out\"\n");
    place.write(
        "interlock.lock",
        lock::format(&Lock {
            compositions: [("out/whole.wasm".to_owned(), Vec::new()), ("b.wasm".to_owned(), Vec::new())]
                .into(),
        }),
    );
    assert_eq!(place.said(&TEXT), (0, String::new()));
    let found = read(&place, "interlock.lock");
    assert_eq!(found.compositions["out/whole.wasm"].len(), 2);
    assert!(found.compositions["b.wasm"].is_empty(), "what is said of others stays");
    assert!(!place.at("texts/interlock.lock").exists());
}

#[test]
#[cfg(unix)]
fn a_path_is_named_as_it_was_given_from_wherever_one_comes() {
    use std::os::unix::fs::symlink;

    let place = place();
    fs::rename(place.at("parts"), place.at("real")).expect("it is there");
    symlink("real", place.at("parts")).expect("a link");
    symlink(".", place.at("here")).expect("a link");
    let named = |input: &str, lock: &str| {
        let arguments = ["compose", input, "-o", "whole.wasm", "--lock", lock];
        assert_eq!(place.said(&arguments), (0, String::new()));
        let mut found = read(&place, "interlock.lock");
        let entries = found.compositions.remove("whole.wasm").expect("it is about the composition");
        fs::remove_file(place.at("interlock.lock")).expect("it is there");
        assert!(found.compositions.is_empty());
        entries.into_iter().map(|entry| entry.source).collect::<Vec<_>>()
    };
    assert_eq!(named("parts/s.wasm", "interlock.lock"), ["parts/s.wasm"]);
    assert_eq!(named("./parts/../parts/s.wasm", "interlock.lock"), ["real/s.wasm"]);
    let absolute = place.at("real/s.wasm");
    assert_eq!(named(absolute.to_str().expect("text"), "interlock.lock"), ["real/s.wasm"]);
    assert_eq!(named("real/s.wasm", "here/interlock.lock"), ["real/s.wasm"]);
}

#[test]
fn a_composition_that_fails_leaves_the_lock_as_it_was() {
    let place = place();
    place.write("texts/whole.wac", WHOLE.replace("answer: source[\"answer\"]", ""));
    let (code, _) = place.said(&[&TEXT[..], &["--lock", "interlock.lock"]].concat());
    assert_eq!(code, 1);
    assert!(!place.at("interlock.lock").exists() && !place.at("out").exists());
}

/// Names that are not UTF-8 are fine, as they are elsewhere; two that would look alike in a lock are not.
#[test]
#[cfg(target_os = "linux")]
fn names_that_are_no_text_are_told_apart_or_refused() {
    use std::os::unix::ffi::OsStrExt;

    let place = place();
    let named = |bytes: &[u8]| place.at("").join(std::ffi::OsStr::from_bytes(bytes));
    fs::write(named(b"\xff.wasm"), answers(1)).expect("a file");
    fs::write(named(b"\xfe.wasm"), doubles()).expect("a file");
    let compose = |more: &[&str]| {
        let mut command = place.command(&["compose", "-o", "whole.wasm"]);
        command.args([named(b"\xff.wasm"), named(b"\xfe.wasm")]).args(more);
        outcome(&command.output().expect("it can be started"))
    };
    assert_eq!(compose(&[]).0, 0);
    let (code, words) = compose(&["--lock", "interlock.lock"]);
    assert_eq!(code, 2);
    has(&words, &["two inputs would both be called `\u{fffd}.wasm` in the lock"]);
}

#[test]
fn an_input_by_another_name_is_told_apart_from_itself() {
    let place = place();
    let bag = |part: &str, more: &[&str]| {
        place.said(&[&["compose", "parts/d.wasm", part, "-o", "whole.wasm"], more].concat())
    };
    assert_eq!(bag("parts/s.wasm", &["--lock", "interlock.lock"]), (0, String::new()));
    let (code, words) = bag("x=parts/s.wasm", &["--locked"]);
    assert_eq!(code, 1, "{words}");
    has(
        &words,
        &[
            "`parts/s.wasm` is in the lock and not among the inputs: locked sha256:",
            "`parts/s.wasm` as `parts:x` is not in the lock: found sha256:",
        ],
    );
}

#[test]
fn a_lock_of_ours_that_cannot_be_read_is_not_passed_over() {
    let place = place();
    assert_eq!(place.said(&[&TEXT[..], &["--lock", "texts/interlock.lock"]].concat()), (0, String::new()));
    let lock = place.read("texts/interlock.lock");
    for (broken, word) in [
        (lock.replace("version = 1", "version = 2"), "version 2 of the lock is not known"),
        (lock.replace("digest = \"sha256:", "digest = \"sha"), "is not `sha256:` and 64"),
        (lock.lines().skip(2).collect::<Vec<_>>().join("\n").replace("output", "outputs"), "outputs"),
    ] {
        place.write("texts/interlock.lock", &broken);
        let (code, words) = place.said(&TEXT);
        assert_eq!(code, 3, "{words}");
        has(&words, &["texts/interlock.lock", word]);
        assert_eq!(place.read("texts/interlock.lock"), broken);
    }
}
