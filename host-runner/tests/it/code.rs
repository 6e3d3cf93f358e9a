//! Compiled code that is kept, and code that was compiled ahead of time: what is loaded, what is refused, and what is
//! compiled anew.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use host_runner::{App, Cache, Engine, EngineOptions, Setup};
use tempfile::TempDir;

const GUEST: &str = r#"(component
    (core module $m
        (memory 1) (data (i32.const 8) "a heap image")
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

/// Subtracts where the other adds.
const OTHER: &str = r#"(component
    (core module $m
        (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.sub))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

const CALL: [&str; 3] = ["call", "guest.wasm", "add(40, 2)"];
const KEPT: [&str; 5] = ["call", "guest.wasm", "add(40, 2)", "--cache", "kept"];

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("guest.wasm", &wat::parse_str(GUEST).unwrap());
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_host-runner"));
        self.prepare(&mut command, arguments);
        command
    }

    fn prepare(&self, command: &mut Command, arguments: &[&str]) {
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("RUST_LOG")
            .env("NO_COLOR", "1")
            .env("XDG_CACHE_HOME", self.path("user"));
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        crate::proposed::checked(arguments, self.command(arguments).output().unwrap())
    }

    /// Runs it, and says whether the code came from the directory.
    fn run_told(&self, arguments: &[&str]) -> (i32, String, bool) {
        let output = self.command(arguments).env("RUST_LOG", "host_runner=debug").output().unwrap();
        let (code, out, err) = told(output);
        (code, out, err.contains("compiled code comes from "))
    }

    /// The one entry in the directory.
    fn entry(&self) -> PathBuf {
        let entries = entries(&self.path("kept"));
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.into_iter().next().unwrap()
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "cwasm")).collect()
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn code_is_compiled_once_and_kept_for_its_owner_alone() {
    let place = Place::new();
    assert_eq!(place.run_told(&KEPT), (0, "42\n".into(), false));
    let entry = place.entry();
    let first = fs::metadata(&entry).unwrap().ino();
    assert_eq!(place.run_told(&KEPT), (0, "42\n".into(), true));
    assert_eq!(fs::metadata(place.entry()).unwrap().ino(), first);
    assert_eq!(mode(&place.path("kept")), 0o700);
    assert_eq!(mode(&place.path("kept/key")), 0o600);
    assert_eq!(mode(&entry), 0o600);
    // Without the flag `call` keeps nothing, and nothing is left behind half-written.
    assert_eq!(place.run_told(&CALL), (0, "42\n".into(), false));
    assert_eq!(fs::read_dir(place.path("kept")).unwrap().count(), 2);
    assert!(!place.path("user").exists());
}

#[test]
fn a_component_that_changed_has_other_code() {
    let place = Place::new();
    place.run(&KEPT);
    place.write("guest.wasm", &wat::parse_str(OTHER).unwrap());
    assert_eq!(place.run_told(&KEPT), (0, "38\n".into(), false));
    assert_eq!(place.run_told(&KEPT), (0, "38\n".into(), true));
}

#[test]
fn a_changed_byte_anywhere_is_found_and_the_code_compiled_anew() {
    let place = Place::new();
    place.run(&KEPT);
    let (entry, whole) = (place.entry(), fs::read(place.entry()).unwrap());
    let code = whole.windows(4).position(|bytes| bytes == b"\x7fELF").unwrap();
    // The form, the hash, both lengths, the facts, the code's head, its middle and its end.
    for at in [
        0,
        7,
        8,
        39,
        40,
        47,
        48,
        55,
        56,
        code - 1,
        code,
        code + 200,
        (code + whole.len()) / 2,
        whole.len() - 1,
    ] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&entry, &changed).unwrap();
        let (exit, out, err) = place.run(&KEPT);
        assert_eq!((exit, out.as_str()), (0, "42\n"), "byte {at}");
        assert!(err.contains(" is not used: it"), "byte {at}: {err}");
        assert_eq!(place.run_told(&KEPT), (0, "42\n".into(), true), "byte {at}");
    }
}

