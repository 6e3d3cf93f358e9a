//! The program of the target `deny`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("deny");
