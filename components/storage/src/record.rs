//! What is stored, byte for byte: JSON objects with a version number in the field `v`.
//!
//! | key | record | versions |
//! |---|---|---|
//! | `product/SKU` | [`ProductRecord`] | 2; 1 had no category |
//! | `stock/SKU` | [`StockRecord`] | 2; 1 had no holds |
//! | `order/ID` | [`OrderRecord`] | 1 |
//! | `products/N`, `orders/N` | [`Chunk`](crate::index) of an index | 1 |
//! | `products/posts`, `orders/posts` | [`Signposts`](crate::index) of an index, only a hint | 1 |
//! | `products/last`, `orders/last` | the number of the newest chunk, in the store's own form | |
//!
//! An older version is read as what it means today, and written back in the newest when it changes. A newer
//! one is [`Error::Damaged`]: to guess would be to lose what it says. All numbers are whole and exact.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::types::{Draft, Error, Item};

/// A record that can be stored.
pub trait Record: Serialize + DeserializeOwned {
    /// Today's version, which is the one that is written.
    const NEWEST: u32;

    /// Reads an earlier version as what it means today.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it is none, or there was no such version.
    fn decode_earlier(key: &str, _bytes: &[u8], version: u32) -> Result<Self, Error> {
        no_such_version(key, version, Self::NEWEST)
    }

    /// What is wrong with it, if it cannot be true whatever the version.
    fn fault(&self) -> Option<&'static str> {
        None
    }

    /// Reads any version up to today's. `key` is for the error.
    ///
    /// # Errors
    /// [`Error::Damaged`] where it is none.
    fn decode(key: &str, bytes: &[u8]) -> Result<Self, Error> {
        let record = match parse::<Version>(key, bytes)?.v {
            found if found == Self::NEWEST => parse(key, bytes)?,
            found => Self::decode_earlier(key, bytes, found)?,
        };
        match record.fault() {
            Some(fault) => Err(Error::Damaged(format!("{key}: {fault}"))),
            None => Ok(record),
        }
    }

    /// Writes today's version.
    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("records have string keys and whole numbers, which JSON can say")
    }
}

/// Decodes what may be absent.
///
/// # Errors
/// [`Error::Damaged`] where there are bytes that are no record.
pub fn decode_some<R: Record>(key: &str, bytes: Option<&[u8]>) -> Result<Option<R>, Error> {
    bytes.map(|bytes| R::decode(key, bytes)).transpose()
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| Error::Damaged(format!("{key}: {error}")))
}

fn no_such_version<T>(key: &str, found: u32, newest: u32) -> Result<T, Error> {
    Err(Error::Damaged(format!("{key}: version {found}, but this program reads 1 to {newest}")))
}

/// A product, without its SKU, which is in the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRecord {
    v: u32,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// The category it is listed under.
    pub category: String,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
}

#[derive(Deserialize)]
struct ProductV1 {
    name: String,
    description: String,
    unit_price: u64,
}

impl ProductRecord {
    /// The category of products that were stored before there were any.
    pub const NO_CATEGORY: &str = "uncategorised";

    /// A record in today's version.
    #[must_use]
    pub fn new(name: String, description: String, category: String, unit_price: u64) -> Self {
        Self { v: Self::NEWEST, name, description, category, unit_price }
    }
}

impl Record for ProductRecord {
    const NEWEST: u32 = 2;

    fn decode_earlier(key: &str, bytes: &[u8], version: u32) -> Result<Self, Error> {
        if version != 1 {
            return no_such_version(key, version, Self::NEWEST);
        }
        let ProductV1 { name, description, unit_price } = parse(key, bytes)?;
        Ok(Self::new(name, description, Self::NO_CATEGORY.to_owned(), unit_price))
    }
}

/// Units that an attempt to order holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The order they are held for.
    pub order: String,
    /// The attempt at it that holds them.
    pub attempt: u64,
    /// How many.
    pub quantity: u32,
    /// When anybody may take them back, in milliseconds since 1970.
    pub expires_at: u64,
}

/// The stock of one product: everything that must change together is in this one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRecord {
    v: u32,
    /// Units in the warehouse, less what orders took whose hold was settled.
    pub on_hand: u64,
    /// Units of these that are spoken for: held, sold and not yet settled, or waiting to be taken back.
    pub holds: Vec<Hold>,
}

#[derive(Deserialize)]
struct StockV1 {
    on_hand: u64,
}

impl StockRecord {
    /// A record in today's version.
    #[must_use]
    pub fn new(on_hand: u64, holds: Vec<Hold>) -> Self {
        Self { v: Self::NEWEST, on_hand, holds }
    }

    /// Units of all holds.
    #[must_use]
    pub fn spoken_for(&self) -> u64 {
        self.holds.iter().fold(0, |sum: u64, hold| sum.saturating_add(u64::from(hold.quantity)))
    }

    /// Units of no hold.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.on_hand.saturating_sub(self.spoken_for())
    }
}

impl Record for StockRecord {
    const NEWEST: u32 = 2;

    fn decode_earlier(key: &str, bytes: &[u8], version: u32) -> Result<Self, Error> {
        if version != 1 {
            return no_such_version(key, version, Self::NEWEST);
        }
        Ok(Self::new(parse::<StockV1>(key, bytes)?.on_hand, Vec::new()))
    }

    fn fault(&self) -> Option<&'static str> {
        (self.spoken_for() > self.on_hand).then_some("more units are held than there are")
    }
}

/// How far the intent to buy of one idempotency key has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// An attempt may be holding units of these items, and may commit.
    Open {
        /// When anybody may end the attempt, in milliseconds since 1970.
        expires_at: u64,
        /// What it holds, or is about to hold.
        items: Vec<Item>,
    },
    /// The attempt has ended without an order: it can never commit.
    Released {},
    /// The attempt became the order. Final.
    Committed {
        /// When, in milliseconds since 1970.
        placed_at: u64,
        /// What was ordered.
        content: Draft,
    },
}

/// The fence and the commit point of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRecord {
    v: u32,
    /// The latest attempt, counted from 1. It never falls.
    pub attempt: u64,
    /// The one place in the list of orders that counts for this order. None only after data was lost.
    pub place: Option<String>,
    /// What became of the latest attempt.
    pub state: State,
}

impl OrderRecord {
    /// A record in today's version.
    #[must_use]
    pub fn new(attempt: u64, place: Option<String>, state: State) -> Self {
        Self { v: Self::NEWEST, attempt, place, state }
    }
}

impl Record for OrderRecord {
    const NEWEST: u32 = 1;
}
