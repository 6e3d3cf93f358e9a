//! Random schedules of several writers on one store, some of which vanish, sleep, or have a store that fails,
//! against what must be true whatever happens.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::support::{Actor, Memory, World, draft, item, run, stocked};
use proptest::prelude::*;
use storage::record::{OrderRecord, Record, State, StockRecord};
use storage::types::{CommitError, Error, Item, Order, Product, ReserveError};
use storage::{id, orders, products, stock};

const SKUS: [&str; 3] = ["A", "B", "C"];
const KEYS: [&str; 4] = ["key-0", "key-1", "key-2", "key-3"];

/// What an actor does with a reservation.
#[derive(Debug, Clone, Copy)]
enum Then {
    Commit,
    /// Waits first, so that it may expire.
    CommitLate,
    Release,
    /// A trap: no destructor runs.
    Forget,
}

#[derive(Debug, Clone)]
enum Task {
    Order { key: usize, quantities: [u32; 3], then: Then },
    Levels,
    Count { sku: usize, quantity: u32 },
}

/// What is known from outside.
#[derive(Default)]
struct Log {
    /// Orders that were acknowledged, each under its key.
    placed: BTreeMap<usize, Vec<Order>>,
    /// Customers whose commit was refused for good. Each try is a customer of its own.
    refused: BTreeSet<String>,
}

fn items_of(quantities: &[u32; 3]) -> Vec<Item> {
    // Not in the order of the SKUs.
    let items = (0..3).rev().filter(|sku| quantities[*sku] > 0);
    items.map(|sku| item(SKUS[sku], quantities[sku])).collect()
}

