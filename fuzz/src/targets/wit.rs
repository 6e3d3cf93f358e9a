//! Contracts that others wrote.

use composer::bindgen;
use composer::manifest::Language;
use composer::scaffold::{self, scaffold};
use contract::Contracts;
use contract::shape::Shape;

use super::said;

const LANGUAGES: [Language; 5] =
    [Language::Rust, Language::Zig, Language::C, Language::Python, Language::JavaScript];

pub(crate) fn wit(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let contracts = match Contracts::parse("text.wit", text) {
        Ok(contracts) => contracts,
        Err(error) => {
            let _ = format!("{error:#}");
            return;
        }
    };
    let _ = contracts.package(&contracts.main_name(), None).map_err(|error| said(&error));
    for world in contracts.worlds().iter().take(3) {
        let id = contracts.world(world).expect("a world that is listed is there");
        assert_eq!(&contracts.world_name(id), world);
        match Shape::of_world(&contracts, id) {
            Ok(shape) => {
                let itself = check::Part { name: "it", shape: &shape };
                if let Ok(report) = check::world(itself, itself) {
                    assert!(report.fits(), "a world does not fit itself: {:?}", report.mismatches);
                }
            }
            Err(error) => {
                said(&error);
            }
        }
        if let Err(error) = bindgen::c(&contracts, world) {
            said(&error);
        }
        for language in LANGUAGES {
            let part = scaffold::Part { name: "it", language, world, wit: "../wit", cargo: None };
            if let Err(error) = scaffold(&contracts, &part) {
                said(&error);
            }
        }
    }
}
