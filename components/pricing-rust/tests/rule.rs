//! The rule against the table of cases that all implementations share, and against a model of it that
//! computes in another way.

use std::cmp::Ordering;

use pricing_rust::rule::{Adjustment, Line, MAX_QUANTITY, MAX_UNIT_PRICE, Refusal, Tier, adjust};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn the_shared_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/pricing/cases.json");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let table: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let cases = table["cases"].as_array().expect("a list of cases");
    assert!(!cases.is_empty());
    for case in cases {
        let lines: Vec<Line> = case["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| Line {
                quantity: u32::try_from(line["quantity"].as_u64().expect("a number")).expect("32 bits"),
                unit_price: line["unit-price"].as_str().expect("digits").parse().expect("64 bits"),
            })
            .collect();
        let tier = match case["tier"].as_str() {
            Some("standard") => Tier::Standard,
            Some("silver") => Tier::Silver,
            Some("gold") => Tier::Gold,
            other => panic!("{}: tier {other:?}", case["name"]),
        };
        let (field, answer) = match adjust(&lines, tier) {
            Ok(list) => ("ok", Value::from_iter(list.iter().map(as_json))),
            Err(Refusal::InvalidLine(index)) => {
                ("err", json!({ "kind": "invalid-line", "value": index.to_string() }))
            }
            Err(Refusal::TooManyLines(count)) => {
                ("err", json!({ "kind": "too-many-lines", "value": count.to_string() }))
            }
            Err(Refusal::TooLarge) => ("err", json!({ "kind": "too-large" })),
        };
        assert_eq!(case[field], answer, "{}", case["name"]);
    }
}

fn as_json(adjustment: &Adjustment) -> Value {
    let Adjustment { line, reason, amount } = adjustment;
    json!({ "line": line, "reason": reason, "amount": amount.to_string() })
}

/// The rule once more, without a division: a rebate is the number whose distance from the exact fraction is
/// least, and of two the even one, found by bisection.
fn model(lines: &[Line], tier: Tier) -> Vec<(Option<u32>, String, i128)> {
    let mut answer = Vec::new();
    let (mut subtotal, mut broken) = (0_i128, 0_i128);
    for (index, line) in lines.iter().enumerate() {
        let gross = i128::from(line.quantity) * i128::from(line.unit_price);
        subtotal += gross;
        let steps = [(10, 3), (50, 7), (100, 12)];
        if let Some((_, percent)) = steps.iter().rev().find(|(from, _)| line.quantity >= *from) {
            let rebate = nearest(gross * percent, 100);
            broken += rebate;
            answer.push((Some(index as u32), format!("quantity break {percent} %"), -rebate));
        }
    }
    let (name, percent) = match tier {
        Tier::Standard => ("standard", 0),
        Tier::Silver => ("silver", 2),
        Tier::Gold => ("gold", 5),
    };
    let rebate = nearest((subtotal - broken) * percent, 100);
    answer.push((None, format!("{name} tier {percent} %"), -rebate));
    // More than 15 % is what, times 100, is more than 15 times the subtotal: give back until it is not.
    let mut excess = (broken + rebate) - bisect(subtotal + 1, |limit| limit * 100 <= subtotal * 15);
    excess = excess.max(0);
    answer.push((None, "rebates capped at 15 %".to_owned(), excess));
    answer.retain(|(_, _, amount)| *amount != 0);
    answer
}

/// The greatest number below `end` for which this holds; it holds for 0, and for no number after the first
/// for which it does not.
fn bisect(end: i128, holds: impl Fn(i128) -> bool) -> i128 {
    let (mut low, mut high) = (0, end);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

fn nearest(numerator: i128, denominator: i128) -> i128 {
    let below = bisect(numerator + 1, |whole| whole * denominator <= numerator);
    let to_below = numerator - below * denominator;
    let to_above = (below + 1) * denominator - numerator;
    match to_below.cmp(&to_above) {
        Ordering::Less => below,
        Ordering::Greater => below + 1,
        Ordering::Equal => below + (below & 1),
    }
}

fn a_line(price: impl Strategy<Value = u64>) -> impl Strategy<Value = Line> {
    let quantity = prop_oneof![4 => 1..200_u32, 1 => 1..=MAX_QUANTITY, 1 => prop::sample::select(vec![9, 10, 49, 50, 99, 100])];
    (quantity, price).prop_map(|(quantity, unit_price)| Line { quantity, unit_price })
}

fn a_tier() -> impl Strategy<Value = Tier> {
    prop::sample::select(vec![Tier::Standard, Tier::Silver, Tier::Gold])
}

fn total(lines: &[Line]) -> u128 {
    lines.iter().map(|line| u128::from(line.quantity) * u128::from(line.unit_price)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_agrees_with_the_model(
        lines in prop_oneof![
            prop::collection::vec(a_line(0..500_u64), 0..8),
            prop::collection::vec(a_line(0..10_000_000_u64), 0..=100),
            prop::collection::vec(a_line(0..=MAX_UNIT_PRICE), 0..4),
        ],
        tier in a_tier(),
    ) {
        match adjust(&lines, tier) {
            Ok(answer) => {
                let answer: Vec<_> = answer
                    .into_iter()
                    .map(|adjustment| (adjustment.line, adjustment.reason.to_owned(), i128::from(adjustment.amount)))
                    .collect();
                prop_assert_eq!(answer, model(&lines, tier));
            }
            Err(refusal) => {
                prop_assert_eq!(refusal, Refusal::TooLarge);
                prop_assert!(total(&lines) > i64::MAX as u128);
            }
        }
    }

    #[test]
    fn never_more_than_15_percent_and_never_a_surcharge(
        lines in prop::collection::vec(a_line(0..1_000_000_u64), 0..20),
        tier in a_tier(),
    ) {
        let answer = adjust(&lines, tier).expect("a cart within the limits");
        let rebate = -answer.iter().map(|adjustment| i128::from(adjustment.amount)).sum::<i128>();
        prop_assert!(rebate >= 0);
        prop_assert!(rebate * 100 <= total(&lines) as i128 * 15);
    }

    #[test]
    fn the_first_rule_broken_decides(
        mut lines in prop::collection::vec(a_line(0..=MAX_UNIT_PRICE), 1..100),
        at in any::<prop::sample::Index>(),
        wrong in prop::sample::select(vec![(0, 1), (MAX_QUANTITY + 1, 1), (1, MAX_UNIT_PRICE + 1), (0, u64::MAX)]),
    ) {
        let at = at.index(lines.len());
        lines[at] = Line { quantity: wrong.0, unit_price: wrong.1 };
        prop_assert_eq!(adjust(&lines, Tier::Gold), Err(Refusal::InvalidLine(at as u32)));
        lines.resize(101, lines[at]);
        prop_assert_eq!(adjust(&lines, Tier::Gold), Err(Refusal::TooManyLines(101)));
    }
}
