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

use std::hint::black_box;

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

/// Calls itself until there is no room for another call.
#[expect(unconditional_recursion, reason = "that is the point")]
fn deeper(depth: i64) -> i64 {
    black_box(deeper(black_box(depth) + 1)) + 1
}

/// Takes memory, a mebibyte at a time, and uses it.
fn grow() -> Result<Vec<Adjustment>, Refusal> {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
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
        "UNREACHABLE" => core::arch::wasm32::unreachable(),
        "RECURSE" => Ok(vec![change(None, "deep", deeper(1))]),
        "GROW" => grow(),
        "HUGE-ALLOCATION" => {
            let huge = black_box(Vec::<u8>::with_capacity(1 << 30));
            Ok(vec![change(None, "huge", huge.capacity().try_into().unwrap_or(i64::MAX))])
        }
        // Both have room here, and none where they go.
        "HUGE-LIST" => Ok(vec![change(None, "", -1); 900_000]),
        "HUGE-STRING" => Ok(vec![Adjustment { line: None, reason: "x".repeat(40 << 20), amount: -1 }]),
        _ => Ok(Vec::new()),
    }
}
