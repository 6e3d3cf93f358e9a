//! Bags of components: who gets what, what is refused and in which words, and that nothing depends on the order.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{component, directory, links, of_world, said};
use compose::compose;
use compose::wire::{
    Ambiguity, MOST_INSTANCES, Part, Place, Request, WireError, Wiring, contract, find, packages, part_names,
};
use miette::Diagnostic;
use proptest::prelude::*;

/// A bag: name, imports, exports.
fn bag(parts: &[(&str, &[&str], &[&str])]) -> Request {
    let parts = parts.iter().map(|(name, imports, exports)| Part::new(*name, links(name, imports, exports)));
    Request { parts: parts.collect(), ..Request::default() }
}

/// Wires and composes.
fn composed(request: &Request) -> (String, Vec<u8>) {
    let text = find(request).expect("it fits together").text("whole", None);
    let whole = compose("whole.wac", &text, &packages(request.parts.clone())).expect("it composes");
    (text, whole)
}

/// The error, and the way out of it, as people see them.
fn refused(request: &Request) -> String {
    let error = find(request).expect_err("it does not fit together");
    format!("{error}\nhelp: {}", error.help().expect("there is a way out"))
}

/// Who gets what from whom in a composition, as its bytes say: part, import and provider; and its exports.
fn edges(whole: &[u8]) -> (BTreeSet<(String, String, String)>, BTreeSet<String>) {
    let found = anatomy::read(whole).expect("a component");
    let name = |part: usize| found.parts[part].name.clone();
    let edge = |edge: &anatomy::Edge| {
        let from = match &edge.from {
            anatomy::Source::Part { part, .. } => name(*part),
            anatomy::Source::Host { .. } => "the host".to_owned(),
        };
        (name(edge.part), edge.import.clone(), from)
    };
    (found.edges.iter().map(edge).collect(), found.exports.iter().cloned().collect())
}

fn place(text: &str) -> Place {
    text.parse().expect("the test's own flag parses")
}

#[test]
fn a_chain_and_a_diamond_are_found_over_as_many_levels_as_it_takes() {
    let request = bag(&[
        ("top", &["t:i/left", "t:i/right"], &["t:i/top"]),
        ("left", &["t:i/base"], &["t:i/left"]),
        ("right", &["t:i/base", "wasi:io/poll@0.2.0"], &["t:i/right"]),
        ("base", &["t:i/ground"], &["t:i/base"]),
        ("ground", &[], &["t:i/ground"]),
    ]);
    let (text, whole) = composed(&request);
    assert_eq!(
        text,
        r#"package composed:whole;

let ground = new parts:ground {};

let base = new parts:base {
    "t:i/ground": ground["t:i/ground"],
};

let left = new parts:left {
    "t:i/base": base["t:i/base"],
};

let right = new parts:right {
    "t:i/base": base["t:i/base"],
    // From the host:
    //   wasi:io/poll@0.2.0
    ...
};

let top = new parts:top {
    "t:i/left": left["t:i/left"],
    "t:i/right": right["t:i/right"],
};

export top["t:i/top"];
"#
    );
    let found = anatomy::read(&whole).expect("a component");
    assert_eq!(found.parts.len(), 5, "a diamond shares one instance");
    assert_eq!(found.imports, ["wasi:io/poll@0.2.0"]);
    assert_eq!(found.exports, ["t:i/top"]);
}

#[test]
fn versions_match_as_the_component_model_says() {
    // What is imported, what is exported by `a`, `b`, …, and who is taken.
    let table: [(&str, &[&str], Result<&str, &str>); 12] = [
        ("t:i/x@1.0.0", &["t:i/x@1.0.0"], Ok("a")),
        ("t:i/x@1.2.0", &["t:i/x@1.5.3"], Ok("a")),
        ("t:i/x@1.5.0", &["t:i/x@1.2.0"], Ok("a")),
        ("t:i/x@1.2.0", &["t:i/x@1.2.0", "t:i/x@1.9.0"], Ok("a")),
        ("t:i/x@1.2.0", &["t:i/x@1.3.0", "t:i/x@1.10.0", "t:i/x@1.9.0"], Ok("b")),
        ("t:i/x@0.2.0", &["t:i/x@0.2.9", "t:i/x@0.3.0"], Ok("a")),
        ("t:i/x@1.0.0", &["t:i/x@2.0.0"], Err("open")),
        ("t:i/x@0.2.0", &["t:i/x@0.3.0"], Err("open")),
        ("t:i/x@0.0.1", &["t:i/x@0.0.2"], Err("open")),
        ("t:i/x@1.0.0-rc.1", &["t:i/x@1.0.0-rc.2"], Err("open")),
        ("t:i/x@1.0.0", &["t:i/x"], Err("open")),
        ("t:i/x@1.0.0", &["t:i/x@1.1.0", "t:i/x@1.1.0"], Err("ambiguous")),
    ];
    for (import, exports, expected) in table {
        let mut request = bag(&[("z", &[import], &["t:i/z"])]);
        for (index, export) in exports.iter().enumerate() {
            let name = ["a", "b", "c"][index];
            request.parts.push(Part::new(name, links(name, &[], &[export])));
        }
        let found = match find(&request) {
            Ok(wiring) => Ok(wiring.instances.last().expect("it is there").arguments[0].part.clone()),
            Err(WireError::Open(_)) => Err("open"),
            Err(WireError::Ambiguous(_)) => Err("ambiguous"),
            Err(other) => panic!("{import} with {exports:?}: {other}"),
        };
        assert_eq!(found.as_deref(), expected.as_ref().map(|name| *name), "{import} of {exports:?}");
        if found.is_ok() {
            composed(&request);
        }
    }
}

