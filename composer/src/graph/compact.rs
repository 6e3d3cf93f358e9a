//! A picture of many parts: with less in it, so that what is left can be read.
//!
//! Arrows to the host cross everything else, and labels take more room than parts. So the host's boxes stand below, each
//! part says itself which of them it calls, and arrows have short labels; all names in full show up under the pointer.

use std::collections::BTreeSet;

use super::{Arrow, Kind, Picture, Shape};
use check::bare;

/// Characters of a label.
const LABEL: usize = 20;
/// Characters of a line that says which packages of the host a part calls.
const LINE: usize = 24;

/// What there is room for on arrows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// An interface, and the number of functions.
    Names,
    /// The number of functions.
    Numbers,
}

/// The same picture with less in it.
pub(super) fn compact(mut picture: Picture, labels: Labels) -> Picture {
    let arrows = std::mem::take(&mut picture.arrows);
    let (to_host, others): (Vec<Arrow>, Vec<Arrow>) =
        arrows.into_iter().partition(|arrow| picture.boxes[arrow.to].kind == Kind::Host);
    let names = short_names(&picture);
    for (index, shape) in picture.boxes.iter_mut().enumerate() {
        let called = to_host.iter().filter(|arrow| arrow.from == index && !arrow.types_only);
        shape.calls = filled(called.map(|arrow| names[arrow.to].as_str()));
    }
    let shared = shared(&others);
    picture.arrows =
        others.into_iter().map(|arrow| Arrow { label: brief(&arrow, labels, shared), ..arrow }).collect();
    let mut legend = match labels {
        Labels::Names => "on arrows: interface (functions)".to_owned(),
        Labels::Numbers => "on arrows: (functions)".to_owned(),
    };
    if !to_host.is_empty() {
        legend.push_str("; in blue: what is called of the host");
    }
    picture.to_host = to_host;
    picture.legend = Some(legend);
    picture
}

/// The host's packages by the names that parts call them: without versions, and without the namespace where they share
/// it. Of two versions both have theirs.
fn short_names(picture: &Picture) -> Vec<String> {
    let bare = |shape: &Shape| bare(&shape.name).to_owned();
    let hosts: Vec<&Shape> = picture.boxes.iter().filter(|shape| shape.kind == Kind::Host).collect();
    let namespace = |shape: &Shape| shape.name.split_once(':').map(|(namespace, _)| namespace.to_owned());
    let first = hosts.first().and_then(|shape| namespace(shape));
    let shared = hosts.iter().all(|shape| namespace(shape) == first);
    let name = |shape: &Shape| {
        let single = hosts.iter().filter(|other| bare(other) == bare(shape)).count() == 1;
        let name = if single { bare(shape) } else { shape.name.clone() };
        name.split_once(':').filter(|_| shared).map_or(name.clone(), |(_, rest)| rest.to_owned())
    };
    picture.boxes.iter().map(name).collect()
}

/// The interface that an arrow is named after, without its package.
fn interface(arrow: &Arrow) -> &str {
    let name = arrow.label.first().map_or("", String::as_str).split(',').next().unwrap_or_default();
    name.rsplit('/').next().unwrap_or_default()
}

/// How many bytes the names of all interfaces begin with alike, up to a hyphen. Zero where there are only few, or little
/// is gained.
fn shared(arrows: &[Arrow]) -> usize {
    const FEW: usize = 3;
    const LITTLE: usize = 4;
    let called = arrows.iter().filter(|arrow| arrow.called > 0);
    let names: BTreeSet<&str> = called.map(interface).collect();
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return 0 };
    // In their order, those between begin as the first and the last do.
    let alike = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    let whole = first.as_bytes()[..alike].iter().rposition(|byte| *byte == b'-').map_or(0, |at| at + 1);
    if names.len() < FEW || whole < LITTLE { 0 } else { whole }
}

/// The label of an arrow in one short line: `store (4)`, `store +2 (9)`.
fn brief(arrow: &Arrow, labels: Labels, shared: usize) -> Vec<String> {
    if arrow.called == 0 {
        return arrow.label.clone();
    }
    let functions = arrow.functions.map(|functions| format!("({functions})"));
    if labels == Labels::Numbers {
        return functions.into_iter().collect();
    }
    let functions = functions.map_or_else(String::new, |functions| format!(" {functions}"));
    let more = if arrow.called > 1 { format!(" +{}", arrow.called - 1) } else { String::new() };
    let start = if shared > 0 { "…" } else { "" };
    let name = format!("{start}{}", &interface(arrow)[shared..]);
    let room = LABEL.saturating_sub(more.len() + functions.len());
    vec![format!("{}{more}{functions}", shortened(&name, room))]
}

/// The beginning of a name.
fn shortened(name: &str, room: usize) -> String {
    if name.chars().count() <= room {
        return name.to_owned();
    }
    name.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Names, as many to a line as there is room for.
fn filled<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + name.chars().count() <= LINE => {
                line.push_str(", ");
                line.push_str(name);
            }
            _ => {
                if let Some(line) = lines.last_mut() {
                    line.push(',');
                }
                lines.push(name.to_owned());
            }
        }
    }
    lines
}