#[test]
fn an_entry_of_another_length_is_compiled_anew() {
    let place = Place::new();
    place.run(&KEPT);
    let (entry, whole) = (place.entry(), fs::read(place.entry()).unwrap());
    for length in [0, 1, 8, 55, 56, 57, 4096, whole.len() - 1] {
        fs::write(&entry, &whole[..length]).unwrap();
        let (exit, out, err) = place.run(&KEPT);
        assert_eq!((exit, out.as_str()), (0, "42\n"), "{length} bytes");
        assert!(err.contains("it is cut short"), "{length} bytes: {err}");
    }
    fs::write(&entry, [whole.as_slice(), b"more"].concat()).unwrap();
    assert!(place.run(&KEPT).2.contains("or has bytes too many"));
    assert_eq!(place.run(&KEPT), (0, "42\n".into(), String::new()));
}

#[test]
fn lengths_that_add_up_to_anything_cost_nothing() {
    let place = Place::new();
    place.run(&KEPT);
    let (entry, whole) = (place.entry(), fs::read(place.entry()).unwrap());
    for (facts, code) in [(u64::MAX, 1), (1, u64::MAX), (u64::MAX, u64::MAX), (1 << 40, 1 << 40), (0, 0)] {
        let mut changed = whole.clone();
        changed[40..48].copy_from_slice(&u64::to_le_bytes(facts));
        changed[48..56].copy_from_slice(&u64::to_le_bytes(code));
        fs::write(&entry, &changed).unwrap();
        let (exit, out, err) = place.run(&KEPT);
        assert_eq!((exit, out.as_str()), (0, "42\n"));
        assert!(err.contains("it is cut short, or has bytes too many"), "{err}");
    }
}

#[test]
fn code_of_another_key_is_never_run() {
    let place = Place::new();
    place.run(&KEPT);
    fs::remove_file(place.path("kept/key")).unwrap();
    let (exit, out, err) = place.run(&KEPT);
    assert_eq!((exit, out.as_str()), (0, "42\n"));
    assert!(
        err.contains("its keyed hash does not verify: it was changed, or made with another key"),
        "{err}"
    );
    assert_eq!(place.run_told(&KEPT), (0, "42\n".into(), true));
}

#[test]
fn an_entry_under_the_name_of_another_is_not_taken_for_it() {
    let place = Place::new();
    place.run(&KEPT);
    let guests = place.entry();
    place.write("guest.wasm", &wat::parse_str(OTHER).unwrap());
    place.run(&KEPT);
    let others = entries(&place.path("kept")).into_iter().find(|entry| *entry != guests).unwrap();
    // Signed with the right key, and the code of something else.
    fs::copy(&guests, &others).unwrap();
    let (exit, out, err) = place.run(&KEPT);
    assert_eq!((exit, out.as_str()), (0, "38\n"));
    assert!(err.contains("it is the code of something else"), "{err}");
}

#[test]
fn each_setting_has_code_of_its_own() {
    let place = Place::new();
    let settings: [&[&str]; 4] =
        [&[], &["--blame", "coarse"], &["--concurrency", "on"], &["--copy-on-write", "off"]];
    for (number, flags) in settings.iter().enumerate() {
        let arguments = [&KEPT, *flags].concat();
        assert_eq!(place.run_told(&arguments), (0, "42\n".into(), false), "{flags:?}");
        assert_eq!(place.run_told(&arguments), (0, "42\n".into(), true), "{flags:?}");
        assert_eq!(entries(&place.path("kept")).len(), number + 1);
    }
    // Under the name of the others' code there is code for other settings: it is not run either.
    let all = entries(&place.path("kept"));
    for entry in &all[1..] {
        fs::copy(&all[0], entry).unwrap();
    }
    for flags in settings {
        let (exit, out, _) = place.run(&[&KEPT, flags].concat());
        assert_eq!((exit, out.as_str()), (0, "42\n"), "{flags:?}");
        assert_eq!(place.run_told(&[&KEPT, flags].concat()), (0, "42\n".into(), true), "{flags:?}");
    }
}

