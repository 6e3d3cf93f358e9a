"""Builds the fuzz targets with instrumentation, and runs them.

    python3 tools/fuzz.py run [TARGET...] [--seconds N] [--jobs N]   fuzz, all targets or those named (10 seconds each)
    python3 tools/fuzz.py replay TARGET FILE...                      put files through a target once more
    python3 tools/fuzz.py shrink TARGET FILE [--seconds N]           look for a smaller file that breaks the same
    python3 tools/fuzz.py keep TARGET                                add what was found to the corpus in fuzz/corpus
    python3 tools/fuzz.py build                                      only build

The fuzzer is libFuzzer, on stable Rust: rustc instruments by flags, and the runtime comes with the crate libfuzzer-sys. It
is C++: compiled with `c++` where that is on PATH, and otherwise with the Zig that set-up put below target/tools.

What is found goes to target/fuzz/found, what covers something new to target/fuzz/corpus: a later run goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "target" / "fuzz"
PYTHON = ROOT / "target" / "tools" / "python" / "bin" / "python"

TARGETS = (
    "anatomy",
    "inspect",
    "decompose",
    "deny",
    "check",
    "compose",
    "diff",
    "link-map",
    "wac",
    "wit",
    "lock",
    "manifest",
)
# Counters for every edge, and what comparisons compare.
COVERAGE = (
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
)
# What one input may take: seconds, and megabytes of the whole process. The harness counts memory for itself, and is
# stricter; this is for what it does not see.
TIMEOUT = 20
MEMORY = 3000
LONGEST = 8192
# The largest file that `keep` takes over, and how many it takes at once: each is replayed by every test from then on.
KEPT = 4096
MOST = 20


class FuzzError(Exception):
    """Fuzzing cannot go on; the message is for whoever called it."""


@dataclass
class Outcome:
    """What came of one target."""

    target: str
    good: bool
    text: str
    runs: int = 0
    coverage: int = 0
    corpus: int = 0
    found: str = ""

    def line(self):
        words = f"{self.target:<10} {self.runs:>9,} runs, {self.coverage:>6,} edges, corpus of {self.corpus:>5,}"
        return words + ("" if self.good else f"   failed: {self.found or 'see its output'}")


# ---- building ----------------------------------------------------------------------------------------------------


def host():
    """The triple of this machine: named as the target, flags spare build scripts and macros."""
    told = subprocess.run(["rustc", "-vV"], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    return re.search(r"^host: (\S+)$", told, re.M).group(1)


def build_command():
    """The command that builds, and what it adds to the environment."""
    flags = list(COVERAGE)
    env = {"CARGO_TARGET_DIR": str(OUT / "build")}
    if not os.environ.get("CXX") and not shutil.which("c++"):
        env.update(zig(flags))
    env["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    command = ["cargo", "build", "--locked", "--profile", "fuzz", "--target", host()]
    return command + ["-p", "fuzz", "--features", "program"], env


def zig(flags):
    """Zig as the C++ compiler, and its C++ library where the linker finds it."""
    if not PYTHON.exists():
        raise FuzzError("there is neither a `c++` on PATH nor a Zig: `./just setup` brings one")
    folder = OUT / "c++"
    folder.mkdir(parents=True, exist_ok=True)
    env = {name: str(OUT / "zig-cache") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")}
    compiler = folder / "c++"
    # Zig has names of its own for targets; this machine is what it compiles for anyway.
    compiler.write_text(
        "#!/bin/sh\n"
        'for word; do shift; case $word in --target=*) ;; *) set -- "$@" "$word" ;; esac; done\n'
        f'exec "{PYTHON}" -m ziglang c++ "$@"\n',
        encoding="utf-8",
    )
    compiler.chmod(0o755)
    # Zig builds its library when it first links, and says where it put it.
    probe = folder / "probe.cpp"
    probe.write_text("#include <string>\nint main(int n, char **) { return std::string(n, 'a').size() - n; }\n")
    linked = subprocess.run(
        [compiler, "--verbose", probe, "-o", folder / "probe"],
        env=dict(os.environ, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    libraries = re.findall(r"\S+/libc\+\+(?:abi)?\.a", linked.stdout)
    if linked.returncode or not libraries:
        raise FuzzError(f"Zig does not link C++:\n{linked.stdout}")
    for library in libraries:
        shutil.copy(library, folder)
    flags += [f"-Lnative={folder}", "-Clink-arg=-lc++abi"]
    # The sanitizer that Zig adds to what it compiles is none of the fuzzer's.
    return dict(env, CXX=str(compiler), CXXSTDLIB="c++", CXXFLAGS="-fno-sanitize=all")


def program():
    return OUT / "build" / host() / "fuzz" / "fuzz"


def build():
    command, env = build_command()
    if subprocess.run(command, cwd=ROOT, env=dict(os.environ, **env)).returncode:
        raise FuzzError("the fuzz targets cannot be built")


# ---- running -----------------------------------------------------------------------------------------------------


def call(target, options, seeds=None, inputs=None):
    """libFuzzer on a target, with its whole output. The corpus is assembled in `seeds` first, and the texts in `inputs`."""
    env = dict(os.environ, FUZZ_TARGET=target, RUST_BACKTRACE="1")
    if seeds:
        env["FUZZ_SEEDS"] = str(seeds)
    if inputs:
        env["FUZZ_INPUTS"] = str(inputs)
    done = subprocess.run(
        [program(), *map(str, options)],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout


def emptied(folder):
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def inputs(target, files):
    """Copies of files, as libFuzzer is to be given them, and the folder that they are in. What is a `.wat` text there is
    assembled by the program, and has no such suffix any more."""
    for file in files:
        if not Path(file).is_file():
            raise FuzzError(f"there is no file `{file}`")
    folder = emptied(OUT / "inputs" / target)
    copies = []
    for number, file in enumerate(map(Path, files)):
        copy = folder / f"{number}-{file.name}"
        shutil.copy(file, copy)
        copies.append(copy.with_suffix("") if copy.suffix == ".wat" else copy)
    return copies, folder


def limits():
    return [f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}", f"-max_len={LONGEST}"]


def fuzz(target, seconds):
    """Fuzzes one target, from its corpus and from what earlier runs found worth keeping."""
    corpus, seeds, found = OUT / "corpus" / target, emptied(OUT / "seeds" / target), OUT / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    options = [*limits(), f"-max_total_time={seconds}", f"-artifact_prefix={found}/{target}-"]
    dictionary = ROOT / "fuzz" / "dict" / f"{target}.dict"
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    code, text = call(target, [*options, corpus, seeds], seeds)
    outcome = Outcome(target, code == 0, text)
    for runs, coverage, inputs in re.findall(r"^#(\d+)\s.*?\bcov: (\d+).*?\bcorp: (\d+)/", text, re.M):
        outcome.runs, outcome.coverage, outcome.corpus = int(runs), int(coverage), int(inputs)
    if written := re.search(r"Test unit written to (\S+)", text):
        outcome.found = written.group(1).replace(f"{ROOT}/", "")
    return outcome


def fuzz_all(targets, seconds, jobs):
    """Fuzzes targets side by side, and gives what came of each as it comes."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda target: fuzz(target, seconds), targets)


