//! How much there is of each product: one record an SKU, in which units on hand and holds change together.
//!
//! A hold is in the record from the compare-and-swap that takes the units to the one that settles it (its
//! attempt became the order: it goes, and the units with it) or drops it (its attempt is dead: it goes,
//! the units stay). Both happen in one write, so no hold is settled twice, whoever does it. As long as a hold
//! is there nobody else can take its units: a hold too many can only ever cost a sale, never oversell.
//!
//! Holds that nobody cares for any more are cleared by whoever meets them: the expired ones by everybody, the
//! others where there would be too little without.

use std::collections::BTreeMap;

use crate::attempt::{self, Fate};
use crate::limits;
use crate::products;
use crate::record::{Hold, Record, StockRecord, decode_some};
use crate::store::{KeyValue, Step, update};
use crate::types::{Error, Item, Level};

fn place(sku: &str) -> String {
    format!("stock/{sku}")
}

/// Sets the units on hand, as counted.
///
/// # Errors
/// [`Error::Invalid`] where more units are held than were counted, [`Error::UnknownProduct`], or those of the
/// arguments, the store and its records.
pub fn count<S: KeyValue>(store: &S, now: u64, items: &[Item]) -> Result<(), Error> {
    limits::batch(items.len())?;
    limits::items(items, 0)?;
    for item in items {
        enough(item, level(store, now, &item.sku, None)?.held)?;
    }
    items.iter().try_for_each(|item| count_one(store, now, item))
}

fn enough(item: &Item, held: u64) -> Result<(), Error> {
    if held <= u64::from(item.quantity) {
        return Ok(());
    }
    let Item { sku, quantity } = item;
    Err(Error::Invalid(format!("the quantity of {sku}: at least the {held} that are held, not {quantity}")))
}

fn count_one<S: KeyValue>(store: &S, now: u64, item: &Item) -> Result<(), Error> {
    let key = place(&item.sku);
    let mut fates = Fates::new(store);
    update(store, &key, |bytes| {
        let found = decode_some::<StockRecord>(&key, bytes)?;
        let mut stock = found.clone().unwrap_or(StockRecord::new(0, Vec::new()));
        // What was sold is not in the count any more: its holds must not be taken off once again.
        fates.clear(&mut stock, |hold| hold.expires_at <= now, Doubt::End)?;
        fates.clear(&mut stock, |_| true, Doubt::Leave)?;
        enough(item, stock.spoken_for())?;
        stock.on_hand = u64::from(item.quantity);
        Ok(if found.as_ref() == Some(&stock) { Step::Keep(()) } else { Step::Write(stock.encode(), ()) })
    })
}

/// The stock of each SKU, in the same order.
///
/// # Errors
/// [`Error::UnknownProduct`], or those of the arguments, the store and its records.
pub fn levels<S: KeyValue>(store: &S, now: u64, skus: &[String]) -> Result<Vec<Level>, Error> {
    limits::batch(skus.len())?;
    skus.iter().try_for_each(|sku| limits::sku(sku))?;
    skus.iter().map(|sku| level(store, now, sku, None)).collect()
}

/// The stock of one product, as it would be if all holds were settled or dropped that can be; the expired
/// ones are, on the way. The holds of the order `own` are left out.
///
/// # Errors
/// [`Error::UnknownProduct`], or those of the store and its records.
pub fn level<S: KeyValue>(store: &S, now: u64, sku: &str, own: Option<&str>) -> Result<Level, Error> {
    let key = place(sku);
    let mut found = decode_some::<StockRecord>(&key, store.get(&key)?.as_deref())?;
    if found.as_ref().is_some_and(|stock| stock.holds.iter().any(|hold| hold.expires_at <= now)) {
        // A level can be told without: what is not cleared now is left to the next.
        let _ = clear_expired(store, now, &key);
        found = decode_some(&key, store.get(&key)?.as_deref())?;
    }
    let Some(mut stock) = found else {
        products::require(store, sku)?;
        return Ok(Level { sku: sku.to_owned(), on_hand: 0, held: 0, available: 0 });
    };
    Fates::new(store).clear(&mut stock, |_| true, Doubt::Leave)?;
    stock.holds.retain(|hold| hold.expires_at > now && own != Some(hold.order.as_str()));
    Ok(Level {
        sku: sku.to_owned(),
        on_hand: stock.on_hand,
        held: stock.spoken_for(),
        available: stock.free(),
    })
}

/// How many units of an item can be reserved, where these are too few. The holds of the order `own` are left
/// out. Where there is enough at first sight, nobody's hold is looked into.
///
/// # Errors
/// [`Error::UnknownProduct`], or those of the store and its records.
pub fn short_of<S: KeyValue>(store: &S, now: u64, item: &Item, own: &str) -> Result<Option<u64>, Error> {
    let key = place(&item.sku);
    let wanted = u64::from(item.quantity);
    let stock = decode_some::<StockRecord>(&key, store.get(&key)?.as_deref())?;
    if stock.is_some_and(|stock| stock.free() >= wanted) {
        return Ok(None);
    }
    let available = level(store, now, &item.sku, Some(own))?.available;
    Ok((available < wanted).then_some(available))
}

