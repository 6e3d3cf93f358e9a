//! Which name stands for which: versions that promise to fit, and names that were probably meant.

use semver::Version;

use contract::shape::member::{Member, split};

/// How alike two names must be to be taken for a misspelling of each other: one letter in four may differ.
const ALIKE: f64 = 0.72;
/// Longer names are not compared letter by letter: nobody misspells one of that length, and it would take long.
pub(super) const LONGEST: usize = 200;

/// The name of an interface, taken apart: `example:greeting/greeter@1.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceName<'a> {
    /// `example`, or what else there is before the last colon.
    pub namespace: &'a str,
    /// `greeting`.
    pub package: &'a str,
    /// `greeter`.
    pub interface: &'a str,
    /// `1.2.3`, if it is a version.
    pub version: Option<Version>,
}

impl<'a> InterfaceName<'a> {
    /// None for a name that is not of this form, such as that of a plain function.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (path, version) =
            name.split_once('@').map_or((name, None), |(path, version)| (path, Some(version)));
        let (package, interface) = path.split_once('/')?;
        let (namespace, package) = package.rsplit_once(':')?;
        let version = version.and_then(|version| Version::parse(version).ok());
        Some(InterfaceName { namespace, package, interface, version })
    }

    /// Whether the two differ in their version alone.
    pub(crate) fn same_but_version(&self, other: &Self) -> bool {
        (self.namespace, self.package, self.interface) == (other.namespace, other.package, other.interface)
    }
}

/// A key that names share which promise to fit: the name with its version cut down to what semantic versioning keeps
/// compatible (`1`, `0.2`, `0.0.3`). None where there is no version, or one that promises nothing.
pub fn track(name: &str) -> Option<String> {
    let (path, version) = name.split_once('@')?;
    let version = Version::parse(version).ok()?;
    let key = match version {
        Version { ref pre, .. } if !pre.is_empty() => return None,
        Version { major: 0, minor: 0, patch, .. } => format!("{path}@0.0.{patch}"),
        Version { major: 0, minor, .. } => format!("{path}@0.{minor}"),
        Version { major, .. } => format!("{path}@{major}"),
    };
    Some(key)
}

/// The version in a name, if there is one.
pub fn version(name: &str) -> Option<Version> {
    name.split_once('@')?.1.parse().ok()
}

/// Whether two different names of interfaces promise to fit: the same interface in versions of one track.
#[must_use]
pub fn compatible(one: &str, other: &str) -> bool {
    one == other || track(one).is_some_and(|key| track(other) == Some(key))
}

/// Whether a name is the one that was meant: in full, or without its version.
#[must_use]
pub fn means(pattern: &str, name: &str) -> bool {
    pattern == name || name.split_once('@').is_some_and(|(bare, _)| bare == pattern)
}

/// Whether an import of this name is the host's business: nothing else is expected to offer it.
#[must_use]
pub fn is_host(name: &str) -> bool {
    name.starts_with("wasi:")
}

/// A name without its version.
#[must_use]
pub fn bare(name: &str) -> &str {
    name.split_once('@').map_or(name, |(bare, _)| bare)
}

/// The same interface in another version.
pub fn other_version<'a>(name: &str, mut among: impl Iterator<Item = &'a str>) -> Option<String> {
    among.find(|other| *other != name && bare(other) == bare(name)).map(str::to_owned)
}

/// How alike two names are, from 0 to 1.
pub(crate) fn likeness(one: &str, other: &str) -> f64 {
    if one.len() > LONGEST || other.len() > LONGEST {
        return if one == other { 1.0 } else { 0.0 };
    }
    let plain = |name: &str| name.replace('-', "").to_lowercase();
    if plain(one) == plain(other) || words(one) == words(other) {
        return 1.0;
    }
    strsim::normalized_damerau_levenshtein(one, other)
}

fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<_> = name.split('-').collect();
    words.sort_unstable();
    words
}

/// The most alike among names, if it is alike enough; the first among equals.
pub(crate) fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(&str, f64)> = None;
    for other in among {
        let likeness = likeness(name, other);
        if likeness >= ALIKE && best.is_none_or(|(_, known)| likeness > known) {
            best = Some((other, likeness));
        }
    }
    best.map(|(other, _)| other)
}

/// The most alike among names of functions: methods are alike only where their resource is the same.
pub(crate) fn nearest_function<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let own = |name: &'a str| match split(name) {
        Member::Plain(name) | Member::Method(_, name) | Member::Static(_, name) => name,
        Member::Constructor(_) => "constructor",
    };
    let wanted = split(name);
    let fitting: Vec<_> = among.filter(|other| split(other).resource() == wanted.resource()).collect();
    let short = match wanted {
        Member::Plain(name) | Member::Method(_, name) | Member::Static(_, name) => name,
        Member::Constructor(_) => "constructor",
    };
    let found = nearest(short, fitting.iter().map(|other| own(other)))?;
    fitting.into_iter().find(|other| own(other) == found)
}

/// The interface among others that was probably meant by a name: the same in another version, the same under another
/// namespace or in another package, or one of a similar name.
pub(crate) fn nearest_interface<'a>(name: &str, among: &[&'a str]) -> Option<(&'a str, Near)> {
    same_interface(name, among)
        .or_else(|| similar_interface(name, among).map(|other| (other, Near::Spelling)))
}

