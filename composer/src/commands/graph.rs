//! `composer graph`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use composer::graph;

use crate::failure::{Exit, Failure};
use crate::files;

/// Draws a composition: its parts with their language and size, who calls whom, and what of it is the host's.
///
/// Each arrow goes from whoever calls to whoever is called, with the interfaces and the number of their functions.
/// Nothing is executed, and nothing outside the file is looked at.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer graph whole.wasm -o whole.svg\n  composer graph whole.wasm --format mmd"
)]
pub struct Graph {
    /// The component.
    file: PathBuf,
    /// Where the picture goes: a file, or `-` for standard output. Its suffix says what it is written in.
    #[arg(short, long, value_name = "OUT.{svg,mmd,dot}", default_value = "-")]
    output: PathBuf,
    /// What the picture is written in. Default: what the suffix of the output says, and Mermaid on standard output.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// A picture, laid out.
    Svg,
    /// Mermaid: text that many sites draw.
    Mmd,
    /// Graphviz: text that `dot` lays out.
    Dot,
}

/// Executes the command.
pub fn run(arguments: &Graph) -> Result<(), Failure> {
    let format = match arguments.format {
        Some(format) => format,
        None => by_suffix(&arguments.output)?,
    };
    files::keep_apart(&arguments.output, [arguments.file.as_path()])?;
    let bytes = files::read(&arguments.file)?;
    let component = anatomy::read(&bytes).map_err(|error| files::not_a_component(&arguments.file, error))?;
    let title = files::title(&arguments.file);
    let text = match format {
        Format::Svg => graph::svg(&title, &component).map_err(|error| {
            let message = format!("there is no picture of `{}`", arguments.file.display());
            Failure::because(Exit::Cannot, message, error)
                .help("`--format dot` writes it for Graphviz, which takes its time for large ones")
        })?,
        Format::Mmd => graph::mermaid(&title, &component),
        Format::Dot => graph::dot(&title, &component),
    };
    if arguments.output.as_os_str() == "-" {
        files::print(text.as_bytes())
    } else {
        files::write(&arguments.output, text.as_bytes())
    }
}

fn by_suffix(output: &Path) -> Result<Format, Failure> {
    if output.as_os_str() == "-" {
        return Ok(Format::Mmd);
    }
    let suffix = output.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
    match suffix {
        "svg" => Ok(Format::Svg),
        "mmd" | "mermaid" => Ok(Format::Mmd),
        "dot" | "gv" => Ok(Format::Dot),
        _ => Err(Failure::new(
            Exit::Usage,
            format!("the name `{}` does not say what the picture is to be written in", output.display()),
        )
        .help("end it in .svg, .mmd or .dot, or say it with `--format`")),
    }
}
