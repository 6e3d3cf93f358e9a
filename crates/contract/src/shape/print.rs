//! Prints parts of a shape as WIT text, and says where in the text a part of it stands.

use std::ops::Range;

use super::member::{Member, split};
use super::{Definition, FunctionId, InterfaceId, Item, Kind, Origin, Shape, Type, TypeId};

/// A step from something that is printed to a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The name of the thing itself.
    Name,
    /// The word `async`, or the place where it would stand.
    Async,
    /// All parameters, with their parentheses.
    Params,
    /// A function's parameter, a record's field, a variant's case or a label, by its position: its name.
    Label(usize),
    /// The type of a parameter or field, or the payload of a case, by its position.
    Of(usize),
    /// The fields, cases or labels, with their braces; the members of a tuple with their brackets.
    Body,
    /// What a function returns, or the place where it would stand.
    Result,
    /// What a definition says that a name is: `record` and the like, or all that `type a =` is followed by.
    Definition,
    /// The element of an option, list, stream or future.
    Element,
    /// The length of a list of fixed length.
    Length,
    /// The key of a map.
    Key,
    /// The value of a map.
    Value,
    /// The payload of success.
    Ok,
    /// The payload of failure.
    Err,
}

/// A text, and the bytes in it that the steps led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The text, without a line feed at its end.
    pub text: String,
    /// The bytes: empty where there is nothing to show, at the place where it would stand.
    pub span: Range<usize>,
}

/// A function, with its name: `greet: func(who: string);`. A method is printed within its resource.
#[must_use]
pub fn function(shape: &Shape, name: &str, id: FunctionId) -> String {
    function_at(shape, name, id, &[]).text
}

/// A type by the name it goes by, or else in full: `coin`, `list<u8>`.
#[must_use]
pub fn reference(shape: &Shape, ty: Type) -> String {
    let mut printer = Printer::new(shape, &[]);
    printer.reference(ty);
    printer.text
}

/// The definition of a type that has a name: `record coin { … }`, over several lines where it has members.
#[must_use]
pub fn definition(shape: &Shape, id: TypeId) -> String {
    definition_at(shape, id, &[]).text
}

/// An interface, with the definitions of its types, over several lines.
#[must_use]
pub fn interface(shape: &Shape, name: &str, id: InterfaceId) -> String {
    interface_at(shape, name, id, &[]).text
}

/// Anything that is imported or exported under a name.
#[must_use]
pub fn item(shape: &Shape, name: &str, item: &Item) -> String {
    item_at(shape, name, item, &[]).text
}

/// As [`function`], with the place of a part of it.
#[must_use]
pub fn function_at(shape: &Shape, name: &str, id: FunctionId, focus: &[Step]) -> Printed {
    Printer::print(shape, focus, |printer| printer.function_item(name, id, ""))
}

/// As [`definition`], with the place of a part of it.
#[must_use]
pub fn definition_at(shape: &Shape, id: TypeId, focus: &[Step]) -> Printed {
    Printer::print(shape, focus, |printer| printer.definition(None, id, ""))
}

/// As [`interface`], with the place of a part of it: its name is the only one.
#[must_use]
pub fn interface_at(shape: &Shape, name: &str, id: InterfaceId, focus: &[Step]) -> Printed {
    Printer::print(shape, focus, |printer| printer.interface(name, id, ""))
}

/// As [`item`], with the place of a part of it.
#[must_use]
pub fn item_at(shape: &Shape, name: &str, item: &Item, focus: &[Step]) -> Printed {
    Printer::print(shape, focus, |printer| printer.item(name, item, ""))
}

struct Printer<'a> {
    shape: &'a Shape,
    text: String,
    /// The steps that led to what is being printed.
    at: Vec<Step>,
    focus: &'a [Step],
    found: Option<Range<usize>>,
}

impl<'a> Printer<'a> {
    fn new(shape: &'a Shape, focus: &'a [Step]) -> Self {
        Printer { shape, text: String::new(), at: Vec::new(), focus, found: None }
    }

