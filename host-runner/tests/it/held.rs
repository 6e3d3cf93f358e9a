//! What guests have the host make in its own memory counts, at the moment that it is made.

use std::sync::{Arc, Mutex};

use crate::support::{Running, guest_that, start_guest};
use host_runner::blame::Kind;
use host_runner::{Failure, LimitHit, Limits, Setup};

const IMPORTS: &str = r#"
    (import "wasi:http/types@0.2.12" "[constructor]fields" (func $fields (result i32)))
    (import "wasi:http/types@0.2.12" "[resource-drop]fields" (func $drop-fields (param i32)))
    (import "wasi:http/types@0.2.12" "[method]fields.append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]fields.clone" (func $clone (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.body" (func $request-body (param i32 i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-method"
        (func $method (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-authority"
        (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.12" "[method]outgoing-request.set-path-with-query"
        (func $target (param i32 i32 i32 i32) (result i32)))
    (import "wasi:io/poll@0.2.12" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi:random/random@0.2.12" "get-random-bytes" (func $random (param i64 i32)))"#;

/// A guest that, by the first letter of the path, makes headers of 30,000 bytes without end (`F`), or makes and drops them a
/// thousand times (`D`); copies them without end (`C`); makes bodies without end (`B`); gives a request long texts, which are
/// refused (`L`), and shorter ones, which are not; waits for 20,000 pollables in one call (`O`); and asks for more random bytes
/// than are made at once (`R`).
fn greedy() -> Vec<u8> {
    let fill = "(i32.store8 (i32.const 65535) (i32.const 47)) (memory.fill (i32.const 65536) (i32.const 97) (i32.const 100000))";
    let made = "(local.set $stream (call $fields))
        (call $append (local.get $stream) (i32.const 65536) (i32.const 1) (i32.const 65536) (i32.const 30000)
            (i32.const 1024))
        (if (i32.load8_u (i32.const 1024)) (then unreachable))";
    // Each takes its text as an option, or as the case of a variant that has one. A path begins with a slash.
    let texts: String = [("method", 9, 65_536, 1_024), ("authority", 1, 65_536, 1_024), ("target", 1, 65_535, 16_384)]
        .into_iter()
        .map(|(function, case, at, most)| {
            let call = |length: u32| {
                format!("(call ${function} (local.get $stream) (i32.const {case}) (i32.const {at}) (i32.const {length}))")
            };
            format!(
                "(if {} (then unreachable)) (if (i32.eqz {}) (then unreachable))",
                call(most),
                call(most + 1)
            )
        })
        .collect();
    let ways = [
        ('F', format!("(loop $more {made} (br $more))")),
        (
            'D',
            format!(
                "(loop $more {made} (call $drop-fields (local.get $stream))
                    (global.set $times (i32.add (global.get $times) (i32.const 1)))
                    (br_if $more (i32.lt_u (global.get $times) (i32.const 3000))))"
            ),
        ),
        ('C', format!("{made} (loop $more (drop (call $clone (local.get $stream))) (br $more))")),
        (
            'B',
            "(loop $more (call $request-body (call $request (call $fields)) (i32.const 1024)) (br $more))"
                .into(),
        ),
        ('L', format!("(local.set $stream (call $request (call $fields))) {texts}")),
        (
            'O',
            "(local.set $stream (call $after (i64.const 0)))
            (loop $more
                (i32.store (i32.add (i32.const 65536) (i32.mul (global.get $times) (i32.const 4)))
                    (local.get $stream))
                (global.set $times (i32.add (global.get $times) (i32.const 1)))
                (br_if $more (i32.lt_u (global.get $times) (i32.const 20000))))
            (call $poll (i32.const 65536) (i32.const 20000) (i32.const 1024))"
                .into(),
        ),
        ('R', "(call $random (i64.const 33554433) (i32.const 1024))".into()),
    ];
    let does: String = ways
        .iter()
        .map(|(letter, does)| {
            let letter = u32::from(*letter);
            format!("(if (i32.eq (local.get $letter) (i32.const {letter})) (then {fill} {does}))")
        })
        .collect();
    let times = "(global $times (mut i32) (i32.const 0)) (global $headers";
    guest_that(IMPORTS, &does, |text| text.replacen("(global $headers", times, 1))
}

async fn start(limits: Limits) -> (Running, Arc<Mutex<Vec<Failure>>>) {
    let failures: Arc<Mutex<Vec<Failure>>> = Arc::default();
    let told = Arc::clone(&failures);
    let setup = Setup { limits, ..Setup::default() };
    let tell = move |failure: &Failure| told.lock().unwrap().push(failure.clone());
    (start_guest(&greedy(), setup, None, tell).await, failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_host_holds_for_an_instance_is_limited() {
    let limits = Limits::default();
    let (server, failures) = start(limits).await;
    for path in ["Fields", "Clones", "Bodies"] {
        assert!(server.ask(path).await.starts_with("HTTP/1.1 500 "), "{path}");
        let failure = failures.lock().unwrap().pop().unwrap();
        let hit = LimitHit::HostMemory(limits.host_memory);
        assert_eq!(
            failure.blame.as_ref().map(|blame| blame.kind),
            Some(Kind::Limit(hit)),
            "{path}: {failure:?}"
        );
        assert!(failure.reason.contains("the limit of 32 MiB on what the host holds for it"), "{failure:?}");
    }
    // A hundred megabytes, one after the other.
    assert!(server.ask("Dropped").await.contains("hello"), "{failures:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_texts_are_as_long_as_servers_take_them() {
    let (server, failures) = start(Limits::default()).await;
    assert!(server.ask("Long").await.contains("hello"), "{failures:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_call_makes_the_host_do_no_more_than_all_may() {
    let limits = Limits { host_memory: 1 << 20, ..Limits::default() };
    let (server, failures) = start(limits).await;
    for (path, hit) in [("Often", Some(LimitHit::HostHandles(limits.host_handles))), ("Random", None)] {
        assert!(server.ask(path).await.starts_with("HTTP/1.1 500 "), "{path}");
        let failure = failures.lock().unwrap().pop().unwrap();
        if let Some(hit) = hit {
            assert_eq!(failure.blame.as_ref().map(|blame| blame.kind), Some(Kind::Limit(hit)), "{failure:?}");
        }
    }
    server.stop().await;
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_held_goes_back_to_the_system() {
    let (server, _) = start(Limits::default()).await;
    assert!(server.ask("ok").await.contains("hello"));
    let before = resident();
    for _ in 0..3 {
        let asked = ["Fields", "Clones", "Bodies"].iter().cycle().take(24).map(|path| server.ask(path));
        for answer in futures::future::join_all(asked).await {
            assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        }
    }
    let back = async {
        while resident() > before + (64 << 20) {
            tokio::task::yield_now().await;
        }
    };
    let outcome = tokio::time::timeout(std::time::Duration::from_secs(60), back).await;
    assert!(outcome.is_ok(), "{} MiB before, and {} after", before >> 20, resident() >> 20);
    server.stop().await;
}
