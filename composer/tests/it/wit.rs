//! The contract of a component as text, which reads back as the same contract.

use std::fs;

use crate::common::{self, answers, component, composer, said};
use check::wit::{WitError, text};
use contract::Contracts;

const WIT: &str = r#"
package example:greeting@1.0.0;

/// Greets.
interface greet {
    /// In which tongue.
    ///
    /// There are two.
    enum tongue { latin, greek }
    resource greeter {
        constructor(tongue: tongue);
        /// Says it.
        greet: func(name: string) -> result<string, tongue>;
    }
}

/// What a greeter is.
world polite {
    import wall: interface { now: func() -> tuple<u64, u32>; }
    export greet;
}
"#;

fn package() -> Vec<u8> {
    let contracts = Contracts::parse("greeting.wit", WIT).expect("the test's own WIT parses");
    contracts.package("example:greeting", None).expect("it can be encoded").expect("it is there")
}

#[test]
fn a_package_is_printed_with_its_documentation_and_reads_back() {
    let printed = text(&package()).expect("it is a WIT package");
    for line in ["/// Greets.", "/// There are two.", "/// Says it.", "/// What a greeter is."] {
        assert!(printed.contains(line), "{printed}");
    }
    let again = Contracts::parse("again.wit", &printed).expect("it reads back");
    assert_eq!(again.worlds(), ["example:greeting/polite@1.0.0"]);
    let bytes = again.package("example:greeting", None).expect("it can be encoded").expect("it is there");
    assert_eq!(text(&bytes).expect("a package"), printed);
}

#[test]
fn a_component_is_printed_whole_and_reads_back() {
    let bytes = component(
        r#"(component
            (type $clock (instance (type $m (record (field "seconds" u64))) (export "moment" (type $n (eq $m)))
                (export "now" (func (result $n)))))
            (import "example:clock/wall@1.2.3" (instance (type $clock)))
            (import "spell" (func (param "let" (list (option string))) (result (result u8 (error string))))))"#,
    );
    let printed = text(&bytes).expect("it has a contract");
    assert_eq!(
        printed,
        "package root:component;

world root {
  import example:clock/wall@1.2.3;
  import spell: func(let: list<option<string>>) -> result<u8, string>;
}
package example:clock@1.2.3 {
  interface wall {
    record moment {
      seconds: u64,
    }

    now: func() -> moment;
  }
}
"
    );
    let again = Contracts::parse("again.wit", &printed).expect("it reads back");
    assert_eq!(again.worlds(), ["root:component/root"]);
}

#[test]
fn what_wit_cannot_say_is_named() {
    let deep = component(
        r#"(component (import "outer" (instance (export "inner" (instance (export "f" (func)))))))"#,
    );
    let Err(WitError::Unsayable(error)) = text(&deep) else {
        panic!("WIT has no instances within instances")
    };
    let words = format!("{error:#}");
    assert!(words.contains("`outer`") && words.contains("`inner`"), "{words}");
}

