//! `composer compose`.

use std::path::{Path, PathBuf};

use anatomy::ReadError;
use check::Wire;
use clap::Args;
use compose::wire::{Decision, PartError, Place};
use compose::{self, ComposeError, ComposeErrorKind, Composed};
use composer::lock::Digest;
use serde_json::{Value, json};

use crate::bag::{self, Made, Wishes};
use crate::closing::Denial;
use crate::emit::{self, Emitted};
use crate::failure::{Exit, Failure};
use crate::given::{self, Given};
use crate::inputs::{self, Inputs};
use crate::package_store::PackageStore;
use crate::source::{LockOptions, RegistryOptions, Source, Supply, Wanted};
use crate::{files, outcome};

/// Compose components into one, by their imports and exports or by a WAC text.
///
/// Without a text, each import is satisfied by the one component that exports it, to any depth. If
/// an import is ambiguous or stays open, or a component is not needed, the error names the flag
/// that decides it. The order of the inputs makes no difference.
///
/// With a text, the text alone decides. Inside a project, the component NAME of interlock.toml is
/// the package `parts:NAME`, and WIT packages come from its contracts. Other packages are given
/// with `-d`.
///
/// Any component can be given as `oci://REGISTRY/NAME:TAG`. Nothing else is looked up in a
/// registry.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Compose {
    /// Components by path or `oci://` reference, directories of components, or `NAME=SOURCE`; or one text. The content tells which.
    #[arg(value_name = "INPUT", required_unless_present = "dependencies")]
    inputs: Vec<PathBuf>,
    /// Output file, or `-` for a pipe. Missing directories are created.
    #[arg(short, long, value_name = "OUT.wasm", required_unless_present = "emit_wac")]
    output: Option<PathBuf>,
    /// A component under a name of its own; with a text, a package that the text mentions: a
    /// component, or a directory of WIT packages.
    #[arg(short, long = "dependency", value_name = "NAME=SOURCE", value_parser = Given::parser())]
    dependencies: Vec<Given>,
    /// Directory of WIT packages. Default: the one that interlock.toml names.
    #[arg(long, value_name = "DIR")]
    wit: Option<PathBuf>,
    /// Export of the result; can be repeated. Default: everything that no other component consumes.
    #[arg(long = "export", value_name = "[PART.]IFACE", help_heading = "Without a text")]
    exports: Vec<Place>,
    /// Which component satisfies an import, where several could; can be repeated.
    #[arg(long = "wire", value_name = "PART.IFACE=PROVIDER", help_heading = "Without a text")]
    decisions: Vec<Decision>,
    /// Import to leave to the host; can be repeated. Imports of `wasi:*` that no component exports
    /// are always left to the host.
    #[arg(long, value_name = "[PART.]IFACE", help_heading = "Without a text")]
    leave_open: Vec<Place>,
    /// Imports to deny a component, such as `guest=wasi:sockets/*`; can be repeated. A stub that
    /// refuses every call takes the place of the host: `composer deny` shows what it returns.
    #[arg(long = "deny", value_name = "PART=IFACE", help_heading = "Without a text")]
    denials: Vec<Denial>,
    /// World that the result must fit.
    #[arg(long, value_name = "WORLD", help_heading = "Without a text")]
    world: Option<String>,
    /// Write the composition as a WAC text to this file. The stubs for `--deny` and, without
    /// `--world`, a contract go beside it. Prints the command that composes the text. With `-`,
    /// writes the text alone.
    #[arg(long, value_name = "OUT.wac", help_heading = "Without a text")]
    emit_wac: Option<PathBuf>,
    /// Print JSON: what was made and wired, or why the command failed. The fields are below.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

const AFTER_HELP: &str = "\
Examples:
  composer compose greeter.wasm clock.wasm -o whole.wasm
  composer compose parts/ --export example:greeting/greet -o whole.wasm --emit-wac whole.wac
  composer compose whole.wac -o whole.wasm
  composer compose whole.wac -o whole.wasm -d greeter=greeter.wasm -d example:worlds=wit

JSON:
  output   where the composition is: `file`, `bytes`, `digest`; null where there is none
  wired    who gets what from whom: each `part`, `import`, `from`, `export`
  host     the imports of the composition: what is left to the host
  exports  its exports
  unused   parts found in a directory that nothing uses: they are left out
  wrote    what `--emit-wac` wrote: the text, its contract, its stubs
  command  the command that composes that text
  error    null, or why there is no composition: `class`, `message`, `causes`, `help`,
           `place` (`file`, `line`, `column`), `mismatches` (as `composer check --json` has them)
A class is mismatch, syntax or missing-package; of a bag ambiguous, cycle, open, clash, unused,
nothing-exported or too-many; and else what the exit code says: cannot (1), usage (2), input (3).";

