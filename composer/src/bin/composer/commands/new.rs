//! `composer new`.

use std::fs;
use std::path::{Component, Path, PathBuf};

use check::bare;
use clap::{Args, ValueEnum};
use composer::bindgen::BindgenError;
use composer::manifest::{self, Language};
use composer::scaffold::{self, Cargo, Part, ScaffoldError, project::ListError};
use contract::Contracts;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::project::{self, Project};

/// Create a component: a directory that builds at once, with a stub for each function that its
/// world exports.
///
/// Each stub repeats the contract of its function, and traps until it is written. The component is
/// added to interlock.toml and, for Rust, to the Cargo workspace around it. Nothing is overwritten:
/// if a file exists already, nothing is done.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  composer new greeter --lang rust --world greeter\n  composer new greeter --lang python --world \
                        example:worlds/greeter --path parts/greeter"
)]
pub struct New {
    /// What it is called: lower-case words, joined by `-`.
    name: String,
    /// The language.
    #[arg(long = "lang", value_name = "LANGUAGE")]
    language: Written,
    /// World: its short name in the root package, or its full name.
    #[arg(long)]
    world: String,
    /// Its directory, relative to that of interlock.toml. Default: `components/NAME`.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Written {
    Rust,
    Zig,
    Python,
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    C,
}

impl From<Written> for Language {
    fn from(written: Written) -> Self {
        match written {
            Written::Rust => Language::Rust,
            Written::Zig => Language::Zig,
            Written::Python => Language::Python,
            Written::JavaScript => Language::JavaScript,
            Written::C => Language::C,
        }
    }
}

/// Executes the command.
pub fn run(arguments: &New) -> Result<(), Failure> {
    let name = &arguments.name;
    let language = Language::from(arguments.language);
    let project = Project::find(Path::new("."))?.ok_or_else(|| {
        Failure::new(Exit::Input, "there is no interlock.toml in this directory or above it")
            .help("it lists what is built, and says where the contracts are: run this inside a project")
    })?;
    look(&project, name)?;
    let path = arguments.path.clone().unwrap_or_else(|| Path::new("components").join(name));
    let directory = project.root.join(&path);
    let taken = fs::symlink_metadata(&directory).is_ok();
    if taken {
        let message = format!("there is a `{}` already", path.display());
        return Err(Failure::new(Exit::Cannot, message)
            .help("nothing is overwritten: give it another name, or another directory with `--path`"));
    }
    let contracts = project::load(&project.wit())?;
    let world = full_name(&contracts, &arguments.world)?;
    let mut changes = vec![in_manifest(&project, name, language, &path, &world)?];
    let workspace = match language {
        Language::Rust => workspace(&directory)?,
        _ => None,
    };
    if let Some(workspace) = &workspace {
        changes.extend(workspace.with(&directory)?);
    }
    let wit = way(&directory, &project.wit());
    let part = Part {
        name,
        language,
        world: &world,
        wit: &wit,
        cargo: workspace.as_ref().map(|found| &found.cargo),
    };
    let begun = scaffold::scaffold(&contracts, &part).map_err(|error| {
        let clashes = matches!(
            error,
            ScaffoldError::Clash { .. } | ScaffoldError::Bindings(BindgenError::Clash { .. })
        );
        let failure = Failure::because(Exit::Cannot, format!("`{name}` was not begun"), error);
        if clashes {
            failure.help("rename it in the contract, or choose another language with `--lang`")
        } else {
            failure
        }
    })?;
    put(&directory, &begun, &changes)?;

    for file in &begun {
        files::print(format!("{}\n", path.join(&file.path).display()).as_bytes())?;
    }
    files::say(&format!("`composer build {name}` builds it; what its stubs do is yours to write"));
    Ok(())
}

/// Whether the name can be taken.
fn look(project: &Project, name: &str) -> Result<(), Failure> {
    if !manifest::is_name(name) {
        return Err(Failure::new(Exit::Usage, format!("`{name}` is not a name"))
            .help("names are lower-case words of letters and digits, joined by `-`, as in `price-list`"));
    }
    let manifest = &project.manifest;
    if manifest.components.contains_key(name) || manifest.compositions.contains_key(name) {
        return Err(Failure::new(Exit::Cannot, format!("interlock.toml lists a `{name}` already")));
    }
    Ok(())
}

/// The name of a world as interlock.toml has it: with its package, and with a version only where that is needed.
fn full_name(contracts: &Contracts, wanted: &str) -> Result<String, Failure> {
    let found = |name: &str| contracts.world(name);
    let id = found(wanted).map_err(|error| {
        Failure::because(Exit::Cannot, "there is nothing to begin with", error).help(project::NO_WORLD)
    })?;
    let full = contracts.world_name(id);
    let short = bare(&full).to_owned();
    Ok(if found(&short).is_ok_and(|same| same == id) { short } else { full })
}

/// A file that is changed: where it is, and what it says then.
struct Change {
    path: PathBuf,
    before: String,
    after: String,
}

