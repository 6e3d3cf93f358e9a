//! Storage keeps its promises: against a model under random interleavings, with writers that vanish between any
//! two steps, with real traps, over expiry, and with records of older versions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use e2e::compose;
use e2e::guest::{self, Clock, Guest};
use e2e::project;
use futures::future::{BoxFuture, pending};
use host_runner::keyvalue::{Backend, Keys, Memory, StoreError, Write, Written};
use host_runner::{App, CallError, LimitHit};
use proptest::prelude::*;
use tokio::sync::Notify;
use wasmtime::component::{ResourceAny, Val};

const STOCK: &str = "shop:storage/stock";
const ORDERS: &str = "shop:storage/orders";
const PRODUCTS: &str = "shop:storage/products";
const START: u64 = 1_800_000_000;

/// Storage with its own store and clock, as seen by one or more hosts.
struct Shelf {
    store: Arc<Memory>,
    clock: Arc<Clock>,
    app: App,
}

impl Shelf {
    fn new() -> Self {
        Self::of(&project::component("storage"))
    }

    fn of(file: &std::path::Path) -> Self {
        let store = Arc::new(Memory::new());
        let clock = Clock::at(START);
        let app = guest::app(file, guest::setup(Some(store.clone()), Some(clock.clone())));
        Self { store, clock, app }
    }

    /// A host with an instance of its own, on the same store.
    fn host(&self) -> Guest {
        Guest::new(&self.app)
    }

    /// A host whose view of the store is another one.
    fn host_on(&self, store: Arc<dyn Backend>) -> Guest {
        let app =
            guest::app(&project::component("storage"), guest::setup(Some(store), Some(self.clock.clone())));
        Guest::new(&app)
    }
}

fn product(sku: &str) -> String {
    format!(
        "{{sku: \"{sku}\", name: \"Product {sku}\", description: \"\", category: \"Things\", unit-price: 100}}"
    )
}

fn stock(guest: &mut Guest, sku: &str, units: u32) {
    let put = guest.wave(&format!("{PRODUCTS}#put"), &format!("([{}])", product(sku))).unwrap();
    assert_eq!(put, "ok");
    let counted =
        guest.wave(&format!("{STOCK}#count"), &format!("([{{sku: \"{sku}\", quantity: {units}}}])")).unwrap();
    assert_eq!(counted, "ok");
}

/// `on-hand, held, available`, as one text.
fn level(guest: &mut Guest, sku: &str) -> String {
    guest.wave(&format!("{STOCK}#levels"), &format!("([\"{sku}\"])")).unwrap()
}

fn levels(sku: &str, on_hand: u64, held: u64) -> String {
    format!("ok([{{sku: \"{sku}\", on-hand: {on_hand}, held: {held}, available: {}}}])", on_hand - held)
}

fn items(of: &[(&str, u32)]) -> String {
    let items: Vec<_> =
        of.iter().map(|(sku, quantity)| format!("{{sku: \"{sku}\", quantity: {quantity}}}")).collect();
    format!("[{}]", items.join(", "))
}

fn draft(of: &[(&str, u32)]) -> String {
    let lines: Vec<_> = of
        .iter()
        .map(|(sku, quantity)| {
            format!(
                "{{sku: \"{sku}\", name: \"Product {sku}\", quantity: {quantity}, unit-price: 100, total: {}}}",
                u64::from(*quantity) * 100
            )
        })
        .collect();
    let total: u64 = of.iter().map(|(_, quantity)| u64::from(*quantity) * 100).sum();
    format!(
        "{{customer: \"Ada\", tier: \"standard\", lines: [{}], adjustments: [], subtotal: {total}, total: {total}}}",
        lines.join(", ")
    )
}

/// A reservation's handle, or the error in WAVE.
fn reserve(
    guest: &mut Guest,
    key: &str,
    of: &[(&str, u32)],
    hold_for: u32,
) -> Result<Result<ResourceAny, String>, CallError> {
    let function = format!("{ORDERS}#reserve");
    let arguments = guest.values(&function, &format!("(\"{key}\", {}, {hold_for})", items(of)));
    Ok(match guest.call(&function, &arguments)? {
        Some(Val::Result(Ok(Some(handle)))) => match *handle {
            Val::Resource(handle) => Ok(handle),
            other => panic!("{other:?} is no handle"),
        },
        Some(Val::Result(Err(Some(error)))) => Err(guest::text(&error)),
        other => panic!("{other:?} is no answer"),
    })
}

