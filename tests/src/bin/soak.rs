//! `just soak`: mixed load on the whole shop, whose pricing is swapped all the while, for honest rules and for some that
//! mean harm; in the middle the host is killed; in the end every order, every cent and every unit of stock is looked at.
//!
//! It fails where an honest request does, where the host does not come back or needs more and more memory, where the books
//! are wrong, or where one of all this did not happen: no swap, no harm, no order before the kill or after it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use clap::builder::RangedU64ValueParser;
use e2e::books::{self, Bought};
use e2e::catalogue::{self, Product};
use e2e::hostile::{self, Face, Kind, OverAtEnd};
use e2e::http::Answer;
use e2e::process::Host;
use e2e::shop::{self, Order};
use e2e::swap::{Swap, Swapped};
use tempfile::TempDir;

/// The rules that price in turn.
const RULES: [&str; 5] = ["pricing-zig", "hostile-pricing", "pricing-rust", "hostile-zig", "hostile-js"];
/// The whole shop, with its pages in JavaScript.
const FACE: Face = Face::Storefront;
const PRICE: u64 = 1_000;
/// Units of each product: as many as the shop keeps.
const STOCK: u32 = 1_000_000;
/// Products that a customer buys in turn, so that none is sold out in a day.
const PRODUCTS: usize = 30;
/// How long a request may take: honest ones do not, on however busy a machine.
const TIME: &str = "60s";
/// What is said of the host and its customers while it runs.
const NEWS: Duration = Duration::from_secs(30);
/// How long a request is sent again after the host was killed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Puts mixed load on a shop, swaps its pricing, kills its host, and looks at the books.
#[derive(Parser)]
struct Soak {
    /// How long: 90s, 2m or 8h.
    #[arg(long = "for", value_name = "TIME", default_value = "2m", value_parser = time)]
    time: Duration,

    /// Customers who look around, ask for quotes, buy and read their receipts, again and again.
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    customers: usize,

    /// Customers who ask for what makes the hostile rules do harm.
    #[arg(long, default_value_t = 2)]
    hostile: usize,
}

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a time; write for example 90s, 2m or 8h");
    let units = [("s", 1), ("m", 60), ("h", 3_600)];
    let found = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (digits, seconds) = found.ok_or_else(wrong)?;
    Ok(Duration::from_secs(digits.parse::<u64>().map_err(|_| wrong())? * seconds))
}

