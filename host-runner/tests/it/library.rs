//! Grants, limits, calls and sessions, on components written as text.

use std::sync::Arc;
use std::time::{Duration, Instant};

use host_runner::grants::Stdio;
use host_runner::keyvalue::{Backend, Memory};
use host_runner::{
    App, CallError, Engine, EngineOptions, ExpressionError, Grants, LimitHit, Limits, LoadError, LookupError,
    Setup, Val, WallClock, call,
};

fn load(text: &str, setup: Setup) -> Result<App, LoadError> {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    App::from_bytes(&engine, "guest.wasm", &wat::parse_str(text).unwrap(), setup)
}

fn app(text: &str) -> App {
    load(text, Setup::default()).unwrap()
}

fn limited(text: &str, limits: Limits) -> App {
    load(text, Setup { limits, ..Setup::default() }).unwrap()
}

const NUMBERS: &str = r#"(component
    (core module $m
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
        (func (export "half") (param i32) (result i64)
            (i64.or
                (i64.extend_i32_u (i32.and (local.get 0) (i32.const 1)))
                (i64.shl (i64.extend_i32_u (i32.shr_u (local.get 0) (i32.const 1))) (i64.const 32))))
        (func (export "spin") (loop br 0))
        (func (export "fail") unreachable)
        (global $n (mut i32) (i32.const 0))
        (func (export "next") (result i32)
            (global.set $n (i32.add (global.get $n) (i32.const 1))) global.get $n))
    (core instance $i (instantiate $m))
    (type $pair (record (field "left" u32) (field "right" u32)))
    (export $pair' "pair" (type $pair))
    (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
    (func $sum (param "pair" $pair') (result u32) (canon lift (core func $i "add")))
    (func $spin (canon lift (core func $i "spin")))
    (func $fail (canon lift (core func $i "fail")))
    (func $next (result u32) (canon lift (core func $i "next")))
    (instance $sums (export "add" (func $add)))
    (export "example:math/sums@1.2.0" (instance $sums))
    (export "example:math/more@1.2.0" (instance $sums))
    (export "sum" (func $sum))
    (export "spin" (func $spin))
    (export "fail" (func $fail))
    (export "next" (func $next)))"#;

#[tokio::test]
async fn functions_are_found_by_their_names() {
    let app = app(NUMBERS);
    for name in ["example:math/sums@1.2.0#add", "example:math/sums#add", "sums#add"] {
        assert_eq!(call(&app, &format!("{name}(40, 2)")).await.unwrap().text, "42");
    }
    assert_eq!(call(&app, " sum ({left: 40, right: 2})\n").await.unwrap().text, "42");
    assert_eq!(call(&app, "next()").await.unwrap().text, "1");
}

#[tokio::test]
async fn a_name_that_fits_several_functions_lists_them() {
    let error = call(&app(NUMBERS), "add(1, 2)").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "add is the name of 2 exported functions. Say which:\n  \
         example:math/sums@1.2.0#add(a: u32, b: u32) -> u32\n  \
         example:math/more@1.2.0#add(a: u32, b: u32) -> u32"
    );
    assert!(matches!(error, ExpressionError::Call(CallError::Lookup(LookupError::Ambiguous { .. }))));
    let error = call(&app(NUMBERS), "ad()").await.unwrap_err().to_string();
    assert!(error.starts_with("no exported function is called ad. These can be called:\n"), "{error}");
    assert!(error.ends_with("\n  example:math/more@1.2.0#add\n  sum\n  spin\n  fail\n  next"), "{error}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_marked() {
    let error = call(&app(NUMBERS), "example:math/sums#add(1, \"two\")").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the arguments do not fit: this is a string, and the type is u32\n  \
         example:math/sums#add(1, \"two\")\n                           ^^^^^\n\
         The function is add(a: u32, b: u32) -> u32\n\
         For example: example:math/sums@1.2.0#add(1, 1)"
    );
    for expression in ["", "add", "add(1", "(1)", "sum({left: 1)"] {
        assert!(call(&app(NUMBERS), expression).await.is_err(), "{expression:?} was called");
    }
}

#[tokio::test]
async fn an_endless_loop_ends_in_time() {
    let app = limited(NUMBERS, Limits { time: Duration::from_millis(200), ..Limits::default() });
    let start = Instant::now();
    let error = call(&app, "spin()").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    let error = error.to_string();
    let (first, rest) = error.split_once('\n').unwrap();
    assert_eq!(first, "the guest was stopped: the limit of 200 ms on its time was reached (--max-time)");
    assert!(rest.starts_with("  in the component, `spin`\n"), "{error}");
}

#[tokio::test]
async fn guests_that_compute_take_turns() {
    let busy = limited(NUMBERS, Limits { time: Duration::from_secs(20), ..Limits::default() });
    // One thread, and one guest on it that would never give it back.
    let spinning = tokio::spawn(async move { call(&busy, "spin()").await });
    assert_eq!(call(&app(NUMBERS), "next()").await.unwrap().text, "1");
    spinning.abort();
}

#[tokio::test]
async fn a_trap_ends_the_session_and_nothing_else() {
    let app = app(NUMBERS);
    let mut session = app.session().await.unwrap();
    assert!(matches!(session.call("next", &[]).await.unwrap(), Some(Val::U32(1))));
    assert!(matches!(session.call("next", &[]).await.unwrap(), Some(Val::U32(2))));
    let error = session.call("fail", &[]).await.unwrap_err();
    assert!(error.to_string().starts_with("the guest trapped: wasm `unreachable` instruction"), "{error}");
    assert!(matches!(session.call("next", &[]).await, Err(CallError::Ended)));
    let mut other = app.session().await.unwrap();
    assert!(matches!(other.call("next", &[]).await.unwrap(), Some(Val::U32(1))));
}

#[tokio::test]
async fn a_session_without_time_traps_at_once() {
    let mut session = app(NUMBERS).session().await.unwrap();
    session.set_time_limit(Duration::ZERO);
    let error = session.call("next", &[]).await.unwrap_err();
    assert!(matches!(error, CallError::Limit { hit: LimitHit::Time(_), .. }), "{error}");
}

#[tokio::test]
async fn wrong_values_are_refused_before_the_call() {
    let mut session = app(NUMBERS).session().await.unwrap();
    let error = session.call("sum", &[]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "it takes 1 arguments, and 0 were given. The function is sum(pair: record { left: u32, right: u32 }) -> u32"
    );
    // The instance is as good as before.
    assert!(matches!(session.call("next", &[]).await.unwrap(), Some(Val::U32(1))));
}

const HUNGRY: &str = r#"(component
    (core module $a (memory (export "m") 1)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "insist") (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable))))
    (core instance $one (instantiate $a))
    (core instance $two (instantiate $a))
    (func (export "grow-one") (param "pages" u32) (result s32) (canon lift (core func $one "grow")))
    (func (export "grow-two") (param "pages" u32) (result s32) (canon lift (core func $two "grow")))
    (func (export "insist") (canon lift (core func $one "insist"))))"#;

