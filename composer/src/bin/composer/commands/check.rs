//! `composer check`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use check::{self, CheckError, Class, Part, Report, Wire};
use clap::Args;
use compose::wire::{Place, part_names};
use contract::shape::{Shape, ShapeError};
use contract::shown;

use crate::failure::{self, Exit, Failure};
use crate::files;
use crate::project;
use crate::source::{self, RegistryOptions, Source};

/// Check whether components fit each other or a world, and report everything that does not fit.
///
/// With a socket and plugs, each import of the socket is looked up among the exports of the plugs
/// and compared. Imports of the host (`wasi:…`) may stay open, and so may interfaces that contain
/// only types. A plug that is used must get its own imports too. With a world, the component may
/// import only what the world imports, and must export everything that the world exports.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  composer check page.wasm greeter.wasm             does what page imports fit what greeter exports?
  composer check page.wasm --world wit#page         does it fit the world `page` of the packages in `wit`?
  composer check page.wasm greeter.wasm --json

What each class of mismatches means: `composer explain CLASS`.

Exit codes:
  0  everything fits
  1  something does not: all of it is on standard output
  2  the command line is wrong
  3  an input cannot be read, or is not what it should be")]
pub struct Check {
    /// Component whose imports are checked, or that is checked against the world: a path, or
    /// `oci://REGISTRY/NAME:TAG`.
    #[arg(value_parser = Source::parser())]
    socket: Source,
    /// Components that export what the socket imports. If two export the same interface, the first
    /// one is used.
    #[arg(value_parser = Source::parser(), required_unless_present = "world", conflicts_with = "world")]
    plugs: Vec<Source>,
    /// World: the file or directory of its WIT package, and its name if the package has several.
    #[arg(long, value_name = "WIT[#WORLD]")]
    world: Option<OsString>,
    /// Import to leave to the host even if a component exports it: with or without its version, for
    /// all components or for one, named after its file without the extension; can be repeated.
    /// Imports of `wasi:*` that no component exports are always left to the host.
    #[arg(long, value_name = "[PART.]IFACE", conflicts_with = "world")]
    leave_open: Vec<Place>,
    /// Prints JSON: `fits`, and `mismatches` (each with `class`, `path`, `problem`, `wanted` and `offered` as text and span,
    /// `change`, `edit`), `wired`, `host`, `passed_over` and `unused`.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Executes the command.
pub fn run(arguments: &Check) -> Result<(), Failure> {
    let socket = arguments.shape(&arguments.socket)?;
    let socket_name = arguments.socket.title();
    let socket = Part { name: &socket_name, shape: &socket };
    let report = match &arguments.world {
        Some(world) => {
            let (wit, world) = split(world);
            let contracts = project::contracts(Some(&wit), Path::new("."))?;
            let id = project::world(&contracts, &Source::Path(wit), world.as_deref(), "--world PATH#WORLD")?;
            let name = contracts.world_name(id);
            let wanted = Shape::of_world(&contracts, id).map_err(|error| {
                Failure::because(Exit::Input, format!("the world `{name}` cannot be encoded"), error)
            })?;
            check::world(socket, Part { name: &name, shape: &wanted }).map_err(failed)?
        }
        None => {
            let shapes =
                arguments.plugs.iter().map(|plug| arguments.shape(plug)).collect::<Result<Vec<_>, _>>()?;
            let names: Vec<String> = arguments.plugs.iter().map(Source::title).collect();
            let plugs: Vec<Part<'_>> =
                names.iter().zip(&shapes).map(|(name, shape)| Part { name, shape }).collect();
            check::plug_leaving_open(socket, &plugs, &arguments.leave_open()?).map_err(failed)?
        }
    };
    answer(arguments, &report)
}

fn answer(arguments: &Check, report: &Report) -> Result<(), Failure> {
    if arguments.json {
        files::print(format!("{}\n", check::json(report)).as_bytes())?;
    } else {
        let text = failure::harmless(failure::colour_on_stdout(), |colour| match report.fits() {
            true => fitting(report),
            false => check::text(report, colour),
        });
        files::print(text.as_bytes())?;
        for Wire { part, import, from, export } in &report.passed_over {
            files::say(&shown::harmless(&format!(
                "note: `{import}` of `{part}` is left to the host, although `{from}` exports `{export}`: `--leave-open {import}` \
                 says that it is meant so"
            )));
        }
        if arguments.world.is_some() && report.fits() {
            let component = arguments.socket.title();
            renamed(report, &component).for_each(|note| files::say(&shown::harmless(&note)));
        }
        for name in &report.unused {
            files::say(&shown::harmless(&format!("note: nothing was wired to `{name}`")));
        }
    }
    let failure = match report.mismatches.len() {
        0 => return Ok(()),
        1 => Failure::new(Exit::Cannot, "one thing does not fit"),
        many => Failure::new(Exit::Cannot, format!("{many} things do not fit")),
    };
    let failure = failure.told();
    let unwired = report.mismatches.iter().filter(|mismatch| mismatch.class == Class::Unwired);
    let names = unwired.filter_map(|mismatch| mismatch.path.first());
    // A function of a resource that is imported by itself, `thing.read`, is the host's in no composition.
    let open = names.filter(|name| name.contains(':') || !name.contains('.'));
    let flags: Vec<String> = open.map(|name| format!("--leave-open {name}")).collect();
    Err(if flags.is_empty() {
        failure
    } else {
        failure.help(format!("what is the host's business may stay open: `{}`", flags.join(" ")))
    })
}

/// What fits the world in another version than the world's. Engines take that; a text that targets the world does not.
fn renamed<'a>(report: &'a Report, component: &'a str) -> impl Iterator<Item = String> + 'a {
    let others = report.wired.iter().filter(|wire| wire.import != wire.export);
    others.map(move |Wire { part, import, export, .. }| {
        // Of imports, the component is the one that wants something; of exports, the world is.
        let (has, wants, words) = if part == component {
            (import, export, format!("import i: {export};`, and `\"{import}\": i` among the arguments"))
        } else {
            (export, import, format!("export NAME[\"{export}\"] as \"{import}\";`"))
        };
        format!(
            "note: `{component}` has `{has}` where the world has `{wants}`, which promises to fit; a text that `targets` the \
             world has to have the very name: `{words}"
        )
    })
}

/// What is wired to what, where all of it fits.
fn fitting(report: &Report) -> String {
    let wires = report.wired.iter().map(|Wire { part, import, from, export }| {
        format!("  {import} of `{part}` <- {export} of `{from}`\n")
    });
    let host = report.host.iter().map(|name| format!("  {name} <- the host\n"));
    format!("everything fits\n{}", wires.chain(host).collect::<String>())
}

fn failed(error: CheckError) -> Failure {
    if let CheckError::NoSuchImport { imports, .. } = &error {
        let help = match imports.as_slice() {
            [] => "nothing is imported there".to_owned(),
            imports => format!("imported are `{}`", imports.join("`, `")),
        };
        return Failure::new(Exit::Usage, format!("`--leave-open`: {error}")).help(help);
    }
    Failure::because(Exit::Cannot, "nothing can be said of these components", error)
}

impl Check {
    /// What stays open, with components by what they are called in messages.
    fn leave_open(&self) -> Result<Vec<Place>, Failure> {
        let sources = || std::iter::once(&self.socket).chain(&self.plugs);
        let name = |source: &Source| part_names(&[(source.stem(), String::new())], &[]).concat();
        let titled = |place: &Place| {
            let Some(part) = &place.part else { return Ok(place.clone()) };
            if let Some(source) = sources().find(|source| name(source) == *part) {
                return Ok(Place { part: Some(source.title()), ..place.clone() });
            }
            let known: Vec<String> = sources().map(name).collect();
            Err(Failure::new(Exit::Usage, format!("`--leave-open {place}`: there is no component `{part}`"))
                .help(format!("there are `{}`", known.join("`, `"))))
        };
        self.leave_open.iter().map(titled).collect()
    }

