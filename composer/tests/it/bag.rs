//! `composer compose` without a text, as people meet it: inputs, what it writes, what it says, how it exits.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::{answers, component, composer, directory, links, of_world, said, shell};
use tempfile::TempDir;

/// Three parts, one of which asks for something of the host.
fn three() -> TempDir {
    directory(&[
        ("top.wasm", &links("top", &["t:i/middle@1.0.0"], &["t:i/top"])),
        ("parts/middle.wasm", &links("middle", &["t:i/base", "wasi:io/poll@0.2.0"], &["t:i/middle@1.1.0"])),
        ("parts/base.wasm", &links("base", &[], &["t:i/base"])),
    ])
}

fn bytes(directory: &Path, name: &str) -> Vec<u8> {
    fs::read(directory.join(name)).expect("it was written")
}

fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).expect("text");
    (output.status.code().expect("it was not killed"), text(&output.stderr), text(&output.stdout))
}

fn text(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).expect("it was written")
}

#[test]
fn files_directories_and_names_give_the_same_bytes_in_any_order() {
    let directory = three();
    let at = directory.path();
    let ways: [&[&str]; 6] = [
        &["top.wasm", "parts/middle.wasm", "parts/base.wasm"],
        &["parts/base.wasm", "top.wasm", "parts/middle.wasm"],
        &["parts", "top.wasm"],
        &["top.wasm", "parts/", "parts/base.wasm"],
        &["top=top.wasm", "base=parts/base.wasm", "-d", "middle=parts/middle.wasm"],
        &["-d", "parts:top=top.wasm", "parts"],
    ];
    for way in ways {
        let composed = composer(at, &[&["compose", "-o", "-"], way].concat());
        assert_eq!((composed.status.code(), composed.stderr.as_slice()), (Some(0), &b""[..]), "{way:?}");
        if !at.join("first.wasm").exists() {
            fs::write(at.join("first.wasm"), &composed.stdout).expect("a file");
        }
        assert_eq!(composed.stdout, bytes(at, "first.wasm"), "{way:?}");
    }
    let whole = bytes(at, "first.wasm");
    for part in ["top.wasm", "parts/middle.wasm", "parts/base.wasm"] {
        let part = bytes(at, part);
        assert!(whole.windows(part.len()).any(|window| window == part), "parts are embedded byte for byte");
    }
}

#[test]
fn the_text_that_was_found_composes_to_the_same_bytes() {
    let directory = three();
    let at = directory.path();
    let emit = ["compose", "top.wasm", "parts", "-o", "whole.wasm", "--emit-wac", "out/whole.wac"];
    let emitted = composer(at, &emit);
    assert_eq!(emitted.status.code(), Some(0));
    let wrote = String::from_utf8(emitted.stderr).expect("text");
    assert_eq!(wrote, "wrote out/whole.wac\nwrote out/whole.contract.wit\n");
    assert_eq!(
        text(at, "out/whole.wac"),
        r#"package composed:whole targets contract:whole/whole;

let base = new parts:base {};

let middle = new parts:middle {
    "t:i/base": base["t:i/base"],
    // From the host:
    //   wasi:io/poll@0.2.0
    ...
};

let top = new parts:top {
    "t:i/middle@1.0.0": middle["t:i/middle@1.1.0"],
};

export top["t:i/top"];
"#
    );
    assert_eq!(
        text(at, "out/whole.contract.wit"),
        "package contract:whole;\n\nworld whole {\n  import wasi:io/poll@0.2.0;\n\n  export t:i/top;\n}\n\n\
         package t:i {\n  interface top {\n    f: func() -> u32;\n  }\n}\n\n\
         package wasi:io@0.2.0 {\n  interface poll {\n    f: func() -> u32;\n  }\n}\n"
    );
    let command = String::from_utf8(emitted.stdout).expect("text");
    assert_eq!(
        command,
        "composer compose out/whole.wac -o again.wasm \\
    -d contract:whole=out/whole.contract.wit \\
    -d parts:base=parts/base.wasm \\
    -d parts:middle=parts/middle.wasm \\
    -d parts:top=top.wasm
"
    );
    assert_eq!(shell(at, &command), (0, String::new()));
    assert_eq!(bytes(at, "again.wasm"), bytes(at, "whole.wasm"));

    let only_text = composer(at, &["compose", "top.wasm", "parts", "--emit-wac", "-"]);
    let expected = text(at, "out/whole.wac").replace(" targets contract:whole/whole", "");
    assert_eq!(String::from_utf8(only_text.stdout).expect("text"), expected);
    let words = String::from_utf8(only_text.stderr).expect("text");
    assert!(words.starts_with("note: a text on standard output targets no world"), "{words}");
    assert!(words.contains("`--emit-wac FILE`"), "{words}");
}

