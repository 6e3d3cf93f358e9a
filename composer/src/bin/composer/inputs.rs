//! Reads what is to be composed: a text in the WAC language, or a bag of components.
//!
//! What an input is shows in its content, not in its name.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anatomy::ReadError;
use compose::deny::is_stub;
use compose::wire::{Decision, Part, Place, is_part_name, part_names};
use composer::lock::Digest;
use composer::manifest;
use contract::shown;

use crate::failure::{Exit, Failure};
use crate::files::{self, WASM};
use crate::given::{self, Given};
use crate::source::{Content, Input, Source, Supply, Wanted};

/// How a component begins.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// What is to be composed.
pub enum Inputs {
    /// A text: its file, and what it says.
    Text(PathBuf, String),
    /// Components.
    Bag(Vec<Chosen>),
}

/// A component that was chosen.
pub struct Chosen {
    wanted: Wanted,
    /// The name that it was given.
    name: Option<String>,
    /// Whether it was found in a directory, rather than asked for.
    found: bool,
}

/// Reads what the inputs are: a single text; or components as `SOURCE`, `NAME=SOURCE` or a directory of them, with those of
/// `-d` beside. The `product` that is to be made is no input, though that of the last time may lie in one of the directories.
pub fn read(arguments: &[PathBuf], named: &[Given], product: Option<&Path>) -> Result<Inputs, Failure> {
    if let [only] = arguments
        && only.exists()
        && !only.is_dir()
    {
        let bytes = files::read_binary(only)?;
        if !bytes.starts_with(WASM) {
            return Ok(Inputs::Text(only.clone(), files::text(only, bytes)?));
        }
        let mut chosen = vec![present(only.clone(), bytes, false)];
        chosen.extend(given(named)?);
        return Ok(Inputs::Bag(chosen));
    }
    let mut chosen = Vec::new();
    for argument in arguments {
        chosen.extend(argument_inputs(argument, product)?);
    }
    chosen.extend(given(named)?);
    Ok(Inputs::Bag(chosen))
}

fn argument_inputs(argument: &Path, product: Option<&Path>) -> Result<Vec<Chosen>, Failure> {
    if argument.is_dir() {
        return directory(argument, product);
    }
    let named = given::named(argument.as_os_str()).filter(|_| !argument.exists());
    let (name, source) = match named {
        Some((name, source)) => (Some(name.to_owned()), source),
        None => (None, argument.as_os_str()),
    };
    let source = Source::parse(source).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(vec![component(name, source)?])
}

fn given(named: &[Given]) -> Result<Vec<Chosen>, Failure> {
    let one = |given: &Given| match given.package.split_once(':') {
        Some((manifest::NAMESPACE, name)) => component(Some(name.to_owned()), given.source.clone()),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("`-d {}=…` names a package, where there is no text that mentions it", given.package),
        )
        .help("without a `.wac` text, a component is given as `NAME=FILE`")),
    };
    named.iter().map(one).collect()
}

fn component(name: Option<String>, source: Source) -> Result<Chosen, Failure> {
    if let Some(name) = name.as_ref().filter(|name| !is_part_name(name)) {
        let message = format!("`{name}` cannot be the name of a part");
        return Err(Failure::new(Exit::Usage, message).help(
            "a name is words of lower-case letters and digits that begin with a letter, joined by hyphens",
        ));
    }
    let package = name.as_ref().map(|name| format!("{}:{name}", manifest::NAMESPACE));
    Ok(Chosen { wanted: Wanted { package, source, bytes: None }, name, found: false })
}

/// A file that was read already.
fn present(path: PathBuf, bytes: Vec<u8>, found: bool) -> Chosen {
    let wanted = Wanted { package: None, source: Source::Path(path), bytes: Some(bytes) };
    Chosen { wanted, name: None, found }
}

