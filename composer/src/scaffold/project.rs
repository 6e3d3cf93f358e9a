//! Listing a part where it belongs: in `interlock.toml`, and in a Cargo workspace. Comments and order stay.

use thiserror::Error;
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::rust::{Cargo, PROFILE};
use crate::manifest::Language;

/// Features of the JavaScript engine that no contract mentions: a part that needs none of them imports none.
const DISABLED: [&str; 5] = ["stdio", "random", "clocks", "http", "fetch-event"];

/// Why a part cannot be listed.
#[derive(Debug, Error)]
pub enum ListError {
    /// The file is not TOML.
    #[error("it is not TOML")]
    Toml(#[from] toml_edit::TomlError),
    /// Something in it is not written in the way that is added to.
    #[error("`{0}` is not a table of its own there")]
    Shape(&'static str),
}

/// `interlock.toml` with one more component.
///
/// # Errors
///
/// Where the text is not TOML, or has its components in another form than `[components.NAME]`.
pub fn list(
    text: &str,
    name: &str,
    language: Language,
    path: &str,
    world: &str,
) -> Result<String, ListError> {
    let mut document: DocumentMut = text.parse()?;
    let components = document.entry("components").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let components = components.as_table_mut().ok_or(ListError::Shape("components"))?;
    let mut entry = Table::new();
    entry.insert("language", toml_edit::value(language.to_string().to_lowercase()));
    entry.insert("path", toml_edit::value(path));
    entry.insert("world", toml_edit::value(world));
    if language == Language::JavaScript {
        entry.insert("disable", toml_edit::value(Array::from_iter(DISABLED)));
    }
    entry.decor_mut().set_prefix("\n");
    components.insert(name, Item::Table(entry));
    Ok(document.to_string())
}

/// What crates of the workspace in this Cargo manifest share, or None where it has no workspace.
///
/// # Errors
///
/// Where the text is not TOML.
pub fn workspace(text: &str) -> Result<Option<Cargo>, ListError> {
    let document: DocumentMut = text.parse()?;
    let Some(workspace) = document.get("workspace") else { return Ok(None) };
    let keys = |name: &str| {
        let table = workspace.get(name).and_then(Item::as_table_like);
        table.map(|table| table.iter().map(|(key, _)| key.to_owned()).collect::<Vec<_>>()).unwrap_or_default()
    };
    Ok(Some(Cargo {
        package: keys("package"),
        wit_bindgen: keys("dependencies").iter().any(|name| name == "wit-bindgen"),
        lints: workspace.get("lints").is_some(),
    }))
}

/// A Cargo workspace with one more member, and with the profile that guests are built in.
///
/// Where the members or a pattern among them, such as `parts/*`, have it already, it is not listed twice.
///
/// # Errors
///
/// Where the text is not TOML, or its members are no list.
pub fn join(text: &str, member: &str) -> Result<String, ListError> {
    let mut document: DocumentMut = text.parse()?;
    let workspace =
        document.get_mut("workspace").and_then(Item::as_table_mut).ok_or(ListError::Shape("workspace"))?;
    let members = workspace.entry("members").or_insert_with(|| toml_edit::value(Array::new()));
    let members = members.as_array_mut().ok_or(ListError::Shape("workspace.members"))?;
    if !members.iter().filter_map(Value::as_str).any(|pattern| covers(pattern, member)) {
        insert(members, member);
    }
    let profile = document.get("profile").and_then(|profile| profile.get("guest")).is_some();
    let mut text = document.to_string();
    if !profile {
        text = format!("{}\n\n{PROFILE}", text.trim_end());
    }
    Ok(text)
}

/// Whether a member of a workspace, which may be a pattern, is or covers this directory.
fn covers(pattern: &str, member: &str) -> bool {
    let (patterns, members) = (pattern.trim_end_matches('/').split('/'), member.split('/'));
    patterns.clone().count() == members.clone().count()
        && patterns.zip(members).all(|(pattern, member)| match pattern.split_once('*') {
            Some((before, after)) => {
                let rest = member.strip_prefix(before);
                rest.is_some_and(|rest| rest.ends_with(after))
            }
            None => pattern == member,
        })
}

/// Adds a member behind the last one that is in the same directory, laid out as its neighbours are.
fn insert(members: &mut Array, member: &str) {
    let directory = |path: &str| path.rsplit_once('/').map(|(directory, _)| directory.to_owned());
    let beside = members
        .iter()
        .enumerate()
        .filter(|(_, other)| other.as_str().and_then(directory) == directory(member))
        .last();
    let at = beside.map_or(members.len(), |(index, _)| index + 1);
    let last = at == members.len();
    let mut value = Value::from(member);
    if let Some(neighbour) = at.checked_sub(1).and_then(|index| members.get_mut(index)) {
        let decor = neighbour.decor_mut();
        let prefix = decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        let layout = match prefix.rsplit_once('\n') {
            // A comment above the neighbour is the neighbour's.
            Some((_, indent)) => format!("\n{indent}"),
            None => " ".to_owned(),
        };
        // Without a comma behind it, the last value carries the line break before the bracket.
        let suffix = decor.suffix().and_then(|suffix| suffix.as_str()).unwrap_or_default().to_owned();
        if last {
            decor.set_suffix("");
            value.decor_mut().set_suffix(suffix);
        }
        value.decor_mut().set_prefix(layout);
    }
    members.insert_formatted(at, value);
}
