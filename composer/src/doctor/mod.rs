//! What has drifted apart: from the versions that are found to what does not go together, what that breaks, and the cure.
//!
//! Nothing is looked at here: [`Facts`] say what is installed, pinned and built, [`examine`] says what is wrong with it.
//! All that is known is in one table, [`RULES`].
//!
//! ```
//! use composer::doctor::{Built, Facts, Severity, examine};
//!
//! let built = |name: &str, import: &str| Built {
//!     name: name.to_owned(),
//!     imports: vec![import.to_owned()],
//!     ..Built::default()
//! };
//! let facts = Facts {
//!     components: vec![
//!         built("reader", "wasi:keyvalue/store@0.2.0-draft"),
//!         built("writer", "wasi:keyvalue/store@0.2.0-draft2"),
//!     ],
//!     ..Facts::default()
//! };
//! let findings = examine(&facts);
//! assert_eq!(findings[0].rule, "versions-apart");
//! assert_eq!(findings[0].severity, Severity::Broken);
//! ```

mod producers;
mod rules;

use serde::Serialize;

pub use producers::{Making, making};
pub use rules::{RULES, Rule};

/// What is installed, pinned and built.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Facts {
    /// Tools that the components of the project are built with.
    pub tools: Vec<Tool>,
    /// Versions that lock files name.
    pub pins: Vec<Pin>,
    /// WIT packages among the contracts.
    pub packages: Vec<Package>,
    /// The oldest Rust that the Cargo manifest says it can be built with.
    pub rust_version: Option<String>,
    /// Components that are built, or were given.
    pub components: Vec<Built>,
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tool {
    /// Its name: `rustc`, `node`, `componentize-js`, `componentize-py`, `ziglang`, or a target of the Rust compiler such as
    /// `wasm32-unknown-unknown`.
    pub name: String,
    /// The version that is installed, empty where a tool has none; None where it is not there.
    pub version: Option<String>,
    /// The components that are built with it.
    pub wanted_by: Vec<String>,
}

/// A version that a lock file names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pin {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that says so.
    pub file: String,
}

/// A WIT package among the contracts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name, without a version.
    pub name: String,
    /// The version that is there.
    pub version: Option<String>,
    /// The version that the lock of the contracts names, where it lists the package.
    pub locked: Option<String>,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Built {
    /// What it is called.
    pub name: String,
    /// The language that it was written in, where it says so.
    pub language: Option<String>,
    /// The tools that made it and their versions, as its producers sections say.
    pub made_by: Vec<(String, String)>,
    /// Adapters from system interfaces of old that are built into it.
    pub adapters: Vec<String>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
    /// Whether it is what its sources say.
    pub state: State,
}

/// Whether a product is what its sources say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is not known, as for a file that is no product of the project.
    #[default]
    Unknown,
    /// It is.
    Fresh,
    /// Its sources, its contracts or its tools have changed since.
    Stale,
    /// There is none.
    Missing,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It works, and is good to know.
    Note,
    /// It works today, and will not always.
    Drift,
    /// It does not work.
    Broken,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The name of the rule.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What that breaks.
    pub breaks: &'static str,
    /// What puts it right.
    pub cure: String,
}

/// What is wrong, the worst first.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES
        .iter()
        .flat_map(|rule| {
            (rule.cases)(facts).into_iter().map(|case| Finding {
                rule: rule.name,
                severity: rule.severity,
                found: case.found,
                breaks: rule.breaks,
                cure: case.cure,
            })
        })
        .collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
