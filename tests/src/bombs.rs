//! Small components that are expensive to load: many things of one kind, or few that multiply.
//!
//! Each is valid as far as its binary format goes; whether an engine takes it is for the host to say.

use wasm_encoder::{
    Alias, BlockType, CodeSection, Component, ComponentDefinedTypeEncoder, ComponentExportKind,
    ComponentExportSection, ComponentImportSection, ComponentInstanceSection, ComponentOuterAliasKind,
    ComponentTypeRef, ComponentTypeSection, ComponentValType, ConstExpr, CustomSection, DataSection,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, InstanceSection,
    InstanceType, InstructionSink, MemArg, MemorySection, MemoryType, Module, ModuleArg, ModuleSection,
    NameMap, NameSection, NestedComponentSection, PrimitiveValType, RefType, StartSection, TableSection,
    TableType, TypeSection, ValType,
};

/// A component that costs its host much, by name.
pub struct Bomb {
    /// What there is too much of.
    pub name: &'static str,
    /// Makes it. Some are megabytes long.
    pub make: fn() -> Vec<u8>,
}

/// Returns all of them.
#[must_use]
pub fn all() -> Vec<Bomb> {
    let bomb = |(name, make): &(&'static str, Make)| Bomb { name, make: *make };
    BOMBS.iter().map(bomb).collect()
}

type Make = fn() -> Vec<u8>;

const BOMBS: &[(&str, Make)] = &[
    ("50,000 locals in 200 functions", || locals(200)),
    ("50,000 locals in 2,000 functions", || locals(2000)),
    ("50,000 locals in a loop, 50 functions", || locals_in_a_loop(50)),
    ("76 tables of 65,000 branches", || branches(76, 1)),
    ("10 tables of 65,000 branches to 1,000 places", || branches(10, 1000)),
    ("100,000 loads that live at once", || loads(100_000)),
    ("700,000 loads that live at once", || loads(700_000)),
    ("5,000 locals around a loop with calls", || live_around_calls(5000)),
    ("45,000 locals around a loop with calls", || live_around_calls(45_000)),
    ("a million nested blocks", || nested(1_000_000, |code| _ = code.block(BlockType::Empty))),
    ("a million nested conditions", || nested(1_000_000, |code| _ = code.local_get(0).if_(BlockType::Empty))),
    ("1,000 parameters and results", parameters),
    ("100,000 exports of a module", || module_exports(100_000)),
    ("100,000 names to demangle", || names(100_000)),
    ("900,000 empty functions", || wrapped(&functions(900_000, &[]))),
    ("900,000 globals", || globals(900_000)),
    ("components nested 90 deep", || nested_components(90)),
    ("components nested 2,000 deep", || nested_components(2000)),
    ("components nested 20,000 deep", || nested_components(20_000)),
    ("instances nested 90 deep", || multiplied(empty(), 90, 1)),
    ("256 instances by doubling", || multiplied(tiny(), 8, 2)),
    ("16,000 instances by doubling", || multiplied(tiny(), 14, 2)),
    ("262,000 instances by doubling", || multiplied(tiny(), 18, 2)),
    ("4 million instances by doubling", || multiplied(tiny(), 22, 2)),
    ("a billion instances", || multiplied(tiny(), 3, 1000)),
    ("1,000 core instances", || core_instances(&functions(1, &[]), 1000)),
    ("5,000 core instances", || core_instances(&functions(1, &[]), 5000)),
    ("64 memories in instances", || core_instances(&memories(1, 1), 64)),
    ("64 memories of 60 pages", || core_instances(&memories(1, 60), 64)),
    ("100 memories in one module", || wrapped(&memories(100, 1))),
    ("a table of 10 million", table),
    ("an image of 128 MiB", || image(2047)),
    ("an image of 250 MiB", || image(4000)),
    ("tuples doubled 16 times", || tuples(16, 1)),
    ("tuples doubled 16 times, in 2,000 functions", || tuples(16, 2000)),
    ("tuples doubled 25 times", || tuples(25, 1)),
    ("lists nested 90 deep", || lists(90)),
    ("lists nested 900 deep", || lists(900)),
    ("lists nested 50,000 deep", || lists(50_000)),
    ("90,000 exports", || exports(90_000)),
    ("instance types doubled 16 times", || instance_types(16)),
    ("instance types doubled 24 times", || instance_types(24)),
    ("instance types doubled 60 times", || instance_types(60)),
    ("a million custom sections", || customs(1_000_000)),
    ("a start that never ends", || start(|code| _ = code.loop_(BlockType::Empty).br(0).end())),
    ("a start that recurses", || start(|code| _ = code.call(0))),
    ("a start that grows its memory", || {
        start(|code| _ = code.loop_(BlockType::Empty).i32_const(1).memory_grow(0).drop().br(0).end())
    }),
];

type Write = dyn Fn(&mut InstructionSink<'_>);

/// A module of functions without parameters and results: each has these locals and this code.
fn module_of(
    count: u32,
    locals: &[(u32, ValType)],
    write: &Write,
    pages: Option<u64>,
    starts: bool,
) -> Module {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut functions = FunctionSection::new();
    (0..count).for_each(|_| _ = functions.function(0));
    module.section(&functions);
    if let Some(pages) = pages {
        module.section(&memory(1, pages));
    }
    if starts {
        module.section(&StartSection { function_index: 0 });
    }
    let mut function = Function::new(locals.iter().copied());
    write(&mut function.instructions());
    function.instructions().end();
    let mut code = CodeSection::new();
    (0..count).for_each(|_| _ = code.function(&function));
    module.section(&code);
    module
}

fn functions(count: u32, locals: &[(u32, ValType)]) -> Module {
    module_of(count, locals, &|_| {}, None, false)
}

fn memory(count: u32, pages: u64) -> MemorySection {
    let mut memories = MemorySection::new();
    let ty =
        MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None };
    (0..count).for_each(|_| _ = memories.memory(ty));
    memories
}

fn memories(count: u32, pages: u64) -> Module {
    let mut module = Module::new();
    module.section(&memory(count, pages));
    module
}

/// A component that instantiates a module.
fn wrapped(module: &Module) -> Vec<u8> {
    core_instances(module, 1)
}

fn core_instances(module: &Module, count: u32) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    let mut instances = InstanceSection::new();
    (0..count).for_each(|_| _ = instances.instantiate(0, [] as [(&str, ModuleArg); 0]));
    component.section(&instances);
    component.finish()
}

