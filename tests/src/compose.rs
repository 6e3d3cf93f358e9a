//! Compositions that only a test needs: text in WAC, composed by the real command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::{process, project};

/// Composes a text with these packages, and gives the product. The same name is composed once a process.
///
/// # Panics
/// When it cannot be composed: with the composer's words.
pub fn compose(name: &str, wac: &str, packages: &[(&str, &Path)]) -> PathBuf {
    static DONE: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(product) = done.get(name) {
        return product.clone();
    }
    project::ready();
    let directory = project::path("target/e2e");
    fs::create_dir_all(&directory).expect("target/e2e can be made");
    // Another process may compose the same: each works by itself, and what is there is always whole.
    let own = tempfile::tempdir_in(&directory).expect("a directory can be made");
    let source = own.path().join(format!("{name}.wac"));
    let made = own.path().join(format!("{name}.wasm"));
    fs::write(&source, wac).expect("the text can be written");
    let mut arguments: Vec<OsString> =
        vec!["compose".into(), source.into(), "-o".into(), made.clone().into()];
    for (package, file) in packages {
        arguments.push("-d".into());
        let mut definition = OsString::from(format!("{package}="));
        definition.push(file);
        arguments.push(definition);
    }
    let finished = process::run("composer", project::root(), &arguments, "").expect("composer runs");
    assert_eq!(finished.code, Some(0), "composing {name} failed:\n{}{}", finished.stdout, finished.stderr);
    let product = directory.join(format!("{name}.wasm"));
    fs::rename(made, &product).expect("it can be renamed");
    done.insert(name.to_owned(), product.clone());
    product
}

/// The business logic on storage, with a pricing rule, everything exported: what the contract tests call.
///
/// # Panics
/// As [`compose`].
pub fn shop_without_front(logic: &str, pricing: &Path) -> PathBuf {
    let rule = pricing.file_stem().and_then(|stem| stem.to_str()).expect("a component has a name");
    compose(
        &format!("{logic}-with-{rule}"),
        "package test:logic;\n\n\
         let storage = new parts:storage { ... };\n\
         let pricing = new parts:pricing {};\n\
         let logic = new parts:logic { ...storage, ...pricing };\n\n\
         export storage...;\n\
         export logic...;\n",
        &[
            ("parts:storage", &project::component("storage")),
            ("parts:pricing", pricing),
            ("parts:logic", &project::component(logic)),
        ],
    )
}

/// Storage beside a pricing rule, both exported: two parts in one instance, of which one can end the other.
///
/// # Panics
/// As [`compose`].
pub fn storage_beside(pricing: &Path) -> PathBuf {
    let rule = pricing.file_stem().and_then(|stem| stem.to_str()).expect("a component has a name");
    compose(
        &format!("storage-beside-{rule}"),
        "package test:beside;\n\n\
         let storage = new parts:storage { ... };\n\
         let pricing = new parts:pricing {};\n\n\
         export storage...;\n\
         export pricing...;\n",
        &[("parts:storage", &project::component("storage")), ("parts:pricing", pricing)],
    )
}
