//! `just demo`: the whole way, with the real commands: build, compose, load, sell, refuse, retry, restart.
//!
//! It proves what it shows. Where the five shops disagree about the price, a unit is sold twice or an order is lost,
//! it says so and ends with an exit code that is not 0.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use e2e::catalogue::{self, Product};
use e2e::process::{self, Host};
use e2e::project;
use e2e::shop::{self, Order, Quote, Receipt};

/// A composition, and how its column is headed: who prices, and who decides.
const SHOPS: [(&str, &str, &str); 5] = [
    ("shop-rust", "Rust", "Rust"),
    ("shop-zig", "Zig", "Rust"),
    ("shop-python", "Python", "Rust"),
    ("shop-js", "JavaScript", "Rust"),
    ("shop-polyglot", "Zig", "Python"),
];

/// Touches every rule: 12 %, 7 % and 3 % for quantity, one line without, a gold customer, and the cap on it all.
const CART: [(&str, u32); 4] = [("FAST-0048", 400), ("FAST-0060", 60), ("OFFC-0027", 12), ("ELEC-0003", 1)];

/// There are three of these.
const RARE: (&str, u32) = ("MACH-0018", 4);

/// And more than enough of these, after the first order too.
const PLENTY: (&str, u32) = ("FAST-0060", 10);

const CUSTOMER: &str = "Demo & Daughters";

fn main() -> ExitCode {
    match demo() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.chain().any(is_broken_pipe) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Where the demo writes, and whether headings may be bold there.
struct Page {
    out: io::Stdout,
    bold: bool,
    step: u32,
}

impl Page {
    fn new() -> Self {
        let out = io::stdout();
        let bold = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { out, bold, step: 0 }
    }

    fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        writeln!(self.out, "{}", text.as_ref())?;
        Ok(())
    }

    fn heading(&mut self, text: &str) -> Result<()> {
        self.step += 1;
        let text = format!("{}. {text}", self.step);
        if self.bold { self.line(format!("\n\x1b[1m{text}\x1b[0m")) } else { self.line(format!("\n{text}")) }
    }

    /// A command line, as its reader would type it.
    fn command(&mut self, text: &str) -> Result<()> {
        self.line(format!("   $ {text}"))
    }
}

/// A shop with its own store.
struct Stand {
    file: PathBuf,
    store: PathBuf,
    log: PathBuf,
    cache: PathBuf,
}

impl Stand {
    fn grants(&self) -> Vec<OsString> {
        let mut keyvalue = OsString::from("redb:");
        keyvalue.push(&self.store);
        vec!["--keyvalue".into(), keyvalue, "--cache".into(), self.cache.clone().into()]
    }

    fn open(&self) -> Result<Host> {
        Host::start(&self.file, "127.0.0.1:0", &self.grants(), &self.log)
    }
}