    fn print(shape: &'a Shape, focus: &'a [Step], work: impl FnOnce(&mut Self)) -> Printed {
        let mut printer = Printer::new(shape, focus);
        work(&mut printer);
        // Without a focus the whole is meant.
        let span = printer.found.unwrap_or(0..printer.text.len());
        Printed { text: printer.text, span }
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints a part, and remembers where if it is the one that is asked for.
    fn part(&mut self, step: Step, work: impl FnOnce(&mut Self)) {
        self.at.push(step);
        let start = self.text.len();
        work(self);
        if self.at == self.focus && self.found.is_none() {
            self.found = Some(start..self.text.len());
        }
        self.at.pop();
    }

    fn item(&mut self, name: &str, item: &Item, indent: &str) {
        match item {
            Item::Function(id) => self.function_item(name, *id, indent),
            Item::Interface(id) => self.interface(name, *id, indent),
            Item::Type(definition) => self.type_item(name, definition, indent),
            Item::Component(_) => self.described("component", name, indent),
            Item::Module(_) => self.described("core module", name, indent),
            Item::Value(ty) => {
                self.push(indent);
                self.push("value ");
                self.part(Step::Name, |printer| printer.push(name));
                self.push(": ");
                self.part(Step::Value, |printer| printer.reference(*ty));
                self.push(";");
            }
        }
    }

    fn type_item(&mut self, name: &str, definition: &Definition, indent: &str) {
        match definition {
            Definition::Value(id) => self.definition(Some(name), *id, indent),
            Definition::Resource(_) => {
                self.push(indent);
                self.push("resource ");
                self.part(Step::Name, |printer| printer.push(name));
                self.push(";");
            }
            Definition::Function(_) => self.described("type of functions", name, indent),
            Definition::Interface(_) => self.described("type of instances", name, indent),
            Definition::Component(_) => self.described("type of components", name, indent),
        }
    }

    /// What WIT has no words for.
    fn described(&mut self, what: &str, name: &str, indent: &str) {
        self.push(indent);
        self.push(what);
        self.push(" ");
        self.part(Step::Name, |printer| printer.push(name));
        self.push(";");
    }

    fn interface(&mut self, own: &str, id: InterfaceId, indent: &str) {
        self.push(indent);
        self.push("interface ");
        self.part(Step::Name, |printer| printer.push(own));
        self.push(" {");
        let inner = format!("{indent}  ");
        let shape = self.shape;
        let items = &shape.interface(id).items;
        let (mut uses, mut rest) = (Vec::<(String, Vec<String>)>::new(), Vec::new());
        for (name, item) in items {
            let member = matches!(item, Item::Function(_)).then(|| split(name).resource()).flatten();
            // Functions of a resource are printed with it, where the interface has it.
            if member.is_some_and(|resource| items.iter().any(|(known, _)| known == resource)) {
                continue;
            }
            if let Item::Type(definition) = item
                && let Some((from, original)) = self.used(own, name, definition)
            {
                let renamed = if original == *name { original } else { format!("{original} as {name}") };
                match uses.iter_mut().find(|(known, _)| *known == from) {
                    Some((_, names)) => names.push(renamed),
                    None => uses.push((from, vec![renamed])),
                }
                continue;
            }
            rest.push((name, item));
        }
        for (from, names) in uses {
            self.push(&format!("\n{inner}use {from}.{{{}}};", names.join(", ")));
        }
        for (name, item) in rest {
            self.push("\n");
            match item {
                Item::Type(Definition::Resource(_)) => self.resource(name, items, &inner),
                _ => self.item(name, item, &inner),
            }
        }
        if !items.is_empty() {
            self.push("\n");
            self.push(indent);
        }
        self.push("}");
    }

    /// The other interface that a type of this interface is taken from, and what it is called there.
    fn used(&self, interface: &str, name: &str, definition: &Definition) -> Option<(String, String)> {
        match definition {
            Definition::Value(id) => {
                let same = self.shape.type_def(*id).name.as_ref()?.same_as?;
                let original = self.shape.type_def(same).name.as_ref()?;
                let from = original.interface.as_ref().filter(|from| *from != interface)?;
                Some((from.clone(), original.name.clone()))
            }
            Definition::Resource(handle) => match &self.shape.resource(handle.resource).origin {
                Origin::Asked(place) | Origin::Made(place) => match place.as_slice() {
                    [from, original] if from != interface => Some((from.clone(), original.clone())),
                    _ => None,
                },
                Origin::Inner => None,
            },
            _ => None,
        }
        .filter(|(from, original)| (from.as_str(), original.as_str()) != (interface, name))
    }

    fn resource(&mut self, name: &str, items: &[(String, Item)], indent: &str) {
        self.push(indent);
        self.push("resource ");
        self.push(name);
        let members: Vec<_> = items
            .iter()
            .filter_map(|(full, item)| match item {
                Item::Function(id) if split(full).resource() == Some(name) => Some((full, *id)),
                _ => None,
            })
            .collect();
        if members.is_empty() {
            self.push(";");
            return;
        }
        self.push(" {\n");
        for (full, id) in members {
            self.push(indent);
            self.push("  ");
            self.signature(full, id);
            self.push("\n");
        }
        self.push(indent);
        self.push("}");
    }

    fn function_item(&mut self, name: &str, id: FunctionId, indent: &str) {
        self.push(indent);
        match split(name).resource() {
            Some(resource) => {
                self.push(&format!("resource {resource} {{\n{indent}  "));
                self.signature(name, id);
                self.push(&format!("\n{indent}}}"));
            }
            None => self.signature(name, id),
        }
    }

    fn signature(&mut self, name: &str, id: FunctionId) {
        let shape = self.shape;
        let function = shape.function(id);
        let member = split(name);
        // What the resource stands for anyway is not written in WIT.
        let (own, unwritten) = match member {
            Member::Plain(name) => (name, 0),
            Member::Constructor(_) => ("constructor", 0),
            Member::Method(_, name) => (name, 1),
            Member::Static(_, name) => (name, 0),
        };
        let constructor = matches!(member, Member::Constructor(_));
        self.part(Step::Name, |printer| printer.push(own));
        if !constructor {
            self.push(": ");
            if matches!(member, Member::Static(..)) {
                self.push("static ");
            }
            self.part(Step::Async, |printer| printer.push(if function.is_async { "async" } else { "" }));
            self.push(if function.is_async { " func" } else { "func" });
        }
        let start = self.text.len();
        self.push("(");
        for (index, (name, ty)) in function.params.iter().enumerate().skip(unwritten) {
            if index > unwritten {
                self.push(", ");
            }
            self.part(Step::Label(index), |printer| printer.push(name));
            self.push(": ");
            self.part(Step::Of(index), |printer| printer.reference(*ty));
        }
        self.push(")");
        self.list(Step::Params, start);
        match function.result {
            Some(_) if constructor => self.part(Step::Result, |_| ()),
            Some(ty) => {
                self.push(" -> ");
                self.part(Step::Result, |printer| printer.reference(ty));
            }
            None => self.part(Step::Result, |_| ()),
        }
        self.push(";");
    }

    /// Remembers where something began and ended, if it is asked for. What is in it are steps of their own, not steps
    /// within it.
    fn list(&mut self, step: Step, start: usize) {
        if self.found.is_none() && self.focus.split_last() == Some((&step, self.at.as_slice())) {
            self.found = Some(start..self.text.len());
        }
    }

    fn definition(&mut self, name: Option<&str>, id: TypeId, indent: &str) {
        let shape = self.shape;
        let def = shape.type_def(id);
        let name = name.or(def.name.as_ref().map(|named| named.name.as_str())).unwrap_or("_");
        let keyword = match &def.kind {
            Kind::Record(_) => "record",
            Kind::Variant(_) => "variant",
            Kind::Enum(_) => "enum",
            Kind::Flags(_) => "flags",
            _ => "type",
        };
        self.push(indent);
        let start = self.text.len();
        self.push(keyword);
        if keyword != "type" {
            self.list(Step::Definition, start);
        }
        self.push(" ");
        self.part(Step::Name, |printer| printer.push(name));
        if keyword == "type" {
            self.push(" = ");
            let start = self.text.len();
            self.kind(&def.kind);
            self.list(Step::Definition, start);
            self.push(";");
        } else {
            self.push(" ");
            self.members(&def.kind, indent, true);
        }
    }

    /// The members of a record, variant, enum or flags: a line each, or all in one.
    fn members(&mut self, kind: &Kind, indent: &str, lines: bool) {
        let start = self.text.len();
        let inner = if lines { format!("\n{indent}  ") } else { " ".to_owned() };
        self.push("{");
        let member = |printer: &mut Self, index: usize, name: &str, ty: Option<Type>, round: bool| {
            printer.push(&inner);
            printer.part(Step::Label(index), |printer| printer.push(name));
            match ty {
                Some(ty) => {
                    printer.push(if round { "(" } else { ": " });
                    printer.part(Step::Of(index), |printer| printer.reference(ty));
                    printer.push(if round { ")" } else { "" });
                }
                None => printer.part(Step::Of(index), |_| ()),
            }
            printer.push(",");
        };
        match kind {
            Kind::Record(fields) => {
                fields.iter().enumerate().for_each(|(i, (name, ty))| member(self, i, name, Some(*ty), false));
            }
            Kind::Variant(cases) => {
                cases.iter().enumerate().for_each(|(i, (name, ty))| member(self, i, name, *ty, true));
            }
            Kind::Enum(names) | Kind::Flags(names) => {
                names.iter().enumerate().for_each(|(i, name)| member(self, i, name, None, false));
            }
            _ => {}
        }
        self.push(&if lines { format!("\n{indent}}}") } else { " }".to_owned() });
        self.list(Step::Body, start);
    }

    fn reference(&mut self, ty: Type) {
        let shape = self.shape;
        match ty {
            Type::Primitive(primitive) => self.push(&primitive.to_string()),
            Type::Defined(id) => match &shape.type_def(id).name {
                Some(named) => self.push(&named.name),
                None => self.kind(&shape.type_def(id).kind),
            },
        }
    }

    /// A type in full.
    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Primitive(primitive) => self.push(&primitive.to_string()),
            Kind::Record(_) => self.inline("record", kind),
            Kind::Variant(_) => self.inline("variant", kind),
            Kind::Enum(_) => self.inline("enum", kind),
            Kind::Flags(_) => self.inline("flags", kind),
            Kind::Option(ty) => self.around("option", Some(*ty)),
            Kind::List(ty) => self.around("list", Some(*ty)),
            Kind::Stream(ty) => self.around("stream", *ty),
            Kind::Future(ty) => self.around("future", *ty),
            Kind::FixedList(ty, length) => {
                self.push("list<");
                self.part(Step::Element, |printer| printer.reference(*ty));
                self.push(", ");
                self.part(Step::Length, |printer| printer.push(&length.to_string()));
                self.push(">");
            }
            Kind::Map(key, value) => {
                self.push("map<");
                self.part(Step::Key, |printer| printer.reference(*key));
                self.push(", ");
                self.part(Step::Value, |printer| printer.reference(*value));
                self.push(">");
            }
            Kind::Result { ok, err } => self.result(*ok, *err),
            Kind::Tuple(types) => {
                self.push("tuple");
                let start = self.text.len();
                self.push("<");
                for (index, ty) in types.iter().enumerate() {
                    if index > 0 {
                        self.push(", ");
                    }
                    self.part(Step::Of(index), |printer| printer.reference(*ty));
                }
                self.push(">");
                self.list(Step::Body, start);
            }
            Kind::Own(handle) => self.push(&handle.name),
            Kind::Borrow(handle) => self.push(&format!("borrow<{}>", handle.name)),
        }
    }

    fn inline(&mut self, keyword: &str, kind: &Kind) {
        self.push(keyword);
        self.push(" ");
        self.members(kind, "", false);
    }

    fn around(&mut self, word: &str, ty: Option<Type>) {
        self.push(word);
        match ty {
            Some(ty) => {
                self.push("<");
                self.part(Step::Element, |printer| printer.reference(ty));
                self.push(">");
            }
            None => self.part(Step::Element, |_| ()),
        }
    }

    fn result(&mut self, ok: Option<Type>, err: Option<Type>) {
        self.push("result");
        match (ok, err) {
            (None, None) => {
                self.part(Step::Ok, |_| ());
                self.part(Step::Err, |_| ());
            }
            (ok, err) => {
                self.push("<");
                self.part(Step::Ok, |printer| match ok {
                    Some(ty) => printer.reference(ty),
                    None => printer.push("_"),
                });
                match err {
                    Some(ty) => {
                        self.push(", ");
                        self.part(Step::Err, |printer| printer.reference(ty));
                    }
                    None => self.part(Step::Err, |_| ()),
                }
                self.push(">");
            }
        }
    }
}
