//! One call, as text: `ns:pkg/iface#func(ARGUMENTS)` in, the result out, both in WAVE.

use std::fmt;

use wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{Type, Val};

use crate::app::App;
use crate::exports::{self, Exported, TypeText, holds_handle};
use crate::session::CallError;

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The result in WAVE, on one line; `()` for a function without one.
    pub text: String,
    /// Whether the result is an `err`.
    pub is_error: bool,
}

/// A call that cannot be made as it is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It is not the name of a function with arguments in parentheses.
    #[error(
        "{0:?} is not a call. Write the function and its arguments in parentheses: 'ns:pkg/iface#func(1, \"two\")', or 'func()' where one export has that name"
    )]
    NotACall(String),
    /// The arguments are not WAVE, or not of the function's types.
    #[error(
        "the arguments do not fit: {reason}\n  {line}\n  {marks}\nThe function is {signature}\nFor example: {example}"
    )]
    Arguments {
        /// What is wrong.
        reason: String,
        /// The line of the call where it is wrong.
        line: String,
        /// Marks under the place.
        marks: String,
        /// The function's signature.
        signature: String,
        /// A call that fits.
        example: String,
    },
    /// A parameter or the result has a handle in it.
    #[error(
        "{name} cannot be called from text: its {place} holds a handle to a resource, which exists only inside an instance. The function is {signature}"
    )]
    Handle {
        /// The function.
        name: String,
        /// Which parameter, or the result.
        place: String,
        /// The function's signature.
        signature: String,
    },
    /// The call itself.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Makes the call in a fresh instance.
pub async fn call(app: &App, expression: &str) -> Result<Answer, ExpressionError> {
    let (name, arguments) = split(expression)?;
    let exported = exports::find(app.component(), name).map_err(CallError::from)?;
    refuse_handles(&exported)?;
    let values = parse(&exported, expression, arguments)?;
    let mut session = app.session().await?;
    let result = session.call_exported(&exported, &values).await?;
    Ok(Answer {
        is_error: matches!(result, Some(Val::Result(Err(_)))),
        text: match result {
            Some(value) => wave(&value),
            None => "()".to_owned(),
        },
    })
}

/// The name of the function, and where in the text its arguments begin.
fn split(expression: &str) -> Result<(&str, usize), ExpressionError> {
    let not_a_call = || ExpressionError::NotACall(shortened(expression.trim()));
    let open = expression.find('(').ok_or_else(not_a_call)?;
    let name = expression[..open].trim();
    if name.is_empty() || !expression.trim_end().ends_with(')') {
        return Err(not_a_call());
    }
    Ok((name, open))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn refuse_handles(exported: &Exported) -> Result<(), ExpressionError> {
    let ty = exported.ty();
    let place = ty
        .params()
        .find(|(_, ty)| holds_handle(ty))
        .map(|(name, _)| format!("parameter {name}"))
        .or_else(|| ty.results().any(|ty| holds_handle(&ty)).then(|| "result".to_owned()));
    match place {
        Some(place) => {
            Err(ExpressionError::Handle { name: exported.name(), place, signature: exported.signature() })
        }
        None => Ok(()),
    }
}

/// WAVE knows calls of plain labels only, so the name is taken off and `f` put before the arguments.
fn parse(exported: &Exported, expression: &str, open: usize) -> Result<Vec<Val>, ExpressionError> {
    let text = format!("f{}", &expression[open..]);
    let types: Vec<Type> = exported.ty().params().map(|(_, ty)| ty).collect();
    UntypedFuncCall::parse(&text).and_then(|call| call.to_wasm_params(types.iter())).map_err(|error| {
        let span = error.span();
        let at = |place: usize| (place + open).saturating_sub(1).min(expression.len());
        let (line, marks) = mark(expression, at(span.start), at(span.end));
        ExpressionError::Arguments {
            reason: without_span(&error.to_string()).to_owned(),
            line,
            marks,
            signature: exported.signature(),
            example: example(exported),
        }
    })
}

/// The place is shown with marks, so the message does without its numbers.
fn without_span(message: &str) -> &str {
    message.rsplit_once(" at ").map_or(message, |(message, _)| message)
}

/// How much of a line is shown before the place, and how much from it on.
const SHOWN_BEFORE: usize = 60;
const SHOWN_AFTER: usize = 100;

/// The line of the text that holds the place, as far as it is near, and marks to put under it.
fn mark(text: &str, start: usize, end: usize) -> (String, String) {
    let floor = |mut place: usize| {
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        place
    };
    let (start, end) = (floor(start), floor(end.max(start)));
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let shown_from =
        text[line_start..start].char_indices().rev().nth(SHOWN_BEFORE).map(|(at, _)| line_start + at);
    let shown_to = text[start..line_end].char_indices().nth(SHOWN_AFTER).map(|(at, _)| start + at);
    let (cut_before, cut_after) = (shown_from.map_or("", |_| "…"), shown_to.map_or("", |_| "…"));
    let (from, to) = (shown_from.unwrap_or(line_start), shown_to.unwrap_or(line_end));
    let before = cut_before.chars().count() + text[from..start].chars().count();
    let marked = text[start..end.min(to).max(start)].chars().count().max(1);
    let line = format!("{cut_before}{}{cut_after}", &text[from..to]);
    (line, format!("{}{}", " ".repeat(before), "^".repeat(marked)))
}

/// A call that fits the function's types.
pub fn example(exported: &Exported) -> String {
    let arguments: Vec<String> = exported.ty().params().map(|(_, ty)| Example(&ty).to_string()).collect();
    format!("{}({})", exported.name(), arguments.join(", "))
}

/// Some value of a type, in WAVE.
struct Example<'a>(&'a Type);

