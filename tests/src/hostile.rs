//! Shops whose pricing rule means harm, behind a front that starts in no time.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

use crate::books::Bought;
use crate::http::{self, Answer, Request};
use crate::shop::{self, Order, Receipt};
use crate::{compose, project};

/// Of these limits, the memory of an instance in bytes.
pub const MEMORY: u64 = 64 << 20;
/// Its open files.
pub const OPEN_FILES: usize = 50;
/// What a request may print, in bytes.
pub const OUTPUT: usize = 4 << 10;

/// The flags that set the limits of the hostile shop, but for the one on time.
pub fn limits() -> [String; 2] {
    ["--config".to_owned(), project::path("tests/hostile/host.toml").display().to_string()]
}

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
            let directory = project::path("target/e2e");
            fs::create_dir_all(&directory).expect("target/e2e can be made");
            let product = directory.join("hostile-abi.wasm");
            // Another process may do the same: what is there is always whole.
            let mut made = tempfile::NamedTempFile::new_in(&directory).expect("a file can be made");
            std::io::Write::write_all(&mut made, &bytes).expect("the component can be written");
            made.persist(&product).expect("it can be renamed");
            product
        }
        "hostile-pricing" => project::fixture(name),
        _ => project::component(name),
    }
}

/// What a shop is asked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// The small front.
    Front,
    /// The shop's own, in JavaScript.
    Storefront,
}

impl Face {
    /// The name of its component.
    fn name(self) -> &'static str {
        match self {
            Self::Front => "hostile-front",
            Self::Storefront => "storefront",
        }
    }

    fn component(self) -> PathBuf {
        match self {
            Self::Front => project::fixture(self.name()),
            Self::Storefront => project::component(self.name()),
        }
    }

    /// Buys one unit.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn place(self, address: SocketAddr, key: &str, sku: &str) -> anyhow::Result<Answer> {
        match self {
            Self::Front => {
                let target = format!("/orders/{key}/{sku}/1");
                http::send(address, &Request { method: "POST", target: &target, headers: &[], body: b"" })
            }
            Self::Storefront => shop::place(address, key, &Order::of("a customer", &[(sku, 1)])),
        }
    }

    /// Asks for the receipt of an order.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn read_again(self, address: SocketAddr, order: &str) -> anyhow::Result<Answer> {
        match self {
            Self::Front => shop::get(address, &format!("/orders/{order}")),
            Self::Storefront => shop::get(address, &format!("/api/orders/{order}")),
        }
    }

    /// What it says of an order that was placed.
    ///
    /// # Panics
    /// When it says something else.
    pub fn bought(self, sku: &str, answer: &Answer) -> Bought {
        let text = answer.text();
        let (order, total) = match self {
            Self::Front => {
                let first = text.lines().next().and_then(|line| line.split_once(' '));
                let (order, total) =
                    first.unwrap_or_else(|| panic!("an order has a line, and this is {text:?}"));
                (order.to_owned(), total.to_owned())
            }
            Self::Storefront => {
                let receipt: Receipt =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
                (receipt.order_id, receipt.quote.total)
            }
        };
        let total = total.parse().unwrap_or_else(|_| panic!("{total:?} is no price"));
        Bought { sku: sku.to_owned(), order, total, text }
    }

    /// The status with which it answers what the small front answers with this one.
    pub fn status(self, front: u16) -> u16 {
        match (self, front) {
            // An answer of the rule's that the shop does not accept.
            (Self::Storefront, 422) => 502,
            (_, other) => other,
        }
    }

    /// The shop with this rule behind this face, its storage exported for the back office.
    ///
    /// # Panics
    /// When it cannot be composed.
    pub fn shop(self, rule_name: &str) -> PathBuf {
        compose::compose(
            &format!("{}-over-{rule_name}", self.name()),
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
                ("parts:front", &self.component()),
            ],
        )
    }
}
