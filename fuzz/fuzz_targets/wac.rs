//! The program of the target `wac`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("wac");
