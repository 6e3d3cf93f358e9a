//! Reading inputs, and writing outputs so that they are there whole or not at all.

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anatomy::ReadError;

use crate::failure::{Exit, Failure};

/// The name under which outputs are written before they get their own. What a killed run leaves behind has it.
pub const UNFINISHED: &str = ".unfinished-";

/// The longest input that is read, in bytes: what `anatomy` takes. Devices and pipes may never end.
pub const LONGEST: u64 = 1 << 30;

/// How every WebAssembly binary begins.
pub const WASM: &[u8] = b"\0asm";

/// Reads a file of bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let attempt = || -> io::Result<Option<Vec<u8>>> {
        let file = fs::File::open(path)?;
        let expected = file.metadata()?.len();
        if expected > LONGEST {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
        file.take(LONGEST + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= LONGEST))
    };
    let bytes = attempt().map_err(|error| cannot_read(path, error))?;
    bytes.ok_or_else(|| Failure::new(Exit::Input, format!("`{}` is longer than 1 GiB", path.display())))
}

/// Reads an input that may be a component.
pub fn read_binary(path: &Path) -> Result<Vec<u8>, Failure> {
    bounded(path, read(path)?)
}

/// Refuses a component that declares more than is worth a look: what comes after would take minutes, or the machine's memory.
pub fn bounded(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match bytes.starts_with(WASM).then(|| anatomy::bounds::check(&bytes, 1)) {
        Some(Err(error)) if error.is_limit() => Err(not_a_component(path, error)),
        // What else is wrong with it is told where it is used.
        _ => Ok(bytes),
    }
}

/// Reads all of standard input. A terminal is not waited for.
pub fn read_input() -> Result<Vec<u8>, Failure> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::new(Exit::Usage, "`-` is standard input, and that is a terminal")
            .help("pipe something into it, or give a file; one that is called `-` is `./-`"));
    }
    let mut bytes = Vec::new();
    let read = stdin.lock().take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::because(Exit::Input, "cannot read standard input", error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new(Exit::Input, "standard input is longer than 1 GiB"));
    }
    Ok(bytes)
}

/// Reads how a file begins: as many bytes as `length`, or all that it has.
pub fn head(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of text.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    text(path, read(path)?)
}

/// What was read of a file, as text.
pub fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Exit::Input, format!("`{}` is not text: byte {at} is not UTF-8", path.display()))
            .help("give a file of text in UTF-8")
    })
}

/// Why a file cannot be read.
pub fn cannot_read(path: &Path, error: io::Error) -> Failure {
    let help = match error.kind() {
        io::ErrorKind::NotFound => Some(not_there(path)),
        io::ErrorKind::IsADirectory => Some("it is a directory: name a file".to_owned()),
        io::ErrorKind::PermissionDenied => Some("its permissions keep you from reading it".to_owned()),
        _ => None,
    };
    let failure = Failure::because(Exit::Input, format!("cannot read `{}`", path.display()), error);
    help.into_iter().fold(failure, Failure::help)
}

/// What there is in the place of a file or directory that is not there.
pub fn not_there(path: &Path) -> String {
    let directory = directory_of(path);
    if !directory.is_dir() {
        return format!(
            "there is no directory `{}` either; relative paths begin in the current directory",
            directory.display()
        );
    }
    let bare = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase());
    let entries = fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| directory.join(entry.file_name()));
    let mut alike: Vec<String> = entries
        .filter(|entry| bare(entry) == bare(path))
        .map(|entry| format!("`{}`", entry.strip_prefix(".").unwrap_or(&entry).display()))
        .collect();
    alike.sort();
    match alike.as_slice() {
        [] => "look at how it is written; relative paths begin in the current directory".to_owned(),
        alike => format!("there is {}", alike.join(" and ")),
    }
}

/// Why something cannot be written there.
fn cannot_write(path: &Path, error: io::Error) -> Failure {
    let help = match error.kind() {
        _ if path.is_dir() => Some("it is a directory: name a file in it".to_owned()),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            Some("one of the directories on the way to it is a file: write to another place".to_owned())
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("you may not write there: write to another place".to_owned())
        }
        _ => None,
    };
    let failure = Failure::because(Exit::Cannot, format!("cannot write `{}`", path.display()), error);
    help.into_iter().fold(failure, Failure::help)
}

/// What a file is called in what is shown of it. A name may hold anything; it must not steer the terminal.
pub fn title(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().replace(char::is_control, "\u{fffd}")
}

