//! The flags that all subcommands have: what the guest may reach, and what it may use up.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use host_runner::engine::{Exactness, Tuning};
use host_runner::grants::{Authority, Directory, Stdio};
use host_runner::keyvalue::{Access, Backend, Memory, Narrowed, Redb};
use host_runner::{
    Cache, CacheError, CallError, Compiler, ComponentFile, Engine, EngineOptions, Grants, Key, KeyError,
    Limits, Pool,
};

use super::config::{GrantTable, LimitTable};
use super::values::{Form, KeyValue, NoSockets, OrNone, Streams, size, time, to_usize};
use super::{Failure, print_line};
use crate::log;

/// The default of all of these is nothing. A component that imports an interface that was not granted is
/// refused before it starts. Always there, since they reach nothing: wasi:io, wasi:clocks, wasi:random,
/// wasi:http/types, wasi:cli/exit.
#[derive(Args)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantFlags {
    /// Grant wasi:keyvalue, stored in a redb FILE (durable at every write) or in memory.
    ///
    /// Any bucket name of up to 255 bytes is a bucket; the empty name is the bucket `default`.
    #[arg(long, value_name = "redb:FILE|memory")]
    keyvalue: Option<KeyValue>,

    /// Grant only these keys of the store; can be repeated.
    ///
    /// PREFIX is the beginning of the keys. With :ro the guest may only get, and list what it may
    /// get; with :wo it may only set and delete; increment and compare-and-swap need both. The
    /// bucket `*` means every bucket. Everything else fails with `access-denied`.
    #[arg(long, value_name = "BUCKET[/PREFIX][:ro|:wo]")]
    keyvalue_allow: Vec<Access>,

    /// Grant wasi:cli/environment with this variable; can be repeated.
    ///
    /// NAME alone takes the host's value. `none` grants the interface without any variable.
    #[arg(long, value_name = "NAME=VALUE|NAME|none")]
    env: Vec<String>,

    /// Grant wasi:filesystem with this directory; can be repeated.
    ///
    /// With :ro the guest may only read. `none` grants the interface without any directory.
    #[arg(long, value_name = "HOST::GUEST[:ro]|none")]
    dir: Vec<OrNone<Directory>>,

    /// Grant the standard streams and terminals of wasi:cli.
    ///
    /// `--stdio=none` grants the interfaces with empty input and discarded output.
    #[arg(
        long,
        value_name = "inherit|none",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "inherit"
    )]
    stdio: Option<Streams>,

    /// Grant wasi:http/outgoing-handler for requests to this host and port; can be repeated.
    ///
    /// A host alone means ports 80 (http) and 443 (https). `none` grants the interface and denies
    /// every request.
    #[arg(long, value_name = "AUTHORITY|none")]
    http_out: Vec<OrNone<Authority>>,

    /// Grant the interfaces of wasi:sockets, with every address denied.
    #[arg(long, value_name = "none")]
    sockets: Option<NoSockets>,
}

/// What the file grants and then what the flags add; `None` where neither grants the interface, and `none` adds nothing
/// to the list.
fn granted<T>(file: Option<Vec<T>>, flags: Vec<OrNone<T>>) -> Option<Vec<T>> {
    if file.is_none() && flags.is_empty() {
        return None;
    }
    let listed = flags.into_iter().filter_map(|flag| match flag {
        OrNone::Some(value) => Some(value),
        OrNone::None => None,
    });
    Some(file.into_iter().flatten().chain(listed).collect())
}

/// A store, and what is granted of it; `None` is all.
type GrantedStore = (KeyValue, Option<Vec<Access>>);

