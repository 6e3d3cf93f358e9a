//! Draws a composition: parts with their language and size, who calls whom, and what of it is the host's.
//!
//! One [picture](Picture) of what is there, and three ways to write it down: Mermaid text, Graphviz text, and an SVG that
//! is laid out here. All that two parts have to do with each other is one arrow, from whoever calls to whoever is called,
//! with the interfaces and how many functions they have. The host's interfaces are set apart, a box for each package.
//! What only names types is left out where there is anything to call.
//!
//! The SVG is at most [`WIDTH`] pixels wide, if it can be. Where there are many parts, or their names are long, there is
//! [less in it](compact).

mod compact;
mod dot;
mod layout;
mod measured;
mod mermaid;
mod svg;

use std::collections::{BTreeMap, HashMap, HashSet};

use anatomy::{Component, Edge, Source};
use thiserror::Error;

use self::compact::{Labels, compact};
use self::measured::Measured;
use crate::report::size;
use check;
use contract::contain::{Crash, contain};

/// The most boxes that are laid out. Beyond that no picture helps, and laying it out takes minutes.
const BOXES: usize = 400;
/// The most arrows that are laid out.
const ARROWS: usize = 1_500;
/// Parts that are drawn with all that there is to them. Beyond that no screen has room for the labels.
const DETAILED: usize = 12;
/// Parts whose arrows may be named. Beyond that there is no room for it anyway, and to find that out takes time.
const NAMEABLE: usize = 100;
/// Width that a screen has, in pixels.
const WIDTH: f64 = 1_600.0;
/// Height that can still be taken in: one scrolls down more easily than sideways.
const HEIGHT: f64 = 2_000.0;
/// Interfaces that are named on one arrow.
const NAMED: usize = 4;

/// Why there is no SVG.
#[derive(Debug, Error)]
pub enum DrawError {
    /// There is too much to draw.
    #[error(
        "{boxes} boxes and {arrows} arrows are too many for a picture; the limits are {BOXES} and {ARROWS}"
    )]
    TooLarge {
        /// Parts, packages of the host, and groups of exports.
        boxes: usize,
        /// Pairs of boxes that have to do with each other.
        arrows: usize,
    },
    /// The library that lays it out crashed.
    #[error("the picture cannot be laid out")]
    Crash(#[source] Crash),
}

/// The picture as [Mermaid](https://mermaid.js.org) text, which many sites draw where they show Markdown.
#[must_use]
pub fn mermaid(title: &str, component: &Component) -> String {
    mermaid::write(&Picture::of(title, component))
}

/// The picture as text in the language of [Graphviz](https://graphviz.org).
#[must_use]
pub fn dot(title: &str, component: &Component) -> String {
    dot::write(&Picture::of(title, component))
}

/// The picture as an SVG document: readable on light and dark backgrounds, without scripts, fonts or anything else from
/// elsewhere, always the same for the same component.
///
/// Where there are more than 12 parts, or it would be wider than 1,600 pixels, arrows have short labels, with all names
/// in full under the pointer, and each part says itself which packages of the host it calls, instead of by arrows. It runs
/// from left to right or down, whichever is nearer to the size of a screen.
///
/// # Errors
///
/// Where there are more than 400 boxes or 1,500 arrows.
pub fn svg(title: &str, component: &Component) -> Result<String, DrawError> {
    let picture = Picture::of(title, component);
    let (boxes, arrows) = (picture.boxes.len(), picture.arrows.len());
    if boxes > BOXES || arrows > ARROWS {
        return Err(DrawError::TooLarge { boxes, arrows });
    }
    // From all that there is to be told to what there is always room for.
    let ladder = [None, Some(Labels::Names), Some(Labels::Numbers)];
    let parts = component.parts.len();
    let first = usize::from(parts > DETAILED) + usize::from(parts > NAMEABLE);
    let mut drawn = String::new();
    for labels in ladder.into_iter().skip(first) {
        let picture = Picture::of(title, component);
        let sized = Measured::of(match labels {
            Some(labels) => compact(picture, labels),
            None => picture,
        });
        let plan = contain(|| layout::best(&sized)).map_err(DrawError::Crash)?;
        drawn = svg::write(&sized, &plan);
        if plan.width <= WIDTH {
            break;
        }
    }
    Ok(drawn)
}

