//! One contract, two business logics, no difference: everything is asked of the Rust and of the Python
//! implementation, each on the real storage, and their answers must be the same to the letter.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use e2e::compose;
use e2e::guest::{self, Clock, Guest};
use e2e::project;
use host_runner::keyvalue::Memory;
use host_runner::{CallError, LimitHit};

const LOGICS: [&str; 2] = ["orders", "orders-python"];
const QUOTE: &str = "shop:orders/checkout#quote-cart";
const PLACE: &str = "shop:orders/checkout#place";
const ORDER: &str = "shop:orders/checkout#get";
const LIST: &str = "shop:orders/catalog#list";
const PRODUCT: &str = "shop:orders/catalog#get";
const START: u64 = 1_800_000_000;

/// A logic on a store of its own, and everything that it was asked and answered.
struct Shop {
    logic: &'static str,
    guest: Guest,
    clock: Arc<Clock>,
    asked: Vec<(String, String)>,
}

impl Shop {
    fn open(logic: &'static str, pricing: &Path) -> Self {
        let clock = Clock::at(START);
        let setup = guest::setup(Some(Arc::new(Memory::new())), Some(clock.clone()));
        let app = guest::app(&compose::shop_without_front(logic, pricing), setup);
        Self { logic, guest: Guest::new(&app), clock, asked: Vec::new() }
    }

    fn try_ask(&mut self, function: &str, arguments: &str) -> Result<String, CallError> {
        let answer = self.guest.wave(function, arguments)?;
        self.asked.push((format!("{function}{arguments}"), answer.clone()));
        Ok(answer)
    }

    fn ask(&mut self, function: &str, arguments: &str) -> String {
        match self.try_ask(function, arguments) {
            Ok(answer) => answer,
            Err(error) => panic!("{}: {function}{arguments}: {error}", self.logic),
        }
    }

    fn is(&mut self, function: &str, arguments: &str, expected: &str) {
        let answer = self.ask(function, arguments);
        assert_eq!(answer, expected, "{}: {function}{arguments}", self.logic);
    }

    /// The answer begins so. What follows is compared between the logics alone.
    fn begins(&mut self, function: &str, arguments: &str, expected: &str) -> String {
        let answer = self.ask(function, arguments);
        assert!(answer.starts_with(expected), "{}: {function}{arguments} is {answer}", self.logic);
        answer
    }

    /// A product on the shelf.
    fn stock(&mut self, sku: &str, unit_price: u64, units: u32) {
        let product = format!(
            "{{sku: \"{sku}\", name: \"Product {sku}\", description: \"About {sku}\", category: \"Things\", unit-price: {unit_price}}}"
        );
        self.is("shop:storage/products#put", &format!("([{product}])"), "ok");
        self.is("shop:storage/stock#count", &format!("([{{sku: \"{sku}\", quantity: {units}}}])"), "ok");
    }

    fn has(&mut self, sku: &str, on_hand: u64, held: u64) {
        let expected = format!(
            "ok([{{sku: \"{sku}\", on-hand: {on_hand}, held: {held}, available: {}}}])",
            on_hand - held
        );
        self.is("shop:storage/stock#levels", &format!("([\"{sku}\"])"), &expected);
    }
}

/// Does the same with both logics, and compares every answer.
fn both_with(pricing: &Path, test: impl Fn(&mut Shop)) {
    let transcripts = LOGICS.map(|logic| {
        let mut shop = Shop::open(logic, pricing);
        test(&mut shop);
        shop.asked
    });
    let [rust, python] = transcripts;
    assert_eq!(rust.len(), python.len());
    for ((question, rust), (same, python)) in rust.iter().zip(&python) {
        assert_eq!(question, same);
        assert_eq!(rust, python, "the logics differ on {question}");
    }
}

fn both(test: impl Fn(&mut Shop)) {
    both_with(&project::component("pricing-rust"), test);
}

/// Both logics with a pricing rule that means harm.
fn both_betrayed(test: impl Fn(&mut Shop)) {
    both_with(&project::fixture("hostile-pricing"), test);
}

