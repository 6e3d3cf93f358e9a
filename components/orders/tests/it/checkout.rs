//! The business logic between a storage and a pricing rule that the test controls.

use crate::support::{Call, Fake, Rule, adjustment, invalid, item};
use orders::checkout::{get, place, quote};
use orders::ports::{CommitError, Refusal, ReserveError, StorageError};
use orders::types::{
    Adjustment, Cart, Draft, Error, Item, Order, PricingFault, Quote, Receipt, Request, Shortage, Tier,
};
use proptest::prelude::*;

fn cart(lines: &[(&str, u32)]) -> Cart {
    Cart { lines: lines.iter().map(|(sku, quantity)| item(sku, *quantity)).collect(), tier: Tier::Gold }
}

fn request(lines: &[(&str, u32)]) -> Request {
    Request { customer: "Ada".to_owned(), cart: cart(lines), expected_total: None }
}

fn stored(customer: &str, tier: &str, lines: &[(&str, u32)]) -> Order {
    let line = |(sku, quantity): &(&str, u32)| orders::types::Line {
        sku: (*sku).to_owned(),
        name: "as it was called then".to_owned(),
        quantity: *quantity,
        unit_price: 1,
        total: u64::from(*quantity),
    };
    let lines: Vec<_> = lines.iter().map(line).collect();
    let subtotal = lines.iter().map(|line| line.total).sum();
    let quote = Quote { lines, adjustments: Vec::new(), subtotal, total: subtotal };
    let content = Draft { customer: customer.to_owned(), tier: tier.to_owned(), quote };
    Order { id: "an-id".to_owned(), placed_at: 5, content }
}

#[test]
fn a_quote_merges_lines_and_adds_up() {
    let fake = Fake::shop(&[("CUP", 1_250), ("POT", 9_007_199_254_740_993)]);
    let rule = Rule::listing(vec![adjustment(Some(1), "for you", -3), adjustment(None, "postage", 500)]);
    let quote = quote(&fake, &rule, &cart(&[("CUP", 2), ("POT", 1), ("CUP", 3)])).expect("a quote");
    let lines: Vec<_> = quote.lines.iter().map(|l| (l.sku.as_str(), l.quantity, l.total)).collect();
    assert_eq!(lines, [("CUP", 5, 6_250), ("POT", 1, 9_007_199_254_740_993)]);
    assert_eq!((quote.subtotal, quote.total), (9_007_199_254_747_243, 9_007_199_254_747_740));
    assert_eq!(quote.adjustments.len(), 2);
    let asked = rule.asked.take();
    let asked: Vec<_> = asked[0].iter().map(|l| (l.sku.as_str(), l.quantity, l.unit_price)).collect();
    assert_eq!(asked, [("CUP", 5, 1_250), ("POT", 1, 9_007_199_254_740_993)]);
}

#[test]
fn an_empty_cart_costs_nothing_and_the_rule_is_asked() {
    let fake = Fake::shop(&[]);
    let rule = Rule::listing(Vec::new());
    let zero = Quote { lines: Vec::new(), adjustments: Vec::new(), subtotal: 0, total: 0 };
    assert_eq!(quote(&fake, &rule, &cart(&[])), Ok(zero));
    assert_eq!(rule.asked.take(), [[]]);
    let rule = Rule::listing(vec![adjustment(Some(0), "for what?", 1)]);
    assert_eq!(quote(&fake, &rule, &cart(&[])), Err(Error::Pricing(PricingFault::UnknownLine(0))));
    let rule = Rule::listing(vec![adjustment(None, "take this", -1)]);
    assert_eq!(quote(&fake, &rule, &cart(&[])), Err(Error::Pricing(PricingFault::NegativeTotal)));
}

#[test]
fn arguments_are_checked_in_order_before_anything_is_asked() {
    let fake = Fake::shop(&[]);
    let rule = Rule::listing(Vec::new());
    let many: Vec<(&str, u32)> = vec![("", 0); 101];
    let sku = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'";
    let long = "x".repeat(65);
    for (lines, words) in [
        (&many[..], "a cart has at most 100 lines, not 101".to_owned()),
        (&[("A", 1), ("", 0)], format!("line 1: {sku}")),
        (&[("é", 1)], format!("line 0: {sku}")),
        (&[(&long, 1)], format!("line 0: {sku}")),
        (&[("A", 0), ("", 1)], "line 0: a quantity is 1 to 1000000, not 0".to_owned()),
        (&[("A", 1_000_001)], "line 0: a quantity is 1 to 1000000, not 1000001".to_owned()),
        (
            &[("B", 1), ("A", 600_000), ("A", 600_000)],
            "SKU A: the quantities of all its lines are at most 1000000 together, not 1200000".to_owned(),
        ),
    ] {
        assert_eq!(quote(&fake, &rule, &cart(lines)), invalid(&words));
        assert_eq!(place(&fake, &rule, "k", request(lines)), invalid(&words));
    }
    let no_key = Request { customer: String::new(), ..request(&[]) };
    for key in [String::new(), "é".repeat(101)] {
        let words = format!("an idempotency key is 1 to 200 bytes, not {}", key.len());
        assert_eq!(place(&fake, &rule, &key, no_key.clone()), invalid(&words));
    }
    for customer in [String::new(), "é".repeat(201), "a\u{7f}".to_owned()] {
        let nobody = Request { customer, ..request(&[]) };
        let words = "a customer is 1 to 200 characters without control characters";
        assert_eq!(place(&fake, &rule, "k", nobody), invalid(words));
    }
    assert_eq!(place(&fake, &rule, "k", request(&[])), invalid("an order has at least one line"));
    assert!(fake.calls.take().is_empty() && rule.asked.take().is_empty());
}

