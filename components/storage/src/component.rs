//! The exports: each opens the store, calls the logic, and turns the answer into the contract's types.

use std::cell::Cell;

use crate::bindings::exports::shop::storage::{orders as o, products as p, stock as s, types as t};
use crate::convert::{all, page};
use crate::host::{HostClock, HostStore};
use crate::store::Clock;
use crate::types::CommitError;
use crate::{orders, products, stock};

/// What implements the world.
pub struct Component;

impl p::Guest for Component {
    fn put(list: Vec<p::Product>) -> Result<(), t::Error> {
        Ok(products::put(&HostStore::open()?, all(list))?)
    }

    fn get(sku: String) -> Result<Option<p::Product>, t::Error> {
        Ok(products::get(&HostStore::open()?, &sku)?.map(Into::into))
    }

    fn list(after: Option<String>, limit: u32) -> Result<p::Page, t::Error> {
        let (items, next) = page(products::list(&HostStore::open()?, after, limit)?);
        Ok(p::Page { items, next })
    }
}

impl s::Guest for Component {
    fn count(items: Vec<t::Item>) -> Result<(), t::Error> {
        Ok(stock::count(&HostStore::open()?, HostClock.now(), &all(items))?)
    }

    fn levels(skus: Vec<String>) -> Result<Vec<s::Level>, t::Error> {
        Ok(all(stock::levels(&HostStore::open()?, HostClock.now(), &skus)?))
    }
}

/// The resource behind a reservation's handle. Dropping it uncommitted gives the units back.
pub struct Handle(Cell<Option<orders::Reservation>>, u64);

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(reservation) = self.0.take() else { return };
        // A destructor has nobody to tell: what is not given back now expires.
        if let Ok(store) = HostStore::open() {
            let _ = orders::release(&store, &reservation);
        }
    }
}

impl o::GuestReservation for Handle {
    fn expires_at(&self) -> u64 {
        self.1
    }
}

impl o::Guest for Component {
    type Reservation = Handle;

    fn reserve(
        idempotency_key: String,
        items: Vec<t::Item>,
        hold_for: u32,
    ) -> Result<o::Reservation, o::ReserveError> {
        let store = HostStore::open()?;
        let reservation = orders::reserve(&store, &HostClock, &idempotency_key, all(items), hold_for)?;
        let expires_at = reservation.expires_at();
        Ok(o::Reservation::new(Handle(Cell::new(Some(reservation)), expires_at)))
    }

    fn commit(reservation: o::Reservation, draft: o::Draft) -> Result<o::Order, o::CommitError> {
        // Opened first: where that fails, dropping the handle still tries to give the units back.
        let store = HostStore::open()?;
        let handle: Handle = reservation.into_inner();
        let held = handle.0.take().expect("a handle is emptied only when it is consumed");
        Ok(orders::commit(&store, &HostClock, held, draft.into()).map(Into::into)?)
    }

    fn get(id: String) -> Result<Option<o::Order>, t::Error> {
        Ok(orders::get(&HostStore::open()?, &id)?.map(Into::into))
    }

    fn find(idempotency_key: String) -> Result<Option<o::Order>, t::Error> {
        Ok(orders::find(&HostStore::open()?, &idempotency_key)?.map(Into::into))
    }

    fn list(after: Option<String>, limit: u32) -> Result<o::Page, t::Error> {
        let (items, next) = page(orders::list(&HostStore::open()?, after, limit)?);
        Ok(o::Page { items, next })
    }
}

// Opening the store fails with the logic's own error; the two calls with errors of their own wrap it.
impl From<crate::types::Error> for o::ReserveError {
    fn from(error: crate::types::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<crate::types::Error> for o::CommitError {
    fn from(error: crate::types::Error) -> Self {
        CommitError::Storage(error).into()
    }
}
