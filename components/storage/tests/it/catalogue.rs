//! Products and their stock: limits, replacing, paging, counting.

use crate::support::{World, item, product};
use storage::types::{Error, Product};
use storage::{orders, products, stock};

#[test]
fn products_are_created_replaced_and_listed_in_order() {
    let world = World::new();
    let memory = world.memory();
    let mut all: Vec<Product> =
        (0..700).rev().map(|number| product(&format!("P-{number:03}"), number)).collect();
    products::put(&memory, all.clone()).expect("stored");
    let operations = world.operations.get();
    products::put(&memory, all.clone()).expect("stored again");
    assert_eq!(world.operations.get() - operations, 700, "what has not changed is only looked at");
    all.reverse();

    let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = products::list(&memory, after, 250).expect("a page");
        listed.extend(page.items);
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, &listed), (3, &all));
    let page = products::list(&memory, Some("P-3495".to_owned()), 350).expect_err("too long");
    assert_eq!(page, Error::Invalid("a limit: 1 to 250, not 350".to_owned()));
    let page = products::list(&memory, Some("P-6495".to_owned()), 50).expect("a page");
    assert_eq!((page.items.len(), page.next), (50, None), "exactly the last ones");
}

#[test]
fn nothing_is_written_where_one_product_breaks_a_limit() {
    let change = |change: &dyn Fn(&mut Product)| {
        let mut product = product("CUP", 1);
        change(&mut product);
        product
    };
    for wrong in [
        change(&|product| product.sku = String::new()),
        change(&|product| product.sku = "x".repeat(65)),
        change(&|product| product.sku = "a/b".to_owned()),
        change(&|product| product.name = String::new()),
        change(&|product| product.name = "é".repeat(201)),
        change(&|product| product.name = "a\u{85}b".to_owned()),
        change(&|product| product.description = "é".repeat(2_001)),
        change(&|product| product.description = "a\tb".to_owned()),
        change(&|product| product.category = String::new()),
        change(&|product| product.category = "é".repeat(81)),
        change(&|product| product.unit_price = 1_000_000_000_000_001),
    ] {
        let world = World::new();
        let answer = products::put(&world.memory(), vec![product("A", 1), wrong]);
        assert!(matches!(answer, Err(Error::Invalid(_))), "{answer:?}");
        assert!(world.keys().is_empty());
    }
    let right = change(&|product| {
        product.sku = "x".repeat(64);
        product.name = "é".repeat(200);
        product.description = "\u{1F375}\n".repeat(1_000);
        product.category = "é".repeat(80);
        product.unit_price = 1_000_000_000_000_000;
    });
    let world = World::new();
    products::put(&world.memory(), vec![right.clone()]).expect("all of it is within the limits");
    assert_eq!(products::get(&world.memory(), &right.sku), Ok(Some(right)));
    let too_many = vec![product("A", 1); 1_001];
    assert!(matches!(products::put(&world.memory(), too_many), Err(Error::Invalid(_))));
}

#[test]
fn counting_sets_what_is_on_hand() {
    let world = World::new();
    let memory = world.memory();
    let now = world.now.get();
    products::put(&memory, vec![product("CUP", 1), product("POT", 1)]).expect("stored");
    let levels = |skus: &[&str]| {
        let skus: Vec<String> = skus.iter().map(|sku| (*sku).to_owned()).collect();
        stock::levels(&memory, now, &skus).map(|levels| {
            levels.iter().map(|level| (level.on_hand, level.held, level.available)).collect::<Vec<_>>()
        })
    };
    assert_eq!(levels(&["POT", "CUP", "POT"]), Ok(vec![(0, 0, 0); 3]));
    assert_eq!(levels(&["CUP", "PAN"]), Err(Error::UnknownProduct("PAN".to_owned())));
    assert_eq!(levels(&[]), Ok(vec![]));

    let unknown = stock::count(&memory, now, &[item("CUP", 5), item("PAN", 5)]);
    assert_eq!(unknown, Err(Error::UnknownProduct("PAN".to_owned())));
    assert_eq!(levels(&["CUP"]), Ok(vec![(0, 0, 0)]), "all are checked before the first is written");
    stock::count(&memory, now, &[item("CUP", 5), item("POT", 1_000_000)]).expect("counted");
    assert_eq!(levels(&["CUP", "POT"]), Ok(vec![(5, 0, 5), (1_000_000, 0, 1_000_000)]));

    orders::reserve(&memory, &memory, "k", vec![item("CUP", 3)], 30).expect("held");
    let too_few = stock::count(&memory, now, &[item("POT", 1), item("CUP", 2)]);
    let words = "the quantity of CUP: at least the 3 that are held, not 2";
    assert_eq!(too_few, Err(Error::Invalid(words.to_owned())));
    stock::count(&memory, now, &[item("POT", 0), item("CUP", 3)]).expect("counted");
    assert_eq!(levels(&["CUP", "POT"]), Ok(vec![(3, 3, 0), (0, 0, 0)]));
    for wrong in [vec![item("CUP", 1_000_001)], vec![item("CUP", 1), item("CUP", 1)], vec![item("é", 1)]] {
        assert!(matches!(stock::count(&memory, now, &wrong), Err(Error::Invalid(_))));
    }
}

#[test]
fn an_entry_without_a_product_is_skipped_and_healed() {
    let world = World::new();
    let memory = world.memory();
    // As a writer leaves it that vanished between the list and the record.
    world.plant("products/0", br#"{"v":1,"entries":["CUP","PAN","POT"],"next":null}"#);
    products::put(&memory, vec![product("CUP", 1), product("POT", 1)]).expect("stored");
    let skus = |limit| {
        let page = products::list(&memory, None, limit).expect("a page");
        (page.items.into_iter().map(|product| product.sku).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(skus(1), (vec!["CUP".to_owned()], Some("PAN".to_owned())));
    assert_eq!(skus(2), (vec!["CUP".to_owned(), "POT".to_owned()], None));
    products::put(&memory, vec![product("PAN", 1)]).expect("healed");
    assert_eq!(skus(3).0.len(), 3);
}