impl GrantFlags {
    /// The store, and what is granted of it: all where nothing is named.
    fn store(&self, file: &GrantTable) -> Result<Option<GrantedStore>, Failure> {
        let access = match file.access()? {
            None if self.keyvalue_allow.is_empty() => None,
            file => Some(file.into_iter().flatten().chain(self.keyvalue_allow.iter().cloned()).collect()),
        };
        match (self.keyvalue.clone().or(file.store()), access) {
            (Some(store), access) => Ok(Some((store, access))),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Failure::usage(
                "keys of a store are granted, and no store: add --keyvalue redb:FILE, or grants.keyvalue.store in the file",
            )),
        }
    }

    /// Opens what is granted: by the file, and by the flags over it.
    pub(crate) fn open(self, file: &GrantTable) -> Result<Grants, Failure> {
        Ok(Grants {
            keyvalue: open_store(self.store(file)?)?,
            environment: variables(file, self.env)?,
            directories: granted(file.directories(), self.dir).map(last_of_each_name),
            stdio: self.stdio.or(file.stdio).map(|streams| match streams {
                Streams::Inherit => Stdio::Inherit,
                Streams::None => Stdio::Empty,
            }),
            outbound: granted(file.outbound(), self.http_out),
            sockets: self.sockets.or(file.sockets).is_some(),
        })
    }
}

/// What flags and file allow, in words, by the name of the grant.
pub(crate) type Allowed = BTreeMap<&'static str, Vec<String>>;

impl GrantFlags {
    /// What [`open`](Self::open) would grant. Nothing is opened, and no value of a variable is looked at.
    pub(crate) fn allowed(&self, file: &GrantTable) -> Result<Allowed, Failure> {
        let mut allowed = Allowed::new();
        if let Some((store, access)) = self.store(file)? {
            let mut said = vec![match store {
                KeyValue::Memory => "a store that is forgotten at the end".to_owned(),
                KeyValue::Redb(file) => format!("the store in {}", file.display()),
            }];
            match access {
                None => said.push("reading and writing every key of every bucket".to_owned()),
                Some(access) => {
                    said.extend(or_nothing(
                        access.iter().map(Access::to_string).collect(),
                        "no bucket of it",
                    ));
                }
            }
            allowed.insert("keyvalue", said);
        }
        if file.env.is_some() || !self.env.is_empty() {
            let by_flag =
                self.env.iter().filter(|flag| *flag != "none").filter_map(|flag| flag.split('=').next());
            let names: BTreeSet<&str> =
                file.env.iter().flat_map(BTreeMap::keys).map(String::as_str).chain(by_flag).collect();
            let variable = |name: &str| format!("the variable {name}");
            allowed.insert("env", or_nothing(names.into_iter().map(variable).collect(), "no variable"));
        }
        if let Some(directories) = granted(file.directories(), self.dir.clone()) {
            let directory = |directory: &Directory| {
                let mode = if directory.read_only { "reading" } else { "reading and writing" };
                format!("{mode} the directory {} as {}", directory.host.display(), directory.guest)
            };
            let directories = last_of_each_name(directories).iter().map(directory).collect();
            allowed.insert("dir", or_nothing(directories, "no directory"));
        }
        if let Some(streams) = self.stdio.or(file.stdio) {
            let said = match streams {
                Streams::Inherit => "the host's own streams",
                Streams::None => "no input, and outputs that go nowhere",
            };
            allowed.insert("stdio", vec![said.to_owned()]);
        }
        if let Some(outbound) = granted(file.outbound(), self.http_out.clone()) {
            let requests = outbound.iter().map(|authority| format!("requests to {authority}")).collect();
            allowed.insert("http-out", or_nothing(requests, "no request"));
        }
        if self.sockets.or(file.sockets).is_some() {
            allowed.insert("sockets", vec!["no address".to_owned()]);
        }
        Ok(allowed)
    }
}

fn or_nothing(said: Vec<String>, nothing: &str) -> Vec<String> {
    if said.is_empty() { vec![nothing.to_owned()] } else { said }
}

