//! Pictures of compositions. The SVGs are left in the target directory's `tmp`, for people to look at.

use std::fs;
use std::path::Path;

use crate::common::{answers, component, composer, golden, part, said};
use compose::{Packages, compose};
use composer::graph;
use roxmltree::Document;

/// A greeter that asks a clock and a log, and somebody who uses it.
fn two() -> Vec<u8> {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<String>>();
    let greeter = part(
        &names(&["host:clocks/wall@1.0.0", "host:clocks/steady@1.0.0"]),
        "example:greeting/greet@0.1.0",
        Some(("Rust", "rustc")),
    );
    let page = part(
        &names(&["example:greeting/greet@0.1.0", "host:log/lines"]),
        "example:page/show@0.1.0",
        Some(("JavaScript", "ComponentizeJS")),
    );
    let text = r#"package example:whole;
        let greeter = new parts:greeter { ... };
        let page = new parts:page { ...greeter, ... };
        export page["example:page/show@0.1.0"];"#;
    let packages = Packages::from([("parts:greeter".to_owned(), greeter), ("parts:page".to_owned(), page)]);
    compose("whole.wac", text, &packages).expect("a composition")
}

/// Layers of parts, each of which uses some of the layer below.
fn layers(layers: usize, wide: usize) -> Vec<u8> {
    let made = [
        ("Rust", "rustc"),
        ("Python", "componentize-py"),
        ("Zig", "zig"),
        ("C11", "clang"),
        ("Go", "TinyGo"),
    ];
    let mut packages = Packages::new();
    let mut text = "package example:whole;\n".to_owned();
    let face = |layer: usize, place: usize| format!("example:layer{layer}/service{place}@1.0.0");
    for layer in 0..layers {
        for place in 0..wide {
            let mut imports = Vec::new();
            if layer == 0 || (layer + place) % 4 == 0 {
                imports
                    .push(format!("host:system/{}@0.2.0", ["clock", "random", "log"][(layer + place) % 3]));
            }
            if layer > 0 {
                imports.push(face(layer - 1, place));
                if place % 2 == 1 {
                    imports.push(face(layer - 1, (place + 1) % wide));
                }
            }
            let given: String = (0..wide)
                .filter(|other| layer > 0 && imports.contains(&face(layer - 1, *other)))
                .map(|other| format!("...s{}x{other}, ", layer - 1))
                .collect();
            let package = format!("parts:s{layer}x{place}");
            let code = part(&imports, &face(layer, place), Some(made[(layer * 2 + place) % made.len()]));
            text.push_str(&format!("let s{layer}x{place} = new {package} {{ {given}... }};\n"));
            packages.insert(package, code);
        }
    }
    for place in 0..wide {
        text.push_str(&format!("export s{}x{place}[\"{}\"];\n", layers - 1, face(layers - 1, place)));
    }
    compose("whole.wac", &text, &packages).expect("a composition")
}

/// One part that uses many.
fn fan(wide: usize) -> Vec<u8> {
    let face = |place: usize| format!("example:tools/tool{place}@1.0.0");
    let mut packages = Packages::new();
    let mut text = "package example:whole;\n".to_owned();
    for place in 0..wide {
        let imports = if place % 5 == 0 { vec!["host:system/clock@0.2.0".to_owned()] } else { Vec::new() };
        packages.insert(format!("parts:tool{place}"), part(&imports, &face(place), Some(("Rust", "rustc"))));
        text.push_str(&format!("let tool{place} = new parts:tool{place} {{ ... }};\n"));
    }
    let given: String = (0..wide).map(|place| format!("...tool{place}, ")).collect();
    let all: Vec<String> = (0..wide).map(face).collect();
    packages.insert(
        "parts:hub".to_owned(),
        part(&all, "example:hub/run@1.0.0", Some(("Python", "componentize-py"))),
    );
    text.push_str(&format!(
        "let hub = new parts:hub {{ {given}... }};\nexport hub[\"example:hub/run@1.0.0\"];\n"
    ));
    compose("whole.wac", &text, &packages).expect("a composition")
}