#[test]
fn products_are_looked_up_before_anything_is_computed() {
    let fake = Fake::shop(&[("A", 1_000_000_000_000_000)]);
    let rule = Rule::listing(Vec::new());
    let unknown = quote(&fake, &rule, &cart(&[("A", 1_000_000), ("Y", 1), ("X", 1)]));
    assert_eq!(unknown, Err(Error::UnknownProduct("Y".to_owned())));
    assert_eq!(quote(&fake, &rule, &cart(&[("A", 1_000_000)])), Err(Error::TooLarge));
    assert_eq!(quote(&fake, &rule, &cart(&[("A", 9_224)])), Err(Error::TooLarge));
    assert!(rule.asked.take().is_empty());
    let fits = quote(&fake, &rule, &cart(&[("A", 9_223)])).expect("a quote");
    assert_eq!(fits.total, 9_223_000_000_000_000_000);
}

#[test]
fn answers_of_pricing_that_cannot_be_used_are_refused() {
    let most = i64::MAX;
    let refused = |text: &str| PricingFault::Refused(text.to_owned());
    let listing = |list: &[Adjustment]| Ok(list.to_vec());
    let fine = adjustment(None, "fine", 1);
    let long = "é".repeat(121);
    for (answer, fault) in [
        (Err(Refusal::Declined("not to you".to_owned())), PricingFault::Declined("not to you".to_owned())),
        (Err(Refusal::InvalidLine(3)), refused("invalid-line(3)")),
        (Err(Refusal::TooManyLines(7)), refused("too-many-lines(7)")),
        (Ok(vec![adjustment(Some(9), "", 0); 257]), PricingFault::TooManyAdjustments(257)),
        (Ok(vec![adjustment(Some(9), "", 0); 1_000]), PricingFault::TooManyAdjustments(1_000)),
        (listing(&[fine.clone(), adjustment(Some(1), "", 0)]), PricingFault::UnknownLine(1)),
        (
            listing(&[fine.clone(), adjustment(None, "nothing", 0), adjustment(Some(9), "x", 1)]),
            PricingFault::MalformedAdjustment(1),
        ),
        (listing(&[adjustment(Some(u32::MAX), "x", 1)]), PricingFault::UnknownLine(u32::MAX)),
        (listing(&[adjustment(None, "", 1)]), PricingFault::MalformedAdjustment(0)),
        (listing(&[adjustment(None, &long, 1)]), PricingFault::MalformedAdjustment(0)),
        (listing(&[adjustment(None, "a\nb", 1)]), PricingFault::MalformedAdjustment(0)),
        (listing(&[adjustment(None, "\u{9f}", 1)]), PricingFault::MalformedAdjustment(0)),
        (listing(&[adjustment(None, "x", -1_001)]), PricingFault::NegativeTotal),
        (Ok(vec![adjustment(None, "x", i64::MIN); 256]), PricingFault::NegativeTotal),
        (listing(&[adjustment(None, "x", most)]), PricingFault::Overflow),
        (Ok(vec![adjustment(None, "x", most); 256]), PricingFault::Overflow),
    ] {
        let fake = Fake::shop(&[("A", 1_000)]);
        let rule = Rule::answering(answer);
        assert_eq!(quote(&fake, &rule, &cart(&[("A", 1)])), Err(Error::Pricing(fault.clone())));
        assert_eq!(place(&fake, &rule, "k", request(&[("A", 1)])), Err(Error::Pricing(fault)));
        assert!(!fake.calls.take().iter().any(|call| matches!(call, Call::Reserve(..))));
    }
    let fake = Fake::shop(&[("A", 1_000)]);
    let too_large = Rule::answering(Err(Refusal::TooLarge));
    assert_eq!(quote(&fake, &too_large, &cart(&[("A", 1)])), Err(Error::TooLarge));
    // Only the total counts, not what it is on the way.
    let there_and_back = vec![adjustment(None, "x", most), adjustment(None, &long[2..], -most)];
    let there_and_back = quote(&fake, &Rule::listing(there_and_back), &cart(&[("A", 1)]));
    assert_eq!(there_and_back.map(|quote| quote.total), Ok(1_000));
    let to_zero = Rule::listing(vec![adjustment(Some(0), "a gift", -1_000)]);
    assert_eq!(quote(&fake, &to_zero, &cart(&[("A", 1)])).map(|quote| quote.total), Ok(0));
}

