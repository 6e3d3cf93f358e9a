use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use wasm_wave::untyped::UntypedValue;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;
use wasmtime::{Config, Engine};

use super::*;

const WIT: &str = "
    package test:wave;
    interface all {
        record point { x: s32, y: s64 }
        record optional { a: option<u32>, b: option<string> }
        record words { %true: bool, %none: option<u8>, %record: result<u8, string>, HTTP-url: char }
        variant shape { circle(f64), rect(point), %none, named(string), %some(u32), %ok(string), %err }
        enum mood { glad, %none, %true, %inf, e-2, SHA-256 }
        flags perms { read, write, %none, %true, HTTP-2 }
        scalars: func(a: bool, b: u8, c: s8, d: u16, e: s16, f: u32, g: s32, h: u64, i: s64, j: f32, k: f64);
        texts: func(a: char, b: string, c: list<string>, d: list<char>);
        records: func(a: point, b: optional, c: words, d: list<optional>);
        cases: func(a: shape, b: mood, c: perms, d: list<shape>, e: list<mood>, f: list<perms>);
        options: func(a: option<option<u32>>, b: option<mood>, c: list<option<list<u8>>>);
        results: func(a: result, b: result<u32, string>, c: result<_, mood>, d: list<result<option<u32>, shape>>);
        nested: func(a: list<list<list<u16>>>, b: tuple<u8>, c: tuple<string, tuple<bool, perms>>);
        maps: func(a: map<string, u32>, b: list<map<u8, list<string>>>, c: map<string, map<u32, bool>>);
        fixed: func(a: list<u8, 4>, b: list<list<mood, 2>, 3>);
    }
    world types { export all; }";

/// The parameters of the functions above, by the functions' names.
fn functions() -> Vec<(String, Vec<Type>)> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("types.wit", WIT).unwrap();
    let world = resolve.select_world(&[package], Some("types")).unwrap();
    let abi = wit_parser::ManglingAndAbi::Standard32;
    let mut module = wit_component::dummy_module(&resolve, world, abi);
    let utf8 = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, utf8).unwrap();
    let bytes = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let mut config = Config::new();
    config.wasm_component_model_map(true).wasm_component_model_fixed_length_lists(true);
    let engine = Engine::new(&config).unwrap();
    let component = Component::new(&engine, bytes).unwrap();
    let mut found = Vec::new();
    for (_, item) in component.component_type().exports(&engine) {
        let ComponentItem::ComponentInstance(instance) = item.ty else { continue };
        for (name, item) in instance.exports(&engine) {
            if let ComponentItem::ComponentFunc(function) = item.ty {
                found.push((name.to_owned(), function.params().map(|(_, ty)| ty).collect()));
            }
        }
    }
    assert_eq!(found.len(), 9);
    found
}

fn types_of(function: &str) -> Vec<Type> {
    functions().into_iter().find(|(name, _)| name == function).unwrap().1
}

/// The type of one parameter, as a list of types.
fn one(function: &str, parameter: usize) -> Vec<Type> {
    vec![types_of(function).swap_remove(parameter)]
}

/// Makes values out of numbers, which shrink well.
struct Choices<'a>(std::iter::Copied<std::slice::Iter<'a, u64>>);

