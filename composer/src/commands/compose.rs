//! `composer compose`.

use std::path::{Path, PathBuf};

use clap::Args;
use composer::compose::{self, ComposeError, ComposeErrorKind, Composed};
use composer::wire::{Decision, Place};

use crate::bag::{self, Wishes};
use crate::closing::Denial;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::inputs::{self, Inputs};
use crate::project::{self, Given, Shelf};
use crate::source::{LockOptions, RegistryOptions, Supply, Wanted};

/// Composes components: a bag of them, or as a text in the WAC language says.
///
/// A bag is wired by what its components import and export: each import gets the one component that exports it, over as
/// many levels as it takes. What is ambiguous, stays open or is not needed is an error that names the flag which decides
/// it. The order of the inputs changes nothing.
///
/// With a text, the text says it all. Inside a project a component NAME of composer.toml is the package `parts:NAME`, and
/// WIT packages are those of its contracts. Other packages are given with `-d`.
///
/// Any component may be given as `oci://REGISTRY/NAME:TAG`. Nothing else is ever looked up in a registry.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer compose greeter.wasm clock.wasm -o whole.wasm\n  composer compose parts/ \
                        --export example:greeting/greet -o whole.wasm --emit-wac whole.wac\n  composer compose whole.wac -o \
                        whole.wasm\n  composer compose whole.wac -o whole.wasm -d greeter=greeter.wasm -d \
                        example:worlds=wit"
)]
pub struct Compose {
    /// Components by path or `oci://` reference, folders of components, or `NAME=SOURCE`; or one text. The content tells which.
    #[arg(value_name = "INPUT", required_unless_present = "dependencies")]
    inputs: Vec<PathBuf>,
    /// Where the composition goes: a file, or `-` for a pipe.
    #[arg(short, long, value_name = "OUT.wasm", required_unless_present = "emit_wac")]
    output: Option<PathBuf>,
    /// A component under a name of its own; with a text, a package that it mentions: a component, or a folder of WIT
    /// packages.
    #[arg(short, long = "dependency", value_name = "NAME=SOURCE")]
    dependencies: Vec<Given>,
    /// The folder of WIT packages. Default: what composer.toml says.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    /// What the result exports; may be repeated. Default: what no other component consumed.
    #[arg(long = "export", value_name = "[PART.]IFACE", help_heading = "Without a text")]
    exports: Vec<Place>,
    /// Which component satisfies an import, where there is a choice; may be repeated.
    #[arg(long = "wire", value_name = "PART.IFACE=PROVIDER", help_heading = "Without a text")]
    decisions: Vec<Decision>,
    /// An import that is left to the host; may be repeated. Imports of `wasi:*` that nothing exports are left to it anyway.
    #[arg(long, value_name = "[PART.]IFACE", help_heading = "Without a text")]
    leave_open: Vec<Place>,
    /// What a part may not reach of its imports, such as `guest=wasi:sockets/*`; may be repeated. A stub that refuses
    /// everything stands in for the host there: `composer deny` says what it answers.
    #[arg(long = "deny", value_name = "PART=IFACE", help_heading = "Without a text")]
    denials: Vec<Denial>,
    /// The world that the result has to fit.
    #[arg(long, value_name = "WORLD", help_heading = "Without a text")]
    world: Option<String>,
    /// Where to write the composition that was found as a text; without `--world` with a contract of its own beside it.
    #[arg(long, value_name = "OUT.wac", help_heading = "Without a text")]
    emit_wac: Option<PathBuf>,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Compose) -> Result<(), Failure> {
    arguments.keep_apart()?;
    match inputs::read(&arguments.inputs, &arguments.dependencies, arguments.output.as_deref())? {
        Inputs::Text(file, text) => arguments.compose_text(&file, &text),
        Inputs::Bag(wanted) => {
            let mut supply = arguments.supply(Path::new("."))?;
            let parts = inputs::bag(wanted, &mut supply)?;
            let paths = parts.iter().filter_map(|(_, source)| source.path());
            arguments.outputs().iter().try_for_each(|output| files::keep_apart(output, paths.clone()))?;
            bag::compose(parts, &arguments.wishes(), |composed| {
                supply.settle()?;
                arguments.output.as_ref().map_or(Ok(()), |output| deliver(output, composed))
            })
        }
    }
}

impl Compose {
    /// All that may be written.
    fn outputs(&self) -> Vec<PathBuf> {
        let contract = self.emit_wac.as_deref().map(bag::contract_file);
        self.output.iter().chain(&self.emit_wac).cloned().chain(contract).collect()
    }