#[test]
fn an_ambiguous_import_is_refused_until_it_is_decided() {
    let mut request = bag(&[
        ("asks", &["t:i/x@1.0.0"], &["t:i/asks"]),
        ("one", &[], &["t:i/x@1.0.0"]),
        ("other", &[], &["t:i/x@1.0.0"]),
        ("bystander", &["t:i/asks"], &["t:i/bystander"]),
    ]);
    assert_eq!(
        refused(&request),
        "`asks` imports `t:i/x@1.0.0`, which 2 parts export: `one`, `other`\n\
         help: say which: `--wire asks.t:i/x@1.0.0=one` or `--wire asks.t:i/x@1.0.0=other`"
    );
    request.decisions = vec!["asks.t:i/x=other".parse().expect("a decision")];
    let (edges, exports) = edges(&composed(&request).1);
    assert!(edges.contains(&("asks".into(), "t:i/x@1.0.0".into(), "other".into())), "{edges:?}");
    assert_eq!(exports, ["t:i/bystander", "t:i/x@1.0.0"].map(str::to_owned).into());

    // With what the result exports said, the other one is of no use.
    request.exports = vec![place("t:i/bystander")];
    assert_eq!(
        refused(&request),
        "`one` is used by nothing: it exports `t:i/x@1.0.0`\n\
         help: leave out what is not needed, or have the result export what it is there for: `--export one.t:i/x@1.0.0`"
    );
    request.parts[1].optional = true;
    let wiring = find(&request).expect("it fits together");
    assert_eq!(wiring.unused, ["one"]);
    assert_eq!(wiring.instances.len(), 3);
}

#[test]
fn one_flag_decides_for_all_that_a_part_takes_from_another() {
    let mut request = bag(&[
        ("asks", &["t:i/x", "t:i/y@1.0.0", "t:i/z"], &["t:i/asks"]),
        ("one", &[], &["t:i/x", "t:i/y@1.0.0", "t:i/z"]),
        ("other", &[], &["t:i/x", "t:i/y@1.2.0"]),
    ]);
    assert_eq!(
        refused(&request),
        "`asks` imports `t:i/x`, which 2 parts export: `one`, `other`\n\
         help: say which: `--wire asks.t:i/x=one` or `--wire asks.t:i/x=other`"
    );
    let flags = |flags: &[&str]| flags.iter().map(|flag| flag.parse().expect("a decision")).collect();
    let from = |request: &Request| {
        let wiring = find(request).expect("it fits together");
        let asks = wiring.instances.iter().find(|instance| instance.part == "asks").expect("it is there");
        asks.arguments.iter().map(|argument| argument.part.clone()).collect::<Vec<_>>()
    };
    request.exports = vec![place("t:i/asks")];
    request.decisions = flags(&["asks=other"]);
    assert_eq!(from(&request), ["other", "other", "one"]);
    request.decisions = flags(&["asks.t:i/y=one", "asks=other"]);
    assert_eq!(from(&request), ["other", "one", "one"]);
}

#[test]
fn all_that_is_ambiguous_is_listed_with_the_smallest_choice_first() {
    let request = bag(&[
        ("a", &["t:i/x", "t:i/y"], &["t:i/a"]),
        ("b", &["t:i/y", "t:i/z"], &["t:i/b"]),
        ("p", &[], &["t:i/x", "t:i/y", "t:i/z"]),
        ("q", &[], &["t:i/x", "t:i/y", "t:i/z"]),
        ("r", &[], &["t:i/x"]),
    ]);
    assert_eq!(
        refused(&request),
        "there is a choice in 3 places:\n\
         - `a` imports `t:i/y`, which 2 parts export: `p`, `q`\n\
         - `b` imports `t:i/y`, `t:i/z`, which 2 parts export: `p`, `q`\n\
         - `a` imports `t:i/x`, which 3 parts export: `p`, `q`, `r`\n\
         help: say which: `--wire a.t:i/y=p` or `--wire a.t:i/y=q`"
    );
}

