//! `composer bindgen`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::bindgen;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project;

/// Generate C bindings for a world: a header, a source, and an object that embeds the world in the
/// product.
///
/// Zig and C components are written against them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  composer bindgen --world example:worlds/greeter --wit wit --out gen")]
pub struct Bindgen {
    /// World: its short name in the root package, or its full name.
    #[arg(long)]
    world: String,
    /// Directory of WIT packages. Default: the one that interlock.toml names.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    /// Output directory. It is created if it is missing.
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
