//! Inputs by path, directory and registry reference, and the lock that says which they were.
//!
//! What a command was given is a [`Source`]. A command that looks at one reads it with [`read`]; one that makes
//! something of several has a [`Supply`], which answers for them in the lock. Registries, the cache and the lock are
//! known here and nowhere else: whoever asks gets bytes, or a failure in words.

mod cache;
mod directory;
mod error;
mod ledger;
mod progress;
mod pull;
mod reference;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use compose::link_map::Origin;
use composer::lock::{Digest, Entry};

use self::cache::Cache;
use self::ledger::Ledger;
use self::pull::Registries;
use self::reference::Reference;
use crate::failure::Failure;
use crate::files::{self, WASM};
use crate::project::Project;

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A file, or a directory.
    Path(PathBuf),
    /// In a registry.
    Registry(Reference),
}

impl Source {
    /// What was meant on the command line: a reference where it begins with `oci://`, else a path.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        let Some(known) = text.to_str() else { return Ok(Source::Path(text.into())) };
        match known.split_once("://") {
            Some(("oci", reference)) => Reference::parse(reference).map(Source::Registry),
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Err(format!(
                "`{scheme}://` is not known here: an input is a path, or `oci://REGISTRY/NAME:TAG`"
            )),
            _ => Ok(Source::Path(text.into())),
        }
    }

    /// A parser for clap.
    pub fn parser() -> impl TypedValueParser<Value = Source> {
        OsStringValueParser::new().try_map(|text: OsString| Source::parse(&text))
    }

    /// Whether it is `-`: what a command that only looks reads from standard input. A file of that name is `./-`.
    pub fn is_input(&self) -> bool {
        matches!(self, Source::Path(path) if path.as_os_str() == "-")
    }

    /// What it is called in what is shown of it: the last name of a path, a reference as a whole.
    pub fn title(&self) -> String {
        match self {
            _ if self.is_input() => "standard input".to_owned(),
            Source::Path(path) => files::title(path),
            Source::Registry(reference) => reference.to_string(),
        }
    }

    /// What a part is named after: the name of a file without its ending, the last name of a reference.
    pub fn stem(&self) -> String {
        match self {
            Source::Path(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Source::Registry(reference) => reference.stem().to_owned(),
        }
    }

    /// What a link map may tell of it.
    pub fn origin(&self) -> Origin {
        match self {
            Source::Path(path) => Origin::file(&path.to_string_lossy()),
            Source::Registry(reference) => Origin::registry(&reference.to_string()),
        }
    }

    /// The path, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Source::Path(path) => Some(path),
            Source::Registry(_) => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => path.display().fmt(f),
            Source::Registry(reference) => reference.fmt(f),
        }
    }
}

/// How registries are spoken to, for every command that takes components.
#[derive(Debug, Args)]
pub struct RegistryOptions {
    /// Directory that caches components from registries, by digest. Default: `cache` in the output
    /// directory of a project; outside a project, the user's cache.
    #[arg(long, value_name = "DIR", help_heading = "Registries")]
    cache: Option<PathBuf>,
    /// Registry to use without TLS. Registries on `localhost` never use TLS.
    #[arg(long, value_name = "HOST[:PORT]", help_heading = "Registries")]
    plain_http: Vec<String>,
}

/// What is done about the lock, for commands whose product depends on their inputs.
#[derive(Debug, Args)]
pub struct LockOptions {
    /// Lock file: the inputs with their digests. Default: `interlock.lock` beside interlock.toml,
    /// or else beside the text or in the current directory. The default file is written once an
    /// input comes from a registry, and kept up to date from then on; it is left alone if all
    /// inputs are files and it does not list them yet.
    #[arg(long, value_name = "FILE", help_heading = "Registries")]
    lock: Option<PathBuf>,
    /// Use exactly the locked inputs; fail if any differs. Inputs in the cache are not fetched
    /// again.
    #[arg(long, help_heading = "Registries")]
    locked: bool,
}

