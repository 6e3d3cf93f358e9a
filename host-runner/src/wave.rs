//! Values as text, in WAVE: arguments are read, and results are written.
//!
//! The library `wasm-wave` parses the text, and its untyped tree is converted here. Its own conversion drops record fields
//! that the type does not have, reads a number that is too large as infinity, and knows no `map`. A `map` has no syntax
//! in WAVE; it is written as the list of tuples that it is passed as: `[("a", 1), ("b", 2)]`.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use wasm_wave::ast::{Node, NodeType};
use wasm_wave::lex::{Keyword, Lexer, Token};
use wasm_wave::parser::ParserError;
use wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{Type, Val};

/// Why a text is not a value of the type, and the bytes of the text where it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) span: Range<usize>,
    pub(crate) reason: String,
}

impl Misfit {
    fn at(node: &Node, reason: impl Into<String>) -> Self {
        Self { span: node.span(), reason: reason.into() }
    }
}

impl From<ParserError> for Misfit {
    fn from(error: ParserError) -> Self {
        // The span is shown as marks under the text, so the message does without its numbers.
        let message = error.to_string();
        let reason = message.rsplit_once(" at ").map_or(message.as_str(), |(reason, _)| reason);
        Self { span: error.span(), reason: reason.to_owned() }
    }
}

type Read<T> = Result<T, Misfit>;

/// Reads the arguments of a call, `f(1, "two")`. Trailing options may be left out.
pub(crate) fn read_arguments(text: &str, types: &[Type]) -> Read<Vec<Val>> {
    let call = UntypedFuncCall::parse(text)?;
    check_commas(text)?;
    let arguments: Vec<&Node> = match call.params_node() {
        Some(arguments) => arguments.as_tuple()?.collect(),
        None => Vec::new(),
    };
    let other_number = || {
        let noun = if types.len() == 1 { "argument" } else { "arguments" };
        format!("the function takes {} {noun}, and the call has {}", types.len(), arguments.len())
    };
    if let Some(extra) = arguments.get(types.len()) {
        return Err(Misfit::at(extra, other_number()));
    }
    let reader = Reader { text };
    let mut values = Vec::new();
    for (index, ty) in types.iter().enumerate() {
        values.push(match (arguments.get(index), ty) {
            (Some(node), ty) => reader.value(node, ty)?,
            (None, Type::Option(_)) => Val::Option(None),
            (None, _) => {
                let end = call.params_node().map_or(text.trim_end().len(), |node| node.span().end);
                return Err(Misfit { span: end.saturating_sub(1)..end, reason: other_number() });
            }
        });
    }
    Ok(values)
}

/// The parser of the library takes `{x: 1 y: 2}`. Nowhere in WAVE does a label come right behind a value.
fn check_commas(text: &str) -> Read<()> {
    let mut lexer = Lexer::new(text);
    let mut ends_value = false;
    while let Some(Ok(token)) = lexer.next() {
        if token == Token::LabelOrKeyword && ends_value {
            return Err(Misfit { span: lexer.span(), reason: "there is no comma before it".to_owned() });
        }
        ends_value = !matches!(
            token,
            Token::BraceOpen | Token::ParenOpen | Token::BracketOpen | Token::Colon | Token::Comma
        );
    }
    Ok(())
}