/// Why a file is not a component, in terms of the file.
pub fn not_a_component(path: &Path, error: ReadError) -> Failure {
    let shown = path.display();
    match error {
        ReadError::CoreModule => {
            Failure::new(Exit::Input, format!("`{shown}` is a core module, not a component"))
                .help(format!("`composer componentize {shown} -o OUT.wasm` makes a component of it"))
        }
        ReadError::Text => {
            let failure = Failure::new(Exit::Input, format!("`{shown}` is text, not a component"));
            // Behind a reference there is no file; then it is not looked at again.
            if head(path, 4096).is_ok_and(|head| is_wat(&head)) {
                return failure.help(encode(path));
            }
            failure.help("a component is a binary file; `composer compose` makes one of a `.wac` text")
        }
        ReadError::NotWasm => Failure::new(
            Exit::Input,
            format!("`{shown}` is not WebAssembly: it does not begin with `\\0asm`"),
        )
        .help("give the `.wasm` file that the build of a component made; where that is empty, the build did not end well"),
        error if error.is_limit() => {
            Failure::because(Exit::Input, format!("`{shown}` cannot be read as a component"), error)
                .help("this is a limit of composer, and says nothing against the file: one of fewer parts or levels is read")
        }
        ReadError::Draft { .. } => {
            Failure::because(Exit::Input, format!("`{shown}` cannot be read as a component"), error)
                .help("no engine of today takes it either: build it again with a current toolchain")
        }
        error => {
            let help = match &error {
                ReadError::CutOff { .. } => "get or build it again".to_owned(),
                _ => unreadable(error.made_by()),
            };
            let message = format!("`{shown}` cannot be read as a component");
            Failure::because(Exit::Input, message, error).help(help)
        }
    }
}

/// What may be the matter with a file that cannot be read, with the tools that it says it was made by.
pub fn unreadable(made_by: Option<&str>) -> String {
    let tools = made_by.map_or_else(String::new, |tools| format!(": it names {tools}"));
    format!(
        "it may have been cut off or damaged: get or build it again\n\
         or it was made by a newer toolchain than this composer knows{tools}"
    )
}

/// Whether a text, by its first bytes, is WebAssembly in its text form: it begins with a bracket, behind comments.
pub fn is_wat(head: &[u8]) -> bool {
    let mut rest = head.trim_ascii_start();
    loop {
        let comment = match rest {
            [b';', b';', ..] => rest.iter().position(|&byte| byte == b'\n').map(|at| at + 1),
            [b'(', b';', ..] => rest.windows(2).position(|two| two == b";)").map(|at| at + 2),
            _ => break,
        };
        let Some(length) = comment else { return false };
        rest = rest[length..].trim_ascii_start();
    }
    let word = rest.strip_prefix(b"(").map(<[u8]>::trim_ascii_start);
    word.is_some_and(|word| word.starts_with(b"component") || word.starts_with(b"module"))
}

/// The way out where a file is WebAssembly in its text form.
pub fn encode(path: &Path) -> String {
    let shown = path.display();
    let binary = path.with_extension("wasm");
    format!(
        "it is WAT, the text form of WebAssembly: `wasm-tools parse {shown} -o {}` encodes it",
        if binary == path { PathBuf::from("OUT.wasm") } else { binary }.display()
    )
}

/// The way out where a file is put together as a component is, and not valid.
pub const INVALID: &str = "it may have been cut off or damaged, or was made by the rules of a draft that are others now, or by \
                           a newer toolchain than this composer knows: get it again, or build it again with a current \
                           toolchain";

/// Writes a file so that at every moment either the old one or the new one is there, whole: also when this
/// process is killed, or the machine. A link goes on pointing where it did; a device or pipe is written to, not
/// replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_pieces(path, &[bytes])
}

/// As [`write`], of a file that comes in pieces.
fn write_pieces(path: &Path, pieces: &[&[u8]]) -> Result<(), Failure> {
    let attempt = || -> io::Result<()> {
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let mut file = fs::File::options().write(true).open(path)?;
            return pieces.iter().try_for_each(|piece| file.write_all(piece));
        }
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let directory = directory_of(&path);
        fs::create_dir_all(&directory)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(UNFINISHED).tempfile_in(&directory)?;
        pieces.iter().try_for_each(|piece| file.write_all(piece))?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        // The new name is durable once the directory is; not every system lets directories be synced.
        if let Ok(directory) = fs::File::open(&directory) {
            let _ = directory.sync_all();
        }
        Ok(())
    };
    attempt().map_err(|error| cannot_write(path, error))
}