/// `ok` with the order, or `err`, in WAVE.
fn commit(guest: &mut Guest, reservation: ResourceAny, of: &[(&str, u32)]) -> Result<String, CallError> {
    let function = format!("{ORDERS}#commit");
    // Only the draft can be written as text: the function that takes one alone lends its type.
    let draft = draft_value(of);
    Ok(guest::text(
        &guest.call(&function, &[Val::Resource(reservation), draft])?.expect("commit has a result"),
    ))
}

fn draft_value(of: &[(&str, u32)]) -> Val {
    let text = |text: &str| Val::String(text.to_owned());
    let line = |(sku, quantity): &(&str, u32)| {
        Val::Record(vec![
            ("sku".into(), text(sku)),
            ("name".into(), Val::String(format!("Product {sku}"))),
            ("quantity".into(), Val::U32(*quantity)),
            ("unit-price".into(), Val::U64(100)),
            ("total".into(), Val::U64(u64::from(*quantity) * 100)),
        ])
    };
    let total: u64 = of.iter().map(|(_, quantity)| u64::from(*quantity) * 100).sum();
    Val::Record(vec![
        ("customer".into(), text("Ada")),
        ("tier".into(), text("standard")),
        ("lines".into(), Val::List(of.iter().map(line).collect())),
        ("adjustments".into(), Val::List(Vec::new())),
        ("subtotal".into(), Val::U64(total)),
        ("total".into(), Val::U64(total)),
    ])
}

fn find(guest: &mut Guest, key: &str) -> String {
    guest.wave(&format!("{ORDERS}#find"), &format!("(\"{key}\")")).unwrap()
}

fn placed_orders(guest: &mut Guest) -> usize {
    guest.wave(&format!("{ORDERS}#list"), "(none, 250)").unwrap().matches("placed-at:").count()
}

// ---- what the contract says of one reservation --------------------------------------------------------------------

#[test]
fn a_reservation_becomes_an_order_and_takes_its_units_along() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    let reservation = reserve(&mut host, "key", &[("A", 4)], 60).unwrap().unwrap();
    assert_eq!(level(&mut host, "A"), levels("A", 10, 4));
    let order = commit(&mut host, reservation, &[("A", 4)]).unwrap();
    assert!(order.starts_with("ok({id: \""), "{order}");
    assert!(order.contains(&format!("placed-at: {}", START * 1_000)), "{order}");
    assert!(order.contains(&draft(&[("A", 4)])), "{order}");
    assert_eq!(level(&mut host, "A"), levels("A", 6, 0));
    assert_eq!(find(&mut host, "key"), order.replace("ok(", "ok(some(") + ")");
}

#[test]
fn a_dropped_reservation_gives_its_units_back_at_once() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    let reservation = reserve(&mut host, "key", &[("A", 10)], 3_600).unwrap().unwrap();
    assert_eq!(level(&mut host, "A"), levels("A", 10, 10));
    host.drop_resource(reservation).unwrap();
    assert_eq!(level(&mut host, "A"), levels("A", 10, 0));
    assert_eq!(find(&mut host, "key"), "ok(none)");
}

#[test]
fn a_reservation_says_when_it_expires() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 1);
    let reservation = reserve(&mut host, "key", &[("A", 1)], 90).unwrap().unwrap();
    let expires = host
        .call(&format!("{ORDERS}#[method]reservation.expires-at"), &[Val::Resource(reservation)])
        .unwrap();
    assert_eq!(expires, Some(Val::U64((START + 90) * 1_000)));
}

#[test]
fn after_expiry_nothing_is_committed_and_the_units_are_free() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    let reservation = reserve(&mut host, "key", &[("A", 7)], 30).unwrap().unwrap();
    shelf.clock.advance(30);
    assert_eq!(commit(&mut host, reservation, &[("A", 7)]).unwrap(), "err(expired)");
    assert_eq!(level(&mut host, "A"), levels("A", 10, 0));
    assert_eq!(find(&mut host, "key"), "ok(none)");
}

