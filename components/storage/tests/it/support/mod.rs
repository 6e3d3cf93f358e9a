//! A store in memory, and actors that share it in an order that the test decides.
//!
//! An actor is a coroutine that stops before each operation on the store. Whoever resumes it says what becomes
//! of that operation. So the test owns the schedule, and the same schedule always gives the same run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use corosensei::{Coroutine, CoroutineResult, Yielder};
use storage::store::{Clock, KeyValue};
use storage::types::{Draft, Error, Item, Line, Product};

/// What becomes of the operation that an actor is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It works.
    Go,
    /// A swap fails although nothing has changed.
    Spurious,
    /// The store fails, before it has done anything.
    FailBefore,
    /// The store fails, after it has done everything.
    FailAfter,
    /// A swap takes place, and is reported to have failed.
    LostReply,
    /// The actor vanishes: neither this nor any later operation reaches the store.
    Vanish,
}

/// A look at a write that has just taken place: the key, what was there, what is there now.
pub type Watch = dyn Fn(&World, &str, Option<&[u8]>, &[u8]);

/// All that the actors share.
pub struct World {
    data: RefCell<BTreeMap<String, (u64, Vec<u8>)>>,
    numbers: RefCell<BTreeMap<String, u64>>,
    /// Milliseconds since 1970.
    pub now: Cell<u64>,
    /// Compare values instead of versions, as some stores do: a value that came back is the same.
    pub by_value: Cell<bool>,
    /// Operations done.
    pub operations: Cell<usize>,
    watch: RefCell<Option<Box<Watch>>>,
}

impl World {
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            data: RefCell::default(),
            numbers: RefCell::default(),
            now: Cell::new(1_700_000_000_000),
            by_value: Cell::new(false),
            operations: Cell::new(0),
            watch: RefCell::new(None),
        })
    }

    pub fn watch(&self, watch: impl Fn(&Self, &str, Option<&[u8]>, &[u8]) + 'static) {
        *self.watch.borrow_mut() = Some(Box::new(watch));
    }

    pub fn advance(&self, milliseconds: u64) {
        self.now.set(self.now.get() + milliseconds);
    }

    /// A store without a schedule: everything works at once.
    pub fn memory(self: &Rc<Self>) -> Memory<'static> {
        Memory { world: Rc::clone(self), yielder: None, vanished: Cell::new(false) }
    }

    pub fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.data.borrow().get(key).map(|(_, value)| value.clone())
    }

    /// Puts bytes in place that no program of today wrote.
    pub fn plant(&self, key: &str, value: &[u8]) {
        let version = self.data.borrow().get(key).map_or(0, |(version, _)| *version);
        self.data.borrow_mut().insert(key.to_owned(), (version + 1, value.to_vec()));
    }

    pub fn keys(&self) -> Vec<String> {
        self.data.borrow().keys().cloned().collect()
    }

    fn swap(&self, ticket: Ticket, value: &[u8]) -> bool {
        let found = self.data.borrow().get(&ticket.key).cloned();
        let version = found.as_ref().map(|(version, _)| *version);
        let found = found.map(|(_, value)| value);
        let same = if self.by_value.get() { found == ticket.value } else { version == ticket.version };
        if same {
            let next = (version.unwrap_or(0) + 1, value.to_vec());
            self.data.borrow_mut().insert(ticket.key.clone(), next);
            if let Some(watch) = &*self.watch.borrow() {
                watch(self, &ticket.key, found.as_deref(), value);
            }
        }
        same
    }
}

/// What a value was like when it was read.
pub struct Ticket {
    key: String,
    version: Option<u64>,
    value: Option<Vec<u8>>,
}

/// The store, as one actor has it.
pub struct Memory<'y> {
    pub world: Rc<World>,
    yielder: Option<&'y Yielder<Turn, ()>>,
    vanished: Cell<bool>,
}

impl Memory<'_> {
    fn operate<T>(
        &self,
        unlucky: impl FnOnce(&World, bool) -> Option<T>,
        operation: impl FnOnce(&World) -> T,
    ) -> Result<T, Error> {
        let fail = || Err(Error::Unavailable("the store failed".to_owned()));
        if self.vanished.get() {
            return fail();
        }
        let world = &*self.world;
        world.operations.set(world.operations.get() + 1);
        match self.yielder.map_or(Turn::Go, |yielder| yielder.suspend(())) {
            Turn::Go => Ok(operation(world)),
            Turn::Spurious => Ok(unlucky(world, false).unwrap_or_else(|| operation(world))),
            Turn::LostReply => Ok(unlucky(world, true).unwrap_or_else(|| operation(world))),
            Turn::FailBefore => fail(),
            Turn::FailAfter => {
                operation(world);
                fail()
            }
            Turn::Vanish => {
                self.vanished.set(true);
                fail()
            }
        }
    }

    pub fn vanished(&self) -> bool {
        self.vanished.get()
    }
}

