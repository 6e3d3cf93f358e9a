//! The program of the target `lock`.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!("lock");