#[test]
fn a_retry_takes_over_and_the_first_attempt_can_no_longer_commit() {
    let shelf = Shelf::new();
    let (mut first, mut second) = (shelf.host(), shelf.host());
    stock(&mut first, "A", 5);
    let abandoned = reserve(&mut first, "key", &[("A", 5)], 3_600).unwrap().unwrap();
    let taken_over = reserve(&mut second, "key", &[("A", 5)], 3_600).unwrap().unwrap();
    assert_eq!(commit(&mut first, abandoned, &[("A", 5)]).unwrap(), "err(superseded)");
    assert!(commit(&mut second, taken_over, &[("A", 5)]).unwrap().starts_with("ok("));
    assert_eq!(level(&mut first, "A"), levels("A", 0, 0));
    let again = reserve(&mut first, "key", &[("A", 5)], 60).unwrap().unwrap_err();
    assert!(again.starts_with("placed({id: "), "{again}");
}

#[test]
fn all_lines_are_held_or_none() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    stock(&mut host, "B", 1);
    stock(&mut host, "C", 0);
    let short = reserve(&mut host, "key", &[("C", 1), ("A", 3), ("B", 2)], 60).unwrap().unwrap_err();
    assert_eq!(
        short,
        "short([{sku: \"C\", requested: 1, available: 0}, {sku: \"B\", requested: 2, available: 1}])"
    );
    for (sku, units) in [("A", 10), ("B", 1), ("C", 0)] {
        assert_eq!(level(&mut host, sku), levels(sku, units, 0));
    }
}

#[test]
fn a_draft_that_does_not_say_what_is_held_is_refused_and_the_units_are_given_back() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    stock(&mut host, "B", 10);
    for wrong in [&[("A", 3)][..], &[("B", 2)], &[("A", 2), ("B", 1)], &[]] {
        let reservation = reserve(&mut host, "key", &[("A", 2)], 60).unwrap().unwrap();
        let refused = commit(&mut host, reservation, wrong).unwrap();
        assert!(refused.starts_with("err(mismatch("), "{wrong:?}: {refused}");
        assert_eq!(level(&mut host, "A"), levels("A", 10, 0));
    }
}

#[test]
fn fewer_units_than_are_held_cannot_be_counted() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 10);
    let _held = reserve(&mut host, "key", &[("A", 4)], 60).unwrap().unwrap();
    let count = |host: &mut Guest, units: u32| {
        host.wave(&format!("{STOCK}#count"), &format!("([{{sku: \"A\", quantity: {units}}}])")).unwrap()
    };
    assert!(count(&mut host, 3).starts_with("err(invalid("));
    assert_eq!(count(&mut host, 4), "ok");
    assert_eq!(level(&mut host, "A"), levels("A", 4, 4));
}

// ---- traps, kills and a second host -------------------------------------------------------------------------------

/// Storage beside a part that traps or never returns: the handle's instance ends between reserving and committing.
fn instance_ends_by(sku: &str) {
    let shelf = Shelf::of(&compose::storage_beside(&project::fixture("hostile-pricing")));
    let mut first = shelf.host();
    stock(&mut first, "A", 5);
    let _held = reserve(&mut first, "key", &[("A", 5)], 600).unwrap().unwrap();
    first.set_time_limit(Duration::from_millis(300));
    let ended = first
        .wave(
            "shop:pricing/policy#adjust",
            &format!("([{{sku: \"{sku}\", quantity: 1, unit-price: 1}}], standard)"),
        )
        .unwrap_err();
    match sku {
        "TRAP" => assert!(matches!(ended, CallError::Trap { .. }), "{ended}"),
        _ => assert!(matches!(ended, CallError::Limit { hit: LimitHit::Time(_), .. }), "{ended}"),
    }

    // No destructor ran: the hold is still there, for another host too.
    let mut second = shelf.host();
    assert_eq!(level(&mut second, "A"), levels("A", 5, 5));
    let refused = reserve(&mut second, "other key", &[("A", 1)], 600).unwrap().unwrap_err();
    assert_eq!(refused, "short([{sku: \"A\", requested: 1, available: 0}])");

    // Once it has expired, whoever needs the units takes them.
    shelf.clock.advance(600);
    let reclaimed = reserve(&mut second, "other key", &[("A", 5)], 600).unwrap().unwrap();
    assert!(commit(&mut second, reclaimed, &[("A", 5)]).unwrap().starts_with("ok("));
    assert_eq!(level(&mut second, "A"), levels("A", 0, 0));
    assert_eq!(find(&mut second, "key"), "ok(none)");
}

#[test]
fn a_trap_between_reserving_and_committing_costs_time_and_no_stock() {
    instance_ends_by("TRAP");
}

