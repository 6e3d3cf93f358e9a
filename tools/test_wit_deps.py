"""The vendored WIT packages are what wit/deps.lock says, and a change to them is noticed. No network."""

import shutil
import tempfile
import tomllib
import unittest
from pathlib import Path

import wit_deps


class Vendored(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lock = tomllib.loads(wit_deps.LOCK.read_text(encoding="utf-8"))
        self.deps = Path(folder.name) / "deps"
        shutil.copytree(wit_deps.DEPS, self.deps)

    def test_the_vendored_files_are_the_locked_ones(self):
        self.assertEqual(wit_deps.check(self.lock), [])
        self.assertGreaterEqual(len(wit_deps.locked_files(self.lock)), 12)

    def test_an_edited_file_is_noticed(self):
        path = self.deps / "wasi-io" / "package.wit"
        path.write_bytes(path.read_bytes() + b"\n")
        self.assertEqual(
            wit_deps.check(self.lock, self.deps),
            ["wit/deps/wasi-io/package.wit is not what was vendored for wasi:io@0.2.12: vendored packages are never edited"],
        )

    def test_a_missing_file_is_noticed(self):
        (self.deps / "wasi-keyvalue" / "store.wit").unlink()
        self.assertEqual(
            wit_deps.check(self.lock, self.deps),
            ["wit/deps/wasi-keyvalue/store.wit is missing: `python3 tools/wit_deps.py vendor` fetches it"],
        )

    def test_an_unlocked_file_is_noticed(self):
        (self.deps / "wasi-io" / "more.wit").touch()
        self.assertEqual(
            wit_deps.check(self.lock, self.deps), ["wit/deps/wasi-io/more.wit is not in wit/deps.lock"]
        )

    def test_every_package_names_the_version_its_files_declare(self):
        for package, file in wit_deps.locked_files(self.lock):
            text = (self.deps / file["path"]).read_text(encoding="utf-8")
            for line in text.splitlines():
                if line.startswith("package "):
                    self.assertEqual(line, f"package {package['name']}@{package['version']};")


if __name__ == "__main__":
    unittest.main()
