//! The limits that the contract sets, with the words in which breaking one is answered. The words are the
//! same in every implementation of the business logic.

use crate::types::{Error, Item};

/// The most lines of a cart.
pub const LINES: usize = 100;
/// The most units of a product.
pub const QUANTITY: u32 = 1_000_000;
/// The highest sum of money, in minor units.
pub const MONEY: u64 = i64::MAX as u64;
/// The most adjustments that the pricing rule may list.
pub const ADJUSTMENTS: usize = 256;

const SKU: &str = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'";

fn rule(holds: bool, words: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Invalid(words())) }
}

fn is_sku(sku: &str) -> bool {
    (1..=64).contains(&sku.len())
        && sku.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A reason for an adjustment: 1 to 120 characters, no control characters.
#[must_use]
pub fn is_reason(reason: &str) -> bool {
    (1..=120).contains(&reason.chars().count()) && !reason.chars().any(char::is_control)
}

/// The lines as they are given: their number, then each SKU and quantity in order.
///
/// # Errors
/// [`Error::Invalid`], as all of these functions.
pub fn lines(lines: &[Item]) -> Result<(), Error> {
    let count = lines.len();
    rule(count <= LINES, || format!("a cart has at most {LINES} lines, not {count}"))?;
    for (index, Item { sku, quantity }) in lines.iter().enumerate() {
        rule(is_sku(sku), || format!("line {index}: {SKU}"))?;
        rule((1..=QUANTITY).contains(quantity), || {
            format!("line {index}: a quantity is 1 to {QUANTITY}, not {quantity}")
        })?;
    }
    Ok(())
}

/// The sum of a product's lines.
///
/// # Errors
/// [`Error::Invalid`].
pub fn merged(Item { sku, quantity }: &Item) -> Result<(), Error> {
    rule(*quantity <= QUANTITY, || {
        format!("SKU {sku}: the quantities of all its lines are at most {QUANTITY} together, not {quantity}")
    })
}

/// An order's lines.
///
/// # Errors
/// [`Error::Invalid`].
pub fn not_empty(lines: &[Item]) -> Result<(), Error> {
    rule(!lines.is_empty(), || "an order has at least one line".to_owned())
}

/// An idempotency key.
///
/// # Errors
/// [`Error::Invalid`].
pub fn idempotency_key(key: &str) -> Result<(), Error> {
    let bytes = key.len();
    rule((1..=200).contains(&bytes), || format!("an idempotency key is 1 to 200 bytes, not {bytes}"))
}

/// Who buys.
///
/// # Errors
/// [`Error::Invalid`].
pub fn customer(customer: &str) -> Result<(), Error> {
    let fits = (1..=200).contains(&customer.chars().count()) && !customer.chars().any(char::is_control);
    rule(fits, || "a customer is 1 to 200 characters without control characters".to_owned())
}

/// The length of a page.
///
/// # Errors
/// [`Error::Invalid`].
pub fn page(limit: u32) -> Result<(), Error> {
    rule((1..=250).contains(&limit), || format!("a limit is 1 to 250, not {limit}"))
}

/// Where a page of the catalogue begins.
///
/// # Errors
/// [`Error::Invalid`].
pub fn after(sku: &str) -> Result<(), Error> {
    rule(is_sku(sku), || format!("after: {SKU}"))
}

/// A product's name for machines.
///
/// # Errors
/// [`Error::Invalid`].
pub fn sku(sku: &str) -> Result<(), Error> {
    rule(is_sku(sku), || SKU.to_owned())
}