fn locals(count: u32) -> Vec<u8> {
    let read = |code: &mut InstructionSink<'_>| _ = code.local_get(0).drop();
    wrapped(&module_of(count, &[(50_000, ValType::I64)], &read, None, false))
}

fn locals_in_a_loop(count: u32) -> Vec<u8> {
    let copy = |code: &mut InstructionSink<'_>| {
        code.loop_(BlockType::Empty);
        (0..1999).for_each(|index| _ = code.local_get(index * 25).local_set(index * 25 + 1));
        code.i32_const(0).br_if(0).end();
    };
    wrapped(&module_of(count, &[(50_000, ValType::I64)], &copy, None, false))
}

fn branches(count: u32, places: u32) -> Vec<u8> {
    let branch = move |code: &mut InstructionSink<'_>| {
        (0..places).for_each(|_| _ = code.block(BlockType::Empty));
        let targets: Vec<u32> = (0..65_000).map(|index| index % places).collect();
        code.i32_const(0).br_table(targets, 0);
        (0..places).for_each(|_| _ = code.end());
    };
    wrapped(&module_of(count, &[], &branch, None, false))
}

fn loads(count: u32) -> Vec<u8> {
    let load = move |code: &mut InstructionSink<'_>| {
        let at = MemArg { offset: 0, align: 2, memory_index: 0 };
        (0..count).for_each(|_| _ = code.i32_const(0).i32_load(at));
        (1..count).for_each(|_| _ = code.i32_add());
        code.drop();
    };
    wrapped(&module_of(1, &[], &load, Some(1), false))
}

