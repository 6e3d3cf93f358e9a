"""The reader of imports: what it takes for an import, whom it counts it for, and what it finds wrong."""

import tempfile
import unittest
from pathlib import Path

import structure


def crate(files):
    """The root module of a crate with these files."""
    directory = Path(tempfile.mkdtemp())
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return structure.Module("crate", directory / "lib.rs")


def read(files):
    """What each module imports: `a -> b: Name`."""
    found = structure.imports(crate(files))
    return sorted(
        f"{module.name} -> {other.name}: {' '.join(sorted(names))}"
        for module, others in found.items()
        for other, names in others.items()
    )


ROOT = "mod a;\nmod b;\n"


class Reading(unittest.TestCase):
    def test_a_use_is_an_import_of_the_module_that_defines_the_name(self):
        files = {"lib.rs": ROOT, "a.rs": "use crate::b::{self, Inner as Other, deep::{One, Two}};", "b.rs": "pub struct Inner; pub mod deep;"}
        files["b/deep.rs"] = "pub struct One; pub struct Two;"
        self.assertEqual(read(files), ["a -> b: Other", "a -> deep: One Two"])

    def test_a_path_is_an_import(self):
        files = {"lib.rs": ROOT, "a.rs": "fn f() { crate::b::g(); super::b::Kind::One; }", "b.rs": "pub fn g() {} pub enum Kind { One }"}
        self.assertEqual(read(files), ["a -> b: One g"])

    def test_a_path_through_a_module_that_was_named_is_an_import(self):
        files = {"lib.rs": ROOT, "a.rs": "use super::b; fn f() { b::g(); }", "b.rs": "pub fn g() {}"}
        self.assertEqual(read(files), ["a -> b: g"])

    def test_re_exports_are_followed_and_are_no_import_of_their_own(self):
        files = {"lib.rs": ROOT + "pub use b::Thing;", "a.rs": "use crate::Thing;", "b.rs": "pub use inner::*; mod inner;"}
        files["b/inner.rs"] = "pub struct Thing;"
        self.assertEqual(read(files), ["a -> inner: Thing"])

    def test_a_re_export_that_is_used_beside_is_an_import(self):
        files = {"lib.rs": ROOT + "pub use b::Thing; fn f(_: Thing) {}", "a.rs": "", "b.rs": "pub struct Thing;"}
        self.assertEqual(read(files), ["crate -> b: Thing"])

    def test_names_that_import_each_other_end(self):
        files = {"lib.rs": ROOT, "a.rs": "pub use crate::b::Thing; fn f(_: Thing) {}", "b.rs": "pub use crate::a::Thing;"}
        self.assertEqual(len(read(files)), 1)

    def test_comments_strings_and_tests_are_no_imports(self):
        quoted = '//! crate::b::g\n/* crate::b::g /* nested */ */ const A: &str = "crate::b::g"; const B: &str = r#"crate::b::"g"#;'
        tests = "#[cfg(test)]\nmod tests { use crate::b::g; fn f() { g() } }\n#[cfg(test)]\nmod apart;"
        self.assertEqual(read({"lib.rs": ROOT, "a.rs": quoted + tests, "b.rs": "pub fn g() {}"}), [])

    def test_a_lifetime_and_a_quote_do_not_hide_what_follows(self):
        text = "fn f<'a>(x: &'a str) -> char { '\"' } fn h() { crate::b::g(); '\\'' }"
        self.assertEqual(read({"lib.rs": ROOT, "a.rs": text, "b.rs": "pub fn g() {}"}), ["a -> b: g"])


class Checking(unittest.TestCase):
    def wrong(self, files, order=None):
        return list(structure.check_modules("it", crate(files), order))

    def test_a_circle_of_modules_is_found_with_what_ties_it(self):
        files = {"lib.rs": ROOT + "mod c;", "a.rs": "use crate::b::B;", "b.rs": "use crate::c::C; pub struct B;"}
        files["c.rs"] = "pub struct C; fn f() { crate::a::inner::g() }"
        self.assertEqual(self.wrong(files | {"a.rs": "use crate::b::B; pub mod inner;", "a/inner.rs": "pub fn g() {}"})[0].count("\n"), 3)
        self.assertEqual(self.wrong(files | {"c.rs": "pub struct C;"}), [])

    def test_a_circle_inside_a_module_is_found(self):
        files = {"lib.rs": "mod a;", "a/mod.rs": "mod x; mod y;", "a/x.rs": "use super::y::Y; pub struct X;", "a/y.rs": "use super::x::X; pub struct Y;"}
        self.assertEqual(len(self.wrong(files)), 1)

    def test_a_module_and_its_parent_may_name_each_other(self):
        files = {"lib.rs": "mod a; pub struct Root;", "a.rs": "mod x; pub struct A; fn f() { x::g() }", "a/x.rs": "use super::A; use crate::Root; pub fn g() {}"}
        self.assertEqual(self.wrong(files), [])

    def test_an_import_that_points_upwards_is_found(self):
        files = {"lib.rs": ROOT, "a.rs": "use crate::b::g;", "b.rs": "pub fn g() {}"}
        self.assertEqual(self.wrong(files, [["a"], ["b"]]), [])
        self.assertEqual(len(self.wrong(files, [["b"], ["a"]])), 1)
        self.assertEqual(len(self.wrong(files, [["a", "b"]])), 1)
        self.assertEqual(len(self.wrong(files, [["a"]])), 1)

    def test_an_order_is_read_from_a_page(self):
        page = "text\n```text order\nhigh also # why\nlow\n```\n\n```text order low lib.rs\none\n```\n"
        self.assertEqual(structure.orders(page), {"": [["high", "also"], ["low"]], "low lib.rs": [["one"]]})

    def test_a_crate_that_depends_upwards_is_found(self):
        order = [["high"], ["low"]]
        found = {"high": (Path("high"), {"dependencies": {"low": "1"}}), "low": (Path("low"), {"dependencies": {}})}
        self.assertEqual(list(structure.check_crates(order, found)), [])
        found["low"] = (Path("low"), {"dependencies": {"renamed": {"package": "high", "path": "../high"}}})
        self.assertEqual(len(list(structure.check_crates(order, found))), 1)
        found["new"] = (Path("new"), {"dependencies": {"low": "1"}})
        self.assertEqual(len(list(structure.check_crates(order, found))), 2)

    def test_the_repository_is_as_its_page_says(self):
        self.assertEqual(structure.main([]), 0)


if __name__ == "__main__":
    unittest.main()