fn lines(of: &[(&str, u32)]) -> String {
    let lines: Vec<_> =
        of.iter().map(|(sku, quantity)| format!("{{sku: \"{sku}\", quantity: {quantity}}}")).collect();
    format!("[{}]", lines.join(", "))
}

fn cart(tier: &str, of: &[(&str, u32)]) -> String {
    format!("({{lines: {}, tier: {tier}}})", lines(of))
}

fn order(key: &str, of: &[(&str, u32)]) -> String {
    order_by(key, "Ada", "standard", of, "none")
}

fn order_by(key: &str, customer: &str, tier: &str, of: &[(&str, u32)], expected: &str) -> String {
    format!(
        "(\"{key}\", {{customer: \"{customer}\", cart: {{lines: {}, tier: {tier}}}, expected-total: {expected}}})",
        lines(of)
    )
}

fn quoted_line(sku: &str, quantity: u64, unit_price: u64) -> String {
    format!(
        "{{sku: \"{sku}\", name: \"Product {sku}\", quantity: {quantity}, unit-price: {unit_price}, total: {}}}",
        quantity * unit_price
    )
}

// ---- quoting ------------------------------------------------------------------------------------------------------

#[test]
fn a_quote_shows_lines_adjustments_with_their_reason_and_a_total() {
    both(|shop| {
        shop.stock("A", 1_000, 100);
        shop.stock("B", 333, 0);
        // 12 % of 100,000; no break on one B; gold takes 5 % of what is left: 4,416.65, to the even cent.
        let lines = format!("{}, {}", quoted_line("A", 100, 1_000), quoted_line("B", 1, 333));
        shop.is(
            QUOTE,
            &cart("gold", &[("A", 100), ("B", 1)]),
            &format!(
                "ok({{lines: [{lines}], adjustments: [\
                 {{line: some(0), reason: \"quantity break 12 %\", amount: -12000}}, \
                 {{reason: \"gold tier 5 %\", amount: -4417}}, \
                 {{reason: \"rebates capped at 15 %\", amount: 1368}}\
                 ], subtotal: 100333, total: 85284}})"
            ),
        );
    });
}

#[test]
fn an_empty_cart_costs_nothing_and_cannot_be_ordered() {
    both(|shop| {
        for tier in ["standard", "silver", "gold"] {
            shop.is(QUOTE, &cart(tier, &[]), "ok({lines: [], adjustments: [], subtotal: 0, total: 0})");
        }
        shop.begins(PLACE, &order("key", &[]), "err(invalid(");
    });
}

#[test]
fn lines_of_one_product_are_added_up_where_the_first_stands() {
    both(|shop| {
        shop.stock("A", 100, 100);
        shop.stock("B", 100, 100);
        let quote = shop.begins(QUOTE, &cart("standard", &[("B", 4), ("A", 1), ("B", 6)]), "ok(");
        let lines = format!("lines: [{}, {}]", quoted_line("B", 10, 100), quoted_line("A", 1, 100));
        assert!(quote.contains(&lines), "{quote}");
        // Ten together are enough for the quantity break.
        assert!(quote.contains("{line: some(0), reason: \"quantity break 3 %\", amount: -30}"), "{quote}");
        shop.begins(PLACE, &order("key", &[("B", 4), ("A", 1), ("B", 6)]), "ok(");
        shop.has("B", 90, 0);
    });
}

#[test]
fn a_quote_does_not_look_at_the_stock_and_changes_nothing() {
    both(|shop| {
        shop.stock("A", 100, 1);
        shop.begins(QUOTE, &cart("standard", &[("A", 1_000_000)]), "ok(");
        shop.has("A", 1, 0);
    });
}