#[tokio::test]
async fn memory_is_limited_over_all_parts_together() {
    // Ten pages; two are there from the start.
    let limits = Limits { memory: 10 << 16, ..Limits::default() };
    let mut session = limited(HUNGRY, limits).session().await.unwrap();
    let mut grow = async |function: &str, pages: u32| match session.call(function, &[Val::U32(pages)]).await {
        Ok(Some(Val::S32(before))) => before,
        other => panic!("{other:?}"),
    };
    assert_eq!(grow("grow-one", 5).await, 1);
    assert_eq!(grow("grow-two", 4).await, -1);
    assert_eq!(grow("grow-two", 3).await, 1);
    assert_eq!(grow("grow-one", 1).await, -1);
}

#[tokio::test]
async fn a_trap_for_want_of_memory_names_the_limit() {
    let error = call(&app(HUNGRY), "insist()").await.unwrap_err();
    let error = error.to_string();
    let first = "the guest was stopped: the limit of 256 MiB on its memory was reached (--max-memory)\n";
    assert!(error.starts_with(first), "{error}");
    assert!(error.contains("\n  it then ended with: wasm `unreachable` instruction executed\n"), "{error}");
    let limits = Limits { memory: 1 << 16, ..Limits::default() };
    let error = limited(HUNGRY, limits).session().await.unwrap_err();
    assert!(matches!(error, CallError::Limit { hit: LimitHit::Memory(65_536), .. }), "{error}");
}

const WANTS: &str = r#"(component
    (import "wasi:clocks/wall-clock@0.2.3" (instance
        (type $t (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $t)))
        (export "now" (func (result $datetime)))))
    (import "wasi:cli/environment@0.2.3" (instance
        (export "get-arguments" (func (result (list string))))))
    (import "wasi:cli/stdin@0.2.3" (instance (export "get-stdin" (func))))
    (import "acme:bank/transfer@1.0.0" (instance (export "send" (func))))
    (import "acme:bank/types@1.0.0" (instance (type $u u32) (export "cents" (type (eq $u))))))"#;