fn svg(name: &str, bytes: &[u8]) -> String {
    let component = anatomy::read(bytes).expect("a component");
    let text = graph::svg(name, &component).expect("a picture");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(directory.join(format!("graph-{name}.svg")), &text).expect("a file");
    text
}

#[derive(Debug, Clone, Copy)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn of(rect: roxmltree::Node<'_, '_>) -> Self {
        let number =
            |name: &str| rect.attribute(name).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let (left, top) = (number("x"), number("y"));
        Area { left, top, right: left + number("width"), bottom: top + number("height") }
    }

    fn meets(&self, other: &Area) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// Checks what has to be true of every picture of this component.
fn check(name: &str, bytes: &[u8]) {
    let component = anatomy::read(bytes).expect("a component");
    let text = svg(name, bytes);
    let document = Document::parse(&text).expect("it is well-formed");
    let root = document.root_element();
    let groups = |class: &str| -> Vec<roxmltree::Node<'_, '_>> {
        root.children()
            .filter(|node| node.attribute("class") == Some(class) && node.has_tag_name("g"))
            .collect()
    };
    let words = |node: roxmltree::Node<'_, '_>| {
        node.descendants()
            .filter(|node| node.is_text())
            .filter_map(|node| node.text().map(str::to_owned))
            .collect::<String>()
    };

    // Every part is there once, with its language and size.
    let parts = groups("part");
    assert_eq!(parts.len(), component.parts.len());
    for (shape, part) in parts.iter().zip(&component.parts) {
        let words = words(*shape);
        assert!(words.contains(&part.path.join("/")), "{words}");
        assert!(words.contains(&composer::report::size(part.bytes)), "{words}");
        assert!(words.contains(part.language.as_deref().unwrap_or("")), "{words}");
    }
    // Every edge is in an arrow between the right boxes; those to the host may be told of by the part itself.
    let arrows = groups("arrow");
    let compact = text.contains(">on arrows: ");
    for edge in &component.edges {
        let from = component.parts[edge.part].path.join("/");
        let (to, host) = match &edge.from {
            anatomy::Source::Part { part, .. } => (component.parts[*part].path.join("/"), false),
            anatomy::Source::Host { import } => {
                let version =
                    import.split_once('@').map_or(String::new(), |(_, version)| format!("@{version}"));
                (format!("{}{version}", import.split(['/', '@']).next().unwrap_or_default()), true)
            }
        };
        let there = arrows.iter().any(|arrow| {
            arrow.attribute("data-from") == Some(&from)
                && arrow.attribute("data-to") == Some(&to)
                && words(*arrow).contains(&edge.import)
        });
        let told = host && compact && {
            let title = parts[edge.part].children().find(|node| node.has_tag_name("title"));
            let blue = parts[edge.part].children().any(|node| node.attribute("class") == Some("call"));
            let line = format!("calls {to}: ");
            blue && title.map(words).is_some_and(|title| {
                title.lines().any(|told| told.starts_with(&line) && told.contains(&edge.import))
            })
        };
        assert!(there != told, "no arrow for {} of {from}, which {to} satisfies", edge.import);
    }
    // It is told in words too.
    let title = root.children().find(|node| node.has_tag_name("title")).and_then(|node| node.text());
    assert_eq!(title, Some(name));
    let told = root.children().find(|node| node.has_tag_name("desc")).map(words).expect("a description");
    assert!(component.parts.iter().all(|part| told.contains(&part.name)), "{told}");

    // No box covers another, no label covers another or a box, and all is inside the picture.
    let areas: Vec<Area> = ["part", "host", "exports", "label"]
        .iter()
        .flat_map(|class| groups(class))
        .filter_map(|shape| shape.children().find(|node| node.has_tag_name("rect")).map(Area::of))
        .collect();
    let number =
        |name: &str| root.attribute(name).and_then(|text| text.parse::<f64>().ok()).expect("a number");
    let (width, height) = (number("width"), number("height"));
    for (index, area) in areas.iter().enumerate() {
        assert!(
            area.left >= 0.0 && area.top >= 0.0 && area.right <= width && area.bottom <= height,
            "{area:?}"
        );
        for other in &areas[..index] {
            assert!(!area.meets(other), "{area:?} and {other:?} overlap");
        }
    }
}