#[test]
fn placing_reserves_and_commits_what_was_quoted() {
    let fake = Fake::shop(&[("A", 10), ("B", 5)]);
    let rule = Rule::listing(vec![adjustment(None, "rebate", -5)]);
    let request = Request { expected_total: Some(30), ..request(&[("B", 1), ("A", 2), ("B", 2)]) };
    let receipt = place(&fake, &rule, "k", request).expect("a receipt");
    let calls = fake.calls.take();
    let [
        Call::Find(_),
        Call::Product(_),
        Call::Product(_),
        Call::Reserve(key, items, 30),
        Call::Commit(draft),
    ] = &calls[..]
    else {
        panic!("{calls:?}");
    };
    assert_eq!((key.as_str(), &items[..]), ("k", &[item("B", 3), item("A", 2)][..]));
    assert_eq!((draft.customer.as_str(), draft.tier.as_str(), draft.quote.total), ("Ada", "gold", 30));
    assert_eq!(receipt.quote, draft.quote);
    assert_eq!((receipt.customer.as_str(), receipt.tier, fake.held.get()), ("Ada", Tier::Gold, 0));
}

#[test]
fn the_same_key_gets_the_same_receipt_for_the_same_and_nothing_for_anything_else() {
    let order = stored("Ada", "gold", &[("A", 1), ("B", 5)]);
    let same = Request { expected_total: Some(77), ..request(&[("B", 2), ("A", 1), ("B", 3)]) };
    let others = [
        Request { customer: "Bob".to_owned(), ..same.clone() },
        Request { cart: Cart { tier: Tier::Silver, ..same.cart.clone() }, ..same.clone() },
        request(&[("B", 4), ("A", 1)]),
        request(&[("B", 5)]),
        request(&[("B", 5), ("A", 1), ("C", 1)]),
        request(&[("B", 5), ("C", 1)]),
    ];
    // The order is there from the start, appears at the reservation, or after another attempt won.
    let found_at: [fn(&Fake, Order); 4] = [
        |fake, order| fake.found.borrow_mut().push(Some(order)),
        |fake, order| *fake.reserve_fails.borrow_mut() = Some(ReserveError::Placed(Box::new(order))),
        |fake, order| {
            *fake.commit_fails.borrow_mut() = Some(CommitError::Superseded);
            fake.found.borrow_mut().extend([Some(order), None]);
        },
        |fake, order| {
            *fake.commit_fails.borrow_mut() = Some(CommitError::Expired);
            fake.found.borrow_mut().extend([Some(order), None]);
        },
    ];
    for (index, found_at) in found_at.iter().enumerate() {
        let try_it = |mut request: Request| {
            let fake = Fake::shop(&[("A", 10), ("B", 5), ("C", 1)]);
            found_at(&fake, order.clone());
            if index > 0 {
                request.expected_total = None;
            }
            let answer = place(&fake, &Rule::listing(Vec::new()), "k", request);
            assert_eq!(fake.held.get(), 0);
            answer
        };
        let receipt = Receipt {
            order_id: "an-id".to_owned(),
            placed_at: 5,
            customer: "Ada".to_owned(),
            tier: Tier::Gold,
            quote: order.content.quote.clone(),
        };
        assert_eq!(try_it(same.clone()), Ok(receipt));
        for other in &others {
            assert_eq!(try_it(other.clone()), Err(Error::KeyReused));
        }
    }
}

