//! WIT packages: the contracts that components are built for and checked against.

use semver::Version;
use thiserror::Error;
use wit_parser::{Package, PackageId, PackageName, Resolve, WorldId};

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
    /// Where the text is not WIT, or names what is not there.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        let mut resolve = Resolve::default();
        let main = resolve.push_source(name, text)?;
        Ok(Contracts { resolve, main })
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
        wit_component::encode(&self.resolve, package).map_err(|source| EncodeError {
            package: self.resolve.packages[package].name.to_string(),
            source,
        })
    }
}