#[test]
fn a_cycle_of_three_among_ten_is_named_and_nothing_else() {
    let request = bag(&[
        // Three that need each other,
        ("hen", &["t:i/egg"], &["t:i/hen"]),
        ("egg", &["t:i/nest"], &["t:i/egg"]),
        ("nest", &["t:i/hen", "t:i/twig"], &["t:i/nest"]),
        // a larger circle through two of them,
        ("fox", &["t:i/hen"], &["t:i/fox"]),
        ("den", &["t:i/fox"], &["t:i/den"]),
        ("twig", &["t:i/den"], &["t:i/twig"]),
        // and others that use them or are used.
        ("farm", &["t:i/hen", "t:i/fox"], &["t:i/farm"]),
        ("road", &["t:i/farm", "t:i/map"], &["t:i/road"]),
        ("map", &[], &["t:i/map"]),
        ("sign", &["t:i/map"], &["t:i/sign"]),
    ]);
    assert_eq!(
        refused(&request),
        "`egg`, `nest`, `hen` need each other, so none of them can be instantiated first:\n\
         - `egg` imports `t:i/nest`, which `nest` exports\n\
         - `nest` imports `t:i/hen`, which `hen` exports\n\
         - `hen` imports `t:i/egg`, which `egg` exports\n\
         help: cut it at one place: leave that import to the host (`--leave-open egg.t:i/nest` or `--leave-open \
         nest.t:i/hen` or `--leave-open hen.t:i/egg`), or take it from a part outside of the circle (`--wire \
         egg.t:i/nest=PART` and the like)"
    );
    let mut request = request;
    request.leave_open = vec![place("egg.t:i/nest"), place("twig.t:i/den")];
    let (edges, _) = edges(&composed(&request).1);
    assert!(edges.contains(&("egg".into(), "t:i/nest".into(), "the host".into())), "{edges:?}");
}

#[test]
fn an_import_that_stays_open_is_refused_unless_it_is_the_hosts_or_named() {
    let mut request = bag(&[
        ("a", &["t:i/x@1.0.0", "wasi:random/random@0.2.0", "t:i/y"], &["t:i/a"]),
        ("b", &[], &["t:i/x@2.0.0"]),
    ]);
    assert_eq!(
        refused(&request),
        "2 imports stay open:\n\
         - `a` imports `t:i/x@1.0.0`, which nothing that was given exports: `b` has it as `t:i/x@2.0.0`, which is not \
         compatible\n\
         - `a` imports `t:i/y`, which nothing that was given exports\n\
         help: give a component that exports it in a version that matches; `b` exports `t:i/x@2.0.0`, which `--wire \
         a.t:i/x@1.0.0=b.t:i/x@2.0.0` passes all the same where the types agree; or leave it to the host: `--leave-open \
         t:i/x@1.0.0`"
    );
    request.decisions = vec!["a.t:i/x@1.0.0=b.t:i/x@2.0.0".parse().expect("a decision")];
    assert_eq!(
        refused(&request),
        "`a` imports `t:i/y`, which nothing that was given exports\n\
         help: give the component that exports it, or leave it to the host: `--leave-open t:i/y`"
    );
    request.leave_open = vec![place("t:i/y")];
    let whole = composed(&request).1;
    assert_eq!(anatomy::read(&whole).expect("a component").imports, ["wasi:random/random@0.2.0", "t:i/y"]);
}

#[test]
fn what_is_said_of_things_that_are_not_there_is_refused() {
    let request = bag(&[("a", &["t:i/x@1.0.0"], &["t:i/a"]), ("b", &[], &["t:i/x@1.0.0"])]);
    let attempt = |change: &dyn Fn(&mut Request)| {
        let mut request = request.clone();
        change(&mut request);
        refused(&request)
    };
    let wire = |flag: &'static str| {
        move |request: &mut Request| request.decisions = vec![flag.parse().expect("a decision")]
    };
    assert_eq!(
        attempt(&wire("c.t:i/x=b")),
        "`--wire c.t:i/x=b`: there is no part `c`\nhelp: there are `a`, `b`"
    );
    assert_eq!(
        attempt(&wire("a.t:i/y=b")),
        "`--wire a.t:i/y`: `a` does not import that\nhelp: imported are `t:i/x@1.0.0`"
    );
    assert_eq!(
        attempt(&wire("a.t:i/x=a")),
        "`--wire a.t:i/x=a`: a part cannot satisfy its own imports\nhelp: name another part"
    );
    assert_eq!(
        attempt(&wire("a.t:i/x=b.t:i/y")),
        "`--wire a.t:i/x=b.t:i/y`: `b` does not export `t:i/y`\nhelp: exported are `t:i/x@1.0.0`"
    );
    assert_eq!(
        attempt(&wire("b=a")),
        "`--wire b=a`: `a` exports nothing that `b` imports\n\
         help: `--wire b.IFACE=a.IFACE` wires what does not go by the same name"
    );
    assert_eq!(
        attempt(&|request| {
            request.parts.push(Part::new("c", links("c", &[], &["t:i/x@1.0.0"])));
            request.decisions = ["a=b", "a=c"].map(|flag| flag.parse().expect("a decision")).to_vec();
        }),
        "conflicting `--wire` options for `a`\nhelp: keep one of the two"
    );
    assert_eq!(
        attempt(&|request| request.leave_open = vec![place("t:i/x@2.0.0")]),
        "`--leave-open t:i/x@2.0.0`: no part imports that\nhelp: there is `t:i/x@1.0.0`"
    );
    assert_eq!(
        attempt(&|request| request.exports = vec![place("b.t:i/a")]),
        "`--export b.t:i/a`: `b` does not export that\nhelp: exported are `t:i/x@1.0.0`"
    );
    assert_eq!(
        attempt(&|request| request.parts[1].name = "a".into()),
        "two parts are called `a`\nhelp: give them names of their own: `NAME=FILE`"
    );
    assert_eq!(
        attempt(&|request| request.parts[1].name = "B 1".into()),
        "`B 1` cannot be the name of a part\nhelp: a name is words of lower-case letters and digits that begin with a \
         letter, joined by hyphens"
    );
    assert_eq!(
        attempt(&|request| request.parts.clear()),
        "there are no components to compose\nhelp: give at least one: a file, a directory of files, or NAME=FILE"
    );
}

