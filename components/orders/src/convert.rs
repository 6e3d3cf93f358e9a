//! From the contracts' types to the logic's, and back.

use crate::bindings::exports::shop::orders::{catalog as c, checkout as k, types as t};
use crate::bindings::shop::pricing::policy as p;
use crate::bindings::shop::storage::{orders as o, products as r, types as s};
use crate::ports;
use crate::types;

/// Converts each element of a list.
pub fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

/// Implements `From` between records with the same fields.
macro_rules! same_fields {
    ($($from:ty => $to:ty { $($field:ident),* })*) => {
        $(impl From<$from> for $to {
            fn from(from: $from) -> Self {
                Self { $($field: from.$field),* }
            }
        })*
    };
}

same_fields! {
    t::CartLine => types::Item { sku, quantity }
    types::Item => s::Item { sku, quantity }
    ports::PricedLine => p::Line { sku, quantity, unit_price }
    p::Adjustment => types::Adjustment { line, reason, amount }
    o::Adjustment => types::Adjustment { line, reason, amount }
    types::Adjustment => o::Adjustment { line, reason, amount }
    types::Adjustment => t::Adjustment { line, reason, amount }
    r::Product => types::Product { sku, name, description, category, unit_price }
    o::Line => types::Line { sku, name, quantity, unit_price, total }
    types::Line => o::Line { sku, name, quantity, unit_price, total }
    types::Line => t::Line { sku, name, quantity, unit_price, total }
    o::Shortage => types::Shortage { sku, requested, available }
    types::Shortage => t::Shortage { sku, requested, available }
}

impl From<t::Tier> for types::Tier {
    fn from(tier: t::Tier) -> Self {
        match tier {
            t::Tier::Standard => Self::Standard,
            t::Tier::Silver => Self::Silver,
            t::Tier::Gold => Self::Gold,
        }
    }
}

impl From<types::Tier> for t::Tier {
    fn from(tier: types::Tier) -> Self {
        match tier {
            types::Tier::Standard => Self::Standard,
            types::Tier::Silver => Self::Silver,
            types::Tier::Gold => Self::Gold,
        }
    }
}

impl From<types::Tier> for p::Tier {
    fn from(tier: types::Tier) -> Self {
        match tier {
            types::Tier::Standard => Self::Standard,
            types::Tier::Silver => Self::Silver,
            types::Tier::Gold => Self::Gold,
        }
    }
}

impl From<t::Cart> for types::Cart {
    fn from(cart: t::Cart) -> Self {
        Self { lines: all(cart.lines), tier: cart.tier.into() }
    }
}

impl From<k::Request> for types::Request {
    fn from(request: k::Request) -> Self {
        Self { customer: request.customer, cart: request.cart.into(), expected_total: request.expected_total }
    }
}

impl From<types::Offer> for c::Product {
    fn from(types::Offer { product, available }: types::Offer) -> Self {
        let types::Product { sku, name, description, category, unit_price } = product;
        Self { sku, name, description, category, unit_price, available }
    }
}

impl From<types::Quote> for t::Quote {
    fn from(types::Quote { lines, adjustments, subtotal, total }: types::Quote) -> Self {
        Self { lines: all(lines), adjustments: all(adjustments), subtotal, total }
    }
}

impl From<types::Receipt> for k::Receipt {
    fn from(receipt: types::Receipt) -> Self {
        let types::Receipt { order_id, placed_at, customer, tier, quote } = receipt;
        Self { order_id, placed_at, customer, tier: tier.into(), quote: quote.into() }
    }
}

impl From<types::Draft> for o::Draft {
    fn from(types::Draft { customer, tier, quote }: types::Draft) -> Self {
        let types::Quote { lines, adjustments, subtotal, total } = quote;
        Self { customer, tier, lines: all(lines), adjustments: all(adjustments), subtotal, total }
    }
}

impl From<o::Order> for types::Order {
    fn from(order: o::Order) -> Self {
        let o::Draft { customer, tier, lines, adjustments, subtotal, total } = order.content;
        let quote = types::Quote { lines: all(lines), adjustments: all(adjustments), subtotal, total };
        let content = types::Draft { customer, tier, quote };
        Self { id: order.id, placed_at: order.placed_at, content }
    }
}

impl From<p::Refusal> for ports::Refusal {
    fn from(refusal: p::Refusal) -> Self {
        match refusal {
            p::Refusal::InvalidLine(index) => Self::InvalidLine(index),
            p::Refusal::TooManyLines(count) => Self::TooManyLines(count),
            p::Refusal::TooLarge => Self::TooLarge,
            p::Refusal::Declined(reason) => Self::Declined(reason),
        }
    }
}

impl From<s::Error> for ports::StorageError {
    fn from(error: s::Error) -> Self {
        match error {
            s::Error::Invalid(rule) => Self::Invalid(rule),
            s::Error::UnknownProduct(sku) => Self::UnknownProduct(sku),
            s::Error::Contended => Self::Contended,
            s::Error::Damaged(record) => Self::Damaged(record),
            s::Error::Unavailable(words) => Self::Unavailable(words),
        }
    }
}

impl From<o::ReserveError> for ports::ReserveError {
    fn from(error: o::ReserveError) -> Self {
        match error {
            o::ReserveError::Short(list) => Self::Short(all(list)),
            o::ReserveError::Placed(order) => Self::Placed(Box::new(order.into())),
            o::ReserveError::Storage(error) => Self::Storage(error.into()),
        }
    }
}

impl From<o::CommitError> for ports::CommitError {
    fn from(error: o::CommitError) -> Self {
        match error {
            o::CommitError::Expired => Self::Expired,
            o::CommitError::Superseded => Self::Superseded,
            o::CommitError::Mismatch(words) => Self::Mismatch(words),
            o::CommitError::Storage(error) => Self::Storage(error.into()),
        }
    }
}

impl From<types::PricingFault> for t::PricingFault {
    fn from(fault: types::PricingFault) -> Self {
        match fault {
            types::PricingFault::Declined(reason) => Self::Declined(reason),
            types::PricingFault::Refused(words) => Self::Refused(words),
            types::PricingFault::TooManyAdjustments(count) => Self::TooManyAdjustments(count),
            types::PricingFault::UnknownLine(line) => Self::UnknownLine(line),
            types::PricingFault::MalformedAdjustment(index) => Self::MalformedAdjustment(index),
            types::PricingFault::NegativeTotal => Self::NegativeTotal,
            types::PricingFault::Overflow => Self::Overflow,
        }
    }
}

impl From<types::Error> for t::Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::Invalid(rule) => Self::Invalid(rule),
            types::Error::UnknownProduct(sku) => Self::UnknownProduct(sku),
            types::Error::UnknownOrder(id) => Self::UnknownOrder(id),
            types::Error::OutOfStock(list) => Self::OutOfStock(all(list)),
            types::Error::TotalChanged(quote) => Self::TotalChanged((*quote).into()),
            types::Error::KeyReused => Self::KeyReused,
            types::Error::TooLarge => Self::TooLarge,
            types::Error::Pricing(fault) => Self::Pricing(fault.into()),
            types::Error::Busy => Self::Busy,
            types::Error::Unavailable(words) => Self::Unavailable(words),
        }
    }
}