fn demo() -> Result<()> {
    let began = Instant::now();
    let mut page = Page::new();
    let directory = project::path("target/demo");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;

    page.heading("Build eight components in four languages, and compose them into five shops")?;
    page.command("composer build")?;
    let status =
        Command::new(project::command("composer")).arg("build").current_dir(project::root()).status()?;
    ensure!(status.success(), "composer build failed: see above");

    let products = catalogue::read(&project::path("tests/data/catalogue.csv"))?;
    let stands: Vec<Stand> = SHOPS
        .iter()
        .map(|(name, ..)| Stand {
            file: project::path(&format!("target/compositions/{name}.wasm")),
            store: directory.join(format!("{name}.redb")),
            log: directory.join(format!("{name}.log")),
            cache: project::path("target/cache"),
        })
        .collect();

    page.heading(&format!(
        "Load {} products from tests/data/catalogue.csv through each shop's own exports",
        products.len()
    ))?;
    page.command("host-runner call shop-zig.wasm --keyvalue redb:shop-zig.redb - < put.wave")?;
    for (stand, (name, pricing, logic)) in stands.iter().zip(SHOPS) {
        let start = Instant::now();
        catalogue::load(&stand.file, &stand.grants(), &products)?;
        page.line(format!(
            "   {name:<14} pricing in {pricing:<11} logic in {logic:<7} loaded in {:.1} s",
            start.elapsed().as_secs_f64()
        ))?;
    }

    page.heading("Place the same order in each of them, over HTTP")?;
    page.command("host-runner serve shop-zig.wasm --addr 127.0.0.1:0 --keyvalue redb:shop-zig.redb")?;
    page.command("curl -H 'Idempotency-Key: …' --json '{\"customer\": …}' http://127.0.0.1:…/api/orders")?;
    let order = Order { tier: "gold".to_owned(), ..Order::of(CUSTOMER, &CART) };
    let mut receipts = Vec::new();
    for stand in &stands {
        let host = stand.open()?;
        receipts.push(place(&host, "demo-order-1", &order)?);
        host.stop()?;
    }
    show_receipts(&mut page, &receipts)?;
    let first = receipts.first().context("there are five shops")?;
    for (receipt, (name, ..)) in receipts.iter().zip(SHOPS) {
        ensure!(
            receipt.quote == first.quote,
            "{name} asks {} cents where {} asks {}: the implementations disagree",
            receipt.quote.total,
            SHOPS[0].0,
            first.quote.total
        );
    }
    page.line(format!(
        "\n   All {} totals agree: {}. So do all lines, adjustments and their reasons.",
        receipts.len(),
        euros(&first.quote.total)?
    ))?;

    // The shop with the most languages in it has to show the rest.
    let stand = stands.last().context("there are five shops")?;
    sell_no_more_than_there_is(&mut page, stand, &products)?;
    answer_a_retry_with_the_same_receipt(
        &mut page,
        stand,
        &order,
        receipts.last().context("five receipts")?,
    )?;
    keep_the_orders(&mut page, stand, receipts.last().context("five receipts")?)?;

    page.heading("What is inside shop-polyglot.wasm")?;
    page.command("composer inspect target/compositions/shop-polyglot.wasm")?;
    let tree = process::run(
        "composer",
        project::root(),
        &["inspect", "target/compositions/shop-polyglot.wasm"],
        "",
    )?;
    ensure!(tree.code == Some(0), "composer inspect failed: {}", tree.stderr);
    for line in tree.stdout.lines() {
        page.line(format!("   {line}"))?;
    }

    page.line(format!("\nEverything above was checked as it happened, in {}.", elapsed(began.elapsed())))?;
    page.line("Open the shop in your browser:  ./just serve")?;
    Ok(())
}

fn place(host: &Host, key: &str, order: &Order) -> Result<Receipt> {
    let answer = shop::place(host.address(), key, order)?;
    ensure!(answer.status == 201, "the order was not placed: {} {}", answer.status, answer.text());
    Ok(serde_json::from_slice(&answer.body)?)
}

fn sell_no_more_than_there_is(page: &mut Page, stand: &Stand, products: &[Product]) -> Result<()> {
    page.heading("Try to buy more than there is")?;
    let find = |sku: &str| {
        products
            .iter()
            .find(|product| product.sku == sku)
            .with_context(|| format!("{sku} is not in the catalogue"))
    };
    for (sku, quantity) in [RARE, PLENTY] {
        page.line(format!("   {quantity:>4} × {}", find(sku)?.name))?;
    }
    let host = stand.open()?;
    let answer = shop::place(host.address(), "demo-oversell", &Order::of(CUSTOMER, &[RARE, PLENTY]))?;
    ensure!(
        answer.status == 409,
        "the shop should have refused, and answered {} {}",
        answer.status,
        answer.text()
    );
    let problem = answer.json()?;
    page.line(format!("   409 {}: {}", text(&problem, "title"), text(&problem, "detail")))?;
    page.line("   Nothing was sold, and nothing is held, of either line:")?;
    // Of these only the first order has bought.
    let bought = CART.iter().find(|(sku, _)| *sku == PLENTY.0).map_or(0, |(_, quantity)| *quantity);
    let levels = levels(stand, host, &[RARE.0, PLENTY.0])?;
    for (sku, left) in [(RARE.0, find(RARE.0)?.stock), (PLENTY.0, find(PLENTY.0)?.stock - bought)] {
        let expected = format!("{{sku: \"{sku}\", on-hand: {left}, held: 0, available: {left}}}");
        ensure!(levels.contains(&expected), "expected {expected} in {levels}");
        page.line(format!("     {expected}"))?;
    }
    Ok(())
}

/// The stock as the store has it. One process at a time opens a store, so the host gives way.
fn levels(stand: &Stand, host: Host, skus: &[&str]) -> Result<String> {
    host.stop()?;
    let list: Vec<_> = skus.iter().map(|sku| catalogue::quoted(sku)).collect();
    catalogue::call(
        &stand.file,
        &stand.grants(),
        &format!("shop:storage/stock#levels([{}])", list.join(", ")),
    )
}

