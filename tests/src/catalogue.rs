//! The demo's catalogue: products from `tests/data/catalogue.csv`, and loading them through a composed shop's
//! own exports.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::{process, project};

/// A row of the CSV file.
#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    /// Stock keeping unit.
    pub sku: String,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// Category.
    pub category: String,
    /// Price of one unit, in cents.
    #[serde(rename = "unit_price_cents")]
    pub unit_price: u64,
    /// Units in the warehouse.
    pub stock: u32,
}

impl Product {
    /// A product for a test, with what the test does not care about filled in.
    pub fn plain(sku: &str, unit_price: u64, stock: u32) -> Self {
        Self {
            sku: sku.to_owned(),
            name: format!("Product {sku}"),
            description: String::new(),
            category: "Things".to_owned(),
            unit_price,
            stock,
        }
    }
}

/// The products of the CSV file, in its order.
///
/// # Errors
/// When the file cannot be read or a row is wrong: with its line.
pub fn read(file: &Path) -> Result<Vec<Product>> {
    csv::Reader::from_path(file)
        .and_then(|mut reader| reader.deserialize().collect::<Result<_, _>>())
        .with_context(|| format!("{} cannot be read as a catalogue", file.display()))
}

/// Text as a WAVE string literal.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted += &format!("\\u{{{:x}}}", u32::from(control)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The flags that keep a shop's data in this directory, and compiled code where all tests have theirs.
pub fn kept_in(directory: &Path) -> [String; 4] {
    let store = format!("redb:{}", directory.join("shop.redb").display());
    let cache = project::path("target/cache").display().to_string();
    ["--keyvalue".to_owned(), store, "--cache".to_owned(), cache]
}

/// The call that stores the products.
pub fn put_call(products: &[Product]) -> String {
    let records: Vec<_> = products
        .iter()
        .map(|product| {
            format!(
                "{{sku: {}, name: {}, description: {}, category: {}, unit-price: {}}}",
                quoted(&product.sku),
                quoted(&product.name),
                quoted(&product.description),
                quoted(&product.category),
                product.unit_price
            )
        })
        .collect();
    format!("shop:storage/products#put([{}])", records.join(", "))
}

/// The call that counts their stock.
pub fn count_call(products: &[Product]) -> String {
    let items: Vec<_> = products
        .iter()
        .map(|product| format!("{{sku: {}, quantity: {}}}", quoted(&product.sku), product.stock))
        .collect();
    format!("shop:storage/stock#count([{}])", items.join(", "))
}

/// Calls an export of a component with `host-runner call`, the call going through standard input, and gives the
/// result in WAVE.
///
/// # Errors
/// When the call is not answered, or answered with an error of the component.
pub fn call<A: AsRef<OsStr>>(component: &Path, grants: &[A], call: &str) -> Result<String> {
    let mut arguments = vec![OsStr::new("call"), component.as_os_str()];
    arguments.extend(grants.iter().map(AsRef::as_ref));
    arguments.push(OsStr::new("-"));
    let finished = process::run("host-runner", project::root(), &arguments, call)?;
    if finished.code != Some(0) {
        let start: String = call.chars().take(80).collect();
        bail!("host-runner call … {start:?} failed: {}{}", finished.stdout, finished.stderr);
    }
    Ok(finished.stdout.trim_end().to_owned())
}

/// Stores the products and their stock through the exports of a composed shop.
///
/// # Errors
/// As [`call`].
pub fn load<A: AsRef<OsStr>>(shop: &Path, grants: &[A], products: &[Product]) -> Result<()> {
    // The contract takes a thousand at a time.
    for some in products.chunks(1_000) {
        call(shop, grants, &put_call(some))?;
        call(shop, grants, &count_call(some))?;
    }
    Ok(())
}
