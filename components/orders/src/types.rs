//! What the logic speaks of, without bindings. Meaning, units and limits are in the contracts `shop:orders`,
//! `shop:storage` and `shop:pricing`.

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

impl Tier {
    const WORDS: [(Self, &str); 3] =
        [(Self::Standard, "standard"), (Self::Silver, "silver"), (Self::Gold, "gold")];

    /// The word under which the tier is stored.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize].1
    }

    /// The tier of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(_, known)| *known == word).map(|(tier, _)| tier)
    }
}

/// Units of a product: a line of a cart, and what is reserved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Units wanted.
    pub quantity: u32,
}

/// What a customer wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cart {
    /// The lines.
    pub lines: Vec<Item>,
    /// The customer's tier.
    pub tier: Tier,
}

/// A product, as storage keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Name for people.
    pub name: String,
    /// Description for people.
    pub description: String,
    /// The category it is listed under.
    pub category: String,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
}

/// A product and the units of it that can be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The product.
    pub product: Product,
    /// Units that can be bought at this moment.
    pub available: u64,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
}

/// A line of a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Units.
    pub quantity: u32,
    /// Price of one unit, in minor units.
    pub unit_price: u64,
    /// `quantity × unit_price`, in minor units.
    pub total: u64,
}

/// A change to what the customer pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The line it belongs to, counted from 0; none for the whole cart.
    pub line: Option<u32>,
    /// Why, in words for the customer.
    pub reason: String,
    /// Added to the total, in minor units.
    pub amount: i64,
}

/// What a cart costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The lines, each SKU once.
    pub lines: Vec<Line>,
    /// What changes the price, and why.
    pub adjustments: Vec<Adjustment>,
    /// Sum of the lines' totals, in minor units.
    pub subtotal: u64,
    /// `subtotal` plus all adjustments, in minor units.
    pub total: u64,
}

/// What a customer asks for when placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who buys.
    pub customer: String,
    /// What is bought.
    pub cart: Cart,
    /// The total that the customer has seen, in minor units.
    pub expected_total: Option<u64>,
}

/// An order that was placed, as the customer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The order's name.
    pub order_id: String,
    /// When it was placed, in milliseconds since 1970.
    pub placed_at: u64,
    /// Who bought.
    pub customer: String,
    /// The customer's tier.
    pub tier: Tier,
    /// What was bought, and what it cost.
    pub quote: Quote,
}

/// An order that is about to be placed, as storage wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Who buys.
    pub customer: String,
    /// The word of the customer's tier.
    pub tier: String,
    /// What is bought, and what it costs.
    pub quote: Quote,
}

/// An order that was placed, as storage keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's name.
    pub id: String,
    /// When it was placed, in milliseconds since 1970.
    pub placed_at: u64,
    /// What was placed.
    pub content: Draft,
}

/// A product of which too little is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The product's stock keeping unit.
    pub sku: String,
    /// Units asked for.
    pub requested: u32,
    /// Units that can be bought now.
    pub available: u64,
}

/// What was wrong with the answer of the pricing rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PricingFault {
    /// The rule declined the cart, for this reason.
    Declined(String),
    /// The rule refused a cart that keeps to its contract.
    Refused(String),
    /// Too many adjustments; carries their number.
    TooManyAdjustments(u32),
    /// An adjustment for a line that does not exist; carries its index.
    UnknownLine(u32),
    /// An adjustment that breaks a limit; carries the index of the adjustment.
    MalformedAdjustment(u32),
    /// The total would be negative.
    NegativeTotal,
    /// The total is beyond 2^63 - 1.
    Overflow,
}

/// Why the shop did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// An argument breaks a documented limit.
    Invalid(String),
    /// No product has this SKU.
    UnknownProduct(String),
    /// No order has this id.
    UnknownOrder(String),
    /// There is too little of these products.
    OutOfStock(Vec<Shortage>),
    /// The total is not the one that was expected: here is what the cart costs now.
    TotalChanged(Box<Quote>),
    /// This idempotency key was used for another order.
    KeyReused,
    /// The cart's subtotal is beyond 2^63 - 1.
    TooLarge,
    /// The pricing rule gave an answer that cannot be used.
    Pricing(PricingFault),
    /// Too much is going on at once.
    Busy,
    /// Storage failed, in these words.
    Unavailable(String),
}
