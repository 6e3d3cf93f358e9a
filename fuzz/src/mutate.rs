//! Changes components by their sections.
//!
//! A byte more in a nested section makes every length around it wrong, and a file with a wrong length is refused before
//! anything in it is looked at. So sections are taken out of their frames here, changed, and framed anew.

use std::cell::Cell;

use crate::seeds::{SEPARATOR, components};

/// How deep components are taken apart.
const DEEPEST: usize = 6;
/// What a section's content may grow by in one step.
const GROWTH: usize = 64;
const HEAD: usize = 8;
const COMPONENT: u8 = 4;

/// Changes bytes in place: `mutate` is libFuzzer's own mutator for bytes without a form, and takes over where the input has
/// none. As in libFuzzer's interface, `size` bytes of `data` are the input, and up to `max_size` may be written; the answer is the new size.
pub fn component(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    mutate: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut chance = Chance(seed);
    let mut all: Vec<Vec<u8>> = components(&data[..size]).map(<[u8]>::to_vec).collect();
    let chosen = chance.below(all.len());
    let Some(mut whole) = parse(&all[chosen], 0) else { return mutate(data, size, max_size) };
    whole.change(&mut chance, mutate);
    all[chosen] = whole.bytes();
    let changed = all.join(SEPARATOR);
    if changed.len() > max_size {
        return mutate(data, size, max_size);
    }
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

/// Changes bytes that have no form in place, as libFuzzer does it: where it is not there, this takes its part. What is changed
/// follows from the bytes and from how often this was called in the thread.
pub fn bytes(data: &mut [u8], size: usize, max_size: usize) -> usize {
    thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }
    let calls = CALLS.replace(CALLS.get().wrapping_add(1));
    let mix = |seed: u32, byte: &u8| (seed ^ u32::from(*byte)).wrapping_mul(16_777_619);
    let mut chance = Chance(data[..size].iter().fold(2_166_136_261 ^ calls, mix));
    let at = chance.below(size);
    match chance.below(7) {
        _ if size == 0 => {
            let grown = usize::from(max_size > 0);
            data[..grown].fill(chance.below(256) as u8);
            return grown;
        }
        0 => data[at] ^= 1 << chance.below(8),
        1 => data[at] = chance.below(256) as u8,
        2 => data[at] = TELLING[chance.below(TELLING.len())],
        3 => data[at] = data[at].wrapping_add(if chance.below(2) == 0 { 1 } else { 255 }),
        4 if size < max_size => {
            data.copy_within(at..size, at + 1);
            data[at] = chance.below(256) as u8;
            return size + 1;
        }
        5 => {
            data.copy_within(at + 1..size, at);
            return size - 1;
        }
        _ => {
            // A piece of it, over another one.
            let from = chance.below(size);
            let length = 1 + chance.below(8.min(size - from.max(at)));
            data.copy_within(from..from + length, at);
        }
    }
    size
}

/// Bytes that mean something at many places of a binary.
const TELLING: [u8; 10] = [0, 1, 2, 0x0b, 0x40, 0x60, 0x7f, 0x80, 0xfe, 0xff];

/// A component or module, taken apart.
#[derive(Clone)]
struct Whole {
    head: [u8; HEAD],
    sections: Vec<Section>,
    /// What is no section.
    rest: Vec<u8>,
}

#[derive(Clone)]
struct Section {
    id: u8,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Bytes(Vec<u8>),
    Nested(Box<Whole>),
}

fn parse(bytes: &[u8], depth: usize) -> Option<Whole> {
    let head: [u8; HEAD] = bytes.get(..HEAD)?.try_into().ok()?;
    if !head.starts_with(b"\0asm") {
        return None;
    }
    let mut whole = Whole { head, sections: Vec::new(), rest: Vec::new() };
    let mut left = &bytes[HEAD..];
    while let Some((section, after)) = section(left, depth) {
        whole.sections.push(section);
        left = after;
    }
    whole.rest = left.to_vec();
    Some(whole)
}

fn section(bytes: &[u8], depth: usize) -> Option<(Section, &[u8])> {
    let (&id, bytes) = bytes.split_first()?;
    let (length, bytes) = number(bytes)?;
    let content = bytes.get(..length)?;
    let nested = if id == COMPONENT && depth < DEEPEST { parse(content, depth + 1) } else { None };
    let content = nested.map_or_else(|| Content::Bytes(content.to_vec()), |it| Content::Nested(Box::new(it)));
    Some((Section { id, content }, &bytes[length..]))
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// A number in as few bytes as it takes.
#[must_use]
pub fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 0x80 });
        if number == 0 {
            return bytes;
        }
    }
}

impl Whole {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.to_vec();
        for section in &self.sections {
            let content = match &section.content {
                Content::Bytes(content) => content.clone(),
                Content::Nested(whole) => whole.bytes(),
            };
            bytes.push(section.id);
            bytes.extend(leb(content.len()));
            bytes.extend(content);
        }
        bytes.extend(&self.rest);
        bytes
    }

    fn change(&mut self, chance: &mut Chance, mutate: fn(&mut [u8], usize, usize) -> usize) {
        // Down into one of the components that are embedded, or not.
        let nested: Vec<usize> = (0..self.sections.len())
            .filter(|&index| matches!(self.sections[index].content, Content::Nested(_)))
            .collect();
        if !nested.is_empty() && chance.below(3) > 0 {
            let into = nested[chance.below(nested.len())];
            if let Content::Nested(whole) = &mut self.sections[into].content {
                return whole.change(chance, mutate);
            }
        }
        let count = self.sections.len();
        if count == 0 {
            self.rest = grown(&self.rest, mutate);
            return;
        }
        let (one, other) = (chance.below(count), chance.below(count + 1));
        match chance.below(12) {
            0 => {
                self.sections.remove(one);
            }
            1 => {
                let copy = self.sections[one].clone();
                self.sections.insert(other, copy);
            }
            2 => {
                let moved = self.sections.remove(one);
                self.sections.insert(other.min(count - 1), moved);
            }
            3 => {
                // The whole, once more, inside itself.
                let inner = Content::Nested(Box::new(self.clone()));
                self.sections.insert(other, Section { id: COMPONENT, content: inner });
            }
            4 => self.rest = grown(&self.rest, mutate),
            5 => self.sections[one].id = chance.below(14) as u8,
            _ => {
                if let Content::Bytes(content) = &mut self.sections[one].content {
                    *content = grown(content, mutate);
                }
            }
        }
    }
}

fn grown(content: &[u8], mutate: fn(&mut [u8], usize, usize) -> usize) -> Vec<u8> {
    let mut buffer = content.to_vec();
    buffer.resize(content.len() + GROWTH, 0);
    let most = buffer.len();
    let length = mutate(&mut buffer, content.len(), most);
    buffer.truncate(length);
    buffer
}

/// Numbers that look random, and are the same for the same seed.
struct Chance(u32);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit.max(1)
    }
}
