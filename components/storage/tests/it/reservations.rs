//! From reservation to order, step by step: what the contract promises for each way it can go.

use std::cell::RefCell;
use std::rc::Rc;

use crate::support::{Actor, Memory, Turn, World, draft, item, stocked};
use storage::types::{Adjustment, CommitError, Draft, Error, Item, Level, ReserveError, Shortage};
use storage::{id, orders, stock};

fn shop() -> Rc<World> {
    let world = World::new();
    stocked(&world, &[item("CUP", 10), item("POT", 3)]);
    world
}

fn level(world: &Rc<World>, sku: &str) -> Level {
    stock::levels(&world.memory(), world.now.get(), &[sku.to_owned()]).expect("levels").remove(0)
}

fn numbers(world: &Rc<World>, sku: &str) -> (u64, u64, u64) {
    let level = level(world, sku);
    (level.on_hand, level.held, level.available)
}

fn reserve(memory: &Memory<'_>, key: &str, items: &[Item]) -> Result<orders::Reservation, ReserveError> {
    orders::reserve(memory, memory, key, items.to_vec(), 30)
}

#[test]
fn reserving_holds_and_committing_sells() {
    let world = shop();
    let memory = world.memory();
    let items = [item("POT", 2), item("CUP", 4)];
    let held = reserve(&memory, "k", &items).expect("held");
    assert_eq!(held.expires_at(), world.now.get() + 30_000);
    assert_eq!(numbers(&world, "CUP"), (10, 4, 6));
    assert_eq!(orders::find(&memory, "k"), Ok(None));

    world.advance(29_999);
    let order = orders::commit(&memory, &memory, held, draft("Ada", &items)).expect("committed");
    assert_eq!(numbers(&world, "CUP"), (6, 0, 6));
    assert_eq!(numbers(&world, "POT"), (1, 0, 1));
    assert_eq!((order.id.as_str(), order.placed_at), (id::of_key("k").as_str(), world.now.get()));
    assert_eq!(orders::find(&memory, "k"), Ok(Some(order.clone())));
    assert_eq!(orders::get(&memory, &order.id), Ok(Some(order.clone())));
    assert_eq!(orders::list(&memory, None, 1).expect("a page").items, std::slice::from_ref(&order));
    assert_eq!(reserve(&memory, "k", &items), Err(ReserveError::Placed(Box::new(order))));
}

#[test]
fn dropping_gives_the_units_back_at_once() {
    let world = shop();
    let memory = world.memory();
    let held = reserve(&memory, "k", &[item("CUP", 4)]).expect("held");
    orders::release(&memory, &held).expect("released");
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));
    // Committing it after that is too late.
    let late = orders::commit(&memory, &memory, held, draft("Ada", &[item("CUP", 4)]));
    assert_eq!(late, Err(CommitError::Expired));
}

#[test]
fn all_that_is_short_is_told_and_nothing_is_written_or_held() {
    let world = shop();
    let memory = world.memory();
    let keys = world.keys();
    let short = reserve(&memory, "k", &[item("POT", 4), item("CUP", 11)]);
    let shortage = |sku: &str, requested, available| Shortage { sku: sku.to_owned(), requested, available };
    let both = Err(ReserveError::Short(vec![shortage("POT", 4, 3), shortage("CUP", 11, 10)]));
    assert_eq!(short, both);
    assert_eq!(world.keys(), keys);
    assert_eq!(
        reserve(&memory, "k", &[item("CUP", 1), item("POT", 4)]),
        Err(ReserveError::Short(vec![shortage("POT", 4, 3)])),
    );
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));

    // The same where an earlier attempt is open, so that it is found out only after some are held.
    reserve(&memory, "k", &[item("CUP", 1)]).expect("held");
    assert_eq!(reserve(&memory, "k", &[item("POT", 4), item("CUP", 11)]), both);
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));
    assert_eq!(numbers(&world, "POT"), (3, 0, 3));
}

