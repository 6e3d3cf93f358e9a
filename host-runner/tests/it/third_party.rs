//! The scripts that `wasm-tools` publishes.

use std::path::Path;

#[test]
#[ignore = "needs the scripts that `python3 tools/third_party.py fetch` gets"]
fn published_scripts_return_what_they_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/third-party/scripts");
    let (read, called) = crate::scripts::run_all(&directory);
    assert!(read > 300 && called > 0, "{read} components, and {called} calls");
}
