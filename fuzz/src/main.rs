//! Built with instrumentation: hands the target that `FUZZ_TARGET` names to libFuzzer, whose options it takes. Where
//! `FUZZ_SEEDS` names a folder, the target's corpus is assembled there first; where `FUZZ_INPUTS` does, so are the texts that are
//! in it.
//!
//! Built without: puts files through a target, `fuzz TARGET FILE...`.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod guided {
    use std::path::Path;
    use std::sync::LazyLock;

    use fuzz::{Input, Target};
    use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

    static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        fuzz::target(&name).unwrap_or_else(|| panic!("FUZZ_TARGET: there is no target `{name}`"))
    });

    fn begin() {
        if let Some(folder) = std::env::var_os("FUZZ_SEEDS") {
            fuzz::seeds::assemble(TARGET.name, Path::new(&folder)).expect("the corpus can be assembled");
        }
        if let Some(folder) = std::env::var_os("FUZZ_INPUTS") {
            fuzz::seeds::assemble_in(Path::new(&folder)).expect("the inputs can be assembled");
        }
    }

    fuzz_target!(
        init: begin(),
        |data: &[u8]| {
            if let Err(words) = fuzz::attempt(*TARGET, data) {
                panic!("{words}");
            }
        }
    );

    fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
        if TARGET.input == Input::Components && seed % 4 != 0 {
            fuzz::mutate::component(data, size, max_size, seed, fuzzer_mutate)
        } else {
            fuzzer_mutate(data, size, max_size)
        }
    });
}

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    use std::path::Path;
    use std::process::ExitCode;

    let mut arguments = std::env::args().skip(1);
    let Some(target) = arguments.next().and_then(|name| fuzz::target(&name)) else {
        let names: Vec<_> = fuzz::TARGETS.iter().map(|target| target.name).collect();
        eprintln!("usage: fuzz TARGET FILE...\ntargets: {}", names.join(", "));
        return ExitCode::from(2);
    };
    let mut good = true;
    for file in arguments {
        let done = fuzz::seeds::load(Path::new(&file))
            .map_err(|error| error.to_string())
            .and_then(|data| fuzz::attempt(target, &data));
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
