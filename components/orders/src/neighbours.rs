//! The neighbours that the component was composed with.

use crate::bindings::shop::pricing::policy;
use crate::bindings::shop::storage::{orders, products, stock, types as storage};
use crate::convert::all;
use crate::ports::{CommitError, PricedLine, Pricing, Refusal, ReserveError, Storage, StorageError};
use crate::types::{Adjustment, Draft, Item, Order, Page, Product, Tier};

/// Storage, as it was composed in.
pub struct Store;

impl Storage for Store {
    type Reservation = orders::Reservation;

    fn product(&self, sku: &str) -> Result<Option<Product>, StorageError> {
        Ok(products::get(sku)?.map(Product::from))
    }

    fn products(&self, after: Option<&str>, limit: u32) -> Result<Page<Product>, StorageError> {
        let page = products::list(after, limit)?;
        Ok(Page { items: all(page.items), next: page.next })
    }

    fn available(&self, skus: &[String]) -> Result<Vec<u64>, StorageError> {
        Ok(stock::levels(skus)?.into_iter().map(|level| level.available).collect())
    }

    fn reserve(&self, key: &str, items: &[Item], hold_for: u32) -> Result<orders::Reservation, ReserveError> {
        let items: Vec<storage::Item> = items.iter().cloned().map(storage::Item::from).collect();
        Ok(orders::reserve(key, &items, hold_for)?)
    }

    fn commit(&self, reservation: orders::Reservation, draft: Draft) -> Result<Order, CommitError> {
        Ok(orders::commit(reservation, &draft.into())?.into())
    }

    fn order(&self, id: &str) -> Result<Option<Order>, StorageError> {
        Ok(orders::get(id)?.map(Order::from))
    }

    fn find(&self, key: &str) -> Result<Option<Order>, StorageError> {
        Ok(orders::find(key)?.map(Order::from))
    }
}

/// The pricing rule, as it was composed in.
pub struct Policy;

impl Pricing for Policy {
    fn adjust(&self, lines: &[PricedLine], tier: Tier) -> Result<Vec<Adjustment>, Refusal> {
        let lines: Vec<policy::Line> = lines.iter().cloned().map(policy::Line::from).collect();
        Ok(all(policy::adjust(&lines, tier.into())?))
    }
}
