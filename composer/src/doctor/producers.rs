//! What a component says about its making.

use wasmparser::{BinaryReaderError, KnownCustom, Name, Parser, Payload};

/// What core modules that adapt a system interface of old are called by the encoder that puts them in.
const ADAPTER: &str = "wit-component:adapter:";

/// Tools and adapters, of the whole and of all that is inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Making {
    /// Tools and their versions, each pair once, in the order in which they are met.
    pub tools: Vec<(String, String)>,
    /// Adapters: the system interfaces that they stand in for.
    pub adapters: Vec<String>,
}

/// Reads the producers sections and the names of modules.
///
/// # Errors
///
/// Where the bytes are no WebAssembly. A section that says nothing sensible is passed over: it is only a remark.
pub fn making(bytes: &[u8]) -> Result<Making, BinaryReaderError> {
    let mut making = Making::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CustomSection(section) = payload? else { continue };
        match section.as_known() {
            KnownCustom::Producers(fields) => {
                for field in fields.into_iter().flatten().filter(|field| field.name == "processed-by") {
                    for value in field.values.into_iter().flatten() {
                        making.add(value.name, value.version);
                    }
                }
            }
            KnownCustom::Name(names) => {
                for name in names.into_iter().flatten() {
                    if let Name::Module { name, .. } = name
                        && let Some(interface) = name.strip_prefix(ADAPTER)
                        && !making.adapters.iter().any(|known| known == interface)
                    {
                        making.adapters.push(interface.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(making)
}

impl Making {
    fn add(&mut self, name: &str, version: &str) {
        // Versions may carry a commit and a date behind them.
        let version = version.split_whitespace().next().unwrap_or_default();
        let pair = (name.to_owned(), version.to_owned());
        if !self.tools.contains(&pair) {
            self.tools.push(pair);
        }
    }
}
