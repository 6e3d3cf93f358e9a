//! From a cart to a receipt.
//!
//! There is a second implementation of this, in Python, and both must give the same answer to the same
//! call. So the order in which things are checked is part of what is promised; the first that fails decides.
//!
//! # A quote
//! 1. At most 100 lines.
//! 2. Each line in order: its SKU, then its quantity.
//! 3. Lines with the same SKU are merged, the first deciding the place.
//! 4. Each merged line in order: its quantity.
//! 5. The products of all merged lines, in order: the first missing one.
//! 6. The subtotal, computed exactly: at most 2^63 - 1.
//! 7. The pricing rule, which is asked about an empty cart too.
//! 8. Its answer: the number of adjustments; each adjustment in order, first its line, then its amount and
//!    reason; then the total, computed exactly whatever lies in between: not negative, at most 2^63 - 1.
//!
//! # An order
//! 1. The idempotency key.
//! 2. The customer.
//! 3. At least one line.
//! 4. A quote's 1 to 4.
//! 5. Is there an order under the key? Then it is *compared* and that is all: the same customer, tier, SKUs
//!    and quantities get its receipt, everything else `key-reused`.
//! 6. A quote's 5 to 8.
//! 7. The expected total.
//! 8. The units are reserved. An order that turned up in the meantime is compared.
//! 9. The reservation is committed. Where it had expired or was taken over by another attempt under the same
//!    key, the order of that one is compared, or there is none yet and the shop is `busy`.
//!
//! Nothing is bought before step 9. Where it fails earlier the reservation is dropped, and storage gives the
//! units back.

use std::collections::BTreeMap;

use crate::limits;
use crate::ports::{CommitError, PricedLine, Pricing, Refusal, ReserveError, Storage, StorageError};
use crate::types::{
    Adjustment, Cart, Draft, Error, Item, Line, Order, PricingFault, Quote, Receipt, Request, Tier,
};

/// How long units are held between reserving and committing, in seconds. Nothing but the commit lies in
/// between; what is left is for a host that is out of breath.
pub const HOLD_SECONDS: u32 = 30;

/// What a cart costs.
///
/// # Errors
/// As the contract says, in the order above.
pub fn quote(storage: &impl Storage, pricing: &impl Pricing, cart: &Cart) -> Result<Quote, Error> {
    price(storage, pricing, &merge(&cart.lines)?, cart.tier)
}

/// Places an order, all of its lines or nothing; answers the same receipt to the same key.
///
/// # Errors
/// As the contract says, in the order above.
pub fn place(
    storage: &impl Storage,
    pricing: &impl Pricing,
    key: &str,
    request: Request,
) -> Result<Receipt, Error> {
    limits::idempotency_key(key)?;
    limits::customer(&request.customer)?;
    limits::not_empty(&request.cart.lines)?;
    let tier = request.cart.tier;
    let items = merge(&request.cart.lines)?;
    if let Some(order) = storage.find(key)? {
        return compare(order, &request.customer, tier, &items);
    }

    let quote = price(storage, pricing, &items, tier)?;
    if request.expected_total.is_some_and(|expected| expected != quote.total) {
        return Err(Error::TotalChanged(Box::new(quote)));
    }

    let reservation = match storage.reserve(key, &items, HOLD_SECONDS) {
        Ok(reservation) => reservation,
        Err(ReserveError::Short(list)) => return Err(Error::OutOfStock(list)),
        Err(ReserveError::Placed(order)) => return compare(*order, &request.customer, tier, &items),
        Err(ReserveError::Storage(error)) => return Err(error.into()),
    };
    let draft = Draft { customer: request.customer.clone(), tier: tier.word().to_owned(), quote };
    match storage.commit(reservation, draft) {
        Ok(order) => receipt(order),
        Err(CommitError::Expired | CommitError::Superseded) => match storage.find(key)? {
            Some(order) => compare(order, &request.customer, tier, &items),
            None => Err(Error::Busy),
        },
        Err(CommitError::Mismatch(words)) => {
            Err(Error::Unavailable(format!("storage refused the order: {words}")))
        }
        Err(CommitError::Storage(error)) => Err(error.into()),
    }
}

/// The receipt of the order with this id.
///
/// # Errors
/// As the contract says.
pub fn get(storage: &impl Storage, id: &str) -> Result<Receipt, Error> {
    receipt(storage.order(id)?.ok_or_else(|| Error::UnknownOrder(id.to_owned()))?)
}