#[test]
fn limits_are_kept_on_both_sides_of_each() {
    both(|shop| {
        shop.stock("A", 1, 1_000_000);
        for (quantity, good) in
            [(0, false), (1, true), (1_000_000, true), (1_000_001, false), (u32::MAX, false)]
        {
            shop.begins(
                QUOTE,
                &cart("standard", &[("A", quantity)]),
                if good { "ok(" } else { "err(invalid(" },
            );
        }
        // Added up they are a line too.
        shop.begins(QUOTE, &cart("standard", &[("A", 999_999), ("A", 1)]), "ok(");
        shop.begins(QUOTE, &cart("standard", &[("A", 999_999), ("A", 2)]), "err(invalid(");
        shop.begins(QUOTE, &cart("standard", &[("A", 1); 100]), "ok(");
        shop.begins(QUOTE, &cart("standard", &[("A", 1); 101]), "err(invalid(");
        shop.begins(PLACE, &order("key", &[("A", 1); 101]), "err(invalid(");

        let by = |customer: &str| {
            order_by(&format!("by {}", customer.len()), customer, "standard", &[("A", 1)], "none")
        };
        for customer in ["A", &"ä".repeat(200)] {
            shop.begins(PLACE, &by(customer), "ok(");
        }
        for customer in ["", &"ä".repeat(201), "two\\nlines", "\\u{7f}", "\\u{85}"] {
            shop.begins(PLACE, &by(customer), "err(invalid(");
        }
        for key in ["k", &"k".repeat(200), &"ä".repeat(100)] {
            shop.begins(PLACE, &order(key, &[("A", 1)]), "ok(");
        }
        for key in ["", &"k".repeat(201), &"ä".repeat(101)] {
            shop.begins(PLACE, &order(key, &[("A", 1)]), "err(invalid(");
        }
        for (limit, good) in [(0, false), (1, true), (250, true), (251, false)] {
            shop.begins(LIST, &format!("(none, {limit})"), if good { "ok(" } else { "err(invalid(" });
        }
    });
}

#[test]
fn products_that_do_not_exist_are_named() {
    both(|shop| {
        shop.stock("A", 100, 10);
        shop.is(QUOTE, &cart("standard", &[("A", 1), ("NOPE", 1)]), "err(unknown-product(\"NOPE\"))");
        shop.is(PLACE, &order("key", &[("A", 1), ("NOPE", 1)]), "err(unknown-product(\"NOPE\"))");
        shop.is(PRODUCT, "(\"NOPE\")", "err(unknown-product(\"NOPE\"))");
        // What no product could be called is no product either, or no SKU at all: both say the same.
        for sku in ["", "no spaces", "ä", &"x".repeat(65)] {
            shop.begins(QUOTE, &cart("standard", &[(sku, 1)]), "err(");
            shop.begins(PRODUCT, &format!("(\"{sku}\")"), "err(");
        }
        shop.has("A", 10, 0);
    });
}

// ---- money --------------------------------------------------------------------------------------------------------

#[test]
fn money_is_exact_beyond_what_doubles_can_count() {
    both(|shop| {
        // 9,000,000,000,000,009 cents are beyond 2^53 and odd: a double would round them.
        shop.stock("DEAR", 9_000_000_000_001, 1_000_000);
        shop.stock("CHEAP", 1, 10);
        let quote = shop.begins(QUOTE, &cart("standard", &[("DEAR", 9), ("CHEAP", 1)]), "ok(");
        assert!(quote.contains("subtotal: 81000000000010, total: 81000000000010"), "{quote}");
        let receipt = shop.begins(PLACE, &order("key", &[("DEAR", 999_999)]), "ok(");
        // 999,999 × 9,000,000,000,001, less 12 % to the nearest cent.
        assert!(receipt.contains("subtotal: 8999991000000999999, total: 7919992080000879999"), "{receipt}");
    });
}

