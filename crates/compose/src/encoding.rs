//! From a text and its packages to the composition that it describes, by way of stand-ins.

mod exports;
mod imports;
mod types;

use indexmap::IndexMap;
use wac_graph::types::BorrowedPackageKey;
use wac_graph::{EncodeOptions, Processor};
use wac_parser::resolution::{Error as ResolveError, Resolution};

use super::Packages;
use super::kind::{ComposeErrorKind, Reference, Unwritable};
use super::text::parse;
use crate::composed::{Composed, Draft};
use crate::link_map::{self, Origins, Package};
use crate::spread::spread;
use crate::{stand_in, valid};
use check::bare;
use contract::contain::contain;
use contract::shape::MOST_INSTANCES;

/// A composition that is valid and says nothing of itself yet.
pub(crate) struct Encoded<'p> {
    pub(crate) composed: Composed<'p>,
    draft: Draft,
    packages: Vec<Package<'p>>,
}

/// Composes what `text` says of the packages that it mentions.
pub(crate) fn encode<'p>(
    text: &str,
    wanted: &[Reference],
    packages: &'p Packages,
) -> Result<Encoded<'p>, ComposeErrorKind> {
    let packages = read(wanted, packages)?;
    let parts: Vec<&[u8]> = packages.iter().map(|package| package.bytes).collect();
    let failed = |error: Box<ResolveError>| match (invalid_part(&error, wanted), *error) {
        (Some(part), ResolveError::PackageParseFailure { source, .. }) => {
            ComposeErrorKind::Invalid(Box::new(part.clone()), source)
        }
        (_, error) => {
            let helpful = helpful(&error, &packages);
            ComposeErrorKind::Resolve(Box::new(error), helpful)
        }
    };
    let work = || {
        let document = parse(text)?;
        let resolve = |bytes: Vec<Vec<u8>>| {
            let keys = wanted.iter().map(|Reference { name, version, .. }| {
                BorrowedPackageKey::from_name_and_version(name, version.as_ref())
            });
            document.resolve(keys.zip(bytes).collect::<IndexMap<_, _>>()).map_err(Box::new)
        };
        // What is wrong with a part is told in terms of the part, not of its stand-in.
        let plainly = |error| {
            let plain = resolve(parts.iter().map(|part| part.to_vec()).collect());
            failed(plain.err().unwrap_or(error))
        };
        let resolution = resolve(stand_ins(&parts)).map_err(plainly)?;
        if let Some((import, reason)) = imports::unwritable(resolution.graph()) {
            let importers = packages.iter().filter(|package| package.found.imports.contains(&import));
            let parts = importers.map(|package| package.name.to_owned()).collect();
            return Err(ComposeErrorKind::Unwritable(Box::new(Unwritable { import, reason, parts })));
        }
        let invalid = |source| plainly(Box::new(ResolveError::ValidationFailure { source }));
        let draft = Draft::read(resolution.encode(options(true)).map_err(Box::new).map_err(failed)?)
            .map_err(invalid)?;
        if draft.instances > MOST_INSTANCES {
            return Err(ComposeErrorKind::TooMany { instances: draft.instances, parts: draft.embedded() });
        }
        let checked = |draft: Draft| {
            let composed = draft.with(&parts);
            match valid::check(&composed, &draft, &parts, || typed(&resolution)) {
                Ok(()) => Ok((composed, draft)),
                Err(error) => Err((error, draft)),
            }
        };
        checked(draft).or_else(|(error, draft)| match exports::settle(draft.bytes()) {
            Some(Ok(settled)) => {
                checked(Draft::read(settled).map_err(invalid)?).map_err(|(error, _)| invalid(error))
            }
            Some(Err(refused)) => Err(refused),
            None => Err(invalid(error)),
        })
    };
    let (composed, draft) = contain(work).map_err(ComposeErrorKind::Crash)??;
    Ok(Encoded { composed, draft, packages })
}

impl<'p> Encoded<'p> {
    /// The composition, with its link map.
    pub(crate) fn described(self, origins: &Origins) -> Result<Composed<'p>, ComposeErrorKind> {
        let Encoded { mut composed, draft, packages } = self;
        contain(|| link_map::append(&mut composed, &draft, &packages, origins))
            .map_err(ComposeErrorKind::Crash)?
            .map_err(ComposeErrorKind::Describe)?;
        Ok(composed)
    }
}

/// The packages that are wanted, in that order. Reading them also keeps them within limits, before any library sees them.
fn read<'p>(wanted: &[Reference], packages: &'p Packages) -> Result<Vec<Package<'p>>, ComposeErrorKind> {
    let given = wanted.iter().map(|reference| {
        let given = packages.get_key_value(&reference.name);
        given
            .map(|given| (reference, given))
            .ok_or_else(|| ComposeErrorKind::Missing(Box::new(reference.clone())))
    });
    let given = given.collect::<Result<Vec<_>, _>>()?;
    let read = |(reference, (name, bytes)): (&Reference, (&'p String, &'p Vec<u8>))| {
        let found = anatomy::read(bytes)
            .map_err(|error| ComposeErrorKind::Part(Box::new(reference.clone()), Box::new(error)))?;
        Ok(Package { name, bytes, found })
    };
    spread(given, read).into_iter().collect()
}

/// The part that is no valid component, where that is what went wrong.
fn invalid_part<'w>(error: &ResolveError, wanted: &'w [Reference]) -> Option<&'w Reference> {
    let ResolveError::PackageParseFailure { name, .. } = error else { return None };
    wanted.iter().find(|reference| bare(name) == reference.name)
}

/// Stand-ins for parts. For what has none, because it is not a component, it is there itself: to be refused.
fn stand_ins(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let one = |(number, part): (u32, &&[u8])| stand_in::of(part, number).unwrap_or_else(|| part.to_vec());
    (0..).zip(parts).map(one).collect()
}

/// The tool that the producers section of a composition names.
const TOOL: &str = "composer";

fn options(define_components: bool) -> EncodeOptions<'static> {
    let processor = Processor { name: TOOL, version: env!("CARGO_PKG_VERSION") };
    EncodeOptions { define_components, validate: false, processor: Some(processor) }
}

/// The same composition with components that are imported, where the library can write their types: of some that mention
/// resources it cannot, and gives up.
fn typed(resolution: &Resolution<'_>) -> Option<Vec<u8>> {
    contain(|| resolution.encode(options(false)).ok()).ok().flatten()
}

/// The packages that import what the target world does not, or export what it demands; or the imports of the component that
/// lacks one.
fn helpful(error: &ResolveError, packages: &[Package<'_>]) -> Vec<String> {
    if let ResolveError::MissingComponentImport { package: lacking, .. } = error {
        let lacking = packages.iter().find(|package| package.name == bare(lacking));
        return lacking.map_or_else(Vec::new, |package| package.found.imports.clone());
    }
    let concerned = |package: &&Package<'_>| match error {
        ResolveError::ImportNotInTarget { name, .. } => package.found.imports.contains(name),
        ResolveError::MissingTargetExport { name, .. } => package.found.exports.contains(name),
        _ => false,
    };
    packages.iter().filter(concerned).map(|package| package.name.to_owned()).collect()
}
