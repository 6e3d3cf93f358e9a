//! What `composer` makes of its inputs: directories with odd files in them, files given twice, names that are not text.

use std::fs;

use crate::common::place::{Place, has, outcome};
use crate::common::{answers, component, composer, doubles, links, shell_called};

/// Two parts in a directory.
fn place() -> Place {
    let place = Place::new();
    place.write("parts/s.wasm", answers(21));
    place.write("parts/d.wasm", doubles());
    place
}

const BAG: [&str; 4] = ["compose", "parts", "-o", "whole.wasm"];

#[test]
fn what_is_left_out_of_a_directory_is_said_with_the_reason() {
    let place = place();
    assert_eq!(place.said(&BAG), (0, String::new()));
    let whole = fs::read(place.at("whole.wasm")).expect("it was written");
    place.write("parts/a-core.wasm", component("(module)"));
    place.write("parts/b-cut.wasm", &doubles()[..6]);
    place.write("parts/c-empty.WASM", "");
    place.write("parts/e-next.wasm", b"\0asm\x0e\0\x01\0and so on");
    place.write("parts/f-png.wasm", b"\x89PNG\r\n\x1a\n and a picture");
    place.write("parts/g-text.wasm", "größ");
    fs::create_dir(place.at("parts/h-directory.wasm")).expect("a directory");
    // What does not claim to be WebAssembly is passed over.
    place.write("parts/read-me.md", "Parts.");
    place.write("parts/.hidden.wasm", "");
    let expected = "note: `parts/a-core.wasm` is left out: it is a core module, not a component\n\
                    note: `parts/b-cut.wasm` is left out: it is cut off after 6 bytes\n\
                    note: `parts/c-empty.WASM` is left out: it is empty\n\
                    note: `parts/e-next.wasm` is left out: it is WebAssembly of an unknown version\n\
                    note: `parts/f-png.wasm` is left out: it is not WebAssembly\n\
                    note: `parts/g-text.wasm` is left out: it is text\n\
                    note: `parts/h-directory.wasm` is left out: it is a directory\n";
    assert_eq!(place.said(&BAG), (0, expected.to_owned()));
    assert_eq!(fs::read(place.at("whole.wasm")).expect("it was written"), whole);

    fs::remove_file(place.at("parts/s.wasm")).expect("it is there");
    fs::remove_file(place.at("parts/d.wasm")).expect("it is there");
    let (code, words) = place.said(&BAG);
    assert_eq!(code, 3);
    has(&words, &["`parts/c-empty.WASM` is left out: it is empty", "there are no components in `parts`"]);
}

#[test]
fn how_long_a_file_in_a_directory_is_matters_only_where_it_is_a_component() {
    let place = place();
    // Files with holes: they take no room.
    let long = |name: &str, begin: &[u8]| {
        place.write(name, begin);
        let file = fs::File::options().write(true).open(place.at(name)).expect("it is there");
        file.set_len((1 << 30) + 1).expect("a long file");
    };
    long("parts/disk.img", b"");
    long("parts/text.wasm", b"a text of some length");
    let (code, words) = place.said(&BAG);
    assert_eq!((code, words.as_str()), (0, "note: `parts/text.wasm` is left out: it is text\n"));
    long("parts/long.wasm", &doubles()[..8]);
    let (code, words) = place.said(&BAG);
    assert_eq!(code, 3);
    has(&words, &["`parts/long.wasm` is longer than 1 GiB"]);
}

#[test]
#[cfg(unix)]
fn a_link_that_leads_nowhere_is_left_out_and_said() {
    let place = place();
    std::os::unix::fs::symlink("nowhere", place.at("parts/link.wasm")).expect("a link");
    let (code, words) = place.said(&BAG);
    assert_eq!(code, 0);
    has(&words, &["note: `parts/link.wasm` is left out: it cannot be read: "]);
}

