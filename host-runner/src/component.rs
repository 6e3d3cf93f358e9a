//! A component as it lies in a file: as binary, or compiled ahead of time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use anatomy::ReadError;
use wasmtime::component::Component;

use crate::blame::Index;
use crate::code::{self, Cache, Compiled, Facts, Fresh, Key, Unreadable};
use crate::engine::{Demands, Engine, EngineError, EngineOptions};
use crate::error::LoadError;
use crate::imports::Imports;

/// As many bytes as tell what a file is.
const HEAD: u64 = 8;

/// A component that was read and not yet loaded: what it needs can be known before there is an engine for it.
pub struct ComponentFile {
    name: String,
    content: Content,
    demands: Demands,
}

enum Content {
    Binary(Vec<u8>),
    /// Compiled before, and kept; the component itself is in the file.
    Kept(Box<Compiled>, PathBuf),
    /// Compiled ahead of time.
    Compiled(Box<Compiled>),
}

/// Where the code of a component comes from.
pub(crate) enum Source<'a> {
    /// It is compiled, or found in the engine's cache.
    Binary(&'a [u8]),
    /// It was found in the cache. Where the engine is another than it was compiled for, the component is read again.
    Kept(&'a Compiled, &'a Path),
    /// It was compiled ahead of time.
    Compiled(&'a Compiled),
}

/// Why a component was not compiled ahead of time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// It is no component, or not a valid one.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It is compiled code already.
    #[error("{file} is compiled already: give the component that it was made of")]
    Compiled {
        /// The file.
        file: String,
    },
    /// The code cannot be written.
    #[error("the compiled code cannot be written")]
    Write(#[from] io::Error),
}

impl ComponentFile {
    /// Reads a file, for an engine with these options.
    ///
    /// Of a component whose code is in the cache of the options, no more is read than its digest takes. Code that was
    /// compiled ahead of time is verified with the key of the options; without one it is refused.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, is neither a component nor compiled code, or is code of another key.
    pub fn read(path: &Path, options: &EngineOptions) -> Result<Self, LoadError> {
        let structure = options.structure();
        Self::read_as(path, structure, options.cache.as_ref(), options.any_key(), || {
            options.fingerprint(true)
        })
    }

    /// As [`ComponentFile::read`], for an engine that is there already.
    pub(crate) fn read_for(path: &Path, engine: &Engine) -> Result<Self, LoadError> {
        let fingerprint = || Ok(engine.fingerprint().to_owned());
        Self::read_as(path, engine.structure(), engine.cache(), engine.key(), fingerprint)
    }

    fn read_as(
        path: &Path,
        structure: u32,
        cache: Option<&Cache>,
        key: Option<&Key>,
        fingerprint: impl FnOnce() -> Result<String, EngineError>,
    ) -> Result<Self, LoadError> {
        let name = path.display().to_string();
        let unreadable = |error| LoadError::Unreadable { file: name.clone(), error };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        if code::is_entry(&head) {
            return Self::compiled(name, &mut file, key);
        }
        if head.starts_with(b"\x7fELF")
            && matches!(wasmtime::Engine::detect_precompiled_file(path), Ok(Some(_)))
        {
            let reason = "it was compiled by another tool, so it has no keyed hash".to_owned();
            return Err(LoadError::Untrusted { file: name, reason });
        }
        // What is no component is not read to its end.
        Self::check_preamble(&name, &head)?;
        if let Some(cache) = cache
            // Without an engine there is no code either, and that is for others to tell.
            && let Ok(fingerprint) = fingerprint()
        {
            let digest = code::digest_of_file(&mut file).map_err(unreadable)?;
            if let Some(compiled) = cache.find(&digest, &fingerprint) {
                let demands = compiled.facts.demands.clone();
                return Ok(Self {
                    name,
                    content: Content::Kept(Box::new(compiled), path.to_owned()),
                    demands,
                });
            }
        }
        Self::of_bytes(&name, std::fs::read(path).map_err(unreadable)?, structure)
    }

    /// Takes the bytes of a component; `name` stands for the file in errors.
    ///
    /// # Errors
    ///
    /// Where they are something else, declare [more](anatomy::bounds) than is compiled, or need a feature that this host never
    /// has.
    pub fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, LoadError> {
        Self::of_bytes(name, bytes, 1)
    }

    fn of_bytes(name: &str, bytes: Vec<u8>, structure: u32) -> Result<Self, LoadError> {
        Self::check_preamble(name, &bytes)?;
        check_structure(name, &bytes, structure)?;
        let demands = Demands::of(&bytes);
        if let Some(error) = LoadError::lacking(name, &demands) {
            return Err(error);
        }
        Ok(Self { name: name.to_owned(), content: Content::Binary(bytes), demands })
    }

    fn compiled(name: String, file: &mut File, key: Option<&Key>) -> Result<Self, LoadError> {
        let untrusted = |reason: String| LoadError::Untrusted { file: name.clone(), reason };
        let key = key.ok_or_else(|| untrusted("this host has no key to verify it with".into()))?;
        match Compiled::read(file, key) {
            Ok(compiled) => {
                let demands = compiled.facts.demands.clone();
                Ok(Self { name, content: Content::Compiled(Box::new(compiled)), demands })
            }
            Err(Unreadable::Io(error)) => Err(LoadError::Unreadable { file: name, error }),
            Err(error) => Err(untrusted(error.to_string())),
        }
    }

    /// What it needs of an engine.
    pub fn demands(&self) -> &Demands {
        &self.demands
    }

    /// The file, or what stands for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its structure: parts, imports, exports and how they are wired. `None` where its bytes cannot be read.
    pub fn anatomy(&self) -> Option<Cow<'_, anatomy::Component>> {
        match &self.content {
            Content::Binary(bytes) => anatomy::read(bytes).ok().map(Cow::Owned),
            Content::Kept(compiled, _) | Content::Compiled(compiled) => {
                compiled.facts.anatomy.as_ref().map(Cow::Borrowed)
            }
        }
    }

    /// Its link map, where it has one that agrees with its structure.
    pub fn link_map(&self) -> Option<Cow<'_, anatomy::link_map::LinkMap>> {
        match &self.content {
            Content::Binary(bytes) => {
                let anatomy = anatomy::read(bytes).ok()?;
                anatomy::link_map::read(bytes, &anatomy).ok().flatten().map(Cow::Owned)
            }
            Content::Kept(compiled, _) | Content::Compiled(compiled) => {
                compiled.facts.link_map.as_ref().map(Cow::Borrowed)
            }
        }
    }

    /// Compiles it for an engine of these settings, and writes the code, signed, with what is known of the component.
    ///
    /// # Errors
    ///
    /// Where it is not valid, is compiled already, or the code cannot be written.
    pub fn compile(&self, engine: &Engine, key: &Key, to: &mut impl Write) -> Result<(), CompileError> {
        let bytes = match &self.content {
            Content::Binary(bytes) => Cow::Borrowed(bytes),
            Content::Kept(_, path) => Cow::Owned(read_again(path, &self.name, engine)?),
            Content::Compiled(_) => return Err(CompileError::Compiled { file: self.name.clone() }),
        };
        let fresh = compile(engine, &bytes, &self.name)?;
        let code = fresh.serialized().map_err(|error| unusable(&self.name, &error))?;
        code::write(to, key, &Facts::of(&bytes, &self.demands, engine.tuned()), &code)?;
        Ok(())
    }

    /// As [`ComponentFile::compile`], into a file that is there when it is whole.
    ///
    /// # Errors
    ///
    /// As for [`ComponentFile::compile`].
    pub fn compile_to(&self, engine: &Engine, key: &Key, path: &Path) -> Result<(), CompileError> {
        let mut compiled = Vec::new();
        self.compile(engine, key, &mut compiled)?;
        Ok(code::write_whole(path, 0o666, |file| file.write_all(&compiled))?)
    }

    pub(crate) fn source(&self) -> Source<'_> {
        match &self.content {
            Content::Binary(bytes) => Source::Binary(bytes),
            Content::Kept(compiled, path) => Source::Kept(compiled, path),
            Content::Compiled(compiled) => Source::Compiled(compiled),
        }
    }

    pub(crate) fn check_preamble(name: &str, bytes: &[u8]) -> Result<(), LoadError> {
        let file = || name.to_owned();
        let found = match bytes {
            [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
                return Err(LoadError::CoreModule { file: file() });
            }
            [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
            [b'\0', b'a', b's', b'm', _, _, _, _, ..] => {
                "it is WebAssembly of a version that this host does not know"
            }
            [] => "the file is empty",
            _ if b"\0asm\x0d\0\x01\0".starts_with(bytes) => "it ends within its first eight bytes",
            _ if std::str::from_utf8(&bytes[..bytes.len().min(512)])
                .map_or_else(|error| error.error_len().is_none(), |_| true) =>
            {
                "it is text"
            }
            _ => "it is some other binary file",
        };
        Err(LoadError::NotWebAssembly { file: file(), found })
    }
}