fn in_manifest(
    project: &Project,
    name: &str,
    language: Language,
    path: &Path,
    world: &str,
) -> Result<Change, Failure> {
    let file = project.root.join(manifest::FILE);
    let before = files::read_text(&file)?;
    let after = scaffold::project::list(&before, name, language, &slashes(path), world)
        .map_err(|error| cannot_list(manifest::FILE, error))?;
    manifest::parse(manifest::FILE, &after).map_err(|error| Failure::of(Exit::Cannot, error))?;
    Ok(Change { path: file, before, after })
}

fn cannot_list(file: &str, error: ListError) -> Failure {
    Failure::because(Exit::Cannot, format!("cannot add to `{file}`"), error)
        .help("write it in the form that `composer build` documents, and try again")
}

/// The Cargo workspace that a directory is in.
struct Workspace {
    root: PathBuf,
    text: String,
    cargo: Cargo,
}

/// The nearest workspace upwards, as Cargo looks for it.
fn workspace(directory: &Path) -> Result<Option<Workspace>, Failure> {
    for root in directory.ancestors().skip(1) {
        let file = root.join("Cargo.toml");
        if !file.is_file() {
            continue;
        }
        let text = files::read_text(&file)?;
        let found = scaffold::project::workspace(&text)
            .map_err(|error| cannot_list(&file.display().to_string(), error))?;
        if let Some(cargo) = found {
            return Ok(Some(Workspace { root: root.to_owned(), text, cargo }));
        }
    }
    Ok(None)
}

impl Workspace {
    /// Its manifest with one more member, where that changes anything.
    fn with(&self, directory: &Path) -> Result<Option<Change>, Failure> {
        let path = self.root.join("Cargo.toml");
        let member = way(&self.root, directory);
        let after = scaffold::project::join(&self.text, &member)
            .map_err(|error| cannot_list(&path.display().to_string(), error))?;
        let before = self.text.clone();
        Ok((after != before).then_some(Change { path, before, after }))
    }
}

/// Puts the directory in place, whole, and then changes the files. Where one of these steps fails, all is as it was. What
/// cannot be taken back then is left without a word: the failure itself is what counts.
fn put(directory: &Path, begun: &[scaffold::File], changes: &[Change]) -> Result<(), Failure> {
    let above = directory.parent().unwrap_or(Path::new("."));
    let made = first_missing(above);
    let done = write_all(directory, above, begun).and_then(|()| {
        change(changes).inspect_err(|_| {
            let _ = fs::remove_dir_all(directory);
        })
    });
    if let (Err(_), Some(made)) = (&done, made) {
        for empty in above.ancestors().take_while(|directory| directory.starts_with(&made)) {
            let _ = fs::remove_dir(empty);
        }
    }
    done
}

/// The highest directory of a path that is not there yet.
fn first_missing(path: &Path) -> Option<PathBuf> {
    path.ancestors().take_while(|directory| !directory.exists()).last().map(Path::to_owned)
}

fn write_all(directory: &Path, above: &Path, begun: &[scaffold::File]) -> Result<(), Failure> {
    let fail = |error: std::io::Error| {
        Failure::because(Exit::Cannot, format!("cannot make `{}`", directory.display()), error)
    };
    fs::create_dir_all(above).map_err(fail)?;
    let half = tempfile::Builder::new().prefix(files::UNFINISHED).tempdir_in(above).map_err(fail)?;
    let inside = half.path().join("new");
    fs::create_dir(&inside).map_err(fail)?;
    for file in begun {
        files::write(&inside.join(&file.path), file.text.as_bytes())?;
    }
    fs::rename(&inside, directory).map_err(fail)
}

fn change(changes: &[Change]) -> Result<(), Failure> {
    for (index, change) in changes.iter().enumerate() {
        if let Err(failure) = files::write(&change.path, change.after.as_bytes()) {
            for done in &changes[..index] {
                let _ = files::write(&done.path, done.before.as_bytes());
            }
            return Err(failure);
        }
    }
    Ok(())
}

/// The way from one directory to another, with `/` between its steps.
fn way(from: &Path, to: &Path) -> String {
    let (from, to) = (plain(from), plain(to));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| "..".to_owned());
    let down = to.components().skip(common).map(|step| step.as_os_str().to_string_lossy().into_owned());
    let steps: Vec<String> = up.chain(down).collect();
    if steps.is_empty() { ".".to_owned() } else { steps.join("/") }
}

/// A path without `.` and `..`: what is not there yet cannot be asked of the system.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for step in path.components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            step => plain.push(step),
        }
    }
    plain
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::way;

    #[test]
    fn the_way_leads_up_and_down() {
        let way = |from, to| way(Path::new(from), Path::new(to));
        assert_eq!(way("/a/components/x", "/a/wit"), "../../wit");
        assert_eq!(way("/a", "/a/components/x"), "components/x");
        assert_eq!(way("/a/tests/x", "/a/tests/../wit"), "../../wit");
        assert_eq!(way("/a", "/a/."), ".");
    }
}