#[test]
fn a_part_that_was_given_twice_goes_by_both_names() {
    let place = Place::new();
    place.write("top.wasm", links("top", &["t:i/base"], &["t:i/top"]));
    place.write("base.wasm", links("base", &[], &["t:i/base"]));
    place.write("copy.wasm", links("base", &[], &["t:i/base"]));
    place.write("rival.wasm", links("rival", &[], &["t:i/base"]));
    let given = ["compose", "base.wasm", "copy.wasm", "top.wasm", "-o"];
    let compose = |more: &[&str]| place.said(&[&given[..], more].concat());
    let note = "note: `copy.wasm` is the same component as `base.wasm`, and is used once\n";
    let rival = |name: &str, provider: &str| {
        let wire = format!("top={provider}");
        let words = compose(&[
            name,
            "rival.wasm",
            "--wire",
            &wire,
            "--export",
            "t:i/top",
            "--export",
            "rival.t:i/base",
        ]);
        assert_eq!(words, (0, note.to_owned()));
        fs::read(place.at(name)).expect("it was written")
    };
    assert_eq!(rival("a.wasm", "base"), rival("b.wasm", "copy"));
    // In whatever a name is said.
    assert_eq!(
        compose(&["c.wasm", "--export", "copy.t:i/base", "--export", "t:i/top"]),
        (0, note.to_owned())
    );
    assert_eq!(compose(&["d.wasm", "--wire", "top.t:i/base=copy"]), (0, note.to_owned()));
    let (code, words) = compose(&["e.wasm", "--deny", "copy=wasi:random/*"]);
    assert_eq!(code, 1);
    has(&words, &["cannot be closed for `base.wasm`", "none of its imports is an interface or a function"]);
    // A name of another part is not taken from it.
    let (code, words) = compose(&["f.wasm", "copy=rival.wasm", "--wire", "top=copy", "--export", "t:i/top"]);
    assert_eq!(code, 1);
    has(&words, &["`base` is used by nothing"]);
    let (code, words) = compose(&["g.wasm", "--wire", "top=nobody"]);
    assert_eq!(code, 2);
    has(&words, &["there is no part `nobody`", "there are `base`, `top`"]);
}

#[test]
#[cfg(unix)]
fn commands_that_are_printed_reach_files_whose_names_are_not_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    let place = place();
    let odd = OsStr::from_bytes(b"it's \xff9\n");
    let at = place.at("");
    let run = |arguments: &[&OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_composer"))
            .args(arguments)
            .current_dir(&at)
            .output()
            .expect("it can be started");
        let printed = String::from_utf8(output.stdout.clone()).expect("text, whatever the names are");
        assert_eq!(output.status.code(), Some(0), "{}", outcome(&output).1);
        printed
    };
    assert_eq!(place.said(&BAG), (0, String::new()));
    let whole = fs::read(place.at("whole.wasm")).expect("it was written");
    let word = |text: &'static str| OsStr::new(text);
    let command = run(&[word("decompose"), word("whole.wasm"), word("-o"), odd]);
    assert!(command.contains(r"$'it\'s \3779\012/whole.wac'"), "{command}");
    assert!(!command.contains('\u{fffd}'), "{command}");
    assert_eq!(shell_called("bash", &at, &command), (0, String::new()));
    assert_eq!(fs::read(place.at("again.wasm")).expect("it was written"), whole);

    let mut text = odd.to_owned();
    text.push("/found.wac");
    fs::remove_file(place.at("again.wasm")).expect("it is there");
    let parts = at.join("parts");
    let command =
        run(&[word("compose"), parts.as_os_str(), word("-o"), word("whole.wasm"), word("--emit-wac"), &text]);
    assert_eq!(shell_called("bash", &at, &command), (0, String::new()));
    assert_eq!(
        fs::read(place.at("again.wasm")).expect("it was written"),
        fs::read(place.at("whole.wasm")).expect("it was written")
    );

    // And a part under a name.
    let mut given = word("d=").to_owned();
    given.push(odd);
    given.push("/d.wasm");
    run(&[word("compose"), &given, word("parts/s.wasm"), word("-o"), word("named.wasm")]);
}

