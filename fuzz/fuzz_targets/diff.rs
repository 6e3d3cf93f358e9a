//! The program of the target `diff`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("diff");