#[test]
fn a_subtotal_beyond_the_limit_is_too_large_and_up_to_it_is_not() {
    both(|shop| {
        shop.stock("MOST", 1_000_000_000_000_000, 1_000_000);
        shop.begins(QUOTE, &cart("standard", &[("MOST", 9_223)]), "ok(");
        shop.is(QUOTE, &cart("standard", &[("MOST", 9_224)]), "err(too-large)");
        shop.is(QUOTE, &cart("gold", &[("MOST", 1_000_000)]), "err(too-large)");
        shop.is(PLACE, &order("key", &[("MOST", 1_000_000)]), "err(too-large)");
        // 2^63 - 1 itself, and one cent more.
        shop.stock("REST", 372_036_854, 1_000_000);
        shop.stock("CENT", 1, 1_000_000);
        let with_cents = |cents| cart("standard", &[("MOST", 9_223), ("REST", 1_000_000), ("CENT", cents)]);
        let quote = shop.begins(QUOTE, &with_cents(775_807), "ok(");
        assert!(quote.contains("subtotal: 9223372036854775807"), "{quote}");
        shop.is(QUOTE, &with_cents(775_808), "err(too-large)");
        shop.has("MOST", 1_000_000, 0);
    });
}

// ---- placing ------------------------------------------------------------------------------------------------------

#[test]
fn an_order_takes_its_units_and_gives_a_receipt_that_can_be_read_again() {
    both(|shop| {
        shop.stock("A", 250, 10);
        shop.stock("B", 100, 3);
        let receipt = shop.begins(
            PLACE,
            &order_by("key", "Ada Lovelace", "silver", &[("A", 2), ("B", 3)], "none"),
            "ok({order-id: \"",
        );
        assert!(
            receipt.contains(&format!(
                "placed-at: {}, customer: \"Ada Lovelace\", tier: silver, quote: {{lines: [{}, {}]",
                START * 1_000,
                quoted_line("A", 2, 250),
                quoted_line("B", 3, 100)
            )),
            "{receipt}"
        );
        assert!(
            receipt.contains("{reason: \"silver tier 2 %\", amount: -16}], subtotal: 800, total: 784"),
            "{receipt}"
        );
        shop.has("A", 8, 0);
        shop.has("B", 0, 0);
        let id = order_id(&receipt);
        assert_eq!(id.len(), 26, "{id}");
        shop.clock.advance(1_000_000);
        shop.is(ORDER, &format!("(\"{id}\")"), &receipt);
    });
}

fn order_id(receipt: &str) -> String {
    receipt.split('"').nth(1).expect("a receipt begins with its order").to_owned()
}

#[test]
fn a_retry_gets_the_same_receipt_whatever_has_changed_since() {
    both(|shop| {
        shop.stock("A", 100, 5);
        shop.stock("B", 100, 5);
        let first =
            shop.begins(PLACE, &order_by("key", "Ada", "gold", &[("A", 5), ("B", 1)], "some(570)"), "ok(");
        // Sold out, dearer, renamed, another day: the receipt is what it was.
        shop.is(
            "shop:storage/products#put",
            "([{sku: \"A\", name: \"New name\", description: \"\", category: \"Things\", unit-price: 999}])",
            "ok",
        );
        shop.clock.advance(86_400);
        shop.is(PLACE, &order_by("key", "Ada", "gold", &[("A", 5), ("B", 1)], "some(570)"), &first);
        // Not compared once the order exists; nor does it matter how the units are spread over lines.
        shop.is(PLACE, &order_by("key", "Ada", "gold", &[("A", 5), ("B", 1)], "some(1)"), &first);
        shop.is(PLACE, &order_by("key", "Ada", "gold", &[("A", 2), ("B", 1), ("A", 3)], "none"), &first);
        shop.has("A", 0, 0);
        shop.has("B", 4, 0);
    });
}

#[test]
fn a_key_buys_one_thing_only() {
    both(|shop| {
        shop.stock("A", 100, 10);
        shop.stock("B", 100, 10);
        shop.begins(PLACE, &order_by("key", "Ada", "gold", &[("A", 2)], "none"), "ok(");
        for other in [
            order_by("key", "Bob", "gold", &[("A", 2)], "none"),
            order_by("key", "Ada", "silver", &[("A", 2)], "none"),
            order_by("key", "Ada", "gold", &[("A", 3)], "none"),
            order_by("key", "Ada", "gold", &[("B", 2)], "none"),
            order_by("key", "Ada", "gold", &[("A", 2), ("B", 1)], "none"),
        ] {
            shop.is(PLACE, &other, "err(key-reused)");
        }
        shop.has("A", 8, 0);
        shop.has("B", 10, 0);
    });
}

