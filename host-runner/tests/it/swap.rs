//! Another component takes over while the server serves, and no request notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Running, guest, guest_saying, guest_that_prints, load, rest, start, start_guest};
use host_runner::grants::Stdio;
use host_runner::{App, Grants, Limits, Setup, SwapError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Long enough for any machine: what is waited for comes, or the test fails.
const LONG: Duration = Duration::from_secs(60);

fn app(bytes: &[u8]) -> App {
    load(bytes, Setup::default(), None)
}

/// A request whose guest waits for its body.
async fn half_asked(server: &Running) -> TcpStream {
    let before = server.swapper.in_flight();
    let head = b"POST /a HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab";
    let stream = server.send(head).await;
    let begun = async {
        while server.swapper.in_flight() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, begun).await.expect("it begins");
    stream
}

async fn answered(mut half: TcpStream) -> String {
    half.write_all(b"cd").await.unwrap();
    rest(&mut half).await
}

/// What cannot take over leaves the running one as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_take_over_leaves_the_running_one_in_place() {
    let setup =
        Setup { grants: Grants { stdio: Some(Stdio::Empty), ..Grants::default() }, ..Setup::default() };
    let server = start_guest(guest(), setup.clone(), None, |_| {}).await;
    let no_handler = wat::parse_str("(component)").unwrap();
    let error = server.swapper.swap(app(&no_handler)).await.unwrap_err();
    assert!(matches!(error, SwapError::Serve(_)), "{error}");
    assert!(error.to_string().contains("does not answer HTTP requests"), "{error}");
    let more = load(&guest_that_prints(), setup.clone(), None);
    let error = server.swapper.swap(more.clone()).await.unwrap_err();
    let SwapError::AsksForMore { growth, .. } = &error else { panic!("{error}") };
    assert_eq!(growth.imports[0].grant, Some("stdio"));
    assert!(error.to_string().contains("wasi:cli/stdout@0.2.12 (grant stdio)"), "{error}");
    assert!(server.ask("ok").await.ends_with("hello\r\n0\r\n\r\n"));
    // Where that is meant, it may.
    assert!(server.swapper.clone().asking_more(true).swap(more).await.unwrap().changed);
    assert!(server.ask("ok").await.ends_with("hello\r\n0\r\n\r\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_does_not_start_does_not_take_over() {
    let server = start(Limits::default()).await;
    let text = wasmprinter::print_bytes(guest()).unwrap();
    // The start function of the guest's module.
    let begins = text.replacen("(func $begin", "(func $fails unreachable) (start $fails) (func $begin", 1);
    assert_ne!(begins, text, "the guest has the function");
    let error = server.swapper.swap(app(&wat::parse_str(begins).unwrap())).await.unwrap_err();
    assert!(error.to_string().contains("does not start"), "{error}");
    assert!(server.ask("ok").await.contains("hello"));
    server.stop().await;
}

/// A guest that exports a function besides its handler.
fn with_export(name: &str, result: &str) -> Vec<u8> {
    let text = wasmprinter::print_bytes(guest()).unwrap();
    let text = text.trim_end().strip_suffix(')').unwrap();
    let export = format!(
        "(core module $more (func (export \"f\") (result i32) i32.const 1))
         (core instance $more (instantiate $more))
         (func (export \"{name}\") (result {result}) (canon lift (core func $more \"f\"))))"
    );
    wat::parse_str(format!("{text}{export}")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_running_one_exports_stays_exported() {
    let server = start_guest(&with_export("version", "u32"), Setup::default(), None, |_| {}).await;
    for (bytes, said) in [
        (guest().to_vec(), "all that the running component does: `version`. "),
        (with_export("versions", "u32"), "`version`. "),
        (
            with_export("version", "s32"),
            "`version` (it has `version() -> s32`, and not `version() -> u32`). ",
        ),
    ] {
        let error = server.swapper.swap(app(&bytes)).await.unwrap_err();
        assert!(matches!(error, SwapError::Exports { .. }) && error.to_string().contains(said), "{error}");
    }
    server.stop().await;
    // More may be exported.
    let server = start(Limits::default()).await;
    assert!(server.swapper.swap(app(&with_export("version", "u32"))).await.unwrap().changed);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_end_on_the_component_that_they_began_on() {
    let server = start(Limits::default()).await;
    let before = half_asked(&server).await;
    let swapped = server.swapper.swap(app(&guest_saying("world"))).await.unwrap();
    assert!(swapped.changed && swapped.digest != swapped.before, "{swapped:?}");
    assert!(server.ask("ok").await.ends_with("world\r\n0\r\n\r\n"));
    assert!(answered(before).await.ends_with("hello\r\n0\r\n\r\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_component_is_not_swapped_with_itself() {
    let server = start(Limits::default()).await;
    let swapped = server.swapper.swap(app(guest())).await.unwrap();
    assert!(!swapped.changed && swapped.digest == swapped.before && swapped.digest.is_some(), "{swapped:?}");
    server.stop().await;
}

/// Each of them holds the memory of its instances.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_components_are_on_their_way_out() {
    let server = start(Limits::default()).await;
    let mut waiting = Vec::new();
    for word in ["one11", "two22", "three", "four4"] {
        waiting.push(half_asked(&server).await);
        server.swapper.swap(app(&guest_saying(word))).await.unwrap();
    }
    waiting.push(half_asked(&server).await);
    let error = server.swapper.swap(app(&guest_saying("five5"))).await.unwrap_err();
    assert!(matches!(error, SwapError::Busy), "{error}");
    for (half, word) in waiting.into_iter().zip(["hello", "one11", "two22", "three", "four4"]) {
        let answer = answered(half).await;
        assert!(answer.ends_with(&format!("{word}\r\n0\r\n\r\n")), "{answer}");
    }
    // With the last request the component goes, a moment after its answer.
    while let Err(error) = server.swapper.swap(app(&guest_saying("five5"))).await {
        assert!(matches!(error, SwapError::Busy), "{error}");
    }
    assert!(server.ask("ok").await.contains("five5"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_waits_for_requests_on_a_component_that_was_swapped_out() {
    let server = start(Limits::default()).await;
    let before = half_asked(&server).await;
    server.swapper.swap(app(&guest_saying("world"))).await.unwrap();
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(address).await.is_ok() {}
    assert!(!stopping.is_finished());
    assert!(answered(before).await.ends_with("hello\r\n0\r\n\r\n"));
    stopping.await.unwrap();
}

/// What took over then would have to be waited for, and would answer nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_takes_no_other_component() {
    let mut server = start(Limits::default()).await;
    let before = half_asked(&server).await;
    assert!(server.swapper.ready().is_ok());
    server.begin_to_stop();
    while TcpStream::connect(server.address).await.is_ok() {}
    assert!(matches!(server.swapper.ready(), Err(SwapError::Stopping)));
    for bytes in [guest(), &guest_saying("world")[..]] {
        let error = server.swapper.swap(app(bytes)).await.unwrap_err();
        assert!(matches!(error, SwapError::Stopping), "{error}");
    }
    assert!(answered(before).await.ends_with("hello\r\n0\r\n\r\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_together_run_no_more_guests_than_one_alone() {
    // What fits into the pool of each of them is less in the second case, and it is all the same to the server. Half of
    // its places are for requests that are only half there.
    for (concurrency, fits) in [(4, 8), (12, 8)] {
        let limits = Limits { concurrency, queue: 0, ..Limits::default() };
        let server = start(limits).await;
        let mut old = Vec::new();
        for _ in 0..concurrency.min(fits) / 2 - 1 {
            old.push(half_asked(&server).await);
        }
        let world = load(&guest_saying("world"), Setup { limits, ..Setup::default() }, None);
        server.swapper.swap(world).await.unwrap();
        let mut new = Vec::new();
        while server.swapper.in_flight() < concurrency / 2 {
            new.push(half_asked(&server).await);
        }
        assert!(!new.is_empty());
        let mut one_too_many = server
            .send(b"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
            .await;
        let mut head = [0; 12];
        one_too_many.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 503");
        assert!(answered(old.pop().unwrap()).await.ends_with("hello\r\n0\r\n\r\n"));
        // The place comes free a moment after the answer.
        let answer = async {
            loop {
                let answer = server.ask("ok").await;
                if !answer.starts_with("HTTP/1.1 503 ") {
                    return answer;
                }
            }
        };
        let answer = tokio::time::timeout(LONG, answer).await.expect("there is a place again");
        assert!(answer.ends_with("world\r\n0\r\n\r\n"), "{answer}");
        for (halves, word) in [(old, "hello"), (new, "world")] {
            for half in halves {
                let answer = answered(half).await;
                assert!(answer.ends_with(&format!("{word}\r\n0\r\n\r\n")), "{answer}");
            }
        }
        server.stop().await;
    }
}

/// Under load, a hundred times: every answer is that of one of the two, and none is an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_components_are_swapped() {
    let server = start(Limits::default()).await;
    let apps = [app(&guest_saying("world")), app(guest())];
    // Whether both components have answered: however slow the machine, swapping goes on until then.
    let both = Arc::new(AtomicBool::new(false));
    let swapping = {
        let (swapper, both) = (server.swapper.clone(), Arc::clone(&both));
        tokio::spawn(async move {
            let mut done = 0;
            while done < 100 || !both.load(Ordering::Acquire) {
                match swapper.swap(apps[done % 2].clone()).await {
                    Ok(swapped) => {
                        assert!(swapped.changed);
                        done += 1;
                    }
                    Err(error) => assert!(matches!(error, SwapError::Busy), "{error}"),
                }
                tokio::task::yield_now().await;
            }
        })
    };
    let mut words = std::collections::BTreeMap::new();
    while !swapping.is_finished() {
        for answer in futures::future::join_all((0..4).map(|_| server.ask("ok"))).await {
            let word = ["hello", "world"].into_iter().find(|word| answer.contains(word));
            *words.entry(word.unwrap_or_else(|| panic!("{answer}"))).or_insert(0) += 1;
        }
        both.store(words.len() == 2, Ordering::Release);
    }
    swapping.await.unwrap();
    assert_eq!(words.len(), 2, "{words:?}");
    server.stop().await;
}
