//! Reads what is to be composed: a text in the WAC language, or a bag of components.
//!
//! What an input is shows in its content, not in its name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use composer::manifest;
use composer::wire::{Part, is_part_name, part_names};
use sha2::{Digest, Sha256};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::Given;

/// How every WebAssembly binary begins, and how a component goes on.
const WASM: &[u8] = b"\0asm";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// What is to be composed.
pub enum Inputs {
    /// A text: its file, and what it says.
    Text(PathBuf, String),
    /// Components: parts, and the file of each.
    Bag(Vec<(Part, PathBuf)>),
}

/// A component that was read, and the name that it was given.
struct Input {
    name: Option<String>,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Whether it was found in a folder, rather than asked for.
    found: bool,
}

/// Reads the inputs: a single text; or components as `FILE`, `NAME=FILE` or a folder of them, with those of `-d` beside.
/// `output` is no input, though it may lie in one of the folders.
pub fn read(arguments: &[PathBuf], named: &[Given], output: Option<&Path>) -> Result<Inputs, Failure> {
    if let [only] = arguments
        && only.exists()
        && !only.is_dir()
    {
        let bytes = files::read(only)?;
        if !bytes.starts_with(WASM) {
            return Ok(Inputs::Text(only.clone(), files::text(only, bytes)?));
        }
        let mut inputs = vec![Input { name: None, path: only.clone(), bytes, found: false }];
        inputs.extend(given(named)?);
        return bag(inputs);
    }
    let mut inputs = Vec::new();
    for argument in arguments {
        inputs.extend(argument_inputs(argument, output)?);
    }
    inputs.extend(given(named)?);
    bag(inputs)
}

fn argument_inputs(argument: &Path, output: Option<&Path>) -> Result<Vec<Input>, Failure> {
    if argument.is_dir() {
        return folder(argument, output);
    }
    let named = argument.to_str().and_then(|text| text.split_once('=')).filter(|_| !argument.exists());
    let (name, path) = match named {
        Some((name, path)) => (Some(name.to_owned()), PathBuf::from(path)),
        None => (None, argument.to_owned()),
    };
    Ok(vec![component(name, path)?])
}

fn given(named: &[Given]) -> Result<Vec<Input>, Failure> {
    let one = |given: &Given| match given.package.split_once(':') {
        Some((manifest::NAMESPACE, name)) => component(Some(name.to_owned()), given.file.clone()),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("`-d {}=…` names a package, where there is no text that mentions it", given.package),
        )
        .help("without a `.wac` text, a component is given as `NAME=FILE`")),
    };
    named.iter().map(one).collect()
}

fn component(name: Option<String>, path: PathBuf) -> Result<Input, Failure> {
    if let Some(name) = name.as_ref().filter(|name| !is_part_name(name)) {
        let message = format!("`{name}` cannot be the name of a part");
        return Err(Failure::new(Exit::Usage, message).help(
            "a name is words of lower-case letters and digits that begin with a letter, joined by hyphens",
        ));
    }
    let bytes = files::read(&path)?;
    if !bytes.starts_with(COMPONENT) {
        anatomy::read(&bytes).map_err(|error| files::not_a_component(&path, error))?;
    }
    Ok(Input { name, path, bytes, found: false })
}

/// All components directly in a folder.
fn folder(folder: &Path, output: Option<&Path>) -> Result<Vec<Input>, Failure> {
    let failed = |error| Failure::because(Exit::Input, format!("cannot read `{}`", folder.display()), error);
    let output = output.and_then(|output| fs::canonicalize(output).ok());
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || !path.is_file() || output.is_some() && fs::canonicalize(&path).ok() == output {
            continue;
        }
        let bytes = files::read(&path)?;
        if bytes.starts_with(COMPONENT) {
            inputs.push(Input { name: None, path, bytes, found: true });
        }
    }
    if inputs.is_empty() {
        let message = format!("there are no components in `{}`", folder.display());
        return Err(
            Failure::new(Exit::Input, message).help("only the folder itself is looked at, not folders in it")
        );
    }
    Ok(inputs)
}

/// Names the components. One that was given twice without a name is one part.
fn bag(mut inputs: Vec<Input>) -> Result<Inputs, Failure> {
    // By their paths: the order of arguments must change nothing, nor what else there is to say.
    inputs.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    let mut parts = Vec::new();
    let mut nameless: BTreeMap<String, Input> = BTreeMap::new();
    for input in inputs {
        if let Some(name) = input.name {
            parts.push((Part::new(name, input.bytes), input.path));
            continue;
        }
        let digest = Sha256::digest(&input.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        match nameless.get_mut(&digest) {
            Some(same) => {
                if !same_file(&same.path, &input.path) {
                    let (kept, other) = (same.path.display(), input.path.display());
                    files::say(&format!(
                        "note: `{other}` is the same component as `{kept}`, and is used once"
                    ));
                }
                same.found &= input.found;
            }
            None => _ = nameless.insert(digest, input),
        }
    }
    let taken: Vec<String> = parts.iter().map(|(part, _)| part.name.clone()).collect();
    let stems: Vec<(String, String)> = nameless
        .iter()
        .map(|(digest, input)| {
            let stem = input.path.file_stem().unwrap_or_default().to_string_lossy();
            (stem.into_owned(), digest.clone())
        })
        .collect();
    for (name, input) in part_names(&stems, &taken).into_iter().zip(nameless.into_values()) {
        parts.push((Part { optional: input.found, ..Part::new(name, input.bytes) }, input.path));
    }
    Ok(Inputs::Bag(parts))
}

fn same_file(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one).ok().is_some_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}
