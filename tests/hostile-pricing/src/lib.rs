//! A pricing rule that means harm: a fixture for the tests of whoever calls a pricing rule.
//!
//! It fits its contract's types and breaks everything else. The SKU of the first line chooses how; any other
//! SKU is priced honestly, without adjustments, so that one cart can show that nothing is left broken.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({ path: "../../wit", world: "shop:worlds/pricing", generate_all });
}

use bindings::exports::shop::pricing::policy::{Adjustment, Guest, Line, Refusal, Tier};

struct Hostile;

bindings::export!(Hostile with_types_in bindings);

impl Guest for Hostile {
    fn adjust(lines: Vec<Line>, _tier: Tier) -> Result<Vec<Adjustment>, Refusal> {
        misbehave(lines.first().map_or("", |line| line.sku.as_str()))
    }
}

fn change(line: Option<u32>, reason: &str, amount: i64) -> Adjustment {
    Adjustment { line, reason: reason.to_owned(), amount }
}

fn misbehave(sku: &str) -> Result<Vec<Adjustment>, Refusal> {
    match sku {
        "NEGATIVE-TOTAL" => Ok(vec![change(None, "everything for less than nothing", -1_000_000_000_000)]),
        "LOWEST-AMOUNTS" => Ok(vec![change(None, "one", i64::MIN), change(None, "two", i64::MIN)]),
        "UNKNOWN-LINE" => Ok(vec![change(Some(7), "a line that nobody ordered", -1)]),
        "OVERFLOW" => Ok(vec![change(None, "one", i64::MAX), change(None, "two", i64::MAX)]),
        // Its sum is fine, and any order of adding them up must find that.
        "LARGE-BUT-FINE" => Ok(vec![change(None, "up", i64::MAX), change(None, "down", -i64::MAX)]),
        "THOUSAND" => Ok((0..1_000).map(|_| change(None, "a cent more", 1)).collect()),
        "MOST-ALLOWED" => Ok((0..256).map(|_| change(None, "a cent more", 1)).collect()),
        "ONE-TOO-MANY" => Ok((0..257).map(|_| change(None, "a cent more", 1)).collect()),
        "ZERO-AMOUNT" => Ok(vec![change(None, "fine", -1), change(None, "for nothing", 0)]),
        "EMPTY-REASON" => Ok(vec![change(None, "", -1)]),
        "LONG-REASON" => Ok(vec![change(None, &"ä".repeat(121), -1)]),
        "LONGEST-REASON" => Ok(vec![change(None, &"ä".repeat(120), -1)]),
        "CONTROL-REASON" => Ok(vec![change(None, "a line\nbreak", -1)]),
        "DECLINED" => Err(Refusal::Declined("not to you".to_owned())),
        "REFUSED" => Err(Refusal::InvalidLine(0)),
        "TRAP" => panic!("on purpose"),
        "LOOP" => loop {
            std::hint::spin_loop();
        },
        _ => Ok(Vec::new()),
    }
}
