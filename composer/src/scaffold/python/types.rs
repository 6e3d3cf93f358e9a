//! Types of WIT as they stand in signatures.

use wit_parser::{Function, FunctionKind, Handle, Type, TypeDefKind, TypeId, TypeOwner, WorldItem};

use super::Module;
use super::names::{called, class, ident};
use crate::scaffold::exports::label;

impl Module<'_> {
    /// What a function returns, and what it raises.
    pub(super) fn result(&mut self, function: &Function) -> (String, Option<String>) {
        let result = function.result.and_then(|ty| match ty {
            Type::Id(id) => {
                match &self.exports.resolve.types[wit_bindgen_core::dealias(self.exports.resolve, id)].kind {
                    TypeDefKind::Result(result) => Some((result.ok, result.err)),
                    _ => None,
                }
            }
            _ => None,
        });
        let constructor = matches!(function.kind, FunctionKind::Constructor(_));
        match result {
            Some((ok, err)) => {
                let ok = if constructor { None } else { ok };
                let ok = self.optional(ok);
                let err = self.optional(err);
                (ok, Some(err))
            }
            None if constructor => ("None".to_owned(), None),
            None => (self.optional(function.result), None),
        }
    }

    fn optional(&mut self, ty: Option<Type>) -> String {
        ty.map_or_else(|| "None".to_owned(), |ty| self.ty(ty))
    }

    pub(super) fn ty(&mut self, ty: Type) -> String {
        let id = match ty {
            Type::Id(id) => wit_bindgen_core::dealias(self.exports.resolve, id),
            Type::Bool => return "bool".to_owned(),
            Type::F32 | Type::F64 => return "float".to_owned(),
            Type::Char | Type::String => return "str".to_owned(),
            _ => return "int".to_owned(),
        };
        let resolve = self.exports.resolve;
        match &resolve.types[id].kind {
            TypeDefKind::List(Type::U8) => "bytes".to_owned(),
            TypeDefKind::List(inner) => {
                self.typing.insert("List");
                format!("List[{}]", self.ty(*inner))
            }
            TypeDefKind::Option(inner) => {
                self.typing.insert("Optional");
                let nested = self.is_option(*inner);
                let inner = self.ty(*inner);
                if nested {
                    self.types.insert("Some");
                    format!("Optional[Some[{inner}]]")
                } else {
                    format!("Optional[{inner}]")
                }
            }
            TypeDefKind::Tuple(tuple) => {
                self.typing.insert("Tuple");
                let parts: Vec<String> = tuple.types.iter().map(|ty| self.ty(*ty)).collect();
                format!("Tuple[{}]", parts.join(", "))
            }
            TypeDefKind::Result(result) => {
                self.types.insert("Result");
                let (ok, err) = (self.optional(result.ok), self.optional(result.err));
                format!("Result[{ok}, {err}]")
            }
            TypeDefKind::Handle(Handle::Own(resource) | Handle::Borrow(resource)) => {
                self.ty(Type::Id(*resource))
            }
            _ => self.named(id),
        }
    }

    fn is_option(&self, ty: Type) -> bool {
        let Type::Id(id) = ty else { return false };
        let id = wit_bindgen_core::dealias(self.exports.resolve, id);
        matches!(self.exports.resolve.types[id].kind, TypeDefKind::Option(_))
    }

    /// A type with a name of its own, in the module of the interface that defines it.
    fn named(&mut self, id: TypeId) -> String {
        let resolve = self.exports.resolve;
        let definition = &resolve.types[id];
        let name = class(definition.name.as_deref().unwrap_or_default());
        let TypeOwner::Interface(owner) = definition.owner else {
            self.whole = true;
            return format!("wit_world.{name}");
        };
        let world = &resolve.worlds[self.exports.world];
        let (direction, list) = if self.exports.exported(owner) {
            ("exports", &world.exports)
        } else {
            ("imports", &world.imports)
        };
        let key =
            list.iter().find(|(_, item)| matches!(item, WorldItem::Interface { id, .. } if *id == owner));
        let Some((key, _)) = key else { return name };
        let module = ident(&label(resolve, key, list.iter()));
        let path = format!("{}.{name}", called(direction, &module));
        self.modules.insert((direction, module));
        path
    }
}