/// Executes the command.
pub fn run(arguments: &Compose) -> Result<(), Failure> {
    arguments.keep_apart()?;
    let made = arguments.compose();
    if arguments.json {
        let nothing = json!({ "output": null, "wired": [], "host": [], "exports": [], "unused": [], "wrote": [], "command": null });
        return outcome::print(made.and_then(|(made, bytes)| arguments.told(&made, &bytes)), nothing);
    }
    let (Made { emitted: Some(Emitted { command, .. }), .. }, _) = made? else { return Ok(()) };
    if piped(arguments.output.as_deref()) {
        files::say(&command);
        return Ok(());
    }
    files::print(format!("{command}\n").as_bytes())
}

fn piped(path: Option<&Path>) -> bool {
    path.is_some_and(|path| path.as_os_str() == "-")
}

impl Compose {
    /// Composes, and delivers what was made. Answers with its bytes where there is more to say of them.
    fn compose(&self) -> Result<(Made, Vec<u8>), Failure> {
        match inputs::read(&self.inputs, &self.dependencies, self.output.as_deref())? {
            Inputs::Text(file, text) => self.compose_text(&file, &text),
            Inputs::Bag(wanted) => {
                let mut supply = self.supply(Path::new("."))?;
                let bag = inputs::bag(wanted, &mut supply)?;
                let outputs = self.outputs(Some(supply.lock()));
                files::each_once(&outputs)?;
                let paths = bag.parts.iter().filter_map(|(_, source)| source.path());
                outputs.iter().try_for_each(|(_, output)| files::keep_apart(output, paths.clone()))?;
                let pulled = bag.parts.iter().any(|(_, source)| matches!(source, Source::Registry(_)));
                bag::compose(bag, &self.wishes(outputs, pulled), |composed| {
                    supply.settle()?;
                    self.deliver(composed)
                })
            }
        }
    }

    fn deliver(&self, composed: &Composed<'_>) -> Result<Vec<u8>, Failure> {
        if let Some(output) = &self.output {
            files::deliver_pieces(output, &composed.chunks().collect::<Vec<_>>())?;
        }
        Ok(if self.json { composed.to_vec() } else { Vec::new() })
    }

    /// What there is to say of it, for programs.
    fn told(&self, made: &Made, bytes: &[u8]) -> Result<Value, Failure> {
        let whole = anatomy::read(bytes).map_err(unreadable)?;
        let digest = || Digest::of(bytes).to_string();
        let file = self.output.as_ref().map(|file| file.display().to_string());
        let (wrote, command) = match &made.emitted {
            Some(Emitted { files, command }) => (files.as_slice(), Some(command)),
            None => (&[][..], None),
        };
        let wrote: Vec<String> = wrote.iter().map(|file| file.display().to_string()).collect();
        Ok(json!({
            "output": file.map(|file| json!({ "file": file, "bytes": bytes.len(), "digest": digest() })),
            "wired": made.wired,
            "host": whole.imports,
            "exports": whole.exports,
            "unused": made.unused,
            "wrote": wrote,
            "command": command,
        }))
    }

    /// All that may be written and whose name is known from the start, with what it is: all but the stubs.
    fn outputs(&self, lock: Option<&Path>) -> Vec<(&'static str, PathBuf)> {
        let text = self.emit_wac.as_deref();
        let with_contract = text.filter(|text| self.world.is_none() && !emit::alone(text));
        let named = [
            ("the composition", self.output.clone()),
            ("its text", text.map(Path::to_owned)),
            ("the contract of its text", with_contract.map(emit::contract_file)),
            ("the lock", lock.map(Path::to_owned)),
        ];
        named.into_iter().filter_map(|(what, path)| Some((what, path?))).collect()
    }

    fn keep_apart(&self) -> Result<(), Failure> {
        let given = self.dependencies.iter().filter_map(|given| given.source.path());
        let inputs = given.chain(self.inputs.iter().map(PathBuf::as_path));
        let outputs = self.outputs(self.lock.file());
        outputs.iter().try_for_each(|(_, output)| files::keep_apart(output, inputs.clone()))?;
        files::each_once(&outputs)?;
        let printed = [
            ("the composition", piped(self.output.as_deref())),
            ("its text", piped(self.emit_wac.as_deref())),
            ("what `--json` tells", self.json),
        ];
        let printed: Vec<&str> =
            printed.iter().filter(|(_, printed)| *printed).map(|(what, _)| *what).collect();
        match printed.as_slice() {
            [one, other, ..] => {
                let message = format!("{one} and {other} cannot both go to standard output");
                Err(Failure::new(Exit::Usage, message).help("write one of them to a file"))
            }
            _ => Ok(()),
        }
    }

