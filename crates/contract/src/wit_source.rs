//! Puts WIT texts into a set of packages, around two things that the parser below cannot read.
//!
//! - A type of another package counts as `@unstable` if the first `use` of it is, even where a later one is not.
//! - A package that calls itself by its full name is taken for a cycle of packages.
//!
//! Both are in `docs/upstream.md`.

mod own_name;

use anyhow::anyhow;
use wit_parser::{
    AstItem, InterfaceId, PackageId, Resolve, ResolveError, SourceMap, Stability, TypeDefKind,
    UnresolvedPackage, UnresolvedPackageGroup,
};

/// The texts of one package.
#[derive(Debug, Clone, Default)]
pub struct Texts(Vec<Text>);

#[derive(Debug, Clone)]
struct Text {
    name: String,
    content: String,
}

impl Texts {
    /// Adds a text. `name` is for messages.
    pub fn add(&mut self, name: impl Into<String>, content: impl Into<String>) {
        self.0.push(Text { name: name.into(), content: content.into() });
    }

    fn contents(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|text| text.content.as_str())
    }

    /// Returns whether there are no texts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Adds a package and those beside it, which it may use, to a set of packages, and returns the package. `whole` is the same
/// with what is `@unstable`, where it could be read.
///
/// # Errors
///
/// Where the texts are not WIT, or name what is not there. The message has the place.
pub fn push(
    resolve: &mut Resolve,
    main: &Texts,
    beside: &[Texts],
    whole: Option<&Resolve>,
) -> anyhow::Result<PackageId> {
    let quoted = |message: String| {
        let texts = std::iter::once(main).chain(beside);
        anyhow!(texts.fold(message, |message, texts| own_name::restored(&message, texts.contents())))
    };
    let mut group = parse(main).map_err(quoted)?;
    let mut others =
        beside.iter().map(|texts| parse(texts).map_err(quoted)).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(whole) = whole {
        for group in std::iter::once(&mut group).chain(&mut others) {
            for package in std::iter::once(&mut group.main).chain(&mut group.nested) {
                open_used(package, whole);
            }
        }
    }
    resolve.push_groups(group, others).map_err(|error| quoted(rendered(resolve, error)))
}

/// Words an error with its place and the line in question.
pub(crate) fn rendered(resolve: &Resolve, error: ResolveError) -> String {
    resolve.render_error(&error.into()).trim_end().to_owned()
}

fn parse(texts: &Texts) -> Result<UnresolvedPackageGroup, String> {
    let mut map = SourceMap::new();
    let contents = own_name::shortened(texts.contents());
    for (text, content) in texts.0.iter().zip(contents) {
        map.push_str(&text.name, content);
    }
    map.parse().map_err(|(map, error)| error.render(&map).trim_end().to_owned())
}

/// Makes those types of other packages available that are not behind a feature where they are defined, in interfaces that are
/// named somewhere without a feature. The parser goes by the first `use` of each type.
fn open_used(package: &mut UnresolvedPackage, whole: &Resolve) {
    for (name, items) in &package.foreign_deps {
        let Some(&from) = whole.package_names.get(name) else { continue };
        for (interface, (item, uses)) in items {
            let AstItem::Interface(id) = item else { continue };
            let Some(&defined) = whole.packages[from].interfaces.get(interface) else { continue };
            if uses.iter().all(is_unstable) {
                continue;
            }
            for (name, &ty) in &package.interfaces[*id].types {
                let ty = &mut package.types[ty];
                if matches!(ty.kind, TypeDefKind::Unknown) && is_stable(whole, defined, name) {
                    ty.stability = Stability::Unknown;
                }
            }
        }
    }
}

/// Whether an interface and a type in it are there without a feature.
fn is_stable(whole: &Resolve, interface: InterfaceId, ty: &str) -> bool {
    let interface = &whole.interfaces[interface];
    let ty = interface.types.get(ty).map(|ty| &whole.types[*ty].stability);
    !is_unstable(&interface.stability) && ty.is_some_and(|stability| !is_unstable(stability))
}

fn is_unstable(stability: &Stability) -> bool {
    matches!(stability, Stability::Unstable { .. })
}
