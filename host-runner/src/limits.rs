//! What a guest may use up, and the accounting of it.
//!
//! Memory and table elements are summed over the whole store: the engine's own limiter looks at one memory
//! at a time, and a composition has one a part. A growth that goes over the limit fails inside the guest as
//! the specification has it (`memory.grow` gives -1); what the guest then does, usually a trap, is told
//! together with the limit that it met.
//!
//! Computing time is that of the thread, measured around every poll of the future that runs the guest.

mod hit;
mod limiter;

use std::time::Duration;

pub use hit::LimitHit;
pub(crate) use hit::{Exceeded, Outwaited};
pub(crate) use limiter::{InUse, Limiter};

/// The limits on one instance of a component, and on a server of it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of memory for all parts of one instance together. Default: 256 MiB.
    pub memory: usize,
    /// Elements of all tables of one instance together. Default: 200,000.
    pub table_elements: usize,
    /// Core instances in one instance of a component. Default: 1,000.
    pub core_instances: usize,
    /// Memories in one instance of a component. Default: 64.
    pub memories: usize,
    /// Tables in one instance of a component. Default: 256.
    pub tables: usize,
    /// Handles to resources that the guests hold. Default: 100,000.
    pub guest_handles: usize,
    /// Resources that the host keeps for the guests: streams, requests, buckets. Default: 10,000.
    pub host_handles: usize,
    /// Bytes that the host holds for the guests of one instance: header fields, requests, answers, bodies that wait to be
    /// sent; and that a single call hands to the host. Default: 32 MiB.
    pub host_memory: usize,
    /// Files, directories and connections to other servers that one instance has open, the granted directories themselves
    /// aside. A connection too many is refused with the error that the interface has for it. Default: 128.
    pub open_files: usize,
    /// Wall time for one request, call or program, whether the guest computes or waits. Default: 30 s.
    pub time: Duration,
    /// Computing time for one request, call or program: what its thread spends while it runs, in the guest and in the
    /// host on its behalf. Waiting is free. Looked at every [tick](crate::engine::TICK). Default: 10 s.
    pub cpu: Duration,
    /// Key-value operations for one request, call or program. An operation on many keys counts once for each.
    /// Default: 10,000.
    pub keyvalue_ops: u64,
    /// Bytes of keys and values that one request, call or program reads and writes. Default: 128 MiB.
    pub keyvalue_bytes: u64,
    /// Bytes in the body of a request. Default: 8 MiB.
    pub request_body: u64,
    /// Bytes in the body of an answer. Default: 64 MiB.
    pub response_body: u64,
    /// Instances that a server runs at the same time. Default: 64.
    pub concurrency: u32,
    /// Requests that an instance answers, one after the other, before it is dropped. With 1, as with 0, each request has an
    /// instance of its own; with more, a request may see what a request before it left in its guest. An instance that met
    /// a limit, trapped or left something unfinished gets no other request. Default: 1.
    pub reuse: u32,
    /// How long an instance waits for its next request, or its first, before it is dropped. Default: 10 s.
    pub warm: Duration,
    /// Requests that wait for an instance; the next one is answered 503. Default: 256.
    pub queue: usize,
    /// Connections that a server has open; the next one waits to be accepted. Default: 1,024.
    pub connections: usize,
    /// Bytes in the head of a request: its line and all its headers. 8 KiB at least. Default: 64 KiB.
    pub request_head: usize,
    /// How long a client may send nothing of its body while its guest waits for more. Default: 15 s.
    pub body_stall: Duration,
    /// Bytes in a second that a client sends of a body that is waited for, on average over as much waiting as
    /// [`body_stall`](Self::body_stall), and takes of an answer that is there for it, over [`stall`](Self::stall).
    /// Default: 240.
    pub rate: u64,
    /// How many requests of guests may lead to one, each made on behalf of the one before; the next one is answered 508.
    /// Default: 4.
    pub depth: u32,
    /// How long a connection may have no request, the time to send the head of one included. Default: 15 s.
    pub idle: Duration,
    /// Requests at the same time on one connection, which HTTP/2 makes possible. Default: 100.
    pub streams: u32,
    /// Bytes that a guest on a request may print to the log. Default: 64 KiB.
    pub output: u64,
    /// How long a client may take nothing of its answer before its connection is closed. Default: 30 s.
    pub stall: Duration,
    /// How long a stopping server waits for what is in flight. Default: 30 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            table_elements: 200_000,
            core_instances: 1_000,
            memories: 64,
            tables: 256,
            guest_handles: 100_000,
            host_handles: 10_000,
            host_memory: 32 << 20,
            open_files: 128,
            time: Duration::from_secs(30),
            cpu: Duration::from_secs(10),
            keyvalue_ops: 10_000,
            keyvalue_bytes: 128 << 20,
            request_body: 8 << 20,
            response_body: 64 << 20,
            concurrency: 64,
            reuse: 1,
            warm: Duration::from_secs(10),
            queue: 256,
            connections: 1_024,
            request_head: 64 << 10,
            body_stall: Duration::from_secs(15),
            rate: 240,
            depth: 4,
            idle: Duration::from_secs(15),
            streams: 100,
            output: 64 << 10,
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}
