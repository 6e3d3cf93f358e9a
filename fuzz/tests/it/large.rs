//! What is too large or too deep for a fuzzer to come up with: it ends, and takes no more memory than any other input.

use fuzz::{attempt, target};

/// Puts an input through a target.
fn hold(name: &str, what: &str, data: &[u8]) {
    let target = target(name).expect("it is listed");
    if let Err(words) = attempt(target, data) {
        panic!("{name}, {what}: {words}");
    }
}

fn repeated(piece: &str, length: usize) -> String {
    piece.repeat(length / piece.len())
}

/// A text in which each line has its number in the place of `#`, and the one before in that of `%`.
fn numbered(line: &str, count: usize) -> String {
    let number = |index: usize| line.replace('#', &(index + 1).to_string()).replace('%', &index.to_string());
    (0..count).map(number).collect()
}

#[test]
fn nesting_without_end() {
    for open in ["(", "{", "[", "<", "list<", "tuple<u8, ", "new parts:source { a: (", "/*", "interface i { "]
    {
        for (name, length) in [("wac", 1 << 20), ("wit", 4 << 20)] {
            let head =
                if name == "wac" { "package a:b; let it = " } else { "package a:b; interface i { type t = " };
            hold(name, open, format!("{head}{}", repeated(open, length - 100)).as_bytes());
        }
    }
    for open in ["[", "{a=", "a.", "[a.", "[[a.", "a=[{b=", "\"\"\"\n", "'"] {
        for (name, length) in [("lock", 8 << 20), ("manifest", 1 << 20)] {
            hold(name, open, repeated(open, length).as_bytes());
            hold(name, open, format!("version = 1\nx = {}", repeated(open, length - 100)).as_bytes());
        }
    }
    for open in ["[", "{\"a\":", "{\"format\":1,\"parts\":[{\"path\":["] {
        hold("link-map", open, repeated(open, 8 << 20).as_bytes());
    }
}

#[test]
fn more_than_there_is_room_for() {
    let texts =
        [("wac", 1 << 20), ("wit", 4 << 20), ("lock", 8 << 20), ("manifest", 1 << 20), ("link-map", 8 << 20)];
    for (name, longest) in texts {
        hold(name, "too long", repeated("#", longest + 1).as_bytes());
        hold(name, "spaces", repeated(" ", longest).as_bytes());
        hold(name, "lines", repeated("\n", longest).as_bytes());
    }
}

#[test]
fn many_of_everything() {
    for line in [
        "let a# = new parts:source {};\n",
        "import a#: func();\n",
        "import a#: interface { f: func(); };\n",
        "interface a# { type t = u8; }\n",
        "world a# { import f: func(); }\n",
        "export source.answer as a#;\n",
    ] {
        let text = format!("package a:b;\nlet source = new parts:source {{}};\n{}", numbered(line, 2000));
        hold("wac", line, text.as_bytes());
    }
    for line in [
        "type t# = t%;\n",
        "type t# = list<t%>;\n",
        "type t# = tuple<t%, t%>;\n",
        "record t# { a: t%, b: t% }\n",
        "variant t# { a(t%), b(t%) }\n",
        "g#: func(a: t0) -> t0;\n",
        "resource r# { f: func(); }\n",
    ] {
        for count in [60, 2000] {
            let types = numbered(line, count);
            let last = if line.contains("t# ") { count } else { 0 };
            let text = format!(
                "package a:b;\ninterface i {{ type t0 = u8; {types} last: func() -> t{last}; }}\nworld w {{ import i; export i; }}"
            );
            hold("wit", line, text.as_bytes());
        }
    }
    let includes = numbered("world w# { include w%; import g#: func(); }\n", 1000);
    hold(
        "wit",
        "worlds that include each other",
        format!("package a:b; world w0 {{}}\n{includes}").as_bytes(),
    );
    let uses = numbered("interface i# { use i%.{t}; }\n", 1000);
    let worlds = numbered("world w# { import i1000; }\n", 1000);
    let text = format!("package a:b; interface i0 {{ type t = u8; }}\n{uses}{worlds}");
    hold("wit", "interfaces that use each other", text.as_bytes());
    let entry = "[[composition.input]]\nsource = \"#\"\ndigest = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n";
    let lock = format!("version = 1\n[[composition]]\noutput = \"a\"\n{}", numbered(entry, 20_000));
    hold("lock", "inputs", lock.as_bytes());
    let component = "[components.a#]\nlanguage = \"c\"\npath = \"p\"\nworld = \"w\"\n";
    let manifest = format!("[project]\nwit = \"w\"\nout = \"o\"\n{}", numbered(component, 15_000));
    hold("manifest", "components", manifest.as_bytes());
    let map = |parts: &str, edges: &str| {
        format!("{{\"format\":1,\"parts\":[{parts}],\"compositions\":[],\"edges\":[{edges}],\"outlets\":[]}}")
    };
    let names = vec!["\"\""; 1 << 20].join(",");
    let part =
        format!("{{\"path\":[{names}],\"origin\":null,\"digest\":\"\",\"language\":null,\"toolchain\":[]}}");
    hold("link-map", "a long path", map(&part, "").as_bytes());
    let edges =
        vec!["{\"part\":0,\"import\":\"\",\"from\":{\"kind\":\"part\",\"part\":0,\"export\":null}}"; 80_000];
    hold("link-map", "edges", map("", &edges.join(",")).as_bytes());
}

/// A component, from its WAT, through every target that takes one.
fn component(what: &str, text: &str) {
    let bytes = wat::parse_str(text).unwrap_or_else(|error| panic!("{what}: {error}"));
    let reads = |target: &&fuzz::Target| target.input == fuzz::Input::Components;
    for target in fuzz::TARGETS.iter().filter(reads) {
        hold(target.name, what, &bytes);
    }
}

