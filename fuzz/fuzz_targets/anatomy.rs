//! The program of the target `anatomy`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("anatomy");