/// Converts the tree of a text.
struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&self, node: &Node, ty: &Type) -> Read<Val> {
        Ok(match ty {
            Type::Bool => match node.ty() {
                NodeType::BoolTrue => Val::Bool(true),
                NodeType::BoolFalse => Val::Bool(false),
                _ => return Err(self.other(node, ty)),
            },
            Type::S8 => Val::S8(self.integer(node, ty, i8::MIN, i8::MAX)?),
            Type::S16 => Val::S16(self.integer(node, ty, i16::MIN, i16::MAX)?),
            Type::S32 => Val::S32(self.integer(node, ty, i32::MIN, i32::MAX)?),
            Type::S64 => Val::S64(self.integer(node, ty, i64::MIN, i64::MAX)?),
            Type::U8 => Val::U8(self.integer(node, ty, u8::MIN, u8::MAX)?),
            Type::U16 => Val::U16(self.integer(node, ty, u16::MIN, u16::MAX)?),
            Type::U32 => Val::U32(self.integer(node, ty, u32::MIN, u32::MAX)?),
            Type::U64 => Val::U64(self.integer(node, ty, u64::MIN, u64::MAX)?),
            Type::Float32 => Val::Float32(self.float(node, ty, f32::is_infinite)?),
            Type::Float64 => Val::Float64(self.float(node, ty, f64::is_infinite)?),
            Type::Char if node.ty() == NodeType::Char => Val::Char(node.as_char(self.text)?),
            Type::String if matches!(node.ty(), NodeType::String | NodeType::MultilineString) => {
                Val::String(node.as_str(self.text)?.into_owned())
            }
            Type::List(list) => Val::List(self.elements(node, ty, &list.ty())?),
            Type::FixedLengthList(list) => {
                let values = self.elements(node, ty, &list.ty())?;
                if values.len() != list.len() as usize {
                    let reason = format!("there are {} elements instead of {}", values.len(), list.len());
                    return Err(Misfit::at(node, reason));
                }
                Val::FixedLengthList(values)
            }
            Type::Map(map) => self.map(node, ty, &map.key(), &map.value())?,
            Type::Record(record) => {
                let fields: Vec<(&str, Type)> = record.fields().map(|own| (own.name, own.ty)).collect();
                self.record(node, ty, &fields)?
            }
            Type::Tuple(tuple) if node.ty() == NodeType::Tuple => {
                Val::Tuple(self.tuple(node, &tuple.types().collect::<Vec<_>>())?)
            }
            Type::Variant(variant) => {
                let (label, payload) =
                    self.case(node, ty, &variant.cases().map(|case| case.name).collect::<Vec<_>>())?;
                let of = variant.cases().find(|case| case.name == label).and_then(|case| case.ty);
                Val::Variant(label.to_owned(), self.payload(node, label, payload, of)?)
            }
            Type::Enum(cases) => {
                let (label, payload) = self.case(node, ty, &cases.names().collect::<Vec<_>>())?;
                self.payload(node, label, payload, None)?;
                Val::Enum(label.to_owned())
            }
            Type::Option(option) => match (node.ty(), option.ty()) {
                (NodeType::OptionNone, _) => Val::Option(None),
                (NodeType::OptionSome, some) => {
                    Val::Option(self.payload(node, "some", node.as_option()?, Some(some))?)
                }
                (_, some) if may_stand_alone(&some) => Val::Option(Some(Box::new(self.value(node, &some)?))),
                _ => return Err(self.other(node, ty)),
            },
            Type::Result(result) => match (node.ty(), result.ok()) {
                (NodeType::ResultOk | NodeType::ResultErr, ok) => Val::Result(match node.as_result()? {
                    Ok(payload) => Ok(self.payload(node, "ok", payload, ok)?),
                    Err(payload) => Err(self.payload(node, "err", payload, result.err())?),
                }),
                (_, Some(ok)) if may_stand_alone(&ok) => {
                    Val::Result(Ok(Some(Box::new(self.value(node, &ok)?))))
                }
                _ => return Err(self.other(node, ty)),
            },
            Type::Flags(flags) => self.flags(node, ty, &flags.names().collect::<Vec<_>>())?,
            _ => return Err(self.other(node, ty)),
        })
    }

    fn source(&self, node: &Node) -> &'a str {
        &self.text[node.span()]
    }

    /// Says what the text is instead of a value of the type and, where a mark of WAVE is missing, what to write.
    fn other(&self, node: &Node, ty: &Type) -> Misfit {
        let found = match node.ty() {
            NodeType::BoolTrue | NodeType::BoolFalse => "a bool",
            NodeType::Number => "a number",
            NodeType::Char => "a char",
            NodeType::String | NodeType::MultilineString => "a string",
            NodeType::Tuple => "a tuple",
            NodeType::List => "a list",
            NodeType::Record => "a record",
            NodeType::Label => "a label",
            NodeType::VariantWithPayload => "a case with a payload",
            NodeType::OptionSome | NodeType::OptionNone => "an option",
            NodeType::ResultOk | NodeType::ResultErr => "a result",
            NodeType::Flags => "a set of flags",
        };
        let hint = match (node.ty(), ty) {
            (NodeType::Flags, Type::Record(_)) if self.is_empty(node) => {
                ": a record without fields is written {:}"
            }
            (NodeType::Record, Type::Flags(_)) if self.is_empty(node) => {
                ": a set without flags is written {}"
            }
            (NodeType::Tuple | NodeType::Record, Type::Map(_)) => {
                ": a map is written as a list of its keys and values, [(key, value)]"
            }
            _ => "",
        };
        Misfit::at(node, format!("this is {found}, and the type is {}{hint}", kind(ty)))
    }

    fn is_empty(&self, node: &Node) -> bool {
        node.as_flags(self.text).is_ok_and(|mut flags| flags.next().is_none())
            || node.as_record(self.text).is_ok_and(|fields| fields.len() == 0)
    }

    fn integer<T: FromStr + fmt::Display>(&self, node: &Node, ty: &Type, least: T, most: T) -> Read<T> {
        if node.ty() != NodeType::Number {
            return Err(self.other(node, ty));
        }
        self.source(node).parse().map_err(|_| {
            Misfit::at(
                node,
                format!("the type is {}: an integer from {least} to {most}, in digits", kind(ty)),
            )
        })
    }

    fn float<T: FromStr + Copy>(&self, node: &Node, ty: &Type, is_infinite: fn(T) -> bool) -> Read<T> {
        if node.ty() != NodeType::Number {
            return Err(self.other(node, ty));
        }
        let value: T = node.as_number(self.text)?;
        if is_infinite(value) && !matches!(self.source(node), "inf" | "-inf") {
            let reason = format!("it is out of range for {}; infinity is written inf or -inf", kind(ty));
            return Err(Misfit::at(node, reason));
        }
        Ok(value)
    }

    fn elements(&self, node: &Node, ty: &Type, of: &Type) -> Read<Vec<Val>> {
        if node.ty() != NodeType::List {
            return Err(self.other(node, ty));
        }
        node.as_list()?.map(|element| self.value(element, of)).collect()
    }

    fn tuple(&self, node: &Node, types: &[Type]) -> Read<Vec<Val>> {
        let values = node.as_tuple()?;
        if values.len() != types.len() {
            let reason = format!("the tuple has {} values instead of {}", values.len(), types.len());
            return Err(Misfit::at(node, reason));
        }
        values.zip(types).map(|(value, ty)| self.value(value, ty)).collect()
    }

    fn map(&self, node: &Node, ty: &Type, key: &Type, value: &Type) -> Read<Val> {
        if node.ty() != NodeType::List {
            return Err(self.other(node, ty));
        }
        let (mut seen, mut pairs) = (HashSet::new(), Vec::new());
        for pair in node.as_list()? {
            let [key_node, value_node] = match pair.as_tuple().map(Iterator::collect::<Vec<_>>).as_deref() {
                Ok(&[key, value]) => [key, value],
                _ => return Err(Misfit::at(pair, "an entry of a map is written (key, value)")),
            };
            let key = self.value(key_node, key)?;
            if !seen.insert(write(&key)) {
                return Err(Misfit::at(key_node, "the map has this key already"));
            }
            pairs.push((key, self.value(value_node, value)?));
        }
        Ok(Val::Map(pairs))
    }

    fn record(&self, node: &Node, ty: &Type, fields: &[(&str, Type)]) -> Read<Val> {
        if node.ty() != NodeType::Record {
            return Err(self.other(node, ty));
        }
        let mut given = node.as_record(self.text)?.collect::<Vec<_>>();
        if let Some((label, value)) =
            given.iter().find(|(label, _)| !fields.iter().any(|(own, _)| own == label))
        {
            let known = listed(fields.iter().map(|(name, _)| *name));
            let reason = format!("the record has no field {label}; its fields are {known}");
            return Err(Misfit::at(value, reason));
        }
        let mut values = Vec::new();
        for (name, ty) in fields {
            let at = given.iter().position(|(label, _)| label == name);
            let value = match (at.map(|at| given.swap_remove(at)), ty) {
                (Some((_, value)), ty) => self.value(value, ty)?,
                (None, Type::Option(_)) => Val::Option(None),
                (None, _) => return Err(Misfit::at(node, format!("the field {name} is missing"))),
            };
            values.push(((*name).to_owned(), value));
        }
        Ok(Val::Record(values))
    }

    /// The case that the text names, one of those of the type.
    fn case<'n>(&self, node: &'n Node, ty: &Type, cases: &[&str]) -> Read<(&'a str, Option<&'n Node>)> {
        let Ok((label, payload)) = node.as_variant(self.text) else {
            // A keyword, alone or with a payload: `none`, `ok(1)`.
            let source = self.source(node);
            let word = source.split('(').next().unwrap_or(source).trim();
            if Keyword::decode(word).is_some() && cases.contains(&word) {
                let reason =
                    format!("{word} is a word of WAVE's own: write %{word} for the case of this name");
                return Err(Misfit::at(node, reason));
            }
            return Err(self.other(node, ty));
        };
        if cases.contains(&label) {
            return Ok((label, payload));
        }
        let known = listed(cases.iter().copied());
        Err(Misfit::at(node, format!("there is no case {label}; the cases are {known}")))
    }

    fn payload(
        &self,
        node: &Node,
        label: &str,
        payload: Option<&Node>,
        ty: Option<Type>,
    ) -> Read<Option<Box<Val>>> {
        match (payload, ty) {
            (Some(payload), Some(ty)) => Ok(Some(Box::new(self.value(payload, &ty)?))),
            (None, None) => Ok(None),
            (None, Some(ty)) => {
                let reason = format!("{label} needs a payload, {label}(...), which is {}", kind(&ty));
                Err(Misfit::at(node, reason))
            }
            (Some(payload), None) => Err(Misfit::at(payload, format!("{label} has no payload"))),
        }
    }

    fn flags(&self, node: &Node, ty: &Type, names: &[&str]) -> Read<Val> {
        let Ok(labels) = node.as_flags(self.text) else { return Err(self.other(node, ty)) };
        let labels: HashSet<&str> = labels.map(|label| label.strip_prefix('%').unwrap_or(label)).collect();
        let mut unknown: Vec<&str> = labels.iter().copied().filter(|label| !names.contains(label)).collect();
        unknown.sort_unstable();
        if let Some(label) = unknown.first() {
            let known = listed(names.iter().copied());
            return Err(Misfit::at(node, format!("there is no flag {label}; the flags are {known}")));
        }
        let set = names.iter().filter(|name| labels.contains(*name));
        Ok(Val::Flags(set.map(|name| (*name).to_owned()).collect()))
    }
}