#[test]
fn a_world_that_was_named_is_the_target() {
    let directory = three();
    let at = directory.path();
    let wit = "package t:worlds@1.0.0;\nworld fits { import wasi:io/poll@0.2.0; export t:i/top; }\nworld silent { \
               export t:i/top; }\npackage t:i { interface top { f: func() -> u32; } }\npackage wasi:io@0.2.0 { interface \
               poll { f: func() -> u32; } }\n";
    fs::write(at.join("w.wit"), wit).expect("a file");
    let compose = |world: &str| {
        let given =
            ["compose", "top.wasm", "parts", "-o", "whole.wasm", "--emit-wac", "whole.wac", "--wit", "w.wit"];
        outcome(&composer(at, &[&given[..], &["--world", world]].concat()))
    };
    let (code, words, command) = compose("fits");
    assert_eq!((code, words.as_str()), (0, "wrote whole.wac\n"));
    assert!(text(at, "whole.wac").starts_with("package composed:whole targets t:worlds/fits@1.0.0;\n"));
    assert!(!at.join("whole.contract.wit").exists());
    assert!(command.ends_with(" \\\n    --wit w.wit\n"), "{command}");
    assert_eq!(shell(at, &command), (0, String::new()));
    assert_eq!(bytes(at, "again.wasm"), bytes(at, "whole.wasm"));

    let (code, words, _) = compose("silent");
    assert_eq!(code, 1);
    let expected = "the composition imports `wasi:io/poll@0.2.0`, which its target world `t:worlds/silent@1.0.0` does not";
    assert!(words.contains(expected), "{words}");
    assert!(words.contains("`middle` wants it"), "{words}");
    assert_eq!(
        compose("none"),
        (
            1,
            "  × there is no target\n  ╰─▶ there is no world `none`; there are `t:worlds/fits@1.0.0`, \
             `t:worlds/silent@1.0.0`\n  help: name one of those that there are: in the main package by the short name, elsewhere by \
             the full one\n"
                .to_owned(),
            String::new()
        )
    );
}

#[test]
fn what_does_not_fit_together_is_refused_with_the_flag_that_decides_it() {
    let directory = three();
    let at = directory.path();
    fs::write(at.join("parts/rival.wasm"), links("rival", &[], &["t:i/base"])).expect("a file");
    let refused = |arguments: &[&str]| said(at, &[&["compose", "-o", "x.wasm"], arguments].concat());
    assert_eq!(
        refused(&["top.wasm", "parts"]),
        (
            1,
            "  × `middle` imports `t:i/base`, which 2 parts export: `base`, `rival`\n  help: say which: `--wire \
             middle.t:i/base=base` or `--wire middle.t:i/base=rival`\n"
                .to_owned()
        )
    );
    assert_eq!(
        refused(&["top.wasm", "parts/middle.wasm", "parts/base.wasm", "parts/rival.wasm", "--wire",
            "middle.t:i/base=rival", "--export", "t:i/top"]),
        (
            1,
            "  × `base` is used by nothing: it exports `t:i/base`\n  help: leave out what is not needed, or have the result \
             export what it is there for: `--export base.t:i/base`\n"
                .to_owned()
        )
    );
    // What lies in a directory was not asked for one by one.
    assert_eq!(
        refused(&["top.wasm", "parts", "--wire", "middle.t:i/base=rival", "--export", "t:i/top"]),
        (0, "note: `base` is used by nothing, and left out\n".to_owned())
    );
    assert_eq!(
        refused(&["parts/base.wasm", "top.wasm"]),
        (
            1,
            "  × `top` imports `t:i/middle@1.0.0`, which nothing that was given exports\n  help: give the component that \
             exports it, or leave it to the host: `--leave-open t:i/middle@1.0.0`\n"
                .to_owned()
        )
    );
    let open = ["parts/base.wasm", "top.wasm", "--leave-open", "t:i/middle"];
    assert_eq!(refused(&open), (0, String::new()));
}

