//! The exports: each calls the logic with the real neighbours, and turns the answer into the contract's types.

use crate::bindings::exports::shop::orders::{catalog as c, checkout as k, types as t};
use crate::convert::all;
use crate::neighbours::{Policy, Store};
use crate::{catalog, checkout};

/// What implements the world.
pub struct Component;

impl c::Guest for Component {
    fn list(after: Option<String>, limit: u32) -> Result<c::Page, t::Error> {
        let page = catalog::list(&Store, after.as_deref(), limit)?;
        Ok(c::Page { items: all(page.items), next: page.next })
    }

    fn get(sku: String) -> Result<c::Product, t::Error> {
        Ok(catalog::get(&Store, &sku)?.into())
    }
}

impl k::Guest for Component {
    fn quote_cart(cart: t::Cart) -> Result<t::Quote, t::Error> {
        Ok(checkout::quote(&Store, &Policy, &cart.into())?.into())
    }

    fn place(idempotency_key: String, request: k::Request) -> Result<k::Receipt, t::Error> {
        Ok(checkout::place(&Store, &Policy, &idempotency_key, request.into())?.into())
    }

    fn get(order_id: String) -> Result<k::Receipt, t::Error> {
        Ok(checkout::get(&Store, &order_id)?.into())
    }
}
