//! `--deny`: gives each part of a bag the stub that stands in for what it may not reach.

use std::path::Path;
use std::str::FromStr;

use check::means;
use compose::deny::{DenyError, Pattern, Stub, deny};
use compose::wire::{Decision, Part, Place, Request};

use crate::failure::{Exit, Failure};
use crate::files;
use crate::source::Source;

/// What one part may not reach: `PART=IFACE`.
#[derive(Debug, Clone)]
pub struct Denial {
    /// The name of the part.
    part: String,
    /// Imports of it.
    close: Pattern,
}

impl FromStr for Denial {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((part, close)) = text.split_once('=') else {
            return Err("it should be like `PART=wasi:sockets/*`".to_owned());
        };
        let close = close.parse().map_err(|error| format!("{error}"))?;
        Ok(Denial { part: part.to_owned(), close })
    }
}

impl Denial {
    /// The same for the part of the name that this one stands for.
    pub fn named(&self, real: impl Fn(&str) -> String) -> Self {
        Denial { part: real(&self.part), close: self.close.clone() }
    }
}

/// What the stub of a part is called: a name that no part has.
fn stub_name(part: &str, parts: &[Part]) -> String {
    let mut name = format!("{part}-closed");
    while parts.iter().any(|part| part.name == name) {
        name.push_str("-too");
    }
    name
}

/// Adds to the bag the stubs that the denials call for: one for each part, whatever is closed for it. `sources` are those
/// of the parts.
pub fn close(request: &mut Request, sources: &[Source], denials: &[Denial]) -> Result<(), Failure> {
    if let Some(Denial { part, .. }) =
        denials.iter().find(|denial| request.parts.iter().all(|part| part.name != denial.part))
    {
        let names: Vec<&str> = request.parts.iter().map(|part| part.name.as_str()).collect();
        let message = format!("nothing can be closed for `{part}`: there is no such part");
        return Err(
            Failure::new(Exit::Usage, message).help(format!("the parts are `{}`", names.join("`, `")))
        );
    }
    let mut stubs = Vec::new();
    for (index, (part, source)) in request.parts.iter().zip(sources).enumerate() {
        let patterns: Vec<Pattern> = denials
            .iter()
            .filter(|denial| denial.part == part.name)
            .map(|denial| denial.close.clone())
            .collect();
        if patterns.is_empty() {
            continue;
        }
        let stub =
            deny(&part.bytes, &patterns).map_err(|error| explain(Path::new(&source.to_string()), error))?;
        stubs.push((index, stub));
    }
    for (index, stub) in stubs {
        add(request, index, stub);
    }
    Ok(())
}

/// Adds a stub. What it takes types from has to be what its part has there, so what was decided for the part is decided
/// for the stub.
fn add(request: &mut Request, index: usize, stub: Stub) {
    let serves = request.parts[index].name.clone();
    let name = stub_name(&serves, &request.parts);
    let concerns = |import: &str| stub.types_from.iter().any(|lender| means(import, lender));
    let decisions: Vec<Decision> = request
        .decisions
        .iter()
        .filter(|decision| decision.part == serves && decision.import.as_deref().is_some_and(concerns))
        .map(|decision| Decision { part: name.clone(), ..decision.clone() })
        .collect();
    let leave_open: Vec<Place> = request
        .leave_open
        .iter()
        .filter(|place| place.part.as_ref() == Some(&serves) && concerns(&place.name))
        .map(|place| Place { part: Some(name.clone()), ..place.clone() })
        .collect();
    request.decisions.extend(decisions);
    request.leave_open.extend(leave_open);
    request.parts.push(Part { serves: Some(serves), ..Part::new(name, stub.component) });
}

/// Why a part cannot be closed, in terms of its file.
pub fn explain(part: &Path, error: DenyError) -> Failure {
    let shown = part.display();
    let error = match error {
        DenyError::Read(error) => return files::not_a_component(part, error),
        error => error,
    };
    let message = format!("nothing can be closed for `{shown}`");
    let help = match &error {
        DenyError::NoSuchImport { imports, .. } if imports.is_empty() => {
            "none of its imports is an interface or a function, and nothing else can be denied".to_owned()
        }
        DenyError::NoSuchImport { imports, .. } => format!("it imports `{}`", imports.join("`, `")),
        DenyError::Used(used) => {
            let close: Vec<&str> =
                used.iter().filter(|used| !used.export).map(|used| used.by.as_str()).collect();
            let mut open: Vec<&str> =
                used.iter().flat_map(|used| &used.types_of).map(String::as_str).collect();
            open.sort_unstable();
            open.dedup();
            let open = format!("leave `{}` open", open.join("`, `"));
            if close.len() < used.len() {
                format!("{open}: what it exports cannot do without")
            } else {
                format!("close `{}` too, or {open}", close.join("`, `"))
            }
        }
        DenyError::Invalid(_) => return Failure::because(Exit::Input, message, error).help(files::INVALID),
        DenyError::Package => {
            let help = "give the component that implements it";
            return Failure::because(Exit::Input, message, error).help(help);
        }
        _ => return Failure::because(Exit::Cannot, message, error),
    };
    Failure::because(Exit::Cannot, format!("this cannot be closed for `{shown}`"), error).help(help)
}
