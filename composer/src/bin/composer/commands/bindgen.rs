//! `composer bindgen`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::bindgen;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project;

/// Writes C bindings for a world: a header, a source, and an object that carries the world into the product.
///
/// Zig and C components are written against them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer bindgen --world example:worlds/greeter --wit wit --out gen")]
pub struct Bindgen {
    /// The world: its short name in the root package, or its full one.
    #[arg(long)]
    world: String,
    /// The folder of WIT packages. Default: what interlock.toml says.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    /// The folder to write to. It is made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Executes the command.
pub fn run(arguments: &Bindgen) -> Result<(), Failure> {
    let contracts = project::contracts(arguments.wit.as_deref(), Path::new("."))?;
    let written = bindgen::c(&contracts, &arguments.world)
        .map_err(|error| Failure::because(Exit::Cannot, "no bindings were written", error))?;
    for (name, content) in written {
        let path = arguments.out.join(name);
        files::write(&path, &content)?;
        files::print(format!("{}\n", path.display()).as_bytes())?;
    }
    Ok(())
}
