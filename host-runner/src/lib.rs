//! Runs WebAssembly components: with what they were granted, within their limits, and nothing else.
//!
//! [`App::load`] turns a file into something that can run: it is checked, compiled, and refused if it imports
//! what was not granted. Then [`serve`] answers HTTP requests with it, [`call`](fn@call) makes one call written
//! as text, [`run`](fn@run) runs it as a program, and [`App::session`] gives an instance to call into.
//!
//! ```
//! use host_runner::{App, Engine, EngineOptions, Setup};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let adder = wat::parse_str(
//!     r#"(component
//!         (core module $m (func (export "add") (param i32 i32) (result i32)
//!             local.get 0 local.get 1 i32.add))
//!         (core instance $i (instantiate $m))
//!         (func (export "add") (param "a" u32) (param "b" u32) (result u32)
//!             (canon lift (core func $i "add"))))"#,
//! )?;
//! let engine = Engine::new(&EngineOptions::default())?;
//! let app = App::from_bytes(&engine, "adder.wasm", &adder, Setup::default())?;
//! let runtime = tokio::runtime::Runtime::new()?;
//! let answer = runtime.block_on(host_runner::call(&app, "add(40, 2)"))?;
//! assert_eq!(answer.text, "42");
//! # Ok(())
//! # }
//! ```
//!
//! Where to look: [`engine`] for the compiler's settings, [`code`] for compiled code that outlives the process, [`grants`]
//! for what a guest may reach, [`limits`] for what it may use up, [`blame`] for who is told to have failed, [`keyvalue`]
//! for the stores behind `wasi:keyvalue`, [`needs`] for what a component asks for, [`extension`] for interfaces that
//! this host lacks, [`observe`] for what is told of a server while it runs, and [`admin`] for where it is told.

#![deny(missing_docs)]

pub mod admin;
mod app;
pub mod blame;
mod call;
pub mod code;
mod component;
mod cpu;
mod descent;
pub mod engine;
mod error;
mod exports;
pub mod extension;
pub mod grants;
mod held;
mod imports;
pub mod keyvalue;
pub mod limits;
mod link;
mod movement;
pub mod needs;
pub mod observe;
mod open_files;
mod output;
mod run;
mod serve;
mod session;
mod state;
mod tuning;
mod wave;

pub use app::{App, Setup};
pub use blame::Blame;
pub use call::{Answer, Call, ExpressionError, Took, call, example};
pub use code::{Cache, CacheError, CompileLimit, Compiler, Key, KeyError, compile_here};
pub use component::{CompileError, ComponentFile};
pub use engine::{Engine, EngineError, EngineOptions, Pool, Tuning};
pub use error::LoadError;
pub use exports::{Exported, LookupError};
pub use extension::Extension;
pub use grants::Grants;
pub use imports::{Refusal, Ungranted, Way};
pub use limits::{LimitHit, Limits};
pub use run::{ExitStatus, Program, RunError, Use, run};
pub use serve::{Failure, Proxy, ProxyError, ServeError, Server, SwapError, Swapped, Swapper, serve};
pub use session::{CallError, Session};
pub use state::{StartError, WallClock};
/// The engine: [extensions](extension) are written against this very one.
pub use wasmtime;
/// The values that functions take and give.
pub use wasmtime::component::{ResourceAny, Val};
