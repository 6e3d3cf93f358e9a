//! Gathers what `composer doctor` looks at: what is installed, locked and built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use composer::doctor::{Built, Facts, Package, Pin, State, Tool, making};
use composer::manifest::Language;
use ignore::WalkBuilder;
use serde::Deserialize;
use toml::{Table, Value};

use crate::build::{self, Toolbox};
use crate::failure::Failure;
use crate::files;
use crate::project::{self, Project};
use crate::source::{self, RegistryOptions, Source};

/// The packages whose versions matter, in whichever lock.
const WATCHED: [&str; 13] = [
    "wit-bindgen",
    "wit-component",
    "wac-graph",
    "wasmtime",
    "wasmtime-wasi",
    "wasmtime-wasi-http",
    "wasmtime-wasi-keyvalue",
    "cargo-component",
    "@bytecodealliance/componentize-js",
    "@bytecodealliance/jco",
    "@bytecodealliance/preview2-shim",
    "componentize-py",
    "ziglang",
];

/// These components, and nothing around them.
pub fn components(sources: &[Source], registry: &RegistryOptions) -> Result<Facts, Failure> {
    let component = |source: &Source| {
        let bytes = source::read(source, registry, Path::new("."))?;
        let shown = source.to_string();
        built(&shown, Path::new(&shown), &bytes, State::Unknown)
    };
    let components = sources.iter().map(component);
    Ok(Facts { components: components.collect::<Result<_, _>>()?, ..Facts::default() })
}

/// A project: its tools, locks, contracts and products.
pub fn project(project: &Project) -> Result<Facts, Failure> {
    let contracts = project::load(&project.wit())?;
    let toolbox = Toolbox::new(project);
    let mut components = Vec::new();
    for (name, state) in build::states(project, &contracts, &toolbox) {
        let path = project.component(&name);
        components.push(match path.exists() {
            true => built(&name, &path, &files::read(&path)?, state)?,
            false => Built { name, state: State::Missing, ..Built::default() },
        });
    }
    let locked = locked_packages(&project.wit().join("deps.lock"));
    let packages = contracts.resolve().packages.iter().map(|(_, package)| {
        let name = format!("{}:{}", package.name.namespace, package.name.name);
        let version = package.name.version.as_ref().map(ToString::to_string);
        let locked = locked.get(&name).cloned();
        Package { name, version, locked }
    });
    let mut packages: Vec<Package> = packages.collect();
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(Facts {
        tools: tools(project, &toolbox),
        pins: pins(&project.root),
        packages,
        rust_version: rust_version(&project.root),
        components,
    })
}

/// A component, as it says of itself.
fn built(name: &str, path: &Path, bytes: &[u8], state: State) -> Result<Built, Failure> {
    let component = anatomy::read(bytes).map_err(|error| files::not_a_component(path, error))?;
    // It was read whole a moment ago, so it is WebAssembly; what it says of its making is a remark.
    let making = making(bytes).unwrap_or_default();
    let language = component.parts.first().and_then(|part| part.language.clone());
    Ok(Built {
        name: name.to_owned(),
        language: language.filter(|_| !component.is_composition()),
        made_by: making.tools,
        adapters: making.adapters,
        imports: component.imports,
        exports: component.exports,
        state,
    })
}

