//! One contract, four implementations, no difference: every pricing component answers the table of cases and a
//! thousand random carts as the reference does, and as each other.

use std::process::Command;
use std::sync::OnceLock;

use e2e::guest::{self, Guest};
use e2e::project;
use serde::Deserialize;
use wasmtime::component::Val;

const COMPONENTS: [&str; 4] = ["pricing-rust", "pricing-zig", "pricing-python", "pricing-js"];

/// Carts by the reference, in two batches that differ in their seed.
const SEEDS: [u32; 2] = [7, 2026];
const CARTS: usize = 750;

#[derive(Debug, Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    tier: String,
    lines: Vec<Line>,
    ok: Option<Vec<Adjustment>>,
    err: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Line {
    sku: String,
    quantity: u32,
    unit_price: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Adjustment {
    line: Option<u32>,
    reason: String,
    amount: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    kind: String,
    value: Option<String>,
}

type Answer = Result<Vec<Adjustment>, Refusal>;

impl Case {
    fn arguments(&self) -> [Val; 2] {
        let lines = self.lines.iter().map(|line| {
            Val::Record(vec![
                ("sku".into(), Val::String(line.sku.clone())),
                ("quantity".into(), Val::U32(line.quantity)),
                ("unit-price".into(), Val::U64(line.unit_price.parse().expect("a price is digits"))),
            ])
        });
        [Val::List(lines.collect()), Val::Enum(self.tier.clone())]
    }

    fn expected(self) -> Answer {
        match (self.ok, self.err) {
            (Some(adjustments), None) => Ok(adjustments),
            (None, Some(refusal)) => Err(refusal),
            _ => panic!("case {}: either ok or err", self.name),
        }
    }
}

fn answer(value: Option<Val>) -> Answer {
    match value {
        Some(Val::Result(Ok(Some(list)))) => match *list {
            Val::List(adjustments) => Ok(adjustments.iter().map(adjustment).collect()),
            other => panic!("{other:?} is no list"),
        },
        Some(Val::Result(Err(Some(refusal)))) => match *refusal {
            Val::Variant(kind, value) => Err(Refusal {
                kind,
                value: value.map(|value| match *value {
                    Val::U32(number) => number.to_string(),
                    Val::String(text) => text,
                    other => panic!("{other:?} is in no refusal"),
                }),
            }),
            other => panic!("{other:?} is no refusal"),
        },
        other => panic!("{other:?} is no answer"),
    }
}

fn adjustment(value: &Val) -> Adjustment {
    let field = |name| guest::field(value, name).expect("an adjustment has it");
    Adjustment {
        line: match field("line") {
            Val::Option(None) => None,
            Val::Option(Some(line)) => match **line {
                Val::U32(line) => Some(line),
                ref other => panic!("{other:?} is no line"),
            },
            other => panic!("{other:?} is no option"),
        },
        reason: match field("reason") {
            Val::String(reason) => reason.clone(),
            other => panic!("{other:?} is no reason"),
        },
        amount: match field("amount") {
            Val::S64(amount) => amount.to_string(),
            other => panic!("{other:?} is no amount"),
        },
    }
}

/// The table, then the random carts.
fn cases() -> &'static [(String, [Val; 2], Answer)] {
    static CASES: OnceLock<Vec<(String, [Val; 2], Answer)>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut texts = vec![
            std::fs::read_to_string(project::path("tests/pricing/cases.json"))
                .expect("the table can be read"),
        ];
        for seed in SEEDS {
            texts.push(generated(seed));
        }
        texts
            .iter()
            .flat_map(|text| serde_json::from_str::<Table>(text).expect("the table is well-formed").cases)
            .map(|case| (case.name.clone(), case.arguments(), case.expected()))
            .collect()
    })
}

fn generated(seed: u32) -> String {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python)
        .arg(project::path("tests/pricing/reference.py"))
        .args(["generate", "--count", &CARTS.to_string(), "--seed", &seed.to_string()])
        .output()
        .unwrap_or_else(|error| panic!("{python} cannot be run: {error}"));
    assert!(output.status.success(), "the reference failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the reference writes UTF-8")
}

fn agrees(component: &str) {
    let app = guest::app(&project::component(component), guest::setup(None, None));
    let mut guest = Guest::new(&app);
    let mut wrong = Vec::new();
    for (name, arguments, expected) in cases() {
        let given = answer(guest.call("shop:pricing/policy#adjust", arguments).expect("pricing never traps"));
        if given != *expected {
            wrong.push(format!("{name}: expected {expected:?}, {component} says {given:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} answers differ:\n{}", wrong.len(), cases().len(), wrong.join("\n"));
}

#[test]
fn pricing_rust_agrees_with_the_reference() {
    agrees("pricing-rust");
}

#[test]
fn pricing_zig_agrees_with_the_reference() {
    agrees("pricing-zig");
}

#[test]
fn pricing_python_agrees_with_the_reference() {
    agrees("pricing-python");
}

#[test]
fn pricing_js_agrees_with_the_reference() {
    agrees("pricing-js");
}

/// Not by way of the reference: whatever it says, the four say one thing.
#[test]
fn the_four_agree_with_each_other_to_the_letter() {
    let mut guests: Vec<_> = COMPONENTS
        .iter()
        .map(|name| Guest::new(&guest::app(&project::component(name), guest::setup(None, None))))
        .collect();
    for (name, arguments, _) in cases() {
        let texts: Vec<String> = guests
            .iter_mut()
            .map(|guest| {
                let answer =
                    guest.call("shop:pricing/policy#adjust", arguments).expect("pricing never traps");
                guest::text(&answer.expect("adjust has a result"))
            })
            .collect();
        for (text, component) in texts.iter().zip(COMPONENTS) {
            assert_eq!(*text, texts[0], "{name}: {component} and {} differ", COMPONENTS[0]);
        }
    }
}

/// The comparison is worth what its carts are worth.
#[test]
fn the_carts_reach_every_corner_of_the_rule() {
    let cases = cases();
    assert!(cases.len() > 1_500, "only {} carts", cases.len());
    let adjustments = || cases.iter().filter_map(|(.., answer)| answer.as_ref().ok()).flatten();
    for reason in [
        "quantity break 3 %",
        "quantity break 7 %",
        "quantity break 12 %",
        "silver tier 2 %",
        "gold tier 5 %",
        "rebates capped at 15 %",
    ] {
        assert!(adjustments().any(|adjustment| adjustment.reason == reason), "no cart gives {reason:?}");
    }
    for kind in ["invalid-line", "too-many-lines", "too-large"] {
        let refused = |answer: &Answer| answer.as_ref().is_err_and(|refusal| refusal.kind == kind);
        assert!(cases.iter().any(|(.., answer)| refused(answer)), "no cart is refused as {kind}");
    }
    let beyond_doubles = |adjustment: &&Adjustment| {
        adjustment.amount.parse::<i64>().expect("an amount is digits").unsigned_abs() > 1 << 53
    };
    assert!(adjustments().any(|adjustment| beyond_doubles(&adjustment)), "no amount is beyond 2^53");
    assert!(cases.iter().any(|(_, [lines, _], _)| matches!(lines, Val::List(lines) if lines.is_empty())));
}