impl LockOptions {
    /// The lock that was named.
    pub fn file(&self) -> Option<&Path> {
        self.lock.as_deref()
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The package that it is for, where it was given for one.
    pub package: Option<String>,
    /// Where it is.
    pub source: Source,
    /// Its bytes, where it was read already.
    pub bytes: Option<Vec<u8>>,
}

/// An input that is there.
#[derive(Debug)]
pub struct Input {
    /// The package that it was given for, where it was given for one.
    pub package: Option<String>,
    /// Where it is.
    pub source: Source,
    /// What it is.
    pub content: Content,
}

/// What an input is.
#[derive(Debug)]
pub enum Content {
    /// Bytes: a component, if they are one. Nobody has looked yet.
    Bytes(Vec<u8>),
    /// A WIT package: its directory or file.
    Wit(PathBuf),
}

impl Content {
    fn digest(&self) -> Result<Digest, Failure> {
        match self {
            Content::Bytes(bytes) => Ok(Digest::of(bytes)),
            Content::Wit(path) if path.is_dir() => directory::digest(path),
            Content::Wit(path) => Ok(Digest::of(&files::read(path)?)),
        }
    }
}

/// Reads one input of a command that only looks, near this directory. Whether it is a component is not checked.
pub fn read(source: &Source, options: &RegistryOptions, near: &Path) -> Result<Vec<u8>, Failure> {
    match source {
        _ if source.is_input() => files::bounded(Path::new("-"), files::read_input()?),
        Source::Path(path) => files::read_binary(path),
        Source::Registry(reference) => {
            let pulled = options.registries(near)?.pull(reference, None)?;
            files::bounded(Path::new(&source.to_string()), pulled.bytes)
        }
    }
}

impl RegistryOptions {
    /// The words of the command line that say the same.
    pub fn words(&self) -> Vec<(&'static str, &OsStr)> {
        let cache = self.cache.iter().map(|directory| ("--cache", directory.as_os_str()));
        cache.chain(self.plain_http.iter().map(|host| ("--plain-http", OsStr::new(host)))).collect()
    }

    /// The registries, for a command near this directory.
    fn registries(&self, near: &Path) -> Result<Registries, Failure> {
        let cache = match &self.cache {
            Some(directory) => Some(directory.clone()),
            None => Project::find(near)?.map(|project| project.out().join("cache")),
        };
        Ok(Registries::new(Cache::at(cache)?, &self.plain_http))
    }
}

/// Where the inputs of a composition come from.
pub struct Supply<'a> {
    options: &'a RegistryOptions,
    near: &'a Path,
    ledger: Ledger,
}

impl<'a> Supply<'a> {
    /// For a command that makes `output` of inputs near this directory, and answers for them in the lock.
    pub fn new(
        output: &Path,
        options: &'a RegistryOptions,
        lock: &LockOptions,
        near: &'a Path,
    ) -> Result<Self, Failure> {
        // The directory of a text in the current one has no name.
        let near = if near.as_os_str().is_empty() { Path::new(".") } else { near };
        let place = match (&lock.lock, Project::find(near)?) {
            (Some(file), _) => file.clone(),
            (None, Some(project)) => project.root.join(composer::lock::FILE),
            (None, None) if near == Path::new(".") => composer::lock::FILE.into(),
            (None, None) => near.join(composer::lock::FILE),
        };
        let ledger = Ledger::open(place, lock.lock.is_some(), lock.locked, output)?;
        Ok(Supply { options, near, ledger })
    }

    /// All that is wanted, in its order. Under `--locked` what differs from the lock is refused, all of it at once, and
    /// before anybody looks whether it is a component: what was tampered with is told as such.
    pub fn inputs(&mut self, wanted: Vec<Wanted>) -> Result<Vec<Input>, Failure> {
        self.ledger.expect(&wanted)?;
        let recorded = self.ledger.concerns(&wanted);
        let mut inputs = Vec::with_capacity(wanted.len());
        let mut entries = Vec::with_capacity(wanted.len());
        for Wanted { package, source, bytes } in wanted {
            let name = self.ledger.name(&source);
            let (content, known) = self.input(package.as_deref(), &source, bytes)?;
            if recorded {
                let (digest, manifest) = match known {
                    Some((digest, manifest)) => (digest, Some(manifest)),
                    None => (content.digest()?, None),
                };
                entries.push(Entry { package: package.clone(), source: name, manifest, digest });
            }
            inputs.push(Input { package, source, content });
        }
        self.ledger.found(entries)?;
        Ok(inputs)
    }

    /// One input: what it is; and of what a registry has, its digest and that of its manifest.
    fn input(
        &self,
        package: Option<&str>,
        source: &Source,
        bytes: Option<Vec<u8>>,
    ) -> Result<(Content, Option<(Digest, Digest)>), Failure> {
        let path = match source {
            Source::Registry(reference) => {
                let pinned = self.ledger.pinned(package, source);
                let pulled = self.options.registries(self.near)?.pull(reference, pinned)?;
                let bytes = files::bounded(Path::new(&source.to_string()), pulled.bytes)?;
                return Ok((Content::Bytes(bytes), Some((pulled.digest, pulled.manifest))));
            }
            Source::Path(path) => path,
        };
        // What is WebAssembly shows in the content, whatever the file is called.
        let called = || path.extension().is_some_and(|suffix| suffix == "wit");
        let binary = || files::head(path, WASM.len() as u64).is_ok_and(|head| head == WASM);
        if bytes.is_none() && (path.is_dir() || called() && !binary()) {
            return Ok((Content::Wit(path.clone()), None));
        }
        Ok((Content::Bytes(bytes.map_or_else(|| files::read_binary(path), Ok)?), None))
    }

    /// Where the lock is, or would be.
    pub fn lock(&self) -> &Path {
        self.ledger.file()
    }

    /// Brings the lock up to date, once the product is made and before it is delivered.
    pub fn settle(self) -> Result<(), Failure> {
        self.ledger.settle()
    }
}
