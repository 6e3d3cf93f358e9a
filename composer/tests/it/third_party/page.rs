//! docs/third-party.md shows what the tools say of each component; `BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use composer::report::{self, Finding};

use super::corpus::{Corpus, Entry, root};
use super::refused;

const BEGIN: &str = "<!-- components -->\n";
const END: &str = "<!-- end -->\n";

pub fn page(corpus: &Corpus) {
    let path = root().join("docs/third-party.md");
    let known = fs::read_to_string(&path).expect("the page is there");
    let (head, rest) = known.split_once(BEGIN).expect("it says where the table begins");
    let (_, foot) = rest.split_once(END).expect("it says where the table ends");
    let page = format!("{head}{BEGIN}{}{END}{foot}", table(corpus));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &page).expect("a file");
    }
    assert!(page == fs::read_to_string(&path).expect("it is there"), "BLESS=1 writes the page anew:\n{page}");
}

fn table(corpus: &Corpus) -> String {
    let mut text = String::from(
        "| component | what it is | made by | size | parts | host interfaces | its others |\n|---|---|---|--:|--:|--:|---|\n",
    );
    for entry in &corpus.entries {
        let [made, parts, host, others] = told(entry);
        let size = report::size(entry.bytes.len() as u64);
        writeln!(
            text,
            "| `{}` | {} | {made} | {size} | {parts} | {host} | {others} |",
            entry.name, entry.what
        )
        .expect("text");
    }
    text.push_str("\nWhere they come from:\n\n| package | version | registry | licence | components |\n|---|---|---|---|---|\n");
    let mut packages: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for Entry { registry, package, version, license, name, .. } in &corpus.entries {
        packages.entry((package, version, registry, license)).or_default().push(name);
    }
    for ((package, version, registry, license), names) in packages {
        let registry = if registry == "pypi" { "PyPI" } else { registry };
        let names = names.join("`, `");
        writeln!(text, "| `{package}` | {version} | {registry} | {license} | `{names}` |").expect("text");
    }
    text.push_str("\nWhat is refused, and why:\n\n| component | command | reason |\n|---|---|---|\n");
    for (name, command, reason) in refused::REFUSED {
        writeln!(text, "| `{name}` | `{command}` | {} |", reason.words()).expect("text");
    }
    text
}

/// Who made it, of how many parts, what it wants of the host, and what of others.
fn told(entry: &Entry) -> [String; 4] {
    match report::inspect(&entry.bytes) {
        Err(_) => [(); 4].map(|()| "—".to_owned()),
        Ok(Finding::WitPackage(package)) => {
            let [none, zero] = ["—", "0"].map(str::to_owned);
            [none.clone(), zero, none, format!("package `{}`", package.packages[0].name)]
        }
        Ok(Finding::Component(inspected)) => {
            let found = &inspected.component;
            // The tool of its language comes first; and what made a component of the module.
            let tools = &found.parts[0].toolchain;
            let maker = tools.iter().skip(1).find(|tool| tool.name == "wit-component");
            let tools: Vec<String> = tools
                .first()
                .into_iter()
                .chain(maker)
                .map(|tool| format!("{} {}", tool.name, tool.version))
                .collect();
            let language = found.parts[0].language.clone();
            let made: Vec<String> = language.into_iter().chain(tools).collect();
            let (host, others): (Vec<_>, Vec<_>) =
                found.imports.iter().partition(|name| check::is_host(name));
            let others: Vec<String> = others.into_iter().map(|name| format!("`{name}`")).collect();
            let others =
                if others.len() > 3 { format!("{} interfaces", others.len()) } else { others.join(", ") };
            let made = if made.is_empty() { "not written down".to_owned() } else { made.join(", ") };
            [made, found.parts.len().to_string(), host.len().to_string(), others]
        }
    }
}
