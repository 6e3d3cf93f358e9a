"""Puts everything in place that the project is built with.

    python3 tools/setup.py          all of it; does nothing, in less than a second, when all is in place
    python3 tools/setup.py check    only looks at the prerequisites
    python3 tools/setup.py just     only the command runner (what `./just` calls where there is none)
    python3 tools/setup.py guests   everything but the release build of the two commands
    python3 tools/setup.py tests    what the tests need besides: cargo-nextest, cargo-fuzz, and a registry to pull from
    python3 tools/setup.py peers    the stock wac and cargo-component, which checks compare with (some minutes)
    python3 tools/setup.py wasmtime the stock wasmtime, which benchmarks compare with

Prerequisites are looked at first and all together: whoever has three things to install reads so once. What set-up
installs itself goes to target/tools, from the lock files beside this script; the Rust toolchain and its targets go
where rustup keeps them. A stamp is written last and holds the digest of what was asked for, so an installation that
was cut short, or whose lock file changed, is done again from nothing.

The syntax is kept to what Python 3.8 can read, so that an old Python hears about its age instead of a syntax error.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "target" / "tools"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20,)
ATTEMPTS = 3


class SetupError(Exception):
    """Set-up cannot go on; the message is for whoever called it."""


class Problem:
    """A prerequisite that is missing or too old: which, what was found, and the command that fixes it."""

    def __init__(self, what, needs, found, fix):
        self.what, self.needs, self.found, self.fix = what, needs, found, fix

    def __str__(self):
        pad = " " * 14
        return "  {:<11} needs {}\n{}found: {}\n{}fix:   {}".format(
            self.what, self.needs, pad, self.found, pad, self.fix
        )


def say(text):
    """Progress goes to stderr: stdout belongs to whatever is run after set-up."""
    print("set-up: " + text, file=sys.stderr, flush=True)


def version_in(text):
    """The first dotted number in a tool's answer, as a tuple: `v20.19.1` is (20, 19, 1)."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match.group().split(".")) if match else None


def dotted(version):
    return ".".join(str(part) for part in version)


def answer(*command, env=None, cwd=ROOT):
    """What a command prints, or None where it cannot be run or fails."""
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


# ---- prerequisites ---------------------------------------------------------------------------------------------


def system():
    """`debian`, `fedora`, `macos` or `other`: decides which command is offered as the fix."""
    if platform.system() == "Darwin":
        return "macos"
    if shutil.which("apt-get"):
        return "debian"
    if shutil.which("dnf"):
        return "fedora"
    return "other"


def fix_for(what, where):
    """The command that installs a prerequisite on this system."""
    fixes = {
        "node": {
            "debian": "curl -fsSL https://deb.nodesource.com/setup_22.x | sudo -E bash - "
            "&& sudo apt-get install -y nodejs",
            "fedora": "sudo dnf install nodejs npm",
            "macos": "brew install node",
            "other": "install it from https://nodejs.org/en/download",
        },
        "python": {
            "debian": "sudo apt-get install python3.12 python3.12-venv   (then PYTHON=python3.12 ./just setup)",
            "fedora": "sudo dnf install python3.12",
            "macos": "brew install python",
            "other": "install it from https://www.python.org/downloads",
        },
        "venv": {
            "debian": "sudo apt-get install python3-venv",
            "fedora": "sudo dnf install python3-pip",
            "macos": "brew install python",
            "other": "install your system's package with Python's venv and ensurepip modules",
        },
        "cc": {
            "debian": "sudo apt-get install build-essential",
            "fedora": "sudo dnf install gcc gcc-c++",
            "macos": "xcode-select --install",
            "other": "install gcc or clang, so that `cc` is on PATH",
        },
        "rust": {
            "any": "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y   "
            '(then . "$HOME/.cargo/env")',
        },
    }[what]
    return fixes.get(where) or fixes["any"]


def check_python(version, has_venv, where):
    """The running interpreter builds the virtual environments, so it is the one that counts."""
    if tuple(version[:2]) < OLDEST_PYTHON:
        found = "{} at {}".format(dotted(version[:3]), sys.executable)
        return Problem("Python", dotted(OLDEST_PYTHON) + " or newer", found, fix_for("python", where))
    if not has_venv:
        found = "Python {} without ensurepip".format(dotted(version[:3]))
        return Problem("Python venv", "the modules venv and ensurepip", found, fix_for("venv", where))
    return None