#[test]
fn whoever_has_seen_another_total_buys_nothing_and_sees_the_new_one() {
    both(|shop| {
        shop.stock("A", 100, 10);
        let now = shop.ask(QUOTE, &cart("standard", &[("A", 2)]));
        let quote =
            now.strip_prefix("ok(").and_then(|quote| quote.strip_suffix(')')).expect("a quote").to_owned();
        for seen in ["199", "201", "0", "18446744073709551615"] {
            shop.is(
                PLACE,
                &order_by("key", "Ada", "standard", &[("A", 2)], &format!("some({seen})")),
                &format!("err(total-changed({quote}))"),
            );
        }
        shop.has("A", 10, 0);
        // Nothing was bought, so the key is free.
        shop.begins(PLACE, &order_by("key", "Ada", "standard", &[("A", 2)], "some(200)"), "ok(");
        shop.has("A", 8, 0);
    });
}

#[test]
fn all_lines_are_bought_or_none_and_every_shortage_is_named() {
    both(|shop| {
        shop.stock("A", 100, 10);
        shop.stock("B", 100, 1);
        shop.stock("C", 100, 0);
        shop.is(
            PLACE,
            &order("key", &[("C", 1), ("A", 10), ("B", 2)]),
            "err(out-of-stock([{sku: \"C\", requested: 1, available: 0}, {sku: \"B\", requested: 2, available: 1}]))",
        );
        for (sku, units) in [("A", 10), ("B", 1), ("C", 0)] {
            shop.has(sku, units, 0);
        }
        // Later there is enough, under the same key.
        shop.is("shop:storage/stock#count", "([{sku: \"B\", quantity: 2}, {sku: \"C\", quantity: 1}])", "ok");
        shop.begins(PLACE, &order("key", &[("C", 1), ("A", 10), ("B", 2)]), "ok(");
        for sku in ["A", "B", "C"] {
            shop.has(sku, 0, 0);
        }
    });
}

#[test]
fn orders_that_do_not_exist_are_unknown() {
    both(|shop| {
        for id in ["", "abc", "../../etc/passwd", &"a".repeat(26), &"a".repeat(10_000)] {
            shop.is(ORDER, &format!("(\"{id}\")"), &format!("err(unknown-order(\"{id}\"))"));
        }
    });
}

// ---- the catalogue ------------------------------------------------------------------------------------------------

#[test]
fn the_catalogue_is_walked_page_by_page_in_the_order_of_skus() {
    both(|shop| {
        for (sku, units) in [("b", 2), ("A-10", 1), ("A-2", 0), ("a", 5), ("Z", 9)] {
            shop.stock(sku, 100, units);
        }
        let entry = |sku: &str, available: u32| {
            format!(
                "{{sku: \"{sku}\", name: \"Product {sku}\", description: \"About {sku}\", category: \"Things\", unit-price: 100, available: {available}}}"
            )
        };
        let mut walked = Vec::new();
        let mut after = "none".to_owned();
        loop {
            let page = shop.begins(LIST, &format!("({after}, 2)"), "ok({items: [");
            walked.extend(
                page.split("{sku: \"").skip(1).map(|item| item.split('"').next().unwrap_or("").to_owned()),
            );
            match page.split("next: some(").nth(1) {
                Some(next) => {
                    after = format!("some({}", next.strip_suffix(")})").expect("the page ends here")) + ")"
                }
                None => break,
            }
        }
        assert_eq!(walked, ["A-10", "A-2", "Z", "a", "b"]);
        shop.is(PRODUCT, "(\"a\")", &format!("ok({})", entry("a", 5)));
        // What can be bought at this moment follows the orders.
        shop.begins(PLACE, &order("key", &[("a", 4)]), "ok(");
        shop.is(PRODUCT, "(\"a\")", &format!("ok({})", entry("a", 1)));
        shop.is(LIST, "(some(\"zzz\"), 10)", "ok({items: []})");
    });
}

