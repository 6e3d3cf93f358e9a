//! The catalogue: a record for each product, and a sorted list of their SKUs.
//!
//! A new product enters the list first and gets its record after. Where the writer vanishes in between, an
//! entry without a record is left, which readers skip and a retry completes. So a product that has a record
//! is always in the list, and replacing one touches the record alone.

use crate::index::Index;
use crate::limits;
use crate::page;
use crate::record::{ProductRecord, Record, decode_some};
use crate::store::{KeyValue, Step, update};
use crate::types::{Error, Page, Product};

/// The name of the list of SKUs.
const LIST: &str = "products";

fn place(sku: &str) -> String {
    format!("product/{sku}")
}

/// Creates products, or replaces those whose SKU exists.
///
/// # Errors
/// [`Error::Invalid`] before anything was written, or those of the store and its records.
pub fn put<S: KeyValue>(store: &S, products: Vec<Product>) -> Result<(), Error> {
    limits::batch(products.len())?;
    products.iter().try_for_each(limits::product)?;
    let index = Index::new(store, LIST);
    for product in products {
        let key = place(&product.sku);
        let record =
            ProductRecord::new(product.name, product.description, product.category, product.unit_price);
        let mut listed = false;
        update(store, &key, |bytes| {
            match decode_some::<ProductRecord>(&key, bytes)? {
                Some(stored) if stored == record => return Ok(Step::Keep(())),
                Some(_) => {}
                None if listed => {}
                None => {
                    index.insert(&product.sku)?;
                    listed = true;
                }
            }
            Ok::<_, Error>(Step::Write(record.encode(), ()))
        })?;
    }
    Ok(())
}

/// The product with this SKU.
///
/// # Errors
/// Those of the arguments, the store and its records.
pub fn get<S: KeyValue>(store: &S, sku: &str) -> Result<Option<Product>, Error> {
    limits::sku(sku)?;
    read(store, sku)
}

fn read<S: KeyValue>(store: &S, sku: &str) -> Result<Option<Product>, Error> {
    let key = place(sku);
    let record = decode_some::<ProductRecord>(&key, store.get(&key)?.as_deref())?;
    Ok(record.map(|record| Product {
        sku: sku.to_owned(),
        name: record.name,
        description: record.description,
        category: record.category,
        unit_price: record.unit_price,
    }))
}

/// Refuses an SKU without a product.
///
/// # Errors
/// [`Error::UnknownProduct`], or those of the store and its records.
pub fn require<S: KeyValue>(store: &S, sku: &str) -> Result<(), Error> {
    match read(store, sku)? {
        Some(_) => Ok(()),
        None => Err(Error::UnknownProduct(sku.to_owned())),
    }
}

/// The products after the given SKU, ascending.
///
/// # Errors
/// Those of the arguments, the store and its records.
pub fn list<S: KeyValue>(store: &S, after: Option<String>, limit: u32) -> Result<Page<Product>, Error> {
    limits::page(limit)?;
    after.as_deref().map_or(Ok(()), limits::sku)?;
    page::collect(&Index::new(store, LIST), after, limit, |sku| read(store, sku))
}