#[test]
fn a_trap_between_reserving_and_committing_holds_until_expiry() {
    let world = shop();
    // A trap runs no destructor: the reservation is forgotten.
    reserve(&world.memory(), "k", &[item("CUP", 10)]).expect("held");

    let other_host = world.memory();
    assert!(matches!(reserve(&other_host, "other", &[item("CUP", 1)]), Err(ReserveError::Short(_))));
    world.advance(29_999);
    assert!(matches!(reserve(&other_host, "other", &[item("CUP", 1)]), Err(ReserveError::Short(_))));
    world.advance(1);
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));
    let held = reserve(&other_host, "other", &[item("CUP", 10)]).expect("reclaimed");
    orders::commit(&other_host, &other_host, held, draft("Bob", &[item("CUP", 10)])).expect("committed");
    assert_eq!(numbers(&world, "CUP"), (0, 0, 0));
}

#[test]
fn a_retry_after_a_trap_need_not_wait() {
    let world = shop();
    let memory = world.memory();
    let first = reserve(&memory, "k", &[item("CUP", 10), item("POT", 1)]).expect("held");
    let second = reserve(&memory, "k", &[item("CUP", 10)]).expect("taken over");
    assert_eq!(numbers(&world, "POT"), (3, 0, 3));

    let items = [item("CUP", 10), item("POT", 1)];
    let superseded = orders::commit(&memory, &memory, first, draft("Ada", &items));
    assert_eq!(superseded, Err(CommitError::Superseded));
    assert_eq!(numbers(&world, "CUP"), (10, 10, 0), "what the first gave back was not the second's");
    orders::commit(&memory, &memory, second, draft("Ada", &[item("CUP", 10)])).expect("committed");
    assert_eq!(orders::list(&memory, None, 9).expect("a page").items.len(), 1);
}

#[test]
fn committing_after_expiry_is_refused_and_gives_back() {
    let world = shop();
    let memory = world.memory();
    let items = [item("CUP", 2)];
    let held = reserve(&memory, "k", &items).expect("held");
    world.advance(30_000);
    assert_eq!(orders::commit(&memory, &memory, held, draft("Ada", &items)), Err(CommitError::Expired));
    assert_eq!(orders::find(&memory, "k"), Ok(None));
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));

    // The same where another host, whose clock runs ahead, has reclaimed it before.
    let held = reserve(&memory, "k", &items).expect("held");
    let now = world.now.replace(world.now.get() + 30_000);
    reserve(&memory, "other", &[item("CUP", 10)]).expect("reclaimed");
    world.now.set(now);
    assert_eq!(orders::commit(&memory, &memory, held, draft("Ada", &items)), Err(CommitError::Expired));
}

#[test]
fn a_hold_that_comes_too_late_is_harmless() {
    let world = shop();
    // The first writer goes to sleep at its last step: the compare-and-swap that adds its hold.
    let answer = Rc::new(RefCell::new(None));
    let write_down = Rc::clone(&answer);
    let mut sleeper = Actor::start(&world, move |memory| {
        let held = reserve(memory, "k", &[item("CUP", 10)]).expect("held");
        let draft = draft("Ada", &[item("CUP", 10)]);
        *write_down.borrow_mut() = Some(orders::commit(memory, memory, held, draft));
    });
    while world.value(&format!("order/{}", id::of_key("k"))).is_none() {
        sleeper.step(Turn::Go);
    }

    // A retry takes the attempt over, sells, and is done.
    let memory = world.memory();
    let held = reserve(&memory, "k", &[item("CUP", 4)]).expect("held");
    let order = orders::commit(&memory, &memory, held, draft("Bob", &[item("CUP", 4)])).expect("committed");
    // More have come in, so that the sleeper finds enough.
    stock::count(&memory, world.now.get(), &[item("CUP", 12)]).expect("counted");

    sleeper.finish();
    assert_eq!(answer.take(), Some(Err(CommitError::Superseded)));
    assert_eq!(numbers(&world, "CUP"), (12, 0, 12));
    assert_eq!(orders::find(&memory, "k"), Ok(Some(order)));
}

