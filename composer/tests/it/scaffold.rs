//! What `composer new` begins with: text for text as in `tests/scaffold/`, for a world that has everything.
//! `BLESS=1 cargo test --release -p composer --test it scaffold` writes the files anew: read the diff. That they build is
//! shown end to end.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use composer::manifest::{self, Language};
use composer::scaffold::project::{join, list, workspace};
use composer::scaffold::{Cargo, File, Part, ScaffoldError, WIT_BINDGEN, scaffold};
use contract::Contracts;

const EVERY: &str = include_str!("../scaffold/every.wit");

const LANGUAGES: [Language; 5] =
    [Language::Rust, Language::Zig, Language::C, Language::Python, Language::JavaScript];

fn begin(text: &str, world: &str, language: Language) -> Result<Vec<File>, ScaffoldError> {
    let contracts = Contracts::parse("test.wit", text).expect("the test's own text parses");
    scaffold(&contracts, &Part { name: "mine", language, world, wit: "../../wit", cargo: None })
}

/// All text that is begun with.
fn text(wit: &str, world: &str, language: Language) -> String {
    let files = begin(wit, world, language).unwrap_or_else(|error| panic!("{language}: {error}"));
    files.into_iter().map(|file| file.text).collect()
}

fn refused(wit: &str, language: Language) -> String {
    begin(wit, "w", language).expect_err("there is nothing to begin with").to_string()
}

#[test]
fn what_no_stub_can_be_written_for_is_refused_by_name() {
    for (ty, what) in [
        ("stream<u8>", "it uses a stream"),
        ("option<future<u8>>", "it uses a future"),
        ("list<u8, 4>", "it uses a list of fixed length"),
        ("map<string, u8>", "it uses a map"),
        ("error-context", "it uses an error context"),
    ] {
        let wit = format!(
            "package a:b; interface i {{ record r {{ x: {ty} }} f: func(r: list<r>); }} world w {{ export i; }}"
        );
        for language in LANGUAGES {
            let said = refused(&wit, language);
            assert!(said.starts_with("there is no stub for `a:b/i#f`: ") && said.contains(what), "{said}");
        }
    }
    let said = refused("package a:b; world w { export f: async func(); }", Language::Rust);
    assert!(said.starts_with("there is no stub for `f`: it is asynchronous"), "{said}");
}

#[test]
fn a_world_without_functions_is_nothing_to_begin_with() {
    let wit =
        "package a:b; interface types { record r { x: u8 } } world w { import f: func(); export types; }";
    for language in LANGUAGES {
        assert_eq!(
            refused(wit, language),
            "the world `a:b/w` exports no function: there is nothing to implement"
        );
    }
    let error = begin(wit, "v", Language::Rust).expect_err("there is no such world");
    assert_eq!(error.to_string(), "there is no world `v`; there is only `a:b/w`");
}

#[test]
fn interfaces_without_a_name_of_their_own_are_refused_where_the_toolchain_does_not_know_them() {
    let wit = "package a:b; world w { export inner: interface { f: func(); } }";
    for language in [Language::Python, Language::JavaScript] {
        let said = refused(wit, language);
        assert!(said.contains("cannot export `inner`, which is written out inside the world"), "{said}");
    }
    assert!(text(wit, "w", Language::Rust).contains("use crate::bindings::exports::inner;"));
    assert!(text(wit, "w", Language::C).contains("void inner_f(void)"));
}

#[test]
fn the_stubs_of_a_world_that_has_everything() {
    for language in LANGUAGES {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/scaffold")
            .join(language.to_string().to_lowercase());
        let files = begin(EVERY, "every", language).expect("everything is supported");
        if std::env::var_os("BLESS").is_some() {
            let _ = fs::remove_dir_all(&directory);
            for file in &files {
                let path = directory.join(&file.path);
                fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
                fs::write(path, &file.text).expect("a file");
            }
        }
        let mut there = BTreeSet::new();
        below(&directory, &mut there);
        let written: BTreeSet<PathBuf> = files.iter().map(|file| directory.join(&file.path)).collect();
        assert_eq!(written, there, "BLESS=1 writes them");
        for file in &files {
            let expected = fs::read_to_string(directory.join(&file.path)).expect("it is there");
            assert!(file.text == expected, "{language} {} is now\n{}", file.path, file.text);
        }
    }
}

fn below(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            below(&entry.path(), found)
        } else {
            found.insert(entry.path());
        }
    }
}

#[test]
fn every_function_says_that_it_is_not_written_and_what_the_contract_asks() {
    let functions = 9 + 8 + 1;
    for language in LANGUAGES {
        let text = text(EVERY, "every", language);
        assert!(text.matches("is not written yet").count() >= functions, "{language}");
        for asked in ["Draws the document.", "Its number.", "Opens a document.", "At the root."] {
            assert!(text.contains(asked), "{language} does not say {asked:?}");
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{language} has lines that are too long"
        );
    }
}

