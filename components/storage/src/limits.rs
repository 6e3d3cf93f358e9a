//! The limits that the contract sets to arguments. Each is checked before anything is read or written, and
//! each error says the limit.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::types::{Draft, Error, Item, Product};

/// The most products or items of one call.
pub const BATCH: usize = 1_000;
/// The most items of a reservation.
pub const ITEMS: usize = 100;
/// The most units of an item.
pub const QUANTITY: u32 = 1_000_000;
/// The highest price of one unit, in minor units.
pub const UNIT_PRICE: u64 = 1_000_000_000_000_000;
/// The highest sum of money, in minor units.
pub const MONEY: u64 = i64::MAX as u64;
/// The most adjustments of an order.
pub const ADJUSTMENTS: usize = 256;

fn within<T: PartialOrd + Display>(what: &str, value: T, limits: RangeInclusive<T>) -> Result<(), Error> {
    if limits.contains(&value) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{what}: {} to {}, not {value}", limits.start(), limits.end())))
}

/// Text of so many characters, without control characters but those allowed.
fn text(what: &str, value: &str, limits: RangeInclusive<usize>, allowed: &[char]) -> Result<(), Error> {
    within(&format!("characters of {what}"), value.chars().count(), limits)?;
    match value.chars().find(|c| c.is_control() && !allowed.contains(c)) {
        Some(found) => Err(Error::Invalid(format!("{what}: no control characters, as {found:?}"))),
        None => Ok(()),
    }
}

/// Whether this is a SKU.
#[must_use]
pub fn is_sku(sku: &str) -> bool {
    (1..=64).contains(&sku.len())
        && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A stock keeping unit.
///
/// # Errors
/// [`Error::Invalid`], as all of these functions.
pub fn sku(sku: &str) -> Result<(), Error> {
    if is_sku(sku) {
        return Ok(());
    }
    Err(Error::Invalid("a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'".to_owned()))
}

/// How many products, items or SKUs a call brings.
///
/// # Errors
/// [`Error::Invalid`].
pub fn batch(count: usize) -> Result<(), Error> {
    within("a list's length", count, 0..=BATCH)
}

/// How long a page may be.
///
/// # Errors
/// [`Error::Invalid`].
pub fn page(limit: u32) -> Result<(), Error> {
    within("a limit", limit, 1..=250)
}

/// How long a reservation may hold, in seconds.
///
/// # Errors
/// [`Error::Invalid`].
pub fn hold_for(seconds: u32) -> Result<(), Error> {
    within("seconds to hold", seconds, 1..=3_600)
}

/// An idempotency key.
///
/// # Errors
/// [`Error::Invalid`].
pub fn idempotency_key(key: &str) -> Result<(), Error> {
    within("bytes of an idempotency key", key.len(), 1..=200)
}

/// A product, all of its fields.
///
/// # Errors
/// [`Error::Invalid`].
pub fn product(product: &Product) -> Result<(), Error> {
    sku(&product.sku)?;
    let of = |field: &str| format!("the {field} of {}", product.sku);
    text(&of("name"), &product.name, 1..=200, &[])?;
    text(&of("description"), &product.description, 0..=2_000, &['\n'])?;
    text(&of("category"), &product.category, 1..=80, &[])?;
    within(&of("unit price"), product.unit_price, 0..=UNIT_PRICE)
}

/// Items with quantities from `least` on, each SKU once.
///
/// # Errors
/// [`Error::Invalid`].
pub fn items(items: &[Item], least: u32) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for item in items {
        sku(&item.sku)?;
        within(&format!("the quantity of {}", item.sku), item.quantity, least..=QUANTITY)?;
        if !seen.insert(&item.sku) {
            return Err(Error::Invalid(format!("each SKU once, but {} is there again", item.sku)));
        }
    }
    Ok(())
}

/// How many items a reservation has.
///
/// # Errors
/// [`Error::Invalid`].
pub fn reserved(count: usize) -> Result<(), Error> {
    within("a reservation's items", count, 1..=ITEMS)
}

/// The limits of a draft's own fields. Whether it says what is reserved is another question.
///
/// # Errors
/// [`Error::Invalid`].
pub fn draft(draft: &Draft) -> Result<(), Error> {
    text("the customer", &draft.customer, 1..=200, &[])?;
    within("characters of the tier", draft.tier.chars().count(), 1..=32)?;
    within("a draft's adjustments", draft.adjustments.len(), 0..=ADJUSTMENTS)?;
    for adjustment in &draft.adjustments {
        within("characters of a reason", adjustment.reason.chars().count(), 1..=120)?;
    }
    within("the subtotal", draft.subtotal, 0..=MONEY)?;
    within("the total", draft.total, 0..=MONEY)
}
