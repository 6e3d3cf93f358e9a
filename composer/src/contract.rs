//! WIT packages: the contracts that components are built for and checked against.

use semver::Version;
use thiserror::Error;
use wit_parser::{Package, PackageId, PackageName, Resolve, WorldId};

use crate::contain::{Crash, contain};

/// The longest WIT text that is read, in bytes. All interfaces of WASI together have a tenth of it.
pub const LONGEST: usize = 4 << 20;

/// A WIT package and all packages that it uses.
#[derive(Debug, Clone)]
pub struct Contracts {
    resolve: Resolve,
    main: PackageId,
}

/// There is no such world.
#[derive(Debug, Error)]
#[error("there is no world `{wanted}`; there {}", known(.worlds))]
pub struct WorldError {
    /// The name that was asked for.
    pub wanted: String,
    /// The full names of the worlds of the main package.
    pub worlds: Vec<String>,
}

fn known(worlds: &[String]) -> String {
    match worlds {
        [] => "are none in its package".to_owned(),
        [only] => format!("is only `{only}`"),
        many => format!("are `{}`", many.join("`, `")),
    }
}

/// A WIT package could not be encoded.
#[derive(Debug, Error)]
#[error("the WIT package `{package}` cannot be encoded")]
pub struct EncodeError {
    /// The name of the package.
    pub package: String,
    /// What the encoder says.
    #[source]
    source: anyhow::Error,
}

/// Why a WIT text is kept from the parser.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// It is longer than [`LONGEST`].
    #[error("{name}: a WIT text of {bytes} bytes is not read: the limit is {LONGEST}")]
    TooLong {
        /// The name of the text.
        name: String,
        /// Its length.
        bytes: usize,
    },
    /// It has a comment that begins like documentation and ends at once.
    #[error(
        "{name}:{line}:{column}: the WIT parser gives up at the empty comment `/**/`: take it out, or write `/* */`"
    )]
    EmptyComment {
        /// The name of the text.
        name: String,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
    },
}

/// Checks a WIT text for what the parser would panic on. How deep things are nested the parser bounds itself.
///
/// # Errors
///
/// Where it is too long, or has an empty comment `/**/`.
pub fn guard(name: &str, text: &str) -> Result<(), TextError> {
    if text.len() > LONGEST {
        return Err(TextError::TooLong { name: name.to_owned(), bytes: text.len() });
    }
    let Some(at) = empty_comment(text) else { return Ok(()) };
    let before = &text[..at];
    let last = before.rsplit('\n').next().unwrap_or(before);
    Err(TextError::EmptyComment {
        name: name.to_owned(),
        line: before.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    })
}

/// Where `/**/` stands as a comment of its own: in WIT comments of this kind nest, and there are no strings.
fn empty_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        let rest = &bytes[at..];
        at += match depth {
            0 if rest.starts_with(b"//") => rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
            0 if rest.starts_with(b"/**/") => return Some(at),
            _ if rest.starts_with(b"/*") => {
                depth += 1;
                2
            }
            1.. if rest.starts_with(b"*/") => {
                depth -= 1;
                2
            }
            _ => 1,
        };
    }
    None
}

impl Contracts {
    /// Contracts that were resolved already: `main` is the package whose worlds go by their short names.
    #[must_use]
    pub fn new(resolve: Resolve, main: PackageId) -> Self {
        Contracts { resolve, main }
    }