/// The tools that the components are built with, each with those that need it.
fn tools(project: &Project, toolbox: &Toolbox) -> Vec<Tool> {
    let mut tools = Vec::new();
    let mut add = |name: &str, languages: &[Language], version: &dyn Fn() -> Option<String>| {
        let wanted = project.manifest.components.iter();
        let wanted = wanted.filter(|(_, component)| languages.contains(&component.language));
        let wanted_by: Vec<String> = wanted.map(|(name, _)| name.clone()).collect();
        if !wanted_by.is_empty() {
            tools.push(Tool { name: name.to_owned(), version: version(), wanted_by });
        }
    };
    add("rustc", &[Language::Rust], &|| {
        let said = toolbox.rustc().ok()?;
        said.lines().find_map(|line| line.strip_prefix("release: ")).map(ToOwned::to_owned)
    });
    add(build::RUST_TARGET, &[Language::Rust], &|| {
        let sysroot = answer("rustc", &["--print", "sysroot"], &project.root)?;
        let libraries = Path::new(&sysroot).join("lib/rustlib").join(build::RUST_TARGET).join("lib");
        libraries.is_dir().then(String::new)
    });
    add("node", &[Language::JavaScript], &|| {
        answer("node", &["--version"], &project.root)
            .map(|version| version.trim_start_matches('v').to_owned())
    });
    add("componentize-js", &[Language::JavaScript], &|| {
        let path = toolbox.node_module("@bytecodealliance/componentize-js/package.json").ok()?;
        let package: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(package.get("version")?.as_str()?.to_owned())
    });
    add("componentize-py", &[Language::Python], &|| toolbox.python_package("componentize_py").ok());
    add("ziglang", &[Language::Zig, Language::C], &|| toolbox.python_package("ziglang").ok());
    tools
}

/// The first line that a tool prints, where it is there and does not fail.
fn answer(tool: &str, arguments: &[&str], directory: &Path) -> Option<String> {
    let output =
        Command::new(tool).args(arguments).current_dir(directory).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned();
    output.status.success().then_some(text)
}

/// The lock files of a project: in its directory, and in those right below.
fn pins(root: &Path) -> Vec<Pin> {
    let mut pins = Vec::new();
    let not_installed = |entry: &ignore::DirEntry| entry.file_name() != "node_modules";
    let walk = WalkBuilder::new(root)
        .max_depth(Some(2))
        .require_git(false)
        .filter_entry(not_installed)
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy();
        let read: fn(&str) -> Vec<(String, String)> = match &*name {
            "Cargo.lock" => cargo_lock,
            "package-lock.json" => package_lock,
            name if name.starts_with("requirements") && name.ends_with(".txt") => requirements,
            _ => continue,
        };
        let file = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let text = fs::read_to_string(path).unwrap_or_default();
        let found = read(&text).into_iter().filter(|(name, _)| WATCHED.contains(&name.as_str()));
        pins.extend(found.map(|(name, version)| Pin { name, version, file: file.clone() }));
    }
    pins
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: Option<String>,
}

#[derive(Deserialize, Default)]
struct Lock {
    #[serde(default)]
    package: Vec<Locked>,
}

fn cargo_lock(text: &str) -> Vec<(String, String)> {
    let lock: Lock = toml::from_str(text).unwrap_or_default();
    lock.package.into_iter().filter_map(|package| Some((package.name, package.version?))).collect()
}

fn package_lock(text: &str) -> Vec<(String, String)> {
    let lock: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let packages = lock.get("packages").and_then(|packages| packages.as_object());
    let found = packages.into_iter().flatten().filter_map(|(path, package)| {
        let (_, name) = path.rsplit_once("node_modules/")?;
        Some((name.to_owned(), package.get("version")?.as_str()?.to_owned()))
    });
    found.collect()
}

fn requirements(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter_map(|line| line.split_once("=="));
    let version = |rest: &str| rest.split([' ', ';', '\\']).next().unwrap_or_default().to_owned();
    lines.map(|(name, rest)| (name.trim().to_owned(), version(rest))).collect()
}

/// The versions that the lock of the contracts names.
fn locked_packages(lock: &Path) -> BTreeMap<String, String> {
    cargo_lock(&fs::read_to_string(lock).unwrap_or_default()).into_iter().collect()
}

/// The oldest Rust that the Cargo manifest in this directory takes.
fn rust_version(root: &Path) -> Option<String> {
    let manifest: Table = fs::read_to_string(root.join("Cargo.toml")).ok()?.parse().ok()?;
    let package = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("package"))
        .or(manifest.get("package"))?;
    package.get("rust-version").and_then(Value::as_str).map(ToOwned::to_owned)
}