    fn shape(&self, source: &Source) -> Result<Shape, Failure> {
        let bytes = source::read(source, &self.registry, Path::new("."))?;
        let shown = source.to_string();
        Shape::of_component(&bytes).map_err(|error| match error {
            ShapeError::Read(error) => files::not_a_component(Path::new(&shown), error),
            ShapeError::Invalid(_) => {
                Failure::because(Exit::Input, format!("`{shown}` cannot be checked"), error).help(files::INVALID)
            }
            ShapeError::WitPackage => {
                Failure::because(Exit::Input, format!("`{shown}` cannot be checked"), error).help(format!(
                    "`composer wit {shown} -o FILE.wit` prints it, and `--world FILE.wit#WORLD` takes a world of it"
                ))
            }
            other => Failure::because(Exit::Input, format!("`{shown}` cannot be checked"), other),
        })
    }
}

/// The path of WIT packages, and the name of a world after the last `#`. A file may have such a sign in its name.
pub fn split(world: &OsString) -> (PathBuf, Option<String>) {
    if Path::new(world).exists() {
        return (PathBuf::from(world), None);
    }
    match world.to_str().and_then(|text| text.rsplit_once('#')) {
        Some((path, world)) => (PathBuf::from(path), Some(world.to_owned())),
        None => (PathBuf::from(world), None),
    }
}