fn main() -> ExitCode {
    match Soak::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the soak failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What all customers share.
#[derive(Default)]
struct Market {
    over: AtomicBool,
    /// How often the host was killed or had come back: odd while it is down.
    turns: AtomicUsize,
    bought: Mutex<Vec<Bought>>,
    /// How long honest orders took, those that met the killing aside.
    took: Mutex<Vec<Duration>>,
    /// Honest orders that were answered, and honest requests for pages, quotes and receipts.
    placed: AtomicUsize,
    looked: AtomicUsize,
    harm: AtomicUsize,
    again: AtomicUsize,
    wrong: Mutex<Option<anyhow::Error>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Market {
    /// Asks until the shop has answered: the host may be killed meanwhile. Whether it was, is told too.
    fn ask(&self, what: &str, request: impl Fn() -> Result<Answer>) -> Result<(Answer, bool)> {
        let began = Instant::now();
        let mut again = false;
        loop {
            let before = self.turns.load(Ordering::Acquire);
            match request() {
                Ok(answer) => return Ok((answer, again)),
                // It was killed before, or while the request was on its way, and may have come back since.
                Err(_) if before % 2 == 1 || self.turns.load(Ordering::Acquire) != before => {}
                Err(error) => return Err(error.context(format!("{what} got no answer"))),
            }
            ensure!(began.elapsed() < PATIENCE, "{what} got no answer within {PATIENCE:?}");
            again = true;
            self.again.fetch_add(1, Ordering::Relaxed);
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks for what every customer is to get, and gives its text.
    fn look(&self, what: &str, request: impl Fn() -> Result<Answer>) -> Result<String> {
        let (answer, _) = self.ask(what, request)?;
        ensure!(answer.status == 200, "{what} got {}: {}", answer.status, answer.text());
        self.looked.fetch_add(1, Ordering::Relaxed);
        Ok(answer.text())
    }

    /// A customer looks at the shop and at a product, asks what it costs, buys it, and reads the receipt.
    fn visit(&self, address: SocketAddr, key: &str, sku: &str) -> Result<()> {
        let page = self.look("the page of the shop", || shop::get(address, "/"))?;
        ensure!(page.ends_with("</html>\n"), "a page is not whole: {page}");
        let product = self.look("a product", || shop::get(address, &format!("/products/{sku}")))?;
        ensure!(product.contains(sku), "the page of {sku} is of something else: {product}");
        let cart = serde_json::to_vec(&Order::of("a customer", &[(sku, 1)]))?;
        let quote = self.look("a quote", || shop::post(address, "/api/quotes", &[], &cart))?;
        ensure!(quote.contains(&format!("\"total\":\"{PRICE}\"")), "an honest quote is {quote}");

        let began = Instant::now();
        let (answer, again) = self.ask(key, || FACE.place(address, key, sku))?;
        ensure!(answer.status == 201, "an honest order got {}: {}", answer.status, answer.text());
        let bought = FACE.bought(sku, &answer);
        ensure!(bought.total == PRICE, "an honest order cost {}", bought.total);
        if !again {
            locked(&self.took).push(began.elapsed());
        }
        let receipt = self.look("a receipt", || FACE.read_again(address, &bought.order))?;
        ensure!(receipt == bought.text, "the receipt was\n{}\nand is\n{receipt}", bought.text);
        locked(&self.bought).push(bought);
        self.placed.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    fn honest(&self, address: SocketAddr, skus: &[String]) -> Result<()> {
        for (number, sku) in skus.iter().cycle().enumerate() {
            self.visit(address, &format!("{sku}-{number}"), sku)?;
            if self.over.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(())
    }

    /// What comes of it depends on the rule that prices at the moment: a hostile one that knows it does its harm, to the
    /// others it is a product like any other, for the price of any other.
    fn harmful(&self, address: SocketAddr, client: usize, kinds: &[Kind]) -> Result<()> {
        for (number, kind) in kinds.iter().cycle().enumerate() {
            let key = format!("harm-{client}-{number}");
            let (answer, _) = self.ask(&key, || FACE.place(address, &key, &kind.sku))?;
            let expected = FACE.status(kind.status);
            match answer.status {
                201 => {
                    let bought = FACE.bought(&kind.sku, &answer);
                    ensure!(bought.total == PRICE, "an order of {} cost {}", kind.sku, bought.total);
                    locked(&self.bought).push(bought);
                }
                status if status == expected => drop(self.harm.fetch_add(1, Ordering::Relaxed)),
                status => {
                    bail!("{} was answered {status}, and not {expected}: {}", kind.kind, answer.text())
                }
            }
            if self.over.load(Ordering::Acquire) {
                break;
            }
        }
        Ok(())
    }

    /// Keeps the first thing that went wrong, and ends the rest.
    fn ended(&self, outcome: Result<()>) {
        if let Err(error) = outcome {
            locked(&self.wrong).get_or_insert(error);
            self.over.store(true, Ordering::Release);
        }
    }
}

/// What was done to the host.
#[derive(Default)]
struct Done {
    swaps: usize,
    busy: usize,
    down: Duration,
    /// Honest orders until the host was killed, and until it was back.
    placed: (usize, usize),
    /// The most memory that the host ever had when every rule had priced since it was back, in bytes.
    memory: Option<u64>,
}

/// What makes the hostile rules do harm within a short time. A product has one status by which its harm is known, whichever
/// of them prices.
fn kinds() -> Result<Vec<Kind>> {
    let mut found: BTreeMap<String, Kind> = BTreeMap::new();
    for kind in hostile::kinds() {
        if !RULES.contains(&kind.rule.as_str()) || kind.logged.as_deref() == Some("limit-time") {
            continue;
        }
        let status = kind.status;
        if let Some(other) = found.insert(kind.sku.clone(), kind) {
            ensure!(other.status == status, "{} is answered {} and {status}", other.sku, other.status);
        }
    }
    Ok(found.into_values().collect())
}

impl Soak {
    fn run(&self) -> Result<()> {
        let shops = RULES.map(|rule| FACE.shop(rule));
        let kinds = kinds()?;
        let honest: Vec<String> = (0..self.customers * PRODUCTS).map(|sku| format!("HONEST-{sku}")).collect();
        let skus: Vec<String> = kinds.iter().map(|kind| kind.sku.clone()).chain(honest.clone()).collect();
        let products: Vec<Product> = skus.iter().map(|sku| Product::plain(sku, PRICE, STOCK)).collect();

        let directory = TempDir::new()?;
        let granted = catalogue::kept_in(directory.path());
        catalogue::load(&shops[0], &granted, &products)?;
        // Some of the rules ask for a clock, and the others for nothing.
        let more = ["--max-time", TIME, "--swap-asking-more"].map(str::to_owned);
        let arguments = [&granted[..], &hostile::limits(), &more].concat();
        // Compiled before the clock runs: what is measured is not the compiler.
        for shop in &shops {
            Host::start(shop, "127.0.0.1:0", &arguments, &directory.path().join("compiled.log"))?.stop()?;
        }
        let mut host = Swapped::start(&shops[0], &arguments, directory.path())?;
        let address = host.address();

        let market = Market::default();
        let mut done = Done::default();
        thread::scope(|scope| {
            let _over = OverAtEnd(&market.over);
            for skus in honest.chunks(PRODUCTS) {
                let market = &market;
                scope.spawn(move || {
                    let _over = OverAtEnd(&market.over);
                    market.ended(market.honest(address, skus));
                });
            }
            for client in 0..self.hostile {
                let (market, kinds) = (&market, &kinds);
                scope.spawn(move || {
                    let _over = OverAtEnd(&market.over);
                    market.ended(market.harmful(address, client, kinds));
                });
            }
            let outcome = self.disturb(&mut host, &shops, &market, &mut done);
            market.ended(outcome);
        });
        if let Some(error) = locked(&market.wrong).take() {
            return Err(error.context(format!("the host's log:\n{}", tail(&host.log()))));
        }
        let usage = host.usage();
        host.stop()?;
        let placed = market.placed.into_inner();
        let harm = market.harm.into_inner();
        let (until_killed, until_back) = done.placed;
        ensure!(done.swaps >= RULES.len(), "{} swaps: not every rule has priced", done.swaps);
        ensure!(self.hostile == 0 || harm > 0, "no request did what a hostile rule does");
        ensure!(until_killed > 0, "nothing was bought before the kill");
        ensure!(placed > until_back, "nothing was bought after the kill");
        if let Some(usage) = usage {
            let before =
                done.memory.context("too few swaps since the kill to tell whether memory is bounded")?;
            // What leaks less than all clients together may have is not seen.
            let most = before + (self.customers + self.hostile) as u64 * hostile::MEMORY;
            ensure!(
                usage.peak <= most,
                "{} MiB of memory, after {} when every rule had priced",
                usage.peak >> 20,
                before >> 20
            );
        }

        let bought = market.bought.into_inner().unwrap_or_else(PoisonError::into_inner);
        books::audit(&shops[0], &granted, STOCK.into(), &skus, &bought)?;
        let mut took = market.took.into_inner().unwrap_or_else(PoisonError::into_inner);
        took.sort_unstable();
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied().unwrap_or_default();
        println!("customers  {} honest, {} hostile", self.customers, self.hostile);
        println!(
            "requests   {} for pages, quotes and receipts, {placed} for orders",
            market.looked.into_inner()
        );
        println!("harm       {harm} requests did what a hostile rule does");
        println!("swaps      {}, and {} put off while older components finished", done.swaps, done.busy);
        println!(
            "kill -9    once; back after {:.1?}, {} requests sent again",
            done.down,
            market.again.into_inner()
        );
        println!("latency    of honest orders: median {:.1?}, p99 {:.1?}", at(0.5), at(0.99));
        if let Some(usage) = usage {
            println!("memory     {} MiB at the most since the kill", usage.peak >> 20);
        }
        let cents: u64 = bought.iter().map(|one| one.total).sum();
        println!("books      right: {} orders, {cents} cents, {} products", bought.len(), skus.len());
        Ok(())
    }

    /// Swaps all the time, and kills the host once.
    fn disturb(&self, host: &mut Swapped, shops: &[PathBuf], market: &Market, done: &mut Done) -> Result<()> {
        let began = Instant::now();
        let (mut next_news, mut killed, mut swaps_to_kill) = (NEWS, false, 0);
        for shop in shops.iter().cycle().skip(1) {
            if began.elapsed() >= self.time || market.over.load(Ordering::Acquire) {
                break;
            }
            match host.swap(shop)? {
                Swap::Done => done.swaps += 1,
                Swap::Busy => done.busy += 1,
            }
            // A component that takes over has its time on stage.
            thread::sleep(Duration::from_millis(100));
            if !killed && began.elapsed() >= self.time / 2 {
                killed = true;
                let at = Instant::now();
                let until_killed = market.placed.load(Ordering::Acquire);
                market.turns.fetch_add(1, Ordering::AcqRel);
                host.kill_and_revive()?;
                market.turns.fetch_add(1, Ordering::AcqRel);
                done.placed = (until_killed, market.placed.load(Ordering::Acquire));
                done.down = at.elapsed();
                swaps_to_kill = done.swaps;
            }
            if killed && done.memory.is_none() && done.swaps >= swaps_to_kill + RULES.len() {
                done.memory = host.usage().map(|usage| usage.peak);
            }
            if began.elapsed() >= next_news {
                next_news += NEWS;
                let orders = locked(&market.bought).len();
                eprintln!("soak: {:.0?}: {orders} orders, {} swaps", began.elapsed(), done.swaps);
            }
        }
        ensure!(killed || market.over.load(Ordering::Acquire), "the time was too short to kill the host");
        Ok(())
    }
}

/// The end of a log.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
