//! What `check` and `compose` say of imports that nobody satisfies: the same.

use std::fs;

use crate::common::{composer, directory, links, of_world, says};

fn with_types(name: &str, way: &str) -> Vec<u8> {
    of_world(&format!(
        "package test:{name}; world {name} {{ {way} e:g/greet; {} }}
         package e:g {{
             interface types {{ record p {{ a: u32 }} }}
             interface greet {{ use types.{{p}}; hello: func(p: p) -> string; }}
         }}",
        if way == "import" { "export run: func();" } else { "" }
    ))
}

#[test]
fn an_interface_of_types_alone_asks_for_nothing() {
    let (socket, plug) = (with_types("socket", "import"), with_types("plug", "export"));
    let files: [(&str, &[u8]); 2] = [("socket", &socket), ("plug", &plug)];
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &[]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
}

#[test]
fn a_plug_has_to_get_what_it_imports_too() {
    let socket = links("socket", &["e:g/greet"], &["e:g/run"]);
    let plug = links("plug", &["m:l/log"], &["e:g/greet"]);
    let files: [(&str, &[u8]); 2] = [("socket", &socket), ("plug", &plug)];
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &[]);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(text.contains("`m:l/log`"), "{command}: {text}");
        assert!(text.contains("--leave-open m:l/log"), "{command}: {text}");
        let (code, text) = says(command, &files, &["--leave-open", "m:l/log"]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
}

#[test]
fn a_plug_that_nothing_uses_may_lack_anything() {
    let socket = links("socket", &["e:g/greet"], &["e:g/run"]);
    let plug = links("plug", &[], &["e:g/greet"]);
    let stray = links("stray", &["m:l/log"], &["m:l/other"]);
    let (code, text) = says("check", &[("socket", &socket), ("plug", &plug), ("stray", &stray)], &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nothing was wired to `stray.wasm`"), "{text}");
}

#[test]
fn an_import_of_the_host_beside_another_version_is_told() {
    let socket = links("socket", &["wasi:keyvalue/store@0.2.0-draft2"], &["e:g/run"]);
    let plug = links("plug", &[], &["wasi:keyvalue/store@0.2.0-draft"]);
    let files: [(&str, &[u8]); 2] = [("socket", &socket), ("plug", &plug)];
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &[]);
        assert_eq!(code, Some(0), "{command}: {text}");
        let note = "`wasi:keyvalue/store@0.2.0-draft2` of `socket";
        assert!(
            text.contains(note) && text.contains("is left to the host, although `plug"),
            "{command}: {text}"
        );
        let (_, text) = says(command, &files, &["--leave-open", "wasi:keyvalue/store"]);
        assert!(!text.contains("although"), "{command}: {text}");
    }
    // Where somebody else has a use for it, it is there for that.
    let other = links("other", &["wasi:keyvalue/store@0.2.0-draft"], &["e:g/other"]);
    let (code, text) = says("compose", &[("socket", &socket), ("plug", &plug), ("other", &other)], &[]);
    assert_eq!((code, text.contains("although")), (Some(0), false), "{text}");
}

#[test]
fn a_bag_that_stays_open_is_told_what_was_probably_meant() {
    let socket = links("socket", &["e:g/greet@1.0.0", "a:b/extra", "q:q/lost"], &["e:g/run"]);
    let plug = links("plug", &[], &["e:g/greeet@1.0.0", "a:c/extra"]);
    let (code, text) = says("compose", &[("socket", &socket), ("plug", &plug)], &[]);
    assert_eq!(code, Some(1), "{text}");
    for expected in
        ["3 imports stay open", "name-near-miss: e:g/greet@1.0.0", "`e:g/greeet@1.0.0`", "`a:c/extra`"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_bag_whose_types_differ_is_told_of_its_components() {
    let world = |name: &str, way: &str, ty: &str| {
        let run = if way == "import" { "export run: func();" } else { "" };
        of_world(&format!(
            "package test:{name}; world {name} {{ {way} e:g/greet; {run} }}
             package e:g {{ interface greet {{ hello: func(p: {ty}) -> string; }} }}"
        ))
    };
    let (socket, plug) = (world("socket", "import", "u32"), world("plug", "export", "u64"));
    let (code, text) = says("compose", &[("socket", &socket), ("plug", &plug)], &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the components do not fit each other"), "{text}");
    assert!(
        text.contains("type-shape: e:g/greet > hello > p") && text.contains("wanted by `socket`"),
        "{text}"
    );
    assert!(!text.contains("parts:") && !text.contains(".wac"), "nobody has seen a text: {text}");
}

#[test]
fn a_spread_that_gives_nothing_is_told_why() {
    let socket = links("socket", &["e:g/greet@1.0.0"], &["e:g/run"]);
    let plug = links("plug", &[], &["e:g/greeet@1.0.0"]);
    let directory = directory(&[("socket.wasm", &socket), ("plug.wasm", &plug)]);
    let wac = "package t:t; let p = new parts:plug {}; let s = new parts:socket { ...p }; export s...;";
    fs::write(directory.path().join("whole.wac"), wac).expect("a file");
    let arguments =
        ["compose", "whole.wac", "-o", "whole.wasm", "-d", "socket=socket.wasm", "-d", "plug=plug.wasm"];
    let output = composer(directory.path(), &arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("name-near-miss: e:g/greet@1.0.0"), "{text}");
}

#[test]
fn what_is_left_open_has_to_be_imported() {
    let socket = links("socket", &["e:g/greet", "o:o/a@1.0.0", "o:o/b"], &["e:g/run"]);
    let plug = links("plug", &["o:o/a@1.0.0"], &["e:g/greet"]);
    let files: [(&str, &[u8]); 2] = [("socket", &socket), ("plug", &plug)];
    for command in ["check", "compose"] {
        for (open, word) in [
            ("o:o/c", "imported are `e:g/greet`, `o:o/a@1.0.0`, `o:o/b`"),
            ("o:o/*", "imported are `e:g/greet`, `o:o/a@1.0.0`, `o:o/b`"),
            ("plug.o:o/b", "imported are `o:o/a@1.0.0`"),
            ("plag.o:o/a", "there are `"),
        ] {
            let (code, text) = says(command, &files, &["--leave-open", open]);
            assert_eq!(code, Some(2), "{command} {open}: {text}");
            assert!(text.contains(word), "{command} {open}: {text}");
        }
        // Of one component alone.
        let all = ["--leave-open", "plug.o:o/a", "--leave-open", "socket.o:o/a", "--leave-open", "o:o/b"];
        assert_eq!(says(command, &files, &all).0, Some(0), "{command}");
        let (code, text) = says(command, &files, &all[2..]);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(text.contains("`plug") && !text.contains("o:o/b"), "{command}: {text}");
    }
    let (_, text) = says("check", &files, &[]);
    assert!(text.contains("may stay open: `--leave-open o:o/a@1.0.0 --leave-open o:o/b`"), "{text}");
}