#[test]
fn a_refusal_lists_everything_that_is_missing() {
    let error = load(WANTS, Setup::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "guest.wasm was refused: it imports what was not granted
  wasi:cli/environment@0.2.3
      --env NAME=VALUE       grants that variable
      --env NAME             grants that variable, with its value in the host
      --env none             grants the interface, and no variable
  wasi:cli/stdin@0.2.3
      --stdio                grants the host's own streams
      --stdio=none           grants no input, and outputs that go nowhere
  acme:bank/transfer@1.0.0
      this host has no such interface; compose a component in that exports it
no flag can make it run here: what no flag grants must be composed in"
    );
    let grants = Grants { environment: Some(vec![]), stdio: Some(Stdio::Empty), ..Grants::default() };
    let error = load(WANTS, Setup { grants, ..Setup::default() }).unwrap_err();
    let LoadError::Refused(refusal) = error else { panic!("{error}") };
    assert_eq!(refusal.imports.len(), 1);
    assert_eq!(refusal.imports[0].import, "acme:bank/transfer@1.0.0");
    assert!(refusal.imports[0].ways().is_empty());
}

const COMPOSED: &str = r#"(component
    (type $streams (instance (export "get-stdin" (func))))
    (import "wasi:cli/stdin@0.2.3" (instance $stdin (type $streams)))
    (component $Reader
        (import "wasi:cli/stdin@0.2.3" (instance $i (export "get-stdin" (func))))
        (alias export $i "get-stdin" (func $get))
        (core func $lowered (canon lower (func $get)))
        (core module $m (import "" "f" (func $f)) (func (export "read") call $f))
        (core instance $c (instantiate $m (with "" (instance (export "f" (func $lowered))))))
        (func (export "read") (canon lift (core func $c "read"))))
    (component $Idle
        (core module $m (func (export "idle")))
        (core instance $c (instantiate $m))
        (func (export "idle") (canon lift (core func $c "idle"))))
    (instance $reader (instantiate $Reader (with "wasi:cli/stdin@0.2.3" (instance $stdin))))
    (instance $idle (instantiate $Idle))
    (export "read" (func $reader "read")))"#;

#[test]
fn a_refusal_names_the_part_that_wants_it() {
    let error = load(COMPOSED, Setup::default()).unwrap_err().to_string();
    assert!(error.contains("  wasi:cli/stdin@0.2.3\n      wanted by reader\n"), "{error}");
    assert!(error.ends_with("minimum grants required: --stdio=none"), "{error}");
}

#[test]
fn a_granted_interface_of_another_shape_is_told() {
    let grants = Grants { stdio: Some(Stdio::Empty), ..Grants::default() };
    let error = load(COMPOSED, Setup { grants, ..Setup::default() }).unwrap_err();
    assert!(matches!(error, LoadError::Mismatch { .. }), "{error}");
}

#[test]
fn what_is_no_component_says_what_it_is() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let load =
        |bytes: &[u8]| App::from_bytes(&engine, "x.wasm", bytes, Setup::default()).unwrap_err().to_string();
    assert!(load(b"hello").starts_with("x.wasm is not a component: it is text. "));
    assert!(load(b"(component)").starts_with("x.wasm is not a component: it is text. "));
    assert!(load(b"").starts_with("x.wasm is not a component: the file is empty. "));
    assert!(
        load(b"\0asm\x0d").starts_with("x.wasm is not a component: it ends within its first eight bytes")
    );
    assert!(
        load(b"\x7fELF\xff\xfe").starts_with("x.wasm is not a component: it is some other binary file. ")
    );
    let module = wat::parse_str("(module)").unwrap();
    assert!(load(&module).starts_with("x.wasm is a core module, not a component: "));
    let whole = wat::parse_str(NUMBERS).unwrap();
    let error = load(&whole[..whole.len() - 10]);
    assert!(error.starts_with("x.wasm is not a valid component: "), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

const CLOCK: &str = r#"(component
    (import "wasi:clocks/wall-clock@0.2.3" (instance $clock
        (type $t (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $t)))
        (export "now" (func (result $datetime)))))
    (core module $libc (memory (export "memory") 1))
    (core instance $libc (instantiate $libc))
    (alias export $clock "now" (func $now))
    (core func $lowered (canon lower (func $now) (memory $libc "memory")))
    (core module $m
        (import "" "now" (func $now (param i32)))
        (import "" "memory" (memory 1))
        (func (export "seconds") (result i64) (call $now (i32.const 16)) (i64.load (i32.const 16))))
    (core instance $i (instantiate $m (with "" (instance
        (export "now" (func $lowered)) (export "memory" (memory $libc "memory"))))))
    (func (export "seconds") (result u64) (canon lift (core func $i "seconds"))))"#;