#[test]
fn the_content_of_an_input_tells_what_it_is() {
    let directory = three();
    let at = directory.path();
    fs::write(
        at.join("text.wasm"),
        "package a:b;\nlet base = new parts:base {};\nexport base[\"t:i/base\"];\n",
    )
    .expect("a file");
    fs::copy(at.join("parts/base.wasm"), at.join("base.wac")).expect("a file");
    fs::write(at.join("core.wasm"), component("(module)")).expect("a file");
    fs::create_dir(at.join("empty")).expect("a directory");
    let compose = |arguments: &[&str]| said(at, &[&["compose", "-o", "x.wasm"], arguments].concat());
    assert_eq!(compose(&["text.wasm", "-d", "base=parts/base.wasm"]), (0, String::new()));
    assert_eq!(compose(&["base.wac"]), (0, String::new()));
    for (arguments, code, words) in [
        (
            &["top.wasm", "text.wasm"][..],
            3,
            "  × `text.wasm` is text, not a component\n  help: a `.wac` text stands alone, and components go with it by `-d \
             NAME=FILE.wasm`\n",
        ),
        (
            &["core.wasm", "top.wasm"],
            3,
            "  × `core.wasm` is a core module, not a component\n  help: `composer componentize core.wasm -o OUT.wasm` makes \
             a component of it\n",
        ),
        (
            &["empty"],
            3,
            "  × there are no components in `empty`\n  help: only the directory itself is looked at, not directories in it\n",
        ),
        (
            &["text.wasm", "--export", "t:i/base"],
            2,
            "  × `--export` is for components without a text, and `text.wasm` is a text\n  help: write it into the text\n",
        ),
        (
            &["Top=top.wasm"],
            2,
            "  × `Top` cannot be the name of a part\n  help: a name is words of lower-case letters and digits that begin with \
             a letter, joined by hyphens\n",
        ),
        (
            &["top.wasm", "-d", "their:base=parts/base.wasm"],
            2,
            "  × `-d their:base=…` names a package, where there is no text that mentions it\n  help: without a `.wac` text, \
             a component is given as `NAME=FILE`\n",
        ),
    ] {
        assert_eq!(compose(arguments), (code, words.to_owned()), "{arguments:?}");
    }
    let (code, words) = compose(&["missing.wasm", "top.wasm"]);
    assert_eq!(code, 3);
    assert!(words.starts_with("  × cannot read `missing.wasm`\n"), "{words}");
}

#[test]
fn a_damaged_component_is_named_by_its_file() {
    let directory = three();
    let at = directory.path();
    let mut damaged = bytes(at, "parts/base.wasm");
    damaged.truncate(damaged.len() - 4);
    fs::write(at.join("damaged.wasm"), damaged).expect("a file");
    let (code, words) = said(at, &["compose", "damaged.wasm", "top.wasm", "-o", "x.wasm"]);
    assert_eq!(code, 3);
    assert!(words.contains("`damaged.wasm` cannot be read as a component"), "{words}");
}

#[test]
fn files_of_one_name_and_files_of_one_content_are_told_apart() {
    let directory = directory(&[
        ("a/part.wasm", &links("one", &[], &["t:i/one"])),
        ("b/part.wasm", &links("other", &["t:i/one"], &["t:i/other"])),
        ("c/copy.wasm", &links("one", &[], &["t:i/one"])),
    ]);
    let compose = |inputs: [&str; 3]| {
        let output = composer(directory.path(), &[&["compose", "-o", "-"], &inputs[..]].concat());
        (output.stdout, String::from_utf8(output.stderr).expect("text"))
    };
    let (one, words) = compose(["a/part.wasm", "b/part.wasm", "c/copy.wasm"]);
    assert_eq!(words, "note: `c/copy.wasm` is the same component as `a/part.wasm`, and is used once\n");
    let mut names: Vec<String> =
        anatomy::read(&one).expect("a component").parts.iter().map(|part| part.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["part", "part2"]);
    assert_eq!(compose(["c/copy.wasm", "b/part.wasm", "a/part.wasm"]), (one, words));
}

