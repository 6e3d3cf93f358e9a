//! From an idempotency key to at most one order.
//!
//! One key, the order's record, is both fence and commit point. Its states, and who may change them:
//!
//! ```text
//!   (none) --reserve--> open 1 --commit--> committed 1          final
//!                        |  |
//!                        |  '--reserve (a retry)--> open 2      attempt 1 is dead
//!                        '--drop, short, expiry--> released 1   attempt 1 is dead
//!                                                    '--reserve--> open 2
//! ```
//!
//! # Reserving
//! 1. Where the key has no open attempt and there is too little, the answer is given without any write.
//! 2. An entry in the list of orders: the time and the id. Entries whose order does not name them count for
//!    nothing, so whatever goes wrong an order is in the list once.
//! 3. The record becomes `open` with the next attempt number. From here on earlier attempts are dead.
//! 4. Holds, in the order of the SKUs (see [`stock`]). Where one is short, the attempt is ended
//!    and what it took is given back.
//!
//! # Committing
//! The clock is looked at, then the record becomes `committed`, if it is still `open` with this attempt. Then
//! the holds are settled. Where that does not happen, whoever needs the units finds out and does it.
//!
//! # Vanishing and sleeping
//! A writer may vanish after any step, or sleep for however long and go on. What it left or still does:
//! - An entry in the list without an order: skipped. An open attempt: ended by the first who needs its units
//!   after it has expired, or by a retry under its key.
//! - Holds of a dead attempt, even when added after its death by a writer that slept: its commit will answer
//!   `superseded` or `expired` and drop them; failing that, they are cleared like expired ones. They take
//!   units from sale in the meantime, and can never sell any.
//! - Holds of a committed attempt: sold. They stay in the way of everybody else until settled.
//!
//! A hold is dropped only by someone who has seen in the record, or made sure there, that its attempt is dead.
//! A clock that stands still, or runs ahead in one host, can end an attempt too early, which costs a retry, or
//! too late; it cannot sell a unit twice.

use std::collections::BTreeMap;

use crate::attempt::{self, Fate};
use crate::id;
use crate::index::Index;
use crate::limits;
use crate::page;
use crate::record::{Hold, OrderRecord, Record, State, decode_some};
use crate::stock;
use crate::store::{Clock, KeyValue, Step, update};
use crate::types::{CommitError, Draft, Error, Item, Order, Page, ReserveError, Shortage};

/// The name of the list of orders.
const LIST: &str = "orders";
/// An entry of the list begins with the time: so many hexadecimal digits, and a hyphen.
const TIME_DIGITS: usize = 16;

/// Units that are held for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    order: String,
    attempt: u64,
    items: Vec<Item>,
    expires_at: u64,
}

impl Reservation {
    /// When the hold expires, in milliseconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    fn hold(&self, item: &Item) -> Hold {
        Hold {
            order: self.order.clone(),
            attempt: self.attempt,
            quantity: item.quantity,
            expires_at: self.expires_at,
        }
    }
}

/// Holds the units of all items for an idempotency key, or of none.
///
/// # Errors
/// As the contract says.
pub fn reserve<S: KeyValue, C: Clock>(
    store: &S,
    clock: &C,
    idempotency_key: &str,
    items: Vec<Item>,
    hold_for: u32,
) -> Result<Reservation, ReserveError> {
    limits::idempotency_key(idempotency_key)?;
    limits::reserved(items.len())?;
    limits::items(&items, 1)?;
    limits::hold_for(hold_for)?;

    let order = id::of_key(idempotency_key);
    let now = clock.now();
    let record = attempt::record(store, &order)?;
    if !matches!(record, Some(OrderRecord { state: State::Open { .. } | State::Committed { .. }, .. })) {
        some_short(shortages(store, now, &order, &items)?)?;
    }
    let expires_at = now.saturating_add(u64::from(hold_for) * 1_000);
    let (attempt, earlier) = open(store, now, &order, &items, expires_at)?;
    let reservation = Reservation { order, attempt, items, expires_at };

    for sku in earlier {
        // A hold that stays is dead all the same, and is cleared when its units are needed.
        let _ = stock::settle(store, &sku, &reservation.order, attempt - 1, Fate::Dead);
    }
    let held = hold_all(store, now, &reservation);
    if held.is_err() {
        // The same: what cannot be given back now expires.
        let _ = release(store, &reservation);
    }
    held.map(|()| reservation)
}

