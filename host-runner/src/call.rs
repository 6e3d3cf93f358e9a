//! One call, as text: `ns:pkg/iface#func(ARGUMENTS)` in, the result out, both in WAVE.

use std::time::{Duration, Instant};

use wasmtime::component::{Type, Val};

use crate::app::App;
use crate::exports::{self, Exported, LookupError, holds_handle};
use crate::session::CallError;
use crate::wave::{self, Misfit};

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
    /// It is the name of a function, and the arguments are missing.
    #[error(
        "{name} needs its arguments, in parentheses behind the name. The function is {signature}\nFor example: {example}"
    )]
    NoArguments {
        /// The function.
        name: String,
        /// Its signature.
        signature: String,
        /// A call that fits.
        example: String,
    },
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

/// A call that can be made any number of times.
#[derive(Debug)]
pub struct Call {
    app: App,
    exported: Exported,
    arguments: Vec<Val>,
}

/// How long a call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Took {
    /// Until the instance was there: its memory, its linking, and what it does when it starts.
    pub start: Duration,
    /// From then until the function had returned.
    pub call: Duration,
}

impl Call {
    /// Finds the function and reads the arguments. Nothing of the guest runs yet.
    pub fn parse(app: &App, expression: &str) -> Result<Self, ExpressionError> {
        let Some((name, arguments)) = split(expression) else {
            return Err(missing_arguments(app, expression));
        };
        let exported = exports::find(app.component(), name).map_err(CallError::from)?;
        refuse_handles(&exported)?;
        let arguments = parse(&exported, expression, arguments)?;
        Ok(Self { app: app.clone(), exported, arguments })
    }

    /// Makes the call in a fresh instance.
    pub async fn make(&self) -> Result<(Answer, Took), CallError> {
        let begin = Instant::now();
        let mut session = self.app.session().await?;
        let started = Instant::now();
        let result = session.call_exported(&self.exported, &self.arguments).await?;
        let took = Took { start: started - begin, call: started.elapsed() };
        let answer = Answer {
            is_error: matches!(result, Some(Val::Result(Err(_)))),
            text: match result {
                Some(value) => wave::write(&value),
                None => "()".to_owned(),
            },
        };
        Ok((answer, took))
    }
}

/// Makes a call in a fresh instance.
pub async fn call(app: &App, expression: &str) -> Result<Answer, ExpressionError> {
    let (answer, _) = Call::parse(app, expression)?.make().await?;
    Ok(answer)
}

/// Where the text is the name of a function alone, says what the function takes.
fn missing_arguments(app: &App, expression: &str) -> ExpressionError {
    match exports::find(app.component(), expression.trim()) {
        Ok(exported) => match refuse_handles(&exported) {
            Err(error) => error,
            Ok(()) => ExpressionError::NoArguments {
                name: exported.name(),
                signature: exported.signature(),
                example: example(&exported),
            },
        },
        Err(ambiguous @ LookupError::Ambiguous { .. }) => CallError::from(ambiguous).into(),
        Err(_) => ExpressionError::NotACall(shortened(expression.trim())),
    }
}

/// The name of the function, and where in the text its arguments begin. Whether they end is for the parser to say.
fn split(expression: &str) -> Option<(&str, usize)> {
    let open = expression.find('(')?;
    let name = expression[..open].trim();
    (!name.is_empty()).then_some((name, open))
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
    wave::read_arguments(&text, &types).map_err(|Misfit { span, reason }| {
        let at = |place: usize| (place + open).saturating_sub(1).min(expression.len());
        let (line, marks) = mark(expression, at(span.start), at(span.end));
        ExpressionError::Arguments {
            reason,
            line,
            marks,
            signature: exported.signature(),
            example: example(exported),
        }
    })
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
    let argument = |ty: Type| match some_value(&ty) {
        Some(value) => wave::write(&value),
        None => "a handle, which has no text".to_owned(),
    };
    let arguments: Vec<String> = exported.ty().params().map(|(_, ty)| argument(ty)).collect();
    format!("{}({})", exported.name(), arguments.join(", "))
}

/// Some value of a type; `None` where values of it have no text.
fn some_value(ty: &Type) -> Option<Val> {
    let boxed = |ty: Option<Type>| match ty {
        Some(ty) => some_value(&ty).map(|value| Some(Box::new(value))),
        None => Some(None),
    };
    Some(match ty {
        Type::Bool => Val::Bool(true),
        Type::S8 => Val::S8(-1),
        Type::S16 => Val::S16(-1),
        Type::S32 => Val::S32(-1),
        Type::S64 => Val::S64(-1),
        Type::U8 => Val::U8(1),
        Type::U16 => Val::U16(1),
        Type::U32 => Val::U32(1),
        Type::U64 => Val::U64(1),
        Type::Float32 => Val::Float32(1.5),
        Type::Float64 => Val::Float64(1.5),
        Type::Char => Val::Char('a'),
        Type::String => Val::String("text".to_owned()),
        Type::List(list) => Val::List(vec![some_value(&list.ty())?]),
        Type::FixedLengthList(list) => {
            Val::FixedLengthList((0..list.len()).map(|_| some_value(&list.ty())).collect::<Option<_>>()?)
        }
        Type::Record(record) => {
            let field = |name: &str, ty: &Type| Some((name.to_owned(), some_value(ty)?));
            Val::Record(record.fields().map(|own| field(own.name, &own.ty)).collect::<Option<_>>()?)
        }
        Type::Tuple(tuple) => Val::Tuple(tuple.types().map(|ty| some_value(&ty)).collect::<Option<_>>()?),
        Type::Variant(variant) => {
            let case = variant.cases().next()?;
            Val::Variant(case.name.to_owned(), boxed(case.ty)?)
        }
        Type::Enum(cases) => Val::Enum(cases.names().next()?.to_owned()),
        Type::Option(option) => Val::Option(Some(Box::new(some_value(&option.ty())?))),
        Type::Result(result) => Val::Result(Ok(boxed(result.ok())?)),
        Type::Map(map) => Val::Map(vec![(some_value(&map.key())?, some_value(&map.value())?)]),
        Type::Flags(flags) => Val::Flags(flags.names().take(1).map(str::to_owned).collect()),
        _ => return None,
    })
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