#[test]
fn a_name_that_two_parts_export_is_refused_until_one_is_chosen() {
    let mut request = bag(&[("a", &[], &["t:i/x"]), ("b", &[], &["t:i/x", "t:i/b"])]);
    let expected = "`t:i/x` is to be exported, and 2 parts have it: `a`, `b`\n\
                    help: say which, beside all else that the result should export: `--export a.t:i/x` or `--export b.t:i/x`";
    assert_eq!(refused(&request), expected);
    request.exports = vec![place("t:i/x")];
    assert_eq!(refused(&request), expected);
    request.exports = vec![place("a.t:i/x"), place("t:i/b")];
    let (_, exports) = edges(&composed(&request).1);
    assert_eq!(exports, ["t:i/b", "t:i/x"].map(str::to_owned).into());
}

#[test]
fn a_name_without_a_version_is_chosen_with_the_version_that_each_part_has() {
    let mut request = bag(&[("old", &[], &["t:i/x@1.0.0"]), ("new", &[], &["t:i/x@1.1.0"])]);
    request.exports = vec![place("t:i/x")];
    let said = refused(&request);
    assert!(said.contains("`--export new.t:i/x@1.1.0` or `--export old.t:i/x@1.0.0`"), "{said}");
    request.exports = vec![place("new.t:i/x@1.1.0"), place("old.t:i/x@1.0.0")];
    composed(&request);
}

#[test]
fn parts_that_are_there_for_one_name_are_not_told_to_export_it_in_turn() {
    let mut request = bag(&[("a", &[], &["t:i/x"]), ("b", &[], &["t:i/x"])]);
    let once = "a name can be exported once";
    let said = refused(&request);
    assert!(said.contains(once) && said.contains("as \"NAME\"") && !said.contains("--export"), "{said}");
    request.exports = vec![place("a.t:i/x")];
    let said = refused(&request);
    assert!(
        said.contains("`b` is used by nothing") && said.contains(once) && !said.contains("--export"),
        "{said}"
    );
    request.parts.pop();
    composed(&request);
}

#[test]
fn a_part_without_exports_is_no_use() {
    let request = bag(&[("a", &[], &["t:i/a"]), ("sink", &["t:i/a"], &[])]);
    assert_eq!(refused(&request), "`sink` exports nothing, so nothing can use it\nhelp: leave it out");
}

#[test]
fn a_middleman_is_no_provider_of_its_own_import() {
    let mut request =
        bag(&[("base", &[], &["t:i/x"]), ("log", &["t:i/x"], &["t:i/x"]), ("app", &["t:i/x"], &["t:i/app"])]);
    assert!(refused(&request).starts_with("`app` imports `t:i/x`, which 2 parts export: `base`, `log`"));
    request.decisions = vec!["app.t:i/x=log".parse().expect("a decision")];
    let (edges, exports) = edges(&composed(&request).1);
    assert!(edges.contains(&("log".into(), "t:i/x".into(), "base".into())), "{edges:?}");
    assert_eq!(exports, ["t:i/app".to_owned()].into());
}

#[test]
fn a_part_that_serves_another_is_there_for_it_alone() {
    let mut request = bag(&[
        ("a", &["wasi:io/poll@0.2.0", "t:i/b"], &["t:i/a"]),
        ("b", &["wasi:io/poll@0.2.0"], &["t:i/b"]),
        ("closed", &[], &["wasi:io/poll@0.2.0"]),
    ]);
    request.parts[2].serves = Some("a".to_owned());
    let (edges, exports) = edges(&composed(&request).1);
    assert!(edges.contains(&("a".into(), "wasi:io/poll@0.2.0".into(), "closed".into())), "{edges:?}");
    assert!(edges.contains(&("b".into(), "wasi:io/poll@0.2.0".into(), "the host".into())), "{edges:?}");
    assert_eq!(exports, ["t:i/a".to_owned()].into());
}

/// `coins` exports two interfaces, the second of which takes a record from the first; `purse` imports both and exports
/// one that takes a record which has that record in it from the second.
fn types() -> Request {
    let coins = component(
        r#"(component
            (component $Coin (type $coin (record (field "worth" u32))) (export "coin" (type $coin)))
            (instance $coin (instantiate $Coin))
            (export $a "t:i/coin" (instance $coin))
            (alias export $a "coin" (type $c))
            (component $Roll
                (import "coin" (type $coin (eq $c)))
                (type $roll (record (field "coin" $coin)))
                (export "roll" (type $roll)))
            (instance $roll (instantiate $Roll (with "coin" (type $c))))
            (export "t:i/roll" (instance $roll)))"#,
    );
    let coins = Part::new("coins", coins);
    let purse = component(
        r#"(component
            (import "t:i/coin" (instance $a (type $coin (record (field "worth" u32))) (export "coin" (type (eq $coin)))))
            (alias export $a "coin" (type $c))
            (import "t:i/roll" (instance $b
                (alias outer 1 $c (type $coin))
                (type $roll (record (field "coin" $coin)))
                (export "roll" (type (eq $roll)))))
            (alias export $b "roll" (type $r))
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $f (result $r) (canon lift (core func $i "f")))
            (instance $purse (export "f" (func $f)))
            (export "t:i/purse" (instance $purse)))"#,
    );
    Request { parts: vec![coins, Part::new("purse", purse)], ..Request::default() }
}