    /// Contracts in one text, with nested packages where it needs others. `name` is for error messages.
    ///
    /// # Errors
    ///
    /// Where [`guard`] refuses the text, it is not WIT, or names what is not there.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        guard(name, text)?;
        Self::load(|resolve| resolve.push_source(name, text))?
    }

    /// Contracts that `work` reads into the set of packages that it is given. It answers with the main one.
    ///
    /// # Errors
    ///
    /// Where the parser panics in it. The error within is that of `work`.
    pub fn load<E: Send>(
        work: impl FnOnce(&mut Resolve) -> Result<PackageId, E> + Send,
    ) -> Result<Result<Self, E>, Crash> {
        contain(|| {
            let mut resolve = Resolve::default();
            let main = work(&mut resolve)?;
            Ok(Contracts { resolve, main })
        })
    }

    /// The packages, for those who generate something from them.
    #[must_use]
    pub fn resolve(&self) -> &Resolve {
        &self.resolve
    }

    /// The world of this name: `greeter` in the main package, or `ns:package/world`, with or without a version.
    ///
    /// # Errors
    ///
    /// Where there is none, or several versions of its package.
    pub fn world(&self, name: &str) -> Result<WorldId, WorldError> {
        self.resolve
            .select_world(&[self.main], Some(name))
            .map_err(|_| WorldError { wanted: name.to_owned(), worlds: self.worlds() })
    }

    /// The world of the main package, where it has only one.
    #[must_use]
    pub fn only_world(&self) -> Option<WorldId> {
        let worlds = &self.resolve.packages[self.main].worlds;
        worlds.values().next().copied().filter(|_| worlds.len() == 1)
    }

    /// The full names of the main package's worlds.
    #[must_use]
    pub fn worlds(&self) -> Vec<String> {
        let package = &self.resolve.packages[self.main];
        package.worlds.keys().map(|name| package.name.interface_id(name)).collect()
    }

    /// The full name of a world.
    #[must_use]
    pub fn world_name(&self, world: WorldId) -> String {
        let world = &self.resolve.worlds[world];
        match world.package {
            Some(package) => self.resolve.packages[package].name.interface_id(&world.name),
            None => world.name.clone(),
        }
    }

    /// The name of the main package, without its version.
    #[must_use]
    pub fn main_name(&self) -> String {
        let name = &self.resolve.packages[self.main].name;
        format!("{}:{}", name.namespace, name.name)
    }

    /// The package of this name in its binary form, as compositions take it, or None where there is none. Without a
    /// version it is the newest that there is.
    ///
    /// # Errors
    ///
    /// Where it cannot be encoded.
    pub fn package(&self, name: &str, version: Option<&Version>) -> Result<Option<Vec<u8>>, EncodeError> {
        let matching = self.resolve.packages.iter().filter(|(_, package)| {
            let full = format!("{}:{}", package.name.namespace, package.name.name);
            full == name && (version.is_none() || package.name.version.as_ref() == version)
        });
        let newest = matching.max_by(|(_, a), (_, b)| a.name.version.cmp(&b.name.version));
        newest.map(|(id, _)| self.encode(id)).transpose()
    }

    /// The same contracts, with the main package as one that has no version. So two versions of it can be compared, whose
    /// names would differ everywhere else.
    pub(crate) fn without_version(&self) -> Self {
        let mut contracts = self.clone();
        contracts.resolve.packages[contracts.main].name.version = None;
        contracts
    }

    /// The main package.
    pub(crate) fn main(&self) -> &Package {
        &self.resolve.packages[self.main]
    }

    /// A world that imports every interface of the main package, and what they need; in its binary form.
    pub(crate) fn encode_interfaces(&self) -> Result<(Vec<u8>, &'static str), EncodeError> {
        const WORLD: &str = "all";
        let fail = |source| EncodeError { package: self.main().name.to_string(), source };
        let import = |name: &String| {
            let PackageName { namespace, name: package, version } = &self.main().name;
            let version = version.as_ref().map_or_else(String::new, |version| format!("@{version}"));
            format!("import %{namespace}:%{package}/%{name}{version};\n")
        };
        let imports: String = self.main().interfaces.keys().map(import).collect();
        let mut resolve = self.resolve.clone();
        let text = format!("package composer:interfaces;\nworld {WORLD} {{\n{imports}}}\n");
        let package = resolve.push_source("interfaces.wit", &text).map_err(fail)?;
        resolve.packages[self.main].name.version = None;
        wit_component::encode(&resolve, package).map(|bytes| (bytes, WORLD)).map_err(fail)
    }

    pub(crate) fn encode_package_of(&self, world: WorldId) -> Result<Vec<u8>, EncodeError> {
        self.encode(self.resolve.worlds[world].package.unwrap_or(self.main))
    }

    fn encode(&self, package: PackageId) -> Result<Vec<u8>, EncodeError> {
        let encoded = contain(|| wit_component::encode(&self.resolve, package));
        encoded.map_err(anyhow::Error::from).flatten().map_err(|source| EncodeError {
            package: self.resolve.packages[package].name.to_string(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Contracts, LONGEST, TextError, guard};

    #[test]
    fn an_empty_comment_is_named_with_its_place() {
        let error =
            guard("a.wit", "package a:b;\n  // /**/\n é /**/ interface i {}").expect_err("it is there");
        assert_eq!(error, TextError::EmptyComment { name: "a.wit".into(), line: 3, column: 4 });
        let error = Contracts::parse("a.wit", "package a:b;\n/**/ interface i {}").expect_err("it is there");
        assert_eq!(
            error.to_string(),
            "a.wit:2:1: the WIT parser gives up at the empty comment `/**/`: take it out, or write `/* */`"
        );
    }

    #[test]
    fn other_comments_are_not() {
        for good in
            ["//**/ x", "/* /**/ */", "/* */", "/***/", "/** d */ /* /* */ */", "/* // */ ", "a /* open /**/"]
        {
            assert_eq!(guard("a.wit", good), Ok(()), "{good}");
            let _ = Contracts::parse("a.wit", &format!("package a:b;\n{good}\ninterface i {{}}"));
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_read() {
        let long = " ".repeat(LONGEST + 1);
        assert!(
            matches!(guard("a.wit", &long), Err(TextError::TooLong { bytes, .. }) if bytes == LONGEST + 1)
        );
    }
}