    /// Where inputs come from. A composition of which only the text is wanted is known by that.
    fn supply<'a>(&'a self, near: &'a Path) -> Result<Supply<'a>, Failure> {
        let product = self.output.as_deref().or(self.emit_wac.as_deref()).unwrap_or(Path::new("-"));
        Supply::new(product, &self.registry, &self.lock, near)
    }

    /// `outputs` are all but the stubs; `pulled` says whether a part comes from a registry.
    fn wishes(&self, outputs: Vec<(&'static str, PathBuf)>, pulled: bool) -> Wishes<'_> {
        let wit = self.wit.iter().filter(|_| self.world.is_some()).map(|wit| ("--wit", wit.as_os_str()));
        let registry = if pulled { self.registry.words() } else { Vec::new() };
        let named = self.emit_wac.iter().chain(&self.output).find(|path| path.as_os_str() != "-");
        Wishes {
            exports: &self.exports,
            leave_open: &self.leave_open,
            decisions: &self.decisions,
            denials: &self.denials,
            world: self.world.as_deref(),
            wit: self.wit.as_deref(),
            text: self.emit_wac.as_deref(),
            outputs,
            more: wit.chain(registry).collect(),
            name: named.and_then(|path| path.file_stem()).and_then(|stem| stem.to_str()).unwrap_or("whole"),
        }
    }

    fn compose_text(&self, file: &Path, text: &str) -> Result<(Made, Vec<u8>), Failure> {
        if files::is_wat(text.as_bytes()) {
            let message = format!("`{}` is text, and not in the WAC language", file.display());
            return Err(Failure::new(Exit::Input, message).help(files::encode(file)));
        }
        self.refuse_wishes(file)?;
        if self.output.is_none() {
            return Err(Failure::new(Exit::Usage, "`-o OUT.wasm` is missing"));
        }
        let name = file.display().to_string();
        let references = compose::references(&name, text).map_err(Failure::from)?;
        let near = file.parent().unwrap_or(Path::new("."));
        given::each_once(&self.dependencies)?;
        let mentioned = |given: &&Given| references.iter().any(|reference| reference.name == given.package);
        let (used, unused): (Vec<_>, Vec<_>) = self.dependencies.iter().partition(mentioned);
        for given in unused {
            files::say(&format!(
                "note: `{name}` does not mention the package `{}` that was given with -d",
                given.package
            ));
        }
        let mut supply = self.supply(near)?;
        files::each_once(&self.outputs(Some(supply.lock())))?;
        let given = supply.inputs(used.into_iter().cloned().map(Wanted::from).collect())?;
        let shelf = PackageStore::new(given, self.wit.as_deref(), near)?;
        let origins = shelf.origins(&references);
        let packages = shelf.packages(&references)?;
        let composed = compose::compose_in_place(&name, text, &packages, &origins)
            .map_err(|error| self.unread(error))?;
        supply.settle()?;
        let bytes = self.deliver(&composed)?;
        let wired = if self.json { wired(&bytes)? } else { Vec::new() };
        Ok((Made { wired, unused: Vec::new(), emitted: None }, bytes))
    }

    /// Why a text does not compose. What is wrong with a part is told in terms of the file that was given for it.
    fn unread(&self, error: ComposeError) -> Failure {
        let source = match &error.kind {
            ComposeErrorKind::Part(reference, _) | ComposeErrorKind::Invalid(reference, _) => {
                let given = self.dependencies.iter().find(|given| given.package == reference.name);
                given.map(|given| given.source.to_string())
            }
            _ => None,
        };
        match (source, error) {
            (Some(source), ComposeError { kind: ComposeErrorKind::Part(_, reason), .. }) => {
                files::not_a_component(Path::new(&source), *reason)
            }
            (Some(source), ComposeError { kind: ComposeErrorKind::Invalid(_, reason), .. }) => {
                let message = format!("`{source}` cannot be used as a component");
                Failure::because(Exit::Input, message, reason.context(PartError::INVALID))
                    .help(files::INVALID)
            }
            (_, error) => Failure::from(error),
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

/// Who gets what from whom in a composition. A part of a part is named with the way to it.
fn wired(composed: &[u8]) -> Result<Vec<Wire>, Failure> {
    let whole = anatomy::read(composed).map_err(unreadable)?;
    let name = |part: usize| whole.parts[part].path.join("/");
    let wire = |edge: &anatomy::Edge| match &edge.from {
        anatomy::Source::Part { part, export } => Some(Wire {
            part: name(edge.part),
            import: edge.import.clone(),
            from: name(*part),
            export: export.clone().unwrap_or_default(),
        }),
        anatomy::Source::Host { .. } => None,
    };
    Ok(whole.edges.iter().filter_map(wire).collect())
}

fn unreadable(error: ReadError) -> Failure {
    Failure::because(Exit::Cannot, "the composition cannot be described", error)
}
