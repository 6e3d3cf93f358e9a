//! What parts can reach of the host's, and by which ways.

use crate::common::read;
use anatomy::{Component, Reached, Source, WAYS};

/// A composition of parts, of each its name, whether it imports `host:NAME/i`, and which earlier ones it uses.
fn composition(parts: &[(&str, bool, &[&str])]) -> Component {
    let mut text = String::from("(component\n");
    for (name, _, _) in parts.iter().filter(|(_, imports, _)| *imports) {
        text.push_str(&format!(r#"(import "host:{name}/i" (instance $host-{name} {FACE}))"#));
    }
    for (name, imports, used) in parts {
        let mut names: Vec<String> = used.iter().map(|used| format!("test:{used}/i")).collect();
        let mut given: String = used
            .iter()
            .map(|used| format!(r#"(with "test:{used}/i" (instance ${used} "test:{used}/i"))"#))
            .collect();
        if *imports {
            names.push(format!("host:{name}/i"));
            given.push_str(&format!(r#"(with "host:{name}/i" (instance $host-{name}))"#));
        }
        let names: String =
            names.iter().map(|name| format!(r#"(import "{name}" (instance {FACE}))"#)).collect();
        text.push_str(&format!(
            r#"(component $C-{name} {names}
                (core module $m (func (export "g") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "test:{name}/i" (instance $out)))
            (instance ${name} (instantiate $C-{name} {given}))"#
        ));
    }
    read(&format!("{text})"))
}

const FACE: &str = r#"(export "f" (func (result u32)))"#;

/// What a part reaches: each importer, with the ways there, by their names.
fn reached(component: &Component, name: &str) -> Vec<(String, Vec<String>)> {
    let part = component.parts.iter().position(|part| part.name == name).expect("there is such a part");
    let named = |way: &Vec<usize>| {
        way.iter().map(|part| component.parts[*part].name.as_str()).collect::<Vec<_>>().join(" ")
    };
    let shown = |reached: &Reached| {
        (component.parts[reached.importer].name.clone(), reached.ways.iter().map(named).collect())
    };
    component.reach().of(part).iter().map(shown).collect()
}

#[test]
fn every_way_in_is_told() {
    let component = composition(&[
        ("h1", true, &[]),
        ("aa", false, &["h1"]),
        ("bb", false, &["h1"]),
        ("top", false, &["aa", "bb"]),
    ]);
    let expected = [("h1".to_owned(), vec!["top aa h1".to_owned(), "top bb h1".to_owned()])];
    assert_eq!(reached(&component, "top"), expected);
    assert_eq!(reached(&component, "h1"), [("h1".to_owned(), vec!["h1".to_owned()])]);
}

#[test]
fn what_a_part_imports_itself_hides_no_other_way() {
    let component = read(&format!(
        r#"(component
            (import "host:a/b" (instance $host {FACE}))
            (component $Low
                (import "host:a/b" (instance {FACE}))
                (core module $m (func (export "g") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "test:low/i" (instance $out)))
            (component $Top
                (import "host:a/b" (instance {FACE}))
                (import "test:low/i" (instance {FACE}))
                (core module $m) (core instance (instantiate $m)))
            (instance $low (instantiate $Low (with "host:a/b" (instance $host))))
            (instance $top (instantiate $Top
                (with "host:a/b" (instance $host)) (with "test:low/i" (instance $low "test:low/i")))))"#
    ));
    let through = |importer: usize, way: &[usize]| Reached {
        importer,
        imports: vec!["host:a/b".to_owned()],
        ways: vec![way.to_vec()],
        more: 0,
    };
    assert_eq!(component.reach().of(1), [through(1, &[1]), through(0, &[1, 0])]);
}

#[test]
fn parts_that_use_each_other_in_a_circle_have_an_end() {
    // What is instantiated of a component that a part exports gets its imports from whoever came later.
    let component = read(&format!(
        r#"(component
            (import "host:a/b" (instance $host {FACE}))
            (component $First
                (core module $m (func (export "g") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "test:first/i" (instance $out))
                (component $Late (import "late" (instance {FACE})))
                (export "late" (component $Late)))
            (component $Second
                (import "host:a/b" (instance {FACE}))
                (import "test:first/i" (instance {FACE}))
                (core module $m (func (export "g") (result i32) i32.const 7))
                (core instance $i (instantiate $m))
                (func $g (result u32) (canon lift (core func $i "g")))
                (instance $out (export "f" (func $g)))
                (export "test:second/i" (instance $out)))
            (instance $first (instantiate $First))
            (instance $second (instantiate $Second
                (with "host:a/b" (instance $host)) (with "test:first/i" (instance $first "test:first/i"))))
            (alias export $first "late" (component $late))
            (instance (instantiate $late (with "late" (instance $second "test:second/i")))))"#
    ));
    let uses: Vec<(usize, &Source)> = component.edges.iter().map(|edge| (edge.part, &edge.from)).collect();
    assert!(matches!(
        uses[..],
        [(0, Source::Part { part: 1, .. }), (1, _), (1, Source::Part { part: 0, .. })]
    ));
    let reach = component.reach();
    assert_eq!(reach.of(0)[0].ways, [[0, 1]]);
    assert_eq!(reach.of(1)[0].ways, [[1]]);
}

#[test]
fn of_the_ways_that_begin_alike_the_shortest_counts_and_the_shortest_of_all_comes_first() {
    let component = composition(&[
        ("h1", true, &[]),
        ("h2", true, &["h1"]),
        ("far", false, &["h1"]),
        ("long", false, &["far", "h2"]),
        ("near", false, &["h2"]),
        ("alone", false, &[]),
        ("top", true, &["long", "near", "far", "alone"]),
    ]);
    let ways = |ways: &[&str]| ways.iter().map(|&way| way.to_owned()).collect::<Vec<String>>();
    assert_eq!(
        reached(&component, "top"),
        [
            ("top".to_owned(), ways(&["top"])),
            // Parts in their order, where they are as near.
            ("h1".to_owned(), ways(&["top far h1", "top long h2 h1", "top near h2 h1"])),
            ("h2".to_owned(), ways(&["top long h2", "top near h2"])),
        ]
    );
    assert!(reached(&component, "alone").is_empty());
    assert!(component.reach().is_complete());
}

#[test]
fn ways_beyond_the_limit_are_counted() {
    let names: Vec<String> = (0..WAYS + 3).map(|index| format!("p{index:02}")).collect();
    let mut parts: Vec<(&str, bool, &[&str])> = vec![("low", true, &[])];
    parts.extend(names.iter().map(|name| (name.as_str(), false, &["low"][..])));
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    parts.push(("top", false, &all));
    let component = composition(&parts);
    let reached = component.reach().of(names.len() + 1);
    assert_eq!((reached.len(), reached[0].ways.len(), reached[0].more), (1, WAYS, 3));
    assert_eq!(reached[0].ways[0], [names.len() + 1, 1, 0]);
}

#[test]
#[should_panic(expected = "there is no part 1")]
fn a_part_that_is_not_there_is_no_question() {
    let _ = composition(&[("only", true, &[])]).reach().of(1);
}

/// Agrees with asking, for every part and every neighbour, whether the importer is found from there.
#[test]
fn no_importer_is_missed_in_graphs_of_any_form() {
    let names: Vec<String> = (0..12).map(|index| format!("p{index:02}")).collect();
    for seed in 0u64..60 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 33
        };
        let used: Vec<Vec<&str>> = (0..names.len())
            .map(|index| {
                (0..index).filter(|_| random() % 3 == 0).map(|other| names[other].as_str()).collect()
            })
            .collect();
        let parts: Vec<(&str, bool, &[&str])> = names
            .iter()
            .zip(&used)
            .map(|(name, used)| (name.as_str(), random() % 4 == 0, used.as_slice()))
            .collect();
        let component = composition(&parts);
        let reach = component.reach();
        let neighbours = |part: usize| {
            used[part].iter().map(|name| names.iter().position(|other| other == name).unwrap_or(0))
        };
        let leads = |from: usize, to: usize| {
            let (mut seen, mut open) = (vec![false; names.len()], vec![from]);
            while let Some(part) = open.pop() {
                if !std::mem::replace(&mut seen[part], true) {
                    open.extend(neighbours(part));
                }
            }
            seen[to]
        };
        for part in 0..names.len() {
            let found = reach.of(part);
            for importer in (0..names.len()).filter(|importer| parts[*importer].1) {
                let firsts = neighbours(part).filter(|first| leads(*first, importer)).count();
                let told = found.iter().find(|reached| reached.importer == importer);
                let count = told.map_or(0, |reached| reached.ways.len() + reached.more);
                assert_eq!(count, firsts.max(usize::from(part == importer)), "{seed}: {part} to {importer}");
                for way in told.iter().flat_map(|reached| &reached.ways) {
                    assert_eq!((way[0], way[way.len() - 1]), (part, importer));
                    assert!(way.windows(2).all(|pair| neighbours(pair[0]).any(|next| next == pair[1])));
                }
            }
        }
    }
}