#[test]
fn what_an_export_takes_types_from_is_exported_before_it() {
    let mut request = types();
    for exports in [vec![], vec![place("t:i/purse")], vec![place("t:i/purse"), place("t:i/coin")]] {
        request.exports = exports;
        let (text, whole) = composed(&request);
        let found = anatomy::read(&whole).expect("a component");
        assert_eq!(found.exports, ["t:i/coin", "t:i/roll", "t:i/purse"], "{text}");
        assert!(
            text.contains("// `t:i/purse` takes types from this one.\nexport coins[\"t:i/roll\"];"),
            "{text}"
        );
        let told = text.contains("// `t:i/roll` takes types from this one.\nexport coins[\"t:i/coin\"];");
        assert_eq!(told, request.exports.len() < 2, "{text}");
    }
}

#[test]
fn the_contract_of_a_composition_is_a_target_that_it_fits() {
    let request = bag(&[
        (
            "top",
            &["t:i/base@1.0.0", "wasi:io/poll@0.2.0", "wasi:io/error@0.2.1"],
            &["t:i/top", "t:j/list@1.0.0"],
        ),
        ("base", &["t:k/open", "wasi:io/poll@0.2.3"], &["t:i/base@1.2.0"]),
    ]);
    let request = Request { leave_open: vec![place("t:k/open")], ..request };
    let (_, whole) = composed(&request);
    let wiring = find(&request).expect("it fits together");
    let contract = contract(&whole, "list", &wiring.open()).expect("it has one");
    assert_eq!(contract.world, "contract:list/list");
    // The composition imports the newest version for both parts; the parts still say what they say.
    assert_eq!(
        contract.wit.split("package t:i").next(),
        Some(
            "package contract:%list;

world %list {
  import wasi:io/poll@0.2.0;
  import t:k/open;
  import wasi:io/poll@0.2.3;
  import wasi:io/error@0.2.1;

  export t:i/top;
  export t:j/%list@1.0.0;
}

"
        )
    );
    // What the older version had nobody knows.
    let note = "// Parts import `wasi:io@0.2.0`, and the host serves them with `wasi:io@0.2.3`. Only that is known here";
    assert!(contract.wit.contains(note), "{}", contract.wit);
    assert_eq!(contract.wit.matches("// ").count(), 2, "{}", contract.wit);
    let text = wiring.text("list", Some(&contract.world));
    assert!(text.starts_with("package composed:list targets contract:list/list;\n"), "{text}");
    let mut given = packages(request.parts);
    given.insert(contract.package, contract.binary);
    assert_eq!(compose("whole.wac", &text, &given).expect("it composes"), whole);
}

#[test]
fn a_contract_that_wit_has_no_words_for_is_an_error() {
    let (_, whole) = composed(&types());
    let error = contract(&whole, "whole", &[]).expect_err("WIT knows no types without names");
    assert_eq!(error.to_string(), "its imports and exports cannot be written as WIT");
    assert!(contract(b"nothing", "whole", &[]).is_err());
}

#[test]
fn names_are_valid_and_do_not_depend_on_the_order() {
    let files = [
        ("my part", "3"),
        ("my_part", "1"),
        ("2nd", "2"),
        ("v1.2", "4"),
        ("My-Part", "5"),
        ("", "6"),
        ("é", "7"),
    ];
    let files: Vec<(String, String)> =
        files.map(|(stem, digest)| (stem.to_owned(), digest.to_owned())).to_vec();
    let names = part_names(&files, &["my-part2".to_owned()]);
    assert_eq!(names, ["my-part3", "my-part", "part2nd", "v12", "my-part4", "part", "part2"]);
    let mut back = files.clone();
    back.reverse();
    let mut again = part_names(&back, &["my-part2".to_owned()]);
    again.reverse();
    assert_eq!(names, again);
}

#[test]
fn words_of_the_language_may_be_names() {
    let words = ["list", "interface", "new", "targets", "world", "with"];
    let interfaces: Vec<String> = words.iter().map(|word| format!("t:i/{word}")).collect();
    let parts = words
        .iter()
        .zip(&interfaces)
        .map(|(word, interface)| Part::new(*word, links(word, &[], &[interface])));
    let (_, exports) = edges(&composed(&Request { parts: parts.collect(), ..Request::default() }).1);
    assert_eq!(exports, interfaces.into_iter().collect());
}

