//! Which grant each import needs, and the refusal of a component whose imports were not all granted.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use anatomy::{Component, Implements, Part};
use serde::Serialize;

use crate::extension::Extensions;
use crate::grants::Grants;
use crate::keyvalue::Draft;

/// What an import asks the host for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It reaches nothing outside the guest, so it is always there.
    Nothing,
    Environment,
    Stdio,
    Directories,
    Sockets,
    Outbound,
    KeyValue(Draft),
    /// No flag can give it; the reason says why.
    Unknown(&'static str),
}

const NO_SUCH_INTERFACE: &str = "this host has no such interface; compose a component in that exports it";
const OTHER_VERSION: &str =
    "this host has that interface in releases of WASI 0.2 or 0.3 only; build the component for one of them";
const OTHER_DRAFT: &str =
    "this host has wasi:keyvalue in 0.2.0-draft2 and 0.2.0-draft only; build the component for one of them";
const NO_FUNCTION: &str =
    "this host gives interfaces, not single items; compose a component in that exports it";

const OWN_NAME: &str = "this host has that interface, and gives it to an import of the interface's own name only; compose a component in that exports it";

impl Need {
    /// Reads it off an import: one that implements an interface under a name of its own asks for that interface.
    pub(crate) fn of_import(import: &str, implements: &Implements) -> Self {
        match implements.imports.get(import) {
            None => Self::of(import),
            Some(interface) => match Self::of(interface) {
                unknown @ Self::Unknown(_) => unknown,
                // The engine links by name, and cannot give what is linked under one name under another too.
                _ => Self::Unknown(OWN_NAME),
            },
        }
    }

    /// Reads it off the name: `wasi:http/types@0.2.9`.
    pub(crate) fn of(import: &str) -> Self {
        let (path, version) = import.split_once('@').unwrap_or((import, ""));
        let Some((package, interface)) = path.split_once('/') else {
            return Self::Unknown(NO_FUNCTION);
        };
        if package == "wasi:keyvalue" {
            return match (interface, version) {
                ("store" | "atomics" | "batch", "0.2.0-draft2") => Self::KeyValue(Draft::Two),
                ("store" | "atomics" | "batch", "0.2.0-draft") => Self::KeyValue(Draft::One),
                ("store" | "atomics" | "batch", _) => Self::Unknown(OTHER_DRAFT),
                _ => Self::Unknown(NO_SUCH_INTERFACE),
            };
        }
        // Within 0.2, and within 0.3, every patch release fits every other; a pre-release fits nothing but itself.
        let (two, three) = (of_two(package, interface), of_three(package, interface));
        let need = match version.get(..4) {
            _ if version.contains('-') => None,
            Some("0.2.") => two,
            Some("0.3.") => three,
            _ => None,
        };
        match need {
            Some(need) => need,
            None if two.is_some() || three.is_some() => Self::Unknown(OTHER_VERSION),
            None => Self::Unknown(NO_SUCH_INTERFACE),
        }
    }

    fn is_met_by(self, grants: &Grants) -> bool {
        match self {
            Self::Nothing => true,
            Self::Environment => grants.environment.is_some(),
            Self::Stdio => grants.stdio.is_some(),
            Self::Directories => grants.directories.is_some(),
            Self::Sockets => grants.sockets,
            Self::Outbound => grants.outbound.is_some(),
            Self::KeyValue(_) => grants.keyvalue.is_some(),
            Self::Unknown(_) => false,
        }
    }