/// The same interface in another version, under another namespace, or in another package.
pub(super) fn same_interface<'a>(name: &str, among: &[&'a str]) -> Option<(&'a str, Near)> {
    let wanted = InterfaceName::parse(name)?;
    let parsed = parsed(among);
    let mut versions: Vec<_> = parsed.iter().filter(|(_, other)| wanted.same_but_version(other)).collect();
    // The newest is the one to look at.
    versions.sort_by(|(_, a), (_, b)| b.version.cmp(&a.version));
    if let Some((other, _)) = versions.first() {
        return Some((other, Near::Version));
    }
    let elsewhere = parsed.iter().find(|(_, other)| {
        wanted.interface == other.interface
            && (wanted.package == other.package || wanted.namespace == other.namespace)
    });
    elsewhere.map(|(other, _)| (*other, Near::Package))
}

fn parsed<'a>(names: &[&'a str]) -> Vec<(&'a str, InterfaceName<'a>)> {
    names.iter().filter_map(|name| Some((*name, InterfaceName::parse(name)?))).collect()
}

/// An interface or function of a similar name.
fn similar_interface<'a>(name: &str, among: &[&'a str]) -> Option<&'a str> {
    let Some(wanted) = InterfaceName::parse(name) else {
        return nearest(name, among.iter().copied().filter(|other| InterfaceName::parse(other).is_none()));
    };
    let mut best: Option<(&str, f64)> = None;
    for (other, taken) in parsed(among) {
        let parts = [
            (wanted.namespace, taken.namespace),
            (wanted.package, taken.package),
            (wanted.interface, taken.interface),
        ];
        let each = parts.map(|(one, other)| likeness(one, other));
        let whole = each.iter().sum::<f64>();
        if each.iter().all(|likeness| *likeness >= ALIKE) && best.is_none_or(|(_, known)| whole > known) {
            best = Some((other, whole));
        }
    }
    best.map(|(other, _)| other)
}

/// In what a name is near another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Near {
    /// Another version of the same.
    Version,
    /// Another namespace or package.
    Package,
    /// A similar spelling.
    Spelling,
    /// Not near in its name: the same is in it.
    Content,
}

#[cfg(test)]
mod tests {
    use super::{Near, compatible, nearest_function, nearest_interface};

    #[test]
    fn versions_of_one_track_are_compatible() {
        let table = [
            ("1.0.0", "1.9.3", true),
            ("1.0.0", "2.0.0", false),
            ("0.2.0", "0.2.7", true),
            ("0.2.0", "0.3.0", false),
            ("0.0.1", "0.0.2", false),
            ("0.0.1", "0.0.1", true),
            ("1.0.0-rc.1", "1.0.0", false),
            ("1.0.0-rc.1", "1.0.0-rc.1", true),
            ("0.2.0-draft2", "0.2.0-draft", false),
            ("1.0.0+a", "1.0.0+b", true),
        ];
        for (one, other, expected) in table {
            let [one, other] = [one, other].map(|version| format!("a:b/c@{version}"));
            assert_eq!(compatible(&one, &other), expected, "{one} and {other}");
            assert_eq!(compatible(&other, &one), expected, "{other} and {one}");
        }
        assert!(compatible("a:b/c", "a:b/c"));
        assert!(!compatible("a:b/c", "a:b/c@1.0.0"));
        assert!(!compatible("a:b/c@1.0.0", "a:b/d@1.0.0"));
    }

    #[test]
    fn near_interfaces_are_found() {
        let table = [
            ("a:b/c@1.0.0", "a:b/c@2.0.0", Some(Near::Version)),
            ("a:b/c@1.0.0", "a:b/c", Some(Near::Version)),
            ("acme:kit/types", "acme-inc:kit/types", Some(Near::Package)),
            ("acme:kit/types", "acme:tools/types", Some(Near::Package)),
            ("acme:kit/types", "other:tools/types", None),
            ("acme:kit/greeter", "acme:kit/greter", Some(Near::Spelling)),
            ("acme:kit/reader", "acme:kit/writer", None),
            ("acme:kit/reader", "reader", None),
            ("answer", "anwser", Some(Near::Spelling)),
            ("answer", "question", None),
        ];
        for (wanted, there, expected) in table {
            let found = nearest_interface(wanted, &[there]).map(|(_, near)| near);
            assert_eq!(found, expected, "{wanted}, where there is {there}");
        }
        let several = ["a:b/c@2.0.0", "a:b/c@3.1.0", "a:b/c@3.0.0"];
        assert_eq!(nearest_interface("a:b/c@1.0.0", &several), Some(("a:b/c@3.1.0", Near::Version)));
    }

    #[test]
    fn near_functions_are_found() {
        let table = [
            ("greet", "great", true),
            ("get-value", "getvalue", true),
            ("read-all", "all-read", true),
            ("get", "set", false),
            ("[method]stream.read", "[method]stream.reed", true),
            ("[method]stream.read", "[method]sink.read", false),
            ("[method]stream.read", "read", false),
        ];
        for (wanted, there, expected) in table {
            assert_eq!(
                nearest_function(wanted, std::iter::once(there)).is_some(),
                expected,
                "{wanted}, {there}"
            );
        }
    }
}
