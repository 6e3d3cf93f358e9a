"""Checks which way the imports of the crates point, against the order in docs/architecture.md.

    python3 tools/structure.py            the check: crates by their manifests, modules by their `use` lines and paths
    python3 tools/structure.py CRATE      also prints what each file of a crate imports

A crate may depend on the crates of lower lines. A module may import from modules of lower lines of its crate. Modules of one
parent may not need each other, by whatever way round, at any depth; what is inside a module counts as that module, and a
module and its parent may name each other. An import counts for the module that defines the name, however often the name is
re-exported. Imports of tests do not count.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"

# Comments, strings and characters, longest forms first; a lifetime is no character.
BLANKED = re.compile(
    r"""//[^\n]*|/\*|b?r(?P<hashes>\#*)"[\s\S]*?"(?P=hashes)|b?"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\[^\n]+?|[^'\\\n])'""", re.X
)
ITEM = re.compile(r"\b(?:struct|enum|union|trait|fn|type|const|static|mod|macro_rules\s*!)\s+(\w+)")
USE = re.compile(r"(?<![\w#])(?P<public>pub(?:\s*\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:.'])(?:[A-Za-z_]\w*\s*::\s*)+[A-Za-z_]\w*")
TESTS = re.compile(r"#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:mod|use|fn|impl)\b[^;{]*")


def code(text):
    """Returns a source without comments, without what strings say, and without what is for tests alone."""
    kept, place = [], 0
    while found := BLANKED.search(text, place):
        kept.append(text[place : found.start()])
        place = found.end()
        if found[0] == "/*":
            depth = 1
            while depth and (mark := re.compile(r"/\*|\*/").search(text, place)):
                depth += 1 if mark[0] == "/*" else -1
                place = mark.end()
            place = len(text) if depth else place
        kept.append(" " if found[0].startswith("/") else '""')
    text = "".join([*kept, text[place:]])
    while found := TESTS.search(text):
        text = text[: found.start()] + text[after(text, found.end()) :]
    return text


def after(text, place):
    """Returns where the block that begins here ends; or the statement, where it has none."""
    depth = 0
    for mark in re.compile(r"[{};]").finditer(text, place):
        depth += {"{": 1, "}": -1, ";": 0}[mark[0]]
        if depth <= 0:
            return mark.end()
    return len(text)


def outside(text):
    """Returns a source with every block emptied: what is left is said at the level of the module."""
    kept, depth = [], 0
    for piece in re.split(r"([{}])", text):
        depth -= piece == "}"
        if depth == 0:
            kept.append(piece)
        depth += piece == "{"
    return "".join(kept)