/// A chain in which each part imports what the one before it exports.
fn chain(length: usize, first: &[&str]) -> Request {
    let parts = (0..length).map(|index| {
        let (import, export) = (format!("t:i/n{}", index.wrapping_sub(1)), format!("t:i/n{index}"));
        let imports: &[&str] = if index == 0 { first } else { &[&import] };
        Part::new(format!("p{index}"), links(&format!("p{index}"), imports, &[&export]))
    });
    Request { parts: parts.collect(), ..Request::default() }
}

#[test]
fn bags_are_composed_up_to_what_engines_take_and_refused_beyond() {
    // So many parts, as many interfaces taken out of them, one export, and one import.
    let largest = chain(499, &["wasi:io/poll@0.2.0"]);
    assert_eq!(MOST_INSTANCES, 499 + 499 + 1 + 1);
    let whole = composed(&largest).1;
    assert_eq!(anatomy::read(&whole).expect("a component").parts.len(), 499);
    assert_eq!(
        refused(&chain(600, &[])),
        "the result would have 1201 instances in one component, where engines take at most 1000: it has 600 parts, and an \
         interface counts where it is taken from a part, from the host, and where it is exported\n\
         help: compose some of the parts to a component of their own first, and compose that with the rest"
    );
}

#[test]
fn a_wide_fan_is_composed() {
    let leaves: Vec<String> = (0..480).map(|index| format!("t:i/n{index}")).collect();
    let imports: Vec<&str> = leaves.iter().map(String::as_str).collect();
    let mut parts: Vec<Part> = leaves
        .iter()
        .enumerate()
        .map(|(index, leaf)| Part::new(format!("p{index}"), links(&format!("p{index}"), &[], &[leaf])))
        .collect();
    parts.push(Part::new("hub", links("hub", &imports, &["t:i/hub"])));
    let (edges, exports) = edges(&composed(&Request { parts, ..Request::default() }).1);
    assert_eq!((edges.len(), exports.len()), (480, 1));
}

/// A part of a small random bag: which of eight interfaces it imports, and which it exports.
#[derive(Debug, Clone)]
struct Small {
    imports: BTreeSet<usize>,
    exports: BTreeSet<usize>,
}

/// Bags of up to seven parts. Mostly a part exports an interface of its own and imports those of earlier ones, so that
/// chains, diamonds and fans come about; a few further imports and exports make some ambiguous, open or circular.
fn small() -> impl Strategy<Value = Vec<Small>> {
    let chance = |n: u32| prop::bool::weighted(1.0 / f64::from(n));
    (1_usize..=7).prop_flat_map(move |count| {
        let earlier = prop::collection::vec(prop::collection::vec(chance(3), count), count);
        let extra = prop::collection::vec((chance(2), 0..count, 0_usize..8, any::<bool>()), 0..3);
        (earlier, extra).prop_map(move |(earlier, extra)| {
            let mut parts: Vec<Small> = (0..count)
                .map(|part| Small {
                    imports: (0..part).filter(|&other| earlier[part][other]).collect(),
                    exports: [part].into(),
                })
                .collect();
            for (wanted, part, interface, import) in extra {
                let part = &mut parts[part];
                if wanted {
                    if import {
                        part.imports.insert(interface)
                    } else {
                        part.exports.insert(interface)
                    };
                }
            }
            parts
        })
    })
}

/// What should become of a bag.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Ambiguous(BTreeSet<(usize, usize)>),
    Open(BTreeSet<(usize, usize)>),
    /// The length of the smallest cycle.
    Cycle(usize),
    Clash,
    Composed(BTreeSet<(usize, usize, usize)>, BTreeSet<usize>),
}

/// The rules once more, as plainly as they can be said: over all pairs, and all subsets of parts.
fn fate(parts: &[Small]) -> Fate {
    let count = parts.len();
    let providers = |part: usize, interface: usize| {
        let others = (0..count).filter(move |&other| other != part);
        others.filter(|&other| parts[other].exports.contains(&interface)).collect::<Vec<_>>()
    };
    let imports: Vec<(usize, usize)> = (0..count)
        .flat_map(|part| parts[part].imports.iter().map(move |&interface| (part, interface)))
        .collect();
    let with = |wanted: fn(usize) -> bool| {
        let found = imports.iter().filter(|(part, interface)| wanted(providers(*part, *interface).len()));
        found.copied().collect::<BTreeSet<_>>()
    };
    let (ambiguous, open) = (with(|count| count > 1), with(|count| count == 0));
    if !ambiguous.is_empty() {
        return Fate::Ambiguous(ambiguous);
    }
    if !open.is_empty() {
        return Fate::Open(open);
    }
    let wires: BTreeSet<(usize, usize, usize)> =
        imports.iter().map(|&(part, interface)| (part, interface, providers(part, interface)[0])).collect();
    // A set of parts in which each takes something from another one of the set holds a cycle, and the smallest such set
    // is one.
    let circular = |set: usize| {
        let inside = |part: usize| set & (1 << part) != 0;
        (0..count)
            .filter(|&part| inside(part))
            .all(|part| wires.iter().any(|wire| wire.0 == part && inside(wire.2)))
    };
    if let Some(smallest) = (1..1_usize << count).filter(|&set| circular(set)).map(usize::count_ones).min() {
        return Fate::Cycle(smallest as usize);
    }
    let mut exports = BTreeSet::new();
    for (part, small) in parts.iter().enumerate() {
        for &interface in &small.exports {
            let consumed = wires.iter().any(|wire| wire.1 == interface && wire.2 == part);
            if !consumed && !exports.insert(interface) {
                return Fate::Clash;
            }
        }
    }
    Fate::Composed(wires, exports)
}

