//! Worlds as the tests see them: a model of component types of its own, which shares nothing with the library.
//!
//! Every node that an edit may point at has an [`Id`] that it keeps through all edits, so that edits can be
//! applied in any order and combination, and references survive renaming.

/// What a node is known by for good; never seen in text or binary.
pub type Id = u32;

/// What a component imports, or what another one exports.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// In an order in which each only uses what stands before it.
    pub externs: Vec<Extern>,
}

/// One import or export of a world.
#[derive(Clone, Debug, PartialEq)]
pub struct Extern {
    pub id: Id,
    pub name: ExternName,
    pub kind: ExternKind,
}

/// The name of an import or export.
#[derive(Clone, Debug, PartialEq)]
pub enum ExternName {
    /// `name`.
    Plain(String),
    /// `test:package/interface@version`.
    Interface { package: String, interface: String, version: Option<String> },
}

impl ExternName {
    /// As it stands in a binary.
    pub fn full(&self) -> String {
        match self {
            ExternName::Plain(name) => name.clone(),
            ExternName::Interface { package, interface, version: None } => format!("{package}/{interface}"),
            ExternName::Interface { package, interface, version: Some(version) } => {
                format!("{package}/{interface}@{version}")
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExternKind {
    Interface(Vec<Item>),
    Func(Func),
}

/// A type or function of an interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: Id,
    /// Without the resource in front, where it is a method or static function.
    pub name: String,
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    Type(Def),
    Func(Func),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Def {
    Record(Vec<Field>),
    /// Fields without a type are cases without a payload.
    Variant(Vec<Field>),
    Enum(Vec<Field>),
    Flags(Vec<Field>),
    /// Another name for a value type.
    Alias(Ty),
    Resource,
    /// Another name for a type of the same or an earlier interface: `use`, or `type r = s` for resources.
    Same(Id),
}

/// A field, a case, a flag or a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub id: Id,
    pub name: String,
    /// `None` for flags, enum cases, and variant cases without a payload.
    pub ty: Option<Ty>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Func {
    pub role: Role,
    pub is_async: bool,
    /// Without `self`.
    pub params: Vec<Field>,
    /// Ignored for constructors, which return their resource.
    pub result: Option<Ty>,
}

/// What a function is to a resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Free,
    Constructor(Id),
    Method(Id),
    Static(Id),
}

impl Role {
    pub fn resource(self) -> Option<Id> {
        match self {
            Role::Free => None,
            Role::Constructor(id) | Role::Method(id) | Role::Static(id) => Some(id),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prim {
    Bool,
    U8,
    S8,
    U16,
    S16,
    U32,
    S32,
    U64,
    S64,
    F32,
    F64,
    Char,
    String,
    ErrorContext,
}

/// A type where it is used.
#[derive(Clone, Debug, PartialEq)]
pub enum Ty {
    Prim(Prim),
    /// A value type that has a name.
    Named(Id),
    Own(Id),
    Borrow(Id),
    List(Box<Ty>),
    Fixed(Box<Ty>, u32),
    Map(Prim, Box<Ty>),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Tuple(Vec<Ty>),
    Stream(Option<Box<Ty>>),
    Future(Option<Box<Ty>>),
}

impl Ty {
    /// The types it is made of, outermost first.
    pub fn children(&self) -> Vec<&Ty> {
        match self {
            Ty::Prim(_) | Ty::Named(_) | Ty::Own(_) | Ty::Borrow(_) => vec![],
            Ty::List(ty) | Ty::Fixed(ty, _) | Ty::Map(_, ty) | Ty::Option(ty) => vec![ty],
            Ty::Result(ok, err) => ok.iter().chain(err).map(|ty| &**ty).collect(),
            Ty::Tuple(types) => types.iter().collect(),
            Ty::Stream(ty) | Ty::Future(ty) => ty.iter().map(|ty| &**ty).collect(),
        }
    }

    /// The same, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Ty> {
        match self {
            Ty::Prim(_) | Ty::Named(_) | Ty::Own(_) | Ty::Borrow(_) => vec![],
            Ty::List(ty) | Ty::Fixed(ty, _) | Ty::Map(_, ty) | Ty::Option(ty) => vec![ty],
            Ty::Result(ok, err) => ok.iter_mut().chain(err).map(|ty| &mut **ty).collect(),
            Ty::Tuple(types) => types.iter_mut().collect(),
            Ty::Stream(ty) | Ty::Future(ty) => ty.iter_mut().map(|ty| &mut **ty).collect(),
        }
    }

    /// The named types and resources it mentions.
    pub fn mentions(&self, found: &mut Vec<Id>) {
        if let Ty::Named(id) | Ty::Own(id) | Ty::Borrow(id) = self {
            found.push(*id);
        }
        self.children().into_iter().for_each(|child| child.mentions(found));
    }

    /// Whether only an engine with features beyond the default has it.
    pub fn is_beyond_default(&self) -> bool {
        matches!(self, Ty::Fixed(..) | Ty::Map(..) | Ty::Prim(Prim::ErrorContext))
            || self.children().into_iter().any(Ty::is_beyond_default)
    }
}

impl Def {
    pub fn fields(&self) -> Option<&[Field]> {
        match self {
            Def::Record(fields) | Def::Variant(fields) | Def::Enum(fields) | Def::Flags(fields) => {
                Some(fields)
            }
            Def::Alias(_) | Def::Resource | Def::Same(_) => None,
        }
    }

    pub fn fields_mut(&mut self) -> Option<&mut Vec<Field>> {
        match self {
            Def::Record(fields) | Def::Variant(fields) | Def::Enum(fields) | Def::Flags(fields) => {
                Some(fields)
            }
            Def::Alias(_) | Def::Resource | Def::Same(_) => None,
        }
    }
}

impl Item {
    /// All types written in it.
    pub fn types(&self) -> Vec<&Ty> {
        match &self.kind {
            ItemKind::Type(Def::Alias(ty)) => vec![ty],
            ItemKind::Type(def) => {
                def.fields().unwrap_or_default().iter().filter_map(|f| f.ty.as_ref()).collect()
            }
            ItemKind::Func(func) => func.types(),
        }
    }

    /// The named types and resources it needs.
    pub fn mentions(&self) -> Vec<Id> {
        let mut found = Vec::new();
        match &self.kind {
            ItemKind::Type(Def::Same(id)) => found.push(*id),
            ItemKind::Type(_) => {}
            ItemKind::Func(func) => found.extend(func.role.resource()),
        }
        self.types().into_iter().for_each(|ty| ty.mentions(&mut found));
        found
    }
}

impl Func {
    pub fn types(&self) -> Vec<&Ty> {
        self.params.iter().filter_map(|param| param.ty.as_ref()).chain(&self.result).collect()
    }
}

impl Extern {
    pub fn items(&self) -> &[Item] {
        match &self.kind {
            ExternKind::Interface(items) => items,
            ExternKind::Func(_) => &[],
        }
    }

    pub fn mentions(&self) -> Vec<Id> {
        match &self.kind {
            ExternKind::Interface(items) => items.iter().flat_map(Item::mentions).collect(),
            ExternKind::Func(func) => {
                let mut found = Vec::new();
                func.types().into_iter().for_each(|ty| ty.mentions(&mut found));
                found
            }
        }
    }
}

impl World {
    pub fn find(&self, id: Id) -> Option<&Extern> {
        self.externs.iter().find(|found| found.id == id)
    }

    pub fn find_mut(&mut self, id: Id) -> Option<&mut Extern> {
        self.externs.iter_mut().find(|found| found.id == id)
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.externs.iter().flat_map(Extern::items)
    }

    pub fn item(&self, id: Id) -> Option<&Item> {
        self.items().find(|item| item.id == id)
    }

    pub fn item_mut(&mut self, id: Id) -> Option<&mut Item> {
        let interfaces = self.externs.iter_mut().filter_map(|found| match &mut found.kind {
            ExternKind::Interface(items) => Some(items),
            ExternKind::Func(_) => None,
        });
        interfaces.flatten().find(|item| item.id == id)
    }

    /// The interface or function in which the item is.
    pub fn home(&self, item: Id) -> Option<&Extern> {
        self.externs.iter().find(|found| found.items().iter().any(|known| known.id == item))
    }

    /// The function that is this extern or item.
    pub fn func(&self, id: Id) -> Option<&Func> {
        match (self.find(id).map(|found| &found.kind), self.item(id).map(|item| &item.kind)) {
            (Some(ExternKind::Func(func)), _) | (_, Some(ItemKind::Func(func))) => Some(func),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub fn func_mut(&mut self, id: Id) -> Option<&mut Func> {
        for found in &mut self.externs {
            match &mut found.kind {
                ExternKind::Func(func) if found.id == id => return Some(func),
                ExternKind::Func(_) => {}
                ExternKind::Interface(items) => {
                    for item in items {
                        if let (true, ItemKind::Func(func)) = (item.id == id, &mut item.kind) {
                            return Some(func);
                        }
                    }
                }
            }
        }
        None
    }

    /// Whether anything needs this type.
    pub fn is_mentioned(&self, item: Id) -> bool {
        self.externs.iter().any(|found| found.mentions().contains(&item))
    }

    /// Whether another interface or function needs a type of this one.
    pub fn is_used(&self, interface: Id) -> bool {
        let Some(home) = self.find(interface) else { return false };
        let others = self.externs.iter().filter(|found| found.id != interface);
        let wanted: Vec<Id> = others.flat_map(Extern::mentions).collect();
        home.items().iter().any(|item| wanted.contains(&item.id))
    }

    /// The definition at the end of all renaming.
    pub fn definition(&self, mut id: Id) -> Option<(&Item, &Def)> {
        loop {
            let item = self.item(id)?;
            match &item.kind {
                ItemKind::Type(Def::Same(next)) => id = *next,
                ItemKind::Type(def) => return Some((item, def)),
                ItemKind::Func(_) => return None,
            }
        }
    }

    pub fn is_resource(&self, id: Id) -> bool {
        matches!(self.definition(id), Some((_, Def::Resource)))
    }

    /// The name of an item as it stands in a binary.
    pub fn full_name(&self, item: &Item) -> String {
        let resource = |id| self.item(id).map_or_else(String::new, |found| found.name.clone());
        match &item.kind {
            ItemKind::Func(Func { role: Role::Constructor(id), .. }) => {
                format!("[constructor]{}", resource(*id))
            }
            ItemKind::Func(Func { role: Role::Method(id), .. }) => {
                format!("[method]{}.{}", resource(*id), item.name)
            }
            ItemKind::Func(Func { role: Role::Static(id), .. }) => {
                format!("[static]{}.{}", resource(*id), item.name)
            }
            _ => item.name.clone(),
        }
    }

    /// Whether only an engine with features beyond the default accepts any of it.
    pub fn is_beyond_default(&self) -> bool {
        let funcs = self.externs.iter().filter_map(|found| match &found.kind {
            ExternKind::Func(func) => Some(func.types()),
            ExternKind::Interface(_) => None,
        });
        funcs.flatten().chain(self.items().flat_map(Item::types)).any(Ty::is_beyond_default)
    }
}