#[test]
fn a_small_picture_is_written_down_in_text() {
    let bytes = two();
    let component = anatomy::read(&bytes).expect("a component");
    golden("graph-two.mmd", &graph::mermaid("two.wasm", &component));
    golden("graph-two.dot", &graph::dot("two.wasm", &component));
}

#[test]
fn pictures_are_whole_and_nothing_in_them_overlaps() {
    check("two", &two());
    check("layers", &layers(5, 6));
    check("fan", &fan(29));
    check("single", &answers(1));
    let nested = r#"package example:outer;
        let one = new parts:two { ... };
        let two = new parts:two { ... };
        export one...;"#;
    let packages = Packages::from([("parts:two".to_owned(), two())]);
    check("nested", &compose("outer.wac", nested, &packages).expect("a composition"));
}

/// Each part uses the one before.
fn chain(long: usize, prefix: &str) -> Vec<u8> {
    let face = |place: usize| format!("example:{prefix}package{place}/{prefix}interface{place}@1.0.0");
    let mut packages = Packages::new();
    let mut text = "package example:whole;\n".to_owned();
    for place in 0..long {
        let imports = if place == 0 { vec!["host:a/b".to_owned()] } else { vec![face(place - 1)] };
        packages.insert(format!("parts:link{place}"), part(&imports, &face(place), Some(("Rust", "rustc"))));
        let given = if place == 0 { String::new() } else { format!("...link{}, ", place - 1) };
        text.push_str(&format!("let link{place} = new parts:link{place} {{ {given}... }};\n"));
    }
    text.push_str(&format!("export link{}...;\n", long - 1));
    compose("whole.wac", &text, &packages).expect("a composition")
}

fn width(svg: &str) -> u32 {
    let width = svg.split_once("width=\"").and_then(|(_, rest)| rest.split_once('"')).expect("it has one").0;
    width.parse().expect("a number")
}

#[test]
fn thirty_parts_are_as_wide_as_a_screen_and_two_are_told_in_full() {
    let long = "quite-long-names-that-nobody-would-read-";
    for (name, bytes) in [
        ("layers-30", layers(5, 6)),
        ("layers-28", layers(7, 4)),
        ("fan-30", fan(29)),
        ("chain-30", chain(30, "")),
        ("chain-30-long", chain(30, long)),
        ("chain-12-long", chain(12, long)),
    ] {
        check(name, &bytes);
        let text = svg(name, &bytes);
        assert!(width(&text) <= 1_600, "{name} is {} wide", width(&text));
        assert_eq!(text.contains(">on arrows: "), name != "chain-12-long", "{name}");
    }
    let text = svg("two", &two());
    for words in [">greeting/greet, 1 function<", ">log/lines, 1 function<", ">clocks/steady, 1 function<"] {
        assert!(text.contains(words), "{text}");
    }
    assert!(width(&text) <= 1_600 && !text.contains(">on arrows: "), "{text}");
}

#[test]
fn long_names_are_broken_and_not_cut() {
    let text = svg("chain-3-long", &chain(3, "quite-long-names-that-nobody-would-read-"));
    check("chain-3-long", &chain(3, "quite-long-names-that-nobody-would-read-"));
    assert!(!text.contains('…'), "{text}");
    for line in [">quite-long-names-that-nobody-<", ">read-interface1, 1 function<"] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    // What all interfaces begin with tells nobody which one it is.
    let text = svg("chain-13-long", &chain(13, "quite-long-names-that-nobody-would-read-"));
    assert!(text.contains(">…interface5 (1)<"), "{text}");
}