#[test]
fn descriptions_cannot_end_the_comment_that_they_are_in() {
    let wit = "package a:b; interface i { /** One \"\"\" two \\ three\t`//` four.\n */ f: func(); /// Five */ six /* seven.\n g: func(); } world w { export i; }";
    assert!(text(wit, "w", Language::C).contains(" * Five * / six / * seven.\n"));
    assert!(text(wit, "w", Language::JavaScript).contains("   * Five * / six / * seven.\n"));
    assert!(text(wit, "w", Language::Python).contains(r#"One \"\"\" two \\ three `//` four."#));
    assert!(text(wit, "w", Language::Zig).contains("/// One \"\"\" two \\ three `//` four.\n"));
}

#[test]
fn words_of_the_language_are_not_taken_for_names() {
    let wit = "package a:b; interface %default {
            %delete: func(%type: u8, %in: u8, u8: u8, %from: u8) ;
            resource error { constructor(); pass: func(); }
        }
        world w { export %default; export %match: func(%new: u8); }"
        .replace("u8: u8", "%u8: u8");
    let rust = text(&wit, "w", Language::Rust);
    assert!(rust.contains("fn delete(type_: u8, in_: u8, u8: u8, from: u8)"), "{rust}");
    assert!(rust.contains("fn match_(new: u8)") && rust.contains("pub struct DefaultError;"), "{rust}");
    let python = text(&wit, "w", Language::Python);
    assert!(python.contains("def delete(self, type: int, in_: int, u8: int, from_: int)"), "{python}");
    assert!(python.contains("def pass_(self)") && python.contains("def match(self, new: int)"), "{python}");
    let javascript = text(&wit, "w", Language::JavaScript);
    assert!(javascript.contains("  delete(type, in_, u8, from) {"), "{javascript}");
    assert!(javascript.contains("export { default_ as \"a:b/default\" };"), "{javascript}");
    assert!(javascript.contains("export function match(new_) {"), "{javascript}");
    assert!(text(&wit, "w", Language::Zig).contains("(type_: u8, in: u8, u8_: u8, from: u8) void {"));
}

#[test]
fn names_that_a_toolchain_makes_broken_code_of_are_refused() {
    let world =
        |items: &str| format!("package a:b; interface i {{ {items} }} world w {{ import i; export i; }}");
    let clashes = [
        (Language::Python, "f: func(self: u32);", "`a:b/i#f` has a parameter `self`"),
        (Language::Python, "resource r { constructor(self: u32); }", "has a parameter `self`"),
        (Language::Python, "resource r { s: static func(cls: u32); }", "has a parameter `cls`"),
        (Language::JavaScript, "resource r { prototype: static func(); }", "has the name `prototype`"),
        (Language::JavaScript, "resource r { %constructor: func(); }", "has the name `constructor`"),
        (Language::Rust, "f: func(FN: u32);", "has a parameter `FN`"),
        (Language::Rust, "TYPE: func();", "has the name `TYPE`"),
        (Language::Rust, "record r { FN: u8 } f: func(r: r);", "has a field `FN`"),
        (Language::Rust, "enum r { self } f: func(r: r);", "has a case `self`"),
        (
            Language::Rust,
            "variant %self { a } f: func(r: %self);",
            "the type `self` of `a:b/i` has that name",
        ),
        (Language::C, "resource x; record own-x { a: u8 } f: func(a: x, b: own-x);", "two things in them `"),
        (Language::Zig, "record r { a: string } r-free: func(r: r);", "two things in them `"),
    ];
    for (language, items, expected) in clashes {
        let said = refused(&world(items), language);
        assert!(said.contains(expected), "{language}: {items}: {said}");
        for other in LANGUAGES.into_iter().filter(|other| *other != language) {
            if [Language::C, Language::Zig].contains(&language)
                && [Language::C, Language::Zig].contains(&other)
            {
                continue;
            }
            begin(&world(items), "w", other).unwrap_or_else(|error| panic!("{other}: {items}: {error}"));
        }
    }
    let said = refused("package a:b; world w { export f: func(self: u32); }", Language::Python);
    assert!(said.contains("`f` has a parameter `self`"), "{said}");
    let fine = "resource r { m: func(cls: u32); } f: func(cls: u32); record q { self: u8 } g: func(q: q);";
    begin(&world(fine), "w", Language::Python).expect("only the first parameter's name is taken");
    let wit = "package a:b; interface i { f: func(self: u32); } interface j { g: func(); } world w { import i; export j; }";
    begin(wit, "w", Language::Python).expect("an imported function is no method");
}

#[test]
fn classes_of_resources_go_where_python_looks_for_them() {
    let interface = |name: &str| {
        format!("interface {name} {{ resource counter {{ constructor(); next: func() -> u32; }} }}")
    };
    let names = ["types", "app", "%import", "plain", "types-resources"];
    let interfaces: String = names.iter().map(|name| interface(name)).collect();
    let exports: String = names.iter().map(|name| format!("export {name}; ")).collect();
    let wit = format!("package a:b; {interfaces} world w {{ {exports} }}");
    let files = begin(&wit, "w", Language::Python).expect("it can be begun");
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let all: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "two files of one name: {all:?}");
    // Python has a module `types`, and imports it before this part.
    assert_eq!(text("types.py"), None);
    assert!(
        text("types_resources_.py")
            .is_some_and(|text| text.contains("class Counter(types_contract.Counter):"))
    );
    let app = text("app.py").expect("it has one");
    for line in [
        "import types\n",
        "import types_resources_\n",
        "types.Counter = types_resources_.Counter\n",
        "import app\n",
        "app.Counter = app_resources.Counter\n",
    ] {
        assert!(app.contains(line), "no {line:?} in {app}");
    }
    assert!(
        text("import_.py").is_some_and(|text| {
            text.contains("from wit_world.exports import import_ as import__contract")
        })
    );
    assert!(text("plain.py").is_some() && text("types_resources.py").is_some(), "{all:?}");
    assert!(!app.contains("import plain"), "{app}");
}

