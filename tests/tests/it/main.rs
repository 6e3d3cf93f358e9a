//! The end-to-end tests, in one program: real components, real processes, real HTTP.

mod composition;
mod contracts;
mod decompose;
mod demo;
mod deny;
mod documented;
mod errors;
mod grants;
mod hostile;
mod http;
mod orders;
mod outside;
mod peers;
mod pricing;
mod reuse;
mod scaffold;
mod soak;
mod storage;
mod swaps;
