//! What guests print while they are served.

use crate::support::{Log, guest_that_prints, short, start_guest};
use host_runner::grants::Stdio;
use host_runner::{Grants, Limits, Setup};

fn setup(stdio: Stdio, limits: Limits) -> Setup {
    let grants = Grants { stdio: Some(stdio), ..Grants::default() };
    Setup { grants, limits, ..Setup::default() }
}

/// Serves one request on this thread, on which the log is taken.
async fn log_of(path: &str, setup: Setup) -> (String, String) {
    let log = Log::take(tracing::Level::INFO);
    let server = start_guest(&guest_that_prints(), setup, None, |_| {}).await;
    let answer = server.ask(path).await;
    server.stop().await;
    (answer, log.text())
}

#[tokio::test]
async fn each_line_is_logged_under_the_id_of_its_request() {
    let (answer, log) = log_of("print", setup(Stdio::Inherit, Limits::default())).await;
    assert!(answer.contains("hello"), "{answer}");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("stream=\"stdout\"")).collect();
    let [one, two] = &*lines else { panic!("{log}") };
    assert!(one.contains(": one id="), "{one}");
    assert!(two.contains(": two \\u{1b}[2J id="), "{two}");
    let id = |line: &str| line.split("id=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(id(one), id(two));
}

/// It prints until its time is up, and is failed for that: under the id of its lines.
#[tokio::test]
async fn a_guest_that_prints_without_end_fills_no_log() {
    let (answer, log) = log_of("Print", setup(Stdio::Inherit, Limits { output: 1_000, ..short() })).await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    let lines = log.lines().filter(|line| line.contains("stream=\"stdout\"")).count();
    assert!((100..=160).contains(&lines), "{lines}");
    assert_eq!(log.matches("printed more than 1000 bytes").count(), 1, "{log}");
    let id = answer.split("urn:uuid:").nth(1).unwrap().split('"').next().unwrap();
    assert!(log.matches(id).count() > lines, "{log}");
}

#[tokio::test]
async fn nothing_is_logged_where_the_streams_lead_nowhere() {
    let (answer, log) = log_of("print", setup(Stdio::Empty, Limits::default())).await;
    assert!(answer.contains("hello"), "{answer}");
    assert!(!log.contains("one"), "{log}");
}