#[test]
fn several_processes_at_once_share_a_directory() {
    let place = Place::new();
    let children: Vec<_> = (0..6)
        .map(|_| place.command(&KEPT).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for child in children {
        assert_eq!(told(child.wait_with_output().unwrap()), (0, "42\n".into(), String::new()));
    }
    assert_eq!(fs::read_dir(place.path("kept")).unwrap().count(), 2);
    assert_eq!(place.run_told(&KEPT), (0, "42\n".into(), true));
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("kept")).unwrap();
    for open in [0o777, 0o770, 0o702] {
        fs::set_permissions(place.path("kept"), Permissions::from_mode(open)).unwrap();
        let (exit, out, err) = place.run(&KEPT);
        assert_eq!((exit, out.as_str()), (6, ""));
        let start = format!(
            "error: the directory for compiled code, kept, has mode {open:03o}: others may write to it"
        );
        assert!(err.starts_with(&start), "{err}");
        assert!(err.contains("(chmod 700 kept)"), "{err}");
    }
    fs::set_permissions(place.path("kept"), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.run(&KEPT), (0, "42\n".into(), String::new()));
}

/// Somebody has put a link to another directory in its place, since it was opened.
#[test]
fn a_directory_that_was_replaced_is_not_written_to() {
    let place = Place::new();
    let directory = place.path("kept");
    let cache = Cache::open(&directory).unwrap();
    fs::rename(&directory, place.path("moved")).unwrap();
    fs::create_dir(place.path("another")).unwrap();
    symlink("another", &directory).unwrap();
    let engine = Engine::new(&EngineOptions { cache: Some(cache), ..EngineOptions::default() }).unwrap();
    App::from_bytes(&engine, "guest.wasm", &wat::parse_str(GUEST).unwrap(), Setup::default()).unwrap();
    assert_eq!(fs::read_dir(place.path("another")).unwrap().count(), 0);
}

#[test]
#[ignore = "only root can give a file to another user"]
fn a_link_of_somebody_else_in_the_place_of_the_directory_is_refused() {
    let place = Place::new();
    fs::create_dir(place.path("another")).unwrap();
    symlink("another", place.path("kept")).unwrap();
    assert_eq!(place.run(&KEPT).0, 0);
    lchown(place.path("kept"), Some(12_345), None).unwrap();
    let (exit, _, err) = place.run(&KEPT);
    assert_eq!(exit, 6, "{err}");
    assert!(err.contains("kept, belongs to user 12345"), "{err}");
}

