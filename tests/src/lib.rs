//! What the end-to-end tests and the demo have in common: they drive the real commands as processes, and
//! real components in the real engine.
//!
//! - [`project`]: where things are, and that they are built from the sources as they stand;
//! - [`process`]: running a command to its end, and a host that serves until it is stopped;
//! - [`compose`]: compositions that only a test needs;
//! - [`hostile`]: shops whose pricing rule means harm;
//! - [`guest`]: a component in this process, called with values or with text in WAVE;
//! - [`http`]: a client that can also behave badly;
//! - [`catalogue`]: the products of the CSV file, as data and as text for `host-runner call`;
//! - [`bombs`]: small components that are expensive to load;
//! - [`books`]: what was bought, against what the shop's storage says;
//! - [`swap`]: a host whose component is swapped, again and again;
//! - [`shop`]: what the shop's JSON interface says.
#![deny(missing_docs)]

pub mod bombs;
pub mod books;
pub mod catalogue;
pub mod compose;
pub mod guest;
pub mod hostile;
pub mod http;
pub mod process;
pub mod project;
pub mod shop;
pub mod swap;