/// Whether a value may be given for an option or a result of its type, without `some(...)` or `ok(...)`.
fn may_stand_alone(ty: &Type) -> bool {
    !matches!(ty, Type::Option(_) | Type::Result(_))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// What kind of type it is, with an article where it is not the name of a type.
fn kind(ty: &Type) -> String {
    let kind = match ty {
        Type::Bool => "bool",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::Float32 => "f32",
        Type::Float64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        Type::List(_) => "a list",
        Type::FixedLengthList(list) => return format!("a list of {} elements", list.len()),
        Type::Map(_) => "a map",
        Type::Record(_) => "a record",
        Type::Tuple(_) => "a tuple",
        Type::Variant(_) => "a variant",
        Type::Enum(_) => "an enum",
        Type::Option(_) => "an option",
        Type::Result(_) => "a result",
        Type::Flags(_) => "flags",
        _ => "a handle, which has no text",
    };
    kind.to_owned()
}

/// Returns the value in WAVE, on one line. It must hold no handle.
pub(crate) fn write(value: &Val) -> String {
    let mut text = String::new();
    write_to(&mut text, value);
    text
}

fn write_to(text: &mut String, value: &Val) {
    match value {
        Val::List(values) | Val::FixedLengthList(values) => {
            sequence(text, ["[", "]"], values, write_to);
        }
        Val::Tuple(values) => sequence(text, ["(", ")"], values, write_to),
        Val::Map(pairs) => sequence(text, ["[", "]"], pairs, |text, (key, value)| {
            sequence(text, ["(", ")"], [key, value], write_to);
        }),
        Val::Record(fields) => {
            // An option that is none is left out.
            let mut given = fields.iter().filter(|(_, value)| !matches!(value, Val::Option(None))).peekable();
            if given.peek().is_none() {
                return text.push_str("{:}");
            }
            sequence(text, ["{", "}"], given, |text, (name, value)| {
                text.push_str(name);
                text.push_str(": ");
                write_to(text, value);
            });
        }
        Val::Flags(names) => sequence(text, ["{", "}"], names, |text, name| text.push_str(name)),
        Val::Variant(label, payload) => {
            escaped(text, label);
            payload_to(text, payload.as_deref());
        }
        Val::Enum(label) => escaped(text, label),
        Val::Option(None) => text.push_str("none"),
        Val::Option(some) => {
            text.push_str("some");
            payload_to(text, some.as_deref());
        }
        Val::Result(Ok(payload)) => {
            text.push_str("ok");
            payload_to(text, payload.as_deref());
        }
        Val::Result(Err(payload)) => {
            text.push_str("err");
            payload_to(text, payload.as_deref());
        }
        // A function with one of these in its type is refused before it is called.
        Val::Resource(_) | Val::Future(_) | Val::Stream(_) | Val::ErrorContext(_) => {
            text.push_str("<a handle>")
        }
        scalar => match wasm_wave::to_string(scalar) {
            Ok(written) => text.push_str(&written),
            Err(error) => text.push_str(&format!("<not writable as text: {error}>")),
        },
    }
}

fn sequence<T>(
    text: &mut String,
    [open, close]: [&str; 2],
    items: impl IntoIterator<Item = T>,
    mut item_to: impl FnMut(&mut String, T),
) {
    text.push_str(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        item_to(text, item);
    }
    text.push_str(close);
}

/// A case, with the mark that it needs where its name is a word of WAVE's own.
fn escaped(text: &mut String, label: &str) {
    if Keyword::decode(label).is_some() {
        text.push('%');
    }
    text.push_str(label);
}

fn payload_to(text: &mut String, payload: Option<&Val>) {
    if let Some(payload) = payload {
        sequence(text, ["(", ")"], [payload], write_to);
    }
}

#[cfg(test)]
mod tests;
