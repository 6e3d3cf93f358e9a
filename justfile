# The index of commands. `./just` does the same as `just`, and brings its own where none is installed.

set shell := ["sh", "-eu", "-c"]
set positional-arguments

python := env("PYTHON", "python3")

# A target directory set elsewhere would hide the products from the tools that look for them here.
export CARGO_TARGET_DIR := justfile_directory() / "target"

composer := "target/release/composer"
host := "target/release/host-runner"

# Lists the commands
[private]
default:
    @"{{ just_executable() }}" --justfile "{{ justfile() }}" --list --unsorted

# Puts all tools in place and builds the two commands (idempotent)
[group("start here")]
setup:
    @"{{ python }}" tools/setup.py

# Shows the whole shop at work: five compositions, one cart, one total
[group("start here")]
demo: setup
    @cargo run --quiet --release --locked -p e2e --bin demo

# Builds the shop, loads the catalogue once, and serves it to your browser
[group("start here")]
serve *ARGS: setup
    @cargo run --quiet --release --locked -p e2e --bin serve-shop -- "$@"

# Builds the components and compositions of interlock.toml, all or those named
[group("build")]
build *NAMES: setup
    @{{ composer }} build "$@"

# Composes a .wac file: just compose FILE.wac -o OUT.wasm [-d PKG=FILE]...
[group("build")]
compose *ARGS: setup
    @{{ composer }} compose "$@"

# Shows what a component imports, exports and is made of: just inspect FILE [--json]
[group("build")]
inspect *ARGS: setup
    @{{ composer }} inspect "$@"

# Builds the Rust components with cargo-component, and compares (installs it on first use: some minutes)
[group("build")]
cargo-component: setup
    @"{{ python }}" tools/setup.py tests
    @"{{ python }}" tools/check.py cargo-component

# Deletes everything that was built; the installed tools stay
[group("build")]
clean:
    find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +

# Runs every test: the native ones, each guest language's own, and end to end
[group("check")]
test *PARTS: setup
    @"{{ python }}" tools/setup.py tests
    @"{{ python }}" tools/check.py test "$@"

# Checks formatting and lints, with no warning allowed
[group("check")]
lint: setup
    @"{{ python }}" tools/check.py lint

# Compares what check says with what the engine says, on pairs made by chance: just oracle [--seed N] [--pairs N] [--threads N]
[group("check")]
oracle *ARGS:
    @"{{ python }}" tools/setup.py tests
    @"{{ python }}" tools/oracle.py "$@"

# Fuzzes what reads foreign bytes: just fuzz [TARGET...] [--seconds N]
[group("check")]
fuzz *ARGS:
    @"{{ python }}" tools/setup.py tests
    @"{{ python }}" tools/fuzz.py "$@"

# Puts mixed load on a shop while its pricing is swapped and its host killed, and looks at the books: just soak [--for 8h]
[group("check")]
soak *ARGS: build
    @cd tests && ../{{ composer }} build
    @cargo run --quiet --release --locked -p e2e --bin soak -- "$@"

# Formats all Rust sources
[group("check")]
fmt:
    cargo fmt --all

# Measures what composing costs, beside the stock wac: just bench [--runs N]
[group("check")]
bench *ARGS: build
    @"{{ python }}" benches/composing.py "$@"

# Measures what serving costs, beside the stock wasmtime serve: just bench-serving [requests|start]
[group("check")]
bench-serving *ARGS: build
    @"{{ python }}" tools/setup.py wasmtime
    @"{{ python }}" benches/peer.py "$@"

# Compares the vendored WIT packages with what their registries publish
[group("check")]
wit-verify: setup
    @"{{ python }}" tools/wit_deps.py verify

# Runs every command of composer on components that other people published (fetches 65 MB once)
[group("check")]
third-party: setup
    @"{{ python }}" tools/setup.py tests
    @"{{ python }}" tools/check.py third-party

# Everything that CI runs
[group("check")]
ci:
    @.ci/run

# What CI runs after the tests: lints, contracts, other people's components and tools, demo, soak, new seeds, fuzzing
[private]
after-tests:
    @"{{ python }}" tools/check.py rest
