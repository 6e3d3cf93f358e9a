//! Which toolchains make components that answer a thousand requests in one instance: parts of each are served with
//! `--reuse 1000`, asked a thousand times over, and answer as fresh instances do. What comes out is the
//! table in `docs/serving.md`.

use std::path::PathBuf;

use e2e::catalogue::{self, Product};
use e2e::compose::compose;
use e2e::http::{self, Request};
use e2e::process::Host;
use e2e::project;
use e2e::shop::{self, Order};
use serde_json::Value;
use tempfile::TempDir;

const REQUESTS: usize = 1_000;

/// Goods of several prices, and more of them than are sold.
const GOODS: [(&str, u64); 5] = [("A", 250), ("B", 1_999), ("C", 7), ("D", 100_000), ("E", 42)];

/// A composition of which the parts that are looked at come from one toolchain. Storage is always the one in Rust.
struct Row {
    toolchain: &'static str,
    front: &'static str,
    orders: &'static str,
    pricing: &'static str,
    /// MiB that the memories of all parts together grow by at most.
    growth: usize,
}

const ROWS: [Row; 4] = [
    Row { toolchain: "Rust", front: "hostile-front", orders: "orders", pricing: "pricing-rust", growth: 1 },
    Row { toolchain: "Zig", front: "hostile-front", orders: "orders", pricing: "pricing-zig", growth: 1 },
    Row {
        toolchain: "Python",
        front: "hostile-front",
        orders: "orders-python",
        pricing: "pricing-python",
        growth: 8,
    },
    Row { toolchain: "JavaScript", front: "storefront", orders: "orders", pricing: "pricing-js", growth: 48 },
];

impl Row {
    fn composition(&self) -> PathBuf {
        let front = match self.front {
            "hostile-front" => project::fixture(self.front),
            shipped => project::component(shipped),
        };
        compose(
            &format!("reuse-{}", self.toolchain.to_lowercase()),
            "package test:reuse;\n\n\
             let storage = new parts:storage { ... };\n\
             let pricing = new parts:pricing {};\n\
             let orders = new parts:orders { ...storage, ...pricing };\n\
             let front = new parts:front { ...orders, ... };\n\n\
             export front[\"wasi:http/incoming-handler@0.2.12\"];\n\
             export storage...;\n",
            &[
                ("parts:storage", &project::component("storage")),
                ("parts:pricing", &project::component(self.pricing)),
                ("parts:orders", &project::component(self.orders)),
                ("parts:front", &front),
            ],
        )
    }

    /// As in the documentation.
    fn told(&self) -> String {
        let Self { toolchain, front, orders, pricing, growth } = self;
        let front = if *front == "storefront" { "`storefront`, " } else { "" };
        let orders = if self.toolchain == "JavaScript" { String::new() } else { format!("`{orders}`, ") };
        format!("| {toolchain} | {front}{orders}`{pricing}` | all 1,000 | at most {growth} MiB |")
    }
}

/// A shop with a store of its own, one instance at a time.
struct Stand {
    directory: TempDir,
    host: Host,
}

impl Stand {
    fn open(row: &Row, reuse: usize) -> Self {
        // In memory where there is such a place: every order waits for the disk several times.
        let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let component = row.composition();
        let granted = catalogue::kept_in(directory.path());
        let goods: Vec<Product> =
            GOODS.iter().map(|(sku, price)| Product::plain(sku, *price, 1_000_000)).collect();
        catalogue::load(&component, &granted, &goods).unwrap();
        let reuse = ["--max-concurrency", "1", "--reuse", &reuse.to_string()].map(str::to_owned);
        let flags = [&granted[..], &reuse].concat();
        let log = directory.path().join("host.log");
        let debug = [("RUST_LOG", "warn,host_runner=debug")];
        let host = Host::start_with(&component, "127.0.0.1:0", &flags, &log, &debug).unwrap();
        Self { directory, host }
    }