#[test]
fn what_goes_wrong_has_its_own_answer() {
    let one = || request(&[("A", 2)]);
    let rule = || Rule::listing(Vec::new());
    let shop = || Fake::shop(&[("A", 10)]);

    let changed = place(&shop(), &rule(), "k", Request { expected_total: Some(19), ..one() });
    assert!(matches!(changed, Err(Error::TotalChanged(quote)) if quote.total == 20));

    let shortage = Shortage { sku: "A".to_owned(), requested: 2, available: 1 };
    let fake = shop();
    *fake.reserve_fails.borrow_mut() = Some(ReserveError::Short(vec![shortage.clone()]));
    assert_eq!(place(&fake, &rule(), "k", one()), Err(Error::OutOfStock(vec![shortage])));

    for error in [CommitError::Expired, CommitError::Superseded] {
        let fake = shop();
        *fake.commit_fails.borrow_mut() = Some(error);
        assert_eq!(place(&fake, &rule(), "k", one()), Err(Error::Busy));
    }
    let fake = shop();
    *fake.commit_fails.borrow_mut() = Some(CommitError::Mismatch("1 is not 2".to_owned()));
    let refused = Error::Unavailable("storage refused the order: 1 is not 2".to_owned());
    assert_eq!(place(&fake, &rule(), "k", one()), Err(refused));

    let strange = Fake::shop(&[("A", 10)]);
    strange.found.borrow_mut().push(Some(stored("Ada", "platinum", &[("A", 2)])));
    assert_eq!(place(&strange, &rule(), "k", one()), Err(Error::KeyReused));
    *strange.order.borrow_mut() = Some(stored("Ada", "platinum", &[("A", 2)]));
    let unknown_tier = Error::Unavailable("order an-id has an unknown tier".to_owned());
    assert_eq!(get(&strange, "an-id"), Err(unknown_tier));
    assert_eq!(get(&shop(), "no such"), Err(Error::UnknownOrder("no such".to_owned())));
    *strange.order.borrow_mut() = Some(stored("Ada", "silver", &[("A", 2)]));
    assert_eq!(get(&strange, "an-id").map(|receipt| receipt.tier), Ok(Tier::Silver));
}

#[test]
fn storage_errors_keep_their_meaning_wherever_they_come_from() {
    let text = || "words".to_owned();
    for (error, answer) in [
        (StorageError::Invalid(text()), Error::Invalid(text())),
        (StorageError::UnknownProduct(text()), Error::UnknownProduct(text())),
        (StorageError::Contended, Error::Busy),
        (StorageError::Damaged(text()), Error::Unavailable("a record cannot be read: words".to_owned())),
        (StorageError::Unavailable(text()), Error::Unavailable(text())),
    ] {
        let one = || request(&[("A", 2)]);
        let failing: [fn(&Fake, StorageError); 3] = [
            |fake, error| *fake.reads_fail.borrow_mut() = Some(error),
            |fake, error| *fake.reserve_fails.borrow_mut() = Some(ReserveError::Storage(error)),
            |fake, error| *fake.commit_fails.borrow_mut() = Some(CommitError::Storage(error)),
        ];
        for fail in failing {
            let fake = Fake::shop(&[("A", 10)]);
            fail(&fake, error.clone());
            assert_eq!(place(&fake, &Rule::listing(Vec::new()), "k", one()), Err(answer.clone()));
            assert_eq!(fake.held.get(), 0);
        }
        let fake = Fake::shop(&[("A", 10)]);
        *fake.reads_fail.borrow_mut() = Some(error);
        assert_eq!(quote(&fake, &Rule::listing(Vec::new()), &one().cart), Err(answer.clone()));
        assert_eq!(get(&fake, "x"), Err(answer));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the rule answers: a quote whose sums are right, or a typed error.
    #[test]
    fn no_answer_of_pricing_breaks_the_sums(
        lines in prop::collection::vec((0..4_usize, 1..1_000_u32), 0..10),
        prices in prop::array::uniform4(0..=1_000_000_000_000_000_u64),
        list in prop::collection::vec(
            (prop::option::of(0..6_u32), "[ -~\n]{0,3}", prop_oneof![any::<i64>(), -500..500_i64]),
            0..8,
        ),
    ) {
        let names = ["A", "B", "C", "D"];
        let products: Vec<(&str, u64)> = names.into_iter().zip(prices).collect();
        let list: Vec<Adjustment> =
            list.into_iter().map(|(line, reason, amount)| adjustment(line, &reason, amount)).collect();
        let lines: Vec<Item> = lines.into_iter().map(|(index, quantity)| item(names[index], quantity)).collect();
        let cart = Cart { lines: lines.clone(), tier: Tier::Standard };
        if let Ok(quote) = quote(&Fake::shop(&products), &Rule::listing(list.clone()), &cart) {
            let gross = |item: &Item| {
                let price = products.iter().find(|(sku, _)| *sku == item.sku).expect("a product").1;
                i128::from(item.quantity) * i128::from(price)
            };
            let subtotal: i128 = lines.iter().map(gross).sum();
            let total = subtotal + list.iter().map(|adjustment| i128::from(adjustment.amount)).sum::<i128>();
            prop_assert_eq!((i128::from(quote.subtotal), i128::from(quote.total)), (subtotal, total));
            prop_assert!((0..=i128::from(i64::MAX)).contains(&total));
            prop_assert_eq!(&quote.adjustments, &list);
            for adjustment in list {
                prop_assert!(adjustment.amount != 0 && !adjustment.reason.is_empty());
                prop_assert!(adjustment.line.is_none_or(|line| (line as usize) < quote.lines.len()));
            }
        }
    }
}
