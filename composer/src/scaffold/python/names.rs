//! Names in Python: those that mean something already, and what stands in for them.

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Modules that there are before any of a part's own: its entry, those of the bindings, and those of Python's library
/// (`sys.stdlib_module_names`) that can be imported inside a component. A file of the same name would not be found, where
/// the module is loaded already, or be found by Python's library instead of its own module.
#[rustfmt::skip]
const TAKEN: &[&str] = &[
    "app", "wit_world", "componentize_py_types", "componentize_py_runtime", "componentize_py_async_support",
    "poll_loop",
    "abc", "annotationlib", "argparse", "array", "ast", "asyncio", "atexit", "base64", "bdb", "binascii",
    "bisect", "builtins", "calendar", "cmath", "cmd", "code", "codecs", "codeop", "collections", "colorsys",
    "compileall", "compression", "concurrent", "configparser", "contextlib", "contextvars", "copy", "copyreg",
    "csv", "dataclasses", "datetime", "dbm", "decimal", "difflib", "dis", "doctest", "email", "encodings",
    "ensurepip", "enum", "errno", "faulthandler", "filecmp", "fileinput", "fnmatch", "fractions", "ftplib",
    "functools", "gc", "genericpath", "getopt", "getpass", "gettext", "glob", "graphlib", "gzip", "hashlib",
    "heapq", "hmac", "html", "http", "imaplib", "importlib", "inspect", "io", "ipaddress", "itertools",
    "json", "keyword", "linecache", "locale", "logging", "mailbox", "marshal", "math", "mimetypes",
    "modulefinder", "multiprocessing", "netrc", "ntpath", "nturl2path", "numbers", "opcode", "operator",
    "optparse", "os", "pathlib", "pdb", "pickle", "pickletools", "pkgutil", "platform", "plistlib", "poplib",
    "posix", "posixpath", "pprint", "profile", "pstats", "py_compile", "pyclbr", "pydoc", "pydoc_data",
    "pyexpat", "queue", "quopri", "random", "re", "reprlib", "rlcompleter", "runpy", "sched", "secrets",
    "select", "selectors", "shelve", "shlex", "shutil", "signal", "site", "smtplib", "socket", "socketserver",
    "sqlite3", "sre_compile", "sre_constants", "sre_parse", "stat", "statistics", "string", "stringprep",
    "struct", "subprocess", "symtable", "sys", "sysconfig", "tabnanny", "tarfile", "tempfile", "textwrap",
    "threading", "time", "timeit", "token", "tokenize", "tomllib", "trace", "traceback", "tracemalloc",
    "types", "typing", "unicodedata", "unittest", "urllib", "uuid", "venv", "warnings", "wave", "weakref",
    "webbrowser", "wsgiref", "xml", "xmlrpc", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo",
];

/// Whether a part cannot have a module of its own under this name.
pub fn taken(module: &str) -> bool {
    TAKEN.contains(&module)
}

/// A name, with `_` behind it where Python has the word for itself.
pub fn ident(name: &str) -> String {
    const WORDS: &[&str] = &[
        "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else",
        "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let name = name.to_snake_case();
    if WORDS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// The same of a class.
pub fn class(name: &str) -> String {
    let name = name.to_upper_camel_case();
    if ["False", "None", "True"].contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// What a module of the bindings is called in stubs: imported and exported ones may have the same name.
pub fn called(direction: &str, module: &str) -> String {
    if direction == "imports" { format!("imported_{module}") } else { format!("{module}_contract") }
}