/// What the printer would leave out is refused by its name.
#[test]
fn nothing_is_left_out() {
    let table = [
        (r#"(import "m" (core module (export "f" (func))))"#, "imports a core module, `m`"),
        (r#"(import "c" (component (export "f" (func))))"#, "imports a component, `c`"),
        (r#"(import "locked-dep=<a:b@1.0.0>" (component))"#, "imports a component, `locked-dep=<a:b@1.0.0>`"),
        (r#"(import "url=<https://x.y/z.wasm>" (component))"#, "`url=<https://x.y/z.wasm>`"),
        (r#"(core module $m) (export "m" (core module $m))"#, "exports a core module, `m`"),
        (r#"(component $c) (export "c" (component $c))"#, "exports a component, `c`"),
    ];
    for (items, words) in table {
        let bytes = component(&format!(r#"(component (import "run" (func)) {items})"#));
        let Err(WitError::Unsayable(error)) = text(&bytes) else { panic!("WIT has no words for {items}") };
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
    for inner in ["(core module)", "(component)"] {
        let bytes = component(&format!(r#"(component (import "a:b/c" (instance (export "m" {inner}))))"#));
        assert!(matches!(text(&bytes), Err(WitError::Unsayable(_))), "{inner}");
    }
}

#[test]
fn what_is_no_component_is_told_apart() {
    assert!(matches!(text(b"package a:b;"), Err(WitError::Read(anatomy::ReadError::Text))));
    assert!(matches!(text(&component("(module)")), Err(WitError::Read(anatomy::ReadError::CoreModule))));
    let wrong = component("(component (core module (func (result i32))))");
    assert!(matches!(text(&wrong), Err(WitError::Invalid(_))));
}

#[test]
fn documentation_does_not_steer_the_terminal() {
    let wit = WIT.replace("Says it.", "\u{1}Says");
    // No tool that reads WIT lets control characters in, so one is put where the other was.
    let Ok(contracts) = Contracts::parse("greeting.wit", &wit.replace('\u{1}', "@")) else {
        panic!("it parses")
    };
    let mut bytes =
        contracts.package("example:greeting", None).expect("it can be encoded").expect("it is there");
    let place = bytes.windows(5).position(|window| window == b"@Says").expect("documentation is carried");
    bytes[place] = 0x7f;
    let printed = text(&bytes).expect("it is a WIT package");
    assert!(printed.contains("\u{fffd}Says"), "{printed}");
}

#[test]
fn the_command_prints_or_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).expect("a file");
    write("a.wasm", &answers(1));
    write("core.wasm", &component("(module)"));
    write("text.wit", b"package a:b;");
    let expected = "package root:component;\n\nworld root {\n  export answer: func() -> u32;\n}\n";
    assert_eq!(composer(directory.path(), &["wit", "a.wasm"]).stdout, expected.as_bytes());
    assert_eq!(said(directory.path(), &["wit", "a.wasm", "-o", "a.wit"]), (0, String::new()));
    assert_eq!(fs::read(directory.path().join("a.wit")).expect("it was written"), expected.as_bytes());
    assert_eq!(said(directory.path(), &["wit", "a.wasm", "-o", "a.wasm"]).0, 2);
    assert_eq!(
        said(directory.path(), &["wit", "core.wasm"]),
        (
            3,
            "  × `core.wasm` is a core module, not a component\n  help: `composer componentize core.wasm -o OUT.wasm` \
             makes a component of it\n"
                .to_owned()
        )
    );
    assert_eq!(
        said(directory.path(), &["wit", "text.wit"]),
        (
            3,
            "  × `text.wit` is text, not a component\n  help: a contract is printed from the binary form of a component \
             or of a WIT package\n"
                .to_owned()
        )
    );
}

/// A function of the world itself takes a resource of an interface that is written out inside the world.
const UNSAYABLE: &str = r#"(component
    (type $r' (resource (rep i32)))
    (instance $i' (export "r" (type $r')))
    (export $i "i" (instance $i'))
    (alias export $i "r" (type $r))
    (core func $f (canon resource.drop $r))
    (type $own (own $r))
    (func $g (param "x" $own) (canon lift (core func $f)))
    (export "f" (func $g)))"#;

#[test]
fn a_text_that_cannot_be_read_again_says_so() {
    let directory = common::directory(&[("t.wasm", &component(UNSAYABLE))]);
    let at = directory.path();
    let printed = composer(at, &["wit", "t.wasm"]);
    assert_eq!(printed.status.code(), Some(1));
    let text = String::from_utf8(printed.stdout).expect("text");
    assert!(text.contains("export f: func(x: r);"), "{text}");
    assert!(text.ends_with("// This text cannot be read again: name `r` does not exist.\n"), "{text}");
    let words = String::from_utf8(printed.stderr).expect("text");
    assert!(words.contains("was printed, and cannot be read again"), "{words}");
    assert!(words.contains("standard output:7:21"), "{words}");

    let (code, words) = said(at, &["wit", "t.wasm", "-o", "t.wit"]);
    assert_eq!(code, 1);
    assert!(words.contains("t.wit:7:21"), "{words}");
    assert_eq!(fs::read_to_string(at.join("t.wit")).expect("it was written"), text);
}

#[test]
fn a_text_that_would_mean_something_else_says_so() {
    // The world has an `r` of its own.
    let text = UNSAYABLE.replace("(component", r#"(component (import "r" (type $o (sub resource)))"#);
    let directory = common::directory(&[("t.wasm", &component(&text))]);
    let printed = composer(directory.path(), &["wit", "t.wasm"]);
    assert_eq!(printed.status.code(), Some(1), "{}", String::from_utf8_lossy(&printed.stdout));
    let words = String::from_utf8(printed.stderr).expect("text");
    assert!(
        words.contains("its text means something else") && words.contains("resource-identity"),
        "{words}"
    );
}
