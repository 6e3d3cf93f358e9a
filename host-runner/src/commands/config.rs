//! host.toml: grants and limits in a file, beside or instead of flags.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use host_runner::admin::AdminAddr;
use host_runner::grants::{Authority, Directory};
use host_runner::keyvalue::{Access, Mode};
use host_runner::{Limits, Proxy};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Failure;
use super::values::{self, KeyValue, NoSockets, Streams};

/// What is in the help of every command that takes the file.
pub(crate) const HELP: &str = r#"The file of --config:
  [grants]
  stdio = "inherit"                   # or "none"
  http-out = ["api.example.com"]      # an empty list grants the interface, and nothing behind it
  dir = [{ host = "pages", guest = "/pages", mode = "read" }]     # or "read-write", the default
  sockets = "none"
  [grants.env]
  LANG = "en"
  API_KEY = { from = "API_KEY" }      # the host's variable of that name
  TOKEN = { file = "secrets/token" }  # what is in the file, without the newline at its end
  [grants.keyvalue]
  store = "redb:site.redb"            # or "memory"
  [grants.keyvalue.bucket.orders]     # with any of these, nothing else of the store is granted
  prefix = "2026-"                    # the default is every key
  mode = "read"                       # or "write", or "read-write", the default
  [limits]                            # the flags --max-…, without --max-
  memory = "256MiB"
  time = "30s"
  [serve]
  addr = "127.0.0.1:8080"
  drain = "30s"
  reuse = 1
  admin = "127.0.0.1:9090"            # or "unix:run/admin.sock"
  routes = ["/orders/{id}"]
  otlp = "http://127.0.0.1:4318"
  trust-proxy = ["10.0.0.2"]          # an address, a network, or "any"
  watch = false
  swap-asking-more = false

Paths in it are relative to the file. Flags go over it: where there can be one only (--stdio,
--keyvalue, --addr, --admin, --otlp, a limit, the variable or the guest's directory of a name), the flag's counts;
what can be repeated (--env, --dir, --http-out, --keyvalue-allow, --route, --trust-proxy) is added. No flag takes away what the
file grants, but that naming keys of a store grants no others of it."#;

/// More than any secret has.
const LONGEST_VALUE: u64 = 1 << 20;

/// Where the file is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options")]
pub(crate) struct ConfigFlag {
    /// File of grants and limits, in TOML. Flags take precedence.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFlag {
    /// Whether there is one.
    pub(crate) fn is_given(&self) -> bool {
        self.config.is_some()
    }

    /// Reads the file; without one, nothing is granted and every limit is the default.
    pub(crate) fn read(&self) -> Result<Config, Failure> {
        let Some(file) = &self.config else { return Ok(Config::default()) };
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::file(anyhow::Error::new(error).context(format!("{shown} cannot be read")))
        })?;
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
            Failure::file(anyhow::anyhow!(
                "{shown}:{line}:{column}: {}. `host-runner serve --help` shows what can be in this file",
                without_value(error.message())
            ))
        })?;
        let directory = file.parent().unwrap_or(Path::new(""));
        config.grants.resolve(directory);
        config.serve.resolve(directory);
        Ok(config)
    }
}

/// Line and column of an offset, from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    (line, before.chars().rev().take_while(|character| *character != '\n').count() + 1)
}

/// The message, without the value that has the wrong type: it may be a secret in the wrong place.
fn without_value(message: &str) -> String {
    let message = message
        .trim()
        .trim_end_matches('.')
        .replace('\n', ", ")
        .replace("expected a map", "expected a table");
    let kind = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    match (kind, message.rsplit_once(", expected ")) {
        (Some(kind), Some((_, expected))) => {
            let kind = kind.split(['"', '`', ',']).next().unwrap_or_default().trim_end();
            format!("invalid type: {kind}, expected {expected}")
        }
        _ => message,
    }
}

/// The whole file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub(crate) grants: GrantTable,
    pub(crate) limits: LimitTable,
    pub(crate) serve: ServeTable,
}

