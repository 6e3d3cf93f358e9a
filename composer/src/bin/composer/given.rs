//! Packages that are given on the command line, by name.

use std::ffi::{OsStr, OsString};
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;

use check::bare;
use clap::builder::{OsStringValueParser, TypedValueParser};
use composer::manifest;

use crate::failure::{Exit, Failure};
use crate::source::{Source, Wanted};

/// A package given on the command line: `PKG=SOURCE`. A name alone, without a namespace, is that of a component.
#[derive(Debug, Clone)]
pub struct Given {
    /// The name of the package.
    pub package: String,
    /// Where its component is, or the directory or `.wit` file of a WIT package.
    pub source: Source,
}

impl Given {
    /// A parser for clap. A path need not be text.
    pub fn parser() -> impl TypedValueParser<Value = Given> {
        OsStringValueParser::new().try_map(|text: OsString| Given::parse(&text))
    }

    fn parse(text: &OsStr) -> Result<Self, String> {
        match named(text) {
            Some((package, source)) if !package.is_empty() && !source.is_empty() => {
                let package = bare(package);
                let whole = package.contains(':');
                let package =
                    if whole { package.to_owned() } else { format!("{}:{package}", manifest::NAMESPACE) };
                Ok(Given { package, source: Source::parse(source)? })
            }
            _ => Err("it should be like `parts:greeter=greeter.wasm`".to_owned()),
        }
    }
}

impl From<Given> for Wanted {
    fn from(given: Given) -> Self {
        Wanted { package: Some(given.package), source: given.source, bytes: None }
    }
}

/// A name, and after the first `=` what has it.
#[cfg(unix)]
pub fn named(text: &OsStr) -> Option<(&str, &OsStr)> {
    let bytes = text.as_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=')?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, OsStr::from_bytes(&bytes[at + 1..])))
}

/// A name, and after the first `=` what has it. Here both have to be text.
#[cfg(not(unix))]
pub fn named(text: &OsStr) -> Option<(&str, &OsStr)> {
    text.to_str()?.split_once('=').map(|(name, source)| (name, source.as_ref()))
}

/// Refuses two inputs for one package.
pub fn each_once(given: &[Given]) -> Result<(), Failure> {
    for (index, one) in given.iter().enumerate() {
        if let Some(other) = given[..index].iter().find(|other| other.package == one.package) {
            return Err(Failure::new(Exit::Usage, format!("the package `{}` is given twice", one.package))
                .help(format!("keep one of the two: `{}` or `{}`", other.source, one.source)));
        }
    }
    Ok(())
}
