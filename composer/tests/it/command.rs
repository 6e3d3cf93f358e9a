//! The command as people meet it: what it writes, what it says, how it exits.

use std::fs;
use std::process::{Command, Stdio};

use crate::common::{answers, component, composer, directory, doubles, said};
use tempfile::TempDir;

const WHOLE: &str = r#"package example:whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source["answer"] };
export doubler["doubled"];
"#;

fn parts() -> TempDir {
    directory(&[("whole.wac", WHOLE.as_bytes()), ("s.wasm", &answers(21)), ("d.wasm", &doubles())])
}

#[test]
fn a_composition_is_the_same_in_whatever_order_its_parts_are_given() {
    let directory = parts();
    let once =
        ["compose", "whole.wac", "-o", "a.wasm", "-d", "parts:source=s.wasm", "-d", "parts:doubler=d.wasm"];
    let again =
        ["compose", "whole.wac", "-o", "-", "-d", "parts:doubler=d.wasm", "-d", "parts:source=s.wasm"];
    assert_eq!(said(directory.path(), &once), (0, String::new()));
    let piped = composer(directory.path(), &again).stdout;
    let written = fs::read(directory.path().join("a.wasm")).expect("it was written");
    assert_eq!(piped, written);
    for part in [answers(21), doubles()] {
        assert!(written.windows(part.len()).any(|window| window == part), "parts are embedded byte for byte");
    }
}

