"""Runs the checks of the project, part by part, and prints a table of what ran.

    python3 tools/check.py test [PART...]     the tests: native, languages, build, e2e
    python3 tools/check.py rest               the other checks, then the table of everything
    python3 tools/check.py PART               one part: also lint, wit, third-party, besides, cargo-component, oracle,
                                              fuzz

The work is done by others: cargo-nextest, the runners of the guest languages, clippy, cargo-fuzz. A part fails when one
of its commands fails, or when no test ran in it. target/check/PART.log has the whole output of each part.
"""

import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
LOGS = TARGET / "check"
RESULTS = LOGS / "results.json"
TOOLS = TARGET / "tools"
GUEST_PYTHON = TOOLS / "python" / "bin" / "python"
COMPOSER = TARGET / "release" / "composer"

GUESTS = [word for name in ("storage", "orders", "pricing-rust") for word in ("-p", name)]
# How many pairs of fresh seeds CI has `check` and the engine compared on.
ORACLE_PAIRS = 20_000
# How long CI runs each fuzz target, in seconds.
FUZZ_SECONDS = 10

# The numbers of tests that passed and that did not, as each runner prints them. A skipped test counts as failed, except
# those that cargo-nextest was not asked for. unittest counts those that failed among those that ran.
SUMMARIES = [
    (r"^ +Summary \[.* (\d+) passed", r"^ +Summary \[.*?(?: (\d+) failed)?(?:, (\d+) timed out)?, \d+ skipped"),  # nextest
    (r"^test result: .* (\d+) passed", r"^test result: .* (\d+) failed; (\d+) ignored"),  # rustdoc
    (r"^Ran (\d+) tests? in ", r"(?!)"),  # unittest
    (r"^ℹ pass (\d+)$", r"^ℹ (?:fail|cancelled|skipped|todo) (\d+)$"),  # node --test
    (r"^(?:All )?(\d+) (?:tests )?passed[.;]", r"^\d+ passed; (\d+) skipped; (\d+) failed"),  # zig test
    (r"^fuzzing: (\d+) targets held", r"^fuzzing: .* (\d+) failed"),  # tools/fuzz.py
]
UNITTEST = r"^(?:FAILED|OK) \((.*)\)$", r"(?:failures|errors|skipped)=(\d+)"


def count(text):
    """How many tests passed and how many did not, by all summaries in an output."""

    def numbers(pattern):
        return [int(number or 0) for found in re.finditer(pattern, text, re.M) for number in found.groups()]

    passed, failed = (sum(sum(numbers(pair[side])) for pair in SUMMARIES) for side in (0, 1))
    details = " ".join(re.findall(UNITTEST[0], text, re.M))
    bad = sum(map(int, re.findall(UNITTEST[1], details)))
    return passed - bad, failed + bad


# What a command is that neither runs tests nor is a check itself.
SETUP = object()


class Part:
    """A line of the table, and the log of its commands."""

    def __init__(self, name, passed=0, failed=0, seconds=0.0):
        self.name, self.passed, self.failed, self.seconds = name, passed, failed, seconds

    def run(self, *command, cwd=ROOT, env=None, what=None):
        """Runs a command to its end. It counts the tests that it ran; or, where it is a check itself, as one."""
        words = [str(word) for word in command]
        print("$", " ".join(words).replace(f"{ROOT}/", ""), f"  (in {cwd.relative_to(ROOT)})", flush=True)
        env = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "CARGO_TERM_COLOR": "never", **(env or {})}
        # Behind the user's own: the directory has a Python too.
        env["PATH"] = f"{env['PATH']}{os.pathsep}{TOOLS / 'test' / 'bin'}"
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        lines = []
        code = None
        with (LOGS / f"{self.name}.log").open("a", encoding="utf-8") as log:
            try:
                with subprocess.Popen(words, cwd=cwd, env=env, text=True, errors="replace", **pipes) as process:
                    for line in process.stdout:
                        lines.append(line)
                        log.write(line)
                        print(line, end="", flush=True)
                code = process.returncode
            except OSError as error:
                print(f"error: {self.name}: {error}")
        passed, failed = (int(code == 0), 0) if what else count("".join(lines))
        # A runner that breaks without a failed test has failed too, and so has one that found no test.
        if failed == 0 and (code != 0 or passed == 0 and what is not SETUP):
            failed = 1
            print(f"error: {self.name}: exit code {code}, {passed} passed (target/check/{self.name}.log)", flush=True)
        self.passed += passed if what is not SETUP else 0
        self.failed += failed
        return code == 0


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def run_part(name):
    """Runs a part, which fails where nothing ran in it."""
    steps = PARTS[name]
    print(f"\n==== {name}: {steps.__doc__}", flush=True)
    (LOGS / f"{name}.log").write_text("")
    part, began = Part(name), time.monotonic()
    steps(part)
    part.seconds = time.monotonic() - began
    if part.passed + part.failed == 0:
        print(f"error: {name}: no test ran (target/check/{name}.log)")
        part.failed = 1
    return part