fn answer_a_retry_with_the_same_receipt(
    page: &mut Page,
    stand: &Stand,
    order: &Order,
    first: &Receipt,
) -> Result<()> {
    page.heading("Send the first order again, as a client does that never saw the answer")?;
    let host = stand.open()?;
    let again = place(&host, "demo-order-1", order)?;
    ensure!(again == *first, "the retry was answered with another receipt");
    page.line(format!("   first answer   order {} of {}", first.order_id, first.placed_at))?;
    page.line(format!("   the retry's    order {} of {}", again.order_id, again.placed_at))?;
    let other = shop::place(host.address(), "demo-order-1", &Order::of(CUSTOMER, &[("ELEC-0003", 2)]))?;
    ensure!(other.status == 409, "the same key with another cart was answered with {}", other.status);
    page.line(format!("   The same key with another cart: 409 {}", text(&other.json()?, "title")))?;
    host.stop()
}

fn keep_the_orders(page: &mut Page, stand: &Stand, receipt: &Receipt) -> Result<()> {
    page.heading("Kill the host, start another, and ask for the order")?;
    stand.open()?.kill()?;
    page.command("kill -9 $(pidof host-runner)")?;
    let host = stand.open()?;
    let target = format!("/api/orders/{}", receipt.order_id);
    let answer = shop::get(host.address(), &target)?;
    ensure!(answer.status == 200, "the order is gone: {} {}", answer.status, answer.text());
    let kept: Receipt = serde_json::from_slice(&answer.body)?;
    ensure!(kept == *receipt, "the order has changed");
    page.command(&format!("curl http://{}{target}", host.address()))?;
    page.line(format!(
        "   order {} of {}: {} for {}",
        kept.order_id,
        kept.placed_at,
        kept.customer,
        euros(&kept.quote.total)?
    ))?;
    host.stop()
}

/// One column a shop, one row a line of the receipt.
fn show_receipts(page: &mut Page, receipts: &[Receipt]) -> Result<()> {
    const LABEL: usize = 36;
    const COLUMN: usize = 12;
    let mut row = |label: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>COLUMN$}")).collect();
        let label: String = match label.char_indices().nth(LABEL - 1) {
            Some((end, _)) => label[..end].chars().take(LABEL - 2).chain(['…']).collect(),
            None => label.to_owned(),
        };
        page.line(format!("   {label:<LABEL$}{cells}").trim_end())
    };
    row("", SHOPS.iter().map(|(name, ..)| name.trim_start_matches("shop-").to_owned()).collect())?;
    row("pricing", SHOPS.iter().map(|(_, pricing, _)| (*pricing).to_owned()).collect())?;
    row("logic", SHOPS.iter().map(|(.., logic)| (*logic).to_owned()).collect())?;
    let first = &receipts.first().context("there are receipts")?.quote;
    let column = |of: &dyn Fn(&Quote) -> Option<String>| -> Result<Vec<String>> {
        receipts
            .iter()
            .map(|receipt| of(&receipt.quote).map_or(Ok("none".to_owned()), |cents| euros(&cents)))
            .collect()
    };
    for (index, line) in first.lines.iter().enumerate() {
        let label = format!("{} × {}", line.quantity, line.name);
        row(&label, column(&|quote| quote.lines.get(index).map(|line| line.total.clone()))?)?;
    }
    row("subtotal", column(&|quote| Some(quote.subtotal.clone()))?)?;
    for (index, adjustment) in first.adjustments.iter().enumerate() {
        let label = match adjustment.line {
            Some(line) => format!("{}, line {}", adjustment.reason, line + 1),
            None => adjustment.reason.clone(),
        };
        row(
            &label,
            column(&|quote| quote.adjustments.get(index).map(|adjustment| adjustment.amount.clone()))?,
        )?;
    }
    row("total", column(&|quote| Some(quote.total.clone()))?)
}

/// Cents, which come as digits, for people.
fn euros(cents: &str) -> Result<String> {
    let (sign, digits) = cents.strip_prefix('-').map_or(("", cents), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("{cents:?} is no amount of money");
    }
    let padded = format!("{digits:0>3}");
    let (whole, rest) = padded.split_at(padded.len() - 2);
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    Ok(format!("{sign}€{grouped}.{rest}"))
}

fn text<'a>(value: &'a serde_json::Value, member: &str) -> &'a str {
    value.get(member).and_then(serde_json::Value::as_str).unwrap_or("(nothing)")
}

fn elapsed(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}
