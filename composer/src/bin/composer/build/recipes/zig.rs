//! Zig, from the Python package that carries its whole toolchain.
//!
//! There is no generator of Zig bindings, and none is needed: the C bindings are translated by Zig itself, and
//! are the module `bindings` of the component.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use composer::bindgen;

use super::{Site, from_core, make_directory, sign};
use crate::build::step::StepError;
use crate::build::tools::run;

/// C bindings on disk.
pub struct Bindings {
    pub directory: PathBuf,
    pub header: PathBuf,
    pub source: PathBuf,
    pub object: PathBuf,
}

/// Builds the component.
pub fn make(site: &Site<'_>, note: &dyn Fn(&str)) -> Result<Vec<u8>, StepError> {
    let bindings = bindings(site)?;
    let mut translate = zig(site, note)?;
    translate.args(["translate-c", "-target", "wasm32-wasi", "-lc"]).arg(&bindings.header);
    let translated = bindings.directory.join("bindings.zig");
    write(&translated, &run(translate, "zig translate-c", "Python", "")?)?;
    let before = ["--dep", "bindings", &with("-Mroot=", &site.component.entry), "-lc"];
    let component = core(site, &bindings, &before, &[with("-Mbindings=", &translated)], note)?;
    sign(&component, "Zig", "zig", site.tools.python_package("ziglang")?)
}

/// Runs `zig build-exe`, and makes a component of what it builds. `before` and `after` go around the bindings: Zig
/// reads all that stands between two modules as belonging to the first.
pub fn core(
    site: &Site<'_>,
    bindings: &Bindings,
    before: &[&str],
    after: &[String],
    note: &dyn Fn(&str),
) -> Result<Vec<u8>, StepError> {
    let core = site.workshop("core")?.join("core.wasm");
    let mut build = zig(site, note)?;
    build.args(["build-exe", "-target", "wasm32-wasi", "-O", "ReleaseSmall", "-fno-entry"]);
    build.args(["-mexec-model=reactor", "-rdynamic", "--name", site.name]);
    build.arg(with("-femit-bin=", &core)).args(before).arg(with("-I", &bindings.directory));
    build.arg(&bindings.source).arg(&bindings.object).args(after);
    run(build, "zig build-exe", "Python", "")?;
    from_core(&core)
}

/// Zig, to be run in the component's directory. One cache for all components: Zig locks it.
fn zig(site: &Site<'_>, note: &dyn Fn(&str)) -> Result<Command, StepError> {
    site.tools.python_package("ziglang")?;
    let cache = site.project.out().join("build").join("zig-cache");
    if !cache.exists() {
        note("the first time, Zig builds its C translator and library: about two minutes");
        make_directory(&cache)?;
    }
    let mut command = Command::new(site.tools.python("Zig")?);
    command.args(["-m", "ziglang"]).current_dir(site.directory());
    command.env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_COLOR", "1");
    Ok(command)
}

/// Writes C bindings for the component's world.
pub fn bindings(site: &Site<'_>) -> Result<Bindings, StepError> {
    let directory = site.workshop("bindings")?;
    let generated = bindgen::c(site.contracts, &site.component.world)
        .map_err(|error| StepError::Inside { what: "there are no bindings for it", source: error.into() })?;
    let named = |suffix: &str| {
        let found = generated.iter().map(|(name, _)| name).find(|name| name.ends_with(suffix));
        directory.join(found.map_or("", String::as_str))
    };
    let bindings = Bindings {
        header: named(".h"),
        source: named(".c"),
        object: named(".o"),
        directory: directory.clone(),
    };
    for (name, content) in &generated {
        write(&directory.join(name), content)?;
    }
    Ok(bindings)
}

/// Writes an intermediate file. Zig caches by content, so it does no harm to write the same again.
fn write(path: &Path, content: &[u8]) -> Result<(), StepError> {
    fs::write(path, content)
        .map_err(|error| StepError::Inside { what: "cannot write bindings", source: error.into() })
}

fn with(flag: &str, path: &Path) -> String {
    let mut text = OsString::from(flag);
    text.push(path);
    text.to_string_lossy().into_owned()
}