struct Fixed(u64);

impl WallClock for Fixed {
    fn now(&self) -> Duration {
        Duration::from_secs(self.0)
    }
}

#[tokio::test]
async fn the_time_of_day_can_be_set() {
    let setup = Setup { clock: Some(Arc::new(Fixed(1_234_567))), ..Setup::default() };
    let app = load(CLOCK, setup).unwrap();
    assert_eq!(call(&app, "seconds()").await.unwrap().text, "1234567");
}

/// Imports a draft of the store, and sets and counts through it.
fn counter(draft: &str, integer: &str) -> String {
    format!(
        r#"(component
        (import "wasi:keyvalue/store@{draft}" (instance $store
            (export "bucket" (type $bucket (sub resource)))
            (type $e (variant (case "no-such-store") (case "access-denied") (case "other" string)))
            (export "error" (type $error (eq $e)))
            (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))))
        (alias export $store "bucket" (type $bucket))
        (alias export $store "error" (type $error))
        (import "wasi:keyvalue/atomics@{draft}" (instance $atomics
            (alias outer 1 $bucket (type $b))
            (export "bucket" (type $bucket (eq $b)))
            (alias outer 1 $error (type $e))
            (export "error" (type $error (eq $e)))
            (export "increment" (func (param "bucket" (borrow $bucket)) (param "key" string)
                (param "delta" {integer}) (result (result {integer} (error $error)))))))
        (core module $libc
            (memory (export "memory") 1)
            (global $top (mut i32) (i32.const 4096))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
                (global.get $top)
                (global.set $top (i32.add (global.get $top) (local.get 3))))
            (data (i32.const 0) "bucketcount"))
        (core instance $libc (instantiate $libc))
        (alias export $store "open" (func $open))
        (alias export $atomics "increment" (func $increment))
        (core func $open' (canon lower (func $open) (memory $libc "memory") (realloc (func $libc "realloc"))))
        (core func $increment' (canon lower (func $increment) (memory $libc "memory") (realloc (func $libc "realloc"))))
        (core module $m
            (import "" "open" (func $open (param i32 i32 i32)))
            (import "" "increment" (func $increment (param i32 i32 i32 i64 i32)))
            (import "" "memory" (memory 1))
            (func (export "count") (param i64) (result i64)
                (call $open (i32.const 0) (i32.const 6) (i32.const 64))
                (if (i32.load8_u (i32.const 64)) (then unreachable))
                (call $increment (i32.load (i32.const 68)) (i32.const 6) (i32.const 5) (local.get 0) (i32.const 96))
                (if (i32.load8_u (i32.const 96)) (then unreachable))
                (i64.load (i32.const 104))))
        (core instance $i (instantiate $m (with "" (instance
            (export "open" (func $open')) (export "increment" (func $increment'))
            (export "memory" (memory $libc "memory"))))))
        (func (export "count") (param "delta" {integer}) (result {integer}) (canon lift (core func $i "count"))))"#
    )
}

#[tokio::test]
async fn both_drafts_of_the_store_see_the_same_buckets() {
    let store: Arc<dyn Backend> = Arc::new(Memory::new());
    let setup = || Setup {
        grants: Grants { keyvalue: Some(Arc::clone(&store)), ..Grants::default() },
        ..Setup::default()
    };
    let new = load(&counter("0.2.0-draft2", "s64"), setup()).unwrap();
    let old = load(&counter("0.2.0-draft", "u64"), setup()).unwrap();
    assert_eq!(call(&new, "count(5)").await.unwrap().text, "5");
    assert_eq!(call(&old, "count(10)").await.unwrap().text, "15");
    assert_eq!(call(&new, "count(-20)").await.unwrap().text, "-5");
    assert_eq!(store.get("bucket", "count".into()).await.unwrap(), Some(b"-5".to_vec()));
    // An unsigned counter cannot be below zero: an error for the guest, and the value stays.
    assert!(call(&old, "count(1)").await.is_err());
    assert_eq!(store.get("bucket", "count".into()).await.unwrap(), Some(b"-5".to_vec()));
}

#[test]
fn the_store_is_not_there_unless_granted() {
    let error = load(&counter("0.2.0-draft2", "s64"), Setup::default()).unwrap_err().to_string();
    assert!(error.contains("wasi:keyvalue/store@0.2.0-draft2\n      --keyvalue redb:FILE"), "{error}");
    assert!(error.contains("wasi:keyvalue/atomics@0.2.0-draft2"), "{error}");
}
