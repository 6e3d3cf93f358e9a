//! Which imports are closed, and whether they can be.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use indexmap::IndexMap;
use semver::Version;
use thiserror::Error;
use wit_parser::{InterfaceId, Resolve, TypeId, TypeOwner, WorldId, WorldItem, WorldKey};

use super::{DenyError, types};

/// Imports to be closed: `wasi:sockets/tcp`, `wasi:sockets/tcp@0.2.10`, or all of a package as `wasi:sockets/*` and
/// `wasi:sockets/*@0.2.10`; without a version in whatever versions the part imports them. A name without a package
/// stands for the function or interface that is imported under just that name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// Package and interface, `*` for all interfaces.
    name: String,
    version: Option<Version>,
}

/// A text stands for no imports.
#[derive(Debug, Error)]
#[error("`{0}` is not like `wasi:sockets/tcp`, `wasi:sockets/tcp@0.2.10` or `wasi:sockets/*`")]
pub struct PatternError(String);

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || PatternError(text.to_owned());
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(Version::parse(version).map_err(|_| wrong())?)),
            None => (text, None),
        };
        let (package, interface) = match name.split_once('/') {
            Some((package, interface)) => (package, Some(interface)),
            None => (name, None),
        };
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let good = match (package.split_once(':'), interface) {
            (Some((namespace, package)), Some(interface)) => {
                word(namespace) && word(package) && (interface == "*" || word(interface))
            }
            (None, None) => word(package) && version.is_none(),
            _ => false,
        };
        if good { Ok(Pattern { name: name.to_owned(), version }) } else { Err(wrong()) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "@{version}"))
    }
}

impl Pattern {
    /// Whether it stands for the import of this full name, such as `wasi:sockets/tcp@0.2.10`.
    #[must_use]
    pub fn matches(&self, import: &str) -> bool {
        let (name, version) = match import.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (import, None),
        };
        let named = match self.name.strip_suffix('*') {
            Some(package) => name.starts_with(package),
            None => name == self.name,
        };
        named && self.version.as_ref().is_none_or(|wanted| version == Some(wanted.to_string().as_str()))
    }
}

/// Something that stays open, and uses types of what is to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// What stays open: the full name of an import or export of the part.
    pub by: String,
    /// Whether the part exports it. Then it can neither be closed nor do without.
    pub export: bool,
    /// The interfaces to be closed whose types it uses.
    pub types_of: Vec<String>,
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.export { "export" } else { "import" };
        write!(f, "its {kind} `{}` uses types of `{}`", self.by, self.types_of.join("`, `"))
    }
}

/// What is closed for a part.
pub(super) struct Closing {
    /// The imports, and of which interface each is.
    keys: IndexMap<WorldKey, Option<InterfaceId>>,
    /// These interfaces.
    interfaces: BTreeSet<InterfaceId>,
}

impl Closing {
    /// Finds what the patterns stand for.
    pub(super) fn select(resolve: &Resolve, part: WorldId, patterns: &[Pattern]) -> Result<Self, DenyError> {
        let world = &resolve.worlds[part];
        // Types that are imported by themselves are no use to anybody but to those who use them.
        let imports: IndexMap<String, (&WorldKey, &WorldItem)> = world
            .imports
            .iter()
            .filter(|(_, item)| !matches!(item, WorldItem::Type { .. }))
            .map(|(key, item)| (resolve.name_world_key(key), (key, item)))
            .collect();
        let is_meant = |pattern: &Pattern, name: &str, (key, item): (&WorldKey, &WorldItem)| {
            let interface = resolve.implements_value(key, item);
            pattern.matches(name) || interface.is_some_and(|interface| pattern.matches(&interface))
        };
        let idle =
            |pattern: &&Pattern| !imports.iter().any(|(name, import)| is_meant(pattern, name, *import));
        if let Some(idle) = patterns.iter().find(idle) {
            let shown = |(name, (key, item)): (&String, &(&WorldKey, &WorldItem))| match resolve
                .implements_value(key, item)
            {
                Some(interface) => format!("{name}: {interface}"),
                None => name.clone(),
            };
            let imports = imports.iter().map(shown).collect();
            return Err(DenyError::NoSuchImport { pattern: idle.clone(), imports });
        }
        let mut closing = Closing { keys: IndexMap::new(), interfaces: BTreeSet::new() };
        for (name, (key, item)) in imports {
            if patterns.iter().any(|pattern| is_meant(pattern, &name, (key, item))) {
                if types::foreign(resolve, item).iter().any(|&id| types::is_loose(resolve, id)) {
                    return Err(DenyError::Loose(name));
                }
                let interface = match item {
                    WorldItem::Interface { id, .. } => Some(*id),
                    _ => None,
                };
                closing.keys.insert(key.clone(), interface);
                closing.interfaces.extend(interface);
            }
        }
        let used = closing.used(resolve, part);
        if used.is_empty() { Ok(closing) } else { Err(DenyError::Used(used)) }
    }

    /// What stays open and uses types of what is closed.
    fn used(&self, resolve: &Resolve, part: WorldId) -> Vec<Used> {
        let world = &resolve.worlds[part];
        let imports = world.imports.iter().map(|entry| (entry, false));
        let exports = world.exports.iter().map(|entry| (entry, true));
        let open = imports.chain(exports).filter(|((key, _), export)| *export || !self.contains(key));
        let mut found = Vec::new();
        for ((key, item), export) in open {
            let lenders = types::lenders(resolve, item);
            let types_of: Vec<String> = lenders
                .intersection(&self.interfaces)
                .filter_map(|&interface| resolve.id_of(interface))
                .collect();
            if !types_of.is_empty() {
                found.push(Used { by: resolve.name_world_key(key), export, types_of });
            }
        }
        found
    }

    /// Whether an import is closed.
    pub(super) fn contains(&self, key: &WorldKey) -> bool {
        self.keys.contains_key(key)
    }

    /// The interfaces that stay open and lend types to what is closed, directly or through others.
    pub(super) fn lenders(&self, resolve: &Resolve) -> BTreeSet<InterfaceId> {
        let mut found = BTreeSet::new();
        let mut ahead: Vec<InterfaceId> = self.interfaces.iter().copied().collect();
        while let Some(interface) = ahead.pop() {
            for lender in types::lenders_of(resolve, interface) {
                if !self.interfaces.contains(&lender) && found.insert(lender) {
                    ahead.push(lender);
                }
            }
        }
        found
    }

    /// The key under which an interface is closed, or stays open.
    pub(super) fn key_of(&self, interface: InterfaceId) -> WorldKey {
        let closed = self.keys.iter().find(|(_, closed)| **closed == Some(interface));
        closed.map_or(WorldKey::Interface(interface), |(key, _)| key.clone())
    }

    /// Whether a resource is the stub's own.
    pub(super) fn owns(&self, resolve: &Resolve, resource: TypeId) -> bool {
        matches!(resolve.types[resource].owner, TypeOwner::Interface(id) if self.interfaces.contains(&id))
    }
}