#[test]
fn an_endless_loop_between_reserving_and_committing_costs_time_and_no_stock() {
    instance_ends_by("LOOP");
}

#[test]
fn a_retry_after_a_kill_need_not_wait_for_the_expiry() {
    let shelf = Shelf::new();
    let (mut first, mut second) = (shelf.host(), shelf.host());
    stock(&mut first, "A", 5);
    let _held = reserve(&mut first, "key", &[("A", 5)], 3_600).unwrap().unwrap();
    first.vanish();
    let again = reserve(&mut second, "key", &[("A", 5)], 3_600).unwrap().unwrap();
    assert!(commit(&mut second, again, &[("A", 5)]).unwrap().starts_with("ok("));
    assert_eq!(level(&mut second, "A"), levels("A", 0, 0));
}

#[test]
fn an_owner_that_slept_past_its_expiry_commits_nothing_that_others_have_taken() {
    let shelf = Shelf::new();
    let (mut sleeper, mut other) = (shelf.host(), shelf.host());
    stock(&mut sleeper, "A", 5);
    let late = reserve(&mut sleeper, "sleeper", &[("A", 5)], 10).unwrap().unwrap();
    shelf.clock.advance(10);
    let taken = reserve(&mut other, "other", &[("A", 5)], 600).unwrap().unwrap();
    assert_eq!(commit(&mut sleeper, late, &[("A", 5)]).unwrap(), "err(expired)");
    assert_eq!(level(&mut other, "A"), levels("A", 5, 5));
    assert!(commit(&mut other, taken, &[("A", 5)]).unwrap().starts_with("ok("));
}

/// Passes everything on until so many writes were made; then no call returns any more, and `kill` is notified: the
/// process dies at that place, before the write or after it and before its answer.
struct KilledAt {
    inner: Arc<Memory>,
    writes_left: AtomicI64,
    after_the_write: bool,
    kill: Arc<Notify>,
}

impl Backend for KilledAt {
    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        self.inner.get_many(bucket, keys)
    }

    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>> {
        self.inner.list_keys(bucket, after)
    }

    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>> {
        let left = self.writes_left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return self.inner.write(bucket, write);
        }
        Box::pin(async move {
            if self.after_the_write {
                self.inner.write(bucket, write).await?;
            }
            self.kill.notify_one();
            pending().await
        })
    }
}

/// Killed at every single step of placing an order over two products, before or after each write: afterwards the
/// order is there and its units are sold, or it is not and every unit is free again. And the retry succeeds.
fn killed_at_every_step(after_the_write: bool) {
    const CART: [(&str, u32); 2] = [("A", 3), ("B", 2)];
    let mut steps = 0;
    let mut placed = 0;
    loop {
        let shelf = Shelf::new();
        let mut survivor = shelf.host();
        stock(&mut survivor, "A", 5);
        stock(&mut survivor, "B", 5);
        let kill = Arc::new(Notify::new());
        let mut victim = shelf.host_on(Arc::new(KilledAt {
            inner: shelf.store.clone(),
            writes_left: AtomicI64::new(steps),
            after_the_write,
            kill: kill.clone(),
        }));
        victim.killed_by(kill);
        let outcome = reserve(&mut victim, "key", &CART, 60)
            .map(|reserved| reserved.expect("there is enough"))
            .and_then(|reservation| commit(&mut victim, reservation, &CART));
        victim.vanish();

        // What another host finds, at once and after the hold has expired.
        let order = find(&mut survivor, "key");
        shelf.clock.advance(60);
        let (sold_a, sold_b) = if order == "ok(none)" { (0, 0) } else { (3, 2) };
        placed += usize::from(order != "ok(none)");
        assert_eq!(level(&mut survivor, "A"), levels("A", 5 - sold_a, 0), "killed at write {steps}");
        assert_eq!(level(&mut survivor, "B"), levels("B", 5 - sold_b, 0), "killed at write {steps}");
        assert_eq!(placed_orders(&mut survivor), usize::from(order != "ok(none)"), "killed at write {steps}");

        // The retry: the order that is there, or a new one. Then there is exactly one.
        match reserve(&mut survivor, "key", &CART, 60).unwrap() {
            Ok(reservation) => {
                assert_eq!(order, "ok(none)", "killed at write {steps}");
                assert!(commit(&mut survivor, reservation, &CART).unwrap().starts_with("ok("));
            }
            Err(error) => {
                assert!(error.starts_with("placed("), "killed at write {steps}: {error}");
                assert_ne!(order, "ok(none)", "killed at write {steps}");
            }
        }
        assert_eq!(level(&mut survivor, "A"), levels("A", 2, 0), "killed at write {steps}");
        assert_eq!(level(&mut survivor, "B"), levels("B", 3, 0), "killed at write {steps}");
        assert_eq!(placed_orders(&mut survivor), 1, "killed at write {steps}");

        match outcome {
            Ok(answer) => {
                // Nothing was left to kill: the whole order went through, and stays.
                assert!(answer.starts_with("ok("), "{answer}");
                assert_ne!(order, "ok(none)");
                break;
            }
            Err(error) => assert!(matches!(error, CallError::Ended), "killed at write {steps}: {error}"),
        }
        steps += 1;
        assert!(steps < 100, "placing an order takes more than a hundred writes");
    }
    assert!(steps >= 5, "an order over two products takes only {steps} writes: were they counted?");
    assert!(
        (1..=usize::try_from(steps).unwrap()).contains(&placed),
        "{placed} of {steps} kills left an order"
    );
}

