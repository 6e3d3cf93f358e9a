"""The vendored WIT packages are what wit/deps.lock says, and a change to them is noticed. No network."""

import shutil
import tempfile
import unittest
from pathlib import Path

import wit_deps


class Vendored(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.deps = Path(directory.name) / "deps"
        shutil.copytree(wit_deps.DEPS, self.deps)

    def check(self):
        return wit_deps.check(wit_deps.LOCK, self.deps, "wit/deps")

    def test_the_vendored_files_are_the_locked_ones(self):
        for lock_file, deps in wit_deps.LOCKS.items():
            self.assertEqual(wit_deps.check(lock_file, deps, wit_deps.shown(deps)), [])
            self.assertGreaterEqual(len(wit_deps.locked_files(wit_deps.read(lock_file))), 12 if deps == wit_deps.DEPS else 6)

    def test_the_contracts_of_tests_are_those_of_the_engine(self):
        lock = wit_deps.read(wit_deps.HOST_TESTS / "deps.lock")
        built = wit_deps.read(wit_deps.ROOT / "Cargo.lock")
        versions = {package["name"]: package["version"] for package in built["package"]}
        for package in lock["package"]:
            self.assertEqual(package["source"]["version"], versions[package["source"]["package"]])

    def test_an_edited_file_is_noticed(self):
        path = self.deps / "wasi-io" / "package.wit"
        path.write_bytes(path.read_bytes() + b"\n")
        self.assertEqual(
            self.check(),
            ["wit/deps/wasi-io/package.wit is not what was vendored for wasi:io@0.2.12: vendored packages are never edited"],
        )

    def test_a_missing_file_is_noticed(self):
        (self.deps / "wasi-keyvalue" / "store.wit").unlink()
        self.assertEqual(
            self.check(),
            ["wit/deps/wasi-keyvalue/store.wit is missing: `python3 tools/wit_deps.py vendor` fetches it"],
        )

    def test_an_unlocked_file_is_noticed(self):
        (self.deps / "wasi-io" / "more.wit").touch()
        self.assertEqual(
            self.check(), ["wit/deps/wasi-io/more.wit is in no deps.lock"]
        )

    def test_every_package_names_the_version_its_files_declare(self):
        for lock_file, deps in wit_deps.LOCKS.items():
            for package, file in wit_deps.locked_files(wit_deps.read(lock_file)):
                text = (deps / file["path"]).read_text(encoding="utf-8")
                for line in text.splitlines():
                    if line.startswith("package "):
                        self.assertEqual(line, f"package {package['name']}@{package['version']};")


if __name__ == "__main__":
    unittest.main()