#[test]
fn an_order_that_was_not_settled_is_sold_all_the_same() {
    let world = shop();
    let mut seller = Actor::start(&world, |memory| {
        let held = reserve(memory, "k", &[item("CUP", 4)]).expect("held");
        orders::commit(memory, memory, held, draft("Ada", &[item("CUP", 4)])).expect("committed");
    });
    while orders::find(&world.memory(), "k") == Ok(None) {
        seller.step(Turn::Go);
    }
    seller.step(Turn::Vanish);
    seller.finish();

    assert!(String::from_utf8(world.value("stock/CUP").expect("stock")).expect("text").contains("attempt"));
    assert_eq!(numbers(&world, "CUP"), (6, 0, 6));
    let memory = world.memory();
    assert!(matches!(reserve(&memory, "other", &[item("CUP", 7)]), Err(ReserveError::Short(_))));
    // Counted is what is there, without what was sold.
    stock::count(&memory, world.now.get(), &[item("CUP", 6)]).expect("counted");
    assert_eq!(numbers(&world, "CUP"), (6, 0, 6));
}

#[test]
fn a_failing_store_says_so_and_an_order_that_was_written_is_found() {
    let world = shop();
    let answer = Rc::new(RefCell::new(None));
    let write_down = Rc::clone(&answer);
    let order_key = format!("order/{}", id::of_key("k"));
    let mut buyer = Actor::start(&world, move |memory| {
        let held = reserve(memory, "k", &[item("CUP", 4)]).expect("held");
        let draft = draft("Ada", &[item("CUP", 4)]);
        *write_down.borrow_mut() = Some(orders::commit(memory, memory, held, draft));
    });
    // Up to where the hold is there: then the next two operations are the read and the swap of the order.
    while !String::from_utf8(world.value("stock/CUP").expect("stock")).expect("text").contains("attempt") {
        buyer.step(Turn::Go);
    }
    buyer.step(Turn::Go);
    assert!(String::from_utf8(world.value(&order_key).expect("open")).expect("text").contains("open"));
    buyer.step(Turn::FailAfter);
    assert!(String::from_utf8(world.value(&order_key).expect("order")).expect("text").contains("committed"));
    buyer.finish();
    let found = orders::find(&world.memory(), "k").expect("found").expect("an order");
    assert_eq!(answer.take(), Some(Ok(found)));
    assert_eq!(numbers(&world, "CUP"), (6, 0, 6));
}

#[test]
fn a_store_that_never_swaps_is_contended() {
    let world = shop();
    let answer = Rc::new(RefCell::new(None));
    let write_down = Rc::clone(&answer);
    let mut buyer = Actor::start(&world, move |memory| {
        *write_down.borrow_mut() = Some(reserve(memory, "k", &[item("CUP", 4)]));
    });
    while !buyer.done() {
        buyer.step(Turn::Spurious);
    }
    assert_eq!(answer.take(), Some(Err(ReserveError::Storage(Error::Contended))));
    assert_eq!(numbers(&world, "CUP"), (10, 0, 10));
}