def check_node(where):
    """Node runs componentize-js; npm installs it."""
    needs = dotted(OLDEST_NODE) + " or newer, with npm"
    path = shutil.which("node")
    if not path:
        return Problem("Node.js", needs, "no node on PATH", fix_for("node", where))
    version = version_in(answer(path, "--version") or "")
    if version is None:
        return Problem("Node.js", needs, path + ", which does not say its version", fix_for("node", where))
    if version < OLDEST_NODE:
        return Problem("Node.js", needs, "{} at {}".format(dotted(version), path), fix_for("node", where))
    if not shutil.which("npm"):
        return Problem("Node.js", needs, "node {} without npm".format(dotted(version)), fix_for("node", where))
    return None


def check_linker(where):
    """rustc calls `cc` to link every native program."""
    if shutil.which("cc"):
        return None
    return Problem("C linker", "a C compiler as `cc`: rustc links with it", "no cc on PATH", fix_for("cc", where))


class Toolchain:
    """The Rust toolchain that rust-toolchain.toml asks for, and what of it is there."""

    def __init__(self):
        text = (ROOT / "rust-toolchain.toml").read_text(encoding="utf-8")
        # tomllib came with 3.11; this must be readable before we know that we run on it.
        self.channel = re.search(r'^channel = "([^"]+)"', text, re.M).group(1)
        self.targets = re.findall(r'"(wasm32-[^"]+)"', text)
        self.components = ["rustfmt", "clippy"]
        # Looking must not install: that is a step of its own, which is announced.
        quiet = dict(os.environ, RUSTUP_AUTO_INSTALL="0")
        self.rustup = shutil.which("rustup")
        self.rustc = shutil.which("rustc")
        self.version = version_in(answer("rustc", "--version", env=quiet) or "")
        sysroot = answer("rustc", "--print", "sysroot", env=quiet) if self.version else None
        self.sysroot = Path(sysroot) if sysroot else None

    def missing_targets(self):
        libraries = self.sysroot / "lib" / "rustlib" if self.sysroot else None
        return [target for target in self.targets if not (libraries and (libraries / target).is_dir())]

    def too_old(self):
        return self.version is not None and self.version < version_in(self.channel)

    def check(self):
        needs = "rustup, or rustc {} with the targets {}".format(self.channel, ", ".join(self.targets))
        if not self.rustup and not self.rustc:
            return Problem("Rust", needs, "neither rustup nor rustc on PATH", fix_for("rust", "any"))
        if not shutil.which("cargo"):
            return Problem("Rust", needs, "no cargo on PATH", fix_for("rust", "any"))
        forced = os.environ.get("RUSTUP_TOOLCHAIN", "")
        if forced and (self.too_old() or (self.version is None and not forced.startswith(self.channel))):
            found = "rustc {}, because RUSTUP_TOOLCHAIN is set to {}".format(
                dotted(self.version) if self.version else "that does not run", forced
            )
            return Problem("Rust", "rustc {} or newer".format(self.channel), found, "unset RUSTUP_TOOLCHAIN")
        if not self.rustup and (self.version is None or self.too_old() or self.missing_targets()):
            found = "rustc {} without {}".format(
                dotted(self.version) if self.version else "that does not run",
                ", ".join(self.missing_targets()) or "rustup to bring it up to date",
            )
            return Problem("Rust", needs, found, fix_for("rust", "any"))
        return None

    def install(self):
        """Has rustup install what is missing: asked for by name, since automatic installation may be off."""
        if self.version is None or self.too_old():
            say("installing Rust {} (about a minute)".format(self.channel))
            command = ["rustup", "toolchain", "install", self.channel, "--profile", "minimal", "--no-self-update"]
            for component in self.components:
                command += ["--component", component]
            for target in self.targets:
                command += ["--target", target]
            run(command, "the Rust toolchain")
            self.__init__()
        missing = self.missing_targets()
        if missing:
            say("adding the Rust targets {} (some seconds)".format(", ".join(missing)))
            run(["rustup", "target", "add"] + missing, "the Rust targets")


