//! Two minutes of mixed load on a shop: swaps, hostile customers, a killed host; then the books.

use std::process::Command;

use e2e::project;

#[test]
#[ignore = "takes two minutes, on all processors: python3 tools/check.py besides"]
fn after_two_minutes_the_books_are_right() {
    project::ready();
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    let output = soak.args(["--for", "2m"]).current_dir(project::root()).output().unwrap();
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("\nbooks      right: "), "{text}{said}");
}
