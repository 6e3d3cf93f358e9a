//! Shops whose pricing rule means harm, behind a front that starts in no time.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

use crate::books::Bought;
use crate::http::{self, Answer, Request};
use crate::{compose, project};

/// The limits of the hostile shop, but for the one on time. Wide enough for an honest request on a slow machine.
pub const LIMITS: [&str; 14] = [
    "--max-cpu",
    "500ms",
    "--max-memory",
    "64MiB",
    "--max-host-handles",
    "200",
    "--max-guest-handles",
    "1000",
    "--max-open-files",
    "50",
    "--max-response",
    "1MiB",
    "--max-output",
    "4KiB",
];

/// Says when it is dropped that all is over: of a thread that panics the others learn by that, and not by waiting.
#[derive(Debug)]
pub struct OverAtEnd<'a>(pub &'a AtomicBool);

impl Drop for OverAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A way to mean harm, and what is to come of it: a row of `tests/hostile/kinds.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What it is, in words.
    pub kind: String,
    /// The pricing rule that does it.
    pub rule: String,
    /// The SKU for which it does.
    pub sku: String,
    /// The status that its client sees.
    pub status: u16,
    /// The kind under which the host logs it; none where it is not the host that ends it.
    pub logged: Option<String>,
    /// The part that is blamed. The rule, where it is not said.
    #[serde(default = "pricing")]
    pub part: String,
    /// The other side, where a value passed.
    pub other: Option<String>,
}

fn pricing() -> String {
    "pricing".to_owned()
}

/// All of them.
///
/// # Panics
/// When the file is not as it should be.
pub fn kinds() -> Vec<Kind> {
    let text = fs::read_to_string(project::path("tests/hostile/kinds.json")).expect("the kinds can be read");
    serde_json::from_str(&text).expect("the kinds are as they should be")
}

/// The component of a rule, of those that mean harm or of the shop's own.
///
/// # Panics
/// When it cannot be built.
pub fn rule(name: &str) -> PathBuf {
    match name {
        "hostile-reaching" => project::program("hostile-reaching"),
        "hostile-abi" => {
            let text = project::path("tests/hostile/abi.wat");
            let bytes = wat::parse_file(text).unwrap_or_else(|error| panic!("{error}"));
            let folder = project::path("target/e2e");
            fs::create_dir_all(&folder).expect("target/e2e can be made");
            let product = folder.join("hostile-abi.wasm");
            fs::write(&product, bytes).expect("the component can be written");
            product
        }
        "hostile-pricing" => project::fixture(name),
        _ => project::component(name),
    }
}

/// The shop with this rule behind this face, its storage exported for the back office.
///
/// # Panics
/// When it cannot be composed.
pub fn shop(face: &str, rule_name: &str) -> PathBuf {
    let face_file = match face {
        "hostile-front" => project::fixture(face),
        _ => project::component(face),
    };
    compose::compose(
        &format!("{face}-over-{rule_name}"),
        "package test:shop;\n\n\
         let storage = new parts:storage { ... };\n\
         let pricing = new parts:pricing { ... };\n\
         let orders = new parts:orders { ...storage, ...pricing };\n\
         let front = new parts:front { ...orders, ... };\n\n\
         export front[\"wasi:http/incoming-handler@0.2.12\"];\n\
         export storage...;\n",
        &[
            ("parts:storage", &project::component("storage")),
            ("parts:pricing", &rule(rule_name)),
            ("parts:orders", &project::component("orders")),
            ("parts:front", &face_file),
        ],
    )
}

/// Buys one unit through the small front.
///
/// # Errors
/// When there is no answer.
pub fn order(address: SocketAddr, key: &str, sku: &str) -> anyhow::Result<Answer> {
    let target = format!("/orders/{key}/{sku}/1");
    http::send(address, &Request { method: "POST", target: &target, headers: &[], body: b"" })
}

/// What the small front says of an order that was placed.
///
/// # Panics
/// When it says something else.
pub fn bought(sku: &str, answer: &Answer) -> Bought {
    let text = answer.text();
    let first = text.lines().next().and_then(|line| line.split_once(' '));
    let (order, total) = first.unwrap_or_else(|| panic!("an order has a line, and this is {text:?}"));
    let total = total.parse().unwrap_or_else(|_| panic!("{total:?} is no price"));
    Bought { sku: sku.to_owned(), order: order.to_owned(), total, text: text.clone() }
}
