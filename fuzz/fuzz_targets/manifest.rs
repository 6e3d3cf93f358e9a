//! The program of the target `manifest`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("manifest");
