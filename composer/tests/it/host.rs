//! What is left to the host is one for all who import it, and has resources of its own: `check` and `compose` say the same of
//! it.

use check::{Part, wiring};
use contract::shape::Shape;

use crate::common::{component, links, of_world, says};

const SHARING: &str = "
package wasi:a {
    interface res { resource r { constructor(); } }
    interface uses { use res.{r}; take: func(x: borrow<r>); }
}
package k:k { interface run { run: func(); } }
";

fn sharing(world: &str) -> Vec<u8> {
    of_world(&format!("package t:t; world w {{ {world} }} {SHARING}"))
}

#[test]
fn an_import_of_the_host_does_not_take_resources_of_a_part() {
    let socket = sharing("import wasi:a/res; import wasi:a/uses; export k:k/run;");
    let maker = sharing("export wasi:a/res;");
    let files: [(&str, &[u8]); 2] = [("socket", &socket), ("maker", &maker)];
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &[]);
        assert_eq!(code, Some(1), "{command}: {text}");
        for expected in
            ["resource-identity: wasi:a/uses > r", "the host knows its own `r` alone", "--leave-open"]
        {
            assert!(text.contains(expected), "{command}: {expected}: {text}");
        }
        assert!(!text.contains("ResourceId"), "{command}: {text}");
        let (code, text) = says(command, &files, &["--leave-open", "wasi:a/res"]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
    let whole = sharing("export wasi:a/res; export wasi:a/uses;");
    for command in ["check", "compose"] {
        let (code, text) = says(command, &[("socket", &socket), ("both", &whole)], &[]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
}

#[test]
fn a_resource_of_the_host_that_a_part_passes_on_is_the_hosts() {
    let socket = sharing("import wasi:a/res; import wasi:a/uses; export k:k/run;");
    let passes = component(
        r#"(component
            (import "wasi:a/res" (instance $i
                (export "r" (type $r (sub resource)))
                (export "[constructor]r" (func (result (own $r))))))
            (export "wasi:a/res" (instance $i)))"#,
    );
    for command in ["check", "compose"] {
        let (code, text) = says(command, &[("socket", &socket), ("passes", &passes)], &[]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
}

#[test]
fn an_import_that_is_left_open_by_name_is_the_hosts_too() {
    let own = |world: &str| {
        of_world(&format!("package t:t; world w {{ {world} }} {SHARING}").replace("wasi:a", "k:a"))
    };
    let socket = own("import k:a/res; import k:a/uses; export k:k/run;");
    let maker = own("export k:a/res;");
    for command in ["check", "compose"] {
        let flags = ["--leave-open", "k:a/uses"];
        let (code, text) = says(command, &[("socket", &socket), ("maker", &maker)], &flags);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(text.contains("resource-identity: k:a/uses > r"), "{command}: {text}");
    }
}

/// A component that imports one interface of the host, and is a link in a chain.
fn asking(version: &str, items: &str, world: &str) -> Vec<u8> {
    of_world(&format!(
        "package t:t; world w {{ import wasi:zz/i@{version}; {world} }}
         package wasi:zz@{version} {{ interface i {{ {items} }} }}
         package k:k {{ interface link {{ run: func(); }} interface go {{ go: func(); }} }}"
    ))
}

const FIRST: &str = "import k:k/link; export k:k/go;";
const SECOND: &str = "export k:k/link;";

#[test]
fn two_parts_that_want_different_types_of_the_host_do_not_fit() {
    let first = asking("0.2.0", "enum e { a, b } f: func() -> e;", FIRST);
    for version in ["0.2.0", "0.2.3"] {
        let second = asking(version, "enum e { a, b, c } f: func() -> e;", SECOND);
        let files: [(&str, &[u8]); 2] = [("first", &first), ("second", &second)];
        for command in ["check", "compose"] {
            let (code, text) = says(command, &files, &[]);
            assert_eq!(code, Some(1), "{command}: {text}");
            for expected in
                ["enum-case: wasi:zz/i@0.2.", "one for all", "wanted by `first", "wanted by `second"]
            {
                assert!(text.contains(expected), "{command}: {expected}: {text}");
            }
            assert!(!text.contains("offered") && !text.contains(".wac"), "{command}: {text}");
        }
        let (code, text) = says("compose", &files, &["--deny", "second=wasi:zz/i"]);
        assert_eq!(code, Some(0), "{text}");
    }
}

#[test]
fn two_parts_that_want_different_functions_of_the_host_fit() {
    let first = asking("0.2.0", "enum e { a, b } f: func() -> e;", FIRST);
    let second = asking("0.2.3", "enum e { a, b } g: func(e: e);", SECOND);
    for command in ["check", "compose"] {
        let (code, text) = says(command, &[("first", &first), ("second", &second)], &[]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
}

/// A component that imports `wasi:a/i` with these resources of the host, and `k:k/run` or exports it.
fn resources(items: &str, runs: bool) -> Vec<u8> {
    let run = if runs {
        r#"(import "behind" (instance $b (export "run" (func)))) (export "k:k/run" (instance $b))"#
    } else {
        r#"(import "k:k/run" (instance (export "run" (func))))"#
    };
    let items = items.split(' ').map(|item| {
        let (name, kind) = item.split_once('=').map_or((item, None), |(name, of)| (name, Some(of)));
        let bounds = kind.map_or("(sub resource)".to_owned(), |of| format!("(eq ${of})"));
        format!(r#"(export "{name}" (type ${name} {bounds}))"#)
    });
    let items: String = items.collect();
    component(&format!(r#"(component (import "wasi:a/i" (instance {items})) {run})"#))
}

#[test]
fn two_parts_that_contradict_each_other_about_resources_of_the_host_do_not_fit() {
    let open = ["--leave-open", "behind"];
    let socket = resources("s t=s d", false);
    // What one part holds for one resource, another part may keep apart, unless it does so the other way round as well.
    for (items, contradicts) in
        [("s t d=s", true), ("s t=s d", false), ("s t d", false), ("s t=s d=s", false)]
    {
        let runs = resources(items, true);
        let (code, text) = says("check", &[("socket", &socket), ("runs", &runs)], &open);
        assert_eq!(code, Some(i32::from(contradicts)), "{items}: {text}");
        for expected in [
            "resource-identity: wasi:a/i > ",
            "for the same resource as `s`, which",
            "and the other way round",
            "build `runs.wasm` and `socket.wasm` against one version of `wasi:a/i`",
        ] {
            assert_eq!(text.contains(expected), contradicts, "{items}: {expected}: {text}");
        }
    }
}

#[test]
fn two_parts_do_not_contradict_each_other_where_a_third_part_serves_both() {
    let shape = |items: &str| Shape::of_component(&resources(items, false)).expect("it is a component");
    let mut shapes = vec![("one", shape("s t=s d")), ("another", shape("s t d=s"))];
    for (items, fits) in [("s t d", false), ("s t=s d=s", true)] {
        shapes.push(("third", shape(items)));
        let parts: Vec<Part<'_>> = shapes.iter().map(|(name, shape)| Part { name, shape }).collect();
        let report = wiring(&parts, &[], &[]).expect("they can be compared");
        assert_eq!(report.fits(), fits, "{items}: {:#?}", report.mismatches);
        shapes.pop();
    }
}

#[test]
fn resources_of_the_host_are_one_by_what_all_parts_say_of_them() {
    // `x` is `y` to the one, and `a` to the other: so are `y` and `a`.
    let open = ["--leave-open", "behind"];
    let (socket, runs) = (resources("y x=y", false), resources("a x=a", true));
    let (code, text) = says("check", &[("socket", &socket), ("runs", &runs)], &open);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn who_imports_what_stays_open_has_to_want_the_same() {
    let asking = |ty: &str, world: &str| {
        of_world(&format!(
            "package t:t; world w {{ import m:l/log; {world} }}
             package m:l {{ interface log {{ log: func(what: {ty}); }} }}
             package k:k {{ interface link {{ run: func(); }} interface go {{ go: func(); }} }}"
        ))
    };
    let (first, second) = (asking("string", FIRST), asking("u32", SECOND));
    let files: [(&str, &[u8]); 2] = [("first", &first), ("second", &second)];
    let (code, text) = says("check", &files, &[]);
    assert_eq!(code, Some(1), "{text}");
    for expected in
        ["unwired: m:l/log", "imports it too", "type-shape: m:l/log > log > what", "2 things do not fit"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &["--leave-open", "m:l/log"]);
        assert_eq!(
            (code, text.contains("type-shape: m:l/log > log > what")),
            (Some(1), true),
            "{command}: {text}"
        );
    }
}

#[test]
fn a_circle_of_parts_does_not_fit() {
    let socket = links("socket", &["k:k/z"], &["k:k/s"]);
    let one = links("one", &["k:k/x"], &["k:k/y"]);
    let other = links("other", &["k:k/y"], &["k:k/x", "k:k/z"]);
    let files: [(&str, &[u8]); 3] = [("socket", &socket), ("one", &one), ("other", &other)];
    for command in ["check", "compose"] {
        let (code, text) = says(command, &files, &[]);
        assert_eq!(code, Some(1), "{command}: {text}");
        assert!(
            text.contains("need each other, so none of them can be instantiated first"),
            "{command}: {text}"
        );
        let (code, text) = says(command, &files, &["--leave-open", "k:k/y"]);
        assert_eq!(code, Some(0), "{command}: {text}");
    }
    let (_, text) = says("check", &files, &["--json"]);
    assert!(text.contains(r#""class": "cycle""#), "{text}");
}

#[test]
fn a_circle_through_the_socket_is_not_called_a_missing_export() {
    let socket = links("socket", &["k:k/top"], &["k:k/mid"]);
    let plug = links("plug", &["k:k/mid"], &["k:k/top"]);
    let (code, text) = says("check", &[("socket", &socket), ("plug", &plug)], &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cycle: k:k/mid") && text.contains("only the socket exports `k:k/mid`"), "{text}");
    assert!(!text.contains("nothing that was given"), "{text}");
}

#[test]
fn names_for_types_of_a_wired_import_are_no_imports_of_the_host() {
    let world = |items: &str| {
        of_world(&format!(
            "package t:t; world w {{ {items} }}
             package d:d {{ interface base {{ resource r {{ constructor(); }} record p {{ x: u32 }} }} }}"
        ))
    };
    let socket = world("use d:d/base.{p, r}; import mk: func(x: p) -> r; export run: func();");
    let plug = world("use d:d/base.{p, r}; export mk: func(x: p) -> r;");
    let base = world("export d:d/base;");
    let (code, text) = says("check", &[("socket", &socket), ("plug", &plug), ("base", &base)], &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("the host"), "{text}");
}