/// A composition whose parts are nested more deeply than is read.
fn deep() -> Vec<u8> {
    let mut text = "(component)".to_owned();
    for _ in 0..70 {
        text = format!("(component {text})");
    }
    component(&text)
}

#[test]
fn a_limit_is_not_told_as_damage() {
    let place = Place::new();
    place.write("deep.wasm", deep());
    let (code, words) = place.said(&["inspect", "deep.wasm"]);
    assert_eq!(code, 3);
    has(&words, &["components are nested more than 64 deep", "help: this is a limit of composer"]);
    assert!(!words.contains("damaged"), "{words}");
    let modules = "(core module)".repeat(10_001);
    place.write("many.wasm", component(&format!("(component {modules})")));
    let (code, words) = place.said(&["check", "many.wasm", "deep.wasm"]);
    assert_eq!(code, 3);
    has(&words, &["more than 10000 embedded modules and components", "help: this is a limit of composer"]);
    assert!(!words.contains("damaged"), "{words}");
}

#[test]
fn what_is_no_webassembly_is_refused_with_a_way_out() {
    let place = Place::new();
    place.write("empty.wasm", "");
    let (code, words) = place.said(&["inspect", "empty.wasm"]);
    assert_eq!(code, 3);
    has(&words, &["`empty.wasm` is not WebAssembly: it does not begin with `\\0asm`\n  help: "]);
    assert_eq!(composer(&place.at(""), &["check", "empty.wasm", "empty.wasm"]).status.code(), Some(3));
}

#[test]
fn the_text_form_of_webassembly_is_known_by_its_beginning() {
    let place = place();
    place.write("t.wat", "(; a (; (component) ;)\n;; b\n ( component)");
    place.write("text.wasm", "(module)");
    for (arguments, help) in [
        (&["compose", "t.wat", "-o", "x"][..], "`wasm-tools parse t.wat -o t.wasm` encodes it"),
        (&["compose", "t.wat", "text.wasm", "-o", "x"], "`wasm-tools parse"),
        (&["inspect", "t.wat"], "`wasm-tools parse t.wat -o t.wasm` encodes it"),
        (&["check", "text.wasm", "t.wat"], "`wasm-tools parse text.wasm -o OUT.wasm` encodes it"),
    ] {
        let (code, words) = place.said(arguments);
        assert_eq!(code, 3, "{words}");
        has(&words, &["it is WAT, the text form of WebAssembly", help]);
    }
    place.write("w.wac", "(package)");
    let (code, words) = place.said(&["compose", "w.wac", "-o", "x"]);
    assert!(code == 3 && !words.contains("WAT"), "{words}");
}

#[test]
fn a_component_that_exports_nothing_is_nothing_to_compose() {
    let place = place();
    place.write("a.wasm", component("(component)"));
    place.write("b.wasm", component(r#"(component (core module))"#));
    for inputs in [&["a.wasm"][..], &["a.wasm", "b.wasm"]] {
        let (code, words) = place.said(&[&["compose", "-o", "x"], inputs].concat());
        assert_eq!(code, 1, "{words}");
        has(&words, &["exports nothing", "help: a composition exports something of its parts"]);
    }
}

#[test]
fn a_component_is_one_also_where_its_name_is_that_of_a_contract() {
    let place = place();
    place.write("made/o.contract.wit", answers(1));
    place.write("made/d.wasm", doubles());
    for inputs in
        [&["made"][..], &["made/o.contract.wit", "made/d.wasm"], &["o=made/o.contract.wit", "made/d.wasm"]]
    {
        assert_eq!(
            place.said(&[&["compose", "-o", "x.wasm"], inputs].concat()),
            (0, String::new()),
            "{inputs:?}"
        );
    }
    // It stays where it is, too, where a contract would be written.
    let (code, words) = place.said(&["compose", "made", "--emit-wac", "made/o.wac"]);
    assert_eq!(code, 2, "{words}");
    has(&words, &["`made/o.contract.wit` is an input, and would be overwritten"]);
    assert_eq!(fs::read(place.at("made/o.contract.wit")).expect("it is there"), answers(1));
}