    /// What the grant is called in host.toml; `None` where there is none, or none is needed.
    pub(crate) fn grant(self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Unknown(_) => None,
            Self::Environment => Some("env"),
            Self::Stdio => Some("stdio"),
            Self::Directories => Some("dir"),
            Self::Sockets => Some("sockets"),
            Self::Outbound => Some("http-out"),
            Self::KeyValue(_) => Some("keyvalue"),
        }
    }

    /// Why nothing can grant it.
    pub(crate) fn reason(self) -> Option<&'static str> {
        match self {
            Self::Unknown(reason) => Some(reason),
            _ => None,
        }
    }

    /// The ways to grant it, most useful first.
    pub(crate) fn ways(self) -> &'static [Way] {
        match self {
            Self::Environment => &[
                Way {
                    flag: "--env NAME=VALUE",
                    toml: r#"grants.env.NAME = "VALUE""#,
                    allows: "that variable",
                },
                Way {
                    flag: "--env NAME",
                    toml: r#"grants.env.NAME = { from = "NAME" }"#,
                    allows: "that variable, with its value in the host",
                },
                Way { flag: "--env none", toml: "grants.env = {}", allows: "the interface, and no variable" },
            ],
            Self::Stdio => &[
                Way {
                    flag: "--stdio",
                    toml: r#"grants.stdio = "inherit""#,
                    allows: "the host's own streams",
                },
                Way {
                    flag: "--stdio=none",
                    toml: r#"grants.stdio = "none""#,
                    allows: "no input, and outputs that go nowhere",
                },
            ],
            Self::Directories => &[
                Way {
                    flag: "--dir HOST::GUEST",
                    toml: r#"grants.dir = [{ host = "HOST", guest = "GUEST", mode = "read-write" }]"#,
                    allows: "that directory; with :ro at the end, for reading",
                },
                Way {
                    flag: "--dir none",
                    toml: "grants.dir = []",
                    allows: "the interface, and no directory",
                },
            ],
            Self::Sockets => &[Way {
                flag: "--sockets none",
                toml: r#"grants.sockets = "none""#,
                allows: "the interface, with every address denied",
            }],
            Self::Outbound => &[
                Way {
                    flag: "--http-out AUTHORITY",
                    toml: r#"grants.http-out = ["AUTHORITY"]"#,
                    allows: "requests to that host and port",
                },
                Way {
                    flag: "--http-out none",
                    toml: "grants.http-out = []",
                    allows: "the interface, with every request denied",
                },
            ],
            Self::KeyValue(_) => &[
                Way {
                    flag: "--keyvalue redb:FILE",
                    toml: r#"grants.keyvalue.store = "redb:FILE""#,
                    allows: "a store in that file, durable at every write",
                },
                Way {
                    flag: "--keyvalue memory",
                    toml: r#"grants.keyvalue.store = "memory""#,
                    allows: "a store that is forgotten at the end",
                },
            ],
            Self::Nothing | Self::Unknown(_) => &[],
        }
    }

    /// The ways to grant less of what one of [`ways`](Self::ways) grants.
    pub(crate) fn narrower(self) -> &'static [Way] {
        match self {
            Self::KeyValue(_) => &[Way {
                flag: "--keyvalue-allow BUCKET[/PREFIX][:ro|:wo]",
                toml: r#"grants.keyvalue.bucket.BUCKET = { prefix = "PREFIX", mode = "read" }"#,
                allows: "of the store, no more than that bucket, those keys, reading or writing",
            }],
            _ => &[],
        }
    }

    /// The flag that grants the interface and the least behind it.
    fn least_flag(self) -> Option<&'static str> {
        match self {
            Self::KeyValue(_) => Some("--keyvalue memory"),
            _ => self.ways().last().map(|way| way.flag),
        }
    }
}

/// What an interface of WASI 0.2 needs.
fn of_two(package: &str, interface: &str) -> Option<Need> {
    Some(match (package, interface) {
        ("wasi:io", "error" | "poll" | "streams")
        | ("wasi:clocks", "monotonic-clock" | "wall-clock")
        | ("wasi:random", "random" | "insecure" | "insecure-seed")
        | ("wasi:http", "types")
        // Ends the guest's own run, and reaches nothing beyond it.
        | ("wasi:cli", "exit") => Need::Nothing,
        ("wasi:cli", "environment") => Need::Environment,
        ("wasi:cli", stream) if is_stream(stream) => Need::Stdio,
        ("wasi:filesystem", "types" | "preopens") => Need::Directories,
        (
            "wasi:sockets",
            "network" | "instance-network" | "ip-name-lookup" | "tcp" | "tcp-create-socket" | "udp"
            | "udp-create-socket",
        ) => Need::Sockets,
        ("wasi:http", "outgoing-handler") => Need::Outbound,
        _ => return None,
    })
}

/// What an interface of WASI 0.3 needs.
fn of_three(package: &str, interface: &str) -> Option<Need> {
    Some(match (package, interface) {
        ("wasi:clocks", "types" | "monotonic-clock" | "system-clock")
        | ("wasi:random", "random" | "insecure" | "insecure-seed")
        | ("wasi:http", "types")
        | ("wasi:cli", "types" | "exit") => Need::Nothing,
        ("wasi:cli", "environment") => Need::Environment,
        ("wasi:cli", stream) if is_stream(stream) => Need::Stdio,
        ("wasi:filesystem", "types" | "preopens") => Need::Directories,
        ("wasi:sockets", "types" | "ip-name-lookup") => Need::Sockets,
        ("wasi:http", "client") => Need::Outbound,
        _ => return None,
    })
}

/// Whether it is one of the standard streams and terminals of `wasi:cli`.
fn is_stream(interface: &str) -> bool {
    let name = interface.strip_prefix("terminal-").unwrap_or(interface);
    matches!(name, "stdin" | "stdout" | "stderr") || matches!(interface, "terminal-input" | "terminal-output")
}

/// A way to grant something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Way {
    /// As a flag.
    pub flag: &'static str,
    /// As a line of host.toml, written from its top.
    pub toml: &'static str,
    /// What it allows, in words.
    pub allows: &'static str,
}

