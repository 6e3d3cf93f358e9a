//! The program of the target `inspect`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("inspect");
