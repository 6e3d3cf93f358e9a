//! The imports and exports of a component itself, by name: the validator knows their types, and only answers for a name.

use wasmparser::types::Types;
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// Names in the order of the binary.
#[derive(Debug, Default)]
pub struct Names {
    /// Of its imports.
    pub imports: Vec<String>,
    /// Of its exports.
    pub exports: Vec<String>,
    /// How many components and modules are open within the component.
    depth: u32,
}

impl Names {
    /// The names alone. Nothing is validated.
    pub fn read(bytes: &[u8]) -> wasmparser::Result<Self> {
        let mut names = Names::default();
        for payload in Parser::new(0).parse_all(bytes) {
            names.see(&payload?)?;
        }
        Ok(names)
    }

    /// Notes what a payload names. Those of nested components and modules are passed by.
    pub fn see(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section.clone() {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section.clone() {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The names, and the types behind them. Everything is validated but function bodies.
pub fn read(bytes: &[u8]) -> wasmparser::Result<(Names, Option<Types>)> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut names, mut types) = (Names::default(), None);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        names.see(&payload)?;
        // What ends last is the component itself.
        if let ValidPayload::End(known) = validator.payload(&payload)? {
            types = Some(known);
        }
    }
    Ok((names, types))
}