#[test]
fn killed_before_any_write_nothing_is_lost_or_sold_twice() {
    killed_at_every_step(false);
}

#[test]
fn killed_after_any_write_nothing_is_lost_or_sold_twice() {
    killed_at_every_step(true);
}

// ---- many writers -------------------------------------------------------------------------------------------------

/// Threads with instances of their own on one store: every unit is sold once, every order is listed once.
#[test]
fn hosts_that_race_for_the_same_units_sell_each_once() {
    const HOSTS: usize = 8;
    const UNITS: u32 = 40;
    let shelf = Shelf::new();
    let mut audit = shelf.host();
    stock(&mut audit, "A", UNITS);
    stock(&mut audit, "B", 1_000);
    let sold: u32 = thread::scope(|scope| {
        let hosts: Vec<_> = (0..HOSTS)
            .map(|host| {
                let mut guest = shelf.host();
                scope.spawn(move || {
                    let mut sold = 0;
                    for round in 0.. {
                        let cart = [("A", 1 + (round % 2)), ("B", 1)];
                        match reserve(&mut guest, &format!("{host}-{round}"), &cart, 600).unwrap() {
                            Ok(reservation) if round % 5 == 4 => guest.drop_resource(reservation).unwrap(),
                            Ok(reservation) => {
                                assert!(commit(&mut guest, reservation, &cart).unwrap().starts_with("ok("));
                                sold += cart[0].1;
                            }
                            Err(short) => {
                                assert!(short.starts_with("short("), "{short}");
                                // Others may still give units back; the last single unit must go as well.
                                if short.contains("available: 0") && round > 60 {
                                    break;
                                }
                            }
                        }
                    }
                    sold
                })
            })
            .collect();
        hosts.into_iter().map(|host| host.join().expect("no host panics")).sum()
    });
    assert_eq!(sold, UNITS);
    assert_eq!(level(&mut audit, "A"), levels("A", 0, 0));
    let listed = audit.wave(&format!("{ORDERS}#list"), "(none, 250)").unwrap();
    let units: u32 = (1..=2)
        .map(|units| {
            units
                * u32::try_from(listed.matches(&format!("name: \"Product A\", quantity: {units},")).count())
                    .unwrap()
        })
        .sum();
    assert_eq!(units, UNITS);
}

/// What may happen to storage, by one of several hosts.
#[derive(Debug, Clone)]
enum Step {
    Count { host: usize, sku: usize, units: u32 },
    Reserve { host: usize, key: usize, items: Vec<(usize, u32)>, hold_for: u32 },
    Commit { host: usize, handle: usize },
    Drop { host: usize, handle: usize },
    Vanish { host: usize },
    Pass { seconds: u64 },
}

const HOSTS: usize = 3;
const SKUS: [&str; 3] = ["A", "B", "C"];
const KEYS: usize = 5;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let host = || 0..HOSTS;
    let items = prop::collection::btree_map(0..SKUS.len(), 1u32..6, 1..=SKUS.len())
        .prop_map(|items| items.into_iter().collect::<Vec<_>>())
        .prop_shuffle();
    let step = prop_oneof![
        2 => (host(), 0..SKUS.len(), 0u32..20).prop_map(|(host, sku, units)| Step::Count { host, sku, units }),
        8 => (host(), 0..KEYS, items, 1u32..60)
            .prop_map(|(host, key, items, hold_for)| Step::Reserve { host, key, items, hold_for }),
        6 => (host(), 0usize..4).prop_map(|(host, handle)| Step::Commit { host, handle }),
        3 => (host(), 0usize..4).prop_map(|(host, handle)| Step::Drop { host, handle }),
        1 => host().prop_map(|host| Step::Vanish { host }),
        3 => (1u64..40).prop_map(|seconds| Step::Pass { seconds }),
    ];
    prop::collection::vec(step, 1..60)
}

