"""The vendored WIT packages and their locks: wit/deps.lock, and that of the contracts which tests of the host are made of.

    python3 tools/wit_deps.py check     the vendored files are the locked ones (offline)
    python3 tools/wit_deps.py verify    the same, and the registries still publish these very bytes
    python3 tools/wit_deps.py vendor    fetch anew what the locks name, and write its files and their digests

To move to another version: edit package and version in a lock, run `vendor`, read the diff.
The files come from packages that cargo and pip can fetch, so nothing beyond these two is needed.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "wit" / "deps.lock"
DEPS = ROOT / "wit" / "deps"
HOST_TESTS = ROOT / "host-runner" / "tests" / "wasi-0.3"
# Each lock, and the directory that its paths are in.
LOCKS = {LOCK: DEPS, HOST_TESTS / "deps.lock": HOST_TESTS}
# Set-up's environment: a system's own Python often comes without pip.
PYTHON = ROOT / "target" / "tools" / "python" / "bin" / "python"


class WitError(Exception):
    """What is wrong, for people."""


def read(lock_file):
    return tomllib.loads(lock_file.read_text(encoding="utf-8"))


def locked_files(lock):
    """Every file of the lock, with the package it belongs to."""
    return [(package, file) for package in lock["package"] for file in package["file"]]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def shown(directory):
    """A directory as it is called in messages."""
    return directory.relative_to(ROOT).as_posix()


def check(lock_file, deps, name):
    """The problems between a lock and the files on disk; `name` is what the directory is called."""
    problems = []
    known = set()
    for package, file in locked_files(read(lock_file)):
        path = deps / file["path"]
        known.add(path)
        if not path.is_file():
            problems.append(f"{name}/{file['path']} is missing: `python3 tools/wit_deps.py vendor` fetches it")
        elif sha256(path.read_bytes()) != file["sha256"]:
            problems.append(
                f"{name}/{file['path']} is not what was vendored for {package['name']}@{package['version']}: "
                "vendored packages are never edited"
            )
    # The project's own packages have directories beside the vendored ones and are not locked.
    for path in sorted([*deps.glob("wasi-*/**/*"), *deps.glob("*.wit")]):
        if path.is_file() and path not in known:
            problems.append(f"{name}/{path.relative_to(deps)} is in no deps.lock")
    return problems


def from_crates_io(source, directory):
    """Has cargo vendor the crate, and gives the directory it is in."""
    (directory / "src").mkdir()
    (directory / "src" / "lib.rs").touch()
    (directory / "Cargo.toml").write_text(
        "[package]\nname = 'fetch'\nedition = '2021'\n[workspace]\n"
        f"[dependencies]\n{source['package']} = '={source['version']}'\n"
    )
    subprocess.run(["cargo", "vendor", "--quiet", "vendor"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return directory / "vendor" / source["package"]


def from_pypi(source, directory):
    """Has pip download the wheel, and gives the directory it is unpacked in."""
    subprocess.run(
        [PYTHON if PYTHON.exists() else sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        + ["--only-binary", ":all:", "--dest", directory, f"{source['package']}=={source['version']}"],
        check=True,
    )
    unpacked = directory / "unpacked"
    for wheel in directory.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(unpacked)
    return unpacked


FETCHERS = {"crates.io": from_crates_io, "pypi": from_pypi}


def fetch(lock):
    """The published bytes of every file of the lock, each source fetched once."""
    with tempfile.TemporaryDirectory() as scratch:
        fetched = {}
        for package, file in locked_files(lock):
            source = package["source"]
            key = (source["registry"], source["package"], source["version"])
            if key not in fetched:
                print(f"fetching {source['package']} {source['version']} from {source['registry']}")
                directory = Path(scratch) / str(len(fetched))
                directory.mkdir()
                fetched[key] = FETCHERS[source["registry"]](source, directory)
            path = fetched[key] / file["from"]
            if not path.is_file():
                raise WitError(f"{source['package']} {source['version']} has no file {file['from']}")
            yield package, file, path.read_bytes()


def verify(lock_file, deps, name):
    problems = check(lock_file, deps, name)
    count = 0
    for package, file, published in fetch(read(lock_file)):
        count += 1
        if sha256(published) != file["sha256"]:
            problems.append(f"{package['source']['registry']} publishes other bytes for {name}/{file['path']}")
    if not problems:
        print(f"{count} vendored WIT files of {name} are what their registries publish")
    return problems


def vendor(lock_file, deps, name):
    text = lock_file.read_text(encoding="utf-8")
    for package, file, published in fetch(tomllib.loads(text)):
        path = deps / file["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(published)
        entry = re.compile(rf'(path = "{re.escape(file["path"])}", from = "[^"]+", sha256 = ")[0-9a-f]*"')
        text, replaced = entry.subn(rf'\g<1>{sha256(published)}"', text)
        if replaced != 1:
            raise WitError(f"{shown(lock_file)}: the entry of {file['path']} is not on one line: path, from, sha256")
    lock_file.write_text(text, encoding="utf-8")
    return check(lock_file, deps, name)


def main(arguments):
    commands = {"check": check, "verify": verify, "vendor": vendor}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 2
    command, problems = commands[arguments[0]], []
    try:
        for lock_file, deps in LOCKS.items():
            problems += command(lock_file, deps, shown(deps))
    except (WitError, subprocess.CalledProcessError) as error:
        problems.append(str(error))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
