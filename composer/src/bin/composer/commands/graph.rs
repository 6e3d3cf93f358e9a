//! `composer graph`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use composer::graph;
use composer::report::{self, Finding};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::source::{self, RegistryOptions, Source};

/// Draw a composition: its components with language and size, the calls between them, and the
/// imports from the host.
///
/// Each arrow goes from caller to callee, with the interfaces and the number of their functions.
/// Nothing is executed, and nothing outside the component is read.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer graph whole.wasm -o whole.svg\n  composer graph whole.wasm --format mmd"
)]
pub struct Graph {
    /// Component: a path, `oci://REGISTRY/NAME:TAG`, or `-` for standard input.
    #[arg(value_parser = Source::parser())]
    file: Source,
    /// Output file, or `-` for standard output. Its extension selects the format. Missing
    /// directories are created.
    #[arg(short, long, value_name = "OUT.{svg,mmd,dot}", default_value = "-")]
    output: PathBuf,
    /// Output format. Default: the one that the output's extension selects, and Mermaid on standard
    /// output.
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    registry: RegistryOptions,
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
    files::keep_apart(&arguments.output, arguments.file.path())?;
    let bytes = source::read(&arguments.file, &arguments.registry, Path::new("."))?;
    let shown = arguments.file.to_string();
    let finding =
        report::inspect(&bytes).map_err(|error| files::not_a_component(Path::new(&shown), error))?;
    let Finding::Component(inspected) = finding else {
        return Err(Failure::new(
            Exit::Input,
            format!("`{shown}` is a WIT package: there is nothing to draw"),
        )
        .help(format!("`composer inspect {shown}` shows what is in it")));
    };
    let component = inspected.component;
    let title = arguments.file.title();
    let text = match format {
        Format::Svg => graph::svg(&title, &component).map_err(|error| {
            let message = format!("there is no picture of `{shown}`");
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
    match suffix.to_ascii_lowercase().as_str() {
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