def explain(outcome):
    """What there is to know of a failure: the end of the output, and how to see it again."""
    lines = outcome.text.splitlines()
    start = next((at for at, line in enumerate(lines) if "panicked at" in line or "==ERROR" in line), len(lines) - 20)
    shown = "\n".join(lines[max(start, 0) :][:40])
    again = f"python3 tools/fuzz.py replay {outcome.target} {outcome.found}" if outcome.found else "run it once more"
    return f"{shown}\n\n{outcome.target}: {outcome.found or 'no input was left behind'}\nto see it again: {again}"


# ---- the commands ------------------------------------------------------------------------------------------------


def run(arguments):
    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        raise FuzzError(f"there is no target `{unknown[0]}`; there are {', '.join(TARGETS)}")
    build()
    good = True
    for outcome in fuzz_all(arguments.targets or TARGETS, arguments.seconds, arguments.jobs):
        print(outcome.line(), flush=True)
        if not outcome.good:
            good = False
            print(explain(outcome), flush=True)
    return 0 if good else 1


def replay(arguments):
    copies, folder = inputs(arguments.target, arguments.files)
    build()
    code, text = call(arguments.target, [*limits(), *copies], inputs=folder)
    print(text, end="")
    return 1 if code else 0


def shrink(arguments):
    """Looks for a smaller input that fails as well. What does not fail at all is an error."""
    (copy,), folder = inputs(arguments.target, [arguments.file])
    found = OUT / "found"
    found.mkdir(parents=True, exist_ok=True)
    smaller = found / (Path(arguments.file).name + ".small")
    smaller.unlink(missing_ok=True)
    build()
    options = ["-minimize_crash=1", f"-exact_artifact_path={smaller}", f"-max_total_time={arguments.seconds}"]
    code, text = call(arguments.target, [*limits(), *options, copy], inputs=folder)
    print(text, end="")
    if smaller.exists():
        print(f"\n{smaller}")
        return 0
    if code:
        raise FuzzError(f"`{arguments.file}` does not fail")
    print("\nnothing smaller was found")
    return 0


