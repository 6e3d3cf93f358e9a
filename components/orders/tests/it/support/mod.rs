//! A storage and a pricing rule that answer what the test tells them to, and remember what they were asked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use orders::ports::{CommitError, PricedLine, Pricing, Refusal, ReserveError, Storage, StorageError};
use orders::types::{Adjustment, Draft, Error, Item, Order, Page, Product, Tier};

/// What storage was asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    Product(String),
    Products(Option<String>, u32),
    Available(Vec<String>),
    Reserve(String, Vec<Item>, u32),
    Commit(Draft),
    Order(String),
    Find(String),
}

/// A storage with enough of everything, but for what a test says.
#[derive(Default)]
pub struct Fake {
    products: Vec<Product>,
    pub calls: RefCell<Vec<Call>>,
    /// Reservations that are alive.
    pub held: Rc<Cell<u32>>,
    /// What `find` answers, the last first; nothing when used up.
    pub found: RefCell<Vec<Option<Order>>>,
    pub order: RefCell<Option<Order>>,
    pub levels: RefCell<Option<Vec<u64>>>,
    pub reads_fail: RefCell<Option<StorageError>>,
    pub reserve_fails: RefCell<Option<ReserveError>>,
    pub commit_fails: RefCell<Option<CommitError>>,
}

impl Fake {
    pub fn shop(products: &[(&str, u64)]) -> Self {
        let products = products.iter().map(|(sku, unit_price)| Product {
            sku: (*sku).to_owned(),
            name: format!("Product {sku}"),
            description: String::new(),
            category: "things".to_owned(),
            unit_price: *unit_price,
        });
        Self { products: products.collect(), ..Self::default() }
    }

    fn read<T>(&self, call: Call, answer: T) -> Result<T, StorageError> {
        self.calls.borrow_mut().push(call);
        self.reads_fail.borrow().clone().map_or(Ok(answer), Err)
    }
}

/// Counts itself out when it is dropped, as the real one gives its units back.
pub struct Held(Rc<Cell<u32>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Storage for Fake {
    type Reservation = Held;

    fn product(&self, sku: &str) -> Result<Option<Product>, StorageError> {
        let product = self.products.iter().find(|product| product.sku == sku);
        self.read(Call::Product(sku.to_owned()), product.cloned())
    }

    fn products(&self, after: Option<&str>, limit: u32) -> Result<Page<Product>, StorageError> {
        let page = Page { items: self.products.clone(), next: Some("next".to_owned()) };
        self.read(Call::Products(after.map(str::to_owned), limit), page)
    }

    fn available(&self, skus: &[String]) -> Result<Vec<u64>, StorageError> {
        let levels = self.levels.borrow().clone().unwrap_or_else(|| (1..).take(skus.len()).collect());
        self.read(Call::Available(skus.to_vec()), levels)
    }

    fn reserve(&self, key: &str, items: &[Item], hold_for: u32) -> Result<Held, ReserveError> {
        self.calls.borrow_mut().push(Call::Reserve(key.to_owned(), items.to_vec(), hold_for));
        if let Some(error) = self.reserve_fails.take() {
            return Err(error);
        }
        self.held.set(self.held.get() + 1);
        Ok(Held(Rc::clone(&self.held)))
    }

    fn commit(&self, _: Held, draft: Draft) -> Result<Order, CommitError> {
        self.calls.borrow_mut().push(Call::Commit(draft.clone()));
        match self.commit_fails.take() {
            Some(error) => Err(error),
            None => Ok(Order { id: "an-id".to_owned(), placed_at: 7, content: draft }),
        }
    }

    fn order(&self, id: &str) -> Result<Option<Order>, StorageError> {
        self.read(Call::Order(id.to_owned()), self.order.borrow().clone())
    }

    fn find(&self, key: &str) -> Result<Option<Order>, StorageError> {
        self.read(Call::Find(key.to_owned()), self.found.borrow_mut().pop().flatten())
    }
}

/// A pricing rule with one answer.
pub struct Rule {
    answer: Result<Vec<Adjustment>, Refusal>,
    pub asked: RefCell<Vec<Vec<PricedLine>>>,
}

impl Rule {
    pub fn answering(answer: Result<Vec<Adjustment>, Refusal>) -> Self {
        Self { answer, asked: RefCell::default() }
    }

    pub fn listing(adjustments: Vec<Adjustment>) -> Self {
        Self::answering(Ok(adjustments))
    }
}

impl Pricing for Rule {
    fn adjust(&self, lines: &[PricedLine], _: Tier) -> Result<Vec<Adjustment>, Refusal> {
        self.asked.borrow_mut().push(lines.to_vec());
        self.answer.clone()
    }
}

pub fn item(sku: &str, quantity: u32) -> Item {
    Item { sku: sku.to_owned(), quantity }
}

pub fn adjustment(line: Option<u32>, reason: &str, amount: i64) -> Adjustment {
    Adjustment { line, reason: reason.to_owned(), amount }
}

pub fn invalid<T>(words: &str) -> Result<T, Error> {
    Err(Error::Invalid(words.to_owned()))
}