/// Checks the lines and adds up those with the same SKU.
fn merge(lines: &[Item]) -> Result<Vec<Item>, Error> {
    limits::lines(lines)?;
    let mut merged: Vec<Item> = Vec::new();
    let mut places = BTreeMap::new();
    for line in lines {
        match places.get(line.sku.as_str()) {
            // 100 lines of 1,000,000 units are far below 2^32.
            Some(&place) => {
                let known: &mut Item = &mut merged[place];
                known.quantity += line.quantity;
            }
            None => {
                places.insert(line.sku.as_str(), merged.len());
                merged.push(line.clone());
            }
        }
    }
    merged.iter().try_for_each(limits::merged)?;
    Ok(merged)
}

fn price(storage: &impl Storage, pricing: &impl Pricing, items: &[Item], tier: Tier) -> Result<Quote, Error> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let product = storage.product(&item.sku)?;
        found.push((item, product.ok_or_else(|| Error::UnknownProduct(item.sku.clone()))?));
    }
    let (mut lines, mut priced, mut subtotal) = (Vec::new(), Vec::new(), 0_u64);
    for (Item { sku, quantity }, product) in found {
        let unit_price = product.unit_price;
        let total = u64::from(*quantity).checked_mul(unit_price).ok_or(Error::TooLarge)?;
        subtotal = subtotal.checked_add(total).filter(|sum| *sum <= limits::MONEY).ok_or(Error::TooLarge)?;
        priced.push(PricedLine { sku: sku.clone(), quantity: *quantity, unit_price });
        lines.push(Line { sku: sku.clone(), name: product.name, quantity: *quantity, unit_price, total });
    }
    let adjustments = pricing.adjust(&priced, tier).map_err(refused)?;
    let total = verify(&adjustments, lines.len(), subtotal).map_err(Error::Pricing)?;
    Ok(Quote { lines, adjustments, subtotal, total })
}

fn refused(refusal: Refusal) -> Error {
    Error::Pricing(match refusal {
        Refusal::TooLarge => return Error::TooLarge,
        Refusal::Declined(reason) => PricingFault::Declined(reason),
        Refusal::InvalidLine(index) => PricingFault::Refused(format!("invalid-line({index})")),
        Refusal::TooManyLines(count) => PricingFault::Refused(format!("too-many-lines({count})")),
    })
}

/// Checks an answer of the pricing rule, of which nothing is taken for granted. Answers the total.
fn verify(adjustments: &[Adjustment], lines: usize, subtotal: u64) -> Result<u64, PricingFault> {
    if adjustments.len() > limits::ADJUSTMENTS {
        return Err(PricingFault::TooManyAdjustments(u32::try_from(adjustments.len()).unwrap_or(u32::MAX)));
    }
    for (index, adjustment) in (0..).zip(adjustments) {
        if let Some(line) = adjustment.line.filter(|line| *line as usize >= lines) {
            return Err(PricingFault::UnknownLine(line));
        }
        if adjustment.amount == 0 || !limits::is_reason(&adjustment.reason) {
            return Err(PricingFault::MalformedAdjustment(index));
        }
    }
    // At most 257 numbers of 64 bits: far below 128.
    let amounts: i128 = adjustments.iter().map(|adjustment| i128::from(adjustment.amount)).sum();
    let total = i128::from(subtotal) + amounts;
    match u64::try_from(total) {
        Ok(total) if total <= limits::MONEY => Ok(total),
        _ if total < 0 => Err(PricingFault::NegativeTotal),
        _ => Err(PricingFault::Overflow),
    }
}

/// The receipt of an order that exists, for a request that asks for the same.
fn compare(order: Order, customer: &str, tier: Tier, items: &[Item]) -> Result<Receipt, Error> {
    let mut wanted = items.to_vec();
    let mut bought: Vec<Item> = order
        .content
        .quote
        .lines
        .iter()
        .map(|line| Item { sku: line.sku.clone(), quantity: line.quantity })
        .collect();
    wanted.sort();
    bought.sort();
    if order.content.customer != customer || order.content.tier != tier.word() || bought != wanted {
        return Err(Error::KeyReused);
    }
    receipt(order)
}

fn receipt(order: Order) -> Result<Receipt, Error> {
    let Order { id, placed_at, content: Draft { customer, tier, quote } } = order;
    match Tier::from_word(&tier) {
        Some(tier) => Ok(Receipt { order_id: id, placed_at, customer, tier, quote }),
        None => Err(Error::Unavailable(format!("order {id} has an unknown tier"))),
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Invalid(rule) => Self::Invalid(rule),
            StorageError::UnknownProduct(sku) => Self::UnknownProduct(sku),
            StorageError::Contended => Self::Busy,
            StorageError::Damaged(record) => Self::Unavailable(format!("a record cannot be read: {record}")),
            StorageError::Unavailable(words) => Self::Unavailable(words),
        }
    }
}
