"""Components and test scripts of other people, out of packages of npm, PyPI and crates.io, by tests/third-party/components.lock.

    python3 tools/third_party.py fetch     gets what is missing into target/third-party: NAME.wasm for each component, and
                                           NAME/ with the scripts of a directory
    python3 tools/third_party.py lock      fetches everything anew, and writes the digests into the lock

To move to another version, or to add a component: edit the lock, run `lock`, read the difference. A digest that is not
known yet is an empty string. Packages are downloaded by npm, pip and cargo, as they are configured where this runs;
nothing of them is installed or executed, and nothing is taken that has another digest than the lock says.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "tests" / "third-party" / "components.lock"
DIRECTORY = ROOT / "target" / "third-party"
# Set-up's environment: a system's own Python often comes without pip.
PYTHON = ROOT / "target" / "tools" / "python" / "bin" / "python"
# What a package or a name may be called: they become arguments and file names.
PACKAGE = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")
VERSION = re.compile(r"[0-9][A-Za-z0-9.+-]*")
NAME = re.compile(r"[a-z][a-z0-9-]*")
SCRIPT = re.compile(r"([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.wast")


class ThirdPartyError(Exception):
    """What is wrong and what to do about it, for people."""


# ---- downloading -------------------------------------------------------------------------------------------------


def run(command, what, directory):
    """Runs a command that downloads; what it says is shown only where it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        raise ThirdPartyError(f"{what}: `{command[0]}` cannot be run: {error}")
    if done.returncode != 0:
        said = done.stdout.decode("utf-8", "replace").strip()
        raise ThirdPartyError(
            f"{what} could not be downloaded (`{' '.join(str(word) for word in command)}` ended with exit code "
            f"{done.returncode}). Is there a network, and is `{command[0]}` configured for it?\n{said}"
        )


def from_npm(archive, directory):
    command = ["npm", "pack", "--pack-destination", directory, f"{archive['package']}@{archive['version']}"]
    run(command, title(archive), directory)
    return only(directory.glob("*.tgz"), archive)


def from_pypi(archive, directory):
    python = PYTHON if PYTHON.exists() else sys.executable
    command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    # What is inside is for WebAssembly: which Python the wheel is for does not matter.
    command += ["--ignore-requires-python", "--only-binary", ":all:", "--dest", directory]
    run([*command, f"{archive['package']}=={archive['version']}"], title(archive), directory)
    return only(directory.glob("*.whl"), archive)


def from_crates_io(archive, directory):
    """Cargo downloads a package to show what it is, alone, and keeps the archive in its cache."""
    package, version = archive["package"], archive["version"]
    run(["cargo", "info", "--quiet", f"{package}@{version}"], title(archive), directory)
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    return only((home / "registry" / "cache").glob(f"*/{package}-{version}.crate"), archive)


DOWNLOADERS = {"npm": from_npm, "pypi": from_pypi, "crates.io": from_crates_io}


def title(archive):
    return f"{archive['package']} {archive['version']} from {archive['registry']}"


def only(found, archive):
    """The archive that was downloaded. Cargo may have it from more than one configured registry: digests tell."""
    found = sorted(found)
    if not found:
        raise ThirdPartyError(f"{title(archive)} was downloaded, but its archive is not where it should be")
    return next((path for path in found if matches(archive, path.read_bytes())), found[0])


# ---- digests and members -----------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def published_digest(archive, data):
    """The digest of an archive in the form in which its registry publishes it, and the key that the lock has it under."""
    if archive["registry"] == "npm":
        return "integrity", "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    return "sha256", sha256(data)


def matches(archive, data):
    key, found = published_digest(archive, data)
    return archive.get(key) == found


def check_archive(archive, data):
    key, found = published_digest(archive, data)
    if archive.get(key) != found:
        raise ThirdPartyError(
            f"the archive of {title(archive)} is not the locked one: its {key} should be {archive.get(key)!r}, and is "
            f"{found!r}. What a registry has published does not change, so look at where it was downloaded from"
        )


def member(archive, path, file):
    """The bytes of one file of an archive: of npm's and cargo's without the directory that all is in."""
    try:
        if archive["registry"] == "pypi":
            with zipfile.ZipFile(file) as wheel:
                return wheel.read(path)
        top = "package" if archive["registry"] == "npm" else f"{archive['package']}-{archive['version']}"
        with tarfile.open(file) as tar:
            data = tar.extractfile(f"{top}/{path}")
            if data is None:
                raise KeyError(path)
            return data.read()
    except KeyError:
        raise ThirdPartyError(f"{title(archive)} has no file {path}")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise ThirdPartyError(f"the archive of {title(archive)} cannot be read: {error}")


def scripts(archive, entry, file):
    """The scripts (*.wast) in one directory of an archive of cargo, by their paths in that directory."""
    top = f"{archive['package']}-{archive['version']}/{entry['path']}/"
    found = {}
    try:
        with tarfile.open(file) as tar:
            for info in tar:
                inner = info.name.removeprefix(top)
                if info.isfile() and inner != info.name and SCRIPT.fullmatch(inner):
                    found[inner.replace("/", "-")] = tar.extractfile(info).read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ThirdPartyError(f"the archive of {title(archive)} cannot be read: {error}")
    if not found:
        raise ThirdPartyError(f"{title(archive)} has no scripts in {entry['path']}")
    return found


def digest_of_all(files):
    """One digest for files: of the names and the digests of the contents, sorted."""
    return sha256("".join(f"{sha256(files[name])}  {name}\n" for name in sorted(files)).encode())


