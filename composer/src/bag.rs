//! Composes a bag of components: what `composer compose` does where no text says who gets what.

use std::path::{Path, PathBuf};

use composer::compose::{self, Composed, Packages};
use composer::contract::Contracts;
use composer::link_map::{Origin, Origins};
use composer::manifest;
use composer::wire::{self, Contract, Decision, Part, PartError, Place, Request, WireError, Wiring};

use crate::closing::{self, Denial};
use crate::commands::compose::failure;
use crate::failure::{Exit, Failure};
use crate::source::Source;
use crate::{files, project};

/// What the caller wants of the composition.
#[derive(Debug)]
pub struct Wishes<'a> {
    /// What it exports.
    pub exports: &'a [Place],
    /// What stays open.
    pub leave_open: &'a [Place],
    /// Who satisfies what.
    pub decisions: &'a [Decision],
    /// What parts may not reach.
    pub denials: &'a [Denial],
    /// The world that it has to fit, and the folder of WIT packages where that is not the project's.
    pub world: Option<&'a str>,
    /// See `world`.
    pub wit: Option<&'a Path>,
    /// Where its text is to be written.
    pub text: Option<&'a Path>,
    /// What it is called.
    pub name: &'a str,
}

/// Composes, writes the text where that is wanted, and has the composition delivered.
pub fn compose(
    parts: Vec<(Part, Source)>,
    wishes: &Wishes<'_>,
    deliver: impl FnOnce(&Composed<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (parts, sources): (Vec<Part>, Vec<Source>) = parts.into_iter().unzip();
    let mut request = Request {
        parts,
        exports: wishes.exports.to_vec(),
        leave_open: wishes.leave_open.to_vec(),
        decisions: wishes.decisions.to_vec(),
    };
    closing::close(&mut request, &sources, wishes.denials)?;
    let wiring = wire::find(&request).map_err(|error| unwired(error, &request, &sources))?;
    remark(&wiring, wishes);
    let origins = origins(&request.parts, &sources);
    let packages = wire::packages(request.parts);
    let mut composition = Composition { name: wishes.name, wiring, packages, origins };
    let target = wishes.world.map(|world| target(world, wishes.wit)).transpose()?;
    let (text, composed) = match &target {
        Some(target) => composition.fitting(target)?,
        None => composition.plain()?,
    };
    let Some(file) = wishes.text else { return deliver(&composed) };
    if target.is_some() || file.as_os_str() == "-" {
        write_text(file, &text)?;
        return deliver(&composed);
    }
    let composed = composed.to_vec();
    match composition.with_contract(&composed) {
        Ok((text, contract)) => {
            files::write(&contract_file(file), contract.wit.as_bytes())?;
            write_text(file, &text)?;
        }
        Err(reason) => {
            files::say(&format!("note: `{}` targets no world: {reason}", file.display()));
            write_text(file, &text)?;
        }
    }
    deliver(&composed.into())
}

/// Where the contract goes that a text targets.
pub fn contract_file(text: &Path) -> PathBuf {
    text.with_extension("contract.wit")
}

fn write_text(file: &Path, text: &str) -> Result<(), Failure> {
    if file.as_os_str() == "-" { files::print(text.as_bytes()) } else { files::write(file, text.as_bytes()) }
}

struct Composition<'a> {
    name: &'a str,
    wiring: Wiring,
    packages: Packages,
    origins: Origins,
}

/// Where the parts come from. A stub was made here; its name is that of the file in which `composer deny` would leave it.
fn origins(parts: &[Part], sources: &[Source]) -> Origins {
    let origin = |(index, part): (usize, &Part)| {
        let made = || Origin::file(&format!("{}.wasm", part.name));
        let origin = sources.get(index).map_or_else(made, Source::origin);
        (format!("{}:{}", manifest::NAMESPACE, part.name), origin)
    };
    parts.iter().enumerate().map(origin).collect()
}