/// An import that was not granted.
#[derive(Debug, Clone)]
pub struct Ungranted {
    /// The name of the import, as the component has it.
    pub import: String,
    /// The interface that it implements, where it has a name of its own.
    pub implements: Option<String>,
    /// The parts inside the composition that want it, by name; empty for a component that is no composition.
    pub wanted_by: Vec<String>,
    need: Need,
}

impl Ungranted {
    /// The ways to grant it; none when nothing can.
    pub fn ways(&self) -> &'static [Way] {
        self.need.ways()
    }
}

/// Why a component was not started: everything that it imports and was not granted.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The component's file, or the name that it was loaded under.
    pub component: String,
    /// The imports, in the component's own order.
    pub imports: Vec<Ungranted>,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} was refused: it imports what was not granted", self.component)?;
        for ungranted in &self.imports {
            match &ungranted.implements {
                Some(interface) => writeln!(f, "  {}: {interface}", ungranted.import)?,
                None => writeln!(f, "  {}", ungranted.import)?,
            }
            if !ungranted.wanted_by.is_empty() {
                writeln!(f, "      wanted by {}", ungranted.wanted_by.join(", "))?;
            }
            if let Some(reason) = ungranted.need.reason() {
                writeln!(f, "      {reason}")?;
            }
            for Way { flag, allows, .. } in ungranted.ways() {
                writeln!(f, "      {flag:<22} grants {allows}")?;
            }
        }
        if self.imports.iter().any(|ungranted| ungranted.ways().is_empty()) {
            return write!(f, "no flag can make it run here: what no flag grants must be composed in");
        }
        let mut least: Vec<&str> =
            self.imports.iter().filter_map(|ungranted| ungranted.need.least_flag()).collect();
        least.sort_unstable();
        least.dedup();
        write!(f, "minimum grants required: {}", least.join(" "))
    }
}

/// What a component imports, by name.
pub(crate) struct Imports<'a> {
    pub(crate) all: Cow<'a, [String]>,
    /// Those that only name types, and ask for nothing.
    pub(crate) naming: Cow<'a, [String]>,
    /// Those that implement an interface under a name of their own.
    pub(crate) implements: Cow<'a, Implements>,
}

/// The parts that would use each import, by their paths. A component that is no composition has none to name.
pub(crate) fn askers(whole: &Component) -> HashMap<&str, Vec<String>> {
    if !whole.is_composition() {
        return HashMap::new();
    }
    let paths = |parts: Vec<&Part>| parts.iter().map(|part| part.path.join("/")).collect();
    whole.wanted().into_iter().map(|(import, parts)| (import, paths(parts))).collect()
}