/// Begins the next attempt. Answers its number, and the SKUs of an earlier one that holds other products.
fn open<S: KeyValue>(
    store: &S,
    now: u64,
    order: &str,
    items: &[Item],
    expires_at: u64,
) -> Result<(u64, Vec<String>), ReserveError> {
    let key = attempt::place(order);
    let mut entered = None;
    update(store, &key, |bytes| {
        let (last, place, earlier) = match decode_some::<OrderRecord>(&key, bytes)? {
            None => (0, None, Vec::new()),
            Some(record) => match record.state {
                State::Committed { placed_at, content } => {
                    let order = Order { id: order.to_owned(), placed_at, content };
                    return Err(ReserveError::Placed(Box::new(order)));
                }
                State::Released {} => (record.attempt, record.place, Vec::new()),
                State::Open { items, .. } => (record.attempt, record.place, items),
            },
        };
        let place = match place.or(entered.clone()) {
            Some(place) => place,
            None => {
                let place = format!("{now:0TIME_DIGITS$x}-{order}");
                Index::new(store, LIST).insert(&place)?;
                entered.insert(place).clone()
            }
        };
        let earlier = earlier
            .into_iter()
            .map(|item| item.sku)
            .filter(|sku| items.iter().all(|item| item.sku != *sku))
            .collect();
        let attempt = last
            .checked_add(1)
            .ok_or_else(|| Error::Damaged(format!("{key}: no attempt can follow number {last}")))?;
        let state = State::Open { expires_at, items: items.to_vec() };
        Ok(Step::Write(OrderRecord::new(attempt, Some(place), state).encode(), (attempt, earlier)))
    })
}

/// Adds the holds. All who hold several products do it in the order of the SKUs, so that of two carts with
/// the same products one gets all and does not take the other's last units away in vain.
fn hold_all<S: KeyValue>(store: &S, now: u64, reservation: &Reservation) -> Result<(), ReserveError> {
    let mut items: Vec<&Item> = reservation.items.iter().collect();
    items.sort_by(|a, b| a.sku.cmp(&b.sku));
    let mut rest = items.into_iter();
    let mut short = BTreeMap::new();
    for item in rest.by_ref() {
        if let Some(available) = stock::take(store, now, &item.sku, &reservation.hold(item))? {
            short.insert(item.sku.as_str(), available);
            break;
        }
    }
    if short.is_empty() {
        return Ok(());
    }
    let rest: Vec<Item> = rest.cloned().collect();
    let later = shortages(store, now, &reservation.order, &rest)?;
    short.extend(later.iter().map(|shortage| (shortage.sku.as_str(), shortage.available)));
    let in_given_order = reservation.items.iter().filter_map(|item| {
        let available = *short.get(item.sku.as_str())?;
        Some(Shortage { sku: item.sku.clone(), requested: item.quantity, available })
    });
    some_short(in_given_order.collect())
}

/// Those of the items of which there is too little, not counting what this order itself holds.
fn shortages<S: KeyValue>(store: &S, now: u64, order: &str, items: &[Item]) -> Result<Vec<Shortage>, Error> {
    let mut short = Vec::new();
    for item in items {
        if let Some(available) = stock::short_of(store, now, item, order)? {
            short.push(Shortage { sku: item.sku.clone(), requested: item.quantity, available });
        }
    }
    Ok(short)
}

fn some_short(short: Vec<Shortage>) -> Result<(), ReserveError> {
    if short.is_empty() { Ok(()) } else { Err(ReserveError::Short(short)) }
}

/// Turns a reservation into an order. Where it fails, the units are given back.
///
/// # Errors
/// As the contract says.
pub fn commit<S: KeyValue, C: Clock>(
    store: &S,
    clock: &C,
    reservation: Reservation,
    draft: Draft,
) -> Result<Order, CommitError> {
    let outcome = check(clock, &reservation, &draft).and_then(|()| decide(store, clock, &reservation, draft));
    let fate = match outcome {
        Ok(_) => Ok(Fate::Committed),
        Err(_) => attempt::end(store, &reservation.order, reservation.attempt),
    };
    if let Ok(fate) = fate {
        settle_all(store, &reservation, fate);
    }
    match (outcome, fate) {
        // The store failed while the record was written, and yet it was written.
        (Err(error), Ok(Fate::Committed)) => match get(store, &reservation.order) {
            Ok(Some(order)) => Ok(order),
            _ => Err(error),
        },
        (outcome, _) => outcome,
    }
}

fn check<C: Clock>(clock: &C, reservation: &Reservation, draft: &Draft) -> Result<(), CommitError> {
    if clock.now() >= reservation.expires_at {
        return Err(CommitError::Expired);
    }
    limits::draft(draft)?;
    agrees(&reservation.items, draft).map_err(CommitError::Mismatch)
}