impl Source<'_> {
    /// What it imports; `None` where its structure cannot be read.
    pub(crate) fn imports(&self) -> Option<Imports<'_>> {
        match self {
            Self::Binary(bytes) => match anatomy::outline(bytes) {
                Ok(outline) => Some(Imports {
                    all: outline.imports.into(),
                    naming: outline.naming.into(),
                    implements: Cow::Owned(outline.implements),
                }),
                Err(error) => {
                    tracing::debug!("the structure of the component cannot be read: {error}");
                    None
                }
            },
            Self::Kept(compiled, _) | Self::Compiled(compiled) => {
                let anatomy = compiled.facts.anatomy.as_ref()?;
                let naming = compiled.facts.naming.as_slice().into();
                let implements = Cow::Borrowed(&anatomy.implements);
                Some(Imports { all: anatomy.imports.as_slice().into(), naming, implements })
            }
        }
    }

    pub(crate) fn anatomy(&self) -> Option<Cow<'_, anatomy::Component>> {
        match self {
            Self::Binary(bytes) => anatomy::read(bytes).ok().map(Cow::Owned),
            Self::Kept(compiled, _) | Self::Compiled(compiled) => {
                compiled.facts.anatomy.as_ref().map(Cow::Borrowed)
            }
        }
    }

    /// What traps are looked up in.
    pub(crate) fn blame(&self) -> Index {
        match self {
            Self::Binary(bytes) => Index::of(bytes),
            Self::Kept(compiled, _) | Self::Compiled(compiled) => compiled.facts.blame.clone(),
        }
    }

    /// The code, from wherever it is to be had.
    pub(crate) fn code(&self, engine: &Engine, name: &str) -> Result<Component, LoadError> {
        match self {
            Self::Binary(bytes) => {
                let kept = engine.cache().map(|cache| (cache, code::digest_of(bytes)));
                if let Some((cache, digest)) = &kept
                    && let Some(compiled) = cache.find(digest, engine.fingerprint())
                    && let Some(component) = load_kept(&compiled, engine)
                {
                    return Ok(component);
                }
                compile_and_keep(engine, bytes, name)
            }
            Self::Kept(compiled, path) => match load_kept(compiled, engine) {
                Some(component) => Ok(component),
                None => compile_and_keep(engine, &read_again(path, name, engine)?, name),
            },
            Self::Compiled(compiled) => compiled.load(engine.tuned()).map_err(|error| {
                tracing::debug!("the code of {name} was not accepted: {error:#}");
                LoadError::OtherSettings { file: name.to_owned() }
            }),
        }
    }
}

