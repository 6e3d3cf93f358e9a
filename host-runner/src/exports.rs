//! The functions that a component exports, and how they are found by name.

use std::fmt;

use wasm_wave::wasm::DisplayType;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, Type};

use crate::blame::Called;

/// A function that can be called.
#[derive(Clone)]
pub struct Exported {
    interface: Option<String>,
    function: String,
    ty: ComponentFunc,
    index: ComponentExportIndex,
}

impl Exported {
    /// The interface, with its version: `ns:pkg/iface@1.0.0`. `None` for a function of the component itself.
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// The function's own name; of a resource, `[method]thing.do`, `[static]thing.make`, `[constructor]thing`.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Its parameters and result.
    pub fn ty(&self) -> &ComponentFunc {
        &self.ty
    }

    /// `ns:pkg/iface@1.0.0#func`, or `func`.
    pub fn name(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.function),
            None => self.function.clone(),
        }
    }

    /// As in WIT: `func(a: u32, b: list<string>) -> bool`.
    pub fn signature(&self) -> String {
        let parameters: Vec<String> =
            self.ty.params().map(|(name, ty)| format!("{name}: {}", TypeText(&ty))).collect();
        let result: String = self.ty.results().map(|ty| format!(" -> {}", TypeText(&ty))).collect();
        format!("{}({}){result}", self.function, parameters.join(", "))
    }

    fn whole_signature(&self) -> String {
        match &self.interface {
            Some(interface) => format!("{interface}#{}", self.signature()),
            None => self.signature(),
        }
    }

    /// Returns whether it can be called from text: it takes and returns no handle, which has none.
    pub fn has_text(&self) -> bool {
        !self.ty.params().any(|(_, ty)| holds_handle(&ty)) && !self.ty.results().any(|ty| holds_handle(&ty))
    }

    /// The same, for blame.
    pub(crate) fn called(&self) -> Called {
        Called { interface: self.interface.clone(), function: self.function.clone() }
    }

    pub(crate) fn index(&self) -> &ComponentExportIndex {
        &self.index
    }

    /// Whether `wanted` names it: whole, without the version, as `iface#func`, or by the function alone.
    fn is_named(&self, wanted: &str) -> bool {
        match wanted.split_once('#') {
            None => self.function == wanted,
            Some((interface, function)) => {
                self.function == function
                    && self.interface.as_deref().is_some_and(|own| {
                        let unversioned = without_version(own);
                        [own, unversioned, last_name(unversioned)].contains(&interface)
                    })
            }
        }
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// A type as WIT writes it. Handles, which WAVE has no text for, are told as such.
pub(crate) struct TypeText<'a>(pub(crate) &'a Type);

impl fmt::Display for TypeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Own(_) => f.write_str("own<resource>"),
            Type::Borrow(_) => f.write_str("borrow<resource>"),
            Type::List(list) => write!(f, "list<{}>", TypeText(&list.ty())),
            Type::Option(option) => write!(f, "option<{}>", TypeText(&option.ty())),
            Type::Result(result) => match (result.ok(), result.err()) {
                (None, None) => f.write_str("result"),
                (Some(ok), None) => write!(f, "result<{}>", TypeText(&ok)),
                (None, Some(err)) => write!(f, "result<_, {}>", TypeText(&err)),
                (Some(ok), Some(err)) => write!(f, "result<{}, {}>", TypeText(&ok), TypeText(&err)),
            },
            Type::FixedLengthList(list) => write!(f, "list<{}, {}>", TypeText(&list.ty()), list.len()),
            Type::Map(map) => write!(f, "map<{}, {}>", TypeText(&map.key()), TypeText(&map.value())),
            Type::Tuple(tuple) => {
                f.write_str("tuple<")?;
                separated(f, tuple.types(), |f, ty| TypeText(&ty).fmt(f))?;
                f.write_str(">")
            }
            Type::Record(record) => {
                f.write_str("record { ")?;
                separated(f, record.fields(), |f, own| write!(f, "{}: {}", own.name, TypeText(&own.ty)))?;
                f.write_str(" }")
            }
            Type::Variant(variant) => {
                f.write_str("variant { ")?;
                separated(f, variant.cases(), |f, case| match case.ty {
                    Some(ty) => write!(f, "{}({})", case.name, TypeText(&ty)),
                    None => f.write_str(case.name),
                })?;
                f.write_str(" }")
            }
            ty if holds_handle(ty) => f.write_str("a type with handles in it"),
            ty => DisplayType(ty).fmt(f),
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = T>,
    mut item_to: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item_to(f, item)?;
    }
    Ok(())
}

