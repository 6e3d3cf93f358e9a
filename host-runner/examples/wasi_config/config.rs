//! `wasi:config/store`, as an extension of the host: settings that do not change while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_runner::Extension;
use host_runner::extension::{ExtensionError, State};
use host_runner::wasmtime;
use host_runner::wasmtime::component::{HasSelf, Linker};

mod bindings {
    host_runner::wasmtime::component::bindgen!({
        path: "../tests/config/wit/deps/wasi-config",
        world: "wasi:config/imports",
        wasmtime_crate: host_runner::wasmtime,
    });
}

use bindings::wasi::config::store;

/// Grants `wasi:config/store` with these settings.
pub struct Config {
    settings: Arc<BTreeMap<String, String>>,
}

/// What one instance sees: its functions are the interface's.
pub struct Settings(Arc<BTreeMap<String, String>>);

impl Config {
    /// The settings, by their names.
    pub fn new(settings: BTreeMap<String, String>) -> Self {
        Self { settings: Arc::new(settings) }
    }
}

impl Extension for Config {
    type Data = Settings;

    fn interfaces(&self) -> Vec<String> {
        vec!["wasi:config/store@0.2.0-rc.1".to_owned()]
    }

    fn allows(&self) -> String {
        format!("reading {} settings", self.settings.len())
    }

    fn add_to_linker(&self, linker: &mut Linker<State>) -> wasmtime::Result<()> {
        store::add_to_linker::<State, HasSelf<Settings>>(linker, State::extension::<Self>)
    }

    // Every instance shares the same map: nothing is copied for a request.
    fn start(&self) -> Result<Settings, ExtensionError> {
        Ok(Settings(Arc::clone(&self.settings)))
    }
}

impl store::Host for Settings {
    fn get(&mut self, key: String) -> Result<Option<String>, store::Error> {
        Ok(self.0.get(&key).cloned())
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, store::Error> {
        Ok(self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}
