//! What is for sale.

use crate::support::{Call, Fake, invalid};
use orders::catalog::{get, list};
use orders::ports::StorageError;
use orders::types::Error;

#[test]
fn products_come_with_what_can_be_bought() {
    let fake = Fake::shop(&[("A", 5), ("B", 7)]);
    let page = list(&fake, Some("0"), 2).expect("a page");
    let offers: Vec<_> =
        page.items.iter().map(|offer| (offer.product.sku.as_str(), offer.available)).collect();
    assert_eq!((&offers[..], page.next.as_deref()), (&[("A", 1), ("B", 2)][..], Some("next")));
    let asked =
        [Call::Products(Some("0".to_owned()), 2), Call::Available(vec!["A".to_owned(), "B".to_owned()])];
    assert_eq!(fake.calls.take(), asked);
    assert_eq!(get(&fake, "B").map(|offer| (offer.product.unit_price, offer.available)), Ok((7, 1)));
    assert_eq!(get(&fake, "C"), Err(Error::UnknownProduct("C".to_owned())));
}

#[test]
fn levels_are_not_asked_for_nothing() {
    let fake = Fake::shop(&[]);
    assert!(list(&fake, None, 250).expect("a page").items.is_empty());
    assert_eq!(fake.calls.take(), [Call::Products(None, 250)]);
}

#[test]
fn arguments_are_checked_in_order() {
    let fake = Fake::shop(&[]);
    let sku = "a SKU is 1 to 64 characters from A-Z, a-z, 0-9, '-', '_' and '.'";
    assert_eq!(list(&fake, Some(""), 0), invalid("a limit is 1 to 250, not 0"));
    assert_eq!(list(&fake, None, 251), invalid("a limit is 1 to 250, not 251"));
    assert_eq!(list(&fake, Some("a b"), 1), invalid(&format!("after: {sku}")));
    assert_eq!(get(&fake, "a/b"), invalid(sku));
    assert!(fake.calls.take().is_empty());
}

#[test]
fn a_storage_that_miscounts_or_fails_is_unavailable() {
    let fake = Fake::shop(&[("A", 5), ("B", 7)]);
    *fake.levels.borrow_mut() = Some(vec![1]);
    let miscounted = Error::Unavailable("storage answered 1 levels for 2 products".to_owned());
    assert_eq!(list(&fake, None, 2), Err(miscounted));
    *fake.reads_fail.borrow_mut() = Some(StorageError::Contended);
    assert_eq!(list(&fake, None, 2), Err(Error::Busy));
    assert_eq!(get(&fake, "A"), Err(Error::Busy));
}