    /// Places an order or reads the last one again, and gives what does not differ from shop to shop.
    fn ask(&self, row: &Row, number: usize, last: &mut String) -> (u16, String) {
        let (sku, quantity) = (GOODS[number % GOODS.len()].0, 1 + number % 30);
        let address = self.host.address();
        if row.front == "storefront" {
            return match number % 5 {
                0 => plain(shop::get(address, "/")),
                1 => plain(shop::get(address, &format!("/products/{sku}"))),
                2 => plain(shop::get(address, "/no/such/page")),
                _ => {
                    let order = Order::of("Ada", &[(sku, quantity as u32)]);
                    let answer = shop::place(address, &format!("key-{number}"), &order).unwrap();
                    let mut receipt = answer.json().unwrap();
                    for own in ["orderId", "placedAt"] {
                        receipt[own] = Value::Null;
                    }
                    (answer.status, receipt.to_string())
                }
            };
        }
        let (method, target) = match number % 2 {
            0 => ("POST", format!("/orders/key-{number}/{sku}/{quantity}")),
            _ => ("GET", format!("/orders/{last}")),
        };
        let request = Request { method, target: &target, headers: &[], body: b"" };
        let (status, text) = plain(http::send(address, &request));
        // The order's name is another in each shop.
        let (order, rest) = text.split_once(' ').unwrap_or_else(|| panic!("{status} {text}"));
        last.clear();
        last.push_str(order);
        (status, rest.to_owned())
    }

    /// Its log, after its end.
    fn close(self) -> String {
        self.host.stop().unwrap();
        std::fs::read_to_string(self.directory.path().join("host.log")).unwrap()
    }
}

fn plain(answer: anyhow::Result<http::Answer>) -> (u16, String) {
    let answer = answer.unwrap();
    (answer.status, answer.text())
}

/// The value of a field of a line of the log.
fn field(line: &str, name: &str) -> usize {
    let value = line.split(&format!(" {name}=")).nth(1).and_then(|rest| rest.split(' ').next());
    value.and_then(|value| value.trim().parse().ok()).unwrap_or_else(|| panic!("{line} has no {name}"))
}

fn survives(row: &Row) {
    let (used, fresh) = (Stand::open(row, REQUESTS), Stand::open(row, 1));
    let (mut last, mut last_fresh) = (String::new(), String::new());
    for number in 0..REQUESTS {
        let answer = used.ask(row, number, &mut last);
        assert!(answer.0 < 300 || (answer.0 == 404 && number % 5 == 2), "{number}: {answer:?}");
        // Ten of every hundred: a fresh instance takes its time.
        if number % 100 < 10 {
            let expected = fresh.ask(row, number, &mut last_fresh);
            assert_eq!(answer, expected, "{}: request {number} of its instance", row.toolchain);
        }
    }
    assert!(!fresh.close().contains("an instance ended"));
    let log = used.close();
    let ends: Vec<&str> = log.lines().filter(|line| line.contains("an instance ended")).collect();
    let [end] = &*ends else { panic!("{}: {ends:#?}", row.toolchain) };
    assert_eq!(field(end, "requests"), REQUESTS, "{end}");
    let grown = field(end, "grown").div_ceil(1 << 20);
    println!("{}: {end}", row.toolchain);
    assert!(grown <= row.growth, "{}: it grew by {grown} MiB: {end}", row.toolchain);
}

#[test]
fn rust_survives() {
    survives(&ROWS[0]);
}

#[test]
fn zig_survives() {
    survives(&ROWS[1]);
}

#[test]
fn python_survives() {
    survives(&ROWS[2]);
}

#[test]
fn javascript_survives() {
    survives(&ROWS[3]);
}

#[test]
fn the_documentation_says_which_toolchains_survive() {
    let page = std::fs::read_to_string(project::path("docs/serving.md")).unwrap();
    let start = page.find("| toolchain | parts |").expect("the table is there");
    let shown: Vec<&str> = page[start..].lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let told: Vec<String> = ROWS.iter().map(Row::told).collect();
    assert_eq!(shown, told);
}