impl Composition<'_> {
    /// Text and composition, without a target.
    fn plain(&self) -> Result<(String, Composed<'_>), Failure> {
        let text = self.wiring.text(self.name, None);
        let composed = self.composed(&text).map_err(failure)?;
        Ok((text, composed))
    }

    /// Text and composition, with a target world that people wrote.
    fn fitting(&mut self, target: &Target) -> Result<(String, Composed<'_>), Failure> {
        let text = self.wiring.text(self.name, Some(&target.world));
        let references = compose::references(&self.file(), &text).map_err(failure)?;
        for reference in references {
            if !self.packages.contains_key(&reference.name)
                && let Some(bytes) = project::wit_package(&target.contracts, &reference)?
            {
                self.packages.insert(reference.name, bytes);
            }
        }
        let composed = self.composed(&text).map_err(failure)?;
        Ok((text, composed))
    }

    /// The text with a target of its own: the contract that the composition turned out to have. It is composed once
    /// more, so that no text is written that was not; or there is a reason why it cannot be.
    fn with_contract(&mut self, composed: &[u8]) -> Result<(String, Contract), String> {
        let contract =
            wire::contract(composed, self.name, &self.wiring.open()).map_err(|error| reasons(&error))?;
        let text = self.wiring.text(self.name, Some(&contract.world));
        self.packages.insert(contract.package.clone(), contract.binary.clone());
        match self.composed(&text) {
            Ok(again) if again.to_vec() == composed => Ok((text, contract)),
            Ok(_) => Err("with the world of its own contract it would be another composition".to_owned()),
            Err(error) => Err(format!("it does not fit the world of its own contract: {}", reasons(&error))),
        }
    }

    fn composed(&self, text: &str) -> Result<Composed<'_>, compose::ComposeError> {
        compose::compose_in_place(&self.file(), text, &self.packages, &self.origins)
    }

    /// What the text is called in errors.
    fn file(&self) -> String {
        format!("{}.wac", self.name)
    }
}

fn reasons(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A world that people wrote.
struct Target {
    world: String,
    contracts: Contracts,
}

fn target(world: &str, wit: Option<&Path>) -> Result<Target, Failure> {
    let contracts = project::contracts(wit, Path::new("."))?;
    let id = contracts
        .world(world)
        .map_err(|error| Failure::because(Exit::Cannot, "there is no target", error))?;
    Ok(Target { world: contracts.world_name(id), contracts })
}

/// Says what was done that nobody asked for.
fn remark(wiring: &Wiring, wishes: &Wishes<'_>) {
    for part in &wiring.unused {
        files::say(&format!("note: `{part}` is used by nothing, and left out"));
    }
    if wishes.exports.is_empty() {
        return;
    }
    for outlet in &wiring.exports {
        if let Some(because) = &outlet.because_of {
            let export = &outlet.export;
            files::say(&format!("note: `{export}` is exported too: `{because}` takes types from it"));
        }
    }
}

/// Why there is no wiring, in terms of files where one of them is the matter.
fn unwired(error: WireError, request: &Request, sources: &[Source]) -> Failure {
    let exit = match error {
        WireError::Part { .. } => Exit::Input,
        WireError::Empty
        | WireError::BadName(_)
        | WireError::TwoOfOneName(_)
        | WireError::Unknown { .. }
        | WireError::DecidedTwice(_) => Exit::Usage,
        _ => Exit::Cannot,
    };
    // Stubs come after the parts that were given, and from nowhere.
    let source = |part: &str| {
        request.parts.iter().position(|known| known.name == part).and_then(|index| sources.get(index))
    };
    match error {
        WireError::Part { part, source: reason } => {
            let shown = source(&part).map_or(part, ToString::to_string);
            match *reason {
                PartError::Read(error) => files::not_a_component(Path::new(&shown), error),
                error => Failure::because(exit, format!("`{shown}` cannot be used as a component"), error),
            }
        }
        error => Failure::of(exit, error),
    }
}