#[test]
fn large_components() {
    component("nested components", &format!("{}{}", "(component ".repeat(60), ")".repeat(60)));
    component(
        "functions",
        &format!("(component {})", numbered("(import \"f#\" (func (param \"a\" string)))", 3000)),
    );
    component(
        "interfaces",
        &format!("(component {})", numbered("(import \"a:b/i#\" (instance (export \"f\" (func))))", 900)),
    );
    let record: String = numbered("(field \"f#\" $t0)", 900);
    component(
        "fields",
        &format!("(component (type $t0 u8) (type $r (record {record})) (import \"r\" (type (eq $r))))"),
    );
    for kind in ["(list $t%)", "(tuple $t% $t%)", "(option $t%)", "(result $t% (error $t%))"] {
        for count in [20, 90, 3000] {
            let types = numbered(&format!("(type $t# {kind})"), count);
            component(
                kind,
                &format!(
                    "(component (type $t0 u8) {types} (import \"f\" (func (param \"a\" $t{count}) (result $t{count}))))"
                ),
            );
        }
    }
    for kind in ["(list $t%)", "(tuple $t% $t%)", "(option $t%)", "(result $t% (error $t%))"] {
        for count in [20, 90] {
            let types = numbered(&format!("(type $t# {kind})"), count);
            let function = format!("(export \"f\" (func (param \"a\" $t{count}) (result $t{count})))");
            let text = format!("(component (import \"a:b/c\" (instance (type $t0 u8) {types} {function})))");
            component(&format!("{kind} in an interface"), &text);
        }
    }
    for depth in [30, 90, 900] {
        let named = numbered(
            "(type $r# (record (field \"a\" $n%) (field \"b\" $n%))) (export $n# \"n#\" (type $r#))",
            depth,
        );
        component(
            "named types",
            &format!("(component (type $n0 u8) {named} (export \"last\" (type $n{depth})))"),
        );
    }
}

#[test]
fn parts_without_end() {
    let part =
        "(component $P (core module $m) (core instance (instantiate $m)) (import \"a:b/c\" (instance)))";
    let many = numbered("(instance $i# (instantiate $P (with \"a:b/c\" (instance $h))))", 900);
    component("parts", &format!("(component (import \"a:b/c\" (instance $h)) {part} {many})"));
    // Each level has the one below it twice: 2^40 parts.
    let mut text = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..40 {
        let below = level - 1;
        text = format!(
            "(component $c{level} {text} (instance (instantiate $c{below})) (instance (instantiate $c{below})))"
        );
    }
    component("doubling", &text);
    let tools = numbered(
        "(processed-by \"a-tool-with-a-name-of-some-length-so-that-it-takes-room-#\" \"1.2.3\")",
        60,
    );
    let made =
        format!("(component $P (core module $m (@producers {tools})) (core instance (instantiate $m)))");
    let many = numbered("(instance $i# (instantiate $P))", 900);
    component("tools", &format!("(component {made} {many})"));
}

/// More than the formatting of the standard library pads to.
#[test]
fn names_without_end() {
    let long = "n".repeat(70_000);
    component("a long import", &format!("(component (import \"{long}\" (func)) (import \"f\" (func)))"));
    component(
        "a long function",
        &format!(
            "(component (import \"a:b/i\" (instance (export \"{long}\" (func)) (export \"f\" (func)))))"
        ),
    );
    component("a long interface", &format!("(component (import \"a:b/{long}\" (instance)))"));
    let part = format!(
        "(component $P (core module $m) (core instance (instantiate $m)) (import \"{long}\" (func)))"
    );
    component(
        "a long wire",
        &format!(
            "(component (import \"f\" (func $f)) {part} (instance $i (instantiate $P (with \"{long}\" (func $f)))))"
        ),
    );
    let wit = |ty: &str| format!("package a:b; interface {long} {{ {long}: func(a: {ty}); }}\n");
    versions("a long interface", &wit("u8"), &wit("u16"));
}

/// Two texts through the target that compares them.
fn versions(what: &str, old: &str, new: &str) {
    hold("diff", what, &[old.as_bytes(), fuzz::seeds::SEPARATOR, new.as_bytes()].concat());
}

#[test]
fn versions_that_differ_in_everything() {
    let wit = |line: &str, count: usize| format!("package a:b; interface i {{ {} }}", numbered(line, count));
    for (old, new) in [
        ("f#-x: func();\n", "g#-x: func();\n"),
        ("record f# { a: u8 }\n", "record g# { a: u8 }\n"),
        ("resource f# { m: func(); }\n", "resource g# { m: func(); }\n"),
        ("resource f# { m: func(); }\n", "resource f# { m: static func(); }\n"),
    ] {
        versions(old, &wit(old, 3000), &wit(new, 3000));
    }
    let interfaces = |name: &str, ty: &str| {
        format!("package a:b; {}", numbered(&format!("interface {name}# {{ f: func(a: {ty}); }}\n"), 900))
    };
    versions("interfaces", &interfaces("f", "u8"), &interfaces("f", "u16"));
    versions("interfaces", &interfaces("f", "u8"), &interfaces("g", "u8"));
    let worlds = |name: &str| {
        format!("package a:b; {}", numbered(&format!("world {name}# {{ import f: func(); }}\n"), 900))
    };
    versions("worlds", &worlds("f"), &worlds("g"));
}

/// What takes time in the square of the imports would not end here.
#[test]
fn imports_without_end() {
    let imports = numbered("(import \"p#:q/i\" (instance (type $i)))", 30_000);
    let text = format!("(component (type $i (instance (export \"f\" (func)))) {imports})");
    let bytes = wat::parse_str(&text).expect("the test's own text parses");
    hold("inspect", "imports", &bytes);
}
