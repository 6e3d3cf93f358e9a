//! From the logic's types to the contract's, and back: the same fields under the same names.

use crate::bindings::exports::shop::storage::{orders as o, products as p, stock as s, types as t};
use crate::types;

/// Converts each element of a list.
pub fn all<A, B: From<A>>(list: Vec<A>) -> Vec<B> {
    list.into_iter().map(B::from).collect()
}

/// Converts a page into its two fields: the contract has a page type in each interface.
pub fn page<A, B: From<A>>(page: types::Page<A>) -> (Vec<B>, Option<String>) {
    (all(page.items), page.next)
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
    t::Item => types::Item { sku, quantity }
    p::Product => types::Product { sku, name, description, category, unit_price }
    types::Product => p::Product { sku, name, description, category, unit_price }
    types::Level => s::Level { sku, on_hand, held, available }
    o::Line => types::Line { sku, name, quantity, unit_price, total }
    types::Line => o::Line { sku, name, quantity, unit_price, total }
    o::Adjustment => types::Adjustment { line, reason, amount }
    types::Adjustment => o::Adjustment { line, reason, amount }
    types::Shortage => o::Shortage { sku, requested, available }
}

impl From<o::Draft> for types::Draft {
    fn from(draft: o::Draft) -> Self {
        Self {
            customer: draft.customer,
            tier: draft.tier,
            lines: all(draft.lines),
            adjustments: all(draft.adjustments),
            subtotal: draft.subtotal,
            total: draft.total,
        }
    }
}

impl From<types::Draft> for o::Draft {
    fn from(draft: types::Draft) -> Self {
        Self {
            customer: draft.customer,
            tier: draft.tier,
            lines: all(draft.lines),
            adjustments: all(draft.adjustments),
            subtotal: draft.subtotal,
            total: draft.total,
        }
    }
}

impl From<types::Order> for o::Order {
    fn from(order: types::Order) -> Self {
        Self { id: order.id, placed_at: order.placed_at, content: order.content.into() }
    }
}

impl From<types::Error> for t::Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::Invalid(rule) => Self::Invalid(rule),
            types::Error::UnknownProduct(sku) => Self::UnknownProduct(sku),
            types::Error::Contended => Self::Contended,
            types::Error::Damaged(record) => Self::Damaged(record),
            types::Error::Unavailable(words) => Self::Unavailable(words),
        }
    }
}

impl From<types::ReserveError> for o::ReserveError {
    fn from(error: types::ReserveError) -> Self {
        match error {
            types::ReserveError::Short(list) => Self::Short(all(list)),
            types::ReserveError::Placed(order) => Self::Placed((*order).into()),
            types::ReserveError::Storage(error) => Self::Storage(error.into()),
        }
    }
}

impl From<types::CommitError> for o::CommitError {
    fn from(error: types::CommitError) -> Self {
        match error {
            types::CommitError::Expired => Self::Expired,
            types::CommitError::Superseded => Self::Superseded,
            types::CommitError::Mismatch(words) => Self::Mismatch(words),
            types::CommitError::Storage(error) => Self::Storage(error.into()),
        }
    }
}
