//! The core module of a stub.
//!
//! It computes nothing: each function drops the handles that it got, and returns a value that was written down when the
//! module was made. Memory holds these values, and behind them the room where arguments arrive. They are never read, so
//! all may overlie each other there, and the room is as large as the largest.

use indexmap::{IndexMap, IndexSet};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function as Body,
    FunctionSection, ImportSection, InstructionSink, MemorySection, MemoryType, Module, TypeSection, ValType,
};
use wit_parser::abi::{AbiVariant, FlatTypes, WasmSignature, WasmType};
use wit_parser::{
    Function, Handle, Int, LiftLowerAbi, ManglingAndAbi, ResourceIntrinsic, Type, TypeDefKind, TypeId,
    TypeOwner, WasmExport, WasmExportKind, WasmImport, WorldItem, WorldKey,
};

use super::Answer;
use super::answer::Scene;

/// The names by which the encoder of components knows what is what.
const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
/// No type asks for more, and every value is written at a multiple of it.
const ALIGNMENT: usize = 8;
/// Where the first value is written. Null is left free, so that nothing is at it.
const FIRST: usize = ALIGNMENT;
/// Bytes of a page of memory, as a power of two.
const PAGE: u32 = 16;

type Signature = (Vec<ValType>, Vec<ValType>);

