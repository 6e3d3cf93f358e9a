//! Composes a bag of components: what `composer compose` does where no text says who gets what.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use check::{self, Wire};
use compose::link_map::{Origin, Origins};
use compose::wire::{
    self, Argument, Candidate, Contract, Decision, Instance, Part, PartError, PassedOver, Place, Request,
    WireError, Wiring,
};
use compose::{self, Composed, Packages};
use composer::manifest;
use contract::Contracts;
use miette::Diagnostic;

use crate::closing::{self, Denial};
use crate::emit::{self, Emitted, Mentioned};
use crate::failure::{Exit, Failure};
use crate::inputs::Bag;
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
    /// The world that it has to fit, and the directory of WIT packages where that is not the project's.
    pub world: Option<&'a str>,
    /// See `world`.
    pub wit: Option<&'a Path>,
    /// Where its text is to be written.
    pub text: Option<&'a Path>,
    /// All that will be written but the stubs, with what it is.
    pub outputs: Vec<(&'a str, PathBuf)>,
    /// What the command that composes the text again needs, beside its packages.
    pub more: Vec<(&'a str, &'a OsStr)>,
    /// What it is called.
    pub name: &'a str,
}

/// What was made of a bag.
pub struct Made {
    /// Who gets what from whom, among the parts that were given.
    pub wired: Vec<Wire>,
    /// Parts that were left out.
    pub unused: Vec<String>,
    /// What was written down of it.
    pub emitted: Option<Emitted>,
}

