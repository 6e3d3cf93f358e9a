//! The sorted list, with chunks so small that everything splits all the time.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::support::{Actor, Memory, World, run};
use proptest::prelude::*;
use storage::index::{CHUNK, Index};
use storage::types::Error;

fn small<'a>(memory: &'a Memory<'a>) -> Index<'a, Memory<'a>> {
    Index::with_limits(memory, "list", 3, 4)
}

/// The whole list, so many keys at a time; none where the store failed.
fn walk(memory: &Memory<'_>, limit: usize) -> Option<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let page = small(memory).after(all.last().map(String::as_str), limit).ok()?;
        let complete = page.len() < limit;
        all.extend(page);
        if complete {
            return Some(all);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_a_sorted_set(
        by_value: bool,
        programs in prop::collection::vec(prop::collection::vec(0..60_u8, 1..25), 1..4),
        choices in prop::collection::vec(any::<u16>(), 0..300),
    ) {
        let world = World::new();
        world.by_value.set(by_value);
        let name = |number: u8| format!("{number:02}");
        let acknowledged = Rc::new(RefCell::new(BTreeSet::new()));
        let mut actors: Vec<Actor> = programs.iter().cloned().map(|program| {
            let acknowledged = Rc::clone(&acknowledged);
            Actor::start(&world, move |memory| for number in program {
                match small(memory).insert(&name(number)) {
                    Ok(()) => drop(acknowledged.borrow_mut().insert(name(number))),
                    Err(Error::Unavailable(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
                if number % 4 == 0 {
                    let before = acknowledged.borrow().clone();
                    let Some(seen) = walk(memory, 2) else { continue };
                    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
                    assert!(before.iter().all(|key| seen.contains(key)), "{before:?} not all in {seen:?}");
                }
            })
        }).collect();
        run(&world, &mut actors, &choices);

        let memory = world.memory();
        let tried: BTreeSet<String> = programs.into_iter().flatten().map(name).collect();
        let listed = walk(&memory, 5).expect("a list");
        prop_assert!(listed.is_sorted_by(|a, b| a < b));
        prop_assert!(acknowledged.borrow().iter().all(|key| listed.contains(key)));
        prop_assert!(listed.iter().all(|key| tried.contains(key)));
        for key in &tried {
            small(&memory).insert(key).expect("a retry heals");
        }
        prop_assert_eq!(walk(&memory, 7).expect("a list"), tried.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn appending_and_finding_do_not_walk_the_chain() {
    let world = World::new();
    let memory = world.memory();
    let index = Index::new(&memory, "list");
    let count = 40 * CHUNK;
    for number in 0..count {
        index.insert(&format!("{number:06}")).expect("inserted");
    }
    // Lists that only grow consist of full chunks: 40 of them, and the signposts.
    assert_eq!(world.keys().len(), 40 + 1);

    let before = world.operations.get();
    index.insert("999999").expect("inserted");
    assert!(world.operations.get() - before <= 8, "an append takes a few operations");
    let before = world.operations.get();
    let middle = index.after(Some("002559"), 2).expect("found");
    assert_eq!(middle, ["002560", "002561"]);
    assert!(world.operations.get() - before <= 4, "a page in the middle takes a few operations");
}

#[test]
fn signposts_that_cannot_be_read_are_done_without() {
    let world = World::new();
    let memory = world.memory();
    for number in 0..50 {
        small(&memory).insert(&format!("{number:02}")).expect("inserted");
    }
    for garbage in [&b"{\"v\":9}"[..], b"\xff\xfe", b""] {
        world.plant("list/posts", garbage);
        small(&memory).insert(&format!("{:02}", 50 + garbage.len())).expect("inserted");
        assert_eq!(world.value("list/posts").as_deref(), Some(garbage), "it is not overwritten either");
    }
    assert_eq!(walk(&memory, 10).expect("a list").len(), 53);
}

#[test]
fn a_damaged_chunk_is_said_to_be_damaged() {
    let world = World::new();
    let memory = world.memory();
    let index = Index::new(&memory, "list");
    for (bytes, words) in [
        (&b"{"[..], "list/0: "),
        (b"{\"v\":2,\"entries\":[],\"next\":null}", "list/0: version 2"),
        (b"{\"v\":1,\"entries\":[\"b\",\"a\"],\"next\":null}", "list/0: its entries are out of order"),
        (b"{\"v\":1,\"entries\":[\"b\"],\"next\":{\"low\":\"a\",\"chunk\":1}}", "list/0: its entries"),
        (b"{\"v\":1,\"entries\":[],\"next\":{\"low\":\"a\",\"chunk\":1}}", "list/1: the list goes on there"),
    ] {
        world.plant("list/0", bytes);
        for answer in [index.insert("c"), index.after(None, 9).map(drop)] {
            match answer {
                Err(Error::Damaged(text)) => assert!(text.starts_with(words), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