    fn keep_apart(&self) -> Result<(), Failure> {
        let given = self.dependencies.iter().filter_map(|given| given.source.path());
        let inputs = given.chain(self.inputs.iter().map(PathBuf::as_path));
        self.outputs().iter().try_for_each(|output| files::keep_apart(output, inputs.clone()))?;
        let piped = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
        if piped(&self.output) && piped(&self.emit_wac) {
            return Err(Failure::new(
                Exit::Usage,
                "the composition and its text cannot both go to standard output",
            ));
        }
        Ok(())
    }

    /// Where inputs come from. A composition of which only the text is wanted is known by that.
    fn supply<'a>(&'a self, near: &'a Path) -> Result<Supply<'a>, Failure> {
        let product = self.output.as_deref().or(self.emit_wac.as_deref()).unwrap_or(Path::new("-"));
        Supply::new(product, &self.registry, &self.lock, near)
    }

    fn wishes(&self) -> Wishes<'_> {
        let named = self.emit_wac.iter().chain(&self.output).find(|path| path.as_os_str() != "-");
        Wishes {
            exports: &self.exports,
            leave_open: &self.leave_open,
            decisions: &self.decisions,
            denials: &self.denials,
            world: self.world.as_deref(),
            wit: self.wit.as_deref(),
            text: self.emit_wac.as_deref(),
            name: named.and_then(|path| path.file_stem()).and_then(|stem| stem.to_str()).unwrap_or("whole"),
        }
    }

    fn compose_text(&self, file: &Path, text: &str) -> Result<(), Failure> {
        self.refuse_wishes(file)?;
        let Some(output) = &self.output else {
            return Err(Failure::new(Exit::Usage, "`-o OUT.wasm` is missing"));
        };
        let name = file.display().to_string();
        let references = compose::references(&name, text).map_err(failure)?;
        let near = file.parent().unwrap_or(Path::new("."));
        project::each_once(&self.dependencies)?;
        let mentioned = |given: &&Given| references.iter().any(|reference| reference.name == given.package);
        let (used, unused): (Vec<_>, Vec<_>) = self.dependencies.iter().partition(mentioned);
        for given in unused {
            files::say(&format!(
                "note: `{name}` does not mention the package `{}` that was given with -d",
                given.package
            ));
        }
        let mut supply = self.supply(near)?;
        let given = supply.inputs(used.into_iter().cloned().map(Wanted::from).collect())?;
        let shelf = Shelf::new(given, self.wit.as_deref(), near)?;
        let origins = shelf.origins(&references);
        let packages = shelf.packages(&references)?;
        let composed = compose::compose_in_place(&name, text, &packages, &origins)
            .map_err(|error| self.unread(error))?;
        supply.settle()?;
        deliver(output, &composed)
    }

    /// Why a text does not compose. What cannot be read is told in terms of the file that was given for it.
    fn unread(&self, error: ComposeError) -> Failure {
        let given = |package: &str| self.dependencies.iter().find(|given| given.package == package);
        let source = match &error.kind {
            ComposeErrorKind::Part(reference, _) => {
                given(&reference.name).map(|given| given.source.to_string())
            }
            _ => None,
        };
        match (source, error) {
            (Some(source), ComposeError { kind: ComposeErrorKind::Part(_, reason), .. }) => {
                files::not_a_component(Path::new(&source), *reason)
            }
            (_, error) => failure(error),
        }
    }

    /// A text decides all that there are flags for without one.
    fn refuse_wishes(&self, file: &Path) -> Result<(), Failure> {
        if !self.denials.is_empty() {
            let message =
                format!("`--deny` is for components without a text, and `{}` is a text", file.display());
            let help = "`composer deny PART.wasm IFACE -o STUB.wasm` makes what the text gives to the part: \
                        `new parts:part { ...closed, ... }`, where `let closed = new parts:stub { ... };`";
            return Err(Failure::new(Exit::Usage, message).help(help));
        }
        let flags = [
            ("--export", !self.exports.is_empty()),
            ("--wire", !self.decisions.is_empty()),
            ("--leave-open", !self.leave_open.is_empty()),
            ("--world", self.world.is_some()),
            ("--emit-wac", self.emit_wac.is_some()),
        ];
        match flags.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Failure::new(
                Exit::Usage,
                format!("`{flag}` is for components without a text, and `{}` is a text", file.display()),
            )
            .help("write it into the text")),
            None => Ok(()),
        }
    }
}

fn deliver(output: &Path, composed: &Composed<'_>) -> Result<(), Failure> {
    files::deliver_pieces(output, &composed.chunks().collect::<Vec<_>>())
}

/// A text that is not WAC is a bad input; one that cannot be done with these packages is not.
pub fn failure(error: ComposeError) -> Failure {
    let exit = match error.kind {
        ComposeErrorKind::TooLong(_)
        | ComposeErrorKind::TooDeep(_)
        | ComposeErrorKind::Syntax(_)
        | ComposeErrorKind::Part(..) => Exit::Input,
        _ => Exit::Cannot,
    };
    Failure::of(exit, error)
}