#[test]
fn a_picture_is_the_same_every_time() {
    assert_eq!(svg("again", &layers(3, 4)), svg("again", &layers(3, 4)));
}

#[test]
fn names_are_text_whatever_is_in_them() {
    let hostile = r##"a"]<b>&amp;]]>;#quot;\n`"##;
    let named = hostile.replace('\\', "\\\\").replace('"', "\\\"");
    let bytes = component(&format!(
        r#"(component
            (component $C (core module $m) (core instance (instantiate $m)))
            (instance (@name "{named}\u{{1b}}") (instantiate $C)))"#
    ));
    let read = anatomy::read(&bytes).expect("a component");
    assert!(read.parts[0].name.starts_with(hostile), "{}", read.parts[0].name);
    check("hostile", &bytes);

    let mermaid = graph::mermaid("a\"\n---\nb", &read);
    assert!(mermaid.starts_with("---\ntitle: \"a\\\"\u{fffd}---\u{fffd}b: "), "{mermaid}");
    assert!(
        mermaid.contains("a#34;]#60;b#62;#38;amp#59;]]#62;#59;#35;quot#59;#92;n#96;\u{fffd}"),
        "{mermaid}"
    );
    let dot = graph::dot("t", &read);
    assert!(dot.contains(r##"a\"]<b>&amp;]]>;#quot;\\n`"##), "{dot}");
}

#[test]
fn too_much_for_a_picture_is_said() {
    let error =
        graph::svg("many", &anatomy::read(&fan(401)).expect("a component")).expect_err("401 tools and a hub");
    assert_eq!(
        error.to_string(),
        "404 boxes and 483 arrows are too many for a picture; the limits are 400 and 1500"
    );
}

#[test]
fn the_command_goes_by_the_suffix() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("two.wasm"), two()).expect("a file");
    for (name, start) in [("a.svg", "<svg "), ("b.SVG", "<svg "), ("a.mmd", "---\n"), ("a.dot", "digraph ")] {
        assert_eq!(said(directory.path(), &["graph", "two.wasm", "-o", name]), (0, String::new()));
        let text = fs::read_to_string(directory.path().join(name)).expect("it was written");
        assert!(text.starts_with(start), "{text}");
    }
    let printed = composer(directory.path(), &["graph", "two.wasm"]).stdout;
    assert_eq!(printed, fs::read(directory.path().join("a.mmd")).expect("it was written"));
    let printed = composer(directory.path(), &["graph", "two.wasm", "--format", "dot", "-o", "-"]).stdout;
    assert_eq!(printed, fs::read(directory.path().join("a.dot")).expect("it was written"));

    let (code, words) = said(directory.path(), &["graph", "two.wasm", "-o", "a.png"]);
    assert_eq!(code, 2);
    assert!(words.contains("help: end it in .svg, .mmd or .dot"), "{words}");
    let (code, words) = said(directory.path(), &["graph", "two.wasm", "-o", "two.wasm", "--format", "svg"]);
    assert_eq!(code, 2);
    assert!(words.contains("is an input, and would be overwritten"), "{words}");
}

/// All of it is looked at once, however many imports there are.
#[test]
fn many_imports_are_boxed_by_package() {
    let imports: String = (0..30_000)
        .map(|index| format!(r#"(import "p{}:q/i{index}" (instance (type $i)))"#, index / 100))
        .collect();
    let read = anatomy::read(&component(&format!(
        r#"(component (type $i (instance (export "f" (func)))) {imports})"#
    )));
    let read = read.expect("a component");
    let mermaid = graph::mermaid("many", &read);
    assert_eq!(mermaid.lines().filter(|line| line.ends_with(":::host")).count(), 300);
    assert!(mermaid.contains("<b>p299:q</b><br>i29900<br>i29901"), "{}", mermaid.len());
}