fn request(parts: &[Small]) -> Request {
    let names =
        |set: &BTreeSet<usize>| set.iter().map(|interface| format!("t:i/n{interface}")).collect::<Vec<_>>();
    let parts = parts.iter().enumerate().map(|(index, small)| {
        let (imports, exports) = (names(&small.imports), names(&small.exports));
        let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
        let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
        let name = format!("p{index}");
        Part::new(name.clone(), links(&name, &imports, &exports))
    });
    Request { parts: parts.collect(), ..Request::default() }
}

fn number(name: &str) -> usize {
    name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().expect("names end with numbers")
}

fn outcome(request: &Request, found: Result<Wiring, WireError>) -> Fate {
    let pair = |part: &str, import: &str| (number(part), number(import));
    match found {
        Err(WireError::Ambiguous(all)) => {
            let pairs = |one: &Ambiguity| {
                one.imports.iter().map(|import| pair(&one.part, import)).collect::<Vec<_>>()
            };
            Fate::Ambiguous(all.iter().flat_map(pairs).collect())
        }
        Err(WireError::Open(all)) => Fate::Open(all.iter().map(|one| pair(&one.part, &one.import)).collect()),
        Err(WireError::Cycle(steps)) => {
            let next = steps.iter().skip(1).chain(steps.first());
            assert!(steps.iter().zip(next).all(|(step, next)| step.provider == next.part));
            Fate::Cycle(steps.len())
        }
        Err(WireError::Clash { .. }) => Fate::Clash,
        Err(other) => panic!("{other}"),
        Ok(wiring) => {
            let whole = compose("whole.wac", &wiring.text("whole", None), &packages(request.parts.clone()));
            let (edges, exports) = edges(&whole.expect("it composes"));
            let wires = edges.iter().map(|(part, import, from)| (number(part), number(import), number(from)));
            Fate::Composed(wires.collect(), exports.iter().map(|export| number(export)).collect())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn small_bags_fare_as_the_rules_say(parts in small()) {
        let request = request(&parts);
        prop_assert_eq!(outcome(&request, find(&request)), fate(&parts));
    }
}

#[test]
fn a_hundred_orders_give_the_same_bytes_and_the_same_errors() {
    let mut fine = bag(&[
        ("top", &["t:i/left", "t:i/right", "t:i/x@1.0.0"], &["t:i/top"]),
        ("left", &["t:i/base", "wasi:io/poll@0.2.0"], &["t:i/left"]),
        ("right", &["t:i/base", "wasi:io/poll@0.2.3"], &["t:i/right", "t:i/spare"]),
        ("base", &["t:i/x@1.1.0"], &["t:i/base"]),
        ("x", &[], &["t:i/x@1.0.0"]),
        ("newer", &[], &["t:i/x@1.4.0"]),
        ("lone", &["t:i/else"], &["t:i/lone"]),
        ("chosen", &[], &["t:i/else"]),
        ("other", &[], &["t:i/else", "t:i/more"]),
    ]);
    fine.decisions = vec!["lone.t:i/else=chosen".parse().expect("a decision")];
    let mut ambiguous = fine.clone();
    ambiguous.decisions.clear();
    let circular = bag(&[
        ("a", &["t:i/b"], &["t:i/a"]),
        ("b", &["t:i/a"], &["t:i/b"]),
        ("c", &["t:i/d"], &["t:i/c"]),
        ("d", &["t:i/c"], &["t:i/d"]),
    ]);
    let mut shuffle = shuffler(7);
    let mut seen: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for _ in 0..100 {
        shuffle(&mut fine.parts);
        seen.entry("fine").or_default().insert(composed(&fine).1);
        for (name, request) in [("ambiguous", &mut ambiguous), ("circular", &mut circular.clone())] {
            shuffle(&mut request.parts);
            seen.entry(name).or_default().insert(refused(request).into_bytes());
        }
    }
    assert!(seen.values().all(|outcomes| outcomes.len() == 1), "{:?}", seen.keys());
}

/// Shuffles, in a different way at each call and in the same ways at each run.
fn shuffler(seed: u64) -> impl FnMut(&mut Vec<Part>) {
    let mut state = seed;
    move |parts| {
        for last in (1..parts.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from(state >> 33).expect("it is small") % (last + 1);
            parts.swap(last, place);
        }
    }
}

/// A part with two imports of one interface, each with a name of its own.
fn two_queues() -> Request {
    let app = component(
        r#"(component
            (import "main" (implements "t:b/queue@1.0.0") (instance $main (export "f" (func (result u32)))))
            (import "spare" (implements "t:b/queue@1.0.0") (instance $spare (export "f" (func (result u32)))))
            (core func $a (canon lower (func $main "f")))
            (core func $b (canon lower (func $spare "f")))
            (core module $m
                (import "" "a" (func $a (result i32))) (import "" "b" (func (result i32)))
                (export "go" (func $a)))
            (core instance $i (instantiate $m (with "" (instance (export "a" (func $a)) (export "b" (func $b))))))
            (func (export "go") (result u32) (canon lift (core func $i "go"))))"#,
    );
    let queue = component(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const 7))
            (core instance $i (instantiate $m))
            (func $f (result u32) (canon lift (core func $i "f")))
            (instance $out (export "f" (func $f)))
            (export "t:b/queue@1.2.0" (instance $out)))"#,
    );
    let parts = vec![Part::new("app", app), Part::new("one", queue.clone()), Part::new("two", queue)];
    Request { parts, ..Request::default() }
}

