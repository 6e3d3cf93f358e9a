//! The shop's pricing is swapped a thousand times while customers buy: no request fails, nothing leaks, and the books are
//! right.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use e2e::books::{self, Bought};
use e2e::catalogue::{self, Product};
use e2e::hostile::{Face, OverAtEnd};
use e2e::process::Usage;
use e2e::shop;
use e2e::swap::{Swap, Swapped};
use tempfile::TempDir;

const SWAPS: usize = 1_000;
/// After so many, the host has whatever it keeps from one swap to the next.
const SETTLED: usize = 300;
const CUSTOMERS: usize = 2;
const PRICE: u64 = 1_000;
const STOCK: u32 = 1_000_000;
/// What the allocator may hold on to between swaps.
const SPARE: u64 = 48 << 20;
/// How long what was swapped out last may take to go, when nobody asks it any more.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_thousand_swaps_lose_no_request_and_leak_nothing() {
    let shops = ["pricing-zig", "pricing-rust"].map(|rule| Face::Front.shop(rule));
    let directory = TempDir::new().unwrap();
    let granted = catalogue::kept_in(directory.path());
    let skus: Vec<String> = (0..CUSTOMERS).map(|customer| format!("SKU-{customer}")).collect();
    let products: Vec<Product> = skus.iter().map(|sku| Product::plain(sku, PRICE, STOCK)).collect();
    catalogue::load(&shops[0], &granted, &products).unwrap();
    let admin = ["--admin".to_owned(), "127.0.0.1:0".to_owned()];
    let mut host = Swapped::start(&shops[0], &[&granted[..], &admin].concat(), directory.path()).unwrap();
    let address = host.address();

    let (over, bought) = (AtomicBool::new(false), Mutex::new(Vec::<Bought>::new()));
    let (settled, last) = thread::scope(|scope| {
        let _over = OverAtEnd(&over);
        for sku in &skus {
            let (over, bought) = (&over, &bought);
            scope.spawn(move || {
                let _over = OverAtEnd(over);
                for number in 0.. {
                    let answer = Face::Front.place(address, &format!("{sku}-{number}"), sku).unwrap();
                    assert_eq!(answer.status, 201, "{}", answer.text());
                    bought.lock().unwrap().push(Face::Front.bought(sku, &answer));
                    if over.load(Ordering::Acquire) {
                        break;
                    }
                }
            });
        }
        let mut usage: Vec<Option<Usage>> = Vec::new();
        for number in 1..=SWAPS {
            while host.swap(&shops[number % 2]).unwrap() == Swap::Busy {}
            assert!(!over.load(Ordering::Acquire), "a customer has failed");
            if number == SETTLED || number == SWAPS {
                usage.push(host.usage());
            }
        }
        (usage[0], usage[1])
    });

    let log = host.log();
    assert!(!log.contains("a guest failed"), "{log}");
    if let (Some(settled), Some(last)) = (settled, last) {
        assert!(last.resident <= settled.resident + SPARE, "{settled:?}, and in the end {last:?}");
        // Four compositions may be on their way out, with a thread each.
        assert!(last.threads <= settled.threads + 5, "{settled:?}, and in the end {last:?}");
        assert!(
            last.open_files <= settled.open_files + 3 * CUSTOMERS,
            "{settled:?}, and in the end {last:?}"
        );
    }
    let told = log.lines().find_map(|line| line.split_once("admin on http://")).expect("it is logged");
    let admin = told.1.trim().parse().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while compositions(admin) != 1.0 {
        assert!(Instant::now() < deadline, "{} compositions stay loaded", compositions(admin));
        thread::sleep(Duration::from_millis(10));
    }
    host.stop().unwrap();
    let bought = bought.into_inner().unwrap();
    assert!(bought.len() > SWAPS / 10, "{} orders are no load", bought.len());
    assert!(bought.iter().all(|one| one.total == PRICE));
    books::audit(&shops[0], &granted, STOCK.into(), &skus, &bought).unwrap();
}

/// How many compositions the host says that it has loaded.
fn compositions(admin: SocketAddr) -> f64 {
    let metrics = shop::get(admin, "/metrics").unwrap().text();
    let value = metrics.lines().find_map(|line| line.strip_prefix("host_runner_compositions "));
    value.unwrap_or_else(|| panic!("they are not counted: {metrics}")).parse().unwrap()
}
