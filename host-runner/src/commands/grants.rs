//! `host-runner grants`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use host_runner::extension::Extensions;
use host_runner::needs::{Asked, Growth, Needs, Reachable, of_file};
use host_runner::{ComponentFile, EngineOptions, Key};
use serde_json::json;

use super::config::ConfigFlag;
use super::flags::{Allowed, GrantFlags};
use super::{Failure, print_line};

/// Show what a component needs from the host: as a whole, for each component instance, and by which
/// path; and what each grant would allow.
///
/// Nothing is executed. The result is the most that the component instances can reach, whether or
/// not their code uses it. An import that was denied when composing is listed with the instance
/// that satisfies it.
///
/// With a file of grants or with flags, it also shows what these allow, and whether they are
/// enough.
///
/// With --check, shows what NEW needs and OLD did not: interfaces that need a grant, and component
/// instances that reach more than before.
#[derive(Args)]
#[command(after_help = "\
Exit code 4: what --config and the flags grant is not enough; with --check, NEW asks for more than OLD; or the key does
not verify a .cwasm file.

Examples:
  host-runner grants site.wasm
  host-runner grants site.wasm --config host.toml
  host-runner grants --check running.wasm update.wasm --json")]
pub(crate) struct Grants {
    /// The component, or a .cwasm file that was made of it.
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    file: Option<PathBuf>,

    /// The key that a .cwasm file is verified with [default: that in the user's cache directory].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigFlag,

    #[command(flatten)]
    granted: GrantFlags,

    /// Compares two versions of a component.
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"])]
    check: Option<Vec<PathBuf>>,

    /// Prints JSON: `imports` (each with `import`, `grant`, `reason`, `ways`, `narrower`, `wanted-by`), `parts` (each with
    /// `part`, `language`, `reaches` by `ways`, `inside`), `allowed` and `missing` where grants are given; with --check, `asks-for-more`, `imports`, `parts`, `no-longer`.
    #[arg(long)]
    json: bool,
}

impl Grants {
    pub(crate) fn execute(self) -> Result<ExitCode, Failure> {
        let allowed = self.granted.allowed(&self.config.read()?.grants)?;
        let given = self.config.is_given() || !allowed.is_empty();
        let key = self.key.as_deref().map(Key::read).transpose().map_err(Failure::host)?;
        let key = key.as_ref();
        match (&self.file, self.check.as_deref()) {
            (_, Some(_)) if given => {
                Err(Failure::usage("--check compares what components ask for: it takes no grants"))
            }
            (_, Some([old, new])) => {
                let growth = read(new, key)?.grown_from(&read(old, key)?);
                print_line(&if self.json { growth_json(&growth) } else { growth_text(new, &growth) })?;
                Ok(ExitCode::from(if growth.is_any() { 4 } else { 0 }))
            }
            (Some(file), _) => {
                let needs = read(file, key)?;
                let granted = given.then(|| Granted::by(&needs, allowed));
                print_line(&if self.json {
                    needs_json(&needs, granted.as_ref())
                } else {
                    text(file, &needs, granted.as_ref())
                })?;
                Ok(ExitCode::from(match granted {
                    Some(granted) if !granted.missing.is_empty() => 4,
                    _ => 0,
                }))
            }
            _ => Err(Failure::usage("name a component, or two with --check")),
        }
    }
}

/// Code that was compiled ahead of time tells what its component asks for as well, once it is verified.
fn read(file: &Path, key: Option<&Key>) -> Result<Needs, Failure> {
    let key = key.cloned().or_else(|| Key::of_user().ok());
    let file = ComponentFile::read(file, &EngineOptions { key, ..EngineOptions::default() })?;
    Ok(of_file(&file, &Extensions::default())?)
}

/// What is granted, beside what is needed.
struct Granted {
    allowed: Allowed,
    /// The imports that are not granted.
    missing: Vec<String>,
}

impl Granted {
    fn by(needs: &Needs, allowed: Allowed) -> Self {
        let granted = |asked: &&Asked| {
            asked.needs_nothing() || asked.grant.is_some_and(|grant| allowed.contains_key(grant))
        };
        let missing = needs.imports.iter().filter(|asked| !granted(asked));
        Self { missing: missing.map(|asked| asked.import.clone()).collect(), allowed }
    }
}

fn needs_json(needs: &Needs, granted: Option<&Granted>) -> String {
    let mut value = json!(needs);
    if let Some(Granted { allowed, missing }) = granted {
        value["allowed"] = json!(allowed);
        value["missing"] = json!(missing);
    }
    pretty(&value)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}")
}

fn growth_json(growth: &Growth) -> String {
    let mut value = json!(growth);
    value["asks-for-more"] = growth.is_any().into();
    pretty(&value)
}

