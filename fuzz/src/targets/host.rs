//! Whole components in the host: each is loaded and instantiated, and all that it exports is called.

use std::sync::LazyLock;
use std::time::Duration;

use host_runner::engine::Demands;
use host_runner::grants::Stdio;
use host_runner::keyvalue::Memory;
use host_runner::wasmtime::component::Type;
use host_runner::{
    App, CallError, Engine, EngineOptions, Exported, Grants, Limits, ResourceAny, Session, Setup, Tuning, Val,
};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

use super::said;
use crate::wander::{deep, note};
use crate::{memory, seeds};

/// Bytes of memory that an input may take, code and guests included.
pub(crate) const MOST: usize = 256 << 20;

/// What a guest may use up.
const MEMORY: usize = 16 << 20;
const CPU: Duration = Duration::from_millis(50);
const TIME: Duration = Duration::from_millis(150);
/// Processor time that loading may take, and what anything else may take beyond the limit of the guest.
const LOADING: Duration = Duration::from_secs(2);
const BEYOND: Duration = Duration::from_secs(1);
/// How many calls are made, and how many instances are begun for them: one that failed cannot be called again.
const CALLS: usize = 32;
const INSTANCES: usize = 8;

/// Engines for components that need no asynchronous calls, and for those that do.
static ENGINES: LazyLock<[Engine; 2]> = LazyLock::new(|| {
    [false, true].map(|concurrency| {
        let options = EngineOptions {
            tuning: Tuning { concurrency: Some(concurrency), ..Tuning::default() },
            ..EngineOptions::default()
        };
        Engine::new(&options).expect("the engine starts")
    })
});

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("the runtime starts"));

pub(crate) fn host(data: &[u8]) {
    let bytes = seeds::components(data).next().unwrap_or_default();
    let took = memory::resident(|| {
        if let Some(app) = load(bytes) {
            RUNTIME.block_on(call_all(&app, Values::new(bytes)));
        }
    });
    assert!(took.is_none_or(|took| took <= MOST), "it took {took:?} bytes of memory, more than {MOST}");
}

/// Everything that this host can grant, and nothing behind it.
fn setup() -> Setup {
    let grants = Grants {
        keyvalue: Some(std::sync::Arc::new(Memory::new())),
        environment: Some(Vec::new()),
        directories: Some(Vec::new()),
        stdio: Some(Stdio::Empty),
        outbound: Some(Vec::new()),
        sockets: true,
    };
    let limits = Limits { memory: MEMORY, cpu: CPU, time: TIME, ..Limits::default() };
    Setup { grants, limits, ..Setup::default() }
}

fn load(bytes: &[u8]) -> Option<App> {
    let began = processor();
    let engine = &ENGINES[usize::from(Demands::of(bytes).concurrency)];
    let loaded = App::from_bytes(engine, "it.wasm", bytes, setup());
    let took = processor().saturating_sub(began);
    assert!(took <= LOADING, "to load it took {took:?} of processor time, more than {LOADING:?}");
    match loaded {
        Ok(app) => {
            deep();
            Some(app)
        }
        Err(error) => {
            note(&said(&error));
            None
        }
    }
}

/// Processor time of the whole process: an engine compiles in several threads.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Calls every export: constructors first, so that there are handles for what takes them.
async fn call_all(app: &App, mut values: Values) {
    let mut exports = app.exports();
    exports.sort_by_key(|exported| !exported.function().starts_with("[constructor]"));
    exports.truncate(CALLS);
    let mut session = None;
    let mut begun = 0;
    for exported in &exports {
        note(&exported.signature());
        if session.is_none() {
            if begun == INSTANCES {
                return;
            }
            begun += 1;
            values.handles.clear();
            match limited(app.session()).await {
                Ok(fresh) => session = Some(fresh),
                Err(error) => return note(&said(&error)),
            }
        }
        let Some(instance) = &mut session else { return };
        if let Err(error) = call(instance, exported, &mut values).await {
            note(&said(&error));
            session = None;
        }
    }
    let Some(mut session) = session else { return };
    for handle in std::mem::take(&mut values.handles) {
        if let Err(error) = limited(session.drop_resource(handle)).await {
            note(&said(&error));
        }
    }
}

async fn call(session: &mut Session, exported: &Exported, values: &mut Values) -> Result<(), CallError> {
    let Some(arguments) = exported.ty().params().map(|(_, ty)| values.of(&ty)).collect::<Option<Vec<_>>>()
    else {
        return Ok(());
    };
    if let Some(result) = limited(session.call_exported(exported, &arguments)).await? {
        values.keep(result);
    }
    Ok(())
}

/// Waits for something of the guest, in no more processor time than its limit has.
async fn limited<T>(work: impl Future<Output = T>) -> T {
    let began = processor();
    let done = work.await;
    let took = processor().saturating_sub(began);
    assert!(took <= CPU + BEYOND, "a guest with {CPU:?} took {took:?} of processor time");
    done
}