/// All components directly in a directory, but for the product and stubs. What should be one by its name, and is none, is said,
/// and so are stubs. Others are passed over.
fn directory(directory: &Path, product: Option<&Path>) -> Result<Vec<Chosen>, Failure> {
    let failed =
        |error| Failure::because(Exit::Input, format!("cannot read `{}`", directory.display()), error);
    let product = product.and_then(|path| fs::canonicalize(path).ok());
    let left_out = |path: &Path, reason: &str| {
        files::say(&shown::harmless(&format!("note: `{}` is left out: {reason}", path.display())));
    };
    let entries = fs::read_dir(directory).map_err(failed)?.map(|entry| Ok(entry.map_err(failed)?.path()));
    let mut paths = entries.collect::<Result<Vec<_>, Failure>>()?;
    paths.sort();
    let mut chosen = Vec::new();
    for path in paths {
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || product.is_some() && fs::canonicalize(&path).ok() == product {
            continue;
        }
        let claims = path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("wasm"));
        match no_component(&path) {
            Ok(None) => {
                let bytes = files::read_binary(&path)?;
                if is_stub(&bytes) {
                    left_out(&path, "it is a stub that `--deny` or `composer deny` made");
                } else {
                    chosen.push(present(path, bytes, true));
                }
            }
            Ok(Some(reason)) if claims => left_out(&path, &reason),
            Err(error) if claims => return Err(files::cannot_read(&path, error)),
            _ => {}
        }
    }
    if chosen.is_empty() {
        let message = format!("there are no components in `{}`", directory.display());
        return Err(Failure::new(Exit::Input, message)
            .help("only the directory itself is looked at, not directories in it"));
    }
    Ok(chosen)
}

/// Why something in a directory is no component, as far as its first bytes tell. There may be anything in a directory, of
/// any length.
fn no_component(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) => return Ok(Some(format!("it cannot be read: {error}"))),
        Ok(found) if found.is_dir() => return Ok(Some("it is a directory".to_owned())),
        Ok(found) if !found.is_file() => return Ok(Some("it is no file".to_owned())),
        Ok(_) => {}
    }
    let head = files::head(path, COMPONENT.len() as u64)?;
    let cut = head.len() < COMPONENT.len() && (head.starts_with(WASM) || WASM.starts_with(&head));
    let reason = match head.as_slice() {
        COMPONENT => return Ok(None),
        [] => "it is empty".to_owned(),
        short if cut => format!("it is cut off after {} bytes", short.len()),
        // A letter may go on after the last byte.
        text if std::str::from_utf8(text).is_err_and(|error| error.error_len().is_none()) => {
            "it is text".to_owned()
        }
        other => match anatomy::read(other) {
            Err(ReadError::CoreModule) => "it is a core module, not a component".to_owned(),
            Err(ReadError::Text) => "it is text".to_owned(),
            Err(ReadError::NotWasm) => "it is not WebAssembly".to_owned(),
            _ => "it is WebAssembly of an unknown version".to_owned(),
        },
    };
    Ok(Some(reason))
}

/// The components of a bag.
pub struct Bag {
    /// Each with its name, and where it is.
    pub parts: Vec<(Part, Source)>,
    /// What else they may be called.
    pub aliases: Aliases,
}

/// Names that parts would have by files that were given too, and are the same: each with the name that the part has.
#[derive(Debug, Default)]
pub struct Aliases(BTreeMap<String, String>);

impl Aliases {
    /// `merged` are names of files, each with the name of the part that was made of it. A name that may stand for several
    /// parts, or is a part's own, stands for none.
    fn new(merged: &[(String, String)], parts: &[(Part, Source)]) -> Self {
        let mut names: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        for (stem, part) in merged {
            let alias = part_names(&[(stem.clone(), String::new())], &[]).concat();
            names.entry(alias).or_default().insert(part);
        }
        let free = |(alias, of): (String, BTreeSet<&String>)| match (of.len(), of.first()) {
            (1, Some(part)) if parts.iter().all(|(known, _)| known.name != alias) => {
                Some((alias, (*part).clone()))
            }
            _ => None,
        };
        Aliases(names.into_iter().filter_map(free).collect())
    }

