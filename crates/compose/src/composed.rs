//! A composition in pieces: what was made for it, and between that the parts, where they are.

use std::ops::Range;

use wasm_encoder::{ComponentSection, ComponentSectionId, Encode};
use wasmparser::{Chunk, ComponentAlias, ComponentExternalKind, ComponentTypeRef, Parser, Payload};

use crate::stand_in;

/// A composition. Parts are not copied into it: it holds on to those that it was made of.
#[derive(Debug, Clone)]
pub struct Composed<'p> {
    /// All but the parts.
    glue: Vec<u8>,
    /// The parts, and where each goes into the glue.
    parts: Vec<(usize, &'p [u8])>,
}

impl Composed<'_> {
    /// Its bytes, one piece after the other.
    pub fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.parts.iter().map(|(at, _)| *at));
        let ends = self.parts.iter().map(|(at, _)| *at).chain([self.glue.len()]);
        let parts = self.parts.iter().map(|(_, part)| Some(*part)).chain([None]);
        starts
            .zip(ends)
            .zip(parts)
            .flat_map(|((start, end), part)| [Some(&self.glue[start..end]), part].into_iter().flatten())
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.chunks().map(<[u8]>::len).sum()
    }

    /// Its bytes in one piece: a copy.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.size());
        self.chunks().for_each(|chunk| bytes.extend_from_slice(chunk));
        bytes
    }

    /// Adds a section at the end.
    pub(crate) fn append(&mut self, section: &impl ComponentSection) {
        section.append_to_component(&mut self.glue);
    }
}

/// A composition that is in one piece.
impl From<Vec<u8>> for Composed<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Composed { glue: bytes, parts: Vec::new() }
    }
}

/// A composition of stand-ins.
pub(crate) struct Draft {
    bytes: Vec<u8>,
    /// Where its stand-ins are, and the numbers of their parts.
    places: Vec<(Range<usize>, usize)>,
    /// How many instances it has, as engines count them: imported, made, taken out of others and exported.
    pub(crate) instances: usize,
}

impl Draft {
    /// Reads what was composed of stand-ins.
    pub(crate) fn read(bytes: Vec<u8>) -> wasmparser::Result<Self> {
        let (mut places, mut instances) = (Vec::new(), 0);
        let mut parser = Parser::new(0);
        let mut at = 0;
        while let Chunk::Parsed { consumed, payload } = parser.parse(&bytes[at..], true)? {
            at += consumed;
            match payload {
                Payload::ComponentSection { unchecked_range: range, .. } => {
                    let range = range.start as usize..range.end as usize;
                    at = range.end;
                    places.extend(stand_in::number(&bytes[range.clone()]).map(|number| (range, number)));
                }
                Payload::End(_) => break,
                other => instances += made(other)?,
            }
        }
        Ok(Draft { bytes, places, instances })
    }

    /// What was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many of its instances are parts.
    pub(crate) fn embedded(&self) -> usize {
        self.places.len()
    }

    /// The numbers of the parts, in the order in which they are embedded.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(|(_, number)| *number)
    }

    /// The number of the part whose stand-in is at this offset.
    pub(crate) fn part_at(&self, offset: u64) -> Option<usize> {
        let after = self.places.partition_point(|(range, _)| range.start as u64 <= offset);
        after.checked_sub(1).map(|index| self.places[index].1)
    }

    /// What is between the stand-ins. Sections other than those of the stand-ins are in it whole.
    pub(crate) fn between(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.places.iter().map(|(range, _)| before(range)).chain([self.bytes.len()]);
        let starts = std::iter::once(0).chain(self.places.iter().map(|(range, _)| range.end));
        starts.zip(ends).map(|(start, end)| &self.bytes[start..end])
    }

    /// The composition, with the parts in the places of their stand-ins.
    pub(crate) fn with<'p>(&self, parts: &[&'p [u8]]) -> Composed<'p> {
        let mut composed = Composed { glue: Vec::new(), parts: Vec::with_capacity(self.places.len()) };
        let numbers = self.numbers().map(Some).chain([None]);
        for (between, number) in self.between().zip(numbers) {
            composed.glue.extend_from_slice(between);
            let Some(part) = number.map(|number| parts[number]) else { break };
            composed.glue.push(ComponentSectionId::Component as u8);
            part.len().encode(&mut composed.glue);
            composed.parts.push((composed.glue.len(), part));
        }
        composed
    }
}

/// Where the section begins whose content is this: before that are its length and its one byte of kind.
fn before(content: &Range<usize>) -> usize {
    let mut length = Vec::new();
    content.len().encode(&mut length);
    content.start - length.len() - 1
}

/// How many instances a section adds.
fn made(section: Payload<'_>) -> wasmparser::Result<usize> {
    let instance = |kind: ComponentExternalKind| kind == ComponentExternalKind::Instance;
    let mut count = 0;
    match section {
        Payload::ComponentImportSection(imports) => {
            for import in imports {
                count += usize::from(matches!(import?.ty, ComponentTypeRef::Instance(_)));
            }
        }
        Payload::ComponentInstanceSection(instances) => count = instances.count() as usize,
        Payload::ComponentAliasSection(aliases) => {
            for alias in aliases {
                count += match alias? {
                    ComponentAlias::InstanceExport { kind, .. } => usize::from(instance(kind)),
                    _ => 0,
                };
            }
        }
        Payload::ComponentExportSection(exports) => {
            for export in exports {
                count += usize::from(instance(export?.kind));
            }
        }
        _ => {}
    }
    Ok(count)
}
