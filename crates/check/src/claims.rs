//! Which resources of the host parts hold for one, and where two parts contradict each other.
//!
//! A part may know one resource under several names. Another part may keep these names apart: a host that gives one
//! resource under both names serves them both. But where each of two parts holds for one what the other keeps apart, no host
//! that either of them was built for serves the other one. A host that a third part was built for may.

use std::collections::HashMap;

use super::names::track;
use contract::shape::{Definition, Item, Place, ResourceId, Shape};

/// A place in what the host gives: an import, and the names in it. Versions on one track are one there.
pub(super) type HostPlace = (String, Place);

pub(super) fn host_place(import: &str, rest: &[String]) -> HostPlace {
    (track(import).unwrap_or_else(|| import.to_owned()), rest.to_vec())
}

/// An import that is left to the host: who has it, its name, and what it is.
pub(super) type Left<'a> = (usize, &'a str, &'a Item);

/// A name under which a part takes a resource of the host.
pub(super) struct Claim<'a> {
    place: HostPlace,
    resource: ResourceId,
    pub(super) import: &'a str,
    pub(super) name: &'a str,
    pub(super) item: &'a Item,
}

impl Claim<'_> {
    /// Returns the name for people, with its import where that is not the import of the other one.
    pub(super) fn beside(&self, other: &Claim<'_>) -> String {
        if self.import == other.import {
            format!("`{}`", self.name)
        } else {
            format!("`{}` of `{}`", self.name, self.import)
        }
    }
}

/// Two names: one resource to one part, and two to another.
pub(super) type Apart<'c, 'a> = (&'c Claim<'a>, &'c Claim<'a>);

/// All names that one part has for resources of the host, in the order of its imports.
#[derive(Default)]
pub(super) struct Claims<'a> {
    all: Vec<Claim<'a>>,
    by_place: HashMap<HostPlace, ResourceId>,
    /// How many names each resource has.
    names: HashMap<ResourceId, usize>,
}

impl<'a> Claims<'a> {
    /// Adds the resources of an import that is left to the host.
    pub(super) fn add(&mut self, shape: &'a Shape, (_, import, item): Left<'a>) {
        let Item::Interface(id) = item else { return };
        for (name, item) in &shape.interface(*id).items {
            let Item::Type(Definition::Resource(handle)) = item else { continue };
            let (place, resource) = (host_place(import, std::slice::from_ref(name)), handle.resource);
            self.by_place.insert(place.clone(), resource);
            *self.names.entry(resource).or_default() += 1;
            self.all.push(Claim { place, resource, import, name, item });
        }
    }

    /// Whether two of its resources are one to all parts together: `all` gives the place that stands for all those of a resource.
    /// Otherwise the part contradicts no other.
    pub(super) fn divide(&self, all: impl Fn(&HostPlace) -> HostPlace) -> bool {
        let mut known: HashMap<HostPlace, ResourceId> = HashMap::new();
        self.all
            .iter()
            .any(|claim| *known.entry(all(&claim.place)).or_insert(claim.resource) != claim.resource)
    }

    /// Whether any resource has several names. Otherwise the part contradicts no other.
    pub(super) fn unite(&self) -> bool {
        self.names.values().any(|count| *count > 1)
    }

    /// How much it takes to compare with other claims.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether two names are one resource here.
    pub(super) fn hold(&self, (one, other): &Apart<'_, '_>) -> bool {
        let there = |claim: &Claim<'_>| self.by_place.get(&claim.place);
        there(one).is_some_and(|resource| there(other) == Some(resource))
    }

    /// Returns the first two names that are one resource here, and two to the other part.
    pub(super) fn apart_in(&self, other: &Claims<'_>) -> Option<Apart<'_, 'a>> {
        let mut first: HashMap<ResourceId, (&Claim<'a>, ResourceId)> = HashMap::new();
        self.all.iter().find_map(|claim| {
            let there = *other.by_place.get(&claim.place)?;
            let (known, its) = *first.entry(claim.resource).or_insert((claim, there));
            (its != there).then_some((known, claim))
        })
    }
}