/// Refuses a component unless all its imports are granted.
///
/// Decided from its structure alone: a refusal must not wait for megabytes to be compiled. An import that only
/// names types needs no grant. Bytes whose structure cannot be read are passed: either they are no valid component,
/// and compiling says so, or nothing that they import beyond the grants is there to be linked.
pub(crate) fn check<'a>(
    name: &str,
    imports: &Imports<'_>,
    whole: impl FnOnce() -> Option<Cow<'a, Component>>,
    grants: &Grants,
    extensions: &Extensions,
) -> Result<(), Refusal> {
    let ungranted: Vec<(&String, Need)> = imports
        .all
        .iter()
        .filter(|import| !imports.naming.contains(import))
        .map(|import| (import, Need::of_import(import, &imports.implements)))
        .filter(|(import, need)| !need.is_met_by(grants) && extensions.allows(import).is_none())
        .collect();
    if ungranted.is_empty() {
        return Ok(());
    }
    // Who wants them takes longer to find out, and is asked only now.
    let whole = whole();
    let mut askers = whole.as_deref().map(askers).unwrap_or_default();
    let refused = ungranted
        .into_iter()
        .map(|(import, need)| Ungranted {
            import: import.clone(),
            implements: imports.implements.imports.get(import).cloned(),
            wanted_by: askers.remove(import.as_str()).unwrap_or_default(),
            need,
        })
        .collect();
    Err(Refusal { component: name.to_owned(), imports: refused })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use wit_parser::{FunctionKind, Resolve, TypeDefKind};

    use super::*;

    /// What is in the page for an interface: its functions, as `append`, and as `fields.append` where they are of a resource.
    fn listed(page: &str, interface: &str) -> BTreeSet<String> {
        let row = format!("| `{interface}` | ");
        let functions = page.lines().filter_map(|line| line.strip_prefix(&row)?.split(" | ").next());
        let names = functions.flat_map(|functions| functions.split(", "));
        names.map(|name| name.trim_matches('`').to_owned()).collect()
    }

    /// The functions of the interfaces that can be linked, by version, from their WIT.
    fn linked() -> Vec<(String, BTreeSet<String>)> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut resolve = Resolve::default();
        for package in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http", "keyvalue"] {
            resolve.push_dir(root.join(format!("../wit/deps/wasi-{package}"))).unwrap();
        }
        for package in ["clocks", "random", "filesystem", "sockets", "cli", "http"] {
            resolve.push_file(root.join(format!("tests/wasi-0.3/{package}.wit"))).unwrap();
        }
        let mut found = Vec::new();
        for (id, interface) in resolve.interfaces.iter() {
            let name = resolve.id_of(id).unwrap();
            if matches!(Need::of(&name), Need::Unknown(_)) {
                continue;
            }
            let mut functions: BTreeSet<String> = (interface.functions.values())
                .map(|function| {
                    let of = function.kind.resource().map(|id| resolve.types[id].name.clone().unwrap());
                    match (of, &function.kind) {
                        (Some(of), FunctionKind::Constructor(_)) => format!("{of}.constructor"),
                        (Some(of), _) => format!("{of}.{}", function.item_name()),
                        (None, _) => function.name.clone(),
                    }
                })
                .collect();
            let resources =
                interface.types.iter().filter(|(_, id)| resolve.types[**id].kind == TypeDefKind::Resource);
            functions.extend(resources.map(|(name, _)| format!("{name}.drop")));
            found.push((name, functions));
        }
        found
    }

    /// Whatever a component can make the host do is written down, with what bounds it.
    #[test]
    fn every_function_that_can_be_linked_is_in_the_page() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/host-functions.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (two, three) = page.split_once("## WASI 0.3").unwrap();
        let linked = linked();
        assert!(linked.len() > 30, "{linked:?}");
        for (name, functions) in linked {
            let (interface, version) = name.split_once('@').unwrap();
            let page = if version.starts_with("0.3") { three } else { two };
            assert_eq!(listed(page, interface), functions, "of {name} in docs/host-functions.md");
        }
    }

    #[test]
    fn what_reaches_nothing_needs_no_grant() {
        for import in [
            "wasi:io/streams@0.2.0",
            "wasi:clocks/wall-clock@0.2.12",
            "wasi:random/insecure-seed@0.2.6",
            "wasi:http/types@0.2.10",
            "wasi:cli/exit@0.2.3",
            "wasi:clocks/system-clock@0.3.0",
            "wasi:http/types@0.3.1",
        ] {
            assert_eq!(Need::of(import), Need::Nothing, "{import}");
        }
    }

    #[test]
    fn each_capability_is_known_by_its_interfaces() {
        assert_eq!(Need::of("wasi:cli/environment@0.2.3"), Need::Environment);
        assert_eq!(Need::of("wasi:cli/terminal-stderr@0.2.0"), Need::Stdio);
        assert_eq!(Need::of("wasi:filesystem/preopens@0.2.0"), Need::Directories);
        assert_eq!(Need::of("wasi:sockets/tcp@0.2.0"), Need::Sockets);
        assert_eq!(Need::of("wasi:http/outgoing-handler@0.2.0"), Need::Outbound);
        assert_eq!(Need::of("wasi:cli/terminal-stdin@0.3.0"), Need::Stdio);
        assert_eq!(Need::of("wasi:sockets/types@0.3.0"), Need::Sockets);
        assert_eq!(Need::of("wasi:http/client@0.3.0"), Need::Outbound);
        assert_eq!(Need::of("wasi:keyvalue/store@0.2.0-draft2"), Need::KeyValue(Draft::Two));
        assert_eq!(Need::of("wasi:keyvalue/batch@0.2.0-draft"), Need::KeyValue(Draft::One));
    }

    #[test]
    fn what_no_flag_grants_says_why() {
        assert_eq!(Need::of("acme:bank/transfer@1.0.0"), Need::Unknown(NO_SUCH_INTERFACE));
        assert_eq!(Need::of("wasi:clocks/timezone@0.2.0"), Need::Unknown(NO_SUCH_INTERFACE));
        assert_eq!(Need::of("wasi:io/streams@0.3.0"), Need::Unknown(OTHER_VERSION));
        assert_eq!(Need::of("wasi:http/outgoing-handler@0.3.0"), Need::Unknown(OTHER_VERSION));
        assert_eq!(Need::of("wasi:http/client@0.2.0"), Need::Unknown(OTHER_VERSION));
        assert_eq!(Need::of("wasi:http/types@0.3.0-rc-2025-09-16"), Need::Unknown(OTHER_VERSION));
        assert_eq!(Need::of("wasi:io/streams@0.2.0-rc-1"), Need::Unknown(OTHER_VERSION));
        assert_eq!(Need::of("wasi:keyvalue/store@0.3.0"), Need::Unknown(OTHER_DRAFT));
        assert_eq!(Need::of("log"), Need::Unknown(NO_FUNCTION));
    }
}
