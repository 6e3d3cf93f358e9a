//! Shows what is inside a component: as a tree for people, and as JSON for programs.
//!
//! # The JSON
//!
//! One object. `format` is 1, and changes when something is taken away or gets another meaning; fields may be
//! added without that. All names are full names, all sizes bytes, all digests SHA-256 in hexadecimal; parts are
//! referred to by their index in `parts`.
//!
//! | field | |
//! |---|---|
//! | `format` | 1 |
//! | `kind` | `component`; `wit-package` for a WIT package, of which the other fields are told below |
//! | `composition` | whether it is put together from parts |
//! | `name` | what the component calls itself, or null |
//! | `bytes`, `digest` | of the whole file |
//! | `sizes` | of the `bytes`, how many are `code`, `data`, `debug` (names, DWARF, source maps) and other `custom` sections, over everything that is embedded |
//! | `imports`, `exports` | lists of names: interfaces, plain functions, resources |
//! | `types` | `imports` and `exports` of the whole that are nothing but types: lists of names |
//! | `parts` | each `name`, `path` (names from the outside in, the own last), `language` (or null), `toolchain` (a list of `name` and `version`), `offset`, `bytes`, `digest`, `sizes`, `imports`, `exports`, `origin`. A component that is no composition is its own single part |
//! | `edges` | each `part`, `import`, `from`: what satisfies that import of that part; `functions`: how many it has, or null where that is not written down; `types_only`: whether there is nothing in it but names for types |
//! | `outlets` | each `export`, and `from`: a list of what stands behind that export |
//! | `compositions` | instances of embedded compositions: each `path`, `offset`, `bytes`, `digest`, `origin` |
//! | `reach` | which imports of the whole each part can reach: one for each pair of a `part` and an `importer`, a part that imports from the host (itself, or another one). Each has `imports`: what the importer imports, and `ways`: lists of indices of parts, first the part, last the importer. For each part that the first uses directly and that leads there, it is the shortest way that begins so, but there are never more than 8; `more` counts the others |
//! | `reach_complete` | false where there was so much of it that not all was listed |
//! | `link_map` | `agrees`, `missing`, or `refused` |
//! | `link_map_error` | why it was refused, or null |
//!
//! A source (`from`) is `{"kind": "host", "import": NAME}`, where the name is one of `imports`, or `{"kind": "part",
//! "part": INDEX, "export": NAME}`; the export is null where the instance as a whole is meant. An `origin` is what the
//! [link map](anatomy::link_map::Origin) says of where something came from, or null.
//!
//! Of a WIT package: `format`, `kind`, `bytes`, `packages`: each `name`, `interfaces`, `worlds`, the main one first.

mod tree;

use anatomy::link_map::{self, LinkMap, LinkMapError, Origin};
use anatomy::{Component, Edge, Implements, Inner, Outlet, Part, Reached, ReadError, Sizes, Types};
use serde::Serialize;

use contract::wit_package::{self, WitPackage};

/// How many parts of ways are listed in the JSON, over all of `reach`.
const STEPS: usize = 2_000_000;

/// What a file turned out to be.
#[derive(Debug)]
pub enum Finding {
    /// A component.
    Component(Box<Inspected>),
    /// A WIT package in its binary form.
    WitPackage(WitPackage),
}

/// A component, and what its link map says.
#[derive(Debug)]
pub struct Inspected {
    /// What is in the binary.
    pub component: Component,
    /// The link map, where there is one. It is believed only as far as it agrees with the binary.
    pub link_map: Result<Option<LinkMap>, LinkMapError>,
}

/// Looks into a file.
///
/// # Errors
///
/// Where it cannot be read as a component.
pub fn inspect(bytes: &[u8]) -> Result<Finding, ReadError> {
    let component = anatomy::read(bytes)?;
    if wit_package::bare(&component)
        && let Some(package) = wit_package::read(bytes)
    {
        return Ok(Finding::WitPackage(package));
    }
    let link_map = link_map::read(bytes, &component);
    Ok(Finding::Component(Box::new(Inspected { component, link_map })))
}

impl Inspected {
    /// Where a part came from, if a link map that can be believed says so.
    #[must_use]
    pub fn origin(&self, part: usize) -> Option<&Origin> {
        self.link_map.as_ref().ok()?.as_ref()?.parts.get(part)?.origin.as_ref()
    }

    /// The same of an embedded composition.
    fn inner_origin(&self, index: usize) -> Option<&Origin> {
        self.link_map.as_ref().ok()?.as_ref()?.compositions.get(index)?.origin.as_ref()
    }
}

