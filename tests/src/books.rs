//! What was bought in a shop, against what its storage says afterwards: every order, every cent, every unit of stock.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::catalogue;

/// Products whose stock is asked for in one call.
const AT_ONCE: usize = 50;

/// What a customer was told of an order.
#[derive(Debug, Clone)]
pub struct Bought {
    /// What was bought, one unit of it.
    pub sku: String,
    /// The order's name.
    pub order: String,
    /// What was paid, in cents.
    pub total: u64,
    /// The whole answer, which is to be the same whenever it is asked for again.
    pub text: String,
}

/// Looks at the books, when no host serves the shop any more: `stock` is how many units of each product there were.
///
/// # Errors
/// When they do not agree with what was bought, or cannot be read.
pub fn audit(shop: &Path, granted: &[String], stock: u64, skus: &[String], bought: &[Bought]) -> Result<()> {
    let mut sold: BTreeMap<&str, u64> = BTreeMap::new();
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for one in bought {
        *sold.entry(&one.sku).or_default() += 1;
        ensure!(expected.insert(&one.order, one.total).is_none(), "{} was sold twice", one.order);
    }
    for some in skus.chunks(AT_ONCE) {
        let levels = catalogue::call(shop, granted, &format!("shop:storage/stock#levels({some:?})"))?;
        let level = |sku: &String| {
            let left = stock - sold.get(sku.as_str()).copied().unwrap_or_default();
            format!("{{sku: \"{sku}\", on-hand: {left}, held: 0, available: {left}}}")
        };
        let wanted = format!("ok([{}])", some.iter().map(level).collect::<Vec<_>>().join(", "));
        ensure!(levels == wanted, "the stock is\n  {levels}\nand should be\n  {wanted}");
    }
    let listed = orders(shop, granted)?;
    for (order, total) in &listed {
        let paid = expected.remove(order.as_str());
        let paid = paid.with_context(|| format!("{order} is in the books, and nobody was told of it"))?;
        ensure!(paid == *total, "{order} cost {paid}, and is {total} in the books");
    }
    ensure!(expected.is_empty(), "in no book: {expected:?}");
    Ok(())
}

/// All orders, and what was paid for each.
fn orders(shop: &Path, granted: &[String]) -> Result<BTreeMap<String, u64>> {
    let (mut found, mut after) = (BTreeMap::new(), "none".to_owned());
    loop {
        let page = catalogue::call(shop, granted, &format!("shop:storage/orders#list({after}, 250)"))?;
        for order in page.split("{id: \"").skip(1) {
            let (id, rest) = order.split_once('"').context("an id ends")?;
            let rest = rest.split_once("subtotal: ").context("an order has a subtotal")?.1;
            let total = rest.split_once("total: ").context("an order has a total")?.1;
            let total = total.split(['}', ',']).next().unwrap_or_default();
            let before = found.insert(id.to_owned(), total.parse()?);
            ensure!(before.is_none(), "{id} is listed twice");
        }
        let Some((_, next)) = page.rsplit_once("next: some(") else { return Ok(found) };
        after = format!("some({})", next.trim_end_matches(['}', ')']));
    }
}