#[test]
fn interfaces_of_one_name_are_told_apart_by_their_packages() {
    let wit = "package root:w;
        world w { export a:b/x@1.0.0; export a:c/x@1.0.0; export a:c/x@2.0.0; }
        package a:b@1.0.0 { interface x { f: func(); } }
        package a:c@1.0.0 { interface x { f: func(); } }
        package a:c@2.0.0 { interface x { f: func(); } }";
    let rust = text(wit, "w", Language::Rust);
    for line in [
        "use crate::bindings::exports::a::b::x as a_b_x;",
        "use crate::bindings::exports::a::c1_0_0::x as a_c_x_1_0_0;",
        "impl a_c_x_2_0_0::Guest for Component {",
    ] {
        assert!(rust.contains(line), "{rust}");
    }
    assert!(text(wit, "w", Language::Python).contains("class ACX200(exports.ACX200):"));
    assert!(
        text(wit, "w", Language::JavaScript).contains("aBX as \"a:b/x@1.0.0\", aCX100 as \"a:c/x@1.0.0\"")
    );
    assert!(text(wit, "w", Language::C).contains("void exports_a_c_2_0_0_x_f(void)"));
}

#[test]
fn the_bindings_generator_that_is_named_is_the_one_that_is_used_here() {
    let lock = include_str!("../../../Cargo.lock");
    for package in ["wit-bindgen", "wit-bindgen-c", "wit-bindgen-core"] {
        assert!(lock.contains(&format!("name = \"{package}\"\nversion = \"{WIT_BINDGEN}\"")), "{package}");
    }
}

const MANIFEST: &str = "# Mine.
[project]
wit = \"wit\"  # the contracts
out = \"target\"

[components.first]
language = \"rust\"
path = \"first\"
world = \"first\"

# All of them.
[compositions.whole]
file = \"whole.wac\"
";

#[test]
fn a_part_is_listed_behind_the_others_and_all_else_stays() {
    let listed = list(MANIFEST, "second", Language::JavaScript, "parts/second", "a:b/c").expect("it can be");
    let entry = "[components.second]\nlanguage = \"javascript\"\npath = \"parts/second\"\nworld = \"a:b/c\"\ndisable = [\"stdio\", \"random\", \"clocks\", \"http\", \"fetch-event\"]\n\n";
    assert_eq!(listed, MANIFEST.replace("# All of them", &format!("{entry}# All of them")));
    let read = manifest::parse("interlock.toml", &listed).expect("it is one");
    assert_eq!(read.components.keys().collect::<Vec<_>>(), ["first", "second"]);

    let none = "[project]\nwit = \"wit\"\nout = \"target\"\n";
    let listed = list(none, "only", Language::C, "only", "w").expect("it can be");
    assert_eq!(
        listed,
        format!("{none}\n[components.only]\nlanguage = \"c\"\npath = \"only\"\nworld = \"w\"\n")
    );

    let inline = format!("components = {{}}\n{none}");
    let error = list(&inline, "only", Language::C, "only", "w").expect_err("it is written otherwise");
    assert_eq!(error.to_string(), "`components` is not a table of its own there");
    assert_eq!(list("[", "x", Language::C, "x", "w").expect_err("no TOML").to_string(), "it is not TOML");
}