fn open_store(granted: Option<GrantedStore>) -> Result<Option<Arc<dyn Backend>>, Failure> {
    let Some((store, access)) = granted else { return Ok(None) };
    let backend: Arc<dyn Backend> = match store {
        KeyValue::Memory => Arc::new(Memory::new()),
        KeyValue::Redb(file) => Arc::new(Redb::open(&file).map_err(Failure::host)?),
    };
    Ok(Some(match access {
        Some(access) => Arc::new(Narrowed::new(backend, access)),
        None => backend,
    }))
}

/// One directory for each name of the guest's: the last.
fn last_of_each_name(directories: Vec<Directory>) -> Vec<Directory> {
    let mut kept: Vec<Directory> = Vec::new();
    for directory in directories {
        kept.retain(|other| other.guest != directory.guest);
        kept.push(directory);
    }
    kept
}

/// The variables, each name once: the last. No error has a value in it.
fn variables(file: &GrantTable, flags: Vec<String>) -> Result<Option<Vec<(String, String)>>, Failure> {
    if file.env.is_none() && flags.is_empty() {
        return Ok(None);
    }
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set = |name: String, value: String| {
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value));
    };
    // What a flag sets need not be there for the file.
    let by_flag = |name: &str| flags.iter().any(|flag| flag.split('=').next() == Some(name));
    for (name, variable) in file.env.iter().flatten() {
        if name.is_empty() || name.contains('=') {
            return Err(Failure::usage(format!("grants.env: {name:?} is no name of a variable")));
        }
        if !by_flag(name) {
            set(name.clone(), variable.value(name)?);
        }
    }
    for flag in flags.iter().filter(|flag| *flag != "none") {
        match flag.split_once('=') {
            Some(("", _)) => {
                return Err(Failure::usage(
                    "an --env has no name before its =; write --env NAME=VALUE".to_owned(),
                ));
            }
            Some((name, value)) => set(name.to_owned(), value.to_owned()),
            None => {
                let value = std::env::var(flag).map_err(|_| {
                    Failure::usage(format!(
                        "--env {flag}: the host has no such variable, or its value is not text; write --env {flag}=VALUE"
                    ))
                })?;
                set(flag.clone(), value);
            }
        }
    }
    Ok(Some(variables))
}

/// Sizes are bytes, or have a unit: 64KiB, 256MiB, 1GiB. Times have a unit: 500ms, 30s, 2m.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitFlags {
    /// Memory of one instance, over all its component instances [default: 256MiB].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_memory: Option<u64>,

    /// Wall-clock time [default: 30s; for `run`: none].
    #[arg(long, value_name = "TIME|none", value_parser = time)]
    max_time: Option<Duration>,

    /// CPU time [default: 10s; for `run`: none].
    ///
    /// Time in the guest, and in the host on its behalf. Time spent waiting does not count.
    #[arg(long, value_name = "TIME|none", value_parser = time)]
    max_cpu: Option<Duration>,

    /// Table elements of one instance [default: 200000].
    #[arg(long, value_name = "COUNT")]
    max_table_elements: Option<usize>,

    /// Core instances in one instance [default: 1000].
    #[arg(long, value_name = "COUNT")]
    max_core_instances: Option<usize>,

    /// Memories in one instance [default: 64].
    #[arg(long, value_name = "COUNT")]
    max_memories: Option<usize>,

    /// Tables in one instance [default: 256].
    #[arg(long, value_name = "COUNT")]
    max_tables: Option<usize>,

    /// Resource handles that the guests hold [default: 100000].
    #[arg(long, value_name = "COUNT")]
    max_guest_handles: Option<usize>,

    /// Resources that the host holds for the guests [default: 10000].
    #[arg(long, value_name = "COUNT")]
    max_host_handles: Option<usize>,

    /// Memory that the host holds for one instance [default: 32MiB].
    ///
    /// Header fields, requests, responses, and bodies that wait to be sent; also what a single call
    /// passes to the host.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_host_memory: Option<u64>,

    /// Open files of one instance [default: 128; for `run`: no limit].
    ///
    /// Files, directories, and connections to other servers.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_open_files: Option<usize>,

    /// Key-value operations [default: 10000; for `run`: no limit].
    ///
    /// An operation on several keys counts once for each key.
    #[arg(long, value_name = "COUNT")]
    max_keyvalue_ops: Option<u64>,

    /// Key-value bytes, read and written [default: 128MiB; for `run`: no limit].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_keyvalue_bytes: Option<u64>,
}

