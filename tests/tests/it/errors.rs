//! Bad input, word for word: both commands are run on what they cannot use, and everything they say is compared with
//! `tests/golden/NAME.txt`. `BLESS=1 cargo test --release -p e2e --test it errors` writes the files anew: read the diff.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use e2e::catalogue::{self, Product};
use e2e::hostile::Face;
use e2e::process::Host;
use e2e::{process, project};
use tempfile::TempDir;

/// A directory with every bad input, and two good ones to misuse.
fn inputs() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    DIRECTORY
        .get_or_init(|| {
            let directory = TempDir::new().unwrap();
            let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
            let component = |text: &str| wat::parse_str(text).unwrap();

            write("text.wasm", b"This is a text file.\nIt only has the wrong name.\n");
            write("empty.wasm", b"");
            write("core.wasm", &component("(module (func (export \"run\")))"));
            write("storage.wasm", &fs::read(project::component("storage")).unwrap());
            write("pricing.wasm", &fs::read(project::component("pricing-rust")).unwrap());
            write("shop.wasm", &fs::read(project::composition("shop-zig")).unwrap());
            let twice = component(
                    r#"(component
                        (core module $m (func (export "f") (result i32) i32.const 7))
                        (core instance $i (instantiate $m))
                        (func $f (result u32) (canon lift (core func $i "f")))
                        (instance $one (export "answer" (func $f)))
                        (instance $two (export "answer" (func $f)))
                        (export "test:one/asked@1.0.0" (instance $one))
                        (export "test:two/asked@1.0.0" (instance $two)))"#,
            );
            write("twice.wasm", &twice);
            // Of this one the bytes are known for ever, so the place where it breaks off is too.
            write("truncated.wasm", &twice[..twice.len() / 2]);

            write(
                "mistake.wac",
                b"package test:mistake;\n\n// The seventh line is wrong.\n\nlet storage = new parts:storage { ... };\n\nlet pricing = new parts:pricing { };;\n\nexport pricing...;\n",
            );
            write("undefined.wac", b"package test:undefined;\n\nlet pricing = new parts:pricing {};\n\nexport prices...;\n");
            write("missing.wac", b"package test:missing;\n\nlet pricing = new parts:pricing {};\n\nexport pricing...;\n");
            write(
                "unwired.wac",
                b"package test:unwired;\n\nlet storage = new parts:storage {};\n\nexport storage...;\n",
            );
            write(
                "misfit.wac",
                b"package test:misfit targets shop:worlds/storage@0.1.0;\n\nlet pricing = new parts:pricing {};\n\nexport pricing...;\n",
            );
            directory
        })
        .path()
}

/// Runs a command line on the inputs and compares what it said. `line` is split at blanks.
fn says(name: &str, line: &str) {
    says_to(name, line, "");
}

fn says_to(name: &str, line: &str, input: &str) {
    let directory = inputs();
    let root = project::root().display().to_string();
    let wanted = line.replace("ROOT", &root);
    let mut words = wanted.split(' ');
    let command = words.next().unwrap();
    let arguments: Vec<&str> = words.collect();
    let finished = process::run(command, directory, &arguments, input).unwrap();
    let said = format!(
        "$ {line}\nexit code: {}\n--- stdout\n{}--- stderr\n{}",
        finished.code.map_or_else(|| "none".to_owned(), |code| code.to_string()),
        finished.stdout,
        finished.stderr
    );
    let real = directory.canonicalize().unwrap().display().to_string();
    let said = said
        .replace(&real, "DIRECTORY")
        .replace(&directory.display().to_string(), "DIRECTORY")
        .replace(&root, "ROOT");
    golden(name, &said);
}

/// Compares what was said, without what differs from machine to machine, with what is expected.
fn golden(name: &str, said: &str) {
    // Whether compiling takes long enough to be told depends on what else the machine does.
    let said = said.lines().filter(|line| !line.contains(" INFO compiling "));
    // Which functions an engine inside a guest was in is a matter of its build.
    let mut in_frame = false;
    let said = said.filter(|line| {
        in_frame = is_frame(line) || in_frame && line.starts_with(FURTHER);
        !in_frame
    });
    let said: String = said.map(|line| line.trim_end().to_owned() + "\n").collect();

    let golden = project::path("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &said).unwrap();
        return;
    }
    let expected = fs::read_to_string(&golden)
        .unwrap_or_else(|error| panic!("{}: {error}; BLESS=1 writes it", golden.display()));
    assert!(said == expected, "{} says\n{expected}\nbut this was said:\n{said}", golden.display());
    assert!(!said.contains("panicked"), "a panic: {said}");
}

/// How the further lines of a frame begin.
const FURTHER: &str = "                 ";

/// Whether a line is one of a backtrace: `3: a function at 0x1234`, or how many more there are.
fn is_frame(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.split(':').next().unwrap_or_default();
    let counted = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    counted || (line.starts_with("and ") && line.ends_with(" more"))
}