fn live_around_calls(count: u32) -> Vec<u8> {
    let turn = move |code: &mut InstructionSink<'_>| {
        code.loop_(BlockType::Empty);
        for index in 0..count {
            code.local_get(index).i32_const(1).i32_add().local_set((index + 1) % count);
            if index % 4 == 0 {
                code.call(0);
            }
        }
        code.i32_const(1).br_if(0).end();
    };
    wrapped(&module_of(1, &[(count, ValType::I32)], &turn, None, false))
}

fn nested(count: u32, open: fn(&mut InstructionSink<'_>)) -> Vec<u8> {
    let nest = move |code: &mut InstructionSink<'_>| {
        (0..count).for_each(|_| open(code));
        (0..count).for_each(|_| _ = code.end());
    };
    wrapped(&module_of(1, &[(1, ValType::I32)], &nest, None, false))
}

/// Ten functions that call one another 200 times each, with as many parameters and results as there may be.
fn parameters() -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([ValType::I64; 1000], [ValType::I64; 1000]);
    module.section(&types);
    let mut functions = FunctionSection::new();
    (0..10).for_each(|_| _ = functions.function(0));
    module.section(&functions);
    let mut function = Function::new([]);
    let mut body = function.instructions();
    (0..1000).for_each(|index| _ = body.local_get(index));
    (0..200).for_each(|_| _ = body.call(0));
    body.end();
    let mut code = CodeSection::new();
    (0..10).for_each(|_| _ = code.function(&function));
    module.section(&code);
    wrapped(&module)
}

fn module_exports(count: u32) -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    (0..count).for_each(|index| _ = exports.export(&format!("{index:0>20}"), ExportKind::Func, 0));
    let mut code = CodeSection::new();
    let mut function = Function::new([]);
    function.instructions().end();
    code.function(&function);
    module.section(&types).section(&functions).section(&exports).section(&code);
    wrapped(&module)
}

fn names(count: u32) -> Vec<u8> {
    let mut module = functions(count, &[]);
    let mut map = NameMap::new();
    (0..count).for_each(|index| map.append(index, &format!("_ZN{}{index:0>17}E", "1a".repeat(40))));
    let mut names = NameSection::new();
    names.functions(&map);
    module.section(&names);
    wrapped(&module)
}

fn globals(count: u32) -> Vec<u8> {
    let mut module = Module::new();
    let mut globals = GlobalSection::new();
    let ty = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    (0..count).for_each(|_| _ = globals.global(ty, &ConstExpr::i64_const(0)));
    module.section(&globals);
    wrapped(&module)
}

fn empty() -> Component {
    Component::new()
}

/// A component of one core instance.
fn tiny() -> Component {
    let mut component = Component::new();
    component.section(&ModuleSection(&functions(1, &[])));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, [] as [(&str, ModuleArg); 0]);
    component.section(&instances);
    component
}

fn nested_components(depth: usize) -> Vec<u8> {
    // Written from the inside out, by hand: each level would otherwise be copied into the next.
    let mut levels = vec![8_usize];
    for level in 0..depth {
        let inner = levels[level];
        levels.push(8 + 1 + leb(inner).len() + inner);
    }
    let mut bytes = Vec::new();
    for inner in levels[..depth].iter().rev() {
        bytes.extend(Component::HEADER);
        bytes.push(4);
        bytes.extend(leb(*inner));
    }
    bytes.extend(Component::HEADER);
    bytes
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 127) as u8;
        number >>= 7;
        bytes.push(if number == 0 { low } else { low | 128 });
        if number == 0 {
            return bytes;
        }
    }
}

