//! The checkout: its paths and products.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// The checkout's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a directory of the checkout")
}

/// A file or directory of the checkout.
pub fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// One of the two commands, as built by [`ready`].
pub fn command(name: &str) -> PathBuf {
    path("target/release").join(name)
}

/// A built component, of the shop or of `tests/hostile`.
pub fn component(name: &str) -> PathBuf {
    ready();
    path(&format!("target/components/{name}.wasm"))
}

/// A built composition.
pub fn composition(name: &str) -> PathBuf {
    ready();
    path(&format!("target/compositions/{name}.wasm"))
}

/// A fixture from `tests/interlock.toml`, or one of those in the directories `wasi` and `config` beside it.
pub fn fixture(name: &str) -> PathBuf {
    ready();
    path(&format!("target/fixtures/components/{name}.wasm"))
}

/// A guest of `tests/` as Cargo makes it for WASI 0.2, without any tool of this project: `reach`, `hostile-reaching` or
/// `hostile-web`.
pub fn program(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let packages = ["-p", "reach", "-p", "hostile-reaching", "-p", "hostile-web"];
        let options = ["build", "--profile", "guest", "--locked", "--quiet", "--target", "wasm32-wasip2"];
        cargo(&[&options[..], &packages].concat());
    });
    path("target/wasm32-wasip2/guest").join(format!("{}.wasm", name.replace('-', "_")))
}

/// Builds the commands, the components, the compositions and the fixtures, once a process.
///
/// A test that ran against yesterday's products would prove nothing; where nothing changed this takes less
/// than a second. Whoever has just built everything says so by the variable `E2E_BUILT`.
///
/// # Panics
/// When a build fails, with its output.
pub fn ready() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        if std::env::var_os("E2E_BUILT").is_some() {
            return;
        }
        cargo(&["build", "--release", "--locked", "--quiet"]);
        build(Command::new(command("composer")).arg("build"), root());
        for fixtures in ["tests", "tests/wasi", "tests/config", "tests/hostile"] {
            build(Command::new(command("composer")).arg("build"), &path(fixtures));
        }
    });
}

fn cargo(arguments: &[&str]) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo sets these variables for whatever it runs. Some build scripts (that of `ring`) run again when they change, and
    // both commands would be rebuilt.
    for (name, _) in std::env::vars_os() {
        let told = name.to_str().is_some_and(|name| {
            ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| name.starts_with(prefix))
        });
        if told {
            cargo.env_remove(name);
        }
    }
    build(cargo.args(arguments), root());
}

fn build(command: &mut Command, directory: &Path) {
    let output = command
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", path("target"))
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