/// What a person reads after a request whose pricing rule trapped, for a rule in each language. Where its engine is inside
/// it, the page says so.
#[test]
fn a_trap_has_a_page_in_every_language() {
    for (name, rule, sku) in [
        ("host-trap-in-rust", "hostile-pricing", "TRAP"),
        ("host-trap-in-zig", "hostile-zig", "TRAP"),
        ("host-trap-in-javascript", "hostile-js", "THROW"),
        ("host-trap-in-python", "hostile-python", "RAISE"),
    ] {
        let shop = Face::Front.shop(rule);
        let directory = TempDir::new().unwrap();
        let granted = catalogue::kept_in(directory.path());
        catalogue::load(&shop, &granted, &[Product::plain(sku, 1_000, 10)]).unwrap();
        let arguments = [&granted[..], &["--explain-traps".to_owned()]].concat();
        let host = Host::start(&shop, "127.0.0.1:0", &arguments, &directory.path().join("host.log")).unwrap();
        let answer = Face::Front.place(host.address(), "a-key", sku).unwrap();
        assert_eq!(answer.status, 500, "{}", answer.text());
        let document = answer.json().unwrap();
        let id = document["instance"].as_str().and_then(|urn| urn.strip_prefix("urn:uuid:")).unwrap();
        let log = host.log();
        host.stop().unwrap();
        let page = log.lines().skip_while(|line| !line.starts_with("── "));
        // The next line of the log begins with the time.
        let page: Vec<&str> = page.take_while(|line| !line.starts_with("20")).collect();
        golden(name, &page.join("\n").replace(id, "ID"));
    }
}

/// Every file in `tests/golden` belongs to a test below.
#[test]
fn no_expectation_is_left_over() {
    let source = fs::read_to_string(project::path("tests/tests/it/errors.rs")).unwrap();
    for entry in fs::read_dir(project::path("tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy();
        assert!(source.contains(&format!("\"{name}\"")), "no test writes {}", path.display());
    }
}

#[test]
fn composer_on_files_that_are_no_component() {
    says("composer-inspect-text", "composer inspect text.wasm");
    says("composer-inspect-empty", "composer inspect empty.wasm");
    says("composer-inspect-truncated", "composer inspect truncated.wasm");
    says("composer-inspect-core", "composer inspect core.wasm");
    says("composer-inspect-missing", "composer inspect nowhere.wasm");
    says("composer-inspect-directory", "composer inspect .");
    says("composer-componentize-text", "composer componentize text.wasm -o out.wasm");
    says("composer-componentize-component", "composer componentize pricing.wasm -o out.wasm");
    says("composer-compose-part-text", "composer compose missing.wac -o out.wasm -d parts:pricing=text.wasm");
    says("composer-compose-part-core", "composer compose missing.wac -o out.wasm -d parts:pricing=core.wasm");
    says(
        "composer-compose-part-truncated",
        "composer compose missing.wac -o out.wasm -d parts:pricing=truncated.wasm",
    );
}

#[test]
fn composer_on_compositions_with_a_mistake() {
    says(
        "composer-compose-mistake-on-line-7",
        "composer compose mistake.wac -o out.wasm -d parts:storage=storage.wasm -d parts:pricing=pricing.wasm",
    );
    says(
        "composer-compose-undefined-name",
        "composer compose undefined.wac -o out.wasm -d parts:pricing=pricing.wasm",
    );
    says("composer-compose-forgotten-part", "composer compose missing.wac -o out.wasm");
    says("composer-compose-missing-file", "composer compose nowhere.wac -o out.wasm");
    says(
        "composer-compose-unwired-import",
        "composer compose unwired.wac -o out.wasm -d parts:storage=storage.wasm",
    );
    says(
        "composer-compose-world-does-not-fit",
        "composer compose misfit.wac -o out.wasm -d parts:pricing=pricing.wasm -d shop:worlds=ROOT/wit",
    );
    assert!(!inputs().join("out.wasm").exists(), "a failed command left a product behind");
}

#[test]
fn composer_on_wrong_usage() {
    says("composer-build-without-manifest", "composer build");
    says("composer-unknown-command", "composer make");
    says("composer-compose-without-output", "composer compose missing.wac");
}

#[test]
fn host_runner_on_files_that_are_no_component() {
    says("host-runner-text", "host-runner run text.wasm");
    says("host-runner-empty", "host-runner run empty.wasm");
    says("host-runner-truncated", "host-runner run truncated.wasm");
    says("host-runner-core", "host-runner run core.wasm");
    says("host-runner-missing", "host-runner run nowhere.wasm");
    says("host-runner-directory", "host-runner run .");
}

#[test]
fn host_runner_refuses_what_was_not_granted() {
    says("host-runner-ungranted", "host-runner call storage.wasm list(none,1)");
    says("host-runner-ungranted-in-a-composition", "host-runner serve shop.wasm --addr 127.0.0.1:0");
}

#[test]
fn host_runner_on_calls_that_cannot_be_made() {
    says("host-runner-ambiguous", "host-runner call twice.wasm answer()");
    says("host-runner-unknown-function", "host-runner call pricing.wasm adapt()");
    says("host-runner-wrong-type", "host-runner call pricing.wasm adjust([],platinum)");
    says("host-runner-missing-argument", "host-runner call pricing.wasm adjust([])");
    says("host-runner-no-call", "host-runner call pricing.wasm adjust");
    says("host-runner-handle", "host-runner call storage.wasm --keyvalue memory reserve(\"k\",[],1)");
    says_to(
        "host-runner-half-a-call",
        "host-runner call storage.wasm --keyvalue memory -",
        "shop:storage/products#get(\"A\"",
    );
    says(
        "host-runner-answer-is-an-error",
        "host-runner call storage.wasm --keyvalue memory levels([\"NOPE\"])",
    );
}

#[test]
fn host_runner_on_wrong_usage() {
    says("host-runner-nothing-to-serve", "host-runner serve pricing.wasm --addr 127.0.0.1:0 --cache none");
    says("host-runner-nothing-to-run", "host-runner run pricing.wasm");
    says("host-runner-unknown-store", "host-runner call storage.wasm --keyvalue tape:x list(none,1)");
    says(
        "host-runner-store-is-no-store",
        "host-runner call storage.wasm --keyvalue redb:text.wasm levels([])",
    );
}
