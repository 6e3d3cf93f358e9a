//! Guests that may reach their own server, and ask it for something for each request.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Running, guest_that_asks_for, listen_on, load, rest};
use host_runner::grants::Authority;
use host_runner::observe::{Metrics, Observe};
use host_runner::{Grants, Limits, Server, Setup};
use tokio::net::TcpListener;

const LONG: Duration = Duration::from_secs(60);

/// A server of a guest that asks it for this path.
async fn asking_itself(path: &str, limits: Limits, observe: Arc<Observe>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let outbound: Vec<Authority> = vec![address.to_string().parse().unwrap()];
    let grants = Grants { outbound: Some(outbound), ..Grants::default() };
    let app = load(&guest_that_asks_for(address, path), Setup { grants, limits, ..Setup::default() }, None);
    listen_on(listener, Server::new(app).await.unwrap().observe(observe)).await
}

fn watched() -> (Arc<Observe>, impl Fn(&str) -> u64) {
    let metrics = Metrics::new();
    let observe = Arc::new(Observe { metrics: Some(Arc::clone(&metrics)), ..Observe::default() });
    (observe, move |name: &str| {
        let text = metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().unwrap())
    })
}

/// Whether the guest passes on what it was given or says nothing of it makes no difference, and what a client says counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_leads_to_itself_comes_to_an_end() {
    for path in ["/i", "/j"] {
        let (observe, number) = watched();
        let limits = Limits { time: LONG, depth: 2, ..Limits::default() };
        let server = asking_itself(path, limits, observe).await;
        let answer = tokio::time::timeout(LONG / 2, server.ask(&path[1..])).await.expect("it ends");
        assert!(answer.contains("hello"), "{answer}");
        assert_eq!(number("host_runner_turned_away_total{reason=\"depth\"}"), 1, "{path}");
        for (depth, status) in
            [("2", "200"), ("3", "508"), ("none", "508"), ("0\r\nHost-Runner-Depth: 0", "508")]
        {
            let request = format!(
                "GET /ok HTTP/1.1\r\nHost: here\r\nHost-Runner-Depth: {depth}\r\nConnection: close\r\n\r\n"
            );
            let answer = rest(&mut server.send(request.as_bytes()).await).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{depth}: {answer}");
        }
        server.stop().await;
    }
}

/// What comes from guests has half of the places, so a chain of requests leaves the other half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_guests_leave_places_for_clients() {
    let (observe, number) = watched();
    let limits = Limits { time: LONG, depth: u32::MAX, concurrency: 4, ..Limits::default() };
    let server = asking_itself("/i", limits, observe).await;
    // One of the client, two of guests, and one that waits.
    let chain = server.send(b"GET /i HTTP/1.1\r\nHost: here\r\n\r\n").await;
    while number("host_runner_queue") == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let answer = tokio::time::timeout(LONG / 2, server.ask("ok")).await.expect("there is a place");
    assert!(answer.contains("hello"), "{answer}");
    assert_eq!(number("host_runner_instances"), 3);
    drop(chain);
    drop(server);
}

/// It has closed the connection: nobody would take the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_client_has_gone_waits_no_longer() {
    let (observe, number) = watched();
    let limits = Limits { time: LONG, body_stall: LONG, concurrency: 1, ..Limits::default() };
    let server = asking_itself("/", limits, observe).await;
    let head = b"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
    let busy = server.send(head).await;
    while number("host_runner_instances") == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let waiting = server.send(b"GET /ok HTTP/1.1\r\nHost: here\r\n\r\n").await;
    while number("host_runner_queue") == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(waiting);
    let gone = async {
        while number("host_runner_queue") > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG / 2, gone).await.expect("it leaves the queue");
    assert_eq!(number("host_runner_turned_away_total{reason=\"client\"}"), 1);
    drop((busy, server));
}
