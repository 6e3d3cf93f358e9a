//! What the contract `shop:storage` speaks of, without its bindings.
//!
//! The meaning, units and limits of every field are in the contract; they are not repeated here. The types
//! that derive `Serialize` are stored as they are: to change one is to change a record's version.

use serde::{Deserialize, Serialize};

/// Why storage did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An argument breaks a documented limit.
    Invalid(String),
    /// No product has this SKU.
    UnknownProduct(String),
    /// A compare-and-swap lost against others again and again.
    Contended,
    /// A record cannot be read: its key, and why.
    Damaged(String),
    /// The key-value store failed, in these words.
    Unavailable(String),
}

/// Units of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Number of units.
    pub quantity: u32,
}

/// Something that is for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Stock keeping unit.
    pub sku: String,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// The category it is listed under.
    pub category: String,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

/// The stock of one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Units that are not sold: always `held + available`.
    pub on_hand: u64,
    /// Units of these that reservations hold.
    pub held: u64,
    /// Units that can still be reserved.
    pub available: u64,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Its name when the order was placed.
    pub name: String,
    /// Units sold.
    pub quantity: u32,
    /// Price of one unit when the order was placed, in minor units.
    pub unit_price: u64,
    /// `quantity × unit_price`, in minor units.
    pub total: u64,
}

/// A change to what the customer pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The line it belongs to, counted from 0; none for the whole order.
    pub line: Option<u32>,
    /// Why, in words for the customer.
    pub reason: String,
    /// Added to the total, in minor units.
    pub amount: i64,
}

/// An order that is about to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Who buys.
    pub customer: String,
    /// The customer's tier, in the words of the business logic.
    pub tier: String,
    /// What is bought, each SKU once.
    pub lines: Vec<Line>,
    /// What changed the price.
    pub adjustments: Vec<Adjustment>,
    /// Sum of the lines' totals, in minor units.
    pub subtotal: u64,
    /// `subtotal` plus all adjustments, in minor units.
    pub total: u64,
}

/// An order that was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's name.
    pub id: String,
    /// When it was placed, in milliseconds since 1970.
    pub placed_at: u64,
    /// What was placed.
    pub content: Draft,
}

/// A product of which too little is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Units asked for.
    pub requested: u32,
    /// Units that can be reserved now.
    pub available: u64,
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveError {
    /// There is too little of these products.
    Short(Vec<Shortage>),
    /// This key has become an order already.
    Placed(Box<Order>),
    /// Storage could not do it.
    Storage(Error),
}

/// Why a reservation did not become an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// The reservation had expired.
    Expired,
    /// Another attempt under the same idempotency key took the reservation over.
    Superseded,
    /// The draft does not say what the reservation holds, or its sums are wrong.
    Mismatch(String),
    /// Storage could not do it.
    Storage(Error),
}

impl From<Error> for ReserveError {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}

impl From<Error> for CommitError {
    fn from(error: Error) -> Self {
        Self::Storage(error)
    }
}
