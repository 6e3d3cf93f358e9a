//! The C header that wit-bindgen writes for a world: what C and Zig parts implement is declared there.
//!
//! The declarations are read from the header, one a line, instead of being made up a second time: how values are passed
//! (by pointer, as an optional pointer, as results behind the last ones) is the generator's to decide.

use std::collections::HashMap;

use heck::ToSnakeCase;
use wit_parser::{Function, PackageId, Resolve, WorldKey};

use super::ScaffoldError;
use super::exports::{Exports, Interface};
use crate::bindgen;
use contract::Contracts;

/// The functions that a header declares.
pub struct Header {
    /// Its file's name.
    pub name: String,
    functions: HashMap<String, Declaration>,
}

/// A declaration of a C function.
#[derive(Debug, Clone)]
pub struct Declaration {
    pub name: String,
    pub result: String,
    pub params: Vec<Param>,
}

/// A parameter of a C function.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its type, without the star.
    pub ty: String,
    /// Whether it is a pointer to that.
    pub pointer: bool,
    pub name: String,
}

impl Header {
    /// The header for this world.
    pub fn of(contracts: &Contracts, world: &str) -> Result<Self, ScaffoldError> {
        let files = bindgen::c(contracts, world)?;
        let header = files.into_iter().find(|(name, _)| name.ends_with(".h"));
        let (name, content) = header.ok_or(ScaffoldError::Undeclared { name: world.to_owned() })?;
        let text = String::from_utf8_lossy(&content);
        let declared = text.lines().filter_map(declaration);
        Ok(Header {
            name,
            functions: declared.map(|declaration| (declaration.name.clone(), declaration)).collect(),
        })
    }

    /// The declaration of an exported function.
    pub fn function(
        &self,
        exports: &Exports<'_>,
        interface: Option<&Interface<'_>>,
        function: &Function,
    ) -> Result<&Declaration, ScaffoldError> {
        let called = function.name.to_snake_case().replace('.', "_");
        self.find(format!("{}_{called}", prefix(exports, interface)))
    }

    /// The declaration of what ends a resource's representation.
    pub fn destructor(
        &self,
        exports: &Exports<'_>,
        interface: &Interface<'_>,
        resource: &str,
    ) -> Result<&Declaration, ScaffoldError> {
        let resource = resource.to_snake_case();
        self.find(format!("{}_{resource}_destructor", prefix(exports, Some(interface))))
    }

    fn find(&self, name: String) -> Result<&Declaration, ScaffoldError> {
        self.functions.get(&name).ok_or(ScaffoldError::Undeclared { name })
    }
}

/// What the names of an exported interface's functions begin with, or of the world's own.
fn prefix(exports: &Exports<'_>, interface: Option<&Interface<'_>>) -> String {
    let resolve = exports.resolve;
    let Some(interface) = interface else {
        return format!("exports_{}", resolve.worlds[exports.world].name.to_snake_case());
    };
    match interface.key {
        // Written out inside the world: the generator leaves its functions without a prefix.
        WorldKey::Name(name) => name.to_snake_case(),
        WorldKey::Interface(id) => {
            let found = &resolve.interfaces[*id];
            let package = found.package.map_or_else(String::new, |package| package_prefix(resolve, package));
            format!("exports_{package}{}", found.name.as_deref().unwrap_or_default().to_snake_case())
        }
    }
}

/// The package in a C name: with its version only where the contracts have several.
fn package_prefix(resolve: &Resolve, package: PackageId) -> String {
    let own = &resolve.packages[package].name;
    let several = resolve.packages.iter().any(|(_, other)| {
        let other = &other.name;
        other.namespace == own.namespace && other.name == own.name && other.version != own.version
    });
    let version = own.version.as_ref().filter(|_| several).map_or_else(String::new, |version| {
        format!("{}_", version.to_string().replace(['.', '-', '+'], "_"))
    });
    format!("{}_{}_{version}", own.namespace.to_snake_case(), own.name.to_snake_case())
}

/// A line that declares a function: `result name(type param, type *param);`.
fn declaration(line: &str) -> Option<Declaration> {
    let (head, params) = line.strip_suffix(");")?.split_once('(')?;
    let (result, name) = head.rsplit_once(' ')?;
    if result.contains(['#', '=', '*']) || result.starts_with("typedef") || result.starts_with("extern") {
        return None;
    }
    let params = match params {
        "" | "void" => Vec::new(),
        list => list.split(", ").map(param).collect::<Option<_>>()?,
    };
    Some(Declaration { name: name.to_owned(), result: result.to_owned(), params })
}

fn param(text: &str) -> Option<Param> {
    let (ty, name) = text.rsplit_once(' ')?;
    let pointer = name.starts_with('*');
    Some(Param { ty: ty.to_owned(), pointer, name: name.trim_start_matches('*').to_owned() })
}