def report(parts):
    """Prints the table, with the totals in its last line; returns the exit code."""
    print(f"\n{'part':<14} {'passed':>7} {'failed':>7} {'time':>7}")
    for part in parts:
        print(f"{part.name:<14} {part.passed:>7} {part.failed:>7} {clock(part.seconds):>7}")
    passed, failed = sum(part.passed for part in parts), sum(part.failed for part in parts)
    print(f"{'all':<14} {passed:>7} {failed:>7} {clock(sum(part.seconds for part in parts)):>7}")
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


# ---- the parts ---------------------------------------------------------------------------------------------------


def nextest(part, *arguments, env=None):
    """Tests of Rust. Many of them wait for processes, so more of them run at once than there are processors."""
    threads = ["--test-threads", 2 * (os.cpu_count() or 1)]
    return part.run("cargo", "nextest", "run", "--release", "--locked", *threads, *arguments, env=env)


# No single package is named: that would resolve other features, and build the engine a second time.
NATIVE = ["--tests", "--run-ignored", "all"]


def native(part):
    """unit and integration tests of the libraries, the commands and the plain logic of the Rust guests"""
    left_out = ["test(/^third_party::/)"]
    expected = "CI" in os.environ and (platform.system(), platform.machine()) == ("Linux", "x86_64")
    if not expected and not (TOOLS / "registry" / ".installed").exists():
        left_out.append("test(/^oci::/)")
    if os.geteuid() != 0:
        left_out.append("test(a_directory_or_a_key_of_somebody_else_is_refused)")
    print("left out here:", *left_out)
    nextest(part, *NATIVE, "-E", f"not ({' + '.join(left_out)})")
    part.run("cargo", "test", "--release", "--locked", "--doc")
    nextest(part, *GUESTS)


def languages(part):
    """the plain logic of each guest, by the test runner of its language; and the tools of the repository"""
    part.run(sys.executable, "-m", "unittest", "discover", "-s", "tools", "-t", "tools")
    part.run(sys.executable, "tests/pricing/reference.py", "check", what="the table of pricing cases")
    for name in ("pricing-python", "orders-python"):
        part.run(sys.executable, "-m", "unittest", "discover", "-s", "tests", cwd=ROOT / "components" / name)
    for name in ("pricing-js", "storefront"):
        part.run("node", "--test", "--test-reporter=spec", cwd=ROOT / "components" / name)
    # Where composer has Zig keep what it builds, rather than in the sources and the user's home.
    cache = str(TARGET / "build" / "zig-cache")
    env = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    for test in sorted((ROOT / "components").glob("*-zig/src/*_test.zig")):
        part.run(GUEST_PYTHON, "-m", "ziglang", "test", test.name, cwd=test.parent, env=env)


def build(part):
    """every component and composition of interlock.toml, and those of the tests"""
    for directory in (".", "tests", "tests/wasi", "tests/config", "tests/hostile"):
        part.run(COMPOSER, "build", cwd=ROOT / directory, what="composer build")
    for product in sorted([*TARGET.glob("components/*.wasm"), *TARGET.glob("compositions/*.wasm")]):
        size = product.stat().st_size
        print(f"{product.relative_to(ROOT)}: {size:,} bytes")
        part.passed, part.failed = part.passed + (size > 0), part.failed + (size == 0)


# End-to-end tests that need more than `./just test` installs, or that take minutes to check one thing.
BESIDES = "test(/^(demo|peers|soak)::/)"
EVERY = ["-p", "e2e", "--test", "it", "--run-ignored", "all"]


def e2e(part):
    """end-to-end tests: real components, real processes, real HTTP"""
    nextest(part, *EVERY, "-E", f"not {BESIDES}", env=built())