fn clear_expired<S: KeyValue>(store: &S, now: u64, key: &str) -> Result<(), Error> {
    let mut fates = Fates::new(store);
    update(store, key, |bytes| {
        let Some(found) = decode_some::<StockRecord>(key, bytes)? else {
            return Ok(Step::Keep(()));
        };
        let mut stock = found.clone();
        fates.clear(&mut stock, |hold| hold.expires_at <= now, Doubt::End)?;
        Ok(if stock == found { Step::Keep(()) } else { Step::Write(stock.encode(), ()) })
    })
}

/// Adds a hold. Earlier holds of the same order are dropped by the same write: the caller's attempt has taken
/// its place in the order's record, so earlier ones are dead. Later ones are not the caller's to touch.
///
/// Answers none where the units are held now, or how many there are where these are too few.
///
/// # Errors
/// [`Error::UnknownProduct`], or those of the store and its records.
pub fn take<S: KeyValue>(store: &S, now: u64, sku: &str, hold: &Hold) -> Result<Option<u64>, Error> {
    let key = place(sku);
    let wanted = u64::from(hold.quantity);
    let mut fates = Fates::new(store);
    update(store, &key, |bytes| {
        let Some(found) = decode_some::<StockRecord>(&key, bytes)? else {
            products::require(store, sku)?;
            return Ok(Step::Keep(Some(0)));
        };
        let mut stock = found.clone();
        stock.holds.retain(|other| other.order != hold.order || other.attempt > hold.attempt);
        fates.clear(&mut stock, |other| other.expires_at <= now, Doubt::End)?;
        if stock.free() < wanted {
            fates.clear(&mut stock, |_| true, Doubt::Leave)?;
        }
        let free = stock.free();
        if free >= wanted {
            stock.holds.push(hold.clone());
            return Ok(Step::Write(stock.encode(), None));
        }
        Ok(if stock == found { Step::Keep(Some(free)) } else { Step::Write(stock.encode(), Some(free)) })
    })
}

/// Takes the holds of an attempt out, and those of earlier attempts at the same order: sold where the attempt
/// has committed, given back where it is dead. `fate` must be final. Nothing happens where others did it.
///
/// # Errors
/// Those of the store and its records.
pub fn settle<S: KeyValue>(store: &S, sku: &str, order: &str, attempt: u64, fate: Fate) -> Result<(), Error> {
    let key = place(sku);
    update(store, &key, |bytes| {
        let Some(found) = decode_some::<StockRecord>(&key, bytes)? else {
            return Ok(Step::Keep(()));
        };
        let mut stock = found.clone();
        sweep(&mut stock, |hold| match hold {
            _ if hold.order != order || hold.attempt > attempt => Fate::Open,
            _ if hold.attempt == attempt => fate,
            _ => Fate::Dead,
        });
        Ok(if stock == found { Step::Keep(()) } else { Step::Write(stock.encode(), ()) })
    })
}

/// Removes the holds whose attempts are done with; where they were sold, their units too.
fn sweep(stock: &mut StockRecord, mut fate: impl FnMut(&Hold) -> Fate) {
    let mut sold = 0;
    stock.holds.retain(|hold| {
        let fate = fate(hold);
        if fate == Fate::Committed {
            sold += u64::from(hold.quantity);
        }
        fate == Fate::Open
    });
    stock.on_hand -= sold;
}

/// What to do about a hold whose attempt is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// End the attempt: its hold has expired.
    End,
    /// Leave it.
    Leave,
}

/// The fates of attempts, each looked up once: final ones stay what they are while a compare-and-swap is
/// tried again.
struct Fates<'a, S> {
    store: &'a S,
    known: BTreeMap<(String, u64), Fate>,
}

impl<'a, S: KeyValue> Fates<'a, S> {
    fn new(store: &'a S) -> Self {
        Self { store, known: BTreeMap::new() }
    }

    /// Settles or drops the holds chosen, as far as their attempts are done with.
    fn clear(
        &mut self,
        stock: &mut StockRecord,
        chosen: impl Fn(&Hold) -> bool,
        doubt: Doubt,
    ) -> Result<(), Error> {
        for hold in stock.holds.iter().filter(|hold| chosen(hold)) {
            let name = (hold.order.clone(), hold.attempt);
            if self.known.contains_key(&name) {
                continue;
            }
            let fate = match doubt {
                Doubt::End => attempt::end(self.store, &hold.order, hold.attempt),
                Doubt::Leave => attempt::fate(self.store, &hold.order, hold.attempt),
            };
            match fate {
                Ok(Fate::Open) => {}
                Ok(fate) => drop(self.known.insert(name, fate)),
                // One order that cannot be read must not stop the sale of everything it holds units of.
                Err(Error::Damaged(_) | Error::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        sweep(stock, |hold| match chosen(hold) {
            true => self.known.get(&(hold.order.clone(), hold.attempt)).copied().unwrap_or(Fate::Open),
            false => Fate::Open,
        });
        Ok(())
    }
}
