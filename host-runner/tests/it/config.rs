//! host.toml: what is wrong in it, what it grants, and how flags go over it. No secret in it comes out.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// `variables` gives the environment; `leak` reads it and traps; `spin` never ends; `add` needs nothing.
const GUEST: &str = r#"(component
    (import "wasi:cli/environment@0.2.3" (instance $env
        (export "get-environment" (func (result (list (tuple string string)))))))
    (core module $libc
        (memory (export "memory") 1)
        (global $top (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get 3)))))
    (core instance $libc (instantiate $libc))
    (core func $get (canon lower (func $env "get-environment")
        (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core module $m
        (import "" "get" (func $get (param i32)))
        (func (export "variables") (result i32) (call $get (i32.const 16)) (i32.const 16))
        (func (export "leak") (call $get (i32.const 16)) unreachable)
        (func (export "spin") (loop br 0)))
    (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
    (func (export "variables") (result (list (tuple string string)))
        (canon lift (core func $i "variables") (memory $libc "memory")))
    (func (export "leak") (canon lift (core func $i "leak")))
    (func (export "spin") (canon lift (core func $i "spin"))))"#;

const SECRET: &str = "s3cret";

struct Place(TempDir);

impl Place {
    /// A directory with the guest, and `sub/host.toml` with this text.
    fn new(toml: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.file("guest.wasm", wat::parse_str(GUEST).unwrap());
        fs::create_dir(place.path().join("sub")).unwrap();
        place.file("sub/host.toml", toml);
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    /// Calls a function of the guest with the file, and with these flags.
    fn call(&self, call: &str, flags: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_host-runner"))
            .args(["call", "guest.wasm", call, "--config", "sub/host.toml"])
            .args(flags)
            .current_dir(self.path())
            .env("RUST_LOG", "trace")
            .env("OF_THE_HOST", SECRET)
            .output()
            .unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// The error of a call, without what was logged before it.
    fn error(&self, call: &str) -> (i32, String) {
        let (code, out, err) = self.call(call, &[]);
        assert_eq!(out, "");
        (code, err[err.find("error: ").expect("there is an error")..].to_owned())
    }

    fn variables(&self, flags: &[&str]) -> String {
        let (code, out, err) = self.call("variables()", flags);
        assert_eq!(code, 0, "{err}");
        out.trim_end().to_owned()
    }
}

#[test]
fn a_file_that_breaks_a_rule_is_told_with_the_place_and_the_way_out() {
    for (toml, place, rule) in [
        ("[grants]\nenv = \"s3cret\"\n", "2:7", "invalid type: string, expected a table"),
        ("[grants.env]\nA = 1234\n", "2:5", "invalid type: integer, expected a text, "),
        (
            "[grants.env]\nA = { from = \"A\", file = \"b\" }\n",
            "2:5",
            "a variable comes either `from` the host",
        ),
        (
            "[grants.env]\nA = { value = \"s3cret\" }\n",
            "2:7",
            "unknown field `value`, expected `from` or `file`",
        ),
        ("[grants.env]\nA = \"s3cret\nB = 1\n", "2:", "invalid basic string"),
        ("[grants.env]\nA = \"s3cret\"\nA = \"s3cret\"\n", "3:1", "duplicate key"),
        ("[grant]\n", "1:2", "unknown field `grant`, expected one of `grants`, `limits`, `serve`"),
        ("[limits]\nmemory = \"much\"\n", "2:10", "\"much\" is not a size; write for example 65536"),
        ("[limits]\nqueue = -1\n", "2:9", "invalid type: integer"),
        ("[serve]\naddr = \"here\"\n", "2:8", "invalid socket address"),
        (
            "[serve]\ntrust-proxy = [\"proxy.example\"]\n",
            "2:1",
            "`proxy.example` is not a proxy: expected an IP address such as 10.0.0.2, a network such as 10.0.0.0/8 or fd00::/8, or `any`",
        ),
        ("[serve]\nreuse = 0\n", "2:9", "expected a nonzero u32"),
        ("[grants]\nhttp-out = [\"a b\"]\n", "2:", "\"a b\" is not a host with an optional port"),
        ("[grants]\ndir = [{ host = \"a\" }]\n", "2:", "missing field `guest`"),
        ("[grants]\nstdio = \"some\"\n", "2:9", "unknown variant `some`, expected `inherit` or `none`"),
        ("[grants.keyvalue]\nstore = \"disk\"\n", "2:9", "write redb:FILE or memory"),
        (
            "[grants.keyvalue.bucket.a]\nmode = \"red\"\n",
            "2:8",
            "unknown variant `red`, expected one of `read`",
        ),
        (
            "[[grants.keyvalue.bucket.a]]\nprefx = \"x\"\n",
            "2:1",
            "unknown field `prefx`, expected `prefix` or",
        ),
        ("[grants.keyvalue.bucket]\na = true\n", "2:5", "expected a table such as { prefix = "),
    ] {
        let (code, error) = Place::new(toml).error("variables()");
        assert_eq!(code, 3, "{toml}: {error}");
        assert!(error.starts_with(&format!("error: sub/host.toml:{place}")), "{toml}: {error}");
        assert!(error.contains(rule), "{toml}: {error}");
        assert!(
            error.ends_with(". `host-runner serve --help` shows what can be in this file\n"),
            "{toml}: {error}"
        );
        assert!(!error.contains(SECRET) && !error.contains("1234"), "{toml}: {error}");
    }
}

#[test]
fn what_the_file_names_must_be_there() {
    let missing = Place::new("");
    fs::remove_file(missing.path().join("sub/host.toml")).unwrap();
    let (code, error) = missing.error("variables()");
    assert_eq!(code, 3);
    assert!(error.starts_with("error: sub/host.toml cannot be read\n"), "{error}");
    for (toml, expected, told) in [
        (
            "grants.env.KEY = { from = \"NO_SUCH_VARIABLE_ANYWHERE\" }",
            2,
            "error: the variable KEY is to come from NO_SUCH_VARIABLE_ANYWHERE of the host, which has no such variable",
        ),
        (
            "grants.env.KEY = { file = \"key\" }",
            3,
            "error: the variable KEY is to come from sub/key, which cannot be used; change the file or grants.env.KEY\n",
        ),
        ("grants.env.\"A=B\" = \"s3cret\"", 2, "error: grants.env: \"A=B\" is no name of a variable"),
        (
            "grants.env = {}\ngrants.dir = [{ host = \"pages\", guest = \"/pages\" }]",
            6,
            "error: the directory sub/pages was granted and cannot be opened\n",
        ),
        (
            "grants.env = {}\ngrants.keyvalue.bucket.a = {}",
            2,
            "error: keys of a store are granted, and no store: add --keyvalue redb:FILE, or grants.keyvalue.store",
        ),
    ] {
        let (code, error) = Place::new(toml).error("variables()");
        assert_eq!(code, expected, "{error}");
        assert!(error.starts_with(told), "{error}");
        assert!(!error.contains(SECRET), "{error}");
    }
}

#[test]
fn a_file_with_a_secret_that_is_no_text_is_told_without_it() {
    let place = Place::new("grants.env.KEY = { file = \"key\" }");
    place.file("sub/key", [SECRET.as_bytes(), &[0xff]].concat());
    let (code, error) = place.error("variables()");
    assert_eq!(code, 3);
    assert!(!error.contains(SECRET), "{error}");
    place.file("sub/key", SECRET.repeat(200_000));
    let (code, error) = place.error("variables()");
    assert_eq!(code, 3);
    assert!(error.ends_with("because: it has more than 1048576 bytes\n"), "{}", error.len());
}

#[test]
fn nothing_is_granted_by_an_empty_file() {
    let (code, error) = Place::new("").error("variables()");
    assert_eq!(code, 4);
    assert!(error.ends_with("minimum grants required: --env none\n"), "{error}");
    assert_eq!(Place::new("grants.env = {}").variables(&[]), "[]");
}

#[test]
fn variables_come_from_the_file_the_host_and_other_files() {
    let place = Place::new(
        "[grants.env]\nA = \"1\"\nB = { from = \"OF_THE_HOST\" }\nC = { file = \"key\" }\nD = { file = \"dos\" }\n",
    );
    place.file("sub/key", "of a file\n");
    place.file("sub/dos", " of another\r\n");
    assert_eq!(
        place.variables(&[]),
        r#"[("A", "1"), ("B", "s3cret"), ("C", "of a file"), ("D", " of another")]"#
    );
}

#[test]
fn flags_go_over_the_file() {
    let place = Place::new("[grants.env]\nA = \"1\"\nB = { file = \"not there\" }\n");
    assert_eq!(
        place.variables(&["--env", "B=2", "--env", "C=3", "--env", "none"]),
        r#"[("A", "1"), ("B", "2"), ("C", "3")]"#
    );
    let place = Place::new("grants.env = {}\n[limits]\ntime = \"10m\"\nmemory = \"0\"\n");
    let (code, _, err) = place.call("spin()", &["--max-time", "100ms", "--max-memory", "1MiB"]);
    assert_eq!(code, 5);
    assert!(err.contains("the limit of 100 ms on its time was reached"), "{err}");
}

#[test]
fn limits_of_the_file_hold() {
    let place = Place::new("grants.env = {}\n[limits]\ntime = \"100ms\"\n");
    let (code, error) = place.error("spin()");
    assert_eq!(code, 5);
    assert!(error.contains("the limit of 100 ms on its time was reached"), "{error}");
    let place = Place::new("grants.env = {}\nlimits.memory = \"1KiB\"\n");
    let (code, error) = place.error("variables()");
    assert_eq!(code, 5);
    assert!(error.contains("the limit of 1 KiB on its memory"), "{error}");
}

#[test]
fn paths_are_relative_to_the_file() {
    let place = Place::new("grants.env = {}\ngrants.keyvalue.store = \"redb:kept.redb\"\n");
    assert_eq!(place.variables(&[]), "[]");
    assert!(place.path().join("sub/kept.redb").exists());
    // A flag's are relative to where the command runs, and it replaces the file's store.
    fs::remove_file(place.path().join("sub/kept.redb")).unwrap();
    assert_eq!(place.variables(&["--keyvalue", "redb:kept.redb"]), "[]");
    assert!(place.path().join("kept.redb").exists());
    assert!(!place.path().join("sub/kept.redb").exists());
}

/// Whatever is logged, values of variables are not: not by this host, and not by the libraries below it.
#[test]
fn no_secret_is_logged() {
    let place = Place::new("[grants.env]\nA = { from = \"OF_THE_HOST\" }\nB = { file = \"key\" }\n");
    place.file("sub/key", SECRET);
    for call in ["variables()", "leak()", "nothing()"] {
        let (_, _, err) = place.call(call, &["--env", "C=s3cret"]);
        assert!(err.contains("TRACE") || err.contains("DEBUG"), "{err}");
        assert!(!err.contains(SECRET), "{err}");
    }
}

#[test]
fn every_limit_that_is_a_flag_is_a_key_too() {
    let help = Command::new(env!("CARGO_BIN_EXE_host-runner")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: Vec<&str> =
        help.split("--max-").skip(1).filter_map(|rest| rest.split([' ', '\n']).next()).collect();
    assert!(flags.len() > 10, "{flags:?}");
    for flag in flags
        .into_iter()
        .filter(|flag| !flag.is_empty() && flag.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
    {
        let values = ["1000", "\"30s\"", "\"1GiB\""];
        let taken = values.iter().any(|value| {
            Place::new(&format!("grants.env = {{}}\nlimits.{flag} = {value}\n")).call("variables()", &[]).0
                != 3
        });
        assert!(taken, "--max-{flag} has no key in [limits]");
    }
}