/// Arguments, as the bytes of the component decide.
struct Values {
    dice: u64,
    /// How many more values are made.
    left: usize,
    /// What the instance gave.
    handles: Vec<ResourceAny>,
}

impl Values {
    fn new(bytes: &[u8]) -> Self {
        let mix = |dice: u64, byte: &u8| (dice ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self { dice: bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix), left: 4_000, handles: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    /// A number below the bound, which is not zero.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    /// The least and the largest number are as likely as all others.
    fn number(&mut self) -> u64 {
        match self.below(4) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << self.below(64),
            _ => self.next(),
        }
    }

    /// A value of a type. None where there is no handle for it, or it is too large.
    fn of(&mut self, ty: &Type) -> Option<Val> {
        self.left = self.left.checked_sub(1)?;
        Some(match ty {
            Type::Bool => Val::Bool(self.next().is_multiple_of(2)),
            Type::S8 => Val::S8(self.number() as i8),
            Type::U8 => Val::U8(self.number() as u8),
            Type::S16 => Val::S16(self.number() as i16),
            Type::U16 => Val::U16(self.number() as u16),
            Type::S32 => Val::S32(self.number() as i32),
            Type::U32 => Val::U32(self.number() as u32),
            Type::S64 => Val::S64(self.number() as i64),
            Type::U64 => Val::U64(self.number()),
            Type::Float32 => Val::Float32(f32::from_bits(self.number() as u32)),
            Type::Float64 => Val::Float64(f64::from_bits(self.number())),
            Type::Char => Val::Char(char::from_u32(self.number() as u32 % 0x11_0000).unwrap_or('é')),
            Type::String => {
                let length = self.length();
                Val::String("aé€\u{1f980}\0".chars().cycle().take(length).collect())
            }
            Type::List(list) => {
                let length = self.length();
                Val::List(self.several(&list.ty(), length)?)
            }
            Type::FixedLengthList(list) => {
                Val::FixedLengthList(self.several(&list.ty(), usize::try_from(list.len()).ok()?)?)
            }
            Type::Map(map) => {
                let pairs = (0..self.below(4)).map(|_| Some((self.of(&map.key())?, self.of(&map.value())?)));
                Val::Map(pairs.collect::<Option<_>>()?)
            }
            Type::Record(record) => {
                let fields = record.fields().map(|field| Some((field.name.to_owned(), self.of(&field.ty)?)));
                Val::Record(fields.collect::<Option<_>>()?)
            }
            Type::Tuple(tuple) => Val::Tuple(tuple.types().map(|ty| self.of(&ty)).collect::<Option<_>>()?),
            Type::Variant(variant) => {
                let case = variant.cases().nth(self.below(variant.cases().len()))?;
                Val::Variant(case.name.to_owned(), self.payload(case.ty)?)
            }
            Type::Enum(cases) => Val::Enum(cases.names().nth(self.below(cases.names().len()))?.to_owned()),
            Type::Option(option) => match self.below(2) {
                0 => Val::Option(None),
                _ => Val::Option(Some(Box::new(self.of(&option.ty())?))),
            },
            Type::Result(result) => Val::Result(match self.below(2) {
                0 => Err(self.payload(result.err())?),
                _ => Ok(self.payload(result.ok())?),
            }),
            Type::Flags(flags) => Val::Flags(
                flags.names().filter(|_| self.next().is_multiple_of(2)).map(str::to_owned).collect(),
            ),
            Type::Own(ty) => {
                let at = self.handles.iter().position(|handle| handle.ty() == *ty)?;
                Val::Resource(self.handles.swap_remove(at))
            }
            Type::Borrow(ty) => Val::Resource(*self.handles.iter().find(|handle| handle.ty() == *ty)?),
            _ => return None,
        })
    }

    fn length(&mut self) -> usize {
        match self.below(8) {
            0 => 1_000,
            _ => self.below(6),
        }
    }

    fn several(&mut self, ty: &Type, length: usize) -> Option<Vec<Val>> {
        (length <= self.left).then(|| (0..length).map(|_| self.of(ty)).collect())?
    }

    fn payload(&mut self, ty: Option<Type>) -> Option<Option<Box<Val>>> {
        match ty {
            Some(ty) => self.of(&ty).map(|value| Some(Box::new(value))),
            None => Some(None),
        }
    }

    /// Keeps the handles in a value.
    fn keep(&mut self, value: Val) {
        match value {
            Val::Resource(handle) => self.handles.push(handle),
            Val::List(values) | Val::Tuple(values) | Val::FixedLengthList(values) => {
                values.into_iter().for_each(|value| self.keep(value));
            }
            Val::Record(fields) => fields.into_iter().for_each(|(_, value)| self.keep(value)),
            Val::Map(pairs) => pairs.into_iter().for_each(|(_, value)| self.keep(value)),
            Val::Variant(_, Some(value))
            | Val::Option(Some(value))
            | Val::Result(Ok(Some(value)) | Err(Some(value))) => {
                self.keep(*value);
            }
            _ => {}
        }
    }
}