/// `[grants]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct GrantTable {
    pub(crate) env: Option<BTreeMap<String, Variable>>,
    dir: Option<Vec<DirectoryTable>>,
    pub(crate) stdio: Option<Streams>,
    http_out: Option<Vec<Text<Authority>>>,
    pub(crate) sockets: Option<NoSockets>,
    keyvalue: KeyvalueTable,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct KeyvalueTable {
    store: Option<Text<KeyValue>>,
    bucket: Option<BTreeMap<String, Buckets>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DirectoryTable {
    host: PathBuf,
    guest: String,
    #[serde(default)]
    mode: DirectoryMode,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum DirectoryMode {
    Read,
    #[default]
    ReadWrite,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    prefix: String,
    mode: KeyMode,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum KeyMode {
    Read,
    Write,
    #[default]
    ReadWrite,
}

impl From<KeyMode> for Mode {
    fn from(mode: KeyMode) -> Self {
        match mode {
            KeyMode::Read => Self::Read,
            KeyMode::Write => Self::Write,
            KeyMode::ReadWrite => Self::ReadWrite,
        }
    }
}

impl GrantTable {
    /// Paths are relative to the directory of the file.
    fn resolve(&mut self, base: &Path) {
        for directory in self.dir.iter_mut().flatten() {
            directory.host = base.join(&directory.host);
        }
        for variable in self.env.iter_mut().flat_map(BTreeMap::values_mut) {
            if let Variable::File(file) = variable {
                *file = base.join(&file);
            }
        }
        if let Some(Text(KeyValue::Redb(file))) = &mut self.keyvalue.store {
            *file = base.join(&file);
        }
    }

    pub(crate) fn directories(&self) -> Option<Vec<Directory>> {
        let directory = |directory: &DirectoryTable| Directory {
            host: directory.host.clone(),
            guest: directory.guest.clone(),
            read_only: matches!(directory.mode, DirectoryMode::Read),
        };
        self.dir.as_ref().map(|directories| directories.iter().map(directory).collect())
    }

    pub(crate) fn outbound(&self) -> Option<Vec<Authority>> {
        self.http_out.as_ref().map(|list| list.iter().map(|Text(authority)| authority.clone()).collect())
    }

    pub(crate) fn store(&self) -> Option<KeyValue> {
        self.keyvalue.store.as_ref().map(|Text(store)| store.clone())
    }

    /// What is granted of the store; `None` is all of it.
    pub(crate) fn access(&self) -> Result<Option<Vec<Access>>, Failure> {
        let Some(buckets) = &self.keyvalue.bucket else { return Ok(None) };
        let mut granted = Vec::new();
        for (name, Buckets(list)) in buckets {
            for keys in list {
                granted.push(
                    Access::new(name, keys.prefix.clone(), keys.mode.into())
                        .map_err(|error| Failure::usage(format!("grants.keyvalue.bucket: {error}")))?,
                );
            }
        }
        Ok(Some(granted))
    }
}

/// Where the value of a variable comes from. Never printed.
pub(crate) enum Variable {
    Value(String),
    Host(String),
    File(PathBuf),
}

impl Variable {
    /// The value. Errors name the variable and where its value should be, never the value.
    pub(crate) fn value(&self, name: &str) -> Result<String, Failure> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Host(from) => std::env::var(from).map_err(|_| {
                Failure::usage(format!(
                    "the variable {name} is to come from {from} of the host, which has no such variable, or not as text; set it before the host starts, or change grants.env.{name}"
                ))
            }),
            Self::File(file) => read_value(file).map_err(|error| {
                Failure::file(error.context(format!(
                    "the variable {name} is to come from {}, which cannot be used; change the file or grants.env.{name}",
                    file.display()
                )))
            }),
        }
    }
}

fn read_value(file: &Path) -> anyhow::Result<String> {
    use std::io::Read;

    let mut text = String::new();
    std::fs::File::open(file)?.take(LONGEST_VALUE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_VALUE {
        anyhow::bail!("it has more than {LONGEST_VALUE} bytes");
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Source;

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            from: Option<String>,
            file: Option<PathBuf>,
        }

        impl<'de> Visitor<'de> for Source {
            type Value = Variable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a text, { from = "NAME" } or { file = "FILE" }"#)
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Variable, E> {
                Ok(Variable::Value(value.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Variable, A::Error> {
                match Table::deserialize(MapAccessDeserializer::new(map))? {
                    Table { from: Some(name), file: None } => Ok(Variable::Host(name)),
                    Table { from: None, file: Some(file) } => Ok(Variable::File(file)),
                    _ => Err(A::Error::custom("a variable comes either `from` the host or from a `file`")),
                }
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// A table, or a list of them.
struct Buckets(Vec<Keys>);

impl<'de> Deserialize<'de> for Buckets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Buckets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a table such as { prefix = "2026-", mode = "read" }, or a list of them"#)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Buckets, A::Error> {
                Ok(Buckets(vec![Keys::deserialize(MapAccessDeserializer::new(map))?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Buckets, A::Error> {
                Ok(Buckets(Vec::deserialize(SeqAccessDeserializer::new(list))?))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

/// What a flag takes as text, written as text here too.
struct Text<T>(T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parsed<T>(PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Parsed(PhantomData)).map(Text)
    }
}

struct Size(u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        values::size(text).map(Self)
    }
}

struct Time(Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        values::time(text).map(Self)
    }
}

/// `[limits]`: every flag `--max-…`, under its name without `max-`, and `min-rate`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct LimitTable {
    memory: Option<Text<Size>>,
    time: Option<Text<Time>>,
    cpu: Option<Text<Time>>,
    table_elements: Option<usize>,
    core_instances: Option<usize>,
    memories: Option<usize>,
    tables: Option<usize>,
    guest_handles: Option<usize>,
    host_handles: Option<usize>,
    host_memory: Option<Text<Size>>,
    pub(crate) open_files: Option<usize>,
    keyvalue_ops: Option<u64>,
    keyvalue_bytes: Option<Text<Size>>,
    request: Option<Text<Size>>,
    response: Option<Text<Size>>,
    concurrency: Option<u32>,
    warm: Option<Text<Time>>,
    queue: Option<usize>,
    connections: Option<usize>,
    stall: Option<Text<Time>>,
    head: Option<Text<Size>>,
    body_stall: Option<Text<Time>>,
    idle: Option<Text<Time>>,
    streams: Option<u32>,
    output: Option<Text<Size>>,
    pub(crate) structure: Option<NonZeroU32>,
    compile_memory: Option<Text<Size>>,
    compile_time: Option<Text<Time>>,
    min_rate: Option<Text<Size>>,
    depth: Option<u32>,
}

impl LimitTable {
    pub(crate) fn compile_memory(&self) -> Option<u64> {
        self.compile_memory.as_ref().map(|Text(Size(size))| *size)
    }

    pub(crate) fn compile_time(&self) -> Option<Duration> {
        self.compile_time.as_ref().map(|Text(Time(time))| *time)
    }

    /// The file's limits over the defaults. Flags go over both.
    pub(crate) fn over(&self, defaults: Limits) -> Limits {
        let size =
            |own: &Option<Text<Size>>, other: u64| own.as_ref().map_or(other, |Text(Size(size))| *size);
        let time = |own: &Option<Text<Time>>, other| own.as_ref().map_or(other, |Text(Time(time))| *time);
        let memory = self.memory.as_ref().map(|Text(Size(size))| values::to_usize(*size));
        let host_memory = self.host_memory.as_ref().map(|Text(Size(size))| values::to_usize(*size));
        let head = self.head.as_ref().map(|Text(Size(size))| values::to_usize(*size));
        Limits {
            memory: memory.unwrap_or(defaults.memory),
            time: time(&self.time, defaults.time),
            cpu: time(&self.cpu, defaults.cpu),
            table_elements: self.table_elements.unwrap_or(defaults.table_elements),
            core_instances: self.core_instances.unwrap_or(defaults.core_instances),
            memories: self.memories.unwrap_or(defaults.memories),
            tables: self.tables.unwrap_or(defaults.tables),
            guest_handles: self.guest_handles.unwrap_or(defaults.guest_handles),
            host_handles: self.host_handles.unwrap_or(defaults.host_handles),
            host_memory: host_memory.unwrap_or(defaults.host_memory),
            open_files: self.open_files.unwrap_or(defaults.open_files),
            keyvalue_ops: self.keyvalue_ops.unwrap_or(defaults.keyvalue_ops),
            keyvalue_bytes: size(&self.keyvalue_bytes, defaults.keyvalue_bytes),
            request_body: size(&self.request, defaults.request_body),
            response_body: size(&self.response, defaults.response_body),
            concurrency: self.concurrency.unwrap_or(defaults.concurrency),
            warm: time(&self.warm, defaults.warm),
            queue: self.queue.unwrap_or(defaults.queue),
            connections: self.connections.unwrap_or(defaults.connections),
            stall: time(&self.stall, defaults.stall),
            request_head: head.unwrap_or(defaults.request_head),
            body_stall: time(&self.body_stall, defaults.body_stall),
            idle: time(&self.idle, defaults.idle),
            streams: self.streams.unwrap_or(defaults.streams),
            output: size(&self.output, defaults.output),
            rate: size(&self.min_rate, defaults.rate),
            depth: self.depth.unwrap_or(defaults.depth),
            ..defaults
        }
    }
}

/// `[serve]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct ServeTable {
    pub(crate) addr: Option<SocketAddr>,
    pub(crate) reuse: Option<NonZeroU32>,
    drain: Option<Text<Time>>,
    admin: Option<Text<AdminAddr>>,
    pub(crate) routes: Vec<String>,
    pub(crate) otlp: Option<String>,
    trust_proxy: Vec<Text<Proxy>>,
    pub(crate) watch: bool,
    pub(crate) swap_asking_more: bool,
}

impl ServeTable {
    /// Paths are relative to the directory of the file.
    fn resolve(&mut self, directory: &Path) {
        if let Some(Text(AdminAddr::Unix(path))) = &mut self.admin {
            *path = directory.join(&path);
        }
    }

    pub(crate) fn admin(&self) -> Option<AdminAddr> {
        self.admin.as_ref().map(|Text(address)| address.clone())
    }

    pub(crate) fn proxies(&self) -> impl Iterator<Item = Proxy> {
        self.trust_proxy.iter().map(|Text(proxy)| proxy.clone())
    }

    pub(crate) fn drain(&self) -> Option<Duration> {
        self.drain.as_ref().map(|Text(Time(time))| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_type_is_not_told() {
        for (message, told) in [
            (
                "invalid type: string \"s3cret, expected\", expected a map",
                "invalid type: string, expected a table",
            ),
            ("invalid type: integer `42`, expected a text", "invalid type: integer, expected a text"),
            ("invalid type: sequence, expected a map", "invalid type: sequence, expected a table"),
            ("unknown field `x`, expected `y`", "unknown field `x`, expected `y`"),
        ] {
            assert_eq!(without_value(message), told);
        }
    }

    #[test]
    fn the_file_in_the_help_is_one() {
        let lines: Vec<&str> = HELP.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        assert!(lines.len() > 15);
        let config: Config = toml::from_str(&lines.join("\n")).unwrap();
        assert_eq!(config.grants.access().unwrap().unwrap().len(), 1);
        assert_eq!(config.grants.env.unwrap().len(), 3);
    }

    #[test]
    fn places_are_counted_from_one() {
        assert_eq!(place("a\nbé c", 5), (2, 3));
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("a", 99), (1, 2));
    }
}