#[test]
fn inspect_tells_programs_too() {
    let directory = parts();
    let arguments =
        ["compose", "whole.wac", "-o", "a.wasm", "-d", "parts:source=s.wasm", "-d", "parts:doubler=d.wasm"];
    assert_eq!(said(directory.path(), &arguments).0, 0);
    let output = composer(directory.path(), &["inspect", "a.wasm", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["format"], 1);
    assert_eq!(json["composition"], true);
    assert_eq!(json["imports"], serde_json::json!([]));
    assert_eq!(json["exports"], serde_json::json!(["doubled"]));
    assert_eq!(json["parts"][1]["name"], "doubler");
    assert_eq!(json["parts"][1]["language"], serde_json::Value::Null);
    assert_eq!(json["parts"][1]["bytes"], doubles().len());
    let from = serde_json::json!({ "kind": "part", "part": 0, "export": "answer" });
    let edge = serde_json::json!(
        { "part": 1, "import": "answer", "from": from, "functions": 1, "types_only": false }
    );
    assert_eq!(json["edges"], serde_json::json!([edge]));
    assert_eq!(json["parts"][1]["origin"]["file"], "d.wasm");
    assert_eq!((&json["link_map"], &json["link_map_error"]), (&"agrees".into(), &serde_json::Value::Null));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let directory = parts();
    let mut child = Command::new(env!("CARGO_BIN_EXE_composer"))
        .args(["inspect", "d.wasm", "--json"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(0), true));
}

#[test]
fn bad_inputs_are_named() {
    let whole = doubles();
    let module = component("(module)");
    let directory = directory(&[
        ("text.wasm", b"hello\n"),
        ("cut.wasm", &whole[..whole.len() - 9]),
        ("core.wasm", &module),
    ]);
    let inspect = |file: &str| said(directory.path(), &["inspect", file]);
    assert_eq!(
        inspect("text.wasm"),
        (
            3,
            "  × `text.wasm` is text, not a component\n  help: a component is a binary file; `composer compose` \
             makes one of a `.wac` text\n"
                .to_owned()
        )
    );
    let (code, words) = inspect("cut.wasm");
    assert_eq!(code, 3);
    assert!(
        words.starts_with("  × `cut.wasm` cannot be read as a component\n  ╰─▶ malformed at byte "),
        "{words}"
    );
    assert_eq!(
        inspect("core.wasm"),
        (
            3,
            "  × `core.wasm` is a core module, not a component\n  help: `composer componentize core.wasm -o OUT.wasm` \
             makes a component of it\n"
                .to_owned()
        )
    );
    assert_eq!(
        inspect("missing.wasm"),
        (
            3,
            "  × cannot read `missing.wasm`\n  ╰─▶ No such file or directory (os error 2)\n  help: look at how it is written; \
             relative paths begin in the current directory\n"
                .to_owned()
        )
    );
}

#[test]
fn a_mistake_in_a_text_is_shown_where_it_is() {
    let text = WHOLE.replacen("let doubler =", "\n\n\nlet doubler ==", 1);
    let directory = directory(&[("whole.wac", text.as_bytes())]);
    let expected = "  × expected either `new` keyword, `(`, or identifier, found `=`
   ╭─[whole.wac:6:14]
 5 │ 
 6 │ let doubler == new parts:doubler { answer: source[\"answer\"] };
   ·              ┬
   ·              ╰── unexpected `=`
 7 │ export doubler[\"doubled\"];
   ╰────
  help: the language is described at https://github.com/bytecodealliance/wac/blob/main/LANGUAGE.md; `composer compose A.wasm B.wasm --emit-wac OUT.wac` writes a text to begin with
";
    assert_eq!(said(directory.path(), &["compose", "whole.wac", "-o", "a.wasm"]), (3, expected.to_owned()));
    assert!(!directory.path().join("a.wasm").exists());
}

#[test]
fn a_package_that_was_not_given_is_named_with_the_flag_that_gives_it() {
    let directory = parts();
    let expected = "  × there is no package `parts:doubler`
   ╭─[whole.wac:3:19]
 2 │ let source = new parts:source {};
 3 │ let doubler = new parts:doubler { answer: source[\"answer\"] };
   ·                   ──────┬──────
   ·                         ╰── nothing was given for this
 4 │ export doubler[\"doubled\"];
   ╰────
  help: say which file it is: `-d parts:doubler=FILE.wasm` for a component, `-d parts:doubler=DIRECTORY` for a WIT package
";
    let arguments = ["compose", "whole.wac", "-o", "a.wasm", "-d", "parts:source=s.wasm"];
    assert_eq!(said(directory.path(), &arguments), (1, expected.to_owned()));
}

#[test]
fn a_target_world_that_does_not_fit_is_named() {
    let wit = "package example:worlds@1.0.0;\nworld silent { export doubled: func() -> u32; }\n";
    let text = "package example:whole targets example:worlds/silent@1.0.0;\nlet d = new parts:d { ... };\nexport d[\"doubled\"];\n";
    let directory =
        directory(&[("whole.wac", text.as_bytes()), ("d.wasm", &doubles()), ("wit/w.wit", wit.as_bytes())]);
    let expected =
        "  × the composition imports `answer`, which its target world `example:worlds/silent@1.0.0` does not
   ╭─[whole.wac:1:31]
 1 │ package example:whole targets example:worlds/silent@1.0.0;
   ·                               ─────────────┬─────────────
   ·                                            ╰── this world
 2 │ let d = new parts:d { ... };
   ╰────
  help: `parts:d` wants it: wire that import to a part that exports it, or let the world import it
        what does not fit:
        missing-function: answer
          it imports the function `answer`, which the world does not
          ╭─ wanted by `the composition`
          │ answer: func() -> u32;
          · ──────
          ╰─
          help: build `the composition` so that it does without `answer`, or let the world import it

";
    let arguments = ["compose", "whole.wac", "-o", "a.wasm", "-d", "parts:d=d.wasm", "--wit", "wit"];
    assert_eq!(said(directory.path(), &arguments), (1, expected.to_owned()));
}

/// A component that exports `example:kit/types` with two records, one in the other, and `example:kit/api` that
/// uses the outer one.
fn kit() -> Vec<u8> {
    component(
        r#"(component
            (component $shim
                (type $coin (record (field "worth" u32)))
                (export $named "coin" (type $coin))
                (type $purse (record (field "coin" $named)))
                (export "purse" (type $purse)))
            (instance $types (instantiate $shim))
            (export $exported "example:kit/types" (instance $types))
            (alias export $exported "purse" (type $purse))
            (core module $m (func (export "f") (result i32) i32.const 1))
            (core instance $i (instantiate $m))
            (func $f (result $purse) (canon lift (core func $i "f")))
            (instance $api (export "purse" (type $purse)) (export "f" (func $f)))
            (export "example:kit/api" (instance $api)))"#,
    )
}

#[test]
fn an_interface_is_exported_after_the_one_it_takes_types_from_in_either_order() {
    let compose = |exports: &str| {
        let text = format!("package example:whole;\nlet kit = new parts:kit {{}};\n{exports}");
        let directory = directory(&[("whole.wac", text.as_bytes()), ("kit.wasm", &kit())]);
        said(directory.path(), &["compose", "whole.wac", "-o", "o.wasm", "-d", "parts:kit=kit.wasm"])
    };
    let types = "export kit[\"example:kit/types\"];\n";
    let api = "export kit[\"example:kit/api\"];\n";
    assert_eq!(compose(&format!("{types}{api}")), (0, String::new()));

    assert_eq!(compose(&format!("{api}{types}")), (0, String::new()));
}

#[test]
fn hostile_texts_are_refused_before_they_are_parsed() {
    let deep = format!("package a:b; let x = {}", "(".repeat(100_000));
    let long = " ".repeat(2 << 20);
    let directory = directory(&[("deep.wac", deep.as_bytes()), ("long.wac", long.as_bytes())]);
    assert_eq!(
        said(directory.path(), &["compose", "deep.wac", "-o", "a.wasm"]),
        (3, "  × deep.wac:1:86: brackets are nested more than 64 deep\n".to_owned())
    );
    assert_eq!(
        said(directory.path(), &["compose", "long.wac", "-o", "a.wasm"]),
        (3, "  × long.wac:1:1: the text is too long: 2097152 bytes, where the limit is 1048576\n".to_owned())
    );
}

#[test]
fn a_core_module_becomes_a_component_of_its_world() {
    let wit =
        "package example:worlds; world w { export answer: func() -> u32; } world other { export x: func(); }";
    let core = component(r#"(module (func (export "answer") (result i32) i32.const 42))"#);
    let old = component(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))"#,
    );
    let directory = directory(&[("core.wasm", &core), ("old.wasm", &old), ("w.wit", wit.as_bytes())]);
    let at = directory.path();
    let made = ["componentize", "core.wasm", "-o", "made.wasm", "--wit", "w.wit", "--world", "w"];
    assert_eq!(said(at, &made), (0, String::new()));
    let found = anatomy::read(&fs::read(at.join("made.wasm")).expect("it was written")).expect("a component");
    assert_eq!(found.exports, ["answer"]);

    let (code, words) = said(at, &["componentize", "core.wasm", "-o", "x.wasm"]);
    assert_eq!(code, 1);
    assert!(words.contains("does not say which world it was built for"), "{words}");
    assert!(words.contains("help: name it: `--world WORLD`"), "{words}");

    let (code, words) = said(at, &["componentize", "made.wasm", "-o", "x.wasm"]);
    assert_eq!(code, 3);
    assert!(words.contains("this is a component already"), "{words}");

    let over = ["componentize", "old.wasm", "-o", "core.wasm", "--adapt", "core.wasm"];
    assert_eq!(said(at, &over).0, 2, "an adapter is an input too");
    assert_eq!(fs::read(at.join("core.wasm")).expect("it is there"), core);

    let other = ["componentize", "core.wasm", "-o", "x.wasm", "--wit", "w.wit", "--world", "other"];
    assert_eq!(said(at, &other).0, 1);
    let none = ["componentize", "core.wasm", "-o", "x.wasm", "--wit", "w.wit", "--world", "none"];
    let (code, words) = said(at, &none);
    assert_eq!(code, 1);
    assert!(
        words.contains("there is no world `none`; there are `example:worlds/w`, `example:worlds/other`"),
        "{words}"
    );
    assert!(!at.join("x.wasm").exists());
}

#[test]
fn bindings_are_written_for_a_world() {
    let wit = "package example:worlds; world w { export answer: func() -> u32; }";
    let directory = directory(&[("w.wit", wit.as_bytes())]);
    let output = composer(directory.path(), &["bindgen", "--world", "w", "--wit", "w.wit", "--out", "gen"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).expect("text"), "gen/w.c\ngen/w.h\ngen/w_component_type.o\n");
    let header = fs::read_to_string(directory.path().join("gen/w.h")).expect("it was written");
    assert!(
        header.contains("uint32_t exports_w_answer(void)") || header.contains("answer(void)"),
        "{header}"
    );
}

#[test]
fn a_wrong_command_line_exits_with_two() {
    let directory = directory(&[]);
    for arguments in [&["nonsense"][..], &["compose"], &["compose", "a.wac", "-o", "x", "-d", "nonsense"]] {
        assert_eq!(said(directory.path(), arguments).0, 2);
    }
    assert_eq!(composer(directory.path(), &["--help"]).status.code(), Some(0));
}

#[test]
fn an_output_never_takes_the_place_of_an_input() {
    let directory = parts();
    let compose = |output: &str| {
        let given = ["-d", "parts:source=s.wasm", "-d", "parts:doubler=d.wasm"];
        said(directory.path(), &[&["compose", "whole.wac", "-o", output], &given[..]].concat())
    };
    for name in ["whole.wac", "./s.wasm", "d.wasm"] {
        let expected = format!(
            "  × `{name}` is an input, and would be overwritten\n  help: give `-o` the name of another file\n"
        );
        assert_eq!(compose(name), (2, expected));
    }
    assert_eq!(fs::read(directory.path().join("whole.wac")).expect("it is there"), WHOLE.as_bytes());
    assert_eq!(fs::read(directory.path().join("s.wasm")).expect("it is there"), answers(21));
}

#[test]
#[cfg(unix)]
fn an_output_goes_where_a_link_points_and_into_a_device() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let directory = parts();
    let compose = |output: &str| {
        let given = ["-d", "parts:source=s.wasm", "-d", "parts:doubler=d.wasm"];
        said(directory.path(), &[&["compose", "whole.wac", "-o", output], &given[..]].concat())
    };
    let at = |name: &str| directory.path().join(name);
    fs::write(at("real.wasm"), b"old").expect("a file");
    symlink("real.wasm", at("link.wasm")).expect("a link");
    assert_eq!(compose("link.wasm"), (0, String::new()));
    assert!(fs::symlink_metadata(at("link.wasm")).expect("it is there").is_symlink());
    anatomy::read(&fs::read(at("real.wasm")).expect("it is there")).expect("a component");

    // By a link in a directory of the test's own, so that a mistake here replaces nothing that others need.
    symlink("/dev/null", at("nothing")).expect("a link");
    assert_eq!(compose("nothing"), (0, String::new()));
    let device = fs::metadata("/dev/null").expect("it is there").file_type();
    assert!(device.is_char_device());
}

#[test]
#[cfg(unix)]
fn an_input_without_end_is_refused() {
    let directory = directory(&[]);
    let (code, words) = said(directory.path(), &["inspect", "/dev/zero"]);
    assert_eq!((code, words.as_str()), (3, "  × `/dev/zero` is longer than 1 GiB\n"));
}

#[test]
fn names_of_files_do_not_steer_the_terminal() {
    let directory = directory(&[]);
    let (code, words) = said(directory.path(), &["inspect", "a\u{1b}]0;b\u{7}"]);
    assert_eq!(code, 3);
    assert!(words.starts_with("  × cannot read `a\u{fffd}]0;b\u{fffd}`\n"), "{words:?}");
}

#[test]
fn a_directory_without_the_package_it_is_given_for_is_named() {
    let directory = parts();
    fs::create_dir(directory.path().join("wit")).expect("a directory");
    fs::write(directory.path().join("wit/a.wit"), "package other:contracts;\n").expect("a file");
    let given = ["-d", "parts:source=wit", "-d", "parts:doubler=d.wasm"];
    let arguments = [&["compose", "whole.wac", "-o", "a.wasm"], &given[..]].concat();
    let expected = "  × there is no WIT package `parts:source` in `wit`\n  help: a component is given as its `.wasm` \
                    file, a WIT package as its directory\n";
    assert_eq!(said(directory.path(), &arguments), (3, expected.to_owned()));
}

#[test]
fn every_mistake_comes_with_a_way_out() {
    let directory = parts();
    let at = directory.path();
    let write = |name: &str, text: &str| {
        let path = at.join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, text).expect("a file");
    };
    write("undefined.wac", "package a:b;\nlet d = new parts:d { answer: nobody };\nexport d[\"doubled\"];\n");
    write(
        "twice.wac",
        "package a:b;\nlet s = new parts:s {};\nlet s = new parts:s {};\nexport s[\"answer\"];\n",
    );
    write(
        "import.wac",
        "package a:b;\nlet s = new parts:s {};\nlet d = new parts:d { other: s[\"answer\"], ... };\nexport d[\"doubled\"];\n",
    );
    write("export.wac", "package a:b;\nlet s = new parts:s {};\nexport s[\"other\"];\n");
    write("wit/a.wit", "package a:b;\nworld w { export f: func(a: nope); }\n");
    write("worlds.wit", "package a:b;\nworld one {}\nworld two {}\n");
    write("uses/a.wit", "package a:b;\nworld w { import c:d/e; }\n");
    let compose = |arguments: &[&str]| {
        let given = ["-d", "parts:s=s.wasm", "-d", "parts:d=d.wasm"];
        said(at, &[&["compose"], arguments, &given[..]].concat())
    };
    let check = |arguments: &[&str]| said(at, &[&["check", "s.wasm"], arguments].concat());
    for ((code, words), exit, way_out) in [
        (compose(&["undefined.wac", "-o", "x"]), 1, "a name is defined above the place that uses it"),
        (compose(&["twice.wac", "-o", "x"]), 1, "give one of the two another name"),
        (compose(&["import.wac", "-o", "x"]), 1, "it imports `answer`"),
        (compose(&["export.wac", "-o", "x"]), 1, "`composer inspect` of the component"),
        (
            compose(&["whole.wac", "-o", "wit", "-d", "source=s.wasm", "-d", "doubler=d.wasm"]),
            1,
            "it is a directory: name a file in it",
        ),
        (
            compose(&["whole.wac", "-o", "s.wasm/x", "-d", "source=s.wasm", "-d", "doubler=d.wasm"]),
            1,
            "is a file: write to another place",
        ),
        (
            compose(&["whole.wac", "-o", "x", "-d", "s=d.wasm"]),
            2,
            "keep one of the two: `d.wasm` or `s.wasm`",
        ),
        (compose(&["whole.wac", "-o", "x", "--lock", "made.lock"]), 1, "say which file it is"),
        (compose(&["s.wac", "d.wasm", "-o", "x"]), 3, "there is `s.wasm`"),
        (compose(&["gone/s.wac", "d.wasm", "-o", "x"]), 3, "there is no directory `gone` either"),
        (compose(&["wit/../wit", "d.wasm", "-o", "x"]), 3, "only the directory itself is looked at"),
        (said(at, &["inspect", "wit"]), 3, "it is a directory: name a file"),
        (check(&["--world", "wit"]), 3, "correct it at the place that is shown"),
        (check(&["--world", "uses"]), 3, "belong into `uses/deps`"),
        (check(&["--world", "worlds.wit#three"]), 3, "name one of those that there are"),
        (check(&["--world", "world.wit"]), 3, "relative paths begin in the current directory"),
    ] {
        assert_eq!(code, exit, "{words}");
        assert!(words.contains("help: ") && words.contains(way_out), "`{way_out}` is not in:\n{words}");
    }
    // The way of the parser through directories is nobody's business.
    let (_, words) = check(&["--world", "wit"]);
    assert!(words.contains("╰─▶ name `nope` does not exist") && !words.contains("failed to"), "{words}");
    fs::write(at.join("lock.wasm"), b"\0asm\xff").expect("a file");
    let (code, words) = compose(&["s.wasm", "-o", "x", "--lock", "lock.wasm"]);
    assert_eq!(code, 3, "{words}");
    assert!(words.contains("give `--lock` a file of its own"), "{words}");
}

#[test]
fn the_help_of_every_command_has_its_exit_codes() {
    let directory = directory(&[]);
    let help = |arguments: &[&str]| {
        let output = composer(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    let whole = help(&["--help"]);
    let named = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let listed = whole.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed
        .take_while(|line| !line.is_empty())
        .filter(named)
        .filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 12, "{names:?}");
    for name in names {
        for way in [&[name, "--help"][..], &[name, "-h"], &["help", name]] {
            let text = help(way);
            for line in [
                "\nExit codes:\n  0  ",
                "\n  1  ",
                "\n  2  the command line is wrong\n",
                "\n  3  an input cannot be read",
            ] {
                assert_eq!(text.matches(line).count(), 1, "{way:?}: `{line}` in:\n{text}");
            }
        }
    }
}
