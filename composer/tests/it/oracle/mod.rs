//! The ground truth of checking: an independent oracle, and whatever it takes to ask it often.
//!
//! Nothing here that decides what is right touches the library under test. A world is [`model`], made by chance in
//! [`generate`] from [`dice`], and changed by [`edit`]; [`encode`] and [`lift`] write it into binaries with
//! `wasm-encoder`; [`engine`] asks `wasmparser` about a pair. [`text`] and [`shrink`] are for whoever has to read a
//! failure. The tests are in:
//!
//! - [`worlds`]: all of the above holds together;
//! - [`pairs`]: thousands of edited pairs, `check` against the engine;
//! - [`changes`]: pairs as old and new, `diff` against the engine in both directions;
//! - [`places`]: texts that differ in one place, which `diff` names;
//! - [`triples`]: resources that must come from one place;
//! - [`shared`]: resources of one host, which three components know;
//! - [`names`]: tables for versions and near misses;
//! - [`stock`]: pairs again, wac against the engine;
//! - [`upstream`]: what is wrong in the libraries below, as `docs/upstream.md` describes it.

mod changes;
mod dice;
mod edit;
mod encode;
mod engine;
mod generate;
mod lift;
mod model;
mod names;
mod pairs;
mod places;
mod shared;
mod shrink;
mod stock;
mod text;
mod triples;
mod upstream;
mod worlds;

use std::sync::atomic::{AtomicU64, Ordering};

use check::{CheckError, Part, Report, plug_leaving_open};
use compose::wire::Place;
use contract::shape::Shape;

/// How many threads are at work: `ORACLE_THREADS`, or one for each processor.
fn threads() -> usize {
    asked("ORACLE_THREADS").unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// What a variable of the environment asks for, where it is set.
fn asked<T: std::str::FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    let Ok(number) = text.parse() else { panic!("{variable} is `{text}`, which is no number that fits") };
    Some(number)
}

/// Asks `examine` of `count` seeds from `first` on, on several threads, and adds up what it answers. The least seed of those to
/// which it has no answer, where there is one: the rest is not asked then.
fn many<T: Default + Send>(
    first: u64,
    count: u64,
    examine: impl Fn(u64) -> Option<T> + Sync,
    add: impl Fn(&mut T, &T) + Sync,
) -> Result<T, u64> {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let work = || {
        let mut tally = T::default();
        while failed.load(Ordering::Relaxed) == u64::MAX {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                break;
            }
            match examine(first + at) {
                Some(of_one) => add(&mut tally, &of_one),
                None => _ = failed.fetch_min(first + at, Ordering::Relaxed),
            }
        }
        tally
    };
    let mut tally = T::default();
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads()).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .for_each(|thread| add(&mut tally, &thread.join().expect("it answers with a tally")));
    });
    match failed.into_inner() {
        u64::MAX => Ok(tally),
        seed => Err(seed),
    }
}

/// What check says of a socket and plugs. What stands behind a plug is the host's here, whatever it is called: the plugs pass
/// things on.
fn plugged(socket: (&str, &[u8]), plugs: &[(&str, &[u8])]) -> Result<Report, CheckError> {
    let shape = |(name, bytes): (&str, &[u8])| {
        Shape::of_component(bytes).map_err(|source| CheckError::Shape { name: name.to_owned(), source })
    };
    let socket = (socket.0, shape(socket)?);
    let plugs: Vec<(&str, Shape)> =
        plugs.iter().map(|plug| Ok((plug.0, shape(*plug)?))).collect::<Result<_, CheckError>>()?;
    let imports = plugs.iter().flat_map(|(_, shape)| &shape.root().imports).map(|(name, _)| name.as_str());
    let open = imports.filter(|name| name.contains("behind") || name.contains("beside"));
    let open: Vec<Place> = open.map(|name| Place { part: None, name: name.to_owned() }).collect();
    let plugs: Vec<Part<'_>> = plugs.iter().map(|(name, shape)| Part { name, shape }).collect();
    plug_leaving_open(Part { name: socket.0, shape: &socket.1 }, &plugs, &open)
}

/// An error with all of its causes.
fn words_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