#[test]
#[ignore = "only root can give a file to another user"]
fn a_directory_or_a_key_of_somebody_else_is_refused() {
    const OTHER: u32 = 12_345;
    let place = Place::new();
    place.run(&KEPT);
    for (given_away, what) in
        [("kept/key", "the key kept/key"), ("kept", "the directory for compiled code, kept,")]
    {
        chown(place.path(given_away), Some(OTHER), None).unwrap();
        let (exit, out, err) = place.run(&KEPT);
        assert_eq!((exit, out.as_str()), (6, ""), "{given_away}");
        assert!(err.starts_with(&format!("error: {what} belongs to user {OTHER}, ")), "{err}");
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let place = Place::new();
    place.run(&KEPT);
    fs::set_permissions(place.path("kept/key"), Permissions::from_mode(0o640)).unwrap();
    let (exit, _, err) = place.run(&KEPT);
    assert_eq!(exit, 6);
    assert!(err.starts_with("error: the key kept/key has mode 640: others can read it"), "{err}");
    place.write("notes", b"not a key");
    fs::set_permissions(place.path("notes"), Permissions::from_mode(0o600)).unwrap();
    let (exit, _, err) = place.run(&[&CALL, &["--key", "notes"][..]].concat());
    assert_eq!(exit, 6);
    assert!(err.starts_with("error: notes is no key: a key is 64 hexadecimal digits"), "{err}");
    let (exit, _, err) = place.run(&[&CALL, &["--key", "nowhere"][..]].concat());
    assert_eq!(exit, 6);
    assert!(err.starts_with("error: the key nowhere cannot be read\n"), "{err}");
}

/// The command, subject to file permissions. Root is not, unless it gives that up; another user would not do, since the
/// checkout and the temporary directory may be where only their owner can go.
fn under_permissions(place: &Place, arguments: &[&str]) -> Output {
    if !rustix::process::geteuid().is_root() {
        return place.command(arguments).output().unwrap();
    }
    #[cfg(not(target_os = "linux"))]
    panic!("root cannot give up its rights here: run the tests as another user");
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;

        // By its descriptor: the way to the file is subject to permissions too.
        let program = fs::File::open(env!("CARGO_BIN_EXE_host-runner")).unwrap();
        let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
        place.prepare(&mut command, arguments);
        // SAFETY: the call is safe between fork and exec.
        #[allow(unsafe_code)]
        unsafe {
            command.pre_exec(|| {
                // CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, of <linux/capability.h>: what is not in the bounding set is
                // not given to root by `exec`.
                for capability in [1, 2] {
                    if libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        command.output().unwrap()
    }
}

#[test]
fn a_directory_that_cannot_be_written_to_is_read_and_stops_no_start() {
    let place = Place::new();
    fs::create_dir(place.path("kept")).unwrap();
    let read_only = || fs::set_permissions(place.path("kept"), Permissions::from_mode(0o500)).unwrap();
    let writable = || fs::set_permissions(place.path("kept"), Permissions::from_mode(0o700)).unwrap();
    // Without a key, and then with one and without an entry.
    read_only();
    let (exit, out, err) = told(under_permissions(&place, &KEPT));
    assert_eq!((exit, out.as_str()), (0, "42\n"), "{err}");
    assert!(err.contains("compiled code is not kept: the key kept/key cannot be written"), "{err}");
    writable();
    assert_eq!(told(under_permissions(&place, &KEPT)), (0, "42\n".into(), String::new()));
    fs::remove_file(place.entry()).unwrap();
    read_only();
    let (exit, out, err) = told(under_permissions(&place, &KEPT));
    assert_eq!((exit, out.as_str()), (0, "42\n"), "{err}");
    assert!(err.contains("compiled code is not kept: kept/"), "{err}");
    // With the entry there is nothing to write.
    writable();
    assert_eq!(under_permissions(&place, &KEPT).status.code(), Some(0));
    read_only();
    assert_eq!(told(under_permissions(&place, &KEPT)), (0, "42\n".into(), String::new()));
    writable();
}

#[test]
fn a_full_disk_stops_no_start() {
    let place = Place::new();
    // An image in memory would meet the limit as well, and so would what is handed to a process that compiles.
    let kept = [&KEPT[..], &["--copy-on-write", "off", "--compiler", "inside"]].concat();
    place.run(&kept);
    let entry = place.entry();
    fs::remove_file(&entry).unwrap();
    let mut command = place.command(&kept);
    // SAFETY: both calls are safe between fork and exec.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| {
            use nix::sys::resource::{Resource, setrlimit};
            use nix::sys::signal::{SigHandler, Signal, signal};
            signal(Signal::SIGXFSZ, SigHandler::SigIgn)?;
            setrlimit(Resource::RLIMIT_FSIZE, 512, 512)?;
            Ok(())
        });
    }
    let (exit, out, err) = told(command.output().unwrap());
    assert_eq!((exit, out.as_str()), (0, "42\n"), "{err}");
    assert!(err.contains("The next start compiles again"), "{err}");
    // Nothing half-written is left.
    assert_eq!(fs::read_dir(place.path("kept")).unwrap().count(), 1);
    assert_eq!(place.run(&kept), (0, "42\n".into(), String::new()));
}

#[test]
fn a_home_that_cannot_be_written_to_stops_no_start() {
    let place = Place::new();
    place.write("user", b"a file where the directory would be");
    let (exit, _, err) = place.run(&["serve", "guest.wasm"]);
    // It gets as far as to find no handler.
    assert_eq!(exit, 3, "{err}");
    assert!(err.contains("compiled code is not kept: the directory for compiled code, "), "{err}");
    assert!(err.contains("it exports neither wasi:http/incoming-handler@0.2"), "{err}");
    let (_, _, err) = place.run(&["serve", "guest.wasm", "--cache", "none"]);
    assert!(!err.contains("compiled code"), "{err}");
}

#[test]
fn serve_keeps_code_in_the_users_directory() {
    let place = Place::new();
    place.run(&["serve", "guest.wasm"]);
    assert_eq!(entries(&place.path("user/host-runner")).len(), 1);
    assert_eq!(mode(&place.path("user/host-runner")), 0o700);
}

#[test]
fn code_compiled_ahead_of_time_runs_where_the_key_is_the_same() {
    let place = Place::new();
    assert_eq!(
        place.run(&["compile", "guest.wasm", "-o", "guest.cwasm", "--key", "shared"]),
        (0, "".into(), "".into())
    );
    assert_eq!(mode(&place.path("shared")), 0o600);
    let call = ["call", "guest.cwasm", "add(40, 2)"];
    assert_eq!(place.run(&[&call[..], &["--key", "shared"]].concat()), (0, "42\n".into(), "".into()));
    // The component itself is not needed any more.
    fs::remove_file(place.path("guest.wasm")).unwrap();
    assert_eq!(place.run(&[&call[..], &["--key", "shared"]].concat()).0, 0);

    let refused = |arguments: &[&str], reason: &str| {
        let (exit, out, err) = place.run(arguments);
        assert_eq!((exit, out.as_str()), (4, ""), "{err}");
        let start = format!(
            "error: guest.cwasm was refused: it is compiled code, which would run with all rights of this host, and {reason}"
        );
        assert!(err.starts_with(&start), "{err}");
        assert!(err.contains("(`host-runner compile`)") && err.contains("(--key FILE)"), "{err}");
    };
    refused(&call, "this host has no key to verify it with");
    // This makes the user's own key.
    place.write("guest.wasm", &wat::parse_str(GUEST).unwrap());
    assert_eq!(place.run(&["compile", "guest.wasm", "-o", "own.cwasm"]).0, 0);
    refused(&call, "its keyed hash does not verify: it was changed, or made with another key");
    assert_eq!(place.run(&["call", "own.cwasm", "add(40, 2)"]), (0, "42\n".into(), "".into()));

    let whole = fs::read(place.path("guest.cwasm")).unwrap();
    for at in [8, 60, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 0x80;
        place.write("guest.cwasm", &changed);
        refused(&[&call[..], &["--key", "shared"]].concat(), "its keyed hash does not verify");
    }
    place.write("guest.cwasm", &whole[..whole.len() - 1]);
    refused(&[&call[..], &["--key", "shared"]].concat(), "it is cut short");
}

#[test]
fn code_that_another_tool_compiled_is_refused() {
    let place = Place::new();
    let engine = wasmtime::Engine::default();
    let stock = engine.precompile_component(&fs::read(place.path("guest.wasm")).unwrap()).unwrap();
    place.write("stock.cwasm", &stock);
    for arguments in
        [&["call", "stock.cwasm", "add(40, 2)"][..], &["serve", "stock.cwasm"], &["run", "stock.cwasm"]]
    {
        let (exit, out, err) = place.run(arguments);
        assert_eq!((exit, out.as_str()), (4, ""), "{err}");
        assert!(err.contains("it was compiled by another tool, so it has no keyed hash"), "{err}");
    }
}

#[test]
fn code_for_other_settings_says_so() {
    let place = Place::new();
    place.run(&["compile", "guest.wasm", "-o", "guest.cwasm", "--concurrency", "on"]);
    assert_eq!(place.run(&["call", "guest.cwasm", "add(40, 2)", "--concurrency", "on"]).0, 0);
    let (exit, out, err) = place.run(&["call", "guest.cwasm", "add(40, 2)"]);
    assert_eq!((exit, out.as_str()), (3, ""));
    assert!(
        err.starts_with("error: guest.cwasm cannot run here: it was compiled by another version"),
        "{err}"
    );
    let (exit, _, err) = place.run(&["compile", "guest.cwasm", "-o", "again.cwasm"]);
    assert_eq!(exit, 3);
    assert_eq!(err, "error: guest.cwasm is compiled already: give the component that it was made of\n");
    assert!(!place.path("again.cwasm").exists());
}

#[test]
fn compiled_code_goes_to_a_pipe_as_it_goes_to_a_file() {
    let place = Place::new();
    place.run(&["compile", "guest.wasm", "-o", "file.cwasm"]);
    let output = place.command(&["compile", "guest.wasm", "-o", "-"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, fs::read(place.path("file.cwasm")).unwrap());
    let (exit, _, err) = place.run(&["compile", "guest.wasm", "-o", "nowhere/file.cwasm"]);
    assert_eq!(exit, 6);
    assert!(err.starts_with("error: the compiled code cannot be written\n"), "{err}");
}

#[test]
fn what_was_not_granted_is_refused_alike_compiled_or_not() {
    let place = Place::new();
    let importing = r#"(component
        (import "acme:bank/transfer@1.0.0" (instance $bank (export "send" (func))))
        (component $Teller
            (import "bank" (instance $bank (export "send" (func))))
            (core func $send (canon lower (func $bank "send")))
            (core module $m (import "" "send" (func $send)) (export "go" (func $send)))
            (core instance $i (instantiate $m (with "" (instance (export "send" (func $send))))))
            (func (export "go") (canon lift (core func $i "go"))))
        (instance $teller (instantiate $Teller (with "bank" (instance $bank))))
        (export "go" (func $teller "go")))"#;
    place.write("bank.wasm", &wat::parse_str(importing).unwrap());
    assert_eq!(place.run(&["compile", "bank.wasm", "-o", "bank.cwasm"]).0, 0);
    let (exit, _, err) = place.run(&["call", "bank.wasm", "go()"]);
    assert_eq!(exit, 4);
    assert!(err.contains("wanted by teller"), "{err}");
    let (exit, _, compiled) = place.run(&["call", "bank.cwasm", "go()"]);
    assert_eq!((exit, compiled.replace("bank.cwasm", "bank.wasm")), (4, err));
}

#[test]
fn a_key_is_made_once_by_however_many() {
    let place = Place::new();
    let children: Vec<_> = (0..4)
        .map(|number| {
            let output = format!("{number}.cwasm");
            place.command(&["compile", "guest.wasm", "-o", &output, "--key", "shared"]).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for number in 0..4 {
        let file = format!("{number}.cwasm");
        assert_eq!(
            place.run(&["call", &file, "add(40, 2)", "--key", "shared"]),
            (0, "42\n".into(), "".into())
        );
    }
}

/// One part calls another, whose function traps.
const TRAPS: &str = r#"(component
    (component $Inner
        (core module $inner (func $trap (export "fail") unreachable))
        (core instance $i (instantiate $inner))
        (func (export "fail") (canon lift (core func $i "fail"))))
    (instance $inner (instantiate $Inner))
    (component $Outer
        (import "fail" (func $fail))
        (core func $lowered (canon lower (func $fail)))
        (core module $outer (import "" "fail" (func $fail)) (func $calls (export "go") (call $fail)))
        (core instance $o (instantiate $outer (with "" (instance (export "fail" (func $lowered))))))
        (func (export "go") (canon lift (core func $o "go"))))
    (instance $outer (instantiate $Outer (with "fail" (func $inner "fail"))))
    (export "go" (func $outer "go")))"#;

/// The bytes of the component are not there any more: what is known of its parts is kept beside the code.
#[test]
fn a_trap_in_code_that_was_kept_is_blamed_on_the_same_part() {
    let place = Place::new();
    place.write("traps.wasm", &wat::parse_str(TRAPS).unwrap());
    let call = ["call", "traps.wasm", "go()", "--explain-traps"];
    let told = place.run(&call);
    assert!(told.0 == 5 && told.2.contains("outer called inner"), "{told:?}");
    let kept = [&call[..], &["--cache", "kept"]].concat();
    assert_eq!(place.run(&kept), told);
    assert_eq!(place.run(&kept), told);
    assert_eq!(place.run(&["compile", "traps.wasm", "-o", "traps.cwasm", "--key", "host.key"]).0, 0);
    let compiled = ["call", "traps.cwasm", "go()", "--explain-traps", "--key", "host.key"];
    assert_eq!(place.run(&compiled), told);
}