/// The JSON, as described in the [module's documentation](self), over several lines.
#[must_use]
pub fn json(finding: &Finding) -> String {
    let text = match finding {
        Finding::Component(inspected) => serde_json::to_string_pretty(&whole(inspected)),
        Finding::WitPackage(package) => {
            serde_json::to_string_pretty(&JsonWit { format: 1, kind: "wit-package", package })
        }
    };
    text.expect("names and numbers always have a form in JSON")
}

/// The tree, titled with the name of the file. Ends with a line feed. Lines have at most 80 columns, as far as names
/// allow.
#[must_use]
pub fn tree(title: &str, finding: &Finding) -> String {
    match finding {
        Finding::Component(inspected) => tree::component(title, inspected),
        Finding::WitPackage(package) => tree::wit_package(title, package),
    }
}

#[derive(Serialize)]
struct JsonWit<'a> {
    format: u32,
    kind: &'static str,
    #[serde(flatten)]
    package: &'a WitPackage,
}

#[derive(Serialize)]
struct Json<'a> {
    format: u32,
    kind: &'static str,
    composition: bool,
    name: Option<&'a str>,
    bytes: u64,
    digest: &'a str,
    sizes: Sizes,
    imports: &'a [String],
    exports: &'a [String],
    types: &'a Types,
    #[serde(skip_serializing_if = "Implements::is_empty")]
    implements: &'a Implements,
    parts: Vec<With<'a, Part>>,
    edges: &'a [Edge],
    outlets: &'a [Outlet],
    compositions: Vec<With<'a, Inner>>,
    reach: Vec<Reach>,
    reach_complete: bool,
    link_map: &'static str,
    link_map_error: Option<String>,
}

/// Something with the place it came from.
#[derive(Serialize)]
struct With<'a, T> {
    #[serde(flatten)]
    found: &'a T,
    origin: Option<&'a Origin>,
}

#[derive(Serialize)]
struct Reach {
    part: usize,
    #[serde(flatten)]
    reached: Reached,
}

fn whole(inspected: &Inspected) -> Json<'_> {
    let Inspected { component, link_map } = inspected;
    let parts = component.parts.iter().enumerate();
    let inner = component.compositions.iter().enumerate();
    let (reach, reach_complete) = reach(component);
    Json {
        format: 1,
        kind: "component",
        composition: component.is_composition(),
        name: component.name.as_deref(),
        bytes: component.bytes,
        digest: &component.digest,
        sizes: component.sizes,
        imports: &component.imports,
        exports: &component.exports,
        types: &component.types,
        implements: &component.implements,
        parts: parts.map(|(index, found)| With { found, origin: inspected.origin(index) }).collect(),
        edges: &component.edges,
        outlets: &component.outlets,
        compositions: inner
            .map(|(index, found)| With { found, origin: inspected.inner_origin(index) })
            .collect(),
        reach,
        reach_complete,
        link_map: match link_map {
            Ok(Some(_)) => "agrees",
            Ok(None) => "missing",
            Err(_) => "refused",
        },
        link_map_error: link_map.as_ref().err().map(said),
    }
}

/// What every part reaches, and whether that is all.
fn reach(component: &Component) -> (Vec<Reach>, bool) {
    let reach = component.reach();
    let mut listed = Vec::new();
    let mut steps = 0;
    for part in 0..component.parts.len() {
        if steps > STEPS {
            return (listed, false);
        }
        for reached in reach.of(part) {
            steps += reached.ways.iter().map(Vec::len).sum::<usize>() + reached.imports.len();
            listed.push(Reach { part, reached });
        }
    }
    (listed, reach.is_complete())
}

/// An error with its causes, in one line each.
fn said(error: &LinkMapError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// A size for people: `812 bytes`, `5.8 KB`, `58 KB`, `12.8 MB`, in powers of 1,000.
#[must_use]
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} bytes"),
        1_000..1_000_000 => (1_000, "KB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
    if tenths < 100 || name != "KB" {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (tenths + 5) / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_rounded_to_what_matters() {
        let shown =
            [0, 999, 1_000, 5_849, 9_999, 58_300, 999_999, 1_000_000, 12_813_426, 1_250_000_000].map(size);
        let expected = [
            "0 bytes",
            "999 bytes",
            "1.0 KB",
            "5.8 KB",
            "10 KB",
            "58 KB",
            "1000 KB",
            "1.0 MB",
            "12.8 MB",
            "1.3 GB",
        ];
        assert_eq!(shown, expected);
    }
}