/// What is drawn, whatever it is written in.
struct Picture {
    title: String,
    /// What the title leaves open.
    about: String,
    boxes: Vec<Shape>,
    arrows: Vec<Arrow>,
    /// Arrows to the host that are not drawn, where it is compact.
    to_host: Vec<Arrow>,
    /// What is to be said to whoever reads it, where it is compact.
    legend: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A part.
    Part,
    /// A package of the host.
    Host,
    /// Exports of the whole: whoever calls them is outside.
    Exports,
}

struct Shape {
    kind: Kind,
    name: String,
    /// Below the name.
    lines: Vec<String>,
    /// Of a part: which packages of the host it calls, where no arrows say so.
    calls: Vec<String>,
    /// Of a part.
    language: Option<String>,
}

/// From a box that calls to one that is called, by their indices.
struct Arrow {
    from: usize,
    to: usize,
    /// What is called, or else `types`.
    label: Vec<String>,
    /// The same with all names in full.
    full: Vec<String>,
    /// How many interfaces are called.
    called: usize,
    /// How many functions they have, where that is known of all.
    functions: Option<u32>,
    /// Whether there is nothing but types to it.
    types_only: bool,
}

impl Picture {
    fn of(title: &str, component: &Component) -> Self {
        let mut boxes: Vec<Shape> = component.parts.iter().map(part_box).collect();
        let (mut groups, mut hosts, mut exports) = (Groups::default(), Hosts::default(), HashMap::new());
        for edge in &component.edges {
            let to = match &edge.from {
                Source::Part { part, .. } => *part,
                Source::Host { import } => {
                    let interface = component.implements.imports.get(import);
                    hosts.at(&mut boxes, import, interface.map(String::as_str), edge.types_only)
                }
            };
            let name = component.parts[edge.part].implements.import(&edge.import);
            groups.add(edge.part, to, Some(edge), name);
        }
        for outlet in &component.outlets {
            for source in &outlet.from {
                // What is passed on from the host has nothing to do with the parts.
                let Source::Part { part, .. } = source else { continue };
                // Each part that exports stand behind has a box of these.
                let from = *exports.entry(*part).or_insert_with(|| {
                    boxes.push(Shape::bare(Kind::Exports, "exports".to_owned()));
                    boxes.len() - 1
                });
                let name = component.implements.export(&outlet.export);
                boxes[from].lines.push(short(&name));
                groups.add(from, *part, None, name);
            }
        }
        let about = if component.is_composition() {
            let count = component.parts.len();
            format!("{count} {}, {}", if count == 1 { "part" } else { "parts" }, size(component.bytes))
        } else {
            size(component.bytes)
        };
        let arrows = groups.arrows();
        Picture { title: title.to_owned(), about, boxes, arrows, to_host: Vec::new(), legend: None }
    }

    /// The indices of the boxes of one kind.
    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = usize> {
        (0..self.boxes.len()).filter(move |index| self.boxes[*index].kind == kind)
    }

    /// Whether there is less in it, and the host's boxes stand apart.
    fn is_compact(&self) -> bool {
        self.legend.is_some()
    }

    /// The indices of the boxes that do not stand apart.
    fn connected(&self) -> impl Iterator<Item = usize> {
        (0..self.boxes.len()).filter(|index| !(self.is_compact() && self.boxes[*index].kind == Kind::Host))
    }

    /// All of it in words, for those who do not see it.
    fn words(&self) -> String {
        let names = |kind| {
            let names =
                self.boxes.iter().filter(|shape| shape.kind == kind).map(|shape| match &shape.language {
                    Some(language) => format!("{} ({language})", shape.name),
                    None => shape.name.clone(),
                });
            names.collect::<Vec<_>>().join(", ")
        };
        let mut words = format!("Parts: {}.", names(Kind::Part));
        if self.boxes.iter().any(|shape| shape.kind == Kind::Host) {
            words.push_str(&format!(" From the host: {}.", names(Kind::Host)));
        }
        for arrow in self.arrows.iter().chain(&self.to_host) {
            let (from, to) = (&self.boxes[arrow.from], &self.boxes[arrow.to]);
            let sentence = match from.kind {
                Kind::Exports => format!(" From outside {} is called: {}.", to.name, arrow.full.join(", ")),
                _ => format!(" {} calls {}: {}.", from.name, to.name, arrow.full.join(", ")),
            };
            words.push_str(&sentence);
        }
        words
    }
}

impl Shape {
    fn bare(kind: Kind, name: String) -> Self {
        Shape { kind, name, lines: Vec::new(), calls: Vec::new(), language: None }
    }
}

