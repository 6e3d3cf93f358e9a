//! The export: turns the contract's types into the rule's, and back.

use crate::bindings::exports::shop::pricing::policy::{Adjustment, Guest, Line, Refusal, Tier};
use crate::rule;

/// What implements the world.
pub struct Component;

impl Guest for Component {
    fn adjust(lines: Vec<Line>, tier: Tier) -> Result<Vec<Adjustment>, Refusal> {
        let lines: Vec<rule::Line> = lines.iter().map(rule::Line::from).collect();
        match rule::adjust(&lines, tier.into()) {
            Ok(adjustments) => Ok(adjustments.into_iter().map(Adjustment::from).collect()),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

impl From<&Line> for rule::Line {
    fn from(line: &Line) -> Self {
        Self { quantity: line.quantity, unit_price: line.unit_price }
    }
}

impl From<Tier> for rule::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Standard => Self::Standard,
            Tier::Silver => Self::Silver,
            Tier::Gold => Self::Gold,
        }
    }
}

impl From<rule::Adjustment> for Adjustment {
    fn from(adjustment: rule::Adjustment) -> Self {
        Self { line: adjustment.line, reason: adjustment.reason.to_owned(), amount: adjustment.amount }
    }
}

impl From<rule::Refusal> for Refusal {
    fn from(refusal: rule::Refusal) -> Self {
        match refusal {
            rule::Refusal::TooManyLines(count) => Self::TooManyLines(count),
            rule::Refusal::InvalidLine(index) => Self::InvalidLine(index),
            rule::Refusal::TooLarge => Self::TooLarge,
        }
    }
}
