//! The contracts are documentation as much as code: nothing in them may go without an explanation.

use std::path::Path;

use wit_parser::{Docs, Resolve, TypeDefKind, WorldItem};

/// Collects the paths of all items that have no doc comment.
struct Undocumented(Vec<String>);

impl Undocumented {
    fn check(&mut self, docs: &Docs, path: impl Into<String>) {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            self.0.push(path.into());
        }
    }
}

fn own_contracts() -> Resolve {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut resolve = Resolve::default();
    resolve.push_path(&wit).expect("wit/ loads as it is");
    resolve
}

#[test]
fn every_item_of_every_contract_is_documented() {
    let resolve = own_contracts();
    let mut missing = Undocumented(Vec::new());
    let mut items = 0;

    for (_, package) in resolve.packages.iter().filter(|(_, package)| package.name.namespace == "shop") {
        missing.check(&package.docs, package.name.to_string());
        for (interface_name, id) in &package.interfaces {
            let interface = &resolve.interfaces[*id];
            let path = format!("{}/{interface_name}", package.name);
            missing.check(&interface.docs, &path);
            for (name, function) in &interface.functions {
                items += 1;
                missing.check(&function.docs, format!("{path}#{name}"));
            }
            for (name, id) in &interface.types {
                let definition = &resolve.types[*id];
                // A `use` of another interface's type: documented where it is defined.
                if matches!(definition.kind, TypeDefKind::Type(wit_parser::Type::Id(_))) {
                    continue;
                }
                items += 1;
                let path = format!("{path}.{name}");
                missing.check(&definition.docs, &path);
                match &definition.kind {
                    TypeDefKind::Record(record) => {
                        for field in &record.fields {
                            missing.check(&field.docs, format!("{path}.{}", field.name));
                        }
                    }
                    TypeDefKind::Variant(variant) => {
                        for case in &variant.cases {
                            missing.check(&case.docs, format!("{path}.{}", case.name));
                        }
                    }
                    TypeDefKind::Enum(cases) => {
                        for case in &cases.cases {
                            missing.check(&case.docs, format!("{path}.{}", case.name));
                        }
                    }
                    TypeDefKind::Flags(flags) => {
                        for flag in &flags.flags {
                            missing.check(&flag.docs, format!("{path}.{}", flag.name));
                        }
                    }
                    _ => {}
                }
            }
        }
        for (name, id) in &package.worlds {
            missing.check(&resolve.worlds[*id].docs, format!("{}/{name}", package.name));
        }
    }

    assert!(items > 30, "only {items} items were looked at");
    assert!(missing.0.is_empty(), "these items have no doc comment:\n  {}", missing.0.join("\n  "));
}

#[test]
fn there_is_a_world_for_each_component_and_one_for_the_shop() {
    let resolve = own_contracts();
    let (_, package) = resolve
        .packages
        .iter()
        .find(|(_, package)| package.name.to_string() == "shop:worlds@0.1.0")
        .expect("shop:worlds is the root package");
    let mut worlds: Vec<_> = package.worlds.keys().map(String::as_str).collect();
    worlds.sort_unstable();
    assert_eq!(worlds, ["orders", "pricing", "shop", "storage", "storefront"]);
}

#[test]
fn only_storage_and_the_storefront_import_anything_of_the_system() {
    let resolve = own_contracts();
    for (_, world) in resolve.worlds.iter().filter(|(_, world)| {
        world.package.is_some_and(|package| resolve.packages[package].name.namespace == "shop")
    }) {
        let system: Vec<_> = world
            .imports
            .values()
            .filter_map(|item| match item {
                WorldItem::Interface { id, .. } => resolve.interfaces[*id].package,
                _ => None,
            })
            .map(|package| resolve.packages[package].name.to_string())
            .filter(|package| package.starts_with("wasi:"))
            .collect();
        let pure = ["pricing", "orders"].contains(&world.name.as_str());
        assert_eq!(pure, system.is_empty(), "world {} imports {system:?}", world.name);
    }
}
