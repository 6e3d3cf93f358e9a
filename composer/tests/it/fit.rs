//! Whether components fit worlds, and what is said where they do not.

use crate::common::{answers, component, doubles};
use check::Mismatch;
use check::fit::{FitError, check};
use contract::Contracts;

const WIT: &str = "
package example:worlds@1.0.0;
interface numbers { next: func() -> u32; }
world source { export answer: func() -> u32; }
world doubler { import answer: func() -> u32; export doubled: func() -> u32; }
world words { export answer: func() -> string; }
world asker { import numbers; }
";

fn contracts() -> Contracts {
    Contracts::parse("worlds.wit", WIT).expect("the test's own WIT parses")
}

fn misfits(component: &[u8], world: &str) -> Vec<String> {
    match check(component, &contracts(), world) {
        Err(FitError::Misfit { mismatches, .. }) => mismatches.iter().map(Mismatch::to_string).collect(),
        other => panic!("expected misfits, found {other:?}"),
    }
}

#[test]
fn what_fits_fits() {
    check(&answers(1), &contracts(), "source").expect("it fits");
    check(&doubles(), &contracts(), "example:worlds/doubler@1.0.0").expect("it fits");
}

#[test]
fn all_misfits_are_named() {
    assert_eq!(
        misfits(&doubles(), "source"),
        [
            "missing-function: answer: it imports the function `answer`, which the world does not",
            "missing-function: answer: it does not export the function `answer`, which the world demands"
        ]
    );
    assert_eq!(
        misfits(&answers(1), "words"),
        ["type-shape: answer > result: `string` is wanted, `u32` is offered"]
    );
}

#[test]
fn another_version_is_named() {
    let wants = component(
        r#"(component (import "example:worlds/numbers@2.0.0" (instance (export "next" (func (result u32))))))"#,
    );
    assert_eq!(
        misfits(&wants, "asker"),
        [
            "version-incompatible: example:worlds/numbers@2.0.0: the interface `example:worlds/numbers@2.0.0` is not \
          offered, but in another version: `example:worlds/numbers@1.0.0`"
        ]
    );
}

#[test]
fn an_unknown_world_and_an_invalid_component_are_told_apart() {
    assert!(matches!(check(&answers(1), &contracts(), "none"), Err(FitError::World(_))));
    let bytes = component(r#"(component (core module (func (result i32))))"#);
    assert!(matches!(check(&bytes, &contracts(), "source"), Err(FitError::Invalid(_))));
    assert!(matches!(check(b"(component)", &contracts(), "source"), Err(FitError::Read(_))));
}