#[test]
fn an_output_is_no_input_and_an_input_no_output() {
    let directory = three();
    let at = directory.path();
    fs::rename(at.join("top.wasm"), at.join("parts/top.wasm")).expect("it is there");
    let compose = |output: &str| said(at, &["compose", "parts", "-o", output]);
    assert_eq!(compose("parts/whole.wasm"), (0, String::new()));
    let first = bytes(at, "parts/whole.wasm");
    assert_eq!(
        compose("parts/whole.wasm"),
        (0, String::new()),
        "the output of the run before is not taken in"
    );
    assert_eq!(bytes(at, "parts/whole.wasm"), first);

    let inputs = ["compose", "parts/top.wasm", "parts/middle.wasm", "base=parts/base.wasm"];
    for output in ["parts/top.wasm", "parts/base.wasm"] {
        for flag in ["-o", "--emit-wac"] {
            let expected = format!(
                "  × `{output}` is an input, and would be overwritten\n  help: give `-o` the name of another file\n"
            );
            let before = bytes(at, output);
            assert_eq!(said(at, &[&inputs[..], &[flag, output]].concat()), (2, expected));
            assert_eq!(bytes(at, output), before);
        }
    }
}

#[test]
fn a_provider_of_another_type_is_shown_with_both_types() {
    let directory = directory(&[
        ("asks.wasm", &links("asks", &["t:i/x"], &["t:i/asks"])),
        (
            "has.wasm",
            &component(
                r#"(component
                    (core module $m (func (export "f") (result i64) i64.const 1))
                    (core instance $i (instantiate $m))
                    (func $f (result u64) (canon lift (core func $i "f")))
                    (instance $e (export "f" (func $f)))
                    (export "t:i/x" (instance $e)))"#,
            ),
        ),
    ]);
    let (code, words) = said(directory.path(), &["compose", "asks.wasm", "has.wasm", "-o", "x.wasm"]);
    assert_eq!(code, 1);
    assert!(words.contains("the components do not fit each other"), "{words}");
    assert!(words.contains("`u32` is wanted, `u64` is offered"), "{words}");
}

#[test]
fn plain_functions_are_wired_too() {
    let relay = component(
        r#"(component
            (import "answer" (func $answer (result u32)))
            (core func $lowered (canon lower (func $answer)))
            (core module $m
                (import "" "answer" (func $answer (result i32)))
                (func (export "f") (result i32) call $answer))
            (core instance $i (instantiate $m (with "" (instance (export "answer" (func $lowered))))))
            (func (export "passed-on") (result u32) (canon lift (core func $i "f"))))"#,
    );
    let directory = directory(&[("relay.wasm", &relay), ("source.wasm", &answers(3))]);
    let at = directory.path();
    assert_eq!(said(at, &["compose", "relay.wasm", "source.wasm", "-o", "x.wasm"]), (0, String::new()));
    let found = anatomy::read(&bytes(at, "x.wasm")).expect("a component");
    assert_eq!((found.imports.len(), found.exports.as_slice()), (0, &["passed-on".to_owned()][..]));
}