/// A module that is being made.
pub(super) struct Builder<'a> {
    scene: &'a Scene<'a>,
    types: IndexSet<Signature>,
    /// Imported functions by module and name, with their types.
    imports: IndexMap<(String, String), u32>,
    /// Types, export names and bodies of the functions.
    functions: Vec<(u32, String, Body)>,
    /// Values in memory, and where each is.
    values: IndexMap<Vec<u8>, usize>,
    /// Where the last value ends.
    end: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(scene: &'a Scene<'a>) -> Self {
        Builder {
            scene,
            types: IndexSet::new(),
            imports: IndexMap::new(),
            functions: Vec::new(),
            values: IndexMap::new(),
            end: FIRST,
        }
    }

    /// Adds a function of a closed import, which always gives this answer.
    pub(super) fn add(&mut self, key: &WorldKey, item: &WorldItem, function: &Function, answer: &Answer) {
        let interface = matches!(item, WorldItem::Interface { .. }).then_some(key);
        let resolve = self.scene.resolve;
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let export = WasmExport::Func { interface, func: function, kind: WasmExportKind::Normal };
        let name = resolve.wasm_export_name(NAMES, export);
        let mut body = Body::new([]);
        let mut code = body.instructions();
        if *answer == Answer::Trap {
            code.unreachable();
        } else {
            let mut local = 0;
            for parameter in &function.params {
                self.drop_handles(&mut code, &signature, parameter.ty, local);
                local += self.flat(parameter.ty);
            }
            self.give(&mut code, &signature, function.result, answer);
        }
        code.end();
        let ty = self.ty(core_types(&signature.params), core_types(&signature.results));
        self.functions.push((ty, name, body));
    }

    /// Drops the handles in an argument that begins at this local.
    fn drop_handles(
        &mut self,
        code: &mut InstructionSink<'_>,
        signature: &WasmSignature,
        ty: Type,
        local: u32,
    ) {
        let Type::Id(id) = ty else { return };
        // In a case of a variant a handle may have to share its place with something wider.
        let get = |code: &mut InstructionSink<'_>, local: u32| {
            code.local_get(local);
            if matches!(signature.params[local as usize], WasmType::I64 | WasmType::PointerOrI64) {
                code.i32_wrap_i64();
            }
        };
        let following = |builder: &mut Self, code: &mut InstructionSink<'_>, types: &[Type]| {
            let mut local = local;
            for &ty in types {
                builder.drop_handles(code, signature, ty, local);
                local += builder.flat(ty);
            }
        };
        match self.scene.kind(id) {
            TypeDefKind::Handle(handle) => {
                if let Some(resource) = self.scene.must_drop(handle) {
                    let own = self.scene.closing.owns(self.scene.resolve, resource);
                    let kind =
                        if own { ResourceIntrinsic::ExportedDrop } else { ResourceIntrinsic::ImportedDrop };
                    let function = self.intrinsic(resource, kind);
                    get(code, local);
                    code.call(function);
                }
            }
            TypeDefKind::Record(record) => {
                following(self, code, &record.fields.iter().map(|field| field.ty).collect::<Vec<_>>());
            }
            TypeDefKind::Tuple(tuple) => following(self, code, &tuple.types),
            // What is passed directly is never longer than the parameters.
            TypeDefKind::FixedLengthList(ty, length) => following(self, code, &vec![*ty; *length as usize]),
            kind => {
                for (index, payload) in payloads(kind).into_iter().enumerate() {
                    let Some(payload) = payload.filter(|&payload| self.holds_handles(payload)) else {
                        continue;
                    };
                    get(code, local);
                    code.i32_const(i32::try_from(index).unwrap_or(i32::MAX)).i32_eq().if_(BlockType::Empty);
                    self.drop_handles(code, signature, payload, local + 1);
                    code.end();
                }
            }
        }
    }

    /// Whether handles that must be dropped are passed directly in a type.
    fn holds_handles(&self, ty: Type) -> bool {
        let Type::Id(id) = ty else { return false };
        match self.scene.kind(id) {
            TypeDefKind::Handle(handle) => self.scene.must_drop(handle).is_some(),
            TypeDefKind::List(_) | TypeDefKind::Map(..) => false,
            kind => super::types::pieces(kind).into_iter().any(|piece| self.holds_handles(piece)),
        }
    }

    /// Returns the answer.
    fn give(
        &mut self,
        code: &mut InstructionSink<'_>,
        signature: &WasmSignature,
        result: Option<Type>,
        answer: &Answer,
    ) {
        let Some(Type::Id(id)) = result else {
            code.unreachable();
            return;
        };
        if let (Answer::Handle, TypeDefKind::Handle(Handle::Own(resource))) = (answer, self.scene.kind(id)) {
            // All such resources are alike, so what stands for them inside says nothing.
            let resource = super::types::named(self.scene.resolve, *resource);
            let function = self.intrinsic(resource, ResourceIntrinsic::ExportedNew);
            code.i32_const(0).call(function);
            return;
        }
        let value = self.value(id, answer);
        // What fits into one value is returned as it is; the rest by its place in memory.
        let given = if signature.retptr { self.keep(value) } else { usize::from(value[0]) };
        code.i32_const(i32::try_from(given).unwrap_or(i32::MAX));
    }

    /// The answer as it stands in memory. Empty lists and `none` are all zeros.
    fn value(&self, id: TypeId, answer: &Answer) -> Vec<u8> {
        let sizes = &self.scene.sizes;
        let mut bytes = vec![0; sizes.size(&Type::Id(id)).size_wasm32().max(1)];
        let TypeDefKind::Result(result) = self.scene.kind(id) else { return bytes };
        bytes[0] = 1;
        if let (Answer::Error(path), Some(Type::Id(error))) = (answer, result.err) {
            let cases = [result.ok.as_ref(), result.err.as_ref()];
            let mut at = sizes.payload_offset(Int::U8, cases).size_wasm32();
            for (id, index) in self.scene.cases(error, path).unwrap_or_default() {
                let kind = self.scene.kind(id);
                let tag = match kind {
                    TypeDefKind::Variant(variant) => variant.tag(),
                    TypeDefKind::Enum(cases) => cases.tag(),
                    _ => Int::U8,
                };
                let width = match tag {
                    Int::U8 => 1,
                    Int::U16 => 2,
                    Int::U32 | Int::U64 => 4,
                };
                bytes[at..at + width].copy_from_slice(&index.to_le_bytes()[..width]);
                let payloads = payloads(kind);
                at += sizes.payload_offset(tag, payloads.iter().map(Option::as_ref)).size_wasm32();
            }
        }
        bytes
    }

    /// Keeps a value in memory, and answers with its place.
    fn keep(&mut self, value: Vec<u8>) -> usize {
        let (end, length) = (self.end, value.len());
        let place = *self.values.entry(value).or_insert(end);
        if place == end {
            self.end = (end + length).next_multiple_of(ALIGNMENT);
        }
        place
    }

    /// How many locals a parameter takes. No more than 16 are passed directly.
    fn flat(&self, ty: Type) -> u32 {
        let mut room = [WasmType::I32; 16];
        let mut flat = FlatTypes::new(&mut room);
        self.scene.resolve.push_flat(&ty, &mut flat);
        flat.to_vec().len() as u32
    }

    /// An imported function that makes or drops handles to a resource.
    fn intrinsic(&mut self, resource: TypeId, intrinsic: ResourceIntrinsic) -> u32 {
        let resolve = self.scene.resolve;
        let owner = match resolve.types[resource].owner {
            TypeOwner::Interface(id) => Some(self.scene.closing.key_of(id)),
            _ => None,
        };
        let new = matches!(intrinsic, ResourceIntrinsic::ExportedNew);
        let import = WasmImport::ResourceIntrinsic { interface: owner.as_ref(), resource, intrinsic };
        let name = resolve.wasm_import_name(NAMES, import);
        let results = if new { vec![ValType::I32] } else { Vec::new() };
        let ty = self.ty(vec![ValType::I32], results);
        let entry = self.imports.entry(name);
        let index = entry.index() as u32;
        entry.or_insert(ty);
        index
    }

    fn ty(&mut self, parameters: Vec<ValType>, results: Vec<ValType>) -> u32 {
        self.types.insert_full((parameters, results)).0 as u32
    }

    /// The module.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let four = vec![ValType::I32; 4];
        let ty = self.ty(four, vec![ValType::I32]);
        self.functions.push((ty, "cabi_realloc".to_owned(), room_for_arguments(self.end)));

        let mut types = TypeSection::new();
        for (parameters, results) in self.types {
            types.ty().function(parameters, results);
        }
        let mut imports = ImportSection::new();
        for ((module, name), ty) in &self.imports {
            imports.import(module, name, EntityType::Function(*ty));
        }
        let (mut functions, mut exports, mut code) =
            (FunctionSection::new(), ExportSection::new(), CodeSection::new());
        for (index, (ty, name, body)) in self.functions.iter().enumerate() {
            functions.function(*ty);
            exports.export(name, ExportKind::Func, (self.imports.len() + index) as u32);
            code.function(body);
        }
        let mut memories = MemorySection::new();
        let minimum = (self.end as u64).div_ceil(1 << PAGE);
        let (memory64, shared, maximum, page_size_log2) = (false, false, None, None);
        memories.memory(MemoryType { minimum, maximum, memory64, shared, page_size_log2 });
        exports.export("memory", ExportKind::Memory, 0);
        let mut data = DataSection::new();
        for (value, place) in self.values {
            data.active(0, &ConstExpr::i32_const(place as i32), value);
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&memories);
        module.section(&exports).section(&code).section(&data);
        module.finish()
    }
}