def check_all():
    """Every prerequisite, all problems at once."""
    where = system()
    problems = [
        check_python(sys.version_info, has_modules("ensurepip", "venv"), where),
        check_node(where),
        check_linker(where),
        Toolchain().check(),
    ]
    problems = [problem for problem in problems if problem]
    if problems:
        count = "one prerequisite is" if len(problems) == 1 else "{} prerequisites are".format(len(problems))
        raise SetupError(
            "{} missing or too old:\n\n{}\n\nThen run the same command again.".format(
                count, "\n\n".join(str(problem) for problem in problems)
            )
        )


def has_modules(*names):
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)


# ---- installing ------------------------------------------------------------------------------------------------


def run(command, what, cwd=ROOT, attempts=ATTEMPTS, env=None):
    """Runs a command that downloads, again where it fails: most failures of a registry pass."""
    for attempt in range(1, attempts + 1):
        # Its output is progress too, so it joins ours on stderr.
        done = subprocess.run(
            [str(part) for part in command], cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=env
        )
        if done.returncode == 0:
            return
        if attempt < attempts:
            say("{} failed (exit code {}); trying again".format(what, done.returncode))
            time.sleep(2 * attempt)
    raise SetupError(
        "{} could not be installed. The command that failed, to be run in {}:\n\n  {}".format(
            what, cwd, " ".join(str(part) for part in command)
        )
    )


def digest(*parts):
    whole = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


def install(name, key, announce, steps):
    """Runs `steps(directory)` in an empty target/tools/NAME, unless the stamp says that this was done already."""
    directory = TOOLS / name
    stamp = directory / ".installed"
    if stamp.is_file() and stamp.read_text() == key:
        return
    say(announce)
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    began = time.monotonic()
    steps(directory)
    stamp.write_text(key)
    say("done after {:.0f} s".format(time.monotonic() - began))


def install_venv(name, requirements, announce):
    """A virtual environment with exactly what a requirements file names, by hash, from wheels alone."""

    def steps(directory):
        run([sys.executable, "-m", "venv", directory], "the Python environment", attempts=1)
        run(
            [directory / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            + ["--no-input", "--retries", "5", "--require-hashes", "--only-binary", ":all:", "-r", requirements],
            requirements.name,
        )

    install(name, digest(requirements, sys.version, str(ROOT)), announce, steps)


def install_just():
    install_venv("just", ROOT / "tools" / "just-requirements.txt", "installing just (about 10 seconds)")


def install_node_tools():
    """`npm ci` in target/tools/node: exactly what package-lock.json says, with its integrity hashes."""
    files = [ROOT / "tools" / "package.json", ROOT / "tools" / "package-lock.json"]

    def steps(directory):
        for file in files:
            shutil.copy(file, directory)
        run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], "the npm packages", cwd=directory)

    key = digest(*files, platform.machine())
    install("node", key, "installing componentize-js from npm (30 to 60 seconds)", steps)


def install_python_tools():
    install_venv(
        "python",
        ROOT / "tools" / "requirements.txt",
        "installing componentize-py and Zig from PyPI (30 to 60 seconds)",
    )


def install_test_tools():
    install_venv("test", ROOT / "tools" / "test-requirements.txt", "installing cargo-nextest and cargo-fuzz (some seconds)")


# The commands that people compose with.
PEERS = {"wac": ("wac-cli", "0.12.0"), "cargo-component": ("cargo-component", "0.21.1")}
# Only their output is compared, not their speed, so most of their code is built unoptimised, which saves most of the build
# time. The crates that parse large files are optimised.
PEER_PROFILE = {"opt-level": 0, "debug": 0, "lto": '"off"', "codegen-units": 16, "strip": "true"}
PEER_OPTIMISED = ("wasmparser", "sha2", "wit-component", "wac-types", "wac-graph", "wac-parser")


def install_wasmtime():
    """By a wheel, whose own command is a script in Python that starts the program: benchmarks need the program."""
    install_venv("wasmtime", ROOT / "tools" / "peer-requirements.txt", "installing the stock wasmtime (some seconds)")
    directory = TOOLS / "wasmtime"
    (program,) = directory.glob("lib/python*/site-packages/wasmtime_cli/wasmtime")
    program.chmod(0o755)
    if not (directory / "wasmtime").exists():
        (directory / "wasmtime").symlink_to(program)


