//! What the logic needs from its two neighbours. The component gives it the real ones, the tests give it
//! some that misbehave.

use crate::types::{Adjustment, Draft, Item, Order, Page, Product, Shortage, Tier};

/// Why storage did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageError {
    /// An argument breaks a limit.
    Invalid(String),
    /// No product has this SKU.
    UnknownProduct(String),
    /// Too many writers on one record.
    Contended,
    /// A record cannot be read.
    Damaged(String),
    /// The store failed: a write took place, or it did not.
    Unavailable(String),
}

/// Why nothing was reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveError {
    /// There is too little of these products.
    Short(Vec<Shortage>),
    /// The key has become an order already.
    Placed(Box<Order>),
    /// Storage could not do it.
    Storage(StorageError),
}

/// Why a reservation did not become an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// It had expired.
    Expired,
    /// Another attempt under the same key took it over.
    Superseded,
    /// Storage does not agree with the draft.
    Mismatch(String),
    /// Storage could not do it.
    Storage(StorageError),
}

/// Products, stock and orders: `shop:storage`.
pub trait Storage {
    /// Units that are held. Dropping it gives them back.
    type Reservation;

    /// The product with this SKU.
    ///
    /// # Errors
    /// As the contract says; so for all of these.
    fn product(&self, sku: &str) -> Result<Option<Product>, StorageError>;

    /// The products after the given SKU.
    ///
    /// # Errors
    /// As the contract says.
    fn products(&self, after: Option<&str>, limit: u32) -> Result<Page<Product>, StorageError>;

    /// The units that can be bought, of each SKU.
    ///
    /// # Errors
    /// As the contract says.
    fn available(&self, skus: &[String]) -> Result<Vec<u64>, StorageError>;

    /// Holds the units of all items for an idempotency key, for some seconds.
    ///
    /// # Errors
    /// As the contract says.
    fn reserve(&self, key: &str, items: &[Item], hold_for: u32) -> Result<Self::Reservation, ReserveError>;

    /// Turns the reservation into an order.
    ///
    /// # Errors
    /// As the contract says.
    fn commit(&self, reservation: Self::Reservation, draft: Draft) -> Result<Order, CommitError>;

    /// The order with this id.
    ///
    /// # Errors
    /// As the contract says.
    fn order(&self, id: &str) -> Result<Option<Order>, StorageError>;

    /// The order of this idempotency key.
    ///
    /// # Errors
    /// As the contract says.
    fn find(&self, key: &str) -> Result<Option<Order>, StorageError>;
}

/// A line of the cart, as the pricing rule sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedLine {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Units bought.
    pub quantity: u32,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
}

/// Why a cart cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The line with this index is outside its limits.
    InvalidLine(u32),
    /// There are too many lines.
    TooManyLines(u32),
    /// The subtotal is beyond 2^63 - 1.
    TooLarge,
    /// The rule does not sell this cart.
    Declined(String),
}

/// The merchant's pricing rule: `shop:pricing`. Its answers are not trusted.
pub trait Pricing {
    /// Prices a cart.
    ///
    /// # Errors
    /// As the contract says.
    fn adjust(&self, lines: &[PricedLine], tier: Tier) -> Result<Vec<Adjustment>, Refusal>;
}
