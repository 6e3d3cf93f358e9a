"""Third-party components are taken by digest, whole or not at all. No network: the registries are stood in for."""

import contextlib
import io
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

import third_party
from third_party import ThirdPartyError

BYTES = b"\0asm\x0d\0\x01\0"


def tar(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def wheel(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


ARCHIVES = {
    "crates.io": tar({"some-1.2.3/tests/it.wasm": BYTES}),
    "npm": tar({"package/tests/it.wasm": BYTES}),
    "pypi": wheel({"tests/it.wasm": BYTES}),
}


def lock(registry="crates.io", archive="", member=""):
    key = "integrity" if registry == "npm" else "sha256"
    return (
        f'[[archive]]\nregistry = "{registry}"\npackage = "some"\nversion = "1.2.3"\n{key} = "{archive}"\n'
        f'license = "MIT"\n\n[[archive.component]]\nname = "it"\npath = "tests/it.wasm"\nsha256 = "{member}"\n'
        'what = "a test"\n'
    )


SCRIPTS = tar({f"some-1.2.3/tests/cli/{name}": b"(component)" for name in ("one.wast", "in/two.wast", "not.txt")})


def lock_of_scripts(archive="", member=""):
    return (
        f'[[archive]]\nregistry = "crates.io"\npackage = "some"\nversion = "1.2.3"\nsha256 = "{archive}"\n'
        f'license = "MIT"\n\n[[archive.scripts]]\nname = "scripts"\npath = "tests/cli"\nsha256 = "{member}"\n'
        'what = "a test"\n'
    )


class FetchingScripts(unittest.TestCase):
    def test_a_directory_of_scripts_is_as_it_was_locked(self):
        with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(io.StringIO()):
            directory = Path(directory)
            downloads = []

            def download(archive):
                downloads.append(archive)
                return SCRIPTS

            text = third_party.relock(lock_of_scripts(), download)
            archives = third_party.read_lock(text)
            downloads.clear()
            for changed in (None, "one.wast", "more.wast"):
                if changed:
                    (directory / "scripts" / changed).write_bytes(b"(module)")
                self.assertEqual(third_party.fetch(archives, directory, download), [])
                self.assertEqual(sorted(path.name for path in (directory / "scripts").iterdir()), ["in-two.wast", "one.wast"])
                self.assertEqual((directory / "scripts" / "one.wast").read_bytes(), b"(component)")
            self.assertEqual(len(downloads), 3)
            self.assertEqual(third_party.fetch(archives, directory, download), [])
            self.assertEqual(len(downloads), 3)
            wrong = third_party.read_lock(text.replace(archives[0]["scripts"][0]["sha256"], "0" * 64))
            self.assertIn("has the digest", third_party.fetch(wrong, directory, download)[0])


class Fetching(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name) / "third-party"
        self.downloads = 0

    def download(self, archive):
        self.downloads += 1
        return ARCHIVES[archive["registry"]]

    def quietly(self, function, *arguments):
        with contextlib.redirect_stdout(io.StringIO()):
            return function(*arguments)

    def fetch(self, text):
        return self.quietly(third_party.fetch, third_party.read_lock(text), self.directory, self.download)

    def relocked(self, registry):
        return self.quietly(third_party.relock, lock(registry), self.download)

    def test_what_was_locked_is_fetched_once_from_each_registry(self):
        for registry in third_party.DOWNLOADERS:
            with self.subTest(registry):
                text = self.relocked(registry)
                self.downloads = 0
                self.assertEqual(self.fetch(text), [])
                self.assertEqual((self.directory / "it.wasm").read_bytes(), BYTES)
                self.assertEqual([path.name for path in self.directory.iterdir()], ["it.wasm"])
                self.assertEqual(self.fetch(text), [])
                self.assertEqual(self.downloads, 1)
                (self.directory / "it.wasm").write_bytes(b"changed")
                self.assertEqual(self.fetch(text), [])
                self.assertEqual(((self.directory / "it.wasm").read_bytes(), self.downloads), (BYTES, 2))
                (self.directory / "it.wasm").unlink()

    def test_an_archive_that_is_another_is_refused(self):
        text = self.relocked("crates.io").replace('sha256 = "', 'sha256 = "0', 1)
        [problem] = self.fetch(text)
        self.assertIn("the archive of some 1.2.3 from crates.io is not the locked one", problem)
        self.assertFalse((self.directory / "it.wasm").exists())

    def test_a_member_that_is_another_is_refused(self):
        good = self.relocked("npm")
        text = good.replace(third_party.sha256(BYTES), "0" * 64)
        [problem] = self.fetch(text)
        self.assertIn("tests/it.wasm of some 1.2.3 from npm has the digest", problem)
        self.assertFalse((self.directory / "it.wasm").exists())

    def test_a_member_that_is_missing_is_named(self):
        for registry in third_party.DOWNLOADERS:
            with self.subTest(registry):
                text = self.relocked(registry).replace("tests/it.wasm", "tests/other.wasm")
                self.assertEqual(self.fetch(text), [f"some 1.2.3 from {registry} has no file tests/other.wasm"])

    def test_an_archive_that_is_none_is_named(self):
        text = lock("crates.io", third_party.sha256(b"no archive"), "0" * 64)
        archives = third_party.read_lock(text)
        [problem] = self.quietly(third_party.fetch, archives, self.directory, lambda archive: b"no archive")
        self.assertIn("the archive of some 1.2.3 from crates.io cannot be read", problem)

    def test_a_registry_that_cannot_be_reached_is_named_with_the_command(self):
        with self.assertRaises(ThirdPartyError) as raised:
            third_party.run(["python3", "-c", "import sys; sys.exit('no route')"], "some 1.2.3 from npm", None)
        words = str(raised.exception)
        self.assertIn("some 1.2.3 from npm could not be downloaded (`python3 -c", words)
        self.assertIn("Is there a network", words)
        self.assertIn("no route", words)
        with self.assertRaises(ThirdPartyError) as raised:
            third_party.run(["no-such-command"], "some 1.2.3 from npm", None)
        self.assertIn("`no-such-command` cannot be run", str(raised.exception))

    def test_one_that_fails_does_not_keep_the_others_away(self):
        good = self.relocked("npm")
        bad = lock("pypi", "0" * 64, "0" * 64).replace('name = "it"', 'name = "other"')
        problems = self.fetch(bad + "\n" + good)
        self.assertEqual(len(problems), 1)
        self.assertEqual((self.directory / "it.wasm").read_bytes(), BYTES)

    def test_what_is_not_in_the_lock_any_more_goes_away(self):
        self.directory.mkdir()
        (self.directory / "old.wasm").write_bytes(BYTES)
        self.assertEqual(self.fetch(self.relocked("npm")), [])
        self.assertFalse((self.directory / "old.wasm").exists())


class Lock(unittest.TestCase):
    def test_the_lock_is_complete(self):
        archives = third_party.read_lock(third_party.LOCK.read_text(encoding="utf-8"))
        components = [component for archive in archives for component in archive["component"]]
        self.assertGreaterEqual(len(components), 15)
        self.assertEqual({archive["registry"] for archive in archives}, set(third_party.DOWNLOADERS))
        for archive in archives:
            self.assertTrue(archive["license"])
            self.assertRegex(archive.get("sha256", "0" * 64), r"^[0-9a-f]{64}$")
            self.assertRegex(archive.get("integrity", "sha512-" + "A" * 86 + "=="), r"^sha512-[A-Za-z0-9+/]{86}==$")
        for component in components:
            self.assertRegex(component["sha256"], r"^[0-9a-f]{64}$")
            self.assertTrue(component["what"])

    def test_it_names_no_host(self):
        self.assertNotIn("://", third_party.LOCK.read_text(encoding="utf-8"))

    def test_names_that_could_be_something_else_are_refused(self):
        for text in (
            lock().replace('"some"', '"--registry=x"'),
            lock().replace('"1.2.3"', '"latest"'),
            lock().replace('name = "it"', 'name = "../it"'),
            lock().replace('"crates.io"', '"elsewhere"'),
            lock().replace('path = "tests/it.wasm"\n', ""),
            lock() + lock(),
            "archive = 1",
            "not TOML",
        ):
            with self.subTest(text), self.assertRaises(ThirdPartyError):
                third_party.read_lock(text)


if __name__ == "__main__":
    unittest.main()