def built():
    """`composer build` ran before: the tests need not build the components themselves."""
    return {"E2E_BUILT": "1"} if "build" in DONE else {}


def cargo_component(part):
    """the Rust components, by cargo-component"""
    part.run(sys.executable, "tools/setup.py", "peers", what=SETUP)
    nextest(part, *EVERY, "-E", "test(/^peers::cargo_component/)", env=built())


def besides(part):
    """the demo, the soak, the Rust components by cargo-component, and the compositions by the stock wac"""
    part.run(sys.executable, "tools/setup.py", "peers", what=SETUP)
    nextest(part, *EVERY, "-E", BESIDES, env=built())
    # What docs/mistakes.md shows of the stock command is what it prints.
    wac = {"STOCK_WAC": str(TOOLS / "wac" / "bin" / "wac")}
    nextest(part, *NATIVE, "-E", "package(composer) & test(/^mistakes::/)", env=wac)


def third_party(part):
    """every command of composer on components that were built elsewhere"""
    if part.run(sys.executable, "tools/third_party.py", "fetch", what="the components are those of the lock"):
        nextest(part, *NATIVE, "-E", "test(/^third_party::/)")


def lint(part):
    """formatting and lints, with no warning allowed"""
    part.run("cargo", "fmt", "--all", "--check", what="rustfmt")
    # In the profile of everything else: the build scripts of the engine are built already.
    clippy = ["cargo", "clippy", "--release", "--locked"]
    part.run(*clippy, "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings", what="clippy")
    part.run(*clippy, "-p", "e2e", "--test", "it", "--", "-D", "warnings", what="clippy")
    # The libraries touch no system, so they also build where there is none.
    pure = ["cargo", "check", "--release", "--locked", "--target", "wasm32-unknown-unknown", "-p", "interlock-compose"]
    part.run(*pure, what="the libraries build for wasm32-unknown-unknown")
    part.run(sys.executable, "tools/structure.py", what="imports point downwards")
    command = ["git", "ls-files", "-z", "*.py", "*.js", "*.mjs"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [file for file in listed.split("\0") if file]
    python = [file for file in files if file.endswith(".py")]
    # The prefix keeps compiled files out of the source directories.
    cache = {"PYTHONPYCACHEPREFIX": str(LOGS)}
    part.run(sys.executable, "-m", "compileall", "-q", *python, env=cache, what="Python compiles")
    for file in files:
        if file not in python:
            part.run("node", "--check", file, what="JavaScript parses")


def wit(part):
    """the vendored WIT packages are those that were published"""
    part.run(sys.executable, "tools/wit_deps.py", "verify", what="wit/deps")


def oracle(part):
    """check against the engine, on seeds that the commit decides"""
    part.run(sys.executable, "tools/oracle.py", "--pairs", ORACLE_PAIRS)


def fuzz(part):
    """some seconds of every fuzz target"""
    part.run(sys.executable, "tools/fuzz.py", "--seconds", FUZZ_SECONDS)


PARTS = {
    "native": native,
    "languages": languages,
    "build": build,
    "e2e": e2e,
    "lint": lint,
    "wit": wit,
    "third-party": third_party,
    "besides": besides,
    "cargo-component": cargo_component,
    "oracle": oracle,
    "fuzz": fuzz,
}
TESTS = ("native", "languages", "build", "e2e")
# The parts that ran without a failure, in this call.
DONE = set()


def main(arguments):
    command, names = (arguments[0] if arguments else ""), arguments[1:]
    before = []
    if command == "test" and all(name in TESTS for name in names):
        wanted = names or TESTS
    elif command == "rest" and not names:
        if not RESULTS.exists():
            sys.exit("error: there are no results in target/check: `./just test` comes first")
        before = [Part(*result) for result in json.loads(RESULTS.read_text())]
        wanted = [name for name in PARTS if name not in (*TESTS, "cargo-component")]
    elif command in PARTS and not names:
        wanted = [command]
    else:
        sys.exit(__doc__)
    LOGS.mkdir(parents=True, exist_ok=True)
    parts = []
    for name in wanted:
        parts.append(run_part(name))
        if not parts[-1].failed:
            DONE.add(name)
    if command == "test":
        RESULTS.write_text(json.dumps([[part.name, part.passed, part.failed, part.seconds] for part in parts]))
    return report(before + parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