def install_peers():
    """From their sources, since nobody publishes them built."""
    config = ["profile.release.{}={}".format(key, value) for key, value in PEER_PROFILE.items()]
    config += ["profile.release.package.{}.opt-level=2".format(name) for name in PEER_OPTIMISED]
    config = [word for one in config for word in ("--config", one)]
    for name, (package, version) in PEERS.items():

        def steps(directory, package=package, version=version):
            # Both share most of what they are built from.
            env = dict(os.environ, CARGO_TARGET_DIR=str(TOOLS / "peers-build"))
            command = ["cargo", "install", "--locked", "--quiet", "--root", directory, "--version", version, package]
            run(command + config, package, attempts=1, env=env)

        install(name, digest(package, version, *config), "building {} {} (some minutes)".format(package, version), steps)
    shutil.rmtree(TOOLS / "peers-build", ignore_errors=True)


# Debian's registry, as an archive that is unpacked and never installed: which, and by machine its digest.
REGISTRY = "docker-registry_2.8.2+ds1-1"
REGISTRY_DIGESTS = {
    ("x86_64", "amd64"): "a9bd06c0e006854608f8469b4371743f40604ad90975532bb3b7ceeb72fe2913",
}


def install_registry():
    """Debian's docker-registry in target/tools/registry, for tests; says so where this system cannot have it."""
    found = [(debian, sha256) for (machine, debian), sha256 in REGISTRY_DIGESTS.items() if machine == platform.machine()]
    if platform.system() != "Linux" or not found or not shutil.which("dpkg-deb"):
        say("no registry to test against: Debian's needs Linux on x86-64, and dpkg-deb to be unpacked")
        return
    debian, sha256 = found[0]
    name = "{}_{}.deb".format(REGISTRY, debian)

    def steps(directory):
        archive = directory / name
        get_archive(archive, sha256, debian)
        run(["dpkg-deb", "-x", archive, directory], "the registry", attempts=1)
        archive.unlink()

    install("registry", digest(REGISTRY, sha256), "getting Debian's docker-registry for tests (some seconds)", steps)


def get_archive(archive, sha256, debian):
    """A Debian archive: by apt where that has this version, or else from Debian's pool."""
    if shutil.which("apt-get"):
        package, version = REGISTRY.split("_")
        answer("apt-get", "download", "{}:{}={}".format(package, debian, version), cwd=archive.parent)
    if not archive.is_file():
        import urllib.request

        url = "http://deb.debian.org/debian/pool/main/d/docker-registry/" + archive.name
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with urllib.request.urlopen(url, timeout=60) as reply:
                    archive.write_bytes(reply.read())
                break
            except OSError as error:
                if attempt == ATTEMPTS:
                    raise SetupError("cannot get {}: {}".format(url, error))
                time.sleep(2 * attempt)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        archive.unlink()
        raise SetupError("{} should have the digest {}, and has {}".format(archive.name, sha256, found))


def build_commands():
    """The two commands themselves. Cargo knows best whether there is anything to do."""
    release = ROOT / "target" / "release"
    if not all((release / name).exists() for name in ("composer", "host-runner")):
        say("building composer and host-runner (10 to 25 minutes on two cores, once)")
    env = dict(os.environ, CARGO_TARGET_DIR=str(ROOT / "target"))
    quiet = ["--quiet"] if not sys.stderr.isatty() and not os.environ.get("CI") else []
    done = subprocess.run(["cargo", "build", "--release", "--locked"] + quiet, cwd=ROOT, env=env, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SetupError("the build of composer and host-runner failed: see above.")


def main(arguments):
    what = arguments[0] if arguments else "all"
    if len(arguments) > 1 or what not in ("all", "check", "just", "guests", "tests", "peers", "wasmtime"):
        print("usage: setup.py [check | just | guests | tests | peers | wasmtime]", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        check_all()
        if what == "check":
            say("all prerequisites are there")
            return 0
        TOOLS.mkdir(parents=True, exist_ok=True)
        with open(TOOLS / ".lock", "w") as lock:
            # Two set-ups at once would delete each other's directories.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if what == "just":
                install_just()
                return 0
            if what == "tests":
                install_test_tools()
                install_registry()
                return 0
            if what == "peers":
                install_peers()
                return 0
            if what == "wasmtime":
                install_wasmtime()
                return 0
            Toolchain().install()
            install_node_tools()
            install_python_tools()
            if what == "all":
                build_commands()
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        # A directory that may not be written to, a disk that is full.
        say("cannot go on: {}".format(error))
        return 1
    except KeyboardInterrupt:
        return 130
    say("everything is in place ({:.1f} s)".format(time.monotonic() - began))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