def leaves(tree, before=()):
    """Yields path and name of everything that a `use` names; the name of all that a module has is `*`."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if brace:
        path = (*before, *(word for word in re.split(r"\s*::\s*", head) if word.strip()))
        depth, begin = 0, 0
        inner = rest.rpartition("}")[0] + ","
        for place, mark in enumerate(inner):
            depth += (mark == "{") - (mark == "}")
            if mark == "," and depth == 0:
                if inner[begin:place].strip():
                    yield from leaves(inner[begin:place], path)
                begin = place + 1
        return
    path, _, name = tree.partition(" as ")
    path = (*before, *(word.strip() for word in path.split("::") if word.strip()))
    if path[-1] == "self" and len(path) > 1:
        path = path[:-1]
    yield path, (name.strip() or path[-1])


class Module:
    """A file, with the modules that it declares and the names that it defines, imports and hands on."""

    def __init__(self, name, file, parent=None):
        self.name, self.file, self.parent = name, file, parent
        self.text = code(file.read_text(encoding="utf-8"))
        self.root = parent.root if parent else self
        self.children, self.uses, self.every = {}, {}, []
        plain = outside(self.text)
        declared = re.findall(r"\bmod\s+(\w+)\s*;", plain)
        self.items = set(ITEM.findall(plain)) - set(declared)
        self.rest = USE.sub(";", self.text)
        for use in USE.finditer(self.text):
            for path, name in leaves(use["tree"]):
                if name == "*":
                    self.every.append((path[:-1], use["public"]))
                else:
                    self.uses[name] = (path, use["public"])
        for name in declared:
            self.children[name] = Module(name, self.place(name), self)

    def place(self, name):
        """Returns the file of a module that this one declares."""
        directory = self.file.parent
        if self.file.stem not in ("lib", "main", "mod") and self.parent is not None:
            directory /= self.file.stem
        for file in (directory / f"{name}.rs", directory / name / "mod.rs"):
            if file.exists():
                return file
        sys.exit(f"error: {self.file}: no file for `mod {name}`")

    def way(self):
        """Returns the modules from the root to this one."""
        return [*(self.parent.way() if self.parent else ()), self]

    def __lt__(self, other):
        return self.file < other.file

    def all(self):
        """Yields this module and all inside it."""
        yield self
        for child in self.children.values():
            yield from child.all()

    def start(self, path):
        """Returns the module in which a path begins, and what is left of it; None for another crate."""
        module, path = self, list(path)
        if path[0] == "crate":
            return self.root, path[1:]
        if path[0] == "self":
            return self, path[1:]
        while path and path[0] == "super":
            module, path = module.parent or module, path[1:]
        if module is not self or path[0] in self.children or path[0] in self.items:
            return module, path
        found = self.uses.get(path[0])
        if found is None or found[0][0] == path[0]:
            return None, path
        begin, rest = self.start(found[0])
        return begin, [*rest, *path[1:]]

    def find(self, path, seen=()):
        """Returns the module that defines what a path names, and whether the path names a module; None for another crate."""
        module, path = self.start(path)
        if module is None:
            return None, False
        for place, name in enumerate(path):
            if name in module.children:
                module = module.children[name]
                continue
            if name in module.items or (module, name) in seen:
                return module, False
            if name in module.uses:
                target = module.uses[name][0]
                found, whole = module.find(target, (*seen, (module, name)))
                if found is None or not whole:
                    return found, False
                return found.find(["self", *path[place + 1 :]], (*seen, (module, name)))
            for target, _ in module.every:
                found, whole = module.find(target, (*seen, (module, name)))
                if whole and (name in found.items or name in found.uses or name in found.children):
                    return found.find(["self", *path[place:]], (*seen, (module, name)))
            return module, False
        return module, True

    def imports(self):
        """Yields the module and the name of everything that this file needs of others."""
        for name, (path, public) in self.uses.items():
            found, whole = self.find(path)
            # What is only handed on is no need of this file.
            handed = public and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self.rest)
            if found and found is not self and not whole and not handed:
                yield found, name
        for path, public in self.every:
            found, whole = self.find(path)
            if found and found is not self and whole and not public:
                yield found, "*"
        for words in PATH.findall(self.rest):
            path = re.split(r"\s*::\s*", words)
            found, whole = self.find(path)
            if found and found is not self and not whole:
                yield found, path[-1]


def circles(arrows):
    """Returns the sets of nodes that reach each other (Tarjan's algorithm), of a map from node to nodes."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(arrows.get(node, ())):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            members = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(members) > 1:
                found.append(sorted(members))

    sys.setrecursionlimit(10_000)
    for node in sorted(arrows):
        if node not in number:
            visit(node)
    return found


def imports(root):
    """Returns which module of a crate imports which: a map from module to module to the names."""
    arrows = {}
    for module in root.all():
        for other, name in module.imports():
            arrows.setdefault(module, {}).setdefault(other, set()).add(name)
    return arrows


def siblings(module, other):
    """Returns the two modules of one parent that two modules are in; None where one is inside of the other."""
    for here, there in zip(module.way(), other.way()):
        if here is not there:
            return here, there
    return None


def orders(page):
    """Returns the lists of `order` blocks of a page: lines from top to bottom, by the words behind the mark."""
    blocks = re.findall(r"^```text order ?([^\n]*)\n(.*?)^```", page, re.M | re.S)
    return {name.strip(): [line.split("#")[0].split() for line in text.splitlines() if line.strip()] for name, text in blocks}


def level(order, name):
    return next((place for place, names in enumerate(order) if name in names), None)


def crates():
    """Returns directory, manifest by package name of every native crate of the workspace."""
    members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
    found = {}
    for member in members:
        for directory in sorted(ROOT.glob(member)):
            manifest = tomllib.loads((directory / "Cargo.toml").read_text())
            found[manifest["package"]["name"]] = (directory, manifest)
    return found


def check_crates(order, found):
    """Yields what is wrong with the dependencies of crates, those for tests left out."""
    for name, (directory, manifest) in found.items():
        if level(order, name) is None:
            if any(level(order, other) is not None for other in packages(manifest)):
                yield f"{directory.name}/Cargo.toml: `{name}` depends on crates of the order, and is not in it"
            continue
        for other in packages(manifest):
            if level(order, other) is not None and level(order, other) <= level(order, name):
                yield f"{directory.name}/Cargo.toml: `{name}` depends on `{other}`, which is not below it"


def packages(manifest):
    """Yields the packages that a crate is built of, by their own names where the manifest says them."""
    shared = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"].get("dependencies", {})
    for kind in ("dependencies", "build-dependencies"):
        for name, value in manifest.get(kind, {}).items():
            value = shared.get(name, {}) if isinstance(value, dict) and value.get("workspace") else value
            yield value.get("package", name) if isinstance(value, dict) else name


def shown(module):
    """Returns the file of a module, as the repository names it."""
    return module.file.relative_to(ROOT) if module.file.is_relative_to(ROOT) else module.file


def check_modules(name, root, order):
    """Yields the circles of modules, and the imports that do not point downwards."""
    between = {}
    for module, others in imports(root).items():
        for other, names in others.items():
            if pair := siblings(module, other):
                between.setdefault(pair, []).append(f"    {shown(module)} -> {shown(other)}: {', '.join(sorted(names))}")
    arrows = {}
    for here, there in between:
        arrows.setdefault(here, set()).add(there)
    for members in circles(arrows):
        ties = [tie for (here, there), ties in between.items() if here in members and there in members for tie in ties]
        yield "\n".join([f"{name}: {len(members)} modules need each other:", *sorted(ties)])
    for here, there in between if order else ():
        if here.parent is root:
            above, below = level(order, here.name), level(order, there.name)
            if above is None or below is None:
                yield f"{name}: the order has no `{here.name if above is None else there.name}`"
            elif below <= above:
                ties = "\n".join(sorted(between[here, there]))
                yield f"{name}: `{there.name}` is not below `{here.name}`:\n{ties}"


def roots(directory):
    """Yields the root files of a crate: of its library and of its programs."""
    yield from (directory / "src" / file for file in ("lib.rs", "main.rs") if (directory / "src" / file).exists())
    yield from sorted(directory.glob("src/bin/*/main.rs"))


def main(arguments):
    order, found = orders(PAGE.read_text(encoding="utf-8")), crates()
    if "" not in order:
        sys.exit("error: docs/architecture.md has no block `text order` of crates")
    wrong = list(check_crates(order[""], found))
    for name in (name for names in order[""] for name in names):
        if name not in found:
            wrong.append(f"docs/architecture.md: there is no crate `{name}`")
            continue
        directory, _ = found[name]
        for file in roots(directory):
            root = Module("crate", file)
            which = f"{name} {file.name}"
            wrong += check_modules(which, root, order.get(which) or order.get(name))
            if name in arguments:
                for module, others in sorted(imports(root).items()):
                    print(shown(module))
                    for other, names in sorted(others.items()):
                        print(f"    {shown(other)}: {', '.join(sorted(names))}")
    for line in sorted(set(wrong)):
        print(line)
    print(f"{len(set(wrong))} imports or circles that docs/architecture.md does not allow" if wrong else "imports point downwards")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