fn part_box(part: &anatomy::Part) -> Shape {
    let language = part.language.clone();
    let known = language.as_ref().map_or_else(String::new, |language| format!("{language}, "));
    Shape {
        kind: Kind::Part,
        name: part.path.join("/"),
        lines: vec![format!("{known}{}", size(part.bytes))],
        calls: Vec::new(),
        language,
    }
}

/// The boxes of the host's packages.
#[derive(Default)]
struct Hosts {
    /// By package and version.
    boxes: HashMap<String, usize>,
    /// What is in each already.
    lines: HashSet<(usize, String)>,
}

impl Hosts {
    /// The box of the package of an import of the whole, or of the interface that it implements under a name of its own. It is
    /// made where it is missing.
    fn at(
        &mut self,
        boxes: &mut Vec<Shape>,
        import: &str,
        implements: Option<&str>,
        types_only: bool,
    ) -> usize {
        let full = implements.unwrap_or(import);
        let (path, version) = full.split_once('@').unwrap_or((full, ""));
        let (package, interface) = path.split_once('/').unwrap_or((path, ""));
        let name = if version.is_empty() { package.to_owned() } else { format!("{package}@{version}") };
        let at = *self.boxes.entry(name).or_insert_with_key(|name| {
            boxes.push(Shape::bare(Kind::Host, name.clone()));
            boxes.len() - 1
        });
        let label = if implements.is_some() { format!("{import}: ") } else { String::new() };
        let line = format!("{label}{interface}{}", if types_only { " (types)" } else { "" });
        if !interface.is_empty() && self.lines.insert((at, line.clone())) {
            boxes[at].lines.push(line);
        }
        at
    }
}

/// What pairs of boxes have to do with each other.
#[derive(Default)]
struct Groups<'a> {
    pairs: BTreeMap<(usize, usize), Vec<Between<'a>>>,
}

/// An edge, where there is one, and the name that it goes by.
type Between<'a> = (Option<&'a Edge>, String);

impl<'a> Groups<'a> {
    fn add(&mut self, from: usize, to: usize, edge: Option<&'a Edge>, name: String) {
        self.pairs.entry((from, to)).or_default().push((edge, name));
    }

    fn arrows(self) -> Vec<Arrow> {
        self.pairs.into_iter().map(|((from, to), edges)| arrow(from, to, &edges)).collect()
    }
}

fn arrow(from: usize, to: usize, edges: &[Between<'_>]) -> Arrow {
    let full = edges.iter().map(|(edge, name)| match edge {
        Some(edge) if edge.types_only => format!("{name} (types only)"),
        Some(edge) => format!("{name}{}", counted(edge.functions)),
        None => name.clone(),
    });
    let full = full.collect();
    let called: Vec<(&Edge, &str)> = edges
        .iter()
        .filter_map(|(edge, name)| edge.filter(|edge| !edge.types_only).map(|edge| (edge, name.as_str())))
        .collect();
    let types_only = called.is_empty() && edges.iter().all(|(edge, _)| edge.is_some());
    let mut label: Vec<String> = called
        .iter()
        .take(NAMED)
        .map(|(edge, name)| format!("{}{}", short(name), counted(edge.functions)))
        .collect();
    if called.len() > NAMED {
        // One line fewer is named, so that there is room for the sum.
        label.truncate(NAMED - 1);
        let rest = &called[NAMED - 1..];
        let functions = rest.iter().map(|(edge, _)| edge.functions).sum::<Option<u32>>();
        label.push(format!("{} more{}", rest.len(), counted(functions)));
    }
    if types_only {
        label.push("types".to_owned());
    }
    let functions = called.iter().map(|(edge, _)| edge.functions).sum::<Option<u32>>();
    Arrow { from, to, label, full, called: called.len(), functions, types_only }
}

/// A name without its version, and without the namespace: also that of the interface that it implements.
fn short(name: &str) -> String {
    if let Some((label, interface)) = name.split_once(": ") {
        return format!("{label}: {}", short(interface));
    }
    let bare = check::bare(name);
    bare.split_once(':').filter(|(_, rest)| rest.contains('/')).map_or(bare, |(_, rest)| rest).to_owned()
}

fn counted(functions: Option<u32>) -> String {
    match functions {
        None => String::new(),
        Some(1) => ", 1 function".to_owned(),
        Some(count) => format!(", {count} functions"),
    }
}
