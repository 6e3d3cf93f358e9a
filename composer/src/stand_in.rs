//! Stand-ins for parts: components of the same type and structure, without what makes parts large.
//!
//! The library that composes copies what it is given several times. Nothing that it looks at is in function bodies, data
//! or custom sections, which are nearly all of a part; so it gets parts without these, and the parts themselves take
//! the places of their stand-ins in what it made.

use wasm_encoder::{ComponentSectionId, CustomSection, Encode, Section, SectionId};
use wasmparser::{Parser, Payload};

/// The custom section with which a stand-in ends: its last four bytes are the number of the part.
const NUMBER: &str = "stand-in";
/// The custom section with the names of a component's instances, by which parts of parts are known.
const NAMES: &str = "component-name";
/// A function without locals that traps: valid for every type of function.
const BODY: [u8; 4] = [3, 0, 0x00, 0x0b];

/// The stand-in for part `number`.
///
/// # Errors
///
/// Where the component breaks the binary format.
pub(crate) fn of(component: &[u8], number: u32) -> wasmparser::Result<Vec<u8>> {
    let mut open: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut next = ComponentSectionId::Component as u8;
    let mut whole = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else {
            match payload {
                Payload::Version { range, .. } => {
                    open.push((next, component[range.start as usize..range.end as usize].to_vec()));
                }
                Payload::End(_) => {
                    let Some((id, done)) = open.pop() else { continue };
                    match open.last_mut() {
                        Some((_, around)) => section(around, id, &done),
                        None => whole = done,
                    }
                }
                _ => {}
            }
            continue;
        };
        let Some((_, current)) = open.last_mut() else { continue };
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => next = id,
            Payload::CodeSectionStart { count, size, .. } => {
                // A body takes a byte at least, whatever the count says.
                let count = count.min(size);
                let mut bodies = Vec::new();
                count.encode(&mut bodies);
                (0..count).for_each(|_| bodies.extend(BODY));
                section(current, SectionId::Code as u8, &bodies);
            }
            Payload::DataSection(_) | Payload::DataCountSection { .. } => {}
            Payload::CustomSection(custom) if custom.name() != NAMES => {}
            _ => section(current, id, &component[range.start as usize..range.end as usize]),
        }
    }
    let number: &[u8] = &number.to_le_bytes();
    CustomSection { name: NUMBER.into(), data: number.into() }.append_to(&mut whole);
    Ok(whole)
}

/// The number of the part that a stand-in is for.
pub(crate) fn number(stand_in: &[u8]) -> Option<usize> {
    let number = stand_in.last_chunk()?;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn section(into: &mut Vec<u8>, id: u8, content: &[u8]) {
    into.push(id);
    content.encode(into);
}
