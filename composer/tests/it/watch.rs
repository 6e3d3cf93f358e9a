//! `composer watch`, with a stand-in for a toolchain: a script that copies the component which the source names. Nothing here
//! waits for a time to pass: only for what is said, up to a deadline.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{PROJECT, answers, composer, doubles};
use tempfile::TempDir;

/// Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

const WIT: &str = "package example:worlds;
world source { export answer: func() -> u32; }
world doubler { import answer: func() -> u32; export doubled: func() -> u32; }
";

const WHOLE: &str = "package example:whole;
let source = new parts:source {};
let doubler = new parts:doubler { answer: source[\"answer\"] };
export doubler[\"doubled\"];
";

/// The first word of the source is the product. A second one has it wait until something is written into `gate`.
const TOOL: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
    case "$1" in -o) out=$2 ;; esac
    shift
done
read product gated < app.py
echo "$product" >> "ROOT/calls"
if [ -n "$gated" ]; then read _ < "ROOT/gate"; fi
cp "ROOT/made/$product" "$out"
"#;

struct Shop(TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Shop(tempfile::tempdir().expect("a directory"));
        shop.write("interlock.toml", PROJECT.as_bytes());
        shop.write("wit/worlds.wit", WIT.as_bytes());
        shop.write("whole.wac", WHOLE.as_bytes());
        shop.write("source/app.py", b"one\n");
        shop.write("doubler/app.py", b"doubler\n");
        for (name, number) in [("one", 1), ("two", 2), ("three", 3), ("four", 4)] {
            shop.write(&format!("made/{name}"), &answers(number));
        }
        shop.write("made/doubler", &doubles());
        shop.write("venv/lib/python3/site-packages/componentize_py-1.0.dist-info/METADATA", b"");
        shop.write("venv/bin/componentize-py", b"");
        shop.write("venv/bin/python", TOOL.replace("ROOT", &shop.root().to_string_lossy()).as_bytes());
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(shop.root().join("venv/bin/python"), mode).expect("it is there");
        shop
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    /// Whether the composition has this product in it.
    fn has(&self, product: &[u8]) -> bool {
        let whole = fs::read(self.root().join("out/compositions/whole.wasm")).expect("it is made");
        whole.windows(product.len()).any(|window| window == product)
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.root().join("calls")).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

/// A watching command, and what it says. Killed when it is dropped.
struct Watching {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Watching {
    fn start(shop: &Shop, names: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_composer"))
            .arg("watch")
            .args(names)
            .current_dir(shop.root())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let stderr = child.stderr.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Watching { child, lines, said: Vec::new() }
    }

    /// Waits for a line with this in it, and answers with all lines up to there.
    fn until(&mut self, piece: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line =
                line.unwrap_or_else(|error| panic!("{error}: no {piece:?} after\n{}", self.said.join("\n")));
            self.said.push(line.clone());
            lines.push(line);
            if lines.last().is_some_and(|line| line.contains(piece)) {
                return lines;
            }
        }
    }

    /// Presses Ctrl-C, and waits for its end.
    fn stop(mut self) -> Option<i32> {
        let interrupt = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(interrupt.expect("it can be started").success());
        self.until("stopped");
        // It has said its last word; what follows takes no time worth a deadline.
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_cannot_be_watched_is_refused() {
    let shop = Shop::new();
    let output = composer(shop.root(), &["watch", "other"]);
    assert_eq!(output.status.code(), Some(2));
    let expected = "  × interlock.toml lists no `other`\n  help: it lists source, doubler, whole\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    let elsewhere = tempfile::tempdir().expect("a directory");
    assert_eq!(composer(elsewhere.path(), &["watch"]).status.code(), Some(3));
}

#[test]
fn a_change_is_built_and_composed_and_a_failure_does_not_end_it() {
    let shop = Shop::new();
    let mut watching = Watching::start(&shop, &[]);
    watching.until("2 built, 1 composed in ");
    watching.until("watching; Ctrl-C stops it");
    assert!(shop.has(&answers(1)));

    shop.write("source/app.py", b"two\n");
    let lines = watching.until("1 built, 1 composed, 1 unchanged in ");
    assert_eq!(lines.len(), 3, "one line for each that was made, and one for all: {lines:?}");
    assert!(shop.has(&answers(2)));

    // Neither what it does not know how to build nor what is no manifest ends it.
    shop.write("source/app.py", b"missing\n");
    watching.until("could not be built: source");
    assert!(shop.has(&answers(2)));
    shop.write("interlock.toml", b"[project\n");
    watching.until("interlock.toml");
    shop.write("interlock.toml", PROJECT.as_bytes());
    watching.until("could not be built: source");
    shop.write("source/app.py", b"three\n");
    watching.until("1 built, 1 composed, 1 unchanged in ");
    assert!(shop.has(&answers(3)));

    // What a composition is made by is watched as well.
    shop.write("whole.wac", WHOLE.replace("let source", "// Changed.\nlet source").as_bytes());
    watching.until("1 composed, 2 unchanged in ");
    assert_eq!(watching.stop(), Some(0));
    let mut calls = shop.calls();
    calls[..2].sort();
    // Building sets nothing off, and what failed was tried again when the manifest was back.
    assert_eq!(calls, ["doubler", "one", "two", "missing", "missing", "three"]);
}

#[test]
fn what_is_well_again_is_said_even_where_nothing_is_built() {
    let shop = Shop::new();
    let mut watching = Watching::start(&shop, &[]);
    watching.until("watching; Ctrl-C stops it");
    shop.write("source/app.py", b"missing\n");
    watching.until("left as they were, since parts of them are missing: whole");
    // Undone: there is a product of it already.
    shop.write("source/app.py", b"one\n");
    assert_eq!(watching.until("3 unchanged in ").len(), 1);
    // So with a manifest that cannot be read.
    shop.write("interlock.toml", b"[project\n");
    watching.until("interlock.toml");
    shop.write("interlock.toml", PROJECT.as_bytes());
    watching.until("3 unchanged in ");
    // Once is enough.
    shop.write("interlock.toml", format!("{PROJECT}\n# Changed.\n").as_bytes());
    shop.write("source/app.py", b"two\n");
    let lines = watching.until("1 built, 1 composed, 1 unchanged in ");
    assert!(!lines.iter().any(|line| line.contains("3 unchanged in ")), "{lines:?}");
    assert_eq!(watching.stop(), Some(0));
}

#[test]
fn only_what_was_named_is_built() {
    let shop = Shop::new();
    let mut watching = Watching::start(&shop, &["source"]);
    watching.until("watching; Ctrl-C stops it");
    shop.write("doubler/app.py", b"other\n");
    shop.write("source/app.py", b"two\n");
    watching.until("1 built in ");
    assert_eq!(watching.stop(), Some(0));
    assert_eq!(shop.calls(), ["one", "two"]);
}

#[test]
fn a_change_during_a_build_makes_another_one() {
    let shop = Shop::new();
    let gate = shop.root().join("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().expect("it can be started").success());
    let mut watching = Watching::start(&shop, &["whole"]);
    watching.until("watching; Ctrl-C stops it");
    shop.write("source/app.py", b"two gated\n");
    // To open the gate is to wait until the stand-in stands before it.
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || sender.send(OpenOptions::new().write(true).open(gate)));
    let mut gate = opened.recv_timeout(PATIENCE).expect("the build begins").expect("the gate can be opened");
    shop.write("source/app.py", b"four\n");
    gate.write_all(b"go on\n").expect("somebody reads it");
    drop(gate);
    watching.until("1 built, 1 composed, 1 unchanged in ");
    watching.until("1 built, 1 composed, 1 unchanged in ");
    assert!(shop.has(&answers(4)));
    assert_eq!(watching.stop(), Some(0));
}