/// Whether a draft says what is held, and its sums are right; the difference in words where not.
fn agrees(items: &[Item], draft: &Draft) -> Result<(), String> {
    let mut held: BTreeMap<&str, u32> = items.iter().map(|item| (item.sku.as_str(), item.quantity)).collect();
    let mut subtotal = 0;
    for line in &draft.lines {
        match held.remove(line.sku.as_str()) {
            Some(quantity) if quantity == line.quantity => {}
            Some(quantity) => {
                return Err(format!("{}: {quantity} are held, not {}", line.sku, line.quantity));
            }
            None => return Err(format!("{}: it is not held, or it is there twice", line.sku)),
        }
        let total = u128::from(line.quantity) * u128::from(line.unit_price);
        if u128::from(line.total) != total {
            return Err(format!("{}: the line's total is {total}, not {}", line.sku, line.total));
        }
        subtotal += total;
    }
    if let Some((sku, quantity)) = held.first_key_value() {
        return Err(format!("{sku}: {quantity} are held, but no line has it"));
    }
    if u128::from(draft.subtotal) != subtotal {
        return Err(format!("the subtotal is {subtotal}, not {}", draft.subtotal));
    }
    let adjusted = draft.adjustments.iter().map(|adjustment| i128::from(adjustment.amount)).sum::<i128>();
    let total = i128::from(draft.subtotal) + adjusted;
    if i128::from(draft.total) != total {
        return Err(format!("the total is {total}, not {}", draft.total));
    }
    let lines = draft.lines.len();
    match draft
        .adjustments
        .iter()
        .filter_map(|adjustment| adjustment.line)
        .find(|line| *line as usize >= lines)
    {
        Some(line) => Err(format!("an adjustment is for line {line}, but there are {lines} lines")),
        None => Ok(()),
    }
}

/// The compare-and-swap that everything hangs on.
fn decide<S: KeyValue, C: Clock>(
    store: &S,
    clock: &C,
    reservation: &Reservation,
    draft: Draft,
) -> Result<Order, CommitError> {
    let key = attempt::place(&reservation.order);
    update(store, &key, |bytes| {
        let Some(record) = decode_some::<OrderRecord>(&key, bytes)? else {
            return Err(Error::Damaged(format!("{key}: it was there, and is not any more")).into());
        };
        if record.attempt != reservation.attempt {
            return Err(CommitError::Superseded);
        }
        let order = |placed_at, content| Order { id: reservation.order.clone(), placed_at, content };
        match record.state {
            // A swap that was reported to have failed has not: nobody else commits this attempt.
            State::Committed { placed_at, content } => Ok(Step::Keep(order(placed_at, content))),
            // Nobody but the owner ends an attempt that has not expired, by the clock of whoever did.
            State::Released {} => Err(CommitError::Expired),
            State::Open { .. } => {
                let placed_at = clock.now();
                if placed_at >= reservation.expires_at {
                    return Err(CommitError::Expired);
                }
                let state = State::Committed { placed_at, content: draft.clone() };
                let record = OrderRecord::new(record.attempt, record.place, state);
                Ok(Step::Write(record.encode(), order(placed_at, draft.clone())))
            }
        }
    })
}

/// Gives the units of a reservation back at once.
///
/// # Errors
/// Those of the store and its records, where the attempt could not be ended. It ends when it expires.
pub fn release<S: KeyValue>(store: &S, reservation: &Reservation) -> Result<(), Error> {
    let fate = attempt::end(store, &reservation.order, reservation.attempt)?;
    settle_all(store, reservation, fate);
    Ok(())
}

/// Settles or drops all holds. What fails is left to whoever needs the units: the fate is written down.
fn settle_all<S: KeyValue>(store: &S, reservation: &Reservation, fate: Fate) {
    for item in &reservation.items {
        let _ = stock::settle(store, &item.sku, &reservation.order, reservation.attempt, fate);
    }
}

/// The order with this id. What is no id names no order.
///
/// # Errors
/// Those of the store and its records.
pub fn get<S: KeyValue>(store: &S, id: &str) -> Result<Option<Order>, Error> {
    if !id::is_id(id) {
        return Ok(None);
    }
    Ok(attempt::record(store, id)?.and_then(|record| placed(id, record)))
}

/// The order that was placed under this idempotency key.
///
/// # Errors
/// Those of the arguments, the store and its records.
pub fn find<S: KeyValue>(store: &S, idempotency_key: &str) -> Result<Option<Order>, Error> {
    limits::idempotency_key(idempotency_key)?;
    get(store, &id::of_key(idempotency_key))
}

fn placed(id: &str, record: OrderRecord) -> Option<Order> {
    match record.state {
        State::Committed { placed_at, content } => Some(Order { id: id.to_owned(), placed_at, content }),
        State::Open { .. } | State::Released {} => None,
    }
}

/// The orders after the given place, those begun first coming first.
///
/// # Errors
/// Those of the arguments, the store and its records.
pub fn list<S: KeyValue>(store: &S, after: Option<String>, limit: u32) -> Result<Page<Order>, Error> {
    limits::page(limit)?;
    if after.as_deref().is_some_and(|entry| id_in(entry).is_none()) {
        return Err(Error::Invalid("after: a place that an earlier page named as its next".to_owned()));
    }
    page::collect(&Index::new(store, LIST), after, limit, |entry| {
        let id = id_in(entry).ok_or_else(|| Error::Damaged(format!("{LIST}: entry {entry:?}")))?;
        let record = attempt::record(store, id)?;
        let counts = record.filter(|record| record.place.as_deref() == Some(entry));
        Ok(counts.and_then(|record| placed(id, record)))
    })
}

/// The id of the order that an entry of the list is for.
fn id_in(entry: &str) -> Option<&str> {
    let (time, id) = entry.split_once('-')?;
    let is_time = time.len() == TIME_DIGITS && time.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (is_time && id::is_id(id)).then_some(id)
}
