//! `--emit-wac`: writes down the composition that was found, and beside it what was made for it and is no input.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use compose::deny::is_stub;
use compose::wire::Contract;
use composer::manifest::NAMESPACE;

use crate::failure::{Exit, Failure};
use crate::source::Source;
use crate::{files, shell};

/// What was written.
#[derive(Debug)]
pub struct Emitted {
    /// The text, and the files beside it.
    pub files: Vec<PathBuf>,
    /// The command that composes the text again.
    pub command: String,
}

/// A part that a text mentions.
pub struct Mentioned<'a> {
    /// Its name.
    pub name: &'a str,
    /// The component.
    pub bytes: &'a [u8],
    /// Where it was given. None for a stub: that was made here.
    pub source: Option<&'a Source>,
}

/// Where the contract goes that a text targets.
pub fn contract_file(text: &Path) -> PathBuf {
    text.with_extension("contract.wit")
}

/// Where a stub goes. It is called like its part, so that what is composed of the file has the same link map.
pub fn stub_file(text: &Path, stub: &str) -> PathBuf {
    text.with_file_name(format!("{stub}.wasm"))
}

/// Whether a text goes to where there is no place beside it: standard output, a device, a pipe.
pub fn alone(text: &Path) -> bool {
    text.as_os_str() == "-" || fs::metadata(text).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Refuses stubs that would take the place of an input, of what else is written, or of any other file: only a stub gives
/// way to a stub.
pub fn keep_apart<'a>(
    text: &Path,
    stubs: impl Iterator<Item = &'a str>,
    outputs: &[(&'a str, PathBuf)],
    sources: &[Source],
) -> Result<(), Failure> {
    let mut outputs = outputs.to_vec();
    for stub in stubs.map(|name| stub_file(text, name)) {
        files::keep_apart(&stub, sources.iter().filter_map(Source::path)).map_err(|failure| {
            failure.help("a stub goes beside its text: write that to another directory")
        })?;
        outputs.push(("a stub", stub.clone()));
        files::each_once(&outputs)?;
        if stub.is_file() && !is_stub(&files::read(&stub)?) {
            let message = format!("`{}` is no stub, and would be overwritten by one", stub.display());
            return Err(Failure::new(Exit::Usage, message).help(
                "a stub goes beside its text: write that to another directory, or give the file another name",
            ));
        }
    }
    Ok(())
}

/// Writes a text to where nothing can be beside it, and says what it lacks there.
pub fn write_alone(file: &Path, text: &str, targeted: bool, parts: &[Mentioned<'_>]) -> Result<(), Failure> {
    let place =
        if file.as_os_str() == "-" { "standard output".to_owned() } else { format!("`{}`", file.display()) };
    if !targeted {
        files::say(&format!(
            "note: a text on {place} targets no world: `--emit-wac FILE` writes the contract that it targets beside it"
        ));
    }
    for part in parts.iter().filter(|part| part.source.is_none()) {
        files::say(&format!(
            "note: the stub `{NAMESPACE}:{}` is written nowhere: `--emit-wac FILE` writes it beside the text",
            part.name
        ));
    }
    if file.as_os_str() == "-" { files::print(text.as_bytes()) } else { files::write(file, text.as_bytes()) }
}

/// Writes a text, and beside it its contract and stubs. `more` are words that the command needs to compose it again.
pub fn write(
    file: &Path,
    text: &str,
    contract: Option<&Contract>,
    parts: &[Mentioned<'_>],
    more: &[(&str, &OsStr)],
) -> Result<Emitted, Failure> {
    let mut packages: Vec<(String, Source)> = Vec::new();
    let mut beside: Vec<(PathBuf, &[u8])> = Vec::new();
    if let Some(Contract { package, wit, .. }) = contract {
        packages.push((package.clone(), Source::Path(contract_file(file))));
        beside.push((contract_file(file), wit.as_bytes()));
    }
    for Mentioned { name, bytes, source } in parts {
        let source = (*source).cloned().unwrap_or_else(|| {
            beside.push((stub_file(file, name), bytes));
            Source::Path(stub_file(file, name))
        });
        packages.push((format!("{NAMESPACE}:{name}"), source));
    }
    // The text comes last: once it is there, all that it mentions is.
    for (path, bytes) in &beside {
        files::write(path, bytes)?;
    }
    files::write(file, text.as_bytes())?;
    let written: Vec<PathBuf> =
        std::iter::once(file.to_owned()).chain(beside.into_iter().map(|(path, _)| path)).collect();
    for path in &written {
        files::say(&format!("wrote {}", path.display()));
    }
    let packages = packages.iter().map(|(package, source)| (package.as_str(), source));
    Ok(Emitted { files: written, command: shell::compose(file, packages, more) })
}