/// The function that finds room for an argument: always the same, and more of it where it does not suffice.
fn room_for_arguments(begin: usize) -> Body {
    const SIZE: u32 = 3;
    const PAGES: u32 = 4;
    let mut body = Body::new([(1, ValType::I64)]);
    let mut code = body.instructions();
    code.local_get(SIZE).i64_extend_i32_u();
    code.i64_const(begin as i64 + (1 << PAGE) - 1).i64_add();
    code.i64_const(i64::from(PAGE)).i64_shr_u().local_tee(PAGES);
    code.memory_size(0).i64_extend_i32_u().i64_gt_u().if_(BlockType::Empty);
    code.local_get(PAGES).memory_size(0).i64_extend_i32_u().i64_sub().i32_wrap_i64().memory_grow(0);
    code.i32_const(-1).i32_eq().if_(BlockType::Empty).unreachable().end();
    code.end();
    code.i32_const(begin as i32).end();
    body
}

/// The payload of each case of a type that has cases.
fn payloads(kind: &TypeDefKind) -> Vec<Option<Type>> {
    match kind {
        TypeDefKind::Variant(variant) => variant.cases.iter().map(|case| case.ty).collect(),
        TypeDefKind::Option(ty) => vec![None, Some(*ty)],
        TypeDefKind::Result(result) => vec![result.ok, result.err],
        _ => Vec::new(),
    }
}

fn core_types(types: &[WasmType]) -> Vec<ValType> {
    let core = |ty: &WasmType| match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    };
    types.iter().map(core).collect()
}