impl LimitFlags {
    /// The defaults, and the flags over them.
    pub(crate) fn limits(&self, defaults: Limits) -> Limits {
        Limits {
            memory: self.max_memory.map_or(defaults.memory, to_usize),
            time: self.max_time.unwrap_or(defaults.time),
            cpu: self.max_cpu.unwrap_or(defaults.cpu),
            keyvalue_ops: self.max_keyvalue_ops.unwrap_or(defaults.keyvalue_ops),
            keyvalue_bytes: self.max_keyvalue_bytes.unwrap_or(defaults.keyvalue_bytes),
            table_elements: self.max_table_elements.unwrap_or(defaults.table_elements),
            core_instances: self.max_core_instances.unwrap_or(defaults.core_instances),
            memories: self.max_memories.unwrap_or(defaults.memories),
            tables: self.max_tables.unwrap_or(defaults.tables),
            guest_handles: self.max_guest_handles.unwrap_or(defaults.guest_handles),
            host_handles: self.max_host_handles.unwrap_or(defaults.host_handles),
            host_memory: self.max_host_memory.map_or(defaults.host_memory, to_usize),
            open_files: self.max_open_files.unwrap_or(defaults.open_files),
            ..defaults
        }
    }
}

/// Says more about guests that fail.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options")]
pub(crate) struct BlameFlags {
    /// Print a page for each guest that fails: which component instance, which function, the call
    /// path, and what to do next.
    #[arg(long)]
    pub(crate) explain_traps: bool,
}

impl BlameFlags {
    /// Prints the page, if it is wanted and somebody is to blame. `behalf` says what was asked of the guest.
    pub(crate) fn explain(&self, error: &CallError, behalf: &str) {
        if let Some(blame) = error.blame().filter(|_| self.explain_traps) {
            log::page(&blame.page(behalf, None));
        }
    }
}

/// The subcommand that compiles for another process.
pub(crate) const COMPILE_HERE: &str = "compile-here";

/// What a component may cost before anything of it runs.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LoadFlags {
    /// Factor for each bound on a component's structure [default: 1].
    ///
    /// Its instances, functions, types and so on. A component that declares more is refused before
    /// it is compiled.
    #[arg(long, value_name = "FACTOR")]
    max_structure: Option<NonZeroU32>,

    /// Memory for compiling [default: by the size of the functions, 128MiB to 2GiB].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_compile_memory: Option<u64>,

    /// CPU time for compiling [default: 2s, and 8s for each MiB of functions].
    #[arg(long, value_name = "TIME|none", value_parser = time)]
    max_compile_time: Option<Duration>,

    /// Compile in a separate process, or inside this one [default: process].
    ///
    /// Inside this process, the limits on compiling do not apply.
    #[arg(long, value_name = "process|inside", default_value = "process", hide_default_value = true)]
    #[arg(help_heading = "Engine")]
    compiler: CompilerFlag,

    /// Whether others have the processors first, and what says that nobody waits any more.
    #[arg(skip)]
    beside: Option<Arc<AtomicBool>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CompilerFlag {
    Process,
    Inside,
}

impl LoadFlags {
    fn compiler(&self) -> Option<Compiler> {
        if self.compiler == CompilerFlag::Inside {
            return None;
        }
        // Where the file was replaced since the start, this is still the program that runs.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().ok()?
        };
        let compiler = Compiler::new(program, &[COMPILE_HERE])
            .memory(self.max_compile_memory)
            .time(self.max_compile_time);
        Some(match &self.beside {
            Some(given_up) => compiler.in_background().until(Arc::clone(given_up)),
            None => compiler,
        })
    }
}