// ---- a pricing rule that means harm -------------------------------------------------------------------------------

#[test]
fn every_absurd_answer_of_pricing_is_refused_with_its_own_error() {
    both_betrayed(|shop| {
        for (sku, fault) in [
            ("NEGATIVE-TOTAL", "negative-total"),
            ("LOWEST-AMOUNTS", "negative-total"),
            ("UNKNOWN-LINE", "unknown-line(7)"),
            ("OVERFLOW", "overflow"),
            ("THOUSAND", "too-many-adjustments(1000)"),
            ("ONE-TOO-MANY", "too-many-adjustments(257)"),
            ("ZERO-AMOUNT", "malformed-adjustment(1)"),
            ("EMPTY-REASON", "malformed-adjustment(0)"),
            ("LONG-REASON", "malformed-adjustment(0)"),
            ("CONTROL-REASON", "malformed-adjustment(0)"),
            ("DECLINED", "declined(\"not to you\")"),
        ] {
            shop.stock(sku, 1_000, 10);
            let expected = format!("err(pricing({fault}))");
            shop.is(QUOTE, &cart("standard", &[(sku, 1)]), &expected);
            shop.is(PLACE, &order(&format!("key {sku}"), &[(sku, 1)]), &expected);
            shop.has(sku, 10, 0);
        }
        shop.stock("REFUSED", 1_000, 10);
        shop.begins(QUOTE, &cart("standard", &[("REFUSED", 1)]), "err(pricing(refused(\"");
    });
}

#[test]
fn answers_at_the_edge_of_what_is_allowed_are_taken() {
    both_betrayed(|shop| {
        for (sku, total) in [
            ("MOST-ALLOWED", "1256"),
            ("LONGEST-REASON", "999"),
            ("LARGE-BUT-FINE", "1000"),
            ("HONEST", "1000"),
        ] {
            shop.stock(sku, 1_000, 10);
            let quote = shop.begins(QUOTE, &cart("standard", &[(sku, 1)]), "ok(");
            assert!(quote.ends_with(&format!("subtotal: 1000, total: {total}}})")), "{sku}: {quote}");
            shop.begins(PLACE, &order(&format!("key {sku}"), &[(sku, 1)]), "ok(");
        }
    });
}

#[test]
fn a_pricing_rule_that_traps_or_never_returns_costs_its_call_and_nothing_else() {
    both_betrayed(|shop| {
        for sku in ["TRAP", "LOOP", "HONEST"] {
            shop.stock(sku, 100, 10);
        }
        shop.begins(PLACE, &order("before", &[("HONEST", 1)]), "ok(");
        // Long enough for a Python guest to start, and far too short for an endless loop.
        shop.guest.set_time_limit(Duration::from_secs(2));
        for sku in ["TRAP", "LOOP"] {
            for (function, arguments) in [
                (QUOTE, cart("standard", &[(sku, 1)])),
                (PLACE, order(&format!("key {sku}"), &[(sku, 1), ("HONEST", 3)])),
            ] {
                let ended = shop.try_ask(function, &arguments).expect_err("the rule does not answer");
                match sku {
                    "TRAP" => assert!(matches!(ended, CallError::Trap { .. }), "{ended}"),
                    _ => assert!(matches!(ended, CallError::Limit { hit: LimitHit::Time(_), .. }), "{ended}"),
                }
                // The next customer notices nothing, and no unit is held for the one who was unlucky.
                shop.has(sku, 10, 0);
                shop.has("HONEST", 9, 0);
                shop.begins(QUOTE, &cart("standard", &[("HONEST", 1)]), "ok(");
            }
        }
        shop.begins(PLACE, &order("after", &[("HONEST", 9)]), "ok(");
    });
}
