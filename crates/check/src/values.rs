//! Compares functions and value types: they are equal, or they differ, and then it is said where.

use super::Class;
use super::align::Alignment;
use super::compare::{At, Done, Walk};
use contract::shape::print::{Step, reference};
use contract::shape::{FunctionId, Kind, Primitive, Type, TypeId};

/// What is said of members that differ: of fields, cases, labels or parameters.
struct Members {
    class: Class,
    one: &'static str,
    many: &'static str,
}

impl Walk<'_> {
    pub(super) fn function(&mut self, at: &At, wanted: FunctionId, offered: FunctionId) -> Done {
        let (w, o) = (self.shape(&at.wanted).function(wanted), self.shape(&at.offered).function(offered));
        if w.is_async != o.is_async {
            let words = |is_async: bool| if is_async { "`async`" } else { "synchronous" };
            let problem = self.voice.asynchronous(w.is_async);
            let edit = self.instead(at, "", words(w.is_async), words(o.is_async));
            self.note(at, Class::Async, Some(&[Step::Async]), Some(&[Step::Async]), problem, edit)?;
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
            (w, _) => self.presence(&at, Class::TypeShape, w.is_some(), "a result"),
        }
    }

    /// A type that is there on one side only.
    fn presence(&mut self, at: &At, class: Class, wanted: bool, what: &str) -> Done {
        let problem = self.voice.presence(what, wanted);
        let (w, o) = self.tokens(at);
        let token = if wanted { w } else { o };
        let place = format!("`{}`", at.path[..at.path.len() - 1].last().map_or("it", String::as_str));
        let edit = self.add(at, &format!("{what} of type `{token}`"), &place, wanted);
        self.note(at, class, Some(&[]), Some(&[]), problem, edit)
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
        let Members { class, one, many } = members;
        let place = at.path.last().cloned().unwrap_or_default();
        let list = if *class == Class::ParameterName { Step::Params } else { Step::Body };
        let count = if *class == Class::ParameterName { Class::ParameterCount } else { *class };
        if alignment.reordered {
            let problem = format!("the {many} come in another order");
            let order = |names: &[String]| format!("`{}`", names.join("`, `"));
            let edit =
                self.instead(at, &format!("put the {many} in order:"), &order(wanted), &order(offered));
            self.note(at, *class, Some(&[list]), Some(&[list]), problem, edit)?;
        }
        for &(i, j) in &alignment.renamed {
            let label = at.step(Step::Label(i), Step::Label(j), Some(&wanted[i]));
            let problem = self.voice.renamed(one, &wanted[i], &offered[j]);
            let edit = self.rename(at, &wanted[i], &offered[j]);
            self.note(&label, *class, Some(&[]), Some(&[]), problem, edit)?;
            each(self, &at.step(Step::Of(i), Step::Of(j), Some(&wanted[i])), i, j)?;
        }
        for (positions, names, is_wanted) in
            [(&alignment.missing, wanted, true), (&alignment.extra, offered, false)]
        {
            for &index in positions {
                let mut here = at.clone();
                here.path.push(names[index].clone());
                let label = [Step::Label(index)];
                let (w, o) = if is_wanted { (&label[..], &[list][..]) } else { (&[list][..], &label[..]) };
                let problem = self.voice.member(one, &names[index], is_wanted);
                let edit =
                    self.add(at, &format!("the {one} `{}`", names[index]), &format!("`{place}`"), is_wanted);
                self.note(&here, count, Some(w), Some(o), problem, edit)?;
            }
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
            return self.once(at, w, o, |walk| walk.differ(&walk.enter(at, w, o), &[Step::Definition], w, o));
        }
        let problem = self.voice.differ(&format!("`{w}`"), &format!("`{o}`"));
        let edit = self.instead(at, "", &format!("`{w}`"), &format!("`{o}`"));
        self.note(at, Class::TypeShape, Some(&[]), Some(&[]), problem, edit)?;
        let notes: Vec<String> = [(w_shape, wanted, w), (o_shape, offered, o)]
            .into_iter()
            .filter_map(|(shape, ty, name)| match ty {
                Type::Defined(id) => shape.type_def(id).name.as_ref().map(|_| {
                    let what = word(&shape.type_def(id).kind);
                    format!("`{name}` is {what}")
                }),
                Type::Primitive(_) => None,
            })
            .collect();
        if let Some(last) = self.found.last_mut() {
            last.notes.extend(notes);
        }
        Ok(())
    }

    /// Definitions under one name, of different sorts.
    fn differ(&mut self, at: &At, steps: &[Step], wanted: TypeId, offered: TypeId) -> Done {
        let sort = |kind: &Kind| word(kind);
        let w = sort(&self.shape(&at.wanted).type_def(wanted).kind);
        let o = sort(&self.shape(&at.offered).type_def(offered).kind);
        let problem = self.voice.differ(&w, &o);
        let edit = self.instead(at, "", &w, &o);
        self.note(at, Class::TypeShape, Some(steps), Some(steps), problem, edit)
    }

    /// Two types at their own places in an interface.
    pub(super) fn defined(&mut self, at: &At, wanted: TypeId, offered: TypeId) -> Done {
        let (w, o) =
            (&self.shape(&at.wanted).type_def(wanted).kind, &self.shape(&at.offered).type_def(offered).kind);
        self.once(at, wanted, offered, |walk| match (w, o) {
            (Kind::Primitive(w), Kind::Primitive(o)) if w == o => Ok(()),
            (Kind::Primitive(_), _) | (_, Kind::Primitive(_)) => {
                walk.differ(at, &[Step::Definition], wanted, offered)
            }
            (w, o) if same_sort(w, o) => walk.kind(at, wanted, offered),
            _ => walk.differ(at, &[Step::Definition], wanted, offered),
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
                    (w, _) => walk.presence(at, Class::VariantCase, w.is_some(), "a payload"),
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
                    let at = at.step(Step::Length, Step::Length, None);
                    let problem =
                        self.voice.differ(&format!("a list of {w_length}"), &format!("one of {o_length}"));
                    let edit = self.instead(&at, "", &format!("{w_length} long"), &o_length.to_string());
                    self.note(&at, Class::TypeShape, Some(&[]), Some(&[]), problem, edit)?;
                }
                self.value(&element(), *w, *o)
            }
            (Kind::Map(w_key, w_value), Kind::Map(o_key, o_value)) => {
                self.value(&at.step(Step::Key, Step::Key, Some("key")), *w_key, *o_key)?;
                self.value(&at.step(Step::Value, Step::Value, Some("value")), *w_value, *o_value)
            }
            (Kind::Tuple(w), Kind::Tuple(o)) => {
                if w.len() != o.len() {
                    let (one, other) = (format!("a tuple of {}", w.len()), format!("one of {}", o.len()));
                    let problem = self.voice.differ(&one, &other);
                    let edit = self.instead(at, "", &format!("a tuple of {}", w.len()), &o.len().to_string());
                    self.note(at, Class::TypeShape, Some(&[Step::Body]), Some(&[Step::Body]), problem, edit)?;
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
            (w, _) => self.presence(at, Class::TypeShape, w.is_some(), "a payload"),
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

/// What a type is, in words.
fn word(kind: &Kind) -> String {
    match kind {
        Kind::Primitive(Primitive::ErrorContext) => "an `error-context`".to_owned(),
        Kind::Primitive(primitive) => format!("`{primitive}`"),
        Kind::Record(_) => "a record".to_owned(),
        Kind::Variant(_) => "a variant".to_owned(),
        Kind::Enum(_) => "an enum".to_owned(),
        Kind::Flags(_) => "flags".to_owned(),
        Kind::Option(_) => "an option".to_owned(),
        Kind::Result { .. } => "a result".to_owned(),
        Kind::Tuple(_) => "a tuple".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::FixedList(_, length) => format!("a list of {length}"),
        Kind::Map(..) => "a map".to_owned(),
        Kind::Stream(_) => "a stream".to_owned(),
        Kind::Future(_) => "a future".to_owned(),
        Kind::Own(_) => "an owned handle".to_owned(),
        Kind::Borrow(_) => "a borrowed handle".to_owned(),
    }
}
