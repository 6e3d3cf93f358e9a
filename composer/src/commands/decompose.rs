//! `composer decompose`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::decompose::{self, CONTRACTS, DecomposeError, Decomposition, PARTS};

use crate::failure::{Exit, Failure};
use crate::files;

/// Takes a composition apart: writes its components, and a text in the WAC language that puts them together again.
///
/// It does not matter which tool put it together. The text was tried: composing it gives the same parts, wired the same way,
/// and a component of the same type. What WAC cannot say is refused. Prints the command that composes the text.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer decompose whole.wasm -o apart")]
pub struct Decompose {
    /// The composition.
    file: PathBuf,
    /// The folder to write to: the text, and a file for each distinct component. It is made where it is missing.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Overwrites files that are there already.
    #[arg(long)]
    force: bool,
}

/// Executes the command.
pub fn run(arguments: &Decompose) -> Result<(), Failure> {
    let bytes = files::read(&arguments.file)?;
    let title = arguments.file.file_stem().unwrap_or_default().to_string_lossy();
    let apart = decompose::decompose(&title, &bytes).map_err(|error| explain(&arguments.file, error))?;
    let text = format!("{}.wac", apart.name);
    let mut written: Vec<(PathBuf, &[u8])> = vec![(text.into(), apart.text.as_bytes())];
    let (parts, contracts) = packages(&apart);
    written.extend(parts.iter().chain(&contracts).map(|(_, file, bytes)| (file.clone(), *bytes)));
    for (name, _) in &written {
        files::keep_apart(&arguments.output.join(name), [arguments.file.as_path()])?;
    }
    files::write_together(&arguments.output, &written, arguments.force)?;
    for (name, _) in &written {
        files::say(&format!("wrote {}", arguments.output.join(name).display()));
    }
    let mut command =
        format!("composer compose {} -o again.wasm", quoted(&arguments.output.join(&written[0].0)));
    for (package, file, _) in parts.iter().chain(&contracts) {
        let given = format!("{package}={}", arguments.output.join(file).display());
        command.push_str(&format!(" \\\n    -d {}", quoted(Path::new(&given))));
    }
    files::print(format!("{command}\n").as_bytes())
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

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:+@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
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