fn order(memory: &Memory<'_>, log: &RefCell<Log>, who: &str, key: usize, items: &[Item], then: Then) {
    let reservation = match orders::reserve(memory, memory, KEYS[key], items.to_vec(), 30) {
        Ok(reservation) => reservation,
        Err(ReserveError::Placed(order)) => {
            log.borrow_mut().placed.entry(key).or_default().push(*order);
            return;
        }
        Err(ReserveError::Short(short)) => {
            assert!(!short.is_empty());
            for shortage in short {
                let asked = items.iter().find(|item| item.sku == shortage.sku).expect("a SKU of the cart");
                assert_eq!(shortage.requested, asked.quantity);
                assert!(shortage.available < u64::from(asked.quantity));
            }
            return;
        }
        Err(ReserveError::Storage(Error::Unavailable(_))) => return,
        Err(ReserveError::Storage(error)) => panic!("{error:?}"),
    };
    match then {
        Then::Commit | Then::CommitLate => {
            if matches!(then, Then::CommitLate) {
                memory.world.advance(29_999);
            }
            match orders::commit(memory, memory, reservation, draft(who, items)) {
                Ok(order) => log.borrow_mut().placed.entry(key).or_default().push(order),
                Err(CommitError::Expired | CommitError::Superseded) => {
                    log.borrow_mut().refused.insert(who.to_owned());
                }
                Err(CommitError::Storage(Error::Unavailable(_))) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        Then::Release => {
            log.borrow_mut().refused.insert(who.to_owned());
            let _ = orders::release(memory, &reservation);
        }
        Then::Forget => drop(log.borrow_mut().refused.insert(who.to_owned())),
    }
}

/// What the records say was sold, of each SKU.
fn sold(world: &World) -> BTreeMap<String, u64> {
    let mut sold = BTreeMap::new();
    for key in world.keys().iter().filter(|key| key.starts_with("order/")) {
        let record = OrderRecord::decode(key, &world.value(key).expect("listed")).expect("readable");
        if let State::Committed { content, .. } = record.state {
            for line in content.lines {
                *sold.entry(line.sku).or_default() += u64::from(line.quantity);
            }
        }
    }
    sold
}

fn levels(memory: &Memory<'_>, initial: Option<[u32; 3]>) {
    let before = sold(&memory.world);
    let skus: Vec<String> = SKUS.iter().map(|sku| (*sku).to_owned()).collect();
    let Ok(levels) = stock::levels(memory, memory.world.now.get(), &skus) else { return };
    let after = sold(&memory.world);
    for (index, level) in levels.iter().enumerate() {
        assert_eq!(level.on_hand, level.held + level.available);
        if let Some(initial) = initial {
            // It is what it was at some moment of the call, sold and not yet settled included.
            let of = |sold: &BTreeMap<String, u64>| sold.get(&level.sku).copied().unwrap_or(0);
            let initial = u64::from(initial[index]);
            assert!((initial - of(&after)..=initial - of(&before)).contains(&level.on_hand), "{level:?}");
        }
    }
}

/// Each single write must be one that is allowed: holds go only when their fate is decided, units only with a
/// hold that was sold, and an order's record never turns back.
fn check_write(world: &World, key: &str, old: Option<&[u8]>, new: &[u8]) {
    if let Some(sku) = key.strip_prefix("stock/") {
        let old = old.map_or(StockRecord::new(0, Vec::new()), |old| StockRecord::decode(key, old).unwrap());
        let new = StockRecord::decode(key, new).expect("never more units held than there are");
        let mut went = 0;
        for hold in old.holds.iter().filter(|hold| !new.holds.contains(hold)) {
            let place = format!("order/{}", hold.order);
            let record = OrderRecord::decode(&place, &world.value(&place).expect("a record before a hold"));
            let record = record.expect("readable");
            match record.state {
                State::Committed { .. } if record.attempt == hold.attempt => went += u64::from(hold.quantity),
                State::Open { .. } => assert!(record.attempt > hold.attempt, "{sku}: {hold:?} was open"),
                _ => assert!(record.attempt >= hold.attempt, "{sku}: {hold:?} is from the future"),
            }
        }
        let added: Vec<_> = new.holds.iter().filter(|hold| !old.holds.contains(hold)).collect();
        assert!(added.len() <= 1);
        let counted = COUNTING.with_borrow(|counting| *counting);
        assert!(counted || new.on_hand == old.on_hand - went, "{sku}: {old:?} became {new:?}");
    } else if key.starts_with("order/") {
        let new = OrderRecord::decode(key, new).expect("readable");
        let Some(old) = old.map(|old| OrderRecord::decode(key, old).expect("readable")) else {
            assert_eq!(new.attempt, 1);
            return;
        };
        assert_eq!(new.place, old.place, "an order keeps its place");
        match (&old.state, &new.state) {
            (State::Committed { .. }, _) => panic!("{key}: an order was changed"),
            (State::Released {}, State::Open { .. }) => assert_eq!(new.attempt, old.attempt + 1),
            (State::Open { .. }, State::Open { .. }) => assert_eq!(new.attempt, old.attempt + 1),
            (State::Open { .. }, _) => assert_eq!(new.attempt, old.attempt),
            (State::Released {}, _) => panic!("{key}: a dead attempt rose"),
        }
    }
}

thread_local! {
    /// Whether the stock is counted in this run, so that units may come and go.
    static COUNTING: RefCell<bool> = const { RefCell::new(false) };
}

fn simulate(by_value: bool, initial: [u32; 3], programs: Vec<Vec<Task>>, choices: &[u16]) {
    let counting = programs.iter().flatten().any(|task| matches!(task, Task::Count { .. }));
    let world = World::new();
    world.by_value.set(by_value);
    COUNTING.set(true);
    stocked(&world, &[item("A", initial[0]), item("B", initial[1]), item("C", initial[2])]);
    COUNTING.set(counting);
    world.watch(check_write);

    let log = Rc::new(RefCell::new(Log::default()));
    let mut actors: Vec<Actor> = programs
        .into_iter()
        .enumerate()
        .map(|(actor, program)| {
            let log = Rc::clone(&log);
            Actor::start(&world, move |memory| {
                for (step, task) in program.into_iter().enumerate() {
                    if memory.vanished() {
                        return;
                    }
                    match task {
                        Task::Order { key, quantities, then } => {
                            let who = format!("{actor}/{step}");
                            order(memory, &log, &who, key, &items_of(&quantities), then);
                        }
                        Task::Levels => levels(memory, (!counting).then_some(initial)),
                        Task::Count { sku, quantity } => {
                            let now = memory.world.now.get();
                            match stock::count(memory, now, &[item(SKUS[sku], quantity)]) {
                                Ok(()) | Err(Error::Unavailable(_) | Error::Invalid(_)) => {}
                                Err(error) => panic!("{error:?}"),
                            }
                        }
                    }
                }
            })
        })
        .collect();
    run(&world, &mut actors, choices);

    world.advance(60_000);
    let memory = world.memory();
    let listed = whole_list(&memory);
    check_orders(&memory, &log.borrow(), &listed);

    let before = sold(&world);
    for (index, sku) in SKUS.iter().enumerate() {
        let level = &stock::levels(&memory, world.now.get(), &[(*sku).to_owned()]).expect("levels")[0];
        assert_eq!((level.held, level.available), (0, level.on_hand), "everything has expired");
        let sold = before.get(*sku).copied().unwrap_or(0);
        assert!(counting || level.on_hand + sold == u64::from(initial[index]), "{level:?}, {sold} sold");
        // What is said to be there can be had, to the last unit.
        let key = format!("rest of {sku}");
        if level.available > 0 {
            let rest = item(sku, u32::try_from(level.available).expect("few"));
            let rest = [rest];
            let held = orders::reserve(&memory, &memory, &key, rest.to_vec(), 30).expect("what is left");
            orders::commit(&memory, &memory, held, draft("rest", &rest)).expect("committed");
        }
        let one_more = orders::reserve(&memory, &memory, "one more", vec![item(sku, 1)], 30);
        assert!(matches!(one_more, Err(ReserveError::Short(_))), "{one_more:?}");
        let bytes = world.value(&format!("stock/{sku}")).expect("counted");
        let record = StockRecord::decode("stock", &bytes).expect("readable");
        assert_eq!(record, StockRecord::new(0, Vec::new()), "nothing is left behind");
    }
}

fn whole_list(memory: &Memory<'_>) -> Vec<Order> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = orders::list(memory, after, 2).expect("a page");
        assert!(page.items.len() <= 2 && (page.next.is_none() || page.items.len() == 2));
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn check_orders(memory: &Memory<'_>, log: &Log, listed: &[Order]) {
    let ids: BTreeSet<&str> = listed.iter().map(|order| order.id.as_str()).collect();
    assert_eq!(ids.len(), listed.len(), "each order is in the list once");
    let mut found = 0;
    for (key, name) in KEYS.iter().enumerate() {
        let order = orders::find(memory, name).expect("found or not");
        for placed in log.placed.get(&key).into_iter().flatten() {
            assert_eq!(Some(placed), order.as_ref(), "what was acknowledged is what there is");
        }
        let Some(order) = order else { continue };
        found += 1;
        assert_eq!(order.id, id::of_key(name));
        assert!(listed.contains(&order), "every order is in the list");
        assert!(!log.refused.contains(&order.content.customer), "a refused commit made an order");
    }
    assert_eq!(found, listed.len());
}

/// All in step, which is the worst for compare-and-swap: everybody reads before anybody writes.
#[test]
fn a_race_for_the_last_units_sells_them_all_and_contends_for_ever_with_nobody() {
    const RACERS: usize = 32;
    let world = World::new();
    stocked(&world, &[item("A", 100), item("B", 100), item("C", 0)]);
    let sales = Rc::new(RefCell::new(0));
    let mut actors: Vec<Actor> = (0..RACERS)
        .map(|racer| {
            let sales = Rc::clone(&sales);
            Actor::start(&world, move |memory| {
                for round in 0..200 {
                    let items = [item("A", 1), item("B", 1)];
                    let key = format!("{racer}/{round}");
                    match orders::reserve(memory, memory, &key, items.to_vec(), 30) {
                        Ok(held) => {
                            orders::commit(memory, memory, held, draft(&key, &items)).expect("committed");
                            *sales.borrow_mut() += 1;
                        }
                        Err(ReserveError::Short(_)) => return,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            })
        })
        .collect();
    run(&world, &mut actors, &[]);
    // A racer gives up while others hold the last units, and these may all be sold: so none is left.
    assert_eq!(*sales.borrow(), 100);
    assert_eq!(whole_list(&world.memory()).len(), 100);
}

fn a_then() -> impl Strategy<Value = Then> {
    prop_oneof![
        5 => Just(Then::Commit),
        1 => Just(Then::CommitLate),
        1 => Just(Then::Release),
        1 => Just(Then::Forget),
    ]
}

fn an_order() -> impl Strategy<Value = Task> {
    let quantities = prop::array::uniform3(0..4_u32).prop_filter("empty", |q| q.iter().any(|q| *q > 0));
    (0..KEYS.len(), quantities, a_then()).prop_map(|(key, quantities, then)| Task::Order {
        key,
        quantities,
        then,
    })
}

fn programs(task: impl Strategy<Value = Task>) -> impl Strategy<Value = Vec<Vec<Task>>> {
    prop::collection::vec(prop::collection::vec(task, 1..4), 2..5)
}

fn choices() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing is sold twice, nothing acknowledged is lost, nothing stays held.
    #[test]
    fn orders_survive_everything(
        by_value: bool,
        initial in prop::array::uniform3(0..7_u32),
        programs in programs(prop_oneof![6 => an_order(), 1 => Just(Task::Levels)]),
        choices in choices(),
    ) {
        simulate(by_value, initial, programs, &choices);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same while somebody counts the stock.
    #[test]
    fn counting_interferes_with_nothing(
        by_value: bool,
        initial in prop::array::uniform3(0..7_u32),
        programs in programs(prop_oneof![
            5 => an_order(),
            3 => (0..3_usize, 0..9_u32).prop_map(|(sku, quantity)| Task::Count { sku, quantity }),
        ]),
        choices in choices(),
    ) {
        simulate(by_value, initial, programs, &choices);
    }

    /// The catalogue is a sorted map, whoever writes to it and vanishes.
    #[test]
    fn the_catalogue_is_a_sorted_map(
        by_value: bool,
        programs in prop::collection::vec(
            prop::collection::vec((0..30_u32, 0..3_u64), 1..12),
            1..4,
        ),
        choices in choices(),
    ) {
        let world = World::new();
        world.by_value.set(by_value);
        let name = |number: u32| format!("P{number:02}");
        let acknowledged = Rc::new(RefCell::new(BTreeSet::new()));
        let mut actors: Vec<Actor> = programs.iter().cloned().map(|program| {
            let acknowledged = Rc::clone(&acknowledged);
            Actor::start(&world, move |memory| for (number, price) in program {
                let product = crate::support::product(&name(number), price);
                match products::put(memory, vec![product]) {
                    Ok(()) => drop(acknowledged.borrow_mut().insert(name(number))),
                    Err(Error::Unavailable(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
                let stored = acknowledged.borrow().clone();
                let Some(seen) = catalogue(memory, 3) else { continue };
                let skus: Vec<&String> = seen.iter().map(|product| &product.sku).collect();
                assert!(skus.is_sorted_by(|a, b| a < b), "{skus:?}");
                assert!(stored.iter().all(|sku| skus.contains(&sku)), "{stored:?} not all in {skus:?}");
            })
        }).collect();
        run(&world, &mut actors, &choices);

        let memory = world.memory();
        let mut model = BTreeMap::new();
        for (number, price) in programs.into_iter().flatten() {
            let product = crate::support::product(&name(number), price);
            products::put(&memory, vec![product.clone()]).expect("a retry heals");
            model.insert(product.sku.clone(), product);
        }
        let listed = catalogue(&memory, 4).expect("a list");
        prop_assert_eq!(listed, model.into_values().collect::<Vec<_>>());
    }
}

/// The whole catalogue, page by page; none where the store failed.
fn catalogue(memory: &Memory<'_>, limit: u32) -> Option<Vec<Product>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = products::list(memory, after, limit).ok()?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Some(all);
        }
    }
}