#[test]
fn a_draft_that_does_not_say_what_is_held_is_refused() {
    let items = [item("CUP", 4), item("POT", 1)];
    let change = |change: &dyn Fn(&mut Draft)| {
        let mut draft = draft("Ada", &items);
        change(&mut draft);
        draft
    };
    let adjustment = |line, amount| Adjustment { line, reason: "because".to_owned(), amount };
    let mismatches = [
        change(&|draft| drop(draft.lines.pop())),
        change(&|draft| draft.lines.push(draft.lines[0].clone())),
        change(&|draft| draft.lines[0].quantity = 5),
        change(&|draft| draft.lines[0].sku = "PAN".to_owned()),
        change(&|draft| draft.lines[0].total += 1),
        change(&|draft| draft.subtotal += 1),
        change(&|draft| draft.total += 1),
        change(&|draft| draft.adjustments.push(adjustment(None, -1))),
        change(&|draft| draft.adjustments.push(adjustment(Some(0), i64::MIN))),
        change(&|draft| {
            draft.adjustments.push(adjustment(Some(2), 1));
            draft.total += 1;
        }),
    ];
    let limits = [
        change(&|draft| draft.customer = String::new()),
        change(&|draft| draft.customer = "é".repeat(201)),
        change(&|draft| draft.customer = "a\nb".to_owned()),
        change(&|draft| draft.tier = "x".repeat(33)),
        change(&|draft| draft.adjustments = vec![adjustment(None, 0); 257]),
        change(&|draft| draft.total = 1 << 63),
    ];
    for (draft, is_limit) in
        mismatches.map(|draft| (draft, false)).into_iter().chain(limits.map(|draft| (draft, true)))
    {
        let world = shop();
        let memory = world.memory();
        let held = reserve(&memory, "k", &items).expect("held");
        match orders::commit(&memory, &memory, held, draft) {
            Err(CommitError::Storage(Error::Invalid(_))) if is_limit => {}
            Err(CommitError::Mismatch(_)) if !is_limit => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(numbers(&world, "CUP"), (10, 0, 10), "the units are given back");
        assert_eq!(orders::find(&memory, "k"), Ok(None));
    }
    let world = shop();
    let memory = world.memory();
    let held = reserve(&memory, "k", &items).expect("held");
    let right = change(&|draft| {
        draft.lines.reverse();
        draft.customer = "é".repeat(200);
        draft.adjustments = vec![adjustment(Some(1), 1); 256];
        draft.total += 256;
    });
    orders::commit(&memory, &memory, held, right).expect("all of it is within the limits");
}

#[test]
fn arguments_are_checked_first() {
    let world = shop();
    let memory = world.memory();
    let before = world.operations.get();
    let cup = item("CUP", 1);
    let too_many: Vec<Item> = (0..101).map(|number| item(&format!("P{number}"), 1)).collect();
    for (key, items, hold_for) in [
        ("", vec![cup.clone()], 30),
        (&*"k".repeat(201), vec![cup.clone()], 30),
        ("k", vec![], 30),
        ("k", too_many, 30),
        ("k", vec![cup.clone(), cup.clone()], 30),
        ("k", vec![item("CUP", 0)], 30),
        ("k", vec![item("CUP", 1_000_001)], 30),
        ("k", vec![item("CU P", 1)], 30),
        ("k", vec![cup.clone()], 0),
        ("k", vec![cup.clone()], 3_601),
    ] {
        let answer = orders::reserve(&memory, &memory, key, items, hold_for);
        assert!(matches!(answer, Err(ReserveError::Storage(Error::Invalid(_)))), "{answer:?}");
    }
    assert!(matches!(orders::list(&memory, Some("x".to_owned()), 5), Err(Error::Invalid(_))));
    assert!(matches!(orders::list(&memory, None, 251), Err(Error::Invalid(_))));
    assert_eq!(orders::get(&memory, "../../etc/passwd"), Ok(None));
    assert_eq!(world.operations.get(), before, "nothing was asked of the store");
    assert_eq!(
        reserve(&memory, "k", &[cup, item("PAN", 1)]),
        Err(ReserveError::Storage(Error::UnknownProduct("PAN".to_owned()))),
    );
}

#[test]
fn an_id_does_not_change() {
    // Stored orders are found by it. The expected text was computed by another program.
    assert_eq!(id::of_key("k"), "i6mhaiuztlh6cthno3oaxbr7sq");
    assert!(id::is_id(&id::of_key("")) && !id::is_id("abc") && !id::is_id(&"1".repeat(26)));
}
