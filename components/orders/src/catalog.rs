//! What is for sale: the products of storage, with the units that can be bought.

use crate::limits;
use crate::ports::Storage;
use crate::types::{Error, Offer, Page, Product};

/// The products after the given SKU. Checked in this order: the limit, then the SKU.
///
/// # Errors
/// As the contract says.
pub fn list(storage: &impl Storage, after: Option<&str>, limit: u32) -> Result<Page<Offer>, Error> {
    limits::page(limit)?;
    after.map_or(Ok(()), limits::after)?;
    let page = storage.products(after, limit)?;
    Ok(Page { items: offers(storage, page.items)?, next: page.next })
}

/// The product with this SKU.
///
/// # Errors
/// As the contract says.
pub fn get(storage: &impl Storage, sku: &str) -> Result<Offer, Error> {
    limits::sku(sku)?;
    let unknown = || Error::UnknownProduct(sku.to_owned());
    let product = storage.product(sku)?.ok_or_else(unknown)?;
    offers(storage, vec![product])?.pop().ok_or_else(unknown)
}

fn offers(storage: &impl Storage, products: Vec<Product>) -> Result<Vec<Offer>, Error> {
    if products.is_empty() {
        return Ok(Vec::new());
    }
    let skus: Vec<String> = products.iter().map(|product| product.sku.clone()).collect();
    let levels = storage.available(&skus)?;
    if levels.len() != products.len() {
        let (given, wanted) = (levels.len(), products.len());
        return Err(Error::Unavailable(format!("storage answered {given} levels for {wanted} products")));
    }
    Ok(products.into_iter().zip(levels).map(|(product, available)| Offer { product, available }).collect())
}
