//! Limits on what a guest may use up, beyond time and memory: each ends the call, is told by its own name and flag, and
//! leaves nothing behind.

use std::sync::Arc;
use std::time::Duration;

use host_runner::keyvalue::{Backend, Memory};
use host_runner::{
    App, CallError, Engine, EngineOptions, ExpressionError, Grants, LimitHit, Limits, Setup, Val, call,
};

/// Works on a bucket of the store: `set(n)` sets a value of a hundred bytes n times, `get(n)` reads one n times,
/// `many(n)` reads n keys at once, and `spin` computes.
const GUEST: &str = r#"(component
    (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
        (export "bucket" (type $bucket (sub resource)))
        (type $e (variant (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $error (eq $e)))
        (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
        (export "[method]bucket.get" (func (param "self" (borrow $bucket)) (param "key" string)
            (result (result (option (list u8)) (error $error)))))
        (export "[method]bucket.set" (func (param "self" (borrow $bucket)) (param "key" string)
            (param "value" (list u8)) (result (result (error $error)))))))
    (alias export $store "bucket" (type $bucket))
    (alias export $store "error" (type $error))
    (import "wasi:keyvalue/batch@0.2.0-draft2" (instance $batch
        (alias outer 1 $bucket (type $b))
        (export "bucket" (type $bucket (eq $b)))
        (alias outer 1 $error (type $e))
        (export "error" (type $error (eq $e)))
        (export "get-many" (func (param "bucket" (borrow $bucket)) (param "keys" (list string))
            (result (result (list (tuple string (option (list u8)))) (error $error)))))))
    (core module $libc
        (memory (export "memory") 4)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
        (data (i32.const 0) "key"))
    (core instance $libc (instantiate $libc))
    (alias export $store "open" (func $open))
    (alias export $store "[method]bucket.get" (func $get))
    (alias export $store "[method]bucket.set" (func $set))
    (alias export $batch "get-many" (func $many))
    (core func $open' (canon lower (func $open) (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core func $get' (canon lower (func $get) (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core func $set' (canon lower (func $set) (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core func $many' (canon lower (func $many) (memory $libc "memory") (realloc (func $libc "realloc"))))
    (core module $m
        (import "" "open" (func $open (param i32 i32 i32)))
        (import "" "get" (func $get (param i32 i32 i32 i32)))
        (import "" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "" "many" (func $many (param i32 i32 i32 i32)))
        (import "" "memory" (memory 4))
        (func $bucket (result i32)
            (call $open (i32.const 0) (i32.const 3) (i32.const 64)) (i32.load (i32.const 68)))
        (func (export "set") (param $n i32) (local $b i32)
            (local.set $b (call $bucket))
            (loop $again (if (local.get $n) (then
                (call $set (local.get $b) (i32.const 0) (i32.const 3) (i32.const 1024) (i32.const 97) (i32.const 96))
                (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $again)))))
        (func (export "get") (param $n i32) (local $b i32)
            (local.set $b (call $bucket))
            (loop $again (if (local.get $n) (then
                (call $get (local.get $b) (i32.const 0) (i32.const 3) (i32.const 96))
                (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $again)))))
        ;; The list of keys is at 2048: each the same one.
        (func (export "many") (param $n i32) (local $at i32)
            (local.set $at (i32.const 0))
            (loop $again (if (i32.lt_u (local.get $at) (local.get $n)) (then
                (i32.store (i32.add (i32.const 2048) (i32.mul (local.get $at) (i32.const 8))) (i32.const 0))
                (i32.store (i32.add (i32.const 2052) (i32.mul (local.get $at) (i32.const 8))) (i32.const 3))
                (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $again))))
            (call $many (call $bucket) (i32.const 2048) (local.get $n) (i32.const 96)))
        (func (export "spin") (loop br 0)))
    (core instance $i (instantiate $m (with "" (instance
        (export "open" (func $open')) (export "get" (func $get')) (export "set" (func $set'))
        (export "many" (func $many')) (export "memory" (memory $libc "memory"))))))
    (func (export "set") (param "times" u32) (canon lift (core func $i "set")))
    (func (export "get") (param "times" u32) (canon lift (core func $i "get")))
    (func (export "many") (param "keys" u32) (canon lift (core func $i "many")))
    (func (export "spin") (canon lift (core func $i "spin"))))"#;

fn app(text: &str, limits: Limits, store: &Arc<Memory>) -> App {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let bytes = wat::parse_str(text).unwrap();
    let keyvalue: Arc<dyn Backend> = Arc::clone(store) as _;
    let grants = Grants { keyvalue: Some(keyvalue), ..Grants::default() };
    App::from_bytes(&engine, "guest.wasm", &bytes, Setup { limits, grants, ..Setup::default() }).unwrap()
}

/// The limit that a call meets, and how that is told.
async fn hit(app: &App, expression: &str) -> (LimitHit, String) {
    match call(app, expression).await {
        Err(ExpressionError::Call(error)) => match &error {
            CallError::Limit { hit, .. } => (*hit, error.to_string()),
            other => panic!("{expression}: {other}"),
        },
        other => panic!("{expression}: {other:?}"),
    }
}

#[tokio::test]
async fn operations_on_the_store_are_counted() {
    let store = Arc::new(Memory::new());
    let app = app(GUEST, Limits { keyvalue_ops: 10, ..Limits::default() }, &store);
    for expression in ["set(11)", "get(11)", "many(11)"] {
        let (limit, text) = hit(&app, expression).await;
        assert_eq!(limit, LimitHit::KeyvalueOps(10), "{expression}");
        assert!(
            text.starts_with(
                "the guest was stopped: the limit of 10 on its key-value operations was reached (--max-keyvalue-ops)\n"
            ),
            "{text}"
        );
    }
    for expression in ["set(10)", "get(10)", "many(10)"] {
        call(&app, expression).await.unwrap();
    }
}

#[tokio::test]
async fn bytes_to_and_from_the_store_are_counted() {
    let store = Arc::new(Memory::new());
    let app = app(GUEST, Limits { keyvalue_bytes: 1_000, ..Limits::default() }, &store);
    // Each of them is a key of 3 bytes and a value of 97.
    call(&app, "set(10)").await.unwrap();
    call(&app, "get(10)").await.unwrap();
    call(&app, "many(10)").await.unwrap();
    for expression in ["set(11)", "get(11)", "many(11)"] {
        let (limit, text) = hit(&app, expression).await;
        assert_eq!(limit, LimitHit::KeyvalueBytes(1_000), "{expression}");
        assert!(text.contains("the limit of 1000 bytes on its key-value traffic"), "{text}");
    }
}

#[tokio::test]
async fn counts_begin_anew_with_every_call() {
    let store = Arc::new(Memory::new());
    let app = app(GUEST, Limits { keyvalue_ops: 10, keyvalue_bytes: 1_000, ..Limits::default() }, &store);
    let mut session = app.session().await.unwrap();
    for _ in 0..5 {
        session.call("set", &[Val::U32(10)]).await.unwrap();
    }
    // What went over the limit was not done: the operation, not only the call, is refused.
    store.delete("key", "key".into()).await.unwrap();
    let empty = self::app(GUEST, Limits { keyvalue_ops: 0, ..Limits::default() }, &store);
    assert_eq!(hit(&empty, "set(1)").await.0, LimitHit::KeyvalueOps(0));
    assert_eq!(store.get("key", "key".into()).await.unwrap(), None);
}

#[tokio::test]
async fn computing_is_limited_apart_from_time() {
    let store = Arc::new(Memory::new());
    let cpu = Duration::from_millis(100);
    let app = app(GUEST, Limits { cpu, time: Duration::MAX, ..Limits::default() }, &store);
    let (limit, text) = hit(&app, "spin()").await;
    assert_eq!(limit, LimitHit::Cpu(cpu));
    let first = "the guest was stopped: the limit of 100 ms on its computing time was reached (--max-cpu)\n";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("\n  in the component, `spin`\n"), "{text}");
}

/// Two guests that compute on one thread take turns: each has used half of the time when the clock on the wall says all.
#[tokio::test]
async fn the_computing_of_others_does_not_count() {
    let store = Arc::new(Memory::new());
    let limits =
        Limits { cpu: Duration::from_millis(300), time: Duration::from_millis(450), ..Limits::default() };
    let app = app(GUEST, limits, &store);
    let (one, other) = tokio::join!(hit(&app, "spin()"), hit(&app, "spin()"));
    assert_eq!((one.0, other.0), (LimitHit::Time(limits.time), LimitHit::Time(limits.time)));
}

#[tokio::test]
async fn what_an_instance_is_made_of_is_limited_by_name() {
    let text = r#"(component
        (core module $m (memory 1) (table 1 funcref) (func (export "f")))
        (core instance (instantiate $m)) (core instance (instantiate $m)) (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    let store = Arc::new(Memory::new());
    for (limits, expected) in [
        (Limits { core_instances: 2, ..Limits::default() }, LimitHit::CoreInstances(2)),
        (Limits { memories: 2, ..Limits::default() }, LimitHit::Memories(2)),
        (Limits { tables: 2, ..Limits::default() }, LimitHit::Tables(2)),
        (Limits { table_elements: 2, ..Limits::default() }, LimitHit::TableElements(2)),
        (Limits { memory: 2 << 16, ..Limits::default() }, LimitHit::Memory(2 << 16)),
    ] {
        let (limit, text) = hit(&app(text, limits, &store), "f()").await;
        assert_eq!(limit, expected, "{text}");
        assert!(text.contains(expected.flag()), "{text}");
    }
}
