//! The standard rule, as `shop:pricing/policy` writes it down.
//!
//! All products are computed with 128 bits: the largest, `gross × 10000`, stays below 2^91. Only the
//! results, which the check of the subtotal bounds by 2^63 - 1, become 64 bits wide.

/// The most lines a cart may have.
pub const MAX_LINES: usize = 100;
/// The most units a line may have.
pub const MAX_QUANTITY: u32 = 1_000_000;
/// The highest price of one unit, in minor units.
pub const MAX_UNIT_PRICE: u64 = 1_000_000_000_000_000;
/// The highest subtotal, in minor units.
pub const MAX_SUBTOTAL: u128 = i64::MAX as u128;

/// Rates are in basis points: parts of this.
const WHOLE: u128 = 10_000;
/// All rebates together are at most this part of the subtotal.
const CAP: u128 = 1_500;

/// A line of the cart. The standard rule does not look at the SKU.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    /// Units bought.
    pub quantity: u32,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
}

/// The customer's standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Everyone who is in no other tier.
    Standard,
    /// A regular customer.
    Silver,
    /// A preferred customer.
    Gold,
}

/// A change to what the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// The line it belongs to, counted from 0; none for the whole cart.
    pub line: Option<u32>,
    /// Why, in words for the customer.
    pub reason: &'static str,
    /// Added to the total, in minor units. Never zero.
    pub amount: i64,
}

/// Why a cart cannot be priced. The standard rule declines no cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More than [`MAX_LINES`] lines; carries their number.
    TooManyLines(u32),
    /// The line with this index has a quantity or a unit price outside its limits.
    InvalidLine(u32),
    /// The subtotal is beyond [`MAX_SUBTOTAL`].
    TooLarge,
}

/// Prices a cart: the adjustments in the order that the contract fixes.
///
/// # Errors
/// The first rule broken decides: the number of lines, then each line, then the subtotal.
pub fn adjust(lines: &[Line], tier: Tier) -> Result<Vec<Adjustment>, Refusal> {
    if lines.len() > MAX_LINES {
        return Err(Refusal::TooManyLines(u32::try_from(lines.len()).unwrap_or(u32::MAX)));
    }
    for (index, line) in (0..).zip(lines) {
        if !(1..=MAX_QUANTITY).contains(&line.quantity) || line.unit_price > MAX_UNIT_PRICE {
            return Err(Refusal::InvalidLine(index));
        }
    }
    let subtotal: u128 = lines.iter().map(gross).sum();
    if subtotal > MAX_SUBTOTAL {
        return Err(Refusal::TooLarge);
    }

    let mut adjustments = Vec::new();
    let mut rebates = 0;
    for (index, line) in (0..).zip(lines) {
        let (rate, reason) = quantity_break(line.quantity);
        let amount = part(gross(line), rate);
        rebates += amount;
        list(&mut adjustments, Some(index), reason, -signed(amount));
    }
    let (rate, reason) = tier_rebate(tier);
    let rebate = part(subtotal - rebates, rate);
    rebates += rebate;
    list(&mut adjustments, None, reason, -signed(rebate));

    let limit = subtotal * CAP / WHOLE;
    list(&mut adjustments, None, "rebates capped at 15 %", signed(rebates.saturating_sub(limit)));
    Ok(adjustments)
}

fn gross(line: &Line) -> u128 {
    u128::from(line.quantity) * u128::from(line.unit_price)
}

fn quantity_break(quantity: u32) -> (u128, &'static str) {
    match quantity {
        ..10 => (0, ""),
        10..50 => (300, "quantity break 3 %"),
        50..100 => (700, "quantity break 7 %"),
        100.. => (1200, "quantity break 12 %"),
    }
}

fn tier_rebate(tier: Tier) -> (u128, &'static str) {
    match tier {
        Tier::Standard => (0, ""),
        Tier::Silver => (200, "silver tier 2 %"),
        Tier::Gold => (500, "gold tier 5 %"),
    }
}

/// `amount × rate / WHOLE`, rounded to the nearest integer, a half to the even neighbour.
fn part(amount: u128, rate: u128) -> u128 {
    let product = amount * rate;
    let (quotient, rest) = (product / WHOLE, product % WHOLE);
    let up = rest * 2 > WHOLE || (rest * 2 == WHOLE && quotient % 2 == 1);
    quotient + u128::from(up)
}

/// A part of the subtotal, which fits: the subtotal was checked.
fn signed(amount: u128) -> i64 {
    i64::try_from(amount).expect("no rebate exceeds the subtotal, which is at most 2^63 - 1")
}

/// Lists an adjustment, unless it changes nothing.
fn list(adjustments: &mut Vec<Adjustment>, line: Option<u32>, reason: &'static str, amount: i64) {
    if amount != 0 {
        adjustments.push(Adjustment { line, reason, amount });
    }
}
