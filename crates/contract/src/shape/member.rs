//! Names of functions in a component's binary, and what they say of the function.

/// The name of a function as WIT has it within its interface: `[method]stream.read` is `stream.read`.
#[must_use]
pub fn plain_name(name: &str) -> String {
    match split(name) {
        Member::Plain(name) => name.to_owned(),
        Member::Constructor(resource) => format!("{resource}.constructor"),
        Member::Method(resource, method) | Member::Static(resource, method) => format!("{resource}.{method}"),
    }
}

/// What a function's name in the binary says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member<'a> {
    /// A function of its interface.
    Plain(&'a str),
    /// The constructor of this resource.
    Constructor(&'a str),
    /// A method of this resource.
    Method(&'a str, &'a str),
    /// A static function of this resource.
    Static(&'a str, &'a str),
}

impl<'a> Member<'a> {
    /// The resource that it belongs to.
    pub fn resource(self) -> Option<&'a str> {
        match self {
            Member::Plain(_) => None,
            Member::Constructor(resource) | Member::Method(resource, _) | Member::Static(resource, _) => {
                Some(resource)
            }
        }
    }
}

/// Takes the name of a function apart: kind, resource, own name.
pub fn split(name: &str) -> Member<'_> {
    let dotted = |rest: &'_ str| rest.find('.').map(|at| (at, rest.len()));
    if let Some(resource) = name.strip_prefix("[constructor]") {
        return Member::Constructor(resource);
    }
    for (prefix, is_method) in [("[method]", true), ("[static]", false)] {
        if let Some(rest) = name.strip_prefix(prefix)
            && let Some((at, _)) = dotted(rest)
        {
            let (resource, method) = (&rest[..at], &rest[at + 1..]);
            return if is_method {
                Member::Method(resource, method)
            } else {
                Member::Static(resource, method)
            };
        }
    }
    Member::Plain(name)
}
