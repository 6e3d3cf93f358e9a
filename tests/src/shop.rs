//! What the shop's JSON interface says, in the words of its callers.

use std::net::SocketAddr;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::http::{self, Answer, Request};

/// A line of a cart.
#[derive(Debug, Clone, Serialize)]
pub struct CartLine {
    /// Stock keeping unit.
    pub sku: String,
    /// Units.
    pub quantity: u32,
}

/// A request for an order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Who buys.
    pub customer: String,
    /// `standard`, `silver` or `gold`.
    pub tier: String,
    /// What is bought.
    pub lines: Vec<CartLine>,
    /// The total that was seen, in digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_total: Option<String>,
}

impl Order {
    /// An order of standard tier.
    pub fn of(customer: &str, lines: &[(&str, u32)]) -> Self {
        Self {
            customer: customer.to_owned(),
            tier: "standard".to_owned(),
            lines: lines.iter().map(|&(sku, quantity)| CartLine { sku: sku.to_owned(), quantity }).collect(),
            expected_total: None,
        }
    }
}

/// A line of a quote. Money is in digits.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// Stock keeping unit.
    pub sku: String,
    /// Name.
    pub name: String,
    /// Units.
    pub quantity: u32,
    /// Cents for one.
    pub unit_price: String,
    /// Cents for all.
    pub total: String,
}

/// A change of the price.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// The line, counted from 0; none for the whole cart.
    pub line: Option<u32>,
    /// Why.
    pub reason: String,
    /// Cents.
    pub amount: String,
}

/// What a cart costs.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The lines.
    pub lines: Vec<Line>,
    /// What changes the price.
    pub adjustments: Vec<Adjustment>,
    /// Cents before adjustments.
    pub subtotal: String,
    /// Cents to pay.
    pub total: String,
}

/// An order that was placed.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// The order's name.
    pub order_id: String,
    /// When, in ISO 8601.
    pub placed_at: String,
    /// Who.
    pub customer: String,
    /// Tier.
    pub tier: String,
    /// What, and for how much.
    pub quote: Quote,
}

/// `GET` of a path.
///
/// # Errors
/// When there is no answer.
pub fn get(address: SocketAddr, target: &str) -> Result<Answer> {
    http::send(address, &Request { method: "GET", target, headers: &[], body: b"" })
}

/// `POST` of a JSON text, or of what should have been one.
///
/// # Errors
/// When there is no answer.
pub fn post(address: SocketAddr, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    http::send(address, &Request { method: "POST", target, headers: &all, body })
}

/// `POST /api/orders` under an idempotency key.
///
/// # Errors
/// When there is no answer.
pub fn place(address: SocketAddr, key: &str, order: &Order) -> Result<Answer> {
    post(address, "/api/orders", &[("idempotency-key", key)], &serde_json::to_vec(order)?)
}