#[test]
fn a_workspace_gets_one_more_member_where_it_has_not_got_it() {
    let profile = "\n[profile.guest]\ninherits = \"release\"\n";
    let root = format!(
        "[workspace]\nmembers = [\n    \"tool\",\n    # Parts.\n    \"parts/a\",\n    \"tests\",\n]\n{profile}"
    );
    let joined = join(&root, "parts/b").expect("it can be");
    assert_eq!(joined, root.replace("\"parts/a\",\n", "\"parts/a\",\n    \"parts/b\",\n"));
    assert_eq!(join(&joined, "parts/b").expect("it can be"), joined, "it is there already");

    let root = format!("[workspace]\nmembers = [\"parts/*\"]\n{profile}");
    assert_eq!(join(&root, "parts/b").expect("it can be"), root, "the pattern has it");
    let joined = join(&root, "other/b").expect("it can be");
    assert_eq!(joined, root.replace("\"parts/*\"]", "\"parts/*\", \"other/b\"]"));

    let joined = join("[workspace]\nmembers = [\n    \"a\"\n]\n", "b").expect("it can be");
    assert!(
        joined.starts_with("[workspace]\nmembers = [\n    \"a\",\n    \"b\"\n]\n\n[profile.guest]\n"),
        "{joined}"
    );
    assert_eq!(
        join("[package]\n", "b").expect_err("none").to_string(),
        "`workspace` is not a table of its own there"
    );
}

#[test]
fn a_crate_takes_over_what_its_workspace_shares() {
    let root = "[workspace]\n[workspace.package]\nedition = \"2024\"\nlicense = \"MIT\"\n[workspace.dependencies]\nwit-bindgen = \"0.61\"\n[workspace.lints.rust]\n";
    let cargo = workspace(root).expect("it is TOML").expect("there is one");
    let expected =
        Cargo { package: vec!["edition".to_owned(), "license".to_owned()], wit_bindgen: true, lints: true };
    assert_eq!(cargo, expected);
    assert_eq!(workspace("[package]\nname = \"x\"\n").expect("it is TOML"), None);

    let contracts = Contracts::parse("test.wit", EVERY).expect("it parses");
    let part =
        Part { name: "mine", language: Language::Rust, world: "every", wit: "../wit", cargo: Some(&cargo) };
    let files = scaffold(&contracts, &part).expect("it can be begun");
    let manifest = &files.iter().find(|file| file.path == "Cargo.toml").expect("it has one").text;
    for line in [
        "edition.workspace = true",
        "license.workspace = true",
        "wit-bindgen.workspace = true",
        "version = \"0.1.0\"",
    ] {
        assert!(manifest.contains(line), "{manifest}");
    }
    assert!(manifest.contains("[lints]\nworkspace = true") && !manifest.contains("[profile"), "{manifest}");
}

/// The description of `f` as it stands in a Zig stub, without the prefix.
fn described(docs: &str) -> Vec<String> {
    let docs: String = docs.lines().map(|line| format!("/// {line}\n")).collect();
    let wit = format!("package a:b; interface i {{ {docs} f: func(); }} world w {{ export i; }}");
    let zig = text(&wit, "w", Language::Zig);
    let lines = zig.lines().filter_map(|line| line.strip_prefix("///"));
    let lines: Vec<String> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect();
    let end = lines.iter().position(|line| line == "`f: func()`").expect("the signature follows");
    let begin = lines.iter().position(|line| line.contains("bring WASI")).map_or(0, |_| 2);
    lines[begin..end - 1].to_vec()
}

#[test]
fn what_fits_stays_as_it_is_and_what_does_not_is_filled_anew() {
    let short = "One line.\nAnother one.\n\n- An item\n  of two lines.\n\n    indented";
    assert_eq!(described(short).join("\n"), short);

    let wide = "wide ".repeat(30);
    let code = format!("```\n{wide}\n```");
    let docs = format!(
        "First {wide}\nsecond.\n\n- An item, {wide}\n  and more.\n- Another.\n\n{code}\n| {wide}|\n12. {wide}"
    );
    let lines = described(&docs);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&lines.join("\n")), words(&docs), "no word is lost");
    for line in &lines {
        let whole = line.starts_with('|') || line.trim() == wide.trim();
        assert!(whole || line.chars().count() <= 96, "too wide: {line:?}");
    }
    let item = lines.iter().position(|line| line.starts_with("- An item")).expect("it is there");
    assert!(lines[item + 1].starts_with("  wide") && lines.contains(&"- Another.".to_owned()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("    wide")), "the number's words stand below it");
    assert!(lines.contains(&wide.trim().to_owned()), "code stays");
}