def keep(arguments):
    """Adds inputs that cover what the corpus in the repository does not, as far as they are small, and not too many."""
    target = arguments.target
    corpus = OUT / "corpus" / target
    small = [path for path in sorted(corpus.glob("*")) if path.stat().st_size <= KEPT]
    if not small:
        raise FuzzError(f"nothing was found yet: `python3 tools/fuzz.py run {target}` looks for something")
    build()
    seeds, chosen = emptied(OUT / "seeds" / target), emptied(OUT / "chosen" / target)
    candidates = emptied(OUT / "candidates" / target)
    for path in small:
        shutil.copy(path, candidates)
    code, text = call(target, ["-runs=0", seeds], seeds)
    if code:
        raise FuzzError(f"the corpus fails:\n{text}")
    for seed in seeds.iterdir():
        shutil.copy(seed, chosen)
    before = {path.name for path in chosen.iterdir()}
    # Nothing is cut off: what is too large was left out before.
    options = [f"-timeout={TIMEOUT}", f"-max_len={1 << 20}", "-set_cover_merge=1"]
    code, text = call(target, [*options, chosen, candidates])
    if code:
        raise FuzzError(f"the corpora cannot be merged:\n{text}")
    added = [path for path in chosen.iterdir() if path.name not in before]
    added.sort(key=lambda path: (path.stat().st_size, path.name))
    for path in added[:MOST]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        shutil.copy(path, ROOT / "fuzz" / "corpus" / target / f"found-{digest}")
    more = f", and {len(added) - MOST} more would cover something new" if len(added) > MOST else ""
    print(f"{target}: {len(added[:MOST])} added{more}")
    return 0


def parse(words):
    parser = argparse.ArgumentParser(description="Fuzzing: see the head of this file.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run")
    command.add_argument("targets", nargs="*", metavar="TARGET")
    command.add_argument("--seconds", type=int, default=10)
    command.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    command.set_defaults(do=run)
    command = commands.add_parser("replay")
    command.add_argument("target", choices=TARGETS)
    command.add_argument("files", nargs="+", metavar="FILE")
    command.set_defaults(do=replay)
    command = commands.add_parser("shrink")
    command.add_argument("target", choices=TARGETS)
    command.add_argument("file", metavar="FILE")
    command.add_argument("--seconds", type=int, default=60)
    command.set_defaults(do=shrink)
    command = commands.add_parser("keep")
    command.add_argument("target", choices=TARGETS)
    command.set_defaults(do=keep)
    command = commands.add_parser("build")
    command.set_defaults(do=lambda _: build() or 0)
    return parser.parse_args(words)


if __name__ == "__main__":
    try:
        chosen = parse(sys.argv[1:])
        sys.exit(chosen.do(chosen))
    except FuzzError as error:
        sys.exit(f"error: {error}")
