//! What a component asks for and offers, and which types go through where.

use std::collections::HashMap;

use wasmparser::component_types::{ComponentAnyTypeId, ComponentEntityType, ComponentFuncTypeId};
use wasmparser::types::TypesRef;

use super::error::PartError;
use crate::named_types;
use crate::spread::spread;
use contract::contain::contain;
use contract::roots::{self, Names};
use contract::wit_package;

/// A component from the outside.
#[derive(Debug)]
pub(super) struct Surface {
    pub(super) imports: Vec<Import>,
    pub(super) exports: Vec<Export>,
}

#[derive(Debug)]
pub(super) struct Import {
    pub(super) name: String,
    /// The interface that it implements, where its name is another.
    pub(super) implements: Option<String>,
    pub(super) instance: bool,
    /// Whether a host could withhold anything: not where it only has names for types.
    pub(super) asks: bool,
    /// Whether it is a function that could not be left to the host: the library that writes compositions cannot write it.
    pub(super) unwritable: bool,
    /// For a single type that is one of those in an imported instance: the index of that import, and its name there.
    pub(super) alias: Option<(usize, String)>,
}

#[derive(Debug)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) instance: bool,
    /// Whether it is nothing but a type.
    pub(super) is_type: bool,
    /// Whether it goes by another name than its interface.
    pub(super) labelled: bool,
    /// Where the types come from without which it cannot be exported.
    pub(super) needs: Vec<Need>,
}

impl Import {
    /// Returns the name of the interface that is asked for.
    pub(super) fn interface(&self) -> &str {
        self.implements.as_deref().unwrap_or(&self.name)
    }
}

/// An import or export of the same component, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Need {
    Import(usize),
    Export(usize),
}

/// Reads what each of these components asks for and offers, or says which of them cannot be read. Function bodies are
/// not looked at: composing validates them.
pub(super) fn read(all: &[&[u8]]) -> Result<Vec<Surface>, (usize, PartError)> {
    let one = |index: usize| look(all[index]).map_err(|error| (index, error));
    let together = contain(|| spread((0..all.len()).collect(), one).into_iter().collect());
    // Which one was it? Alone they tell; together they take a few threads.
    together.unwrap_or_else(|_| {
        (0..all.len()).map(|index| contain(|| one(index)).map_err(|crash| (index, crash.into()))?).collect()
    })
}

fn look(bytes: &[u8]) -> Result<Surface, PartError> {
    let found = anatomy::outline(bytes)?;
    let mut surface = walk(bytes).map_err(PartError::Invalid)?;
    if wit_package::is_one(bytes, &found.imports, &found.exports) {
        return Err(PartError::WitPackage);
    }
    for import in &mut surface.imports {
        import.asks = found.imports.contains(&import.name) && !found.naming.contains(&import.name);
    }
    Ok(surface)
}

fn walk(bytes: &[u8]) -> wasmparser::Result<Surface> {
    let (Names { imports, exports, .. }, types) = roots::read(bytes)?;
    Ok(types.as_ref().map(|types| types.as_ref()).map_or_else(
        || Surface { imports: Vec::new(), exports: Vec::new() },
        |types| Walker { types, origins: HashMap::new() }.surface(imports, exports),
    ))
}

/// Follows the rule of validation that whatever an export mentions must have a name before: records, variants, enums,
/// flags and resources are named by what was imported or exported earlier.
struct Walker<'a> {
    types: TypesRef<'a>,
    /// Where each type got its name, and the name, for those inside an instance.
    origins: HashMap<ComponentAnyTypeId, (Need, Option<String>)>,
}

impl Walker<'_> {
    fn surface(mut self, imports: Vec<String>, exports: Vec<String>) -> Surface {
        let mut surface = Surface { imports: Vec::new(), exports: Vec::new() };
        for (index, name) in imports.into_iter().enumerate() {
            let item = self.types.component_item_for_import(&name);
            let implements = item.and_then(|item| item.implements.clone());
            let ty = item.map(|item| item.ty);
            let alias = match ty {
                Some(ComponentEntityType::Type { referenced, .. }) => match self.origins.get(&referenced) {
                    Some((Need::Import(from), Some(inner))) => Some((*from, inner.clone())),
                    _ => None,
                },
                _ => None,
            };
            let instance = matches!(ty, Some(ComponentEntityType::Instance(_)));
            ty.iter().for_each(|ty| self.register(ty, Need::Import(index)));
            let unwritable = match ty {
                Some(ComponentEntityType::Func(id)) => self.cannot_be_written(id),
                _ => false,
            };
            surface.imports.push(Import { name, implements, instance, asks: true, unwritable, alias });
        }
        for (index, name) in exports.into_iter().enumerate() {
            let Some(item) = self.types.component_item_for_export(&name) else { continue };
            let mentioned = named_types::mentioned(self.types, &item.ty);
            let mut needs: Vec<Need> =
                mentioned.iter().filter_map(|id| self.origins.get(id).map(|(need, _)| *need)).collect();
            needs.sort();
            needs.dedup();
            self.register(&item.ty, Need::Export(index));
            surface.exports.push(Export {
                name,
                instance: matches!(item.ty, ComponentEntityType::Instance(_)),
                is_type: matches!(item.ty, ComponentEntityType::Type { .. }),
                labelled: item.implements.is_some(),
                needs,
            });
        }
        surface
    }

    /// Returns whether the library that writes compositions could not write this import: it can where all resources are
    /// owned ones that the component imports by themselves.
    fn cannot_be_written(&self, function: ComponentFuncTypeId) -> bool {
        let function = ComponentEntityType::Func(function);
        let by_itself =
            |id: &ComponentAnyTypeId| matches!(self.origins.get(id), Some((Need::Import(_), None)));
        let mentioned = named_types::mentioned(self.types, &function);
        let mut resources = mentioned.iter().filter(|id| matches!(id, ComponentAnyTypeId::Resource(_)));
        named_types::borrows(self.types, &function) || !resources.all(by_itself)
    }

    /// Notes the names that an import or export gives to types; the first one counts.
    fn register(&mut self, ty: &ComponentEntityType, place: Need) {
        named_types::given(self.types, ty, &mut |id, path| {
            self.origins.entry(id).or_insert_with(|| (place, path.last().cloned()));
        });
    }
}
