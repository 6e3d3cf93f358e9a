//! Writes down what a new store holds: the catalogue and its stock, as the shop's own storage keeps them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use storage::store::KeyValue;
use storage::types::{Error, Item, Product};
use storage::{limits, products, stock};

/// A row of the catalogue.
#[derive(Deserialize)]
struct Row {
    sku: String,
    name: String,
    description: String,
    category: String,
    unit_price_cents: u64,
}

#[derive(Default)]
struct Memory {
    values: RefCell<BTreeMap<String, Vec<u8>>>,
    numbers: RefCell<BTreeMap<String, u64>>,
}

impl KeyValue for Memory {
    type Ticket = String;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.values.borrow().get(key).cloned())
    }

    fn read(&self, key: &str) -> Result<(String, Option<Vec<u8>>), Error> {
        Ok((key.to_owned(), self.get(key)?))
    }

    fn swap(&self, key: String, value: &[u8]) -> Result<bool, Error> {
        self.values.borrow_mut().insert(key, value.to_vec());
        Ok(true)
    }

    fn next_number(&self, key: &str) -> Result<u64, Error> {
        let mut numbers = self.numbers.borrow_mut();
        let last = numbers.entry(key.to_owned()).or_default();
        *last += 1;
        Ok(*last)
    }
}

fn main() -> Result<()> {
    let catalogue = Path::new("../../../tests/data/catalogue.csv");
    println!("cargo::rerun-if-changed={}", catalogue.display());
    println!("cargo::rerun-if-changed=build.rs");
    let rows: Vec<Row> = csv::Reader::from_path(catalogue)?.deserialize().collect::<Result<_, _>>()?;

    let store = Memory::default();
    let told = |error: Error| anyhow!("{error:?}");
    // No order runs out of it.
    let items: Vec<_> =
        rows.iter().map(|row| Item { sku: row.sku.clone(), quantity: limits::QUANTITY }).collect();
    let all = rows.into_iter().map(|row| Product {
        sku: row.sku,
        name: row.name,
        description: row.description,
        category: row.category,
        unit_price: row.unit_price_cents,
    });
    products::put(&store, all.collect()).map_err(told)?;
    stock::count(&store, 0, &items).map_err(told)?;

    let mut values = store.values.into_inner();
    // As the store itself keeps numbers.
    values.extend(
        store.numbers.into_inner().into_iter().map(|(key, last)| (key, last.to_string().into_bytes())),
    );
    let mut text = String::from("&[\n");
    for (key, value) in values {
        writeln!(text, "    ({key:?}, b\"{}\"),", value.escape_ascii())?;
    }
    text.push(']');
    let out = env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("catalogue.rs"), text)?;
    Ok(())
}
