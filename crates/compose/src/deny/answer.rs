//! What each function answers.

use std::collections::BTreeSet;

use wit_parser::abi::AbiVariant;
use wit_parser::{
    Function, Handle, InterfaceId, Resolve, SizeAlign, Type, TypeDefKind, TypeId, TypeOwner, WorldKey,
};

use super::select::Closing;
use super::{Answer, table, types};

/// The largest value that a stub keeps, in bytes: no error type is larger, unless it is meant to be a nuisance.
const LARGEST: usize = 1 << 16;

/// What is known when answers are decided and written down.
pub(super) struct Scene<'a> {
    pub(super) resolve: &'a Resolve,
    pub(super) closing: &'a Closing,
    pub(super) sizes: SizeAlign,
}

impl<'a> Scene<'a> {
    pub(super) fn new(resolve: &'a Resolve, closing: &'a Closing) -> Self {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        Scene { resolve, closing, sizes }
    }

    /// Decides what a function of a closed import answers.
    pub(super) fn decide(&self, key: &WorldKey, function: &Function) -> Answer {
        let answer = self.honest(key, function).filter(|_| self.can_drop_arguments(function));
        answer.unwrap_or(Answer::Trap)
    }

    /// The honest answer, where there is one.
    fn honest(&self, key: &WorldKey, function: &Function) -> Option<Answer> {
        let Type::Id(id) = function.result? else { return None };
        let kind = self.kind(id);
        if let TypeDefKind::Result(result) = kind {
            if self.sizes.size(&Type::Id(id)).size_wasm32() > LARGEST {
                return None;
            }
            return match result.err {
                Some(error) => self.refusal(error).map(Answer::Error),
                None => Some(Answer::Err),
            };
        }
        let WorldKey::Interface(interface) = key else { return None };
        let (package, interface) = self.place(*interface)?;
        // The name is WASI's; whether the type is too must be seen.
        table::nothing(&package, interface, &function.name).filter(|answer| match (answer, kind) {
            (Answer::EmptyList, TypeDefKind::List(_)) | (Answer::None, TypeDefKind::Option(_)) => true,
            (Answer::Handle, TypeDefKind::Handle(Handle::Own(resource))) => {
                self.closing.owns(self.resolve, types::named(self.resolve, *resource))
            }
            _ => false,
        })
    }

    /// The case that means "not allowed" in an error type.
    fn refusal(&self, error: Type) -> Option<String> {
        let Type::Id(id) = error else { return None };
        let id = types::named(self.resolve, id);
        let definition = &self.resolve.types[id];
        let listed = match (definition.owner, &definition.name) {
            (TypeOwner::Interface(interface), Some(name)) => {
                self.place(interface).and_then(|(package, interface)| table::error(&package, interface, name))
            }
            _ => None,
        };
        let has = |path: &str| self.cases(id, path).is_some();
        listed.filter(|path| has(path)).or_else(|| table::refusal(has)).map(str::to_owned)
    }

    /// The way along the cases of a path: for each the type that has it, and its place there. None where there is no
    /// such way, or a payload at its end.
    pub(super) fn cases(&self, id: TypeId, path: &str) -> Option<Vec<(TypeId, usize)>> {
        let mut way = Vec::new();
        let mut at = Some(Type::Id(id));
        for name in path.split('.') {
            let Some(Type::Id(id)) = at else { return None };
            let id = types::named(self.resolve, id);
            let (index, payload) = match &self.resolve.types[id].kind {
                TypeDefKind::Enum(cases) => (cases.cases.iter().position(|case| case.name == name)?, None),
                TypeDefKind::Variant(variant) => {
                    let index = variant.cases.iter().position(|case| case.name == name)?;
                    (index, variant.cases[index].ty)
                }
                _ => return None,
            };
            way.push((id, index));
            at = payload;
        }
        at.is_none().then_some(way)
    }

    /// The package of an interface without its version, and its own name.
    fn place(&self, interface: InterfaceId) -> Option<(String, &'a str)> {
        let interface = &self.resolve.interfaces[interface];
        let package = &self.resolve.packages[interface.package?].name;
        Some((format!("{}:{}", package.namespace, package.name), interface.name.as_deref()?))
    }

    /// Whether all handles among the arguments can be dropped where they arrive: not those in memory, of which arguments
    /// may overlie each other, and neither streams nor futures.
    fn can_drop_arguments(&self, function: &Function) -> bool {
        let signature = self.resolve.wasm_signature(AbiVariant::GuestExport, function);
        let direct = !signature.indirect_params;
        let mut seen = BTreeSet::new();
        // With each type goes whether it is passed directly.
        let parameters = function.params.iter();
        let mut ahead: Vec<(Type, bool)> = parameters.map(|parameter| (parameter.ty, direct)).collect();
        while let Some((ty, direct)) = ahead.pop() {
            let id = match ty {
                Type::Id(id) => id,
                Type::ErrorContext => return false,
                _ => continue,
            };
            if !seen.insert((id, direct)) {
                continue;
            }
            let kind = &self.resolve.types[id].kind;
            let inside = match kind {
                TypeDefKind::Handle(handle) if direct || self.must_drop(handle).is_none() => continue,
                TypeDefKind::Handle(_) | TypeDefKind::Future(_) | TypeDefKind::Stream(_) => return false,
                TypeDefKind::List(_) | TypeDefKind::Map(..) => false,
                _ => direct,
            };
            ahead.extend(types::pieces(kind).into_iter().map(|piece| (piece, inside)));
        }
        true
    }

    /// The resource of a handle that a function has to drop before it returns. What is borrowed of a component's own
    /// resources arrives as no handle.
    pub(super) fn must_drop(&self, handle: &Handle) -> Option<TypeId> {
        match handle {
            Handle::Own(id) => Some(types::named(self.resolve, *id)),
            Handle::Borrow(id) => {
                Some(types::named(self.resolve, *id)).filter(|&id| !self.closing.owns(self.resolve, id))
            }
        }
    }

    /// What a type is, behind its aliases.
    pub(super) fn kind(&self, id: TypeId) -> &'a TypeDefKind {
        &self.resolve.types[types::named(self.resolve, id)].kind
    }
}