impl fmt::Display for Example<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Bool => f.write_str("true"),
            Type::S8 | Type::S16 | Type::S32 | Type::S64 => f.write_str("-1"),
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => f.write_str("1"),
            Type::Float32 | Type::Float64 => f.write_str("1.5"),
            Type::Char => f.write_str("'a'"),
            Type::String => f.write_str("\"text\""),
            Type::List(list) => write!(f, "[{}]", Example(&list.ty())),
            Type::FixedLengthList(list) => {
                let items = vec![Example(&list.ty()).to_string(); list.len() as usize];
                write!(f, "[{}]", items.join(", "))
            }
            Type::Record(record) => {
                let fields: Vec<String> =
                    record.fields().map(|field| format!("{}: {}", field.name, Example(&field.ty))).collect();
                write!(f, "{{{}}}", fields.join(", "))
            }
            Type::Tuple(tuple) => {
                let items: Vec<String> = tuple.types().map(|ty| Example(&ty).to_string()).collect();
                write!(f, "({})", items.join(", "))
            }
            Type::Variant(variant) => match variant.cases().next() {
                Some(case) => match case.ty {
                    Some(ty) => write!(f, "{}({})", case.name, Example(&ty)),
                    None => f.write_str(case.name),
                },
                None => Ok(()),
            },
            Type::Enum(cases) => f.write_str(cases.names().next().unwrap_or_default()),
            Type::Option(option) => write!(f, "some({})", Example(&option.ty())),
            Type::Result(result) => match result.ok() {
                Some(ty) => write!(f, "ok({})", Example(&ty)),
                None => f.write_str("ok"),
            },
            Type::Flags(flags) => {
                write!(f, "{{{}}}", flags.names().next().unwrap_or_default())
            }
            other => write!(f, "<{}>", TypeText(other)),
        }
    }
}

/// The value in WAVE. Types with handles are refused before the call, so every value has a text.
fn wave(value: &Val) -> String {
    wasm_wave::to_string(value).unwrap_or_else(|error| format!("<not writable as text: {error}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_shown_whole() {
        assert_eq!(mark("a(\nbé, c)", 7, 8), ("bé, c)".to_owned(), "   ^".to_owned()));
        assert_eq!(mark("f()", 9, 9), ("f()".to_owned(), "   ^".to_owned()));
    }

    #[test]
    fn of_a_long_line_only_what_is_near_is_shown() {
        let text = format!("f({}x{})", "é".repeat(1_000), "y".repeat(100_000));
        let (line, marks) = mark(&text, 2_002, 90_000);
        let shown: Vec<char> = line.chars().collect();
        assert_eq!(shown[marks.find('^').unwrap()], 'x');
        assert_eq!(shown.len(), 1 + SHOWN_BEFORE + 1 + SHOWN_AFTER + 1);
        assert_eq!(marks.matches('^').count(), SHOWN_AFTER);
    }
}