def write(path, data):
    """All of it or nothing: whoever reads the file at the same time finds it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as scratch:
        scratch.write(data)
    os.replace(scratch.name, path)


# ---- the lock ----------------------------------------------------------------------------------------------------


def read_lock(text):
    """The archives of a lock whose names can be trusted."""
    try:
        archives = tomllib.loads(text)["archive"]
        for archive in archives:
            archive.setdefault("component", [])
            archive.setdefault("scripts", [])
            check_entry(archive)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ThirdPartyError(f"components.lock cannot be read: {error!r}")
    names = [member["name"] for archive in archives for member in archive["component"] + archive["scripts"]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        raise ThirdPartyError(f"components.lock has two components of the name {name}")
    return archives


def check_entry(archive):
    """Raises where an entry lacks a key (as KeyError), or has a name that could be something else to a command."""
    if archive["registry"] not in DOWNLOADERS:
        raise ThirdPartyError(f"components.lock: no registry {archive['registry']!r}: there are {', '.join(DOWNLOADERS)}")
    names = [(PACKAGE, archive["package"]), (VERSION, archive["version"])]
    names += [(NAME, member["name"]) for member in archive["component"] + archive["scripts"]]
    for form, name in names:
        if not form.fullmatch(name):
            raise ThirdPartyError(f"components.lock: {name!r} of {title(archive)} is no name or version")
    for member in archive["component"] + archive["scripts"]:
        if not member["path"] or not isinstance(member["sha256"], str):
            raise ThirdPartyError(f"components.lock: {member['name']} has no path or no digest")
    if archive["scripts"] and archive["registry"] != "crates.io":
        raise ThirdPartyError(f"components.lock: scripts are taken out of crates alone, not of {title(archive)}")


def is_there(component, directory):
    path = directory / f"{component['name']}.wasm"
    return path.is_file() and sha256(path.read_bytes()) == component["sha256"]


def are_there(entry, directory):
    """Whether the scripts of a directory are there, and no others."""
    files = {path.name: path.read_bytes() for path in (directory / entry["name"]).glob("*")}
    return digest_of_all(files) == entry["sha256"]


def download(archive):
    """The archive's bytes, from its registry."""
    with tempfile.TemporaryDirectory() as scratch:
        return DOWNLOADERS[archive["registry"]](archive, Path(scratch)).read_bytes()


def members(archive, data):
    """Each component of an archive, and its bytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return [(component, member(archive, component["path"], file.name)) for component in archive["component"]]


def directories(archive, data):
    """Each directory of scripts of an archive, and its files."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return [(entry, scripts(archive, entry, file.name)) for entry in archive["scripts"]]


def put_scripts(entry, files, directory):
    """Writes the scripts of a directory, and removes what else is there."""
    into = directory / entry["name"]
    for path in sorted(into.glob("*")):
        if path.name not in files:
            path.unlink()
    for name, content in files.items():
        write(into / name, content)


def check_member(archive, entry, found):
    if found != entry["sha256"]:
        raise ThirdPartyError(
            f"{entry['path']} of {title(archive)} has the digest {found}, and the lock says "
            f"{entry['sha256'] or 'nothing'}: `python3 tools/third_party.py lock` writes it"
        )


def fetch(archives, directory=DIRECTORY, downloader=download):
    """Puts every component of the lock into the directory, and nothing else; gives what went wrong."""
    problems = []
    for archive in archives:
        here = [is_there(component, directory) for component in archive["component"]]
        if all(here + [are_there(entry, directory) for entry in archive["scripts"]]):
            continue
        print(f"fetching {title(archive)}", flush=True)
        try:
            data = downloader(archive)
            check_archive(archive, data)
            for component, found in members(archive, data):
                check_member(archive, component, sha256(found))
                write(directory / f"{component['name']}.wasm", found)
            for entry, files in directories(archive, data):
                check_member(archive, entry, digest_of_all(files))
                put_scripts(entry, files, directory)
        except ThirdPartyError as error:
            problems.append(str(error))
    names = {f"{component['name']}.wasm" for archive in archives for component in archive["component"]}
    for path in sorted(directory.glob("*.wasm")) if directory.is_dir() else []:
        if path.name not in names:
            path.unlink()
    if not problems:
        print(f"{len(names)} third-party components are in {shown(directory)}, as locked")
    return problems


def shown(path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def relock(text, downloader=download):
    """The text of the lock with the digests of what the registries have."""
    for archive in read_lock(text):
        print(f"fetching {title(archive)}", flush=True)
        data = downloader(archive)
        key, found = published_digest(archive, data)
        head = rf'registry = "{re.escape(archive["registry"])}"\npackage = "{re.escape(archive["package"])}"\n'
        head += rf'version = "{re.escape(archive["version"])}"\n'
        text = replaced(text, rf'({head}{key} = ")[^"]*"', found, title(archive))
        digests = [(component, sha256(content)) for component, content in members(archive, data)]
        digests += [(entry, digest_of_all(files)) for entry, files in directories(archive, data)]
        for entry, digest in digests:
            head = rf'name = "{entry["name"]}"\npath = "{re.escape(entry["path"])}"\n'
            text = replaced(text, rf'({head}sha256 = ")[^"]*"', digest, entry["name"])
    return text


def replaced(text, pattern, digest, what):
    text, count = re.subn(pattern, rf'\g<1>{digest}"', text)
    if count != 1:
        raise ThirdPartyError(f"components.lock: the keys of {what} are not one a line in the order of the others")
    return text


def main(arguments):
    if arguments not in (["fetch"], ["lock"]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = LOCK.read_text(encoding="utf-8")
        if arguments == ["lock"]:
            text = relock(text)
            LOCK.write_text(text, encoding="utf-8")
        problems = fetch(read_lock(text))
    except (ThirdPartyError, OSError) as error:
        problems = [str(error)]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
