//! `composer decompose`.

use std::path::{Path, PathBuf};

use clap::Args;
use compose::decompose::{self, CONTRACTS, DecomposeError, Decomposition, PARTS};
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::source::{self, RegistryOptions, Source};
use crate::{files, outcome, shell};

/// Split a composition into its components and a WAC text that composes them again.
///
/// It works on compositions made by any tool. The text is tested before it is written: composing it
/// gives the same components, wired the same way, and a component of the same type. What WAC cannot
/// express is refused. Prints the command that composes the text.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer decompose whole.wasm -o apart")]
pub struct Decompose {
    /// Composition: a path, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    file: Source,
    /// Output directory, for the text and a file for each distinct component. It is created if it
    /// is missing.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Overwrite existing files.
    #[arg(long)]
    force: bool,
    /// Prints JSON: `text` (`file`, `bytes`), `parts` and `contracts` (each with `package`, `file`, `bytes`), `command` (what
    /// composes the text), `error` (null, or `class`, `message`, `causes`, `help`).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Decompose) -> Result<(), Failure> {
    let told = arguments.decompose();
    if arguments.json {
        return outcome::print(told, json!({ "text": null, "parts": [], "contracts": [], "command": null }));
    }
    let command = told?["command"].as_str().unwrap_or_default().to_owned();
    files::print(format!("{command}\n").as_bytes())
}

impl Decompose {
    /// Writes everything, and says what it wrote.
    fn decompose(&self) -> Result<Value, Failure> {
        let bytes = source::read(&self.file, &self.registry, Path::new("."))?;
        let shown = self.file.to_string();
        let apart = decompose::decompose(&self.file.stem(), &bytes)
            .map_err(|error| explain(Path::new(&shown), error))?;
        let text = format!("{}.wac", apart.name);
        let mut written: Vec<(PathBuf, &[u8])> = vec![(text.into(), apart.text.as_bytes())];
        let (parts, contracts) = packages(&apart);
        written.extend(parts.iter().chain(&contracts).map(|(_, file, bytes)| (file.clone(), *bytes)));
        for (name, _) in &written {
            files::keep_apart(&self.output.join(name), self.file.path())?;
        }
        files::write_together(&self.output, &written, self.force)?;
        for (name, _) in &written {
            files::say(&format!("wrote {}", self.output.join(name).display()));
        }
        let text = self.output.join(&written[0].0);
        let given = parts.iter().chain(&contracts);
        let given: Vec<(&str, Source)> = given
            .map(|(package, file, _)| (package.as_str(), Source::Path(self.output.join(file))))
            .collect();
        let command = shell::compose(&text, given.iter().map(|(package, source)| (*package, source)), &[]);
        let told = |(package, file, bytes): &Package<'_>| {
            let file = self.output.join(file).display().to_string();
            json!({ "package": package, "file": file, "bytes": bytes.len() })
        };
        Ok(json!({
            "text": { "file": text.display().to_string(), "bytes": apart.text.len() },
            "parts": parts.iter().map(told).collect::<Vec<_>>(),
            "contracts": contracts.iter().map(told).collect::<Vec<_>>(),
            "command": command,
        }))
    }
}

/// A package that the text mentions, its file, and its bytes.
type Package<'a> = (String, PathBuf, &'a [u8]);

fn packages(apart: &Decomposition) -> (Vec<Package<'_>>, Vec<Package<'_>>) {
    let parts = apart.parts.iter().map(|part| {
        (format!("{PARTS}:{}", part.name), PathBuf::from(format!("{}.wasm", part.name)), &part.bytes[..])
    });
    let contracts = apart.contracts.iter().map(|contract| {
        let file = Path::new(CONTRACTS).join(format!("{}.wasm", contract.name));
        (format!("{CONTRACTS}:{}", contract.name), file, &contract.bytes[..])
    });
    (parts.collect(), contracts.collect())
}

fn explain(file: &Path, error: DecomposeError) -> Failure {
    let shown = file.display();
    let message = format!("`{shown}` is not taken apart");
    match error {
        DecomposeError::Read(error) => files::not_a_component(file, error),
        DecomposeError::Invalid(_) | DecomposeError::CutOff { .. } => {
            Failure::because(Exit::Input, message, error).help(files::INVALID)
        }
        DecomposeError::NoParts(_) => Failure::because(Exit::Cannot, message, error)
            .help(format!("`composer inspect {shown}` shows what it imports and exports")),
        error => Failure::because(Exit::Cannot, message, error)
            .help(format!("`composer inspect {shown}` shows its parts and how they are wired all the same")),
    }
}