/// Reads the component whose code is kept once more. It may be another by now.
fn read_again(path: &Path, name: &str, engine: &Engine) -> Result<Vec<u8>, LoadError> {
    let bytes =
        std::fs::read(path).map_err(|error| LoadError::Unreadable { file: name.to_owned(), error })?;
    check_structure(name, &bytes, engine.structure())?;
    Ok(bytes)
}

/// Refuses what declares more than is compiled. What is wrong with it otherwise is for the engine to say.
pub(crate) fn check_structure(name: &str, bytes: &[u8], factor: u32) -> Result<(), LoadError> {
    match anatomy::bounds::check(bytes, factor) {
        Err(reason) if reason.is_limit() => Err(LoadError::Structure {
            file: name.to_owned(),
            flag: matches!(reason, ReadError::Beyond { .. }),
            reason: Box::new(reason),
        }),
        _ => Ok(()),
    }
}

/// Code out of the cache, if it is for this engine.
fn load_kept(compiled: &Compiled, engine: &Engine) -> Option<Component> {
    compiled
        .load(engine.tuned())
        .inspect_err(|error| tracing::warn!("compiled code in the cache is compiled anew: {error:#}"))
        .ok()
}

/// Compiles a component.
fn compile(engine: &Engine, bytes: &[u8], name: &str) -> Result<Fresh, LoadError> {
    Fresh::compile(engine.tuned(), engine.compiler(), bytes).map_err(|failed| match failed {
        code::Failed::Invalid(reason) => LoadError::invalid(name, bytes, engine, &reason),
        code::Failed::Limit(limit) => LoadError::Compiling { file: name.to_owned(), limit },
        code::Failed::GivenUp => LoadError::GivenUp { file: name.to_owned() },
        code::Failed::Worker(reason) => LoadError::Compiler { file: name.to_owned(), reason },
    })
}

/// Compiles a component, and keeps the code where the engine has a cache.
fn compile_and_keep(engine: &Engine, bytes: &[u8], name: &str) -> Result<Component, LoadError> {
    let fresh = compile(engine, bytes, name)?;
    let component = fresh.load(engine.tuned()).map_err(|error| unusable(name, &error))?;
    if let Some(cache) = engine.cache() {
        let facts = Facts::of(bytes, &Demands::of(bytes), engine.tuned());
        cache.keep(
            engine.fingerprint(),
            &facts,
            &fresh.serialized().map_err(|error| unusable(name, &error))?,
        );
    }
    Ok(component)
}

/// Code that was just compiled, and that the engine does not take.
fn unusable(name: &str, error: &wasmtime::Error) -> LoadError {
    LoadError::Compiler {
        file: name.to_owned(),
        reason: format!("left code that cannot be loaded: {error:#}"),
    }
}