#[test]
fn no_output_takes_the_place_of_another() {
    let directory = three();
    let at = directory.path();
    fs::create_dir(at.join("out")).expect("a directory");
    fs::write(
        at.join("text.wac"),
        "package a:b;\nlet base = new parts:base {};\nexport base[\"t:i/base\"];\n",
    )
    .expect("a file");
    let bag = &["compose", "top.wasm", "parts"][..];
    let text = &["compose", "text.wac", "-d", "base=parts/base.wasm"][..];
    for (inputs, outputs, path, first, second) in [
        (bag, &["-o", "o.wasm", "--emit-wac", "./o.wasm"][..], "./o.wasm", "the composition", "its text"),
        (
            bag,
            &["-o", "o.contract.wit", "--emit-wac", "o.wac"],
            "o.contract.wit",
            "the composition",
            "the contract of its text",
        ),
        (
            bag,
            &["-o", "out/../interlock.lock", "--lock", "interlock.lock"],
            "interlock.lock",
            "the composition",
            "the lock",
        ),
        (bag, &["-o", "interlock.lock"], "interlock.lock", "the composition", "the lock"),
        (
            bag,
            &["--emit-wac", "interlock.lock", "--lock", "interlock.lock"],
            "interlock.lock",
            "its text",
            "the lock",
        ),
        (text, &["-o", "new.lock", "--lock", "new.lock"], "new.lock", "the composition", "the lock"),
        (text, &["-o", "interlock.lock"], "interlock.lock", "the composition", "the lock"),
    ] {
        let expected = format!(
            "  × `{path}` would be written twice: as {first} and as {second}\n  help: give each of them a name of its own\n"
        );
        assert_eq!(said(at, &[inputs, outputs].concat()), (2, expected), "{outputs:?}");
    }
    let mut left: Vec<String> = fs::read_dir(at)
        .expect("a directory")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert_eq!(left, ["out", "parts", "text.wac", "top.wasm"], "nothing is written");
    // A device has room for everything.
    #[cfg(unix)]
    assert_eq!(said(at, &[bag, &["-o", "/dev/null", "--emit-wac", "/dev/null"]].concat()).0, 0);
}

#[test]
fn what_is_wired_cannot_be_left_open_too() {
    let directory = three();
    let at = directory.path();
    let compose = |flags: &[&str]| {
        let (code, words) = said(at, &[&["compose", "parts", "-o", "x.wasm"], flags].concat());
        let made = anatomy::read(&fs::read(at.join("x.wasm")).unwrap_or_default());
        let _ = fs::remove_file(at.join("x.wasm"));
        (code, words, made.map_or_else(|_| Vec::new(), |made| made.imports.clone()))
    };
    let refused = "  × `--leave-open middle.t:i/base` leaves to the host what `--wire` takes from `base`\n  help: keep one of \
                   the two\n";
    let both = ["--wire", "middle.t:i/base=base", "--leave-open", "middle.t:i/base"];
    assert_eq!(compose(&both), (2, refused.to_owned(), Vec::new()));
    // What is said of the import of one part goes before what is said of all; and that before what is said of a whole part.
    let (code, words, imports) = compose(&["--wire", "middle.t:i/base=base", "--leave-open", "t:i/base"]);
    assert_eq!((code, words.as_str(), imports.len()), (0, "", 1), "{imports:?}");
    for open in ["t:i/base", "middle.t:i/base"] {
        let (code, words, imports) = compose(&["--wire", "middle=base", "--leave-open", open]);
        assert_eq!((code, words.as_str(), imports.len()), (0, "", 2), "{imports:?}");
    }
}

const VERSIONS: &str = "
package v:one@1.0.0 { interface i { f: func() -> u32; } }
package v:one@1.1.0 { interface i { f: func() -> u32; } }
";

/// A part that exports the newer version and one that imports it, and worlds with the older one.
fn versions() -> TempDir {
    let world = |items: &str| format!("package t:t; world w {{ {items} }} {VERSIONS}");
    let worlds = format!(
        "package t:t; world gives {{ export v:one/i@1.0.0; }} world takes {{ import v:one/i@1.0.0; export go: func(); }} {VERSIONS}"
    );
    directory(&[
        ("gives.wasm", &of_world(&world("export v:one/i@1.1.0;"))),
        ("takes.wasm", &of_world(&world("import v:one/i@1.1.0; export go: func();"))),
        ("worlds.wit", worlds.as_bytes()),
    ])
}

