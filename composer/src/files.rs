//! Reading inputs, and writing outputs so that they are there whole or not at all.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anatomy::ReadError;

use crate::failure::{Exit, Failure};

/// The name under which outputs are written before they get their own. What a killed run leaves behind has it.
pub const UNFINISHED: &str = ".unfinished-";

/// Reads a file of bytes.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| cannot_read(path, error))
}

/// Reads a file of text.
pub fn read_text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Exit::Input, format!("`{}` is not text: byte {at} is not UTF-8", path.display()))
    })
}

fn cannot_read(path: &Path, error: io::Error) -> Failure {
    Failure::because(Exit::Input, format!("cannot read `{}`", path.display()), error)
}

/// Why a file is not a component, in terms of the file.
pub fn not_a_component(path: &Path, error: ReadError) -> Failure {
    let shown = path.display();
    match error {
        ReadError::CoreModule => {
            Failure::new(Exit::Input, format!("`{shown}` is a core module, not a component"))
                .help(format!("`composer componentize {shown} -o OUT.wasm` makes a component of it"))
        }
        ReadError::Text => Failure::new(Exit::Input, format!("`{shown}` is text, not a component"))
            .help("a component is a binary file; `composer compose` makes one of a `.wac` text"),
        ReadError::NotWasm => Failure::new(
            Exit::Input,
            format!("`{shown}` is not WebAssembly: it does not begin with `\\0asm`"),
        ),
        error => Failure::because(Exit::Input, format!("`{shown}` cannot be read as a component"), error)
            .help("it may have been cut off or damaged: get or build it again"),
    }
}

/// Writes a file so that at every moment either the old one or the new one is there, whole: also when this
/// process is killed, or the machine.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let attempt = || -> io::Result<()> {
        let folder = folder_of(path);
        fs::create_dir_all(&folder)?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.prefix(UNFINISHED).tempfile_in(&folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The new name is durable once the folder is; not every system lets folders be synced.
        if let Ok(folder) = fs::File::open(&folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    attempt()
        .map_err(|error| Failure::because(Exit::Cannot, format!("cannot write `{}`", path.display()), error))
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Writes a product to where `-o` says: a file, or `-` for standard output, which must not be a terminal.
pub fn deliver(output: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if output.as_os_str() != "-" {
        return write(output, bytes);
    }
    if io::stdout().is_terminal() {
        return Err(Failure::new(
            Exit::Usage,
            "a component is not for the eyes: standard output is a terminal",
        )
        .help("`-o FILE.wasm` writes it to a file; with `-o -`, pipe it into something"));
    }
    print(bytes)
}

/// Writes to standard output. Whoever reads it may stop at any time: that is no error.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because(Exit::Cannot, "cannot write to standard output", error))
        }
        _ => Ok(()),
    }
}
