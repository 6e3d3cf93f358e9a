//! Compares functions and value types: they are equal, or they differ, and then it is said where.

use super::Class;
use super::align::Alignment;
use super::compare::Walk;
use super::findings::{Done, Members};
use super::position::At;
use contract::shape::print::{Step, reference};
use contract::shape::{FunctionId, Kind, Type, TypeId};

impl Walk<'_> {
    pub(super) fn function(&mut self, at: &At, wanted: FunctionId, offered: FunctionId) -> Done {
        let (w, o) = (self.shape(&at.wanted).function(wanted), self.shape(&at.offered).function(offered));
        if w.is_async != o.is_async {
            self.findings.asynchronous(at, w.is_async)?;
        }
        let members = Members { class: Class::ParameterName, one: "parameter", many: "parameters" };
        let (wanted, offered) = (firsts(&w.params), firsts(&o.params));
        self.members(at, &members, &wanted, &offered, |walk, at, i, j| {
            walk.value(at, w.params[i].1, o.params[j].1)
        })?;
        let at = at.step(Step::Result, Step::Result, Some("result"));
        match (w.result, o.result) {
            (None, None) => Ok(()),
            (Some(w), Some(o)) => self.value(&at, w, o),
            (w, _) => self.findings.presence(&at, Class::TypeShape, w.is_some(), "a result"),
        }
    }

    /// Compares lists of members by name, and calls for each pair that belongs together.
    fn members(
        &mut self,
        at: &At,
        members: &Members,
        wanted: &[String],
        offered: &[String],
        mut each: impl FnMut(&mut Self, &At, usize, usize) -> Done,
    ) -> Done {
        self.spend(wanted.len() + offered.len())?;
        if wanted == offered {
            for (index, name) in wanted.iter().enumerate() {
                each(self, &at.step(Step::Of(index), Step::Of(index), Some(name)), index, index)?;
            }
            return Ok(());
        }
        fn names(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        let alignment = Alignment::new(&names(wanted), &names(offered), &self.guesses);
        if alignment.reordered {
            self.findings.reordered(at, members, wanted, offered)?;
        }
        for &(i, j) in &alignment.renamed {
            let label = at.step(Step::Label(i), Step::Label(j), Some(&wanted[i]));
            self.findings.renamed(at, &label, members, &wanted[i], &offered[j])?;
            each(self, &at.step(Step::Of(i), Step::Of(j), Some(&wanted[i])), i, j)?;
        }
        for &index in &alignment.missing {
            self.findings.member(at, members, (index, &wanted[index]), true)?;
        }
        for &index in &alignment.extra {
            self.findings.member(at, members, (index, &offered[index]), false)?;
        }
        for &(i, j) in &alignment.common {
            each(self, &at.step(Step::Of(i), Step::Of(j), Some(&wanted[i])), i, j)?;
        }
        Ok(())
    }

    /// Two value types, where they are mentioned.
    pub(super) fn value(&mut self, at: &At, wanted: Type, offered: Type) -> Done {
        self.spend(1)?;
        let (w_shape, o_shape) = (self.shape(&at.wanted), self.shape(&at.offered));
        match (w_shape.primitive(wanted), o_shape.primitive(offered)) {
            (Some(w), Some(o)) if w == o => return Ok(()),
            (None, None) => {
                if let (Type::Defined(w), Type::Defined(o)) = (wanted, offered)
                    && same_sort(&w_shape.type_def(w).kind, &o_shape.type_def(o).kind)
                {
                    return self.once(at, w, o, |walk| walk.kind(&walk.enter(at, w, o), w, o));
                }
            }
            _ => {}
        }
        self.unlike(at, wanted, offered)
    }

    /// Two types of which nothing is alike.
    fn unlike(&mut self, at: &At, wanted: Type, offered: Type) -> Done {
        let (w_shape, o_shape) = (self.shape(&at.wanted), self.shape(&at.offered));
        let (w, o) = (reference(w_shape, wanted), reference(o_shape, offered));
        if w == o
            && let (Type::Defined(w), Type::Defined(o)) = (wanted, offered)
            && w_shape.type_def(w).name.is_some()
        {
            // The same name for different things: only the definitions show the difference.
            return self.once(at, w, o, |walk| walk.findings.differ(&walk.enter(at, w, o), w, o));
        }
        self.findings.unlike(at, wanted, offered)
    }

    /// Two types at their own places in an interface.
    pub(super) fn defined(&mut self, at: &At, wanted: TypeId, offered: TypeId) -> Done {
        let (w, o) =
            (&self.shape(&at.wanted).type_def(wanted).kind, &self.shape(&at.offered).type_def(offered).kind);
        self.once(at, wanted, offered, |walk| match (w, o) {
            (Kind::Primitive(w), Kind::Primitive(o)) if w == o => Ok(()),
            (Kind::Primitive(_), _) | (_, Kind::Primitive(_)) => walk.findings.differ(at, wanted, offered),
            (w, o) if same_sort(w, o) => walk.kind(at, wanted, offered),
            _ => walk.findings.differ(at, wanted, offered),
        })
    }

    /// Two types of the same sort: what is in them.
    fn kind(&mut self, at: &At, wanted: TypeId, offered: TypeId) -> Done {
        let (w, o) =
            (&self.shape(&at.wanted).type_def(wanted).kind, &self.shape(&at.offered).type_def(offered).kind);
        let element = || at.step(Step::Element, Step::Element, Some("element"));
        match (w, o) {
            (Kind::Record(w), Kind::Record(o)) => {
                let members = Members { class: Class::RecordField, one: "field", many: "fields" };
                let (names, others) = (firsts(w), firsts(o));
                self.members(at, &members, &names, &others, |walk, at, i, j| walk.value(at, w[i].1, o[j].1))
            }
            (Kind::Variant(w), Kind::Variant(o)) => {
                let members = Members { class: Class::VariantCase, one: "case", many: "cases" };
                let (names, others) = (firsts(w), firsts(o));
                self.members(at, &members, &names, &others, |walk, at, i, j| match (w[i].1, o[j].1) {
                    (None, None) => Ok(()),
                    (Some(w), Some(o)) => walk.value(at, w, o),
                    (w, _) => walk.findings.presence(at, Class::VariantCase, w.is_some(), "a payload"),
                })
            }
            (Kind::Enum(w), Kind::Enum(o)) => {
                let members = Members { class: Class::EnumCase, one: "case", many: "cases" };
                self.members(at, &members, w, o, |_, _, _, _| Ok(()))
            }
            (Kind::Flags(w), Kind::Flags(o)) => {
                let members = Members { class: Class::EnumCase, one: "flag", many: "flags" };
                self.members(at, &members, w, o, |_, _, _, _| Ok(()))
            }
            (Kind::Option(w), Kind::Option(o)) | (Kind::List(w), Kind::List(o)) => {
                self.value(&element(), *w, *o)
            }
            (Kind::FixedList(w, w_length), Kind::FixedList(o, o_length)) => {
                if w_length != o_length {
                    self.findings.lengths(at, *w_length, *o_length)?;
                }
                self.value(&element(), *w, *o)
            }
            (Kind::Map(w_key, w_value), Kind::Map(o_key, o_value)) => {
                self.value(&at.step(Step::Key, Step::Key, Some("key")), *w_key, *o_key)?;
                self.value(&at.step(Step::Value, Step::Value, Some("value")), *w_value, *o_value)
            }
            (Kind::Tuple(w), Kind::Tuple(o)) => {
                if w.len() != o.len() {
                    self.findings.tuples(at, w.len(), o.len())?;
                }
                w.iter().zip(o).enumerate().try_for_each(|(index, (w, o))| {
                    let name = format!("item {index}");
                    self.value(&at.step(Step::Of(index), Step::Of(index), Some(&name)), *w, *o)
                })
            }
            (Kind::Result { ok: w_ok, err: w_err }, Kind::Result { ok: o_ok, err: o_err }) => {
                self.maybe(&at.step(Step::Ok, Step::Ok, Some("ok")), *w_ok, *o_ok)?;
                self.maybe(&at.step(Step::Err, Step::Err, Some("err")), *w_err, *o_err)
            }
            (Kind::Stream(w), Kind::Stream(o)) | (Kind::Future(w), Kind::Future(o)) => {
                self.maybe(&element(), *w, *o)
            }
            (Kind::Own(w), Kind::Own(o)) | (Kind::Borrow(w), Kind::Borrow(o)) => self.handle(at, w, o),
            _ => Ok(()),
        }
    }

    fn maybe(&mut self, at: &At, wanted: Option<Type>, offered: Option<Type>) -> Done {
        match (wanted, offered) {
            (None, None) => Ok(()),
            (Some(w), Some(o)) => self.value(at, w, o),
            (w, _) => self.findings.presence(at, Class::TypeShape, w.is_some(), "a payload"),
        }
    }
}

fn firsts<T>(members: &[(String, T)]) -> Vec<String> {
    members.iter().map(|(name, _)| name.clone()).collect()
}

/// Whether two types can be compared member by member.
fn same_sort(one: &Kind, other: &Kind) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