/// Components in one another, each of which instantiates the one in it so many times.
fn multiplied(inner: Component, depth: u32, width: u32) -> Vec<u8> {
    let mut component = inner;
    for _ in 0..depth {
        let mut outer = Component::new();
        outer.section(&NestedComponentSection(&component));
        let mut instances = ComponentInstanceSection::new();
        let none: [(&str, ComponentExportKind, u32); 0] = [];
        (0..width).for_each(|_| _ = instances.instantiate(0, none));
        outer.section(&instances);
        component = outer;
    }
    component.finish()
}

fn table() -> Vec<u8> {
    let mut module = Module::new();
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 10_000_000,
        maximum: None,
        shared: false,
    });
    module.section(&tables);
    wrapped(&module)
}

/// A byte of data at each end of a big memory.
fn image(pages: u64) -> Vec<u8> {
    let mut module = memories(1, pages);
    let mut data = DataSection::new();
    let last = i32::try_from((pages << 16) - 1).expect("it is below 2 GiB");
    data.active(0, &ConstExpr::i32_const(0), *b"x").active(0, &ConstExpr::i32_const(last), *b"x");
    module.section(&data);
    wrapped(&module)
}

/// Functions that take the last of a row of types, each of which is made of the one before.
fn taking(
    depth: u32,
    functions: u32,
    first: fn(ComponentDefinedTypeEncoder<'_>),
    next: fn(ComponentDefinedTypeEncoder<'_>, u32),
) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    first(types.defined_type());
    (0..depth).for_each(|index| next(types.defined_type(), index));
    types.function().params([("a", ComponentValType::Type(depth))]).result(None);
    let mut imports = ComponentImportSection::new();
    let mut exports = ComponentExportSection::new();
    for index in 0..functions {
        imports.import(format!("f{index}").as_str(), ComponentTypeRef::Func(depth + 1));
        exports.export(format!("e{index}").as_str(), ComponentExportKind::Func, index, None);
    }
    let mut component = Component::new();
    component.section(&types).section(&imports).section(&exports);
    component.finish()
}

fn tuples(depth: u32, functions: u32) -> Vec<u8> {
    taking(
        depth,
        functions,
        |ty| ty.tuple([ComponentValType::Primitive(PrimitiveValType::U64)]),
        |ty, index| ty.tuple([ComponentValType::Type(index); 2]),
    )
}

fn lists(depth: u32) -> Vec<u8> {
    taking(
        depth,
        1,
        |ty| ty.list(ComponentValType::Primitive(PrimitiveValType::U8)),
        |ty, index| ty.list(ComponentValType::Type(index)),
    )
}

fn exports(count: u32) -> Vec<u8> {
    let mut component = Component::new();
    let mut instances = ComponentInstanceSection::new();
    let none: [(&str, ComponentExportKind, u32); 0] = [];
    instances.export_items(none);
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    (0..count).for_each(|index| {
        _ = exports.export(format!("a{index}").as_str(), ComponentExportKind::Instance, 0, None)
    });
    component.section(&exports);
    component.finish()
}

/// An import of an instance that has two instances in it, each of which has two, and so on.
fn instance_types(depth: u32) -> Vec<u8> {
    let mut types = ComponentTypeSection::new();
    types.instance(&InstanceType::new());
    for index in 0..depth {
        let mut ty = InstanceType::new();
        ty.alias(Alias::Outer { kind: ComponentOuterAliasKind::Type, count: 1, index });
        ty.export("a", ComponentTypeRef::Instance(0)).export("b", ComponentTypeRef::Instance(0));
        types.instance(&ty);
    }
    let mut imports = ComponentImportSection::new();
    imports.import("x:y/z", ComponentTypeRef::Instance(depth));
    let mut component = Component::new();
    component.section(&types).section(&imports);
    component.finish()
}

fn customs(count: usize) -> Vec<u8> {
    let mut one = Component::new();
    one.section(&CustomSection { name: "a".into(), data: (&[]).into() });
    let one = one.finish();
    [&Component::HEADER[..], &one[Component::HEADER.len()..].repeat(count)].concat()
}

fn start(write: fn(&mut InstructionSink<'_>)) -> Vec<u8> {
    wrapped(&module_of(1, &[], &write, Some(1), true))
}