/// An attempt to order, as the model knows it.
#[derive(Debug, Clone)]
struct Attempt {
    key: usize,
    items: Vec<(usize, u32)>,
    expires: u64,
    superseded: bool,
    done: bool,
}

/// What storage should be, in the simplest way to say it.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    on_hand: BTreeMap<usize, u64>,
    attempts: Vec<Attempt>,
    orders: BTreeMap<usize, Vec<(usize, u32)>>,
}

impl Model {
    fn held(&self, sku: usize) -> u64 {
        self.attempts
            .iter()
            .filter(|attempt| !attempt.done && !attempt.superseded && attempt.expires > self.now)
            .flat_map(|attempt| &attempt.items)
            .filter(|(item, _)| *item == sku)
            .map(|(_, quantity)| u64::from(*quantity))
            .sum()
    }

    fn on_hand(&self, sku: usize) -> u64 {
        self.on_hand.get(&sku).copied().unwrap_or(0)
    }

    fn reserve(&mut self, key: usize, items: &[(usize, u32)], hold_for: u32) -> Result<usize, String> {
        if self.orders.contains_key(&key) {
            return Err("placed".to_owned());
        }
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.key == key && !attempt.done) {
            attempt.superseded = true;
        }
        let short: Vec<_> = items
            .iter()
            .filter_map(|&(sku, requested)| {
                let available = self.on_hand(sku) - self.held(sku);
                (available < u64::from(requested)).then(|| {
                    format!("{{sku: \"{}\", requested: {requested}, available: {available}}}", SKUS[sku])
                })
            })
            .collect();
        if !short.is_empty() {
            return Err(format!("short([{}])", short.join(", ")));
        }
        let expires = self.now + u64::from(hold_for) * 1_000;
        self.attempts.push(Attempt { key, items: items.to_vec(), expires, superseded: false, done: false });
        Ok(self.attempts.len() - 1)
    }

    fn commit(&mut self, attempt: usize) -> &'static str {
        let now = self.now;
        let attempt = &mut self.attempts[attempt];
        attempt.done = true;
        if attempt.expires <= now {
            return "err(expired)";
        }
        if attempt.superseded {
            return "err(superseded)";
        }
        for &(sku, quantity) in &attempt.items {
            *self.on_hand.entry(sku).or_default() -= u64::from(quantity);
        }
        self.orders.insert(attempt.key, attempt.items.clone());
        "ok"
    }
}

fn named(items: &[(usize, u32)]) -> Vec<(&'static str, u32)> {
    items.iter().map(|&(sku, quantity)| (SKUS[sku], quantity)).collect()
}

