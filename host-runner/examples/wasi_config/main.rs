//! A host with one interface more: calls a function of a component that may import `wasi:config/store`.
//!
//! ```text
//! cargo run --release --example wasi_config -- greeter.wasm 'greet()' greeting=Hello
//! ```

mod config;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use host_runner::{App, Engine, EngineOptions, Setup, call};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, expression, settings @ ..] = arguments.as_slice() else {
        return Err("write FILE CALL [NAME=VALUE]...".into());
    };
    let settings: BTreeMap<String, String> = settings
        .iter()
        .map(|setting| setting.split_once('=').ok_or("a setting is NAME=VALUE"))
        .map(|setting| setting.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect::<Result<_, _>>()?;

    let mut setup = Setup::default();
    setup.extensions.add(config::Config::new(settings));
    let engine = Engine::new(&EngineOptions::default())?;
    let app = App::load(&engine, Path::new(file), setup)?;
    let runtime = tokio::runtime::Runtime::new()?;
    println!("{}", runtime.block_on(call(&app, expression))?.text);
    Ok(())
}
