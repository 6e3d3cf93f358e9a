//! What a guest may use up, and the accounting of it.
//!
//! Memory and table elements are summed over the whole store: the engine's own limiter looks at one memory
//! at a time, and a composition has one a part. A growth that goes over the limit fails inside the guest as
//! the specification has it (`memory.grow` gives -1); what the guest then does, usually a trap, is told
//! together with the limit that it met.
//!
//! Computing time is that of the thread, measured around every poll of the future that runs the guest.

use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use wasmtime::ResourceLimiter;

pub use crate::exceeded::LimitHit;
use crate::observe::as_gauge;

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
    /// Files, folders and connections to other servers that one instance has open, the granted folders themselves
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

/// What one store uses of one thing, summed over all that have it.
struct Quota {
    limit: usize,
    used: usize,
    /// The growth that was allowed last: taken back when it fails for another reason.
    granted: usize,
    /// What was used when the instance had started.
    began: usize,
}

impl Quota {
    fn new(limit: usize) -> Self {
        Self { limit, used: 0, granted: 0, began: 0 }
    }

    /// Whether something may grow from `current` to `desired`; if so, it is counted.
    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let growth = desired.saturating_sub(current);
        let allowed = growth <= self.limit.saturating_sub(self.used);
        self.granted = if allowed { growth } else { 0 };
        self.used += self.granted;
        allowed
    }

    fn take_back(&mut self) {
        self.used -= std::mem::take(&mut self.granted);
    }

    /// Whether half of what it could grow by since the start is still there.
    fn is_half_free(&self) -> bool {
        self.used.saturating_sub(self.began) <= self.limit.saturating_sub(self.began) / 2
    }
}

/// Counts what one store uses, and remembers the first limit that it met.
pub(crate) struct Limiter {
    limits: Limits,
    memory: Quota,
    table_elements: Quota,
    hit: Option<LimitHit>,
    /// What all stores together use is told here.
    told: Option<Gauge>,
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.tell(-as_gauge(self.memory.used));
    }
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        let memory = Quota::new(limits.memory);
        let table_elements = Quota::new(limits.table_elements);
        Self { limits, memory, table_elements, hit: None, told: None }
    }

    /// Its memory counts in this gauge, until it is dropped. To be asked again changes nothing.
    pub(crate) fn tell_in(&mut self, gauge: Gauge) {
        if self.told.is_none() {
            self.told = Some(gauge);
            self.tell(as_gauge(self.memory.used));
        }
    }

    fn tell(&self, growth: i64) {
        if let Some(gauge) = &self.told {
            gauge.inc_by(growth);
        }
    }

    /// The first limit that was met: a growth was refused.
    pub(crate) fn hit(&self) -> Option<LimitHit> {
        self.hit
    }

    /// What is used now is what the instance began with.
    pub(crate) fn has_started(&mut self) {
        self.memory.began = self.memory.used;
        self.table_elements.began = self.table_elements.used;
    }

    /// What speaks against another call into the instance: a growth that was refused, or that there is not room for as
    /// much growth again.
    pub(crate) fn worn(&self) -> Option<&'static str> {
        if self.hit.is_some() {
            Some("it met a limit")
        } else if !self.memory.is_half_free() {
            Some("it has used up half of the memory that it may grow by")
        } else if !self.table_elements.is_half_free() {
            Some("it has used up half of what its tables may grow by")
        } else {
            None
        }
    }

    /// Bytes of memory that it uses, and how many of them it did not begin with.
    pub(crate) fn memory(&self) -> (usize, usize) {
        (self.memory.used, self.memory.used.saturating_sub(self.memory.began))
    }

    fn allow(&mut self, allowed: bool, hit: LimitHit) -> wasmtime::Result<bool> {
        if !allowed {
            self.hit.get_or_insert(hit);
        }
        Ok(allowed)
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = self.memory.grow(current, desired);
        self.tell(as_gauge(self.memory.granted));
        self.allow(allowed, LimitHit::Memory(self.limits.memory))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!("a memory did not grow: {error:#}");
        self.tell(-as_gauge(self.memory.granted));
        self.memory.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = self.table_elements.grow(current, desired);
        self.allow(allowed, LimitHit::TableElements(self.limits.table_elements))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!("a table did not grow: {error:#}");
        self.table_elements.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.core_instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(memory: usize) -> Limiter {
        Limiter::new(Limits { memory, ..Limits::default() })
    }

    #[test]
    fn memory_is_summed_over_all_memories_of_a_store() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert_eq!(limiter.hit(), Some(LimitHit::Memory(100)));
    }

    #[test]
    fn a_growth_that_failed_elsewhere_is_taken_back() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 100, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(limiter.memory_growing(0, 100, None).unwrap());
        assert!(!limiter.memory_growing(100, 200, None).unwrap());
        // A refused growth was never counted, so its failure takes nothing back.
        limiter.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert!(!limiter.memory_growing(100, 101, None).unwrap());
    }

    #[test]
    fn what_an_instance_begins_with_is_no_growth() {
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 80, None).unwrap());
        limiter.has_started();
        assert!(limiter.memory_growing(80, 90, None).unwrap());
        assert_eq!(limiter.worn(), None);
        assert!(limiter.memory_growing(90, 91, None).unwrap());
        assert_eq!(limiter.worn(), Some("it has used up half of the memory that it may grow by"));
        assert_eq!(limiter.memory(), (91, 11));
    }

    #[test]
    fn what_all_use_together_is_told() {
        let gauge = Gauge::default();
        let [mut first, mut second] = [limiter(100), limiter(100)];
        first.tell_in(gauge.clone());
        second.tell_in(gauge.clone());
        assert!(first.memory_growing(0, 60, None).unwrap());
        assert!(second.memory_growing(0, 50, None).unwrap());
        assert!(!second.memory_growing(50, 200, None).unwrap());
        assert_eq!(gauge.get(), 110);
        second.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert_eq!(gauge.get(), 110);
        assert!(second.memory_growing(50, 60, None).unwrap());
        second.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        drop(first);
        assert_eq!(gauge.get(), 50);
        drop(second);
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn what_was_used_before_anybody_was_told_counts_once() {
        let gauge = Gauge::default();
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        limiter.tell_in(gauge.clone());
        limiter.tell_in(gauge.clone());
        assert_eq!(gauge.get(), 60);
        assert!(limiter.memory_growing(60, 70, None).unwrap());
        assert_eq!(gauge.get(), 70);
        drop(limiter);
        assert_eq!(gauge.get(), 0);
    }

    #[test]
    fn who_was_refused_is_worn() {
        let mut limiter = limiter(100);
        limiter.has_started();
        assert!(!limiter.memory_growing(0, 101, None).unwrap());
        assert_eq!(limiter.worn(), Some("it met a limit"));
    }
}