fn follow(steps: &[Step]) -> Result<(), TestCaseError> {
    let shelf = Shelf::new();
    let mut model = Model { now: START * 1_000, ..Model::default() };
    let mut hosts: Vec<(Guest, Vec<(ResourceAny, usize)>)> =
        (0..HOSTS).map(|_| (shelf.host(), Vec::new())).collect();
    let mut audit = shelf.host();
    for sku in SKUS {
        stock(&mut audit, sku, 0);
    }
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Count { host, sku, units } => {
                let answer = hosts[*host]
                    .0
                    .wave(
                        &format!("{STOCK}#count"),
                        &format!("([{{sku: \"{}\", quantity: {units}}}])", SKUS[*sku]),
                    )
                    .unwrap();
                let fits = model.held(*sku) <= u64::from(*units);
                if fits {
                    model.on_hand.insert(*sku, u64::from(*units));
                }
                prop_assert_eq!(answer.starts_with("ok"), fits, "step {}: {}", number, answer);
            }
            Step::Reserve { host, key, items, hold_for } => {
                let (guest, handles) = &mut hosts[*host];
                let given = reserve(guest, &format!("key {key}"), &named(items), *hold_for).unwrap();
                match (given, model.reserve(*key, items, *hold_for)) {
                    (Ok(handle), Ok(attempt)) => handles.push((handle, attempt)),
                    (Err(given), Err(expected)) => {
                        prop_assert!(
                            given.starts_with(&expected),
                            "step {}: {} is not {}",
                            number,
                            given,
                            expected
                        );
                    }
                    (given, expected) => {
                        prop_assert!(false, "step {number}: {given:?}, expected {expected:?}")
                    }
                }
            }
            Step::Commit { host, handle } => {
                let (guest, handles) = &mut hosts[*host];
                if *handle < handles.len() {
                    let (handle, attempt) = handles.remove(*handle);
                    let items = named(&model.attempts[attempt].items);
                    let given = commit(guest, handle, &items).unwrap();
                    let expected = model.commit(attempt);
                    prop_assert!(
                        given.starts_with(expected),
                        "step {}: {} is not {}",
                        number,
                        given,
                        expected
                    );
                }
            }
            Step::Drop { host, handle } => {
                let (guest, handles) = &mut hosts[*host];
                if *handle < handles.len() {
                    let (handle, attempt) = handles.remove(*handle);
                    guest.drop_resource(handle).unwrap();
                    model.attempts[attempt].done = true;
                }
            }
            Step::Vanish { host } => {
                let (guest, handles) = &mut hosts[*host];
                guest.vanish();
                handles.clear();
            }
            Step::Pass { seconds } => {
                shelf.clock.advance(*seconds);
                model.now += seconds * 1_000;
            }
        }
        for (sku, name) in SKUS.iter().enumerate() {
            let expected = levels(name, model.on_hand(sku), model.held(sku));
            prop_assert_eq!(level(&mut audit, name), expected, "after step {}: {:?}", number, step);
        }
    }
    for key in 0..KEYS {
        let found = find(&mut audit, &format!("key {key}"));
        match model.orders.get(&key) {
            Some(items) => prop_assert!(found.contains(&draft(&named(items))), "key {}: {}", key, found),
            None => prop_assert_eq!(found, "ok(none)"),
        }
    }
    prop_assert_eq!(placed_orders(&mut audit), model.orders.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn under_any_interleaving_storage_is_what_the_model_says(steps in steps()) {
        follow(&steps)?;
    }
}

// ---- records of older versions ------------------------------------------------------------------------------------

fn write_raw(store: &Memory, key: &str, bytes: &str) {
    futures::executor::block_on(store.set("default", key.to_owned(), bytes.as_bytes().to_vec())).unwrap();
}

#[test]
fn records_of_older_versions_are_read_and_written_back_in_the_newest() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    write_raw(
        &shelf.store,
        "product/OLD",
        r#"{"v":1,"name":"Old","description":"From before","unit_price":250}"#,
    );
    write_raw(&shelf.store, "stock/OLD", r#"{"v":1,"on_hand":7}"#);
    assert_eq!(
        host.wave(&format!("{PRODUCTS}#get"), "(\"OLD\")").unwrap(),
        "ok(some({sku: \"OLD\", name: \"Old\", description: \"From before\", category: \"uncategorised\", unit-price: 250}))"
    );
    assert_eq!(level(&mut host, "OLD"), levels("OLD", 7, 0));
    let _held = reserve(&mut host, "key", &[("OLD", 2)], 60).unwrap().unwrap();
    assert_eq!(level(&mut host, "OLD"), levels("OLD", 7, 2));
    let now =
        futures::executor::block_on(shelf.store.get("default", "stock/OLD".to_owned())).unwrap().unwrap();
    assert!(String::from_utf8(now).unwrap().contains("\"v\":2"));
}

#[test]
fn records_of_a_newer_version_are_refused_and_left_alone() {
    let shelf = Shelf::new();
    let mut host = shelf.host();
    stock(&mut host, "A", 3);
    let newer = r#"{"v":99,"everything":"different"}"#;
    write_raw(&shelf.store, "stock/A", newer);
    assert!(host.wave(&format!("{STOCK}#levels"), "([\"A\"])").unwrap().starts_with("err(damaged("));
    let refused = reserve(&mut host, "key", &[("A", 1)], 60).unwrap().unwrap_err();
    assert!(refused.starts_with("storage(damaged("), "{refused}");
    let kept =
        futures::executor::block_on(shelf.store.get("default", "stock/A".to_owned())).unwrap().unwrap();
    assert_eq!(String::from_utf8(kept).unwrap(), newer);
}