/// Composes, writes the text where that is wanted, and has the composition delivered.
pub fn compose<D>(
    bag: Bag,
    wishes: &Wishes<'_>,
    deliver: impl FnOnce(&Composed<'_>) -> Result<D, Failure>,
) -> Result<(Made, D), Failure> {
    let (request, sources) = request(bag, wishes)?;
    let mut composition = Composition::plan(request, sources, wishes)?;
    let (text, composed) = composition.compose(wishes)?;
    let (emitted, delivered) = match wishes.text {
        None => (None, deliver(&composed)?),
        Some(file) => {
            let bytes = composed.to_vec();
            let emitted = composition.write(file, text, wishes.world.is_some(), &bytes, &wishes.more)?;
            (emitted, deliver(&bytes.into())?)
        }
    };
    let wired = composition.wired();
    Ok((Made { wired, unused: composition.wiring.unused, emitted }, delivered))
}

/// What is asked for, in the names that the parts have, with the stubs that are called for; and where the parts are that
/// were given. Refused where a stub could not be written to its place.
fn request(bag: Bag, wishes: &Wishes<'_>) -> Result<(Request, Vec<Source>), Failure> {
    let Bag { parts, aliases } = bag;
    let (parts, sources): (Vec<Part>, Vec<Source>) = parts.into_iter().unzip();
    let mut request = Request {
        parts,
        exports: wishes.exports.iter().map(|place| aliases.place(place)).collect(),
        leave_open: wishes.leave_open.iter().map(|place| aliases.place(place)).collect(),
        decisions: wishes.decisions.iter().map(|decision| aliases.decision(decision)).collect(),
    };
    let denials: Vec<Denial> =
        wishes.denials.iter().map(|denial| denial.named(|name| aliases.part(name))).collect();
    closing::close(&mut request, &sources, &denials)?;
    if let Some(text) = wishes.text.filter(|text| !emit::alone(text)) {
        let stubs = request.parts[sources.len()..].iter().map(|stub| stub.name.as_str());
        emit::keep_apart(text, stubs, &wishes.outputs, &sources)?;
    }
    Ok((request, sources))
}

struct Composition<'a> {
    name: &'a str,
    wiring: Wiring,
    packages: Packages,
    origins: Origins,
    /// Where the parts are that were given, by name.
    given: BTreeMap<String, Source>,
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

impl<'a> Composition<'a> {
    /// Finds who gets what from whom, and says what was done that nobody asked for.
    fn plan(request: Request, sources: Vec<Source>, wishes: &Wishes<'a>) -> Result<Self, Failure> {
        let wiring = wire::find(&request).map_err(|error| unwired(error, &request, &sources))?;
        remark(&wiring, wishes);
        let origins = origins(&request.parts, &sources);
        let given = request.parts.iter().map(|part| part.name.clone()).zip(sources).collect();
        Ok(Composition { name: wishes.name, wiring, packages: wire::packages(request.parts), origins, given })
    }

    /// Text and composition: with the world as its target that people wrote, where one is named.
    fn compose(&mut self, wishes: &Wishes<'_>) -> Result<(String, Composed<'_>), Failure> {
        match wishes.world {
            Some(world) => self.fitting(&target(world, wishes.wit)?),
            None => self.plain(),
        }
    }

    /// Writes the text: with a target of its own, where it has none and there can be one.
    fn write(
        &mut self,
        file: &Path,
        text: String,
        targeted: bool,
        composed: &[u8],
        more: &[(&str, &OsStr)],
    ) -> Result<Option<Emitted>, Failure> {
        if emit::alone(file) {
            emit::write_alone(file, &text, targeted, &self.mentioned())?;
            return Ok(None);
        }
        let with_contract = if targeted { None } else { Some(self.with_contract(composed)) };
        let (text, contract) = match with_contract {
            Some(Ok((text, contract))) => (text, Some(contract)),
            Some(Err(reason)) => {
                files::say(&format!("note: `{}` targets no world: {reason}", file.display()));
                (text, None)
            }
            None => (text, None),
        };
        emit::write(file, &text, contract.as_ref(), &self.mentioned(), more).map(Some)
    }

    /// The parts that the text mentions, in its order.
    fn mentioned(&self) -> Vec<Mentioned<'_>> {
        let mentioned = |part: &str| {
            let (package, bytes) = self.packages.get_key_value(&format!("{}:{part}", manifest::NAMESPACE))?;
            let name = package.split_once(':')?.1;
            Some(Mentioned { name, bytes, source: self.given.get(name) })
        };
        self.wiring.instances.iter().filter_map(|instance| mentioned(&instance.part)).collect()
    }

    /// Who gets what from whom.
    fn wired(&self) -> Vec<Wire> {
        let of = |instance: &Instance| {
            let part = instance.part.clone();
            let wire = move |argument: &Argument| Wire {
                part: part.clone(),
                import: argument.import.clone(),
                from: argument.part.clone(),
                export: argument.path.join("."),
            };
            instance.arguments.iter().map(wire).collect::<Vec<_>>()
        };
        self.wiring.instances.iter().flat_map(of).collect()
    }

    /// Text and composition, without a target.
    fn plain(&self) -> Result<(String, Composed<'_>), Failure> {
        let text = self.wiring.text(self.name, None);
        let composed = self.composed(&text).map_err(|error| self.failed(error))?;
        Ok((text, composed))
    }

    /// What is wrong is said of the components: nobody has seen the text.
    fn failed(&self, error: compose::ComposeError) -> Failure {
        let mismatches = if error.mismatches.is_empty() {
            Vec::new()
        } else {
            wire::mismatches(&self.wiring, &self.packages)
        };
        Failure::from(error.of_bag(mismatches))
    }

    /// Text and composition, with a target world that people wrote.
    fn fitting(&mut self, target: &Target) -> Result<(String, Composed<'_>), Failure> {
        let text = self.wiring.text(self.name, Some(&target.world));
        let references = compose::references(&self.file(), &text).map_err(Failure::from)?;
        for reference in references {
            if !self.packages.contains_key(&reference.name)
                && let Some(bytes) = project::wit_package(&target.contracts, &reference)?
            {
                self.packages.insert(reference.name, bytes);
            }
        }
        let composed = self.composed(&text).map_err(|error| self.failed(error))?;
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
    let id = contracts.world(world).map_err(|error| {
        Failure::because(Exit::Cannot, "there is no target", error).help(project::NO_WORLD)
    })?;
    Ok(Target { world: contracts.world_name(id), contracts })
}

/// Says what was done that nobody asked for.
fn remark(wiring: &Wiring, wishes: &Wishes<'_>) {
    for part in &wiring.unused {
        files::say(&format!("note: `{part}` is used by nothing, and left out"));
    }
    for PassedOver { part, import, provider, export } in &wiring.passed_over {
        files::say(&format!(
            "note: `{import}` of `{part}` is left to the host, although `{provider}` exports `{export}`: \
             `--wire {part}.{import}={provider}.{export}` takes that, `--leave-open {part}.{import}` says that it is meant so"
        ));
    }
    for Candidate { part, export } in &wiring.left_out {
        files::say(&format!(
            "note: the type `{export}` of `{part}` is not exported: another part exports one of this name; `--export \
             {part}.{export}` exports this one, beside all else that is named so"
        ));
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
                error => {
                    let help = match &error {
                        PartError::Invalid(_) => Some(files::INVALID),
                        PartError::WitPackage => Some("give the component that implements it"),
                        _ => None,
                    };
                    let failure =
                        Failure::because(exit, format!("`{shown}` cannot be used as a component"), error);
                    help.into_iter().fold(failure, Failure::help)
                }
            }
        }
        WireError::Open(open) => {
            let meant = wire::likely_meant(&request.parts, &open);
            let error = WireError::Open(open);
            let help = error.help().map(|help| help.to_string()).unwrap_or_default();
            let class = class(&error);
            let failure = Failure::of(exit, error).classed(class);
            if meant.is_empty() {
                return failure;
            }
            let wires = wire::renaming(&meant).into_iter();
            let wires: Vec<String> = wires.map(|decision| format!("--wire {decision}")).collect();
            let wires = match &wires[..] {
                [] => String::new(),
                wires => format!("; or pass what has another name: `{}`", wires.join(" ")),
            };
            let words = format!("{help}{wires}\nwhat was probably meant:\n{}", check::blocks(&meant, false));
            failure.help(words).with_mismatches(meant)
        }
        error => {
            let class = class(&error);
            let nothing_left =
                matches!(&error, WireError::Unused(unused) if unused.len() == request.parts.len());
            let failure = Failure::of(exit, error).classed(class);
            if nothing_left {
                return failure.help(
                    "a composition exports something of its parts: give a component that exports something",
                );
            }
            failure
        }
    }
}

/// What programs know an error by.
fn class(error: &WireError) -> Option<&'static str> {
    match error {
        WireError::Ambiguous(_) => Some("ambiguous"),
        WireError::Cycle(_) => Some("cycle"),
        WireError::Open(_) => Some("open"),
        WireError::Clash { .. } => Some("clash"),
        WireError::NothingExported => Some("nothing-exported"),
        WireError::Unused(_) => Some("unused"),
        WireError::TooMany { .. } => Some("too-many"),
        _ => None,
    }
}
