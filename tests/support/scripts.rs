//! Scripts of the Component Model (`*.wast`), step by step: the components in them, and what is asserted of them.
//!
//! The tests of composer and of host-runner include this file. They read the scripts of this project, in `tests/wast`, and
//! those that `wasm-tools` publishes, by `tests/third-party/components.lock`.

use std::fs;
use std::path::{Path, PathBuf};

use wast::component::WastVal;
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

/// A step of a script, and its line, counted from 1.
pub struct Step {
    pub line: usize,
    pub what: What,
}

pub enum What {
    /// A component. Calls are of the last one before them.
    Component(Vec<u8>),
    /// A component that the script says is not valid.
    Invalid(Vec<u8>),
    /// A call, in WAVE, and what it returns.
    Returns(String, String),
    /// A call that traps.
    Traps(String),
}

/// The scripts in a directory, by name.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| {
        panic!("{}: {error}; `python3 tools/third_party.py fetch` gets those of others", directory.display())
    });
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "wast"));
    files.sort();
    assert!(!files.is_empty(), "there are no scripts in {}", directory.display());
    files
}

/// Reads a script. Core modules, and what only a reader of the text can find wrong, are left out.
pub fn steps(file: &Path) -> Vec<Step> {
    let text = fs::read_to_string(file).expect("the script is there");
    let mut lexer = Lexer::new(&text);
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).expect("the script has words");
    let script = parse::<Wast<'_>>(&buffer).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut steps = Vec::new();
    for directive in script.directives {
        let line = directive.span().linecol_in(&text).0 + 1;
        let what = match directive {
            WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => {
                encoded(module).map(What::Component)
            }
            WastDirective::AssertInvalid { module, .. } | WastDirective::AssertMalformed { module, .. } => {
                encoded(module).map(What::Invalid)
            }
            WastDirective::AssertReturn { exec: WastExecute::Invoke(call), results, .. } => {
                Some(What::Returns(of_call(&call), of_results(&results)))
            }
            WastDirective::AssertTrap { exec: WastExecute::Invoke(call), .. } => {
                Some(What::Traps(of_call(&call)))
            }
            _ => None,
        };
        steps.extend(what.map(|what| Step { line, what }));
    }
    steps
}

/// The bytes of a component.
fn encoded(mut text: QuoteWat<'_>) -> Option<Vec<u8>> {
    text.encode().ok().filter(|bytes| bytes.starts_with(b"\0asm\x0d\0\x01\0"))
}

fn of_call(call: &WastInvoke<'_>) -> String {
    let arguments: Vec<String> = call
        .args
        .iter()
        .map(|argument| match argument {
            WastArg::Component(value) => wave(value),
            // Numbers of this kind are written in the same way for core modules.
            WastArg::Core(WastArgCore::F32(it)) => wave(&WastVal::F32(*it)),
            WastArg::Core(WastArgCore::F64(it)) => wave(&WastVal::F64(*it)),
            _ => panic!("a component is called with values of components"),
        })
        .collect();
    format!("{}({})", call.name, arguments.join(", "))
}

/// As `call` prints it: `()` where there is no result.
fn of_results(results: &[WastRet<'_>]) -> String {
    match results {
        [] => "()".to_owned(),
        [WastRet::Component(value)] => wave(value),
        [WastRet::Core(WastRetCore::F32(NanPattern::Value(it)))] => wave(&WastVal::F32(*it)),
        [WastRet::Core(WastRetCore::F64(NanPattern::Value(it)))] => wave(&WastVal::F64(*it)),
        [WastRet::Core(WastRetCore::F32(_) | WastRetCore::F64(_))] => "nan".to_owned(),
        _ => panic!("a component returns a value of components"),
    }
}

/// A value in WAVE.
fn wave(value: &WastVal<'_>) -> String {
    let payload = |case: &str, value: &Option<Box<WastVal<'_>>>| match value {
        Some(value) => format!("{case}({})", wave(value)),
        None => case.to_owned(),
    };
    let all = |values: &[WastVal<'_>]| values.iter().map(wave).collect::<Vec<_>>().join(", ");
    match value {
        WastVal::Bool(it) => it.to_string(),
        WastVal::U8(it) => it.to_string(),
        WastVal::S8(it) => it.to_string(),
        WastVal::U16(it) => it.to_string(),
        WastVal::S16(it) => it.to_string(),
        WastVal::U32(it) => it.to_string(),
        WastVal::S32(it) => it.to_string(),
        WastVal::U64(it) => it.to_string(),
        WastVal::S64(it) => it.to_string(),
        WastVal::F32(it) => float(f64::from(f32::from_bits(it.bits)), &f32::from_bits(it.bits)),
        WastVal::F64(it) => float(f64::from_bits(it.bits), &f64::from_bits(it.bits)),
        WastVal::Char(it) => format!("{it:?}"),
        WastVal::String(it) => format!("{it:?}"),
        WastVal::List(values) => format!("[{}]", all(values)),
        WastVal::Tuple(values) => format!("({})", all(values)),
        WastVal::Record(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", wave(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        WastVal::Variant(case, value) => payload(case, value),
        WastVal::Enum(case) => (*case).to_owned(),
        WastVal::Option(None) => "none".to_owned(),
        WastVal::Option(value) => payload("some", value),
        WastVal::Result(Ok(value)) => payload("ok", value),
        WastVal::Result(Err(value)) => payload("err", value),
        WastVal::Flags(names) => format!("{{{}}}", names.join(", ")),
    }
}

fn float(value: f64, shown: &dyn std::fmt::Display) -> String {
    if value.is_nan() { "nan".to_owned() } else { shown.to_string() }
}