impl Choices<'_> {
    fn next(&mut self) -> u64 {
        self.0.next().unwrap_or(0)
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.next() % 4).map(|_| one(self)).collect()
    }

    fn char(&mut self) -> char {
        let some = ['a', '\\', '"', '\'', '\n', '\u{0}', '\u{301}', 'é', '\u{1f44b}', '{', '/', '\u{202e}'];
        match self.next() {
            other if other % 5 == 0 => char::from_u32(other as u32 % 0x11_0000).unwrap_or('x'),
            index => some[index as usize % some.len()],
        }
    }

    fn payload(&mut self, ty: Option<Type>) -> Option<Box<Val>> {
        ty.map(|ty| Box::new(self.value(&ty)))
    }

    fn value(&mut self, ty: &Type) -> Val {
        let next = self.next();
        match ty {
            Type::Bool => Val::Bool(next % 2 == 1),
            Type::S8 => Val::S8(next as i8),
            Type::U8 => Val::U8(next as u8),
            Type::S16 => Val::S16(next as i16),
            Type::U16 => Val::U16(next as u16),
            Type::S32 => Val::S32(next as i32),
            Type::U32 => Val::U32(next as u32),
            Type::S64 => Val::S64(next as i64),
            Type::U64 => Val::U64(next),
            // Every NaN is one value of the component model.
            Type::Float32 => match f32::from_bits(next as u32) {
                nan if nan.is_nan() => Val::Float32(f32::INFINITY),
                float => Val::Float32(float),
            },
            Type::Float64 => match f64::from_bits(next) {
                nan if nan.is_nan() => Val::Float64(f64::NEG_INFINITY),
                float => Val::Float64(float),
            },
            Type::Char => Val::Char(self.char()),
            Type::String => Val::String(self.many(Self::char).into_iter().collect()),
            Type::List(list) => Val::List(self.many(|own| own.value(&list.ty()))),
            Type::FixedLengthList(list) => {
                Val::FixedLengthList((0..list.len()).map(|_| self.value(&list.ty())).collect())
            }
            Type::Map(map) => {
                let mut pairs = self.many(|own| (own.value(&map.key()), own.value(&map.value())));
                let mut seen = HashSet::new();
                pairs.retain(|(key, _)| seen.insert(write(key)));
                Val::Map(pairs)
            }
            Type::Record(record) => {
                Val::Record(record.fields().map(|own| (own.name.to_owned(), self.value(&own.ty))).collect())
            }
            Type::Tuple(tuple) => Val::Tuple(tuple.types().map(|ty| self.value(&ty)).collect()),
            Type::Variant(variant) => {
                let case = variant.cases().nth(next as usize % variant.cases().len()).unwrap();
                Val::Variant(case.name.to_owned(), self.payload(case.ty))
            }
            Type::Enum(cases) => {
                Val::Enum(cases.names().nth(next as usize % cases.names().len()).unwrap().to_owned())
            }
            Type::Option(option) => Val::Option((next % 2 == 1).then(|| Box::new(self.value(&option.ty())))),
            Type::Result(result) if next % 2 == 1 => Val::Result(Ok(self.payload(result.ok()))),
            Type::Result(result) => Val::Result(Err(self.payload(result.err()))),
            Type::Flags(flags) => {
                let set = flags.names().enumerate().filter(|(index, _)| next >> index & 1 == 1);
                Val::Flags(set.map(|(_, name)| name.to_owned()).collect())
            }
            other => panic!("{other:?} has no text"),
        }
    }
}

fn written(values: &[Val]) -> String {
    let mut text = "f".to_owned();
    sequence(&mut text, ["(", ")"], values, write_to);
    text
}

/// So many cases; what fails is shown, and is not kept in a file.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

#[test]
fn what_is_written_reads_back_as_the_same_value() {
    let functions = functions();
    let given = (0..functions.len(), proptest::collection::vec(any::<u64>(), 0..80));
    TestRunner::new(config(2_000))
        .run(&given, |(function, choices)| {
            let (_, types) = &functions[function];
            let mut choices = Choices(choices.iter().copied());
            let values: Vec<Val> = types.iter().map(|ty| choices.value(ty)).collect();
            let text = written(&values);
            let read = read_arguments(&text, types);
            prop_assert_eq!(read.as_ref(), Ok(&values), "{}", text);
            Ok(())
        })
        .unwrap();
}

/// What an edit may change without a change of the value: space, the mark of a label, a comma at the end, and other ways to
/// write the same number or character.
fn means_the_same(before: &str, after: &str) -> bool {
    let bare = |text: &str| {
        let mut tokens = Vec::new();
        let mut lexer = Lexer::new(text);
        while let Some(Ok(token)) = lexer.next() {
            let slice = lexer.slice();
            if matches!(token, Token::BraceClose | Token::BracketClose | Token::ParenClose)
                && tokens.last().is_some_and(|last| last == ",")
            {
                tokens.pop();
            }
            tokens.push(match token {
                Token::LabelOrKeyword => slice.trim_start_matches('%').to_owned(),
                Token::Number => match (slice.parse::<i128>(), slice.parse::<f64>()) {
                    (Ok(integer), _) => integer.to_string(),
                    (_, Ok(float)) => float.to_string(),
                    _ => slice.to_owned(),
                },
                // One character may be written in several ways.
                Token::Char | Token::String => match UntypedValue::parse(slice) {
                    Ok(value) if token == Token::Char => format!("{:?}", value.node().as_char(slice).ok()),
                    Ok(value) => format!("{:?}", value.node().as_str(slice).ok()),
                    Err(_) => slice.to_owned(),
                },
                _ => slice.to_owned(),
            });
        }
        tokens
    };
    bare(before) == bare(after)
}

#[test]
fn a_text_with_one_edit_is_refused_or_is_another_value() {
    let functions = functions();
    let given = (
        0..functions.len(),
        proptest::collection::vec(any::<u64>(), 0..40),
        any::<proptest::sample::Index>(),
        proptest::sample::select("{}[](),:% -.\"'0159aextn/\\é".chars().collect::<Vec<_>>()),
        0..3,
    );
    TestRunner::new(config(4_000))
        .run(&given, |(function, choices, at, with, edit)| {
            let (_, types) = &functions[function];
            let mut choices = Choices(choices.iter().copied());
            // Floats are written with all their digits, of which the last say nothing.
            let values: Vec<Val> = types
                .iter()
                .map(|ty| match ty {
                    Type::Float32 => Val::Float32(-1.5),
                    Type::Float64 => Val::Float64(0.25),
                    ty => choices.value(ty),
                })
                .collect();
            let text = written(&values);
            let mut edited: Vec<char> = text.chars().collect();
            let at = 2 + at.index(edited.len() - 2);
            match edit {
                0 => drop(edited.remove(at)),
                1 => edited.insert(at, with),
                _ => edited[at] = with,
            }
            let edited: String = edited.into_iter().collect();
            if let Ok(read) = read_arguments(&edited, types)
                && !means_the_same(&text, &edited)
            {
                prop_assert_ne!(read, values, "{} and {}", text, edited);
            }
            Ok(())
        })
        .unwrap();
}