fn text(file: &Path, needs: &Needs, granted: Option<&Granted>) -> String {
    let mut text = format!("{}: ", file.display());
    text.push_str(&if needs.composition {
        format!("composition of {} parts", needs.parts.len())
    } else {
        "component".to_owned()
    });
    let grants = in_order(needs.imports.iter().filter_map(|asked| asked.grant));
    text.push_str(&match grants.as_slice() {
        [] if needs.imports.iter().all(Asked::needs_nothing) => "; it needs no grant\n".to_owned(),
        [] => "\n".to_owned(),
        grants => format!("; it needs {}\n", grants.join(", ")),
    });
    for grant in grants {
        let asked: Vec<&Asked> = needs.imports.iter().filter(|asked| asked.grant == Some(grant)).collect();
        say(&mut text, format_args!("\n{grant}"));
        imports(&mut text, &asked);
        match granted.map(|granted| granted.allowed.get(grant)) {
            Some(Some(allowed)) => {
                say(&mut text, format_args!("    granted: {}", allowed.join("\n             ")));
                continue;
            }
            Some(None) => say(&mut text, format_args!("    not granted")),
            None => {}
        }
        for way in asked[0].ways.iter().chain(&asked[0].narrower) {
            say(&mut text, format_args!("    {}  allows {}", way.flag, way.allows));
            say(&mut text, format_args!("        host.toml: {}", way.toml));
        }
    }
    let ungrantable: Vec<&Asked> = needs.imports.iter().filter(|asked| asked.reason.is_some()).collect();
    if !ungrantable.is_empty() {
        say(&mut text, format_args!("\ncannot be granted"));
        imports(&mut text, &ungrantable);
    }
    let free: Vec<&str> = needs
        .imports
        .iter()
        .filter(|asked| asked.needs_nothing())
        .map(|asked| asked.import.as_str())
        .collect();
    if !free.is_empty() {
        say(
            &mut text,
            format_args!("\nneeds no grant, since it reaches nothing outside\n  {}", free.join("\n  ")),
        );
    }
    if let Some(Granted { allowed, missing }) = granted {
        for (grant, said) in allowed.iter().filter(|(grant, _)| !needs_grant(needs, grant)) {
            say(&mut text, format_args!("\n{grant} is granted, and not needed: {}", said.join("; ")));
        }
        if missing.is_empty() {
            say(&mut text, format_args!("\nwhat is granted is enough"));
        } else {
            say(&mut text, format_args!("\nit would be refused: {} imports are not granted", missing.len()));
        }
    }
    if needs.composition {
        parts(&mut text, needs);
    }
    text.truncate(text.trim_end().len());
    text
}

fn needs_grant(needs: &Needs, grant: &str) -> bool {
    needs.imports.iter().any(|asked| asked.grant == Some(grant))
}

fn parts(text: &mut String, needs: &Needs) {
    say(text, format_args!("\nparts"));
    for part in &needs.parts {
        let language = part.language.as_ref().map(|language| format!(" ({language})")).unwrap_or_default();
        say(text, format_args!("  {}{language}", part.part));
        if part.reaches.is_empty() {
            say(text, format_args!("    reaches nothing that needs a grant"));
        }
        for reachable in &part.reaches {
            reached(text, reachable);
        }
        for inside in &part.inside {
            let import = &inside.import;
            if inside.reaches.is_empty() {
                say(text, format_args!("    {import}: closed when composing, {} answers it", inside.by));
            } else {
                let behind = inside.reaches.join(", ");
                say(text, format_args!("    {import}: {} answers it, which reaches {behind}", inside.by));
            }
        }
    }
    if !needs.complete {
        say(
            text,
            format_args!("  (so many wires that not every part that imports from the host is told of)"),
        );
    }
}

fn reached(text: &mut String, reachable: &Reachable) {
    for way in &reachable.ways {
        let through = match way.as_slice() {
            [_, through @ ..] if !through.is_empty() => format!("through {}", through.join(" > ")),
            _ => "by itself".to_owned(),
        };
        say(text, format_args!("    {} {through}", reachable.import));
    }
    if reachable.more > 0 {
        say(text, format_args!("    {} by {} more ways", reachable.import, reachable.more));
    }
}

fn imports(text: &mut String, asked: &[&Asked]) {
    for asked in asked {
        let Asked { wanted_by, reason, .. } = asked;
        let import = asked.shown();
        let parts =
            if wanted_by.is_empty() { String::new() } else { format!("  for {}", wanted_by.join(", ")) };
        say(text, format_args!("  {import}{parts}"));
        if let Some(reason) = reason {
            say(text, format_args!("      {reason}"));
        }
    }
}

fn growth_text(new: &Path, growth: &Growth) -> String {
    let mut text = format!("{}: ", new.display());
    text.push_str(if growth.is_any() { "asks for more\n" } else { "asks for nothing more\n" });
    for asked in &growth.imports {
        let by = asked.grant.or(asked.reason).unwrap_or_default();
        say(&mut text, format_args!("  new: {} ({by})", asked.shown()));
    }
    for part in &growth.parts {
        say(
            &mut text,
            format_args!(
                "  {}{}",
                part.part,
                if part.new { ", a new part, reaches" } else { " now reaches" }
            ),
        );
        for reachable in &part.reaches {
            reached(&mut text, reachable);
        }
    }
    for import in &growth.no_longer {
        say(&mut text, format_args!("  no longer: {import}"));
    }
    text.truncate(text.trim_end().len());
    text
}

/// Each once, in the order in which they come first.
fn in_order<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// Adds a line.
fn say(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}
