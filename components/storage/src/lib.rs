//! The component `storage`: products, stock and orders of the shop, over `wasi:keyvalue`.
//!
//! The logic is in the modules, generic over a small store and a clock, and tested natively under random
//! interleavings. What is here binds it to the world: one bucket, opened once a call, and the wall clock.
//!
//! | module | what is there |
//! |---|---|
//! | [`orders`] | reserving and committing: read this first |
//! | [`attempt`] | what has become of an attempt to order |
//! | [`stock`] | units on hand and holds |
//! | [`products`] | the catalogue |
//! | [`index`], [`page`] | sorted lists, and pages of them |
//! | [`record`] | what is stored, byte for byte, and its versions |
//! | [`store`] | what is asked of the store and the clock |
//! | [`types`], [`limits`], [`id`] | the contract's types and limits; names of orders |
//!
//! The bindings exist on WebAssembly only: their exports have names that a native linker does not take.
#![deny(missing_docs)]

pub mod attempt;
pub mod id;
pub mod index;
pub mod limits;
pub mod orders;
pub mod page;
pub mod products;
pub mod record;
pub mod stock;
pub mod store;
pub mod types;

#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod convert;
#[cfg(target_arch = "wasm32")]
mod host;

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs, unused_qualifications)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "shop:worlds/storage", generate_all });

    export!(Component with_types_in self);
    use super::component::Component;
}