fn reason(types: &[Type], argument: &str) -> String {
    match read_arguments(&format!("f({argument})"), types) {
        Ok(values) => panic!("{argument} was read as {values:?}"),
        Err(misfit) => misfit.reason,
    }
}

#[test]
fn what_is_wrong_is_said_by_name_with_what_to_write() {
    let (point, optional, mood, perms) =
        (one("records", 0), one("records", 1), one("cases", 1), one("cases", 2));
    assert_eq!(reason(&point, "{x: 1, y: 2, z: 3}"), "the record has no field z; its fields are x, y");
    assert_eq!(reason(&point, "{x: 1}"), "the field y is missing");
    assert_eq!(reason(&point, "{x: 1 y: 2}"), "there is no comma before it");
    assert_eq!(reason(&optional, "{c: none}"), "the record has no field c; its fields are a, b");
    assert_eq!(
        reason(&optional, "{}"),
        "this is a set of flags, and the type is a record: a record without fields is written {:}"
    );
    assert_eq!(
        reason(&perms, "{:}"),
        "this is a record, and the type is flags: a set without flags is written {}"
    );
    assert_eq!(reason(&mood, "none"), "none is a word of WAVE's own: write %none for the case of this name");
    assert_eq!(reason(&mood, "true"), "true is a word of WAVE's own: write %true for the case of this name");
    assert_eq!(reason(&mood, "inf"), "inf is a word of WAVE's own: write %inf for the case of this name");
    assert_eq!(
        reason(&one("cases", 0), "ok(\"a\")"),
        "ok is a word of WAVE's own: write %ok for the case of this name"
    );
    assert_eq!(reason(&mood, "false"), "this is a bool, and the type is an enum");
    assert_eq!(
        reason(&mood, "sad"),
        "there is no case sad; the cases are glad, none, true, inf, e-2, SHA-256"
    );
    assert_eq!(
        reason(&perms, "{read, run}"),
        "there is no flag run; the flags are read, write, none, true, HTTP-2"
    );
    let (f32, f64, u8) = (one("scalars", 9), one("scalars", 10), one("scalars", 1));
    for out_of_range in ["1e400", "-1e400"] {
        let range = "it is out of range for f64; infinity is written inf or -inf";
        assert_eq!(reason(&f64, out_of_range), range);
    }
    assert!(reason(&f32, "1e39").starts_with("it is out of range for f32"));
    assert_eq!(reason(&u8, "256"), "the type is u8: an integer from 0 to 255, in digits");
    assert_eq!(reason(&u8, "1.0"), "the type is u8: an integer from 0 to 255, in digits");
    assert_eq!(reason(&u8, "\"1\""), "this is a string, and the type is u8");
    assert_eq!(reason(&u8, ""), "the function takes 1 argument, and the call has 0");
    assert_eq!(reason(&u8, "1, 2, 3"), "the function takes 1 argument, and the call has 3");
    assert_eq!(reason(&one("fixed", 0), "[1, 2]"), "there are 2 elements instead of 4");
    let map = one("maps", 0);
    assert_eq!(reason(&map, "[(\"a\", 1), (\"a\", 2)]"), "the map has this key already");
    assert_eq!(reason(&map, "[\"a\"]"), "an entry of a map is written (key, value)");
    assert!(reason(&map, "{a: 1}").ends_with("a list of its keys and values, [(key, value)]"));
}

#[test]
fn what_the_messages_propose_is_read() {
    for (types, text, written) in [
        (one("records", 1), "{:}", "{:}"),
        (one("cases", 1), "%none", "%none"),
        (one("cases", 1), "%glad", "glad"),
        (one("cases", 0), "%ok(\"a\")", "%ok(\"a\")"),
        (one("cases", 2), "{%none, %true, %read}", "{read, none, true}"),
        (one("cases", 2), "{}", "{}"),
        (one("scalars", 10), "-inf", "-inf"),
        (one("scalars", 9), "nan", "nan"),
        (one("maps", 0), "[(\"a\", 1), (\"b\", 2)]", "[(\"a\", 1), (\"b\", 2)]"),
        (one("options", 1), "%none", "some(%none)"),
        (one("options", 1), "none", "none"),
        (one("results", 1), "7", "ok(7)"),
    ] {
        let values = read_arguments(&format!("f({text})"), &types).unwrap();
        assert_eq!(write(&values[0]), written);
    }
}