/// The engine is set up for what the component needs; --explain-engine says how, and why. Each of these decides
/// otherwise.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineFlags {
    /// Directory that keeps compiled code for the next start.
    ///
    /// [default: for `serve`, host-runner in the user's cache directory; otherwise none]
    ///
    /// The directory and its key are created if they are missing. Entries are signed with the key;
    /// an entry that cannot be verified is compiled again.
    #[arg(long, value_name = "DIR|none")]
    cache: Option<OrNone<PathBuf>>,

    /// Key that signs compiled code, here and in .cwasm files [default: the one in the cache
    /// directory].
    ///
    /// 64 hexadecimal digits in a file of mode 600. Hosts with the same key run each other's code.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// How exactly a trap is assigned to a component instance [default: exact].
    ///
    /// With coarse, functions are inlined across component instances: short calls between them cost
    /// half, compiling takes gigabytes, and a frame may hide another.
    #[arg(long, value_name = "exact|coarse", default_value = "exact", hide_default_value = true)]
    blame: BlameFlag,

    /// Support for async calls [default: auto, on for components that need it].
    #[arg(long, value_name = "auto|on|off", default_value = "auto", hide_default_value = true)]
    concurrency: Switch,

    /// Map heap images, and copy only written pages [default: auto, on].
    #[arg(long, value_name = "auto|on|off", default_value = "auto", hide_default_value = true)]
    copy_on_write: Switch,

    /// Allocate a pool of instances in advance [default: auto, on for `serve`].
    #[arg(long, value_name = "auto|off", default_value = "auto", hide_default_value = true)]
    pool: PoolFlag,

    /// Bytes of each pooled memory that stay resident between requests.
    ///
    /// [default: the initial size of the largest]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    resident_memory: Option<u64>,

    /// Bytes of each pooled table that stay resident between requests.
    ///
    /// [default: the initial size of the largest]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    resident_table: Option<u64>,

    /// Free pool slots kept for the memories that used them [default: all].
    ///
    /// A memory without such a slot takes one that was never used, and beyond this number one of
    /// another memory.
    #[arg(long, value_name = "COUNT")]
    warm_slots: Option<u32>,

    /// Restore only the pages that a request wrote to, if the kernel can tell [default: auto].
    #[arg(long, value_name = "auto|on|off", default_value = "auto", hide_default_value = true)]
    page_map_scan: Switch,

    /// Print the engine's settings for this component, with reasons, and exit.
    #[arg(
        long,
        value_name = "text|json",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "text"
    )]
    explain_engine: Option<Form>,

    // Last, since its heading would go on to what follows.
    #[command(flatten)]
    load: LoadFlags,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BlameFlag {
    Exact,
    Coarse,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Switch {
    Auto,
    On,
    Off,
}

impl Switch {
    fn told(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum PoolFlag {
    Auto,
    Off,
}

/// What a command runs: a component, and the engine that was set up for it.
pub(crate) struct Prepared {
    pub(crate) component: ComponentFile,
    pub(crate) engine: Engine,
}

impl EngineFlags {
    /// Takes from the file what no flag says.
    pub(crate) fn fill(&mut self, file: &LimitTable) {
        let load = &mut self.load;
        load.max_structure = load.max_structure.or(file.structure);
        load.max_compile_memory = load.max_compile_memory.or(file.compile_memory());
        load.max_compile_time = load.max_compile_time.or(file.compile_time());
    }

    /// The same for a component that is compiled beside requests, which have the processors first, until it is given up.
    pub(crate) fn beside(&self, given_up: Arc<AtomicBool>) -> Self {
        let mut flags = self.clone();
        flags.load.beside = Some(given_up);
        flags
    }

    /// Reads the component and sets up an engine for it. `None` when all that was wanted is to explain that.
    ///
    /// `kept` is whether compiled code is kept where no flag says so.
    pub(crate) fn prepare(
        &self,
        file: &Path,
        pool: Option<Pool>,
        kept: bool,
    ) -> Result<Option<Prepared>, Failure> {
        let key = self.key.as_deref().map(Key::read).transpose().map_err(Failure::host)?;
        let cache = self.cache(key.as_ref(), kept)?;
        let key = key.or_else(|| cache.as_ref().map(|cache| cache.key().clone()));
        // Code that was compiled ahead of time without a key of its own has that of the user's cache.
        let key = key.or_else(|| Key::of_user().ok());
        let tuning = Tuning {
            pool: pool.filter(|_| self.pool == PoolFlag::Auto),
            blame: match self.blame {
                BlameFlag::Exact => Exactness::Exact,
                BlameFlag::Coarse => Exactness::Coarse,
            },
            concurrency: self.concurrency.told(),
            copy_on_write: self.copy_on_write.told(),
            resident_memory: self.resident_memory,
            resident_table: self.resident_table,
            warm_slots: self.warm_slots,
            page_map_scan: self.page_map_scan.told(),
        };
        let options = EngineOptions {
            tuning,
            cache,
            key,
            compiler: self.load.compiler(),
            structure: self.load.max_structure,
        };
        let component = ComponentFile::read(file, &options)?;
        let engine = Engine::for_demands(&options, component.demands())?;
        match self.explain_engine {
            None => Ok(Some(Prepared { component, engine })),
            Some(form) => explain(form, &component, &engine).map(|()| None),
        }
    }

    pub(crate) fn key_file(&self) -> Option<&Path> {
        self.key.as_deref()
    }

    /// The directory that was named, or the user's own. What was named must be usable; without the user's own the start is
    /// slower, and no more.
    fn cache(&self, key: Option<&Key>, kept: bool) -> Result<Option<Cache>, Failure> {
        let open = |directory: &Path| match key {
            Some(key) => Cache::open_with(directory, key.clone()),
            None => Cache::open(directory),
        };
        match &self.cache {
            Some(OrNone::None) => Ok(None),
            Some(OrNone::Some(directory)) => match open(directory) {
                Ok(cache) => Ok(Some(cache)),
                // A directory that is full, or that can only be read, and has no key yet.
                Err(CacheError::Key(error @ KeyError::Unwritable { .. })) => {
                    tracing::warn!("compiled code is not kept: {:#}", anyhow::Error::from(error));
                    Ok(None)
                }
                Err(error) => Err(Failure::host(error)),
            },
            None if !kept => Ok(None),
            None => Ok(Cache::of_user().and_then(|directory| match open(&directory) {
                Ok(cache) => Some(cache),
                Err(error) => {
                    let message = format!("compiled code is not kept: {:#}", anyhow::Error::from(error));
                    tracing::warn!("{message}");
                    None
                }
            })),
        }
    }
}

fn explain(form: Form, component: &ComponentFile, engine: &Engine) -> Result<(), Failure> {
    let choices = engine.settings().choices();
    match form {
        Form::Text => choices.iter().try_for_each(|choice| print_line(&choice.to_string())),
        Form::Json => {
            let told = serde_json::json!({
                "component": component.name(),
                "needs": component.demands(),
                "choices": choices,
            });
            print_line(&format!("{told:#}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_can_be_granted_empty() {
        let none = GrantTable::default();
        assert!(variables(&none, vec![]).unwrap().is_none());
        assert_eq!(variables(&none, vec!["none".into()]).unwrap(), Some(vec![]));
        assert_eq!(
            variables(&none, vec!["none".into(), "A=b=c".into()]).unwrap(),
            Some(vec![("A".into(), "b=c".into())])
        );
        assert!(variables(&none, vec!["NO_SUCH_VARIABLE_ANYWHERE".into()]).is_err());
    }

    #[test]
    fn no_error_tells_a_value() {
        let error = variables(&GrantTable::default(), vec!["=s3cret".into()]).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}