#[test]
fn a_world_with_another_version_is_fitted_by_what_the_help_says() {
    let directory = versions();
    let at = directory.path();
    // Without a text, in a text as people write it first, and as the help has it.
    let cases = [
        (
            "gives",
            &[][..],
            "export x[\"v:one/i@1.1.0\"];",
            "let x = new parts:x { ... }; export x[\"v:one/i@1.1.0\"] as \"v:one/i@1.0.0\";",
            "[\"v:one/i@1.1.0\"] as \"v:one/i@1.0.0\";",
        ),
        (
            "takes",
            &["--leave-open", "v:one/i"][..],
            "export x[\"go\"];",
            "import i: v:one/i@1.0.0; let x = new parts:x { \"v:one/i@1.1.0\": i }; export x[\"go\"];",
            "import i: v:one/i@1.0.0;",
        ),
    ];
    for (name, flags, export, renamed, words) in cases {
        let part = format!("{name}.wasm");
        let world = format!("worlds.wit#{name}");
        let (code, notes, _) = outcome(&composer(at, &["check", &part, "--world", &world]));
        assert_eq!(code, 0, "{notes}");
        assert!(notes.contains("the very name") && notes.contains(words), "{notes}");

        let bag =
            [&["compose", &part, "-o", "whole.wasm", "--world", name, "--wit", "worlds.wit"], flags].concat();
        let (code, said, _) = outcome(&composer(at, &bag));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("`v:one/i@1.1.0`") && said.contains(words), "{said}");
        assert!(!said.contains("whole.wac"), "there is no text: {said}");

        let given = format!("parts:x={part}");
        let text = ["compose", "whole.wac", "-o", "whole.wasm", "-d", &given, "--wit", "worlds.wit"];
        let plain = format!("package c:c targets t:t/{name}; let x = new parts:x {{ ... }}; {export}");
        fs::write(at.join("whole.wac"), plain).expect("a file");
        let (code, said, _) = outcome(&composer(at, &text));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(words), "{said}");

        fs::write(at.join("whole.wac"), format!("package c:c targets t:t/{name}; {renamed}"))
            .expect("a file");
        let (code, said, _) = outcome(&composer(at, &text));
        assert_eq!((code, said.as_str()), (0, ""));
    }
}

#[test]
fn a_bag_that_misses_its_target_is_told_the_flag_and_shown_no_text() {
    let function = |items: &str| of_world(&format!("package t:t; world w {{ {items} }}"));
    let directory = directory(&[
        ("uses.wasm", &function("import doit: func() -> u32; export run: func();")),
        ("has.wasm", &function("export doit: func() -> u32;")),
        ("world.wit", b"package t:t; world w { export doit: func() -> u32; }"),
    ]);
    let at = directory.path();
    let compose = ["compose", "uses.wasm", "has.wasm", "-o", "x.wasm", "--world", "w", "--wit", "world.wit"];
    let (code, said, _) = outcome(&composer(at, &compose));
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("`has` has it: `--export doit`") && said.contains("missing-function: doit"),
        "{said}"
    );
    assert!(!said.contains("x.wac") && !said.contains("export NAME"), "{said}");
    let json = composer(at, &[&compose[..], &["--json"]].concat()).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["error"]["place"], serde_json::Value::Null);
    let (code, said, _) =
        outcome(&composer(at, &[&compose[..], &["--export", "doit", "--export", "run"]].concat()));
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_resource_from_two_instances_is_told_with_the_flag_that_makes_it_one() {
    let world = |items: &str| {
        of_world(&format!(
            "package t:t; world w {{ {items} }}
             package d:d {{
                 interface base {{ resource r {{ constructor(); }} }}
                 interface l {{ use base.{{r}}; lf: func(x: borrow<r>); }}
                 interface top {{ run: func(); }}
             }}"
        ))
    };
    let directory = directory(&[
        ("one.wasm", &world("export d:d/base;")),
        ("user.wasm", &world("import d:d/base; import d:d/l; export d:d/top;")),
        ("left.wasm", &world("import d:d/base; export d:d/l;")),
    ]);
    let at = directory.path();
    let compose = ["compose", "one.wasm", "two=one.wasm", "user.wasm", "left.wasm", "-o", "x.wasm"];
    let wires = ["--wire", "user=one", "--wire", "left=two"];
    let (code, said, _) = outcome(&composer(at, &[&compose[..], &wires].concat()));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("`--wire left.d:d/base=one`"), "{said}");
}
