//! `composer doctor`.

use std::fmt::Write;
use std::path::Path;

use clap::Args;
use composer::doctor::{self, Built, Facts, Finding, Severity, State};
use contract::shown::{padded, width};
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::Project;
use crate::source::{RegistryOptions, Source};
use crate::survey;

/// Report the versions in use, which of them have drifted apart, what that breaks, and how to fix
/// it.
///
/// In a project, it looks at the tools that the components need, at lock files (Cargo.lock,
/// package-lock.json, requirements.txt, deps.lock beside the contracts), and at what is built. With
/// FILES, it looks at these components alone.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer doctor\n  composer doctor a.wasm b.wasm\n\nExit codes:\n  0  nothing is broken, though something may \
                        have drifted\n  1  something is broken\n  2  the command line is wrong\n  3  an input cannot be read"
)]
pub struct Doctor {
    /// Components: paths, or `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    files: Vec<Source>,
    /// Prints JSON: `facts` (`tools`, `pins`, `packages`, `rust_version`, `components`) and `findings` (each with `rule`, `severity`,
    /// `found`, `breaks`, `cure`).
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Doctor) -> Result<(), Failure> {
    let facts = if arguments.files.is_empty() {
        let project = Project::find(Path::new("."))?.ok_or_else(|| {
            Failure::new(Exit::Input, "there is no interlock.toml in this directory or above it")
                .help("run this inside a project, or name the components that are to be looked at")
        })?;
        survey::project(&project)?
    } else {
        survey::components(&arguments.files, &arguments.registry)?
    };
    let findings = doctor::examine(&facts);
    let text = if arguments.json {
        format!("{:#}\n", json!({ "facts": facts, "findings": findings }))
    } else {
        report(&facts, &findings)
    };
    files::print(text.as_bytes())?;
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Broken).count();
    match broken {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Cannot, "something is broken").told()),
        many => Err(Failure::new(Exit::Cannot, format!("{many} things are broken")).told()),
    }
}

/// The versions, and then what is wrong with them.
fn report(facts: &Facts, findings: &[Finding]) -> String {
    let mut text = String::new();
    let tools = facts.tools.iter().map(|tool| {
        let version = tool
            .version
            .as_deref()
            .map_or("missing", |version| if version.is_empty() { "there" } else { version });
        (tool.name.clone(), format!("{version:10}  for {}", tool.wanted_by.join(", ")))
    });
    section(&mut text, "tools", tools);
    let pins = facts.pins.iter().map(|pin| (pin.name.clone(), format!("{:10}  {}", pin.version, pin.file)));
    section(&mut text, "locked", pins);
    let packages = facts.packages.iter().filter(|package| package.version.is_some());
    let packages =
        packages.map(|package| (package.name.clone(), package.version.clone().unwrap_or_default()));
    section(&mut text, "contracts", packages);
    section(&mut text, "components", facts.components.iter().map(|each| (each.name.clone(), origin(each))));

    for Finding { rule, severity, found, breaks, cure } in findings {
        let severity = match severity {
            Severity::Broken => "broken",
            Severity::Drift => "drift",
            Severity::Note => "note",
        };
        let _ = write!(text, "\n{severity}: {found} ({rule})\n  breaks: {breaks}\n  cure: {cure}\n");
    }
    if findings.is_empty() {
        text.push_str("\nnothing is wrong\n");
    }
    // Names come from elsewhere, and must not steer the terminal.
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = (String, String)>) {
    let lines: Vec<_> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let width = width(lines.iter().map(|(name, _)| name.as_str()));
    let _ = writeln!(text, "{title}");
    for (name, rest) in lines {
        let _ = writeln!(text, "  {}", format!("{}  {rest}", padded(&name, width)).trim_end());
    }
}

/// How a component was made, in one line.
fn origin(built: &Built) -> String {
    if built.state == State::Missing {
        return "not built".to_owned();
    }
    let tools: Vec<String> =
        built.made_by.iter().map(|(tool, version)| format!("{tool} {version}")).collect();
    let language = built.language.clone().unwrap_or_else(|| "unknown".to_owned());
    format!("{language:10}  {}", tools.join(", "))
}
