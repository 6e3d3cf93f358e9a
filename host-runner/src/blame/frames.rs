//! The frames of a backtrace: names that a person can read, on one line, whatever a guest calls its functions.

use std::fmt::{self, Write};

use wasmtime::FrameInfo;

use super::index::Index;

/// The longest name that is shown, in characters.
const NAME: usize = 160;

/// A frame of a backtrace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The part that the function belongs to. Several where they look alike; none for what the engine does to pass values
    /// between parts.
    pub parts: Vec<String>,
    /// The function's name, demangled; `function 17` where it has none.
    pub function: String,
    /// File and line, where the part has debug information and the engine was told to read it.
    pub source: Option<String>,
    /// Where in the binary, in bytes from its beginning.
    pub offset: Option<u64>,
}

/// Whose a frame is.
pub(super) enum Place {
    /// Of one of these parts.
    Parts(Vec<usize>),
    /// The engine's own, between two parts.
    Adapter,
    /// Nothing is known of it.
    Unknown,
}

/// A frame that was looked up.
pub(super) struct Found {
    pub(super) place: Place,
    /// The name of its function as it is written in the binary.
    pub(super) raw: Option<String>,
    /// The name under which its module exports the function.
    pub(super) export: Option<String>,
    /// The import for which it stands, as interface and function, where the toolchain put it before one.
    pub(super) import: Option<(String, String)>,
    pub(super) shown: Frame,
}

impl Found {
    pub(super) fn look_up(index: &Index, frame: &FrameInfo) -> Self {
        let offset = frame.module_offset().map(|offset| offset as u64);
        let mut exports = frame.module().exports().map(|export| export.name());
        let place = match offset {
            Some(offset) if index.is_adapter(offset, &mut exports) => Place::Adapter,
            Some(offset) => match index.parts_at(offset) {
                parts if parts.is_empty() => Place::Unknown,
                parts => Place::Parts(parts),
            },
            None => Place::Unknown,
        };
        let parts = match &place {
            Place::Parts(parts) => parts.iter().map(|&part| index.part(part).name.path.clone()).collect(),
            Place::Adapter | Place::Unknown => Vec::new(),
        };
        let (export, import) = match (&place, offset) {
            (Place::Parts(_), Some(offset)) => {
                let function = frame.func_index();
                (index.exported_as(offset, function), index.stands_for(offset, function))
            }
            _ => (None, None),
        };
        let function = match (&place, frame.func_name().or(export)) {
            (Place::Adapter, _) => "(the engine passes a value from part to part)".to_owned(),
            (_, Some(name)) => readable(name),
            (_, None) => format!("function {}", frame.func_index()),
        };
        // Without a name of its own it is exported under a number.
        let function = match import {
            Some((interface, name)) if frame.func_name().is_none() => {
                format!("the import {interface}#{name}")
            }
            _ => function,
        };
        let source = frame.symbols().first().and_then(|symbol| {
            let line = symbol.line().map(|line| format!(":{line}")).unwrap_or_default();
            Some(plain(&format!("{}{line}", symbol.file()?), NAME))
        });
        let offset = offset.filter(|_| !matches!(place, Place::Adapter));
        Self {
            raw: frame.func_name().map(|name| plain(name, NAME)),
            export: export.map(str::to_owned),
            import: import.map(|(interface, function)| (interface.to_owned(), function.to_owned())),
            shown: Frame { parts, function, source, offset },
            place,
        }
    }
}

/// A name as its language writes it. A mangled name may stand for one of any length: what is too long is cut.
fn readable(name: &str) -> String {
    let mut short = Short { text: String::new(), left: NAME };
    let written = if let Ok(rust) = rustc_demangle::try_demangle(name) {
        // Without the hash at its end.
        write!(short, "{rust:#}")
    } else {
        let cpp = cpp_demangle::Symbol::new(name).ok().and_then(|symbol| symbol.demangle().ok());
        write!(short, "{}", cpp.as_deref().unwrap_or(name))
    };
    match written {
        Ok(()) => short.text,
        Err(_) => format!("{}…", short.text),
    }
}

/// A text of the guest's on one line, cut.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut short = Short { text: String::new(), left: most };
    match short.write_str(text) {
        Ok(()) => short.text,
        Err(_) => format!("{}…", short.text),
    }
}

/// Takes so many characters, none of them a control character, and then fails.
struct Short {
    text: String,
    left: usize,
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(match character {
                '\n' | '\t' => ' ',
                other if other.is_control() => char::REPLACEMENT_CHARACTER,
                other => other,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_and_short() {
        assert_eq!(readable("_ZN7pricing5rules5apply17h0123456789abcdefE"), "pricing::rules::apply");
        assert_eq!(readable("_ZN3foo3barEi"), "foo::bar(int)");
        assert_eq!(readable("rules.apply"), "rules.apply");
        assert_eq!(readable("a\u{1b}[31m\nb"), "a\u{fffd}[31m b");
        assert_eq!(readable(&"x".repeat(100_000)).chars().count(), NAME + 1);
        // A few bytes that stand for a name without end.
        let bomb = format!("_RMC0INtC0{}_E", "TB_B_".repeat(60));
        assert!(readable(&bomb).chars().count() <= NAME + 1);
    }
}
