//! The program of a target.

use std::path::Path;
use std::process::ExitCode;
#[cfg(not(fuzzing))]
use std::time::Duration;

/// The program of a target: under cargo-fuzz it hands the target to libFuzzer, and otherwise it replays files.
///
/// Where `FUZZ_SEEDS` names a directory, libFuzzer's program assembles the target's corpus there first.
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        #[cfg(fuzzing)]
        mod guided {
            use std::sync::LazyLock;

            use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

            static TARGET: LazyLock<&'static $crate::Target> =
                LazyLock::new(|| $crate::target($name).expect("it is listed"));

            fuzz_target!(
                init: $crate::program::assemble($name),
                |data: &[u8]| {
                    if let Err(words) = $crate::attempt(*TARGET, data) {
                        panic!("{words}");
                    }
                }
            );

            fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
                if TARGET.input == $crate::Input::Components && seed % 4 != 0 {
                    $crate::mutate::component(data, size, max_size, seed, fuzzer_mutate)
                } else {
                    fuzzer_mutate(data, size, max_size)
                }
            });
        }

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::program::replay($name)
        }
    };
}

/// The program of a target that libFuzzer does not run: with `--wander SECONDS KEPT ARTIFACTS` it is its own fuzzer, and otherwise
/// it replays files as the others do.
///
/// # Panics
///
/// Where there is no such target, or the arguments are others.
#[cfg(not(fuzzing))]
pub fn wander(name: &str) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [command, seconds, kept, artifacts, seed @ ..] = arguments.as_slice() else { return replay(name) };
    if command != "--wander" {
        return replay(name);
    }
    let target = crate::target(name).expect("it is listed");
    let wandering = crate::wander::Wandering {
        time: Duration::from_secs(seconds.parse().expect("it is a number of seconds")),
        seed: seed.first().map(|seed| seed.parse().expect("it is a seed")),
        kept: kept.into(),
        artifacts: artifacts.into(),
    };
    match crate::wander::wander(target, &wandering) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Assembles the corpus of a target where `FUZZ_SEEDS` says.
///
/// # Panics
///
/// Where that is not possible.
pub fn assemble(name: &str) {
    if let Some(directory) = std::env::var_os("FUZZ_SEEDS") {
        crate::seeds::assemble(name, Path::new(&directory)).expect("the corpus can be assembled");
    }
}

/// Puts the files that the arguments name through a target. A `.wat` text is assembled first.
///
/// # Panics
///
/// Where there is no such target.
pub fn replay(name: &str) -> ExitCode {
    let target = crate::target(name).expect("it is listed");
    let mut good = true;
    for file in std::env::args().skip(1) {
        let done = crate::seeds::load(Path::new(&file))
            .map_err(|error| error.to_string())
            .and_then(|data| crate::attempt(target, &data));
        match done {
            Ok(()) => eprintln!("{file}: ok"),
            Err(words) => {
                good = false;
                eprintln!("{file}: {words}");
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
