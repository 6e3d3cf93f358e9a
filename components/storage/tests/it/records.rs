//! What is stored: every version that was ever written is read, and nothing else.

use crate::support::{World, draft, item, product, stocked};
use storage::record::{OrderRecord, ProductRecord, Record, State, StockRecord};
use storage::types::{Error, ReserveError};
use storage::{id, orders, products, stock};

#[test]
fn todays_bytes() {
    let world = World::new();
    let memory = world.memory();
    stocked(&world, &[item("CUP", 5)]);
    let text = |key: &str| String::from_utf8(world.value(key).expect(key)).expect("text");
    assert_eq!(
        text("product/CUP"),
        r#"{"v":2,"name":"Product CUP","description":"What it is.\nWhat it does.","category":"things","unit_price":7}"#
    );
    assert_eq!(text("stock/CUP"), r#"{"v":2,"on_hand":5,"holds":[]}"#);
    assert_eq!(text("products/0"), r#"{"v":1,"entries":["CUP"],"next":null}"#);

    let items = [item("CUP", 2)];
    let held = orders::reserve(&memory, &memory, "k", items.to_vec(), 30).expect("held");
    let id = id::of_key("k");
    assert_eq!(
        text("stock/CUP"),
        format!(
            r#"{{"v":2,"on_hand":5,"holds":[{{"order":"{id}","attempt":1,"quantity":2,"expires_at":1700000030000}}]}}"#
        )
    );
    assert_eq!(
        text(&format!("order/{id}")),
        format!(
            r#"{{"v":1,"attempt":1,"place":"0000018bcfe56800-{id}","state":{{"open":{{"expires_at":1700000030000,"items":[{{"sku":"CUP","quantity":2}}]}}}}}}"#
        )
    );
    orders::commit(&memory, &memory, held, draft("Ada", &items)).expect("committed");
    assert_eq!(
        text(&format!("order/{id}")),
        format!(
            r#"{{"v":1,"attempt":1,"place":"0000018bcfe56800-{id}","state":{{"committed":{{"placed_at":1700000000000,"content":{{"customer":"Ada","tier":"gold","lines":[{{"sku":"CUP","name":"Product CUP","quantity":2,"unit_price":7,"total":14}}],"adjustments":[],"subtotal":14,"total":14}}}}}}}}"#
        )
    );
}

#[test]
fn version_1_is_read_and_written_back_in_todays() {
    let world = World::new();
    let memory = world.memory();
    world.plant("products/0", br#"{"v":1,"entries":["CUP"],"next":null}"#);
    let old = br#"{"v":1,"name":"Cup","description":"","unit_price":18446744073709551615}"#;
    world.plant("product/CUP", old);
    world.plant("stock/CUP", br#"{"v":1,"on_hand":4}"#);

    let cup = products::get(&memory, "CUP").expect("readable").expect("there");
    assert_eq!((cup.category.as_str(), cup.unit_price), ("uncategorised", u64::MAX));
    assert_eq!(products::list(&memory, None, 5).expect("a page").items, [cup]);
    assert_eq!(world.value("product/CUP").as_deref(), Some(&old[..]), "reading changes nothing");

    let held = orders::reserve(&memory, &memory, "k", vec![item("CUP", 4)], 30).expect("held");
    assert!(world.value("stock/CUP").expect("stock").starts_with(br#"{"v":2,"#));
    orders::release(&memory, &held).expect("released");
    stock::count(&memory, world.now.get(), &[item("CUP", 9)]).expect("counted");
    products::put(&memory, vec![product("CUP", 3)]).expect("stored");
    assert!(world.value("product/CUP").expect("product").starts_with(br#"{"v":2,"#));
    assert_eq!(products::get(&memory, "CUP"), Ok(Some(product("CUP", 3))));
}

#[test]
fn what_cannot_be_read_is_damaged_and_is_left_alone() {
    let damaged = |answer: Result<(), Error>, key: &str| match answer {
        Err(Error::Damaged(text)) => assert!(text.starts_with(key), "{text}"),
        other => panic!("{other:?}"),
    };
    for bytes in [
        &b""[..],
        b"\xff",
        b"[]",
        b"{}",
        b"{\"v\":0}",
        b"{\"v\":1}",
        b"{\"v\":2}",
        b"{\"v\":3}",
        b"{\"v\":-1}",
        b"{\"v\":2,\"on_hand\":1.5,\"holds\":[]}",
        b"{\"v\":2,\"on_hand\":1,\"holds\":[{\"order\":\"x\",\"attempt\":1,\"quantity\":2,\"expires_at\":0}]}",
    ] {
        let world = World::new();
        let memory = world.memory();
        stocked(&world, &[item("CUP", 5)]);
        let order = format!("order/{}", id::of_key("k"));
        for key in ["product/CUP", "stock/CUP", &order] {
            world.plant(key, bytes);
        }
        damaged(products::get(&memory, "CUP").map(drop), "product/CUP: ");
        damaged(products::put(&memory, vec![product("CUP", 1)]), "product/CUP: ");
        damaged(stock::levels(&memory, 0, &["CUP".to_owned()]).map(drop), "stock/CUP: ");
        damaged(stock::count(&memory, 0, &[item("CUP", 1)]), "stock/CUP: ");
        damaged(orders::find(&memory, "k").map(drop), &order);
        match orders::reserve(&memory, &memory, "k", vec![item("CUP", 1)], 30) {
            Err(ReserveError::Storage(error)) => damaged(Err(error), &order),
            other => panic!("{other:?}"),
        }
        for key in ["product/CUP", "stock/CUP", &order] {
            assert_eq!(world.value(key).as_deref(), Some(bytes));
        }
    }
}

#[test]
fn an_order_that_cannot_be_read_does_not_stop_the_sale_of_its_products() {
    let world = World::new();
    let memory = world.memory();
    stocked(&world, &[item("CUP", 5)]);
    orders::reserve(&memory, &memory, "k", vec![item("CUP", 2)], 30).expect("held");
    world.plant(&format!("order/{}", id::of_key("k")), b"{");
    world.advance(60_000);
    orders::reserve(&memory, &memory, "other", vec![item("CUP", 3)], 30).expect("held");
    let too_many = orders::reserve(&memory, &memory, "third", vec![item("CUP", 1)], 30);
    assert!(matches!(too_many, Err(ReserveError::Short(_))), "nobody knows whether the 2 were sold");
}

#[test]
fn records_read_what_they_write() {
    let product = ProductRecord::new("n".into(), "d\n\"\u{1F375}".into(), "c".into(), u64::MAX);
    assert_eq!(ProductRecord::decode("k", &product.encode()), Ok(product));
    let stock = StockRecord::new(u64::MAX, Vec::new());
    assert_eq!(StockRecord::decode("k", &stock.encode()), Ok(stock));
    for state in [
        State::Open { expires_at: u64::MAX, items: vec![item("A", u32::MAX)] },
        State::Released {},
        State::Committed { placed_at: u64::MAX, content: draft("\u{0}", &[item("A", 1)]) },
    ] {
        let order = OrderRecord::new(u64::MAX, None, state);
        assert_eq!(OrderRecord::decode("k", &order.encode()), Ok(order));
    }
}
