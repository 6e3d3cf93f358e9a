//! The program of the target `host`, which is its own fuzzer.

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    fuzz::program::wander("host")
}

/// Built for fuzzing, there is no engine in it.
#[cfg(fuzzing)]
fn main() {}
