//! Whether a composition is valid, which is asked before anyone gets to see it.

use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportKind, ComponentImportSection,
    ComponentInstanceSection, ComponentOuterAliasKind, ComponentSection, ComponentSectionId,
    ComponentTypeRef, Encode, NestedComponentSection, RawSection,
};
use wasmparser::{
    Chunk, FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, Payload, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

use crate::composed::{Composed, Draft};
use crate::spread::spread;

/// From how many parts on they are validated one by one.
///
/// The validator keeps what it knows of types in lists that it copies at the end of every module and component, so the
/// time for a whole grows with the square of their number. Below this it does not show.
const MANY: usize = 24;

/// How much code is validated in one go, in bytes.
const SHARE: u64 = 1 << 18;

/// Whether `composed`, which is `draft` with these parts, is valid. `typed` is the same composition with parts that are
/// imported, by which their types are known.
pub(crate) fn check(
    composed: &Composed<'_>,
    draft: &Draft,
    parts: &[&[u8]],
    typed: impl FnOnce() -> Option<Vec<u8>>,
) -> wasmparser::Result<()> {
    if draft.embedded() >= MANY
        && let Some(typed) = typed()
        && one_by_one(draft, parts, &typed)
    {
        return Ok(());
    }
    whole(&composed.chunks().collect::<Vec<_>>())
}

/// Validates a component that comes in pieces. Each piece ends where a component embedded in it begins or ends.
fn whole(chunks: &[&[u8]]) -> wasmparser::Result<()> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut parser = Parser::new(0);
    let mut around = Vec::new();
    let mut bodies = Bodies::default();
    let mut chunks = chunks.iter();
    let mut rest: &[u8] = &[];
    loop {
        while let (true, Some(next)) = (rest.is_empty(), chunks.as_slice().first()) {
            rest = next;
            chunks.next();
        }
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            unreachable!("no more data is asked for where there is none")
        };
        rest = &rest[consumed..];
        match validator.payload(&payload)? {
            ValidPayload::Ok => {}
            ValidPayload::Parser(inner) => around.push(std::mem::replace(&mut parser, inner)),
            ValidPayload::Func(function, body) => bodies.add(function, body),
            ValidPayload::End(_) => match around.pop() {
                Some(outer) => parser = outer,
                None => return bodies.validate(),
            },
        }
    }
}

/// Function bodies that are still to be validated, in shares of about the same size.
#[derive(Default)]
struct Bodies<'a> {
    shares: Vec<Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>>,
    last: u64,
}

impl<'a> Bodies<'a> {
    fn add(&mut self, function: FuncToValidate<ValidatorResources>, body: FunctionBody<'a>) {
        let range = body.range();
        if self.shares.is_empty() || self.last >= SHARE {
            self.shares.push(Vec::new());
            self.last = 0;
        }
        self.last += range.end - range.start;
        if let Some(share) = self.shares.last_mut() {
            share.push((function, body));
        }
    }

    fn validate(self) -> wasmparser::Result<()> {
        let share = |share: Vec<(FuncToValidate<_>, FunctionBody<'_>)>| {
            let mut memory = FuncValidatorAllocations::default();
            for (function, body) in share {
                let mut validator = function.into_validator(memory);
                validator.validate(&body)?;
                memory = validator.into_allocations();
            }
            Ok(())
        };
        spread(self.shares, share).into_iter().collect()
    }
}

/// Whether a composition of many parts is known to be valid: each part is valid alone and of the type that is said of
/// it, and what is between the parts is valid for parts of these types. Where it is not known, the whole has to tell.
fn one_by_one(draft: &Draft, parts: &[&[u8]], typed: &[u8]) -> bool {
    let Ok(types) = types(typed) else { return false };
    let numbers: Vec<usize> = draft.numbers().collect();
    if types.len() != numbers.len() {
        return false;
    }
    let each = numbers.iter().zip(&types).map(|(&number, ty)| (parts[number], *ty)).collect();
    spread(each, |(part, ty)| of_type(part, ty)).into_iter().all(|valid| valid)
        && whole(&[&for_types(draft, &types)]).is_ok()
}

/// The types of the components that are imported, each as the bytes that define it: what comes right before the import.
fn types(typed: &[u8]) -> wasmparser::Result<Vec<&[u8]>> {
    let (mut found, mut last) = (Vec::new(), 0..0);
    for payload in Parser::new(0).parse_all(typed) {
        match payload? {
            Payload::ComponentTypeSection(types) => {
                let end = types.range().end;
                for ty in types.into_iter_with_offsets() {
                    last = ty?.0..end;
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    if let wasmparser::ComponentTypeRef::Component(_) = import?.ty {
                        found.push(&typed[last.start as usize..last.end as usize]);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Whether a part is valid, and could be given where a component of this type is asked for.
///
/// The type stands where nothing is around that it could mention: it means the same wherever it is put.
fn of_type(part: &[u8], ty: &[u8]) -> bool {
    let mut head = Component::HEADER.to_vec();
    head.push(ComponentSectionId::Component as u8);
    part.len().encode(&mut head);
    let mut asks = Component::new();
    asks.section(&RawSection { id: ComponentSectionId::Type as u8, data: &one(ty) });
    let mut import = ComponentImportSection::new();
    import.import("part", ComponentTypeRef::Component(0));
    asks.section(&import);
    let mut tail = Vec::new();
    NestedComponentSection(&asks).append_to_component(&mut tail);
    let mut instance = ComponentInstanceSection::new();
    instance.instantiate(1, [("part", ComponentExportKind::Component, 0)]);
    instance.append_to_component(&mut tail);
    whole(&[&head, part, &tail]).is_ok()
}

/// What is between the parts, inside a component that imports components of these types for them.
fn for_types(draft: &Draft, types: &[&[u8]]) -> Vec<u8> {
    let mut content = Vec::new();
    types.len().encode(&mut content);
    types.iter().for_each(|ty| content.extend_from_slice(ty));
    let mut imports = ComponentImportSection::new();
    for index in 0..types.len() as u32 {
        imports.import(format!("part{index}").as_str(), ComponentTypeRef::Component(index));
    }
    let mut inner = Vec::new();
    for (index, between) in (0..=types.len() as u32).zip(draft.between()) {
        inner.extend_from_slice(between);
        if index < types.len() as u32 {
            let mut alias = ComponentAliasSection::new();
            alias.alias(Alias::Outer { kind: ComponentOuterAliasKind::Component, count: 1, index });
            alias.append_to_component(&mut inner);
        }
    }
    let mut around = Component::new();
    around.section(&RawSection { id: ComponentSectionId::Type as u8, data: &content });
    around.section(&imports);
    around.section(&RawSection { id: ComponentSectionId::Component as u8, data: &inner });
    around.finish()
}

/// The content of a section that has one item.
fn one(item: &[u8]) -> Vec<u8> {
    [&[1], item].concat()
}