impl KeyValue for Memory<'_> {
    type Ticket = Ticket;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.operate(|_, _| None, |world| world.value(key))
    }

    fn read(&self, key: &str) -> Result<(Ticket, Option<Vec<u8>>), Error> {
        self.operate(
            |_, _| None,
            |world| {
                let found = world.data.borrow().get(key).cloned();
                let (version, value) = found.unzip();
                (Ticket { key: key.to_owned(), version, value: value.clone() }, value)
            },
        )
    }

    fn swap(&self, ticket: Ticket, value: &[u8]) -> Result<bool, Error> {
        let ticket = Cell::new(Some(ticket));
        let swap = |world: &World| world.swap(ticket.take().expect("one swap a ticket"), value);
        self.operate(
            |world, applied| {
                if applied {
                    swap(world);
                }
                Some(false)
            },
            swap,
        )
    }

    fn next_number(&self, key: &str) -> Result<u64, Error> {
        self.operate(
            |_, _| None,
            |world| {
                let mut numbers = world.numbers.borrow_mut();
                let number = numbers.entry(key.to_owned()).or_default();
                *number += 1;
                *number
            },
        )
    }
}

impl Clock for Memory<'_> {
    fn now(&self) -> u64 {
        self.world.now.get()
    }
}

/// Someone who works on the store, one operation at a time.
pub struct Actor(Coroutine<Turn, (), ()>);

impl Actor {
    /// Starts someone, who stops before the first operation.
    pub fn start(world: &Rc<World>, work: impl FnOnce(&Memory<'_>) + 'static) -> Self {
        let world = Rc::clone(world);
        let mut actor = Self(Coroutine::new(move |yielder: &Yielder<Turn, ()>, _: Turn| {
            work(&Memory { world, yielder: Some(yielder), vanished: Cell::new(false) });
        }));
        actor.step(Turn::Go);
        actor
    }

    pub fn done(&self) -> bool {
        self.0.done()
    }

    /// Does one operation; false where the actor had finished.
    pub fn step(&mut self, turn: Turn) -> bool {
        if self.0.done() {
            return false;
        }
        matches!(self.0.resume(turn), CoroutineResult::Yield(())) || self.0.done()
    }

    pub fn finish(&mut self) {
        while !self.done() {
            self.step(Turn::Go);
        }
    }
}

/// Runs actors by a list of choices, and when these are used up, in turns to the end.
pub fn run(world: &World, actors: &mut [Actor], choices: &[u16]) {
    for choice in choices {
        let choice = usize::from(*choice);
        let (who, what) = (choice % actors.len(), choice / actors.len() % 64);
        let turn = match what {
            0 => Turn::Vanish,
            1 | 2 => Turn::Spurious,
            3 => Turn::FailBefore,
            4 => Turn::FailAfter,
            5 => Turn::LostReply,
            6 | 7 => {
                world.advance(if what == 6 { 15_000 } else { 31_000 });
                Turn::Go
            }
            _ => Turn::Go,
        };
        actors[who].step(turn);
    }
    while actors.iter().any(|actor| !actor.done()) {
        for actor in &mut *actors {
            actor.step(Turn::Go);
        }
    }
}

pub fn product(sku: &str, unit_price: u64) -> Product {
    Product {
        sku: sku.to_owned(),
        name: format!("Product {sku}"),
        description: "What it is.\nWhat it does.".to_owned(),
        category: "things".to_owned(),
        unit_price,
    }
}

pub fn item(sku: &str, quantity: u32) -> Item {
    Item { sku: sku.to_owned(), quantity }
}

/// A draft for exactly these items.
pub fn draft(customer: &str, items: &[Item]) -> Draft {
    let lines: Vec<Line> = items
        .iter()
        .map(|Item { sku, quantity }| Line {
            sku: sku.clone(),
            name: format!("Product {sku}"),
            quantity: *quantity,
            unit_price: 7,
            total: u64::from(*quantity) * 7,
        })
        .collect();
    let subtotal = lines.iter().map(|line| line.total).sum();
    Draft {
        customer: customer.to_owned(),
        tier: "gold".to_owned(),
        lines,
        adjustments: Vec::new(),
        subtotal,
        total: subtotal,
    }
}

/// Products with so many units each.
pub fn stocked(world: &Rc<World>, stock: &[Item]) {
    let memory = world.memory();
    let products = stock.iter().map(|item| product(&item.sku, 7)).collect();
    storage::products::put(&memory, products).expect("products are stored");
    storage::stock::count(&memory, world.now.get(), stock).expect("stock is counted");
}