/// Writes files into a directory, which is made where it is missing: all of them, or none. Those that are there already are
/// refused, unless they are to be overwritten.
///
/// Everything is written under another name first. A new directory then gets its name in one step; in one that is there the
/// files follow each other, and where that stops half-way, those that are new are taken away again.
pub fn write_together(directory: &Path, files: &[(PathBuf, &[u8])], overwrite: bool) -> Result<(), Failure> {
    let there: Vec<_> =
        files.iter().map(|(name, _)| directory.join(name)).filter(|path| path.exists()).collect();
    if let (false, Some(first)) = (overwrite, there.first()) {
        let (what, them) = match there.len() {
            1 => ("is".to_owned(), "it"),
            many => (format!("and {} more are", many - 1), "them"),
        };
        return Err(Failure::new(Exit::Cannot, format!("`{}` {what} there already", first.display()))
            .help(format!("`--force` overwrites {them}; or write to another directory")));
    }
    let attempt = || -> io::Result<()> {
        let fresh = !directory.exists();
        let parent = if fresh { directory_of(directory) } else { directory.to_owned() };
        fs::create_dir_all(&parent)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let staged = builder.prefix(UNFINISHED).tempdir_in(&parent)?;
        for (name, bytes) in files {
            let path = staged.path().join(name);
            fs::create_dir_all(directory_of(&path))?;
            let mut file = fs::File::create(&path)?;
            file.write_all(bytes)?;
            file.sync_all()?;
        }
        if fresh {
            fs::rename(staged.path(), directory)?;
            // It has its own name now, and is not taken away when this ends.
            let _ = staged.keep();
            return Ok(());
        }
        let moved = files.iter().try_for_each(|(name, _)| {
            fs::create_dir_all(directory_of(&directory.join(name)))?;
            fs::rename(staged.path().join(name), directory.join(name))
        });
        if moved.is_err() {
            for path in
                files.iter().map(|(name, _)| directory.join(name)).filter(|path| !there.contains(path))
            {
                let _ = fs::remove_file(path);
            }
        }
        moved
    };
    attempt().map_err(|error| {
        Failure::because(Exit::Cannot, format!("cannot write to `{}`", directory.display()), error)
    })
}

/// Refuses two outputs in one file, where only the last of them would be left. Each comes with what it is.
pub fn each_once(outputs: &[(&str, PathBuf)]) -> Result<(), Failure> {
    let one_place = |one: &Path, other: &Path| {
        let kept = fs::metadata(one).map_or(one.as_os_str() != "-", |found| found.is_file());
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| absolute(path));
        kept && real(one) == real(other)
    };
    for (index, (what, path)) in outputs.iter().enumerate() {
        if let Some((first, _)) = outputs[..index].iter().find(|(_, other)| one_place(path, other)) {
            let message = format!("`{}` would be written twice: as {first} and as {what}", path.display());
            return Err(Failure::new(Exit::Usage, message).help("give each of them a name of its own"));
        }
    }
    Ok(())
}

/// A path from the root. Links among its directories are followed, as far as there are any directories yet; the last name stays,
/// also where it is that of a link.
pub fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return fs::canonicalize(&path).unwrap_or(path);
    };
    let real = directory.ancestors().find_map(|there| Some((there, fs::canonicalize(there).ok()?)));
    match real.map(|(there, real)| (directory.strip_prefix(there), real)) {
        Some((Ok(rest), real)) => real.join(rest).join(name),
        _ => path,
    }
}

/// Refuses an output that would take the place of one of the inputs. `-` is standard output, whatever files there are.
pub fn keep_apart<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), Failure> {
    if output.as_os_str() == "-" {
        return Ok(());
    }
    let Ok(there) = fs::canonicalize(output) else { return Ok(()) };
    let same = |input: &&Path| there.is_file() && fs::canonicalize(input).is_ok_and(|input| input == there);
    match inputs.into_iter().find(same) {
        Some(_) => Err(Failure::new(
            Exit::Usage,
            format!("`{}` is an input, and would be overwritten", output.display()),
        )
        .help("give `-o` the name of another file")),
        None => Ok(()),
    }
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writes a product to where `-o` says: a file, or `-` for standard output. Neither may be a terminal.
pub fn deliver(output: &Path, bytes: &[u8]) -> Result<(), Failure> {
    deliver_pieces(output, &[bytes])
}

/// As [`deliver`], of a product that comes in pieces.
pub fn deliver_pieces(output: &Path, pieces: &[&[u8]]) -> Result<(), Failure> {
    let piped = output.as_os_str() == "-";
    let terminal = if piped { io::stdout().is_terminal() } else { is_terminal(output) };
    if terminal {
        let what = if piped { "standard output".to_owned() } else { format!("`{}`", output.display()) };
        return Err(Failure::new(
            Exit::Usage,
            format!("refusing to write binary output to a terminal: {what} is one"),
        )
        .help("`-o FILE.wasm` writes it to a file; with `-o -`, pipe it into something"));
    }
    if piped { print_pieces(pieces) } else { write_pieces(output, pieces) }
}

/// Whether a path leads to a terminal, as `/dev/stdout` may. Only devices are opened: to open a pipe is to wait.
fn is_terminal(path: &Path) -> bool {
    #[cfg(unix)]
    let device = fs::metadata(path)
        .is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_char_device(&found.file_type()));
    #[cfg(not(unix))]
    let device = false;
    device && fs::File::options().write(true).open(path).is_ok_and(|file| file.is_terminal())
}

/// Writes to standard output. Whoever reads it may stop at any time: that is no error.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    print_pieces(&[bytes])
}

fn print_pieces(pieces: &[&[u8]]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = pieces.iter().try_for_each(|piece| stdout.write_all(piece));
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because(Exit::Cannot, "cannot write to standard output", error))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error, where nobody needs to listen: a reader that is gone is no error.
pub fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
