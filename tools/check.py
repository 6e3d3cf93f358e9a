"""Runs the tests and checks of the project, part by part, and says what ran.

    python3 tools/check.py test [PART...]     the tests: native, languages, build, e2e, long
    python3 tools/check.py lint               formatting and lints
    python3 tools/check.py cargo-component    the Rust components once more, with cargo-component
    python3 tools/check.py wac                the shipped compositions once more, with the stock wac
    python3 tools/check.py third-party        every command of composer on components that nobody here built
    python3 tools/check.py fuzz               a bounded run of every fuzz target
    python3 tools/check.py soak               two minutes of mixed load on a shop, and a look at its books
    python3 tools/check.py rest               what CI runs after the tests, then the totals of everything

A part has a budget of minutes on a bare two-core machine: to overrun it is a warning. A part in which nothing ran has
failed, whatever its exit code: a test that was not found is not a test that passed. The whole output of each part is
kept in target/check/PART.log.

CI_BEGAN tells when CI began, in seconds of the epoch. On a machine so slow that an hour has passed since then, what comes
after the tests is left out, and the table and a warning name it; the parts in which guests mean harm, `long` and `soak`,
have some minutes more. Without it everything is run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import fuzz as fuzzing

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "target"
LOGS = TARGET / "check"
RESULTS = LOGS / "results.json"
CARGO_TOOLS = TARGET / "tools" / "cargo"
GUEST_PYTHON = TARGET / "tools" / "python" / "bin" / "python"
COMPOSER = TARGET / "release" / "composer"

# Pinned: the two commands that other people compose with, which this project is compared to.
CARGO_COMPONENT = ("cargo-component", "0.21.1")
WAC = ("wac-cli", "0.12.0")
# How long each fuzz target runs; as many run side by side as there are cores.
FUZZ_SECONDS = 10
# Minutes after the beginning of CI in which parts begin that can be left out; longer for those in which guests mean harm.
LONGEST = 60
LATEST = {"long": 68, "soak": 72}
# The end-to-end tests that take minutes each.
LONG = ("hostile", "reuse", "scaffold")
# How long the shop is under load.
SOAK = "2m"
RUST_COMPONENTS = ("storage", "orders", "pricing-rust")


# ---- counting ----------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """How many tests ran, of which how many failed."""

    passed: int = 0
    failed: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed


def count_cargo(text):
    """The sum of all `test result:` lines. An ignored test counts as failed: nothing here is allowed to hide."""
    count = Count()
    for passed, failed, ignored in re.findall(
        r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored", text, re.M
    ):
        count.add(Count(int(passed), int(failed) + int(ignored)))
    return count


def count_unittest(text):
    count = Count()
    for ran in re.findall(r"^Ran (\d+) tests? in ", text, re.M):
        count.passed += int(ran)
    for details in re.findall(r"^(?:FAILED|OK) \((.*)\)$", text, re.M):
        bad = sum(int(number) for number in re.findall(r"(?:failures|errors|skipped)=(\d+)", details))
        count.add(Count(-bad, bad))
    return count


def count_node(text):
    """node --test with its spec reporter; skipped and todo are no passes."""
    count = Count()
    for key, number in re.findall(r"^ℹ (pass|fail|cancelled|skipped|todo) (\d+)$", text, re.M):
        if key == "pass":
            count.passed += int(number)
        else:
            count.failed += int(number)
    return count


def count_zig(text):
    count = Count()
    for passed in re.findall(r"^All (\d+) tests passed\.", text, re.M):
        count.passed += int(passed)
    for passed, skipped, failed in re.findall(r"^(\d+) passed; (\d+) skipped; (\d+) failed\.", text, re.M):
        count.add(Count(int(passed), int(skipped) + int(failed)))
    return count


def suites(text):
    """Test count by test program, in the order in which cargo ran them."""
    found = []
    for name, body in re.findall(
        r"^\s+(?:Running|Doc-tests) (?:unittests )?(\S+).*\n((?:(?!^\s+(?:Running|Doc-tests) ).*\n?)*)", text, re.M
    ):
        count = count_cargo(body)
        if count.passed or count.failed:
            found.append((Path(name).stem, count))
    return found


# ---- running -----------------------------------------------------------------------------------------------------


@dataclass
class Part:
    """One line of the table at the end."""

    name: str
    budget: float
    count: Count = field(default_factory=Count)
    seconds: float = 0.0
    problems: list = field(default_factory=list)
    suites: list = field(default_factory=list)
    left_out: bool = False


class Runner:
    """Runs the commands of one part: their output goes to the terminal and to the part's log."""

    def __init__(self, part):
        self.part = part
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = (LOGS / f"{part.name}.log").open("w", encoding="utf-8")

    def say(self, text):
        print(text, flush=True)
        self.log.write(text + "\n")
        self.log.flush()

    def run(self, command, counter=None, cwd=ROOT, env=None):
        """Runs a command to its end and gives its output; a failure or an empty count is noted, not raised."""
        shown = " ".join(str(word) for word in command)
        shown = shown.replace(str(ROOT) + "/", "")
        self.say(f"$ {shown}" + (f"   (in {cwd.relative_to(ROOT)})" if cwd != ROOT else ""))
        lines = []
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=dict(os.environ, **{"CARGO_TARGET_DIR": str(TARGET), "CARGO_TERM_COLOR": "never", **(env or {})}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self.part.problems.append(f"`{shown}` cannot be run: {error}")
            self.part.count.failed += 1 if counter else 0
            return False, ""
        with process:
            for line in process.stdout:
                lines.append(line)
                sys.stdout.write(line)
                sys.stdout.flush()
                self.log.write(line)
        code = process.returncode
        text = "".join(lines)
        count = counter(text) if counter else None
        if count:
            self.part.count.add(count)
            self.part.suites += suites(text)
        if code != 0:
            self.part.problems.append(f"`{shown}` ended with exit code {code}")
            # With tests to count, the failure is among them, or the runner itself broke. Without, whoever
            # called decides what the failure means.
            if count and not count.failed:
                self.part.count.failed += 1
        elif count and not count.passed:
            self.part.problems.append(f"`{shown}` ran no test at all")
            self.part.count.failed += 1
        return code == 0, text

    def check(self, good, what):
        """One statement that is true or not, counted like a test."""
        self.say(("ok: " if good else "failed: ") + what)
        self.part.count.add(Count(1, 0) if good else Count(0, 1))
        if not good:
            self.part.problems.append(what)
        return good


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def run_part(name):
    budget, steps = PARTS[name]
    part = Part(name, budget)
    print(f"\n==== {name}: {steps.__doc__.strip().splitlines()[0]} (budget {budget:g} min)", flush=True)
    began = time.monotonic()
    runner = Runner(part)
    steps(runner)
    runner.log.close()
    part.seconds = time.monotonic() - began
    if part.count.passed + part.count.failed == 0:
        part.problems.append("nothing ran in this part")
        part.count.failed += 1
    if not part.count.failed:
        DONE.add(name)
    print(f"---- {name}: {part.count.passed} passed, {part.count.failed} failed in {clock(part.seconds)}", flush=True)
    return part


def run_part_in_time(name, began):
    """Runs a part, unless CI began too long ago."""
    if began is None or time.time() - float(began) < LATEST.get(name, LONGEST) * 60:
        return run_part(name)
    print(f"\n==== {name}: not run, no time is left", flush=True)
    return Part(name, PARTS[name][0], left_out=True)


# The parts that have run without a failure, in this call.
DONE = set()


# ---- the parts ---------------------------------------------------------------------------------------------------


def native(runner):
    """unit tests of the libraries, the commands and the Rust guests' plain logic"""
    # What components are pulled from in tests. Where it cannot be had, those tests say so.
    runner.run([sys.executable, "tools/setup.py", "registry"])
    # The default members, and then the guests: all at once would resolve other features for what runs at build time,
    # and build the engine a second time.
    runner.run(["cargo", "test", "--release", "--locked"], count_cargo)
    guests = [word for name in RUST_COMPONENTS for word in ("-p", name)]
    runner.run(["cargo", "test", "--release", "--locked", *guests], count_cargo)


def languages(runner):
    """each guest language's own runner, on that language's plain logic"""
    runner.run([sys.executable, "-m", "unittest", "discover", "-s", "tools", "-t", "tools"], count_unittest)
    good, _ = runner.run([sys.executable, "tests/pricing/reference.py", "check"])
    runner.check(good, "the table of pricing cases is what the reference computes")
    for name in ("pricing-python", "orders-python"):
        folder = ROOT / "components" / name
        runner.run([sys.executable, "-m", "unittest", "discover", "-s", "tests"], count_unittest, folder)
    for name in ("pricing-js", "storefront"):
        folder = ROOT / "components" / name
        runner.run(["node", "--test", "--test-reporter=spec"], count_node, folder)
    for test in sorted((ROOT / "components").glob("*-zig/src/*_test.zig")):
        runner.run([GUEST_PYTHON, "-m", "ziglang", "test", test.name], count_zig, test.parent, zig_cache())


def zig_cache():
    """Where composer has Zig keep what it builds, rather than in the sources and the user's home."""
    folder = str(TARGET / "build" / "zig-cache")
    return {"ZIG_GLOBAL_CACHE_DIR": folder, "ZIG_LOCAL_CACHE_DIR": folder}


def build(runner):
    """every component and composition of composer.toml"""
    good, _ = runner.run([COMPOSER, "build"])
    for folder in ["tests", "tests/wasi", "tests/config", "tests/hostile"]:
        fixtures, _ = runner.run([COMPOSER, "build"], cwd=ROOT / folder)
        runner.check(fixtures, f"composer build, in {folder}: the fixtures")
    if runner.check(good, "composer build"):
        for product in sorted(TARGET.glob("components/*.wasm")) + sorted(TARGET.glob("compositions/*.wasm")):
            runner.check(product.stat().st_size > 0, f"{product.relative_to(ROOT)}, {product.stat().st_size:,} bytes")


def e2e(runner):
    """real components, real processes, real HTTP"""
    names = sorted(path.stem for path in (ROOT / "tests" / "tests").glob("*.rs"))
    end_to_end(runner, [name for name in names if name not in LONG])


def long(runner):
    """the same, for what takes minutes: hostile guests, a thousand requests in one instance, projects begun anew"""
    end_to_end(runner, LONG)


def end_to_end(runner, names):
    # The part before has built everything; alone, this one builds for itself.
    built = {"E2E_BUILT": "1"} if "build" in DONE else {}
    chosen = [word for name in names for word in ("--test", name)]
    command = ["cargo", "test", "--release", "--locked", "-p", "e2e", "--features", "components", "--no-fail-fast"]
    runner.run([*command, *chosen], count_cargo, env=built)


def lint(runner):
    """formatting and lints, no warning allowed"""
    good, _ = runner.run(["cargo", "fmt", "--all", "--check"])
    runner.check(good, "rustfmt")
    # The same profile as everything else: no second build of the engine's build scripts.
    clippy = ["cargo", "clippy", "--release", "--locked", "--workspace", "--all-targets", "--all-features"]
    clippy += ["--", "-D", "warnings"]
    good, _ = runner.run(clippy)
    runner.check(good, "clippy")
    python = [str(path.relative_to(ROOT)) for path in tracked("*.py")]
    # `-` as a prefix keeps the compiled files out of the source folders.
    good, _ = runner.run([sys.executable, "-m", "compileall", "-q", *python], env={"PYTHONPYCACHEPREFIX": str(LOGS)})
    runner.check(good, f"{len(python)} Python files compile")
    scripts = tracked("*.js") + tracked("*.mjs")
    good = all([runner.run(["node", "--check", path.relative_to(ROOT)])[0] for path in scripts])
    runner.check(good, f"{len(scripts)} JavaScript files parse")


def tracked(pattern):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", pattern], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def wit(runner):
    """the vendored WIT packages, against what their registries publish"""
    good, _ = runner.run([sys.executable, "tools/wit_deps.py", "verify"])
    runner.check(good, "wit/deps is what was published")


def cargo_tool(runner, package):
    """Installs a command once, as it is published; gives its path, or None."""
    return install(runner, package, CARGO_TOOLS, {})


def cargo_tool_to_check(runner, package):
    """A command for what it answers and not for how fast: most of its build time is the optimiser's."""
    if stamp_of(CARGO_TOOLS, package).exists():
        return cargo_tool(runner, package)
    plain = {"OPT_LEVEL": "1", "LTO": "off", "CODEGEN_UNITS": "16", "DEBUG": "0"}
    return install(
        runner, package, CARGO_TOOLS / "plain", {f"CARGO_PROFILE_RELEASE_{key}": value for key, value in plain.items()}
    )


def stamp_of(root, package):
    name, version = package
    return root / f".{name}-{version}"


def install(runner, package, root, profile):
    """Installs a command once, under a folder of its own."""
    name, version = package
    stamp = stamp_of(root, package)
    if not stamp.exists():
        runner.say(f"installing {name} {version} from source, once (some minutes)")
        build_folder = root / "build"
        good, _ = runner.run(
            ["cargo", "install", "--locked", "--quiet", "--root", root, "--version", version, name],
            env={"CARGO_TARGET_DIR": str(build_folder), **profile},
        )
        if not good:
            return None
        stamp.touch()
        # Both share most of what they are built from, so the build folder stays until the second is done.
        if all(stamp_of(root, one).exists() or stamp_of(CARGO_TOOLS, one).exists() for one in (CARGO_COMPONENT, WAC)):
            shutil.rmtree(build_folder, ignore_errors=True)
    return root / "bin" / name.removesuffix("-cli")


def inspected(path):
    """A component's imports and exports, as composer sees them."""
    done = subprocess.run([COMPOSER, "inspect", path, "--json"], stdout=subprocess.PIPE, check=True)
    whole = json.loads(done.stdout)
    return sorted(whole["imports"]), sorted(whole["exports"])


def cargo_component(runner):
    """the Rust components built with cargo-component are the same to their neighbours"""
    command = cargo_tool_to_check(runner, CARGO_COMPONENT)
    if not runner.check(command is not None, "cargo-component is there"):
        return
    folder = TARGET / "cargo-component"
    names = [word for name in RUST_COMPONENTS for word in ("-p", name)]
    good, _ = runner.run(
        [command, "build", "--locked", "--target", "wasm32-unknown-unknown"]
        + ["--profile", "guest", *names],
        env={"CARGO_TARGET_DIR": str(folder)},
    )
    if not runner.check(good, "cargo component build"):
        return
    for name in RUST_COMPONENTS:
        product = folder / "wasm32-unknown-unknown" / "guest" / f"{name.replace('-', '_')}.wasm"
        compare(runner, product, TARGET / "components" / f"{name}.wasm", f"cargo component build of {name}")


def compare(runner, theirs, ours, what):
    """Their product and ours offer and want the same."""
    try:
        same = inspected(theirs) == inspected(ours)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        runner.say(str(error))
        same = False
    runner.check(same, f"{what}: same imports and exports as composer's")


def wac(runner):
    """the shipped .wac files compose with the stock wac command too"""
    stock = cargo_tool_to_check(runner, WAC)
    if not runner.check(stock is not None, "wac is there"):
        return
    folder = TARGET / "wac"
    folder.mkdir(exist_ok=True)
    for source in sorted((ROOT / "composer" / "compositions").glob("*.wac")):
        parts = sorted(set(re.findall(r"\bparts:([a-z0-9-]+)", source.read_text(encoding="utf-8"))))
        dependencies = [word for name in parts for word in ("-d", f"parts:{name}=target/components/{name}.wasm")]
        product = folder / f"{source.stem}.wasm"
        # Stock wac takes `-d` only for files and only where the text names no version; the WIT package of the target
        # world, which has one, it looks for in a folder named after package and version.
        text = source.read_text(encoding="utf-8")
        namespace, package, version = re.search(r"\btargets ([a-z-]+):([a-z-]+)/[a-z-]+@([0-9.]+);", text).groups()
        shutil.copytree(ROOT / "wit", folder / "deps" / namespace / package / version, dirs_exist_ok=True)
        command = [stock, "compose", source.relative_to(ROOT), "-o", product]
        good, _ = runner.run([*command, "--deps-dir", folder / "deps", *dependencies])
        if runner.check(good, f"wac compose {source.name}"):
            compare(runner, product, TARGET / "compositions" / product.name, f"wac compose of {source.name}")
    found_wiring(runner, stock, folder)
    # What docs/mistakes.md shows of the stock command is what it prints.
    mistakes = ["cargo", "test", "--release", "--locked", "--test", "mistakes"]
    runner.run(mistakes, count_cargo, env={"STOCK_WAC": str(stock)})


def found_wiring(runner, stock, folder):
    """A text that composer found for a bag of components composes to the same component, apart from custom sections."""
    names = ("storage", "orders", "pricing-zig", "storefront")
    parts = [TARGET / "components" / f"{name}.wasm" for name in names]
    ours, theirs, text = folder / "bag.wasm", folder / "bag-stock.wasm", folder / "bag.wac"
    good, _ = runner.run([COMPOSER, "compose", *parts, "-o", ours, "--emit-wac", text])
    if not runner.check(good, "composer compose of a bag"):
        return
    given = [f"parts:{part.stem}={part}" for part in parts] + [f"contract:bag={folder / 'bag.contract.wit'}"]
    dependencies = [word for one in given for word in ("-d", one)]
    good, _ = runner.run([stock, "compose", text, "-o", theirs, *dependencies])
    if runner.check(good, "wac compose of the text that was found"):
        same = sections(ours.read_bytes()) == sections(theirs.read_bytes())
        runner.check(same, "wac compose of the text that was found: the same bytes apart from custom sections")


def sections(binary):
    """The sections of a WebAssembly binary, without custom ones."""
    found, at = [], 8
    while at < len(binary):
        kind, size, shift, at = binary[at], 0, 0, at + 1
        while True:
            byte, at = binary[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if kind != 0:
            found.append((kind, binary[at : at + size]))
        at += size
    return found


def third_party(runner):
    """every command of composer on components that other people built"""
    good, _ = runner.run([sys.executable, "tools/third_party.py", "fetch"])
    if runner.check(good, "the third-party components are there, as locked"):
        command = ["cargo", "test", "--release", "--locked", "--test", "third_party"]
        runner.run(command, count_cargo, env={"THIRD_PARTY": "1"})


def fuzz(runner):
    """every parser of foreign bytes, under a fuzzer that is led by coverage"""
    try:
        command, env = fuzzing.build_command()
    except fuzzing.FuzzError as error:
        runner.check(False, str(error))
        return
    good, _ = runner.run(command, env=env)
    if not runner.check(good, "the fuzz targets build with instrumentation"):
        return
    for outcome in fuzzing.fuzz_all(fuzzing.TARGETS, FUZZ_SECONDS, os.cpu_count() or 1):
        if not runner.check(outcome.good and outcome.runs > 0, outcome.line()):
            runner.say(fuzzing.explain(outcome))


def soak(runner):
    """two minutes of mixed load: swaps, hostile customers, a killed host; then the books"""
    command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "e2e", "--bin", "soak", "--"]
    good, text = runner.run([*command, "--for", SOAK])
    runner.check(good and "\nbooks      right: " in text, "the books are right")


def demo(runner):
    """the demo, as its readers run it"""
    good, text = runner.run(["cargo", "run", "--quiet", "--release", "--locked", "-p", "e2e", "--bin", "demo"])
    runner.check(good, "the demo")
    shown = re.search(r"<!-- demo -->\n```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    runner.check(
        bool(shown) and timeless(shown.group(1)) in timeless(text),
        "what the README shows of the demo is what it printed, but for names, times and ports",
    )


def timeless(text):
    """An output of the demo without what differs from run to run."""
    text = re.sub(r"\b[a-z2-7]{26}\b", "ORDER", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)


# Budgets in minutes, on two cores with nothing cached but the downloads.
PARTS = {
    "native": (7, native),
    "languages": (2, languages),
    "build": (4, build),
    "e2e": (9, e2e),
    "long": (6, long),
    "lint": (5, lint),
    "wit": (1, wit),
    "cargo-component": (7, cargo_component),
    "wac": (7, wac),
    "third-party": (5, third_party),
    "fuzz": (5, fuzz),
    "soak": (4, soak),
    "demo": (2, demo),
}
TESTS = ("native", "languages", "build", "e2e", "long")
# The last ones are the first to be left out.
REST = ("soak", "lint", "wit", "demo", "cargo-component", "third-party", "fuzz", "wac")


# ---- reporting ---------------------------------------------------------------------------------------------------


def table(parts):
    lines = [f"{'part':<20} {'passed':>7} {'failed':>7} {'time':>7} {'budget':>8}"]
    for part in parts:
        if part.left_out:
            lines.append(f"{part.name:<20} {'not run: no time was left':>40}")
            continue
        late = "   over budget" if part.seconds > part.budget * 60 else ""
        lines.append(
            f"{part.name:<20} {part.count.passed:>7} {part.count.failed:>7} {clock(part.seconds):>7} "
            f"{part.budget:>4g} min{late}"
        )
        for name, count in part.suites if part.name in ("e2e", "long") else []:
            lines.append(f"  {name:<18} {count.passed:>7} {count.failed:>7}")
    return lines


def report(parts):
    """Prints the table, what went wrong, and the totals as the last line; gives the exit code."""
    print("\n" + "\n".join(table(parts)))
    total = Count()
    for part in parts:
        total.add(part.count)
        for problem in part.problems:
            print(f"error: {part.name}: {problem} (target/check/{part.name}.log)")
        if part.seconds > part.budget * 60:
            print(f"warning: {part.name} took {clock(part.seconds)}, its budget is {part.budget:g} min")
        if part.left_out:
            print(f"warning: {part.name} was not run: it could not begin within {LATEST.get(part.name, LONGEST)} minutes")
    print(f"\n{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or any(part.problems for part in parts) else 0


def load():
    """The parts that an earlier call left, so that CI ends with one table of everything."""
    if not RESULTS.exists():
        return []
    stored = json.loads(RESULTS.read_text())
    parts = []
    for entry in stored:
        entry["count"] = Count(**entry["count"])
        entry["suites"] = [(name, Count(**count)) for name, count in entry["suites"]]
        parts.append(Part(**entry))
    return parts


def main(arguments):
    command, names = (arguments[0] if arguments else ""), arguments[1:]
    if command == "test" and all(name in TESTS for name in names):
        before, wanted = [], names or TESTS
    elif command == "rest" and not names:
        before, wanted = load(), REST
        if not before:
            print("error: no test results in target/check: `./just test` comes first", file=sys.stderr)
            return 1
    elif command in PARTS and command not in TESTS and not names:
        before, wanted = [], [command]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    began = os.environ.get("CI_BEGAN")
    parts = before + [run_part_in_time(name, began if name == "long" or name in REST else None) for name in wanted]
    if command == "test":
        RESULTS.write_text(json.dumps([asdict(part) for part in parts]))
    return report(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
