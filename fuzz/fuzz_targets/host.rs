//! The program of the target `host`, which is its own fuzzer: without the engine, which is not built for fuzzing, there is none.

fn main() -> std::process::ExitCode {
    fuzz::program::wander("host")
}
