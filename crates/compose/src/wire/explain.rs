//! Why parts that should fit do not: the analysis of [`check`](check), for bags.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decision, OpenImport, Part, Wiring, package};
use crate::Packages;
use check::{self, Mismatch};
use contract::shape::Shape;

/// What was probably meant by imports that nobody satisfies: the mismatches that name a candidate. Empty where nothing is
/// near, or where it cannot be told.
#[must_use]
pub fn likely_meant(parts: &[Part], open: &[OpenImport]) -> Vec<Mismatch> {
    let shapes: Vec<Shape> = parts.iter().filter_map(|part| Shape::of_component(&part.bytes).ok()).collect();
    if shapes.len() != parts.len() {
        return Vec::new();
    }
    let all: Vec<check::Part<'_>> =
        parts.iter().zip(&shapes).map(|(part, shape)| check::Part { name: &part.name, shape }).collect();
    let missing: BTreeSet<(&str, &str)> =
        open.iter().map(|open| (open.part.as_str(), open.import.as_str())).collect();
    let importers: BTreeSet<&str> = missing.iter().map(|(part, _)| *part).collect();
    let mut found = Vec::new();
    for (index, socket) in all.iter().enumerate().filter(|(_, part)| importers.contains(part.name)) {
        let others = all.iter().enumerate().filter(|(other, _)| *other != index);
        let plugs: Vec<check::Part<'_>> = others.map(|(_, part)| *part).collect();
        let Ok(report) = check::plug(*socket, &plugs) else { continue };
        let about = |mismatch: &Mismatch| {
            let import = mismatch.path.first().map_or("", String::as_str);
            mismatch.candidate.is_some() && missing.contains(&(socket.name, import))
        };
        found.extend(
            report
                .mismatches
                .into_iter()
                .filter(|mismatch| mismatch.wanted_by == socket.name && about(mismatch)),
        );
    }
    found
}

/// The decisions that pass what goes by another name and fits apart from that, of what was probably meant.
#[must_use]
pub fn renaming(meant: &[Mismatch]) -> Vec<Decision> {
    let decision = |mismatch: &Mismatch| {
        // What is within an interface is no import of its own, and cannot be named by a decision.
        let [import] = &mismatch.path[..] else { return None };
        Some(Decision {
            part: mismatch.wanted_by.clone(),
            import: Some(import.clone()),
            provider: mismatch.offered_by.clone()?,
            export: Some(mismatch.candidate.clone()?),
        })
    };
    meant.iter().filter(|mismatch| mismatch.is_of_the_name_alone()).filter_map(decision).collect()
}

/// All that does not fit in a wiring, in the terms of its parts. Empty where all fits, or where it cannot be told.
#[must_use]
pub fn mismatches(wiring: &Wiring, packages: &Packages) -> Vec<Mismatch> {
    let shape = |name: &str| Shape::of_component(packages.get(&package(name))?).ok();
    let shapes: Vec<Shape> = wiring.instances.iter().filter_map(|instance| shape(&instance.part)).collect();
    if shapes.len() != wiring.instances.len() {
        return Vec::new();
    }
    let index: BTreeMap<&str, usize> = wiring
        .instances
        .iter()
        .enumerate()
        .map(|(index, instance)| (instance.part.as_str(), index))
        .collect();
    let all: Vec<check::Part<'_>> = wiring
        .instances
        .iter()
        .zip(&shapes)
        .map(|(instance, shape)| check::Part { name: &instance.part, shape })
        .collect();
    let wires: Vec<check::Connection> = wiring
        .instances
        .iter()
        .enumerate()
        .flat_map(|(part, instance)| instance.arguments.iter().map(move |argument| (part, argument)))
        .filter_map(|(part, argument)| {
            let from = *index.get(argument.part.as_str())?;
            let export = check::Export { part: from, path: argument.path.clone() };
            Some(check::Connection { part, import: argument.import.clone(), from: Some(export) })
        })
        .collect();
    check::wiring_of_bag(&all, &wires).map(|report| report.mismatches).unwrap_or_default()
}
