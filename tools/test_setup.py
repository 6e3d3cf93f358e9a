"""Tests of the prerequisite checks: each runs setup.py as its users do, with a PATH of made-up tools."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import setup

SETUP = Path(setup.__file__).resolve()


class FakePath:
    """A directory of one-line programs, and a sysroot for the fake rustc to point at."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.bin = Path(self.directory.name) / "bin"
        self.bin.mkdir()
        self.sysroot = Path(self.directory.name) / "sysroot"
        toolchain = setup.Toolchain()
        for target in toolchain.targets:
            (self.sysroot / "lib" / "rustlib" / target).mkdir(parents=True)
        self.tool("node", "echo v22.11.0")
        self.tool("npm", "echo 10.9.0")
        self.tool("cc", ":")
        self.tool("cargo", "echo cargo {}".format(toolchain.channel))
        self.tool("rustup", "exit 0")
        self.rustc(toolchain.channel)

    def tool(self, name, script):
        path = self.bin / name
        path.write_text("#!/bin/sh\n" + script + "\n")
        path.chmod(0o755)

    def rustc(self, version):
        self.tool("rustc", 'case "$1" in --version) echo "rustc {}";; *) echo "{}";; esac'.format(version, self.sysroot))

    def without(self, name):
        (self.bin / name).unlink()

    def check(self, **env):
        """The exit code and what was said, the directory's name replaced."""
        done = subprocess.run(
            [sys.executable, SETUP, "check"],
            env={"PATH": str(self.bin), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        self.stdout = done.stdout
        return done.returncode, done.stderr.replace(str(self.bin), "BIN")


class Prerequisites(unittest.TestCase):
    def setUp(self):
        self.path = FakePath()
        self.addCleanup(self.path.directory.cleanup)

    def test_everything_there(self):
        self.assertEqual(self.path.check(), (0, "set-up: all prerequisites are there\n"))
        self.assertEqual(self.path.stdout, "")

    def refuses(self, said, **env):
        code, text = self.path.check(**env)
        self.assertEqual(text, said)
        self.assertEqual(code, 1)

    def test_no_node(self):
        self.path.without("node")
        self.refuses(
            "set-up: one prerequisite is missing or too old:\n\n"
            "  Node.js     needs 20 or newer, with npm\n"
            "              found: no node on PATH\n"
            "              fix:   install it from https://nodejs.org/en/download\n\n"
            "Then run the same command again.\n"
        )

    def test_old_node(self):
        self.path.tool("node", "echo v18.19.1")
        self.refuses(
            "set-up: one prerequisite is missing or too old:\n\n"
            "  Node.js     needs 20 or newer, with npm\n"
            "              found: 18.19.1 at BIN/node\n"
            "              fix:   install it from https://nodejs.org/en/download\n\n"
            "Then run the same command again.\n"
        )

    def test_node_of_exactly_the_oldest_version(self):
        self.path.tool("node", "echo v20.0.0")
        self.assertEqual(self.path.check()[0], 0)

    def test_node_that_does_not_run(self):
        self.path.tool("node", "exit 1")
        self.assertIn("found: BIN/node, which does not say its version\n", self.path.check()[1])

    def test_node_without_npm(self):
        self.path.without("npm")
        self.assertIn("found: node 22.11.0 without npm\n", self.path.check()[1])

    def test_debian_is_offered_apt(self):
        self.path.tool("apt-get", ":")
        self.path.without("cc")
        self.refuses(
            "set-up: one prerequisite is missing or too old:\n\n"
            "  C linker    needs a C compiler as `cc`: rustc links with it\n"
            "              found: no cc on PATH\n"
            "              fix:   sudo apt-get install build-essential\n\n"
            "Then run the same command again.\n"
        )

    def test_no_rust(self):
        for name in ("rustup", "rustc", "cargo"):
            self.path.without(name)
        self.refuses(
            "set-up: one prerequisite is missing or too old:\n\n"
            "  Rust        needs rustup, or rustc 1.95.0 with the targets "
            "wasm32-unknown-unknown, wasm32-wasip1, wasm32-wasip2\n"
            "              found: neither rustup nor rustc on PATH\n"
            "              fix:   curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y   "
            '(then . "$HOME/.cargo/env")\n\n'
            "Then run the same command again.\n"
        )

    def test_old_rust_without_rustup(self):
        self.path.without("rustup")
        self.path.rustc("1.63.0")
        self.assertIn("found: rustc 1.63.0 without rustup to bring it up to date\n", self.path.check()[1])

    def test_missing_target_without_rustup(self):
        self.path.without("rustup")
        (self.path.sysroot / "lib" / "rustlib" / "wasm32-wasip1").rmdir()
        self.assertIn("found: rustc 1.95.0 without wasm32-wasip1\n", self.path.check()[1])

    def test_what_rustup_can_install_is_no_problem(self):
        self.path.tool("rustc", "exit 1")
        self.assertEqual(self.path.check()[0], 0)

    def test_newer_rust_without_rustup(self):
        self.path.without("rustup")
        self.path.rustc("1.97.1")
        self.assertEqual(self.path.check()[0], 0)

    def test_old_toolchain_chosen_by_the_environment(self):
        self.path.rustc("1.80.0")
        code, text = self.path.check(RUSTUP_TOOLCHAIN="1.80")
        self.assertEqual(code, 1)
        self.assertIn("found: rustc 1.80.0, because RUSTUP_TOOLCHAIN is set to 1.80\n", text)
        self.assertIn("fix:   unset RUSTUP_TOOLCHAIN\n", text)

    def test_all_problems_at_once(self):
        for name in ("node", "cc"):
            self.path.without(name)
        self.path.rustc("1.80.0")
        code, text = self.path.check(RUSTUP_TOOLCHAIN="1.80")
        self.assertEqual(code, 1)
        self.assertTrue(text.startswith("set-up: 3 prerequisites are missing or too old:\n"), text)
        for name in ("Node.js", "C linker", "Rust"):
            self.assertIn("\n  {} ".format(name), text)


class Python(unittest.TestCase):
    """The interpreter cannot be replaced under a test, so this check is called by itself."""

    def test_new_enough(self):
        self.assertIsNone(setup.check_python((3, 11, 0), True, "debian"))
        self.assertIsNone(setup.check_python((3, 14, 2), True, "macos"))

    def test_too_old(self):
        self.assertEqual(
            str(setup.check_python((3, 9, 2, "final", 0), True, "fedora")),
            "  Python      needs 3.11 or newer\n"
            "              found: 3.9.2 at {}\n"
            "              fix:   sudo dnf install python3.12".format(sys.executable),
        )

    def test_debian_without_venv(self):
        self.assertEqual(
            str(setup.check_python((3, 11, 2), False, "debian")),
            "  Python venv needs the modules venv and ensurepip\n"
            "              found: Python 3.11.2 without ensurepip\n"
            "              fix:   sudo apt-get install python3-venv",
        )


class Installing(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.addCleanup(setattr, setup, "TOOLS", setup.TOOLS)
        self.addCleanup(setattr, setup, "say", setup.say)
        setup.TOOLS = Path(self.directory.name)
        setup.say = lambda text: None
        self.runs = 0

    def steps(self, directory):
        self.runs += 1
        self.assertEqual(list(directory.iterdir()), [])
        (directory / "product").touch()

    def test_done_once_for_one_key(self):
        for _ in range(3):
            setup.install("thing", "key", "installing", self.steps)
        self.assertEqual(self.runs, 1)

    def test_done_again_for_another_key(self):
        setup.install("thing", "one", "installing", self.steps)
        setup.install("thing", "two", "installing", self.steps)
        self.assertEqual(self.runs, 2)

    def test_half_an_installation_is_done_again_from_nothing(self):
        def breaks_off(directory):
            (directory / "half").touch()
            raise setup.SetupError("cut short")

        with self.assertRaises(setup.SetupError):
            setup.install("thing", "key", "installing", breaks_off)
        setup.install("thing", "key", "installing", self.steps)
        self.assertEqual(self.runs, 1)

    def test_a_failed_download_is_tried_again(self):
        counter = Path(self.directory.name) / "attempts"
        self.addCleanup(setattr, setup.time, "sleep", setup.time.sleep)
        setup.time.sleep = lambda seconds: None
        script = 'echo x >> "{0}"; [ $(wc -l < "{0}") -ge 2 ]'.format(counter)
        setup.run(["sh", "-c", script], "a download")
        self.assertEqual(counter.read_text(), "x\nx\n")

    def test_a_download_that_keeps_failing_names_its_command(self):
        with self.assertRaises(setup.SetupError) as caught:
            setup.run(["false"], "the thing", attempts=1, cwd=Path("/"))
        self.assertEqual(
            str(caught.exception),
            "the thing could not be installed. The command that failed, to be run in /:\n\n  false",
        )


if __name__ == "__main__":
    unittest.main()
