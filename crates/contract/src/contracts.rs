//! WIT packages: the contracts that components are built for and checked against.

use std::collections::HashMap;
use std::sync::Arc;

use semver::Version;
use thiserror::Error;
use wit_parser::{
    InterfaceId, Package, PackageId, PackageName, Resolve, Stability, Type, TypeId, World, WorldId, WorldItem,
};

use crate::contain::contain;
use crate::wit_rules;
use crate::wit_rules::made_of;
use crate::wit_source;
use crate::wit_source::{Texts, push};
use crate::wit_text::guard;

/// How many types the functions of a world may have for code to be generated, where each counts as often as it is used: types
/// that share parts may have many more than they have letters. All of WASI in one world is within it.
const WRITTEN_OUT: u64 = 50_000;

/// A WIT package and all packages that it uses.
#[derive(Debug, Clone)]
pub struct Contracts {
    resolve: Resolve,
    main: PackageId,
    /// The same with what is `@unstable`, where something is.
    unstable: Option<Arc<Contracts>>,
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

/// A world is too large to generate code for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "there is no code for the world `{world}`: written out, its functions have {size} types, where the limit is \
     {WRITTEN_OUT}"
)]
pub struct TooLarge {
    /// The full name of the world.
    pub world: String,
    /// How many types its functions have, where each counts as often as it is used.
    pub size: u64,
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
        Contracts { resolve, main, unstable: None }
    }

    /// Contracts in one text, with nested packages where it needs others. `name` is for error messages.
    ///
    /// # Errors
    ///
    /// Where [`guard`] refuses the text, it is not WIT, names what is not there, or breaks a rule of the binary format.
    pub fn parse(name: &str, text: &str) -> anyhow::Result<Self> {
        guard(name, text)?;
        let mut texts = Texts::default();
        texts.add(name, text);
        Self::load(|resolve, whole| push(resolve, &texts, &[], whole))
    }

    /// Contracts that `work` reads into the set of packages that it is given, with [`push`] for texts. It answers with the main
    /// one. It is asked twice where something is `@unstable`, since that is no part of the contracts. The second time it gets
    /// what it read the first time, if it could.
    ///
    /// # Errors
    ///
    /// Where `work` fails or panics, or what it read breaks a rule of the binary format.
    pub fn load(
        work: impl Fn(&mut Resolve, Option<&Resolve>) -> anyhow::Result<PackageId> + Send,
    ) -> anyhow::Result<Self> {
        contain(move || {
            let mut whole = Resolve { all_features: true, ..Resolve::default() };
            let unstable = match work(&mut whole, None) {
                Ok(main) if !has_unstable(&whole) => {
                    whole.all_features = false;
                    return Contracts::new(whole, main).lawful();
                }
                Ok(main) => Some(Arc::new(Contracts::new(whole, main))),
                // What is wrong may be behind a feature.
                Err(_) => None,
            };
            let mut resolve = Resolve::default();
            let main = work(&mut resolve, unstable.as_ref().map(|whole| whole.resolve()))?;
            Contracts { unstable, ..Contracts::new(resolve, main) }.lawful()
        })?
    }

    /// Checks the rules that the parser does not, also for what is `@unstable`.
    fn lawful(self) -> anyhow::Result<Self> {
        for contracts in self.unstable.as_deref().into_iter().chain([&self]) {
            wit_rules::check(&contracts.resolve)
                .map_err(|error| anyhow::anyhow!(wit_source::rendered(&contracts.resolve, error)))?;
        }
        Ok(self)
    }

    /// The same with what is `@unstable`, where something is.
    pub fn unstable(&self) -> Option<&Contracts> {
        self.unstable.as_deref()
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
    pub fn without_version(&self) -> Self {
        let mut contracts = self.clone();
        contracts.resolve.packages[contracts.main].name.version = None;
        contracts
    }

    /// Returns the same packages with another one as the main one.
    pub fn about(&self, package: PackageId) -> Self {
        let name = &self.resolve.packages[package].name;
        let unstable = self.unstable.as_ref().and_then(|unstable| {
            let same = *unstable.resolve.package_names.get(name)?;
            Some(Arc::new(Contracts::new(unstable.resolve.clone(), same)))
        });
        Contracts { resolve: self.resolve.clone(), main: package, unstable }
    }

    /// Returns the packages beside the main one.
    pub fn others(&self) -> impl Iterator<Item = (PackageId, &Package)> {
        self.resolve.packages.iter().filter(|(id, _)| *id != self.main)
    }

    /// Whether an interface is of the main package.
    pub fn is_own(&self, interface: InterfaceId) -> bool {
        self.resolve.interfaces[interface].package == Some(self.main)
    }

    /// The full name of an interface: of the main package without its version.
    pub fn bare_name(&self, interface: InterfaceId) -> String {
        let name = self.resolve.interfaces[interface].name.as_deref().unwrap_or_default();
        match self.resolve.id_of(interface) {
            Some(full) if !self.is_own(interface) => full,
            _ => format!("{}/{name}", self.main_name()),
        }
    }

    /// The main package.
    pub fn main(&self) -> &Package {
        &self.resolve.packages[self.main]
    }

    /// A world that imports every interface of the main package, and what they need; in its binary form, with its name and the
    /// number of its interfaces.
    pub fn encode_interfaces(&self) -> Result<(Vec<u8>, &'static str, usize), EncodeError> {
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
        let world = &resolve.worlds[resolve.packages[package].worlds[WORLD]];
        let bytes = wit_component::encode(&resolve, package).map_err(fail)?;
        Ok((bytes, WORLD, interfaces(world)))
    }

    /// Checks that the types of a world can be written out, as those do who generate code for it.
    ///
    /// # Errors
    ///
    /// Where there are too many.
    pub fn bounded(&self, world: WorldId) -> Result<(), TooLarge> {
        let mut sizes: HashMap<TypeId, u64> = HashMap::new();
        let size = |sizes: &HashMap<TypeId, u64>, ty: &Type| match ty {
            Type::Id(id) => sizes.get(id).copied().unwrap_or(1),
            _ => 1,
        };
        for (id, ty) in self.resolve.types.iter() {
            let below = made_of(&ty.kind).iter().fold(1, |sum: u64, ty| sum.saturating_add(size(&sizes, ty)));
            sizes.insert(id, below);
        }
        let size =
            signatures(&self.resolve, world).fold(0_u64, |sum, ty| sum.saturating_add(size(&sizes, &ty)));
        if size > WRITTEN_OUT {
            return Err(TooLarge { world: self.world_name(world), size });
        }
        Ok(())
    }

    /// Returns the package of a world in its binary form.
    ///
    /// # Errors
    ///
    /// Where it cannot be encoded.
    pub fn encode_package_of(&self, world: WorldId) -> Result<Vec<u8>, EncodeError> {
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

/// Whether anything is behind a feature.
fn has_unstable(resolve: &Resolve) -> bool {
    let is_unstable = |stability: &Stability| matches!(stability, Stability::Unstable { .. });
    let types = resolve.types.iter().any(|(_, ty)| is_unstable(&ty.stability));
    let interfaces = resolve.interfaces.iter().any(|(_, interface)| {
        is_unstable(&interface.stability)
            || interface.functions.values().any(|function| is_unstable(&function.stability))
    });
    let worlds = resolve.worlds.iter().any(|(_, world)| {
        let mut items = world.imports.values().chain(world.exports.values());
        is_unstable(&world.stability) || items.any(|item| is_unstable(item.stability(resolve)))
    });
    types || interfaces || worlds
}

/// The types that the functions of a world take and give.
pub fn signatures(resolve: &Resolve, world: WorldId) -> impl Iterator<Item = Type> + '_ {
    let world = &resolve.worlds[world];
    let all = world.imports.values().chain(world.exports.values()).flat_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].functions.values().collect(),
        WorldItem::Function(function) => vec![function],
        WorldItem::Type { .. } => Vec::new(),
    });
    all.flat_map(|function| function.params.iter().map(|param| param.ty).chain(function.result))
}

/// Returns how many interfaces a world imports and exports.
pub(crate) fn interfaces(world: &World) -> usize {
    let items = world.imports.values().chain(world.exports.values());
    items.filter(|item| matches!(item, WorldItem::Interface { .. })).count()
}
