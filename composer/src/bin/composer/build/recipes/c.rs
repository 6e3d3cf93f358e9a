//! C, with the compiler that comes with Zig.

use super::zig::{bindings, core};
use super::{Site, sign};
use crate::build::key::sources;
use crate::build::step::StepError;

/// Builds the component from its entry and all other C files beside and below it.
pub fn make(site: &Site<'_>, note: &dyn Fn(&str)) -> Result<Vec<u8>, StepError> {
    let directory = site.directory();
    let entry = directory.join(&site.component.entry);
    let mut files = vec![entry.clone()];
    let beside = entry.parent().unwrap_or(&directory);
    files.extend(
        sources(beside)?
            .into_iter()
            .filter(|path| *path != entry && path.extension().is_some_and(|extension| extension == "c")),
    );
    let files: Vec<String> = files.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let mut before = vec!["-lc"];
    before.extend(files.iter().map(String::as_str));
    let component = core(site, &bindings(site)?, &before, &[], note)?;
    sign(&component, "C", "zig cc", site.tools.python_package("ziglang")?)
}