/// Whether values of the type hold something that only exists inside a running instance.
pub(crate) fn holds_handle(ty: &Type) -> bool {
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => true,
        Type::List(list) => holds_handle(&list.ty()),
        Type::FixedLengthList(list) => holds_handle(&list.ty()),
        Type::Map(map) => holds_handle(&map.key()) || holds_handle(&map.value()),
        Type::Option(option) => holds_handle(&option.ty()),
        Type::Result(result) => {
            result.ok().is_some_and(|ty| holds_handle(&ty))
                || result.err().is_some_and(|ty| holds_handle(&ty))
        }
        Type::Record(record) => record.fields().any(|field| holds_handle(&field.ty)),
        Type::Tuple(tuple) => tuple.types().any(|ty| holds_handle(&ty)),
        Type::Variant(variant) => variant.cases().any(|case| case.ty.is_some_and(|ty| holds_handle(&ty))),
        _ => false,
    }
}

/// What is said of functions that cannot be called from text.
const HANDLES: &str = "It exports these, which take or return handles and so cannot be called from text:";
const MORE_HANDLES: &str = "\nThese take or return handles, and cannot be called from text:";

/// Why a name found no function.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// Nothing is exported under that name.
    #[error(
        "no exported function is called {name}. {}{}",
        List("These can be called:", exported, if handles.is_empty() { "The component exports no function." } else { "" }),
        List(
            if exported.is_empty() { HANDLES } else { MORE_HANDLES },
            handles,
            ""
        )
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// Everything that can be called from text, by its whole name.
        exported: Vec<String>,
        /// What else is exported: functions that take or return a handle.
        handles: Vec<String>,
    },
    /// Several functions have that name.
    #[error("{name} is the name of {} exported functions. {}", candidates.len(), List("Say which:", candidates, ""))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Those that have the name, with their signatures.
        candidates: Vec<String>,
    },
}

struct List<'a>(&'static str, &'a [String], &'static str);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(introduction, items, nothing) = self;
        f.write_str(if items.is_empty() { nothing } else { introduction })?;
        items.iter().try_for_each(|item| write!(f, "\n  {item}"))
    }
}

/// Everything that can be called, in the component's own order.
pub(crate) fn list(component: &Component) -> Vec<Exported> {
    let engine = component.engine();
    let mut found = Vec::new();
    for (name, item) in component.component_type().exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(ty) => {
                if let Some(index) = component.get_export_index(None, name) {
                    found.push(Exported { interface: None, function: name.to_owned(), ty, index });
                }
            }
            ComponentItem::ComponentInstance(instance) => {
                let Some(parent) = component.get_export_index(None, name) else { continue };
                for (function, item) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(ty) = item.ty
                        && let Some(index) = component.get_export_index(Some(&parent), function)
                    {
                        found.push(Exported {
                            interface: Some(name.to_owned()),
                            function: function.to_owned(),
                            ty,
                            index,
                        });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The one function with this name: `ns:pkg/iface@1.0.0#func`, without the version, or `func` alone.
pub(crate) fn find(component: &Component, name: &str) -> Result<Exported, LookupError> {
    let all = list(component);
    let matching: Vec<&Exported> = all.iter().filter(|exported| exported.is_named(name)).collect();
    // A whole name wins over the short forms that it is also one of.
    let whole = matching.iter().find(|exported| exported.name() == name);
    match (whole, matching.as_slice()) {
        (Some(exported), _) => Ok((*exported).clone()),
        (None, [exported]) => Ok((*exported).clone()),
        (None, []) => {
            let (exported, handles): (Vec<_>, Vec<_>) = all.iter().partition(|exported| exported.has_text());
            let names = |all: Vec<&Exported>| all.into_iter().map(Exported::name).collect();
            let (exported, handles) = (names(exported), names(handles));
            Err(LookupError::Unknown { name: name.to_owned(), exported, handles })
        }
        (None, several) => Err(LookupError::Ambiguous {
            name: name.to_owned(),
            candidates: several.iter().map(|exported| exported.whole_signature()).collect(),
        }),
    }
}

fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(path, _)| path)
}