#[test]
fn an_import_with_a_name_of_its_own_is_wired_by_the_interface_that_it_implements() {
    let mut request = two_queues();
    let WireError::Ambiguous(ambiguous) = find(&request).expect_err("two could satisfy each") else {
        panic!("it is not ambiguous")
    };
    assert_eq!(ambiguous[0].providers.len(), 2);
    // Each goes to a provider of its own.
    for decision in ["app.main=two", "app.spare=one"] {
        request.decisions.push(decision.parse().expect("a decision"));
    }
    let (_, whole) = composed(&request);
    let edge = |import: &str, from: &str| ("app".to_owned(), import.to_owned(), from.to_owned());
    assert_eq!(edges(&whole).0, BTreeSet::from([edge("main", "two"), edge("spare", "one")]));
    // Where there is one alone, it is clear.
    let mut alone = two_queues();
    alone.parts.truncate(2);
    assert_eq!(edges(&composed(&alone).1).0, BTreeSet::from([edge("main", "one"), edge("spare", "one")]));
}

/// The library that composes cannot leave them open: they are refused by name, and no flag is proposed for that.
#[test]
fn functions_of_a_resource_outside_of_an_interface_are_not_left_open() {
    let user = component(
        r#"(component
            (import "a" (type $a (sub resource)))
            (import "[method]a.m" (func (param "self" (borrow $a))))
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (export "f" (func $f)))"#,
    );
    let maker = component(
        r#"(component
            (type $r (resource (rep i32)))
            (export $a "a" (type $r))
            (core module $m (func (export "f") (param i32)))
            (core instance $i (instantiate $m))
            (func $f (param "self" (borrow $a)) (canon lift (core func $i "f")))
            (export "[method]a.m" (func $f)))"#,
    );
    let directory = directory(&[("y.wasm", &user), ("maker.wasm", &maker)]);
    let refused = "  × `y` imports `[method]a.m` outside of an interface, which cannot be left to the host: it takes or returns \
                   a resource\n  help: give the component that exports it, or build `y` so that it imports an interface with the \
                   resource and its functions in it\n";
    let plain = ["compose", "y.wasm", "-o", "out.wasm"];
    for flags in
        [&[][..], &["--leave-open", "y.[method]a.m"], &["--leave-open", "[method]a.m", "--leave-open", "a"]]
    {
        assert_eq!(
            said(directory.path(), &[&plain[..], flags].concat()),
            (1, refused.to_owned()),
            "{flags:?}"
        );
    }
    assert_eq!(
        said(directory.path(), &["compose", "y.wasm", "maker.wasm", "-o", "out.wasm"]),
        (0, String::new())
    );
}

#[test]
fn all_that_stays_open_is_left_to_the_host_by_the_proposed_flags() {
    let directory = directory(&[("x.wasm", &links("x", &["t:i/one", "t:i/two"], &["t:i/out"]))]);
    let plain = ["compose", "x.wasm", "-o", "out.wasm"];
    let (code, words) = said(directory.path(), &plain);
    assert_eq!(code, 1);
    let flags = "--leave-open t:i/one --leave-open t:i/two";
    assert!(words.contains(&format!("leave them to the host: `{flags}`")), "{words}");
    let flags: Vec<&str> = flags.split(' ').collect();
    assert_eq!(said(directory.path(), &[&plain[..], &flags].concat()), (0, String::new()));
}

#[test]
fn what_fits_under_another_name_is_offered_as_a_flag() {
    let function = "store: func(key: string, value: string);";
    let provider = format!(
        "package root:a;\nworld a {{ export svc:store/storage@1.0.0; }}\n\
         package svc:store@1.0.0 {{ interface storage {{ {function} }} }}"
    );
    let user = format!(
        "package root:b;\nworld b {{ import storage: interface {{ {function} }} export main: func() -> u32; }}"
    );
    let parts = [("a.wasm", of_world(&provider)), ("b.wasm", of_world(&user))];
    let directory = directory(&parts.each_ref().map(|(name, bytes)| (*name, &bytes[..])));
    let plain = ["compose", "a.wasm", "b.wasm", "-o", "out.wasm"];
    let (code, words) = said(directory.path(), &plain);
    assert_eq!(code, 1);
    let flag = "--wire b.storage=a.svc:store/storage@1.0.0";
    assert!(words.contains(&format!("or pass what has another name: `{flag}`")), "{words}");
    let flag: Vec<&str> = flag.split(' ').collect();
    assert_eq!(said(directory.path(), &[&plain[..], &flag].concat()), (0, String::new()));
}