    /// The name of the part that is called so.
    pub fn part(&self, name: &str) -> String {
        self.0.get(name).map_or(name, String::as_str).to_owned()
    }

    /// A place, by the name of its part.
    pub fn place(&self, place: &Place) -> Place {
        Place { part: place.part.as_ref().map(|name| self.part(name)), ..place.clone() }
    }

    /// A decision, by the names of its parts.
    pub fn decision(&self, decision: &Decision) -> Decision {
        let (part, provider) = (self.part(&decision.part), self.part(&decision.provider));
        Decision { part, provider, ..decision.clone() }
    }
}

/// A component that is there.
struct Component {
    source: Source,
    bytes: Vec<u8>,
    found: bool,
}

/// Gets the components, and names them. One that was given twice without a name is one part.
pub fn bag(mut chosen: Vec<Chosen>, supply: &mut Supply<'_>) -> Result<Bag, Failure> {
    // By their names: the order of arguments must change nothing, nor what else there is to say.
    chosen.sort_by_cached_key(|one| (one.name.clone(), one.wanted.source.clone()));
    let (wanted, about): (Vec<_>, Vec<_>) =
        chosen.into_iter().map(|one| (one.wanted, (one.name, one.found))).unzip();
    let mut parts = Vec::new();
    let mut nameless: BTreeMap<Digest, Component> = BTreeMap::new();
    let mut again: Vec<(String, Digest)> = Vec::new();
    for (Input { source, content, .. }, (name, found)) in supply.inputs(wanted)?.into_iter().zip(about) {
        let bytes = component_bytes(&source, content)?;
        if let Some(name) = name {
            parts.push((Part::new(name, bytes), source));
            continue;
        }
        let digest = Digest::of(&bytes);
        match nameless.entry(digest) {
            Entry::Occupied(mut same) => {
                let same = same.get_mut();
                if !same_source(&same.source, &source) {
                    files::say(&format!(
                        "note: `{source}` is the same component as `{}`, and is used once",
                        same.source
                    ));
                }
                same.found &= found;
                again.push((source.stem(), digest));
            }
            Entry::Vacant(place) => _ = place.insert(Component { source, bytes, found }),
        }
    }
    let taken: Vec<String> = parts.iter().map(|(part, _)| part.name.clone()).collect();
    let stems: Vec<(String, String)> =
        nameless.iter().map(|(digest, one)| (one.source.stem(), digest.hex())).collect();
    let mut merged = Vec::new();
    for (name, (digest, one)) in part_names(&stems, &taken).into_iter().zip(nameless) {
        let same = again.iter().filter(|(_, of)| *of == digest);
        merged.extend(same.map(|(stem, _)| (stem.clone(), name.clone())));
        parts.push((Part { optional: one.found, ..Part::new(name, one.bytes) }, one.source));
    }
    let aliases = Aliases::new(&merged, &parts);
    Ok(Bag { parts, aliases })
}

fn component_bytes(source: &Source, content: Content) -> Result<Vec<u8>, Failure> {
    match content {
        Content::Bytes(bytes) => {
            if !bytes.starts_with(COMPONENT) {
                let shown = source.to_string();
                anatomy::read(&bytes).map_err(|error| match error {
                    ReadError::Text if !files::is_wat(&bytes) => {
                        Failure::new(Exit::Input, format!("`{shown}` is text, not a component")).help(
                            "a `.wac` text stands alone, and components go with it by `-d NAME=FILE.wasm`",
                        )
                    }
                    error => files::not_a_component(Path::new(&shown), error),
                })?;
            }
            Ok(bytes)
        }
        Content::Wit(path) => {
            Err(Failure::new(Exit::Input, format!("`{}` is not a component", path.display()))
                .help("without a `.wac` text, a part with a name is a single component"))
        }
    }
}

fn same_source(one: &Source, other: &Source) -> bool {
    match (one.path(), other.path()) {
        (Some(one), Some(other)) => fs::canonicalize(one)
            .ok()
            .is_some_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other)),
        _ => one == other,
    }
}
