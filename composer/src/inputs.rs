//! Reads what is to be composed: a text in the WAC language, or a bag of components.
//!
//! What an input is shows in its content, not in its name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use composer::lock::Digest;
use composer::manifest;
use composer::wire::{Part, is_part_name, part_names};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::Given;
use crate::source::{Content, Input, Source, Supply, Wanted};

/// How every WebAssembly binary begins, and how a component goes on.
const WASM: &[u8] = b"\0asm";
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
    /// Whether it was found in a folder, rather than asked for.
    found: bool,
}

/// Reads what the inputs are: a single text; or components as `SOURCE`, `NAME=SOURCE` or a folder of them, with those of
/// `-d` beside. `output` is no input, though it may lie in one of the folders.
pub fn read(arguments: &[PathBuf], named: &[Given], output: Option<&Path>) -> Result<Inputs, Failure> {
    if let [only] = arguments
        && only.exists()
        && !only.is_dir()
    {
        let bytes = files::read(only)?;
        if !bytes.starts_with(WASM) {
            return Ok(Inputs::Text(only.clone(), files::text(only, bytes)?));
        }
        let mut chosen = vec![present(only.clone(), bytes, false)];
        chosen.extend(given(named)?);
        return Ok(Inputs::Bag(chosen));
    }
    let mut chosen = Vec::new();
    for argument in arguments {
        chosen.extend(argument_inputs(argument, output)?);
    }
    chosen.extend(given(named)?);
    Ok(Inputs::Bag(chosen))
}

fn argument_inputs(argument: &Path, output: Option<&Path>) -> Result<Vec<Chosen>, Failure> {
    if argument.is_dir() {
        return folder(argument, output);
    }
    let named = argument.to_str().and_then(|text| text.split_once('=')).filter(|_| !argument.exists());
    let (name, source) = match named {
        Some((name, source)) => (Some(name.to_owned()), source.as_ref()),
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

/// All components directly in a folder.
fn folder(folder: &Path, output: Option<&Path>) -> Result<Vec<Chosen>, Failure> {
    let failed = |error| Failure::because(Exit::Input, format!("cannot read `{}`", folder.display()), error);
    let output = output.and_then(|output| fs::canonicalize(output).ok());
    let mut chosen = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || !path.is_file() || output.is_some() && fs::canonicalize(&path).ok() == output {
            continue;
        }
        let bytes = files::read(&path)?;
        if bytes.starts_with(COMPONENT) {
            chosen.push(present(path, bytes, true));
        }
    }
    if chosen.is_empty() {
        let message = format!("there are no components in `{}`", folder.display());
        return Err(
            Failure::new(Exit::Input, message).help("only the folder itself is looked at, not folders in it")
        );
    }
    Ok(chosen)
}

/// A component that is there.
struct Component {
    source: Source,
    bytes: Vec<u8>,
    found: bool,
}

/// Gets the components, and names them. One that was given twice without a name is one part.
pub fn bag(mut chosen: Vec<Chosen>, supply: &mut Supply<'_>) -> Result<Vec<(Part, Source)>, Failure> {
    // By their names: the order of arguments must change nothing, nor what else there is to say.
    chosen.sort_by_cached_key(|one| (one.name.clone(), one.wanted.source.clone()));
    let (wanted, about): (Vec<_>, Vec<_>) =
        chosen.into_iter().map(|one| (one.wanted, (one.name, one.found))).unzip();
    let mut parts = Vec::new();
    let mut nameless: BTreeMap<Digest, Component> = BTreeMap::new();
    for (Input { source, content, .. }, (name, found)) in supply.inputs(wanted)?.into_iter().zip(about) {
        let bytes = component_bytes(&source, content)?;
        if let Some(name) = name {
            parts.push((Part::new(name, bytes), source));
            continue;
        }
        match nameless.entry(Digest::of(&bytes)) {
            Entry::Occupied(mut same) => {
                let same = same.get_mut();
                if !same_source(&same.source, &source) {
                    files::say(&format!(
                        "note: `{source}` is the same component as `{}`, and is used once",
                        same.source
                    ));
                }
                same.found &= found;
            }
            Entry::Vacant(place) => _ = place.insert(Component { source, bytes, found }),
        }
    }
    let taken: Vec<String> = parts.iter().map(|(part, _)| part.name.clone()).collect();
    let stems: Vec<(String, String)> =
        nameless.iter().map(|(digest, one)| (one.source.stem(), digest.hex())).collect();
    for (name, one) in part_names(&stems, &taken).into_iter().zip(nameless.into_values()) {
        parts.push((Part { optional: one.found, ..Part::new(name, one.bytes) }, one.source));
    }
    Ok(parts)
}

fn component_bytes(source: &Source, content: Content) -> Result<Vec<u8>, Failure> {
    match content {
        Content::Bytes(bytes) => {
            if !bytes.starts_with(COMPONENT) {
                let shown = source.to_string();
                anatomy::read(&bytes).map_err(|error| files::not_a_component(Path::new(&shown), error))?;
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
