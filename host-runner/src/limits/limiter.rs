//! The accounting of one store's memory and tables, which the engine asks before each growth.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wasmtime::ResourceLimiter;

use super::{LimitHit, Limits};

/// The memory that all guests together have, in bytes. Clones count in the same total.
#[derive(Debug, Clone, Default)]
pub(crate) struct InUse(Arc<AtomicI64>);

impl InUse {
    fn add(&self, growth: i64) {
        self.0.fetch_add(growth, Ordering::Relaxed);
    }

    /// Returns the total.
    pub(crate) fn bytes(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
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
    /// The total over all stores, where somebody counts it.
    told: Option<InUse>,
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.tell(-signed(self.memory.used));
    }
}

impl Limiter {
    pub(crate) fn new(limits: Limits) -> Self {
        let memory = Quota::new(limits.memory);
        let table_elements = Quota::new(limits.table_elements);
        Self { limits, memory, table_elements, hit: None, told: None }
    }

    /// Counts its memory in this total until it is dropped. A second call changes nothing.
    pub(crate) fn tell_in(&mut self, total: InUse) {
        if self.told.is_none() {
            self.told = Some(total);
            self.tell(signed(self.memory.used));
        }
    }

    fn tell(&self, growth: i64) {
        if let Some(total) = &self.told {
            total.add(growth);
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
        self.tell(signed(self.memory.granted));
        self.allow(allowed, LimitHit::Memory(self.limits.memory))
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        tracing::debug!("a memory did not grow: {error:#}");
        self.tell(-signed(self.memory.granted));
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
        let total = InUse::default();
        let [mut first, mut second] = [limiter(100), limiter(100)];
        first.tell_in(total.clone());
        second.tell_in(total.clone());
        assert!(first.memory_growing(0, 60, None).unwrap());
        assert!(second.memory_growing(0, 50, None).unwrap());
        assert!(!second.memory_growing(50, 200, None).unwrap());
        assert_eq!(total.bytes(), 110);
        second.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        assert_eq!(total.bytes(), 110);
        assert!(second.memory_growing(50, 60, None).unwrap());
        second.memory_grow_failed(wasmtime::Error::msg("no")).unwrap();
        drop(first);
        assert_eq!(total.bytes(), 50);
        drop(second);
        assert_eq!(total.bytes(), 0);
    }

    #[test]
    fn what_was_used_before_anybody_was_told_counts_once() {
        let total = InUse::default();
        let mut limiter = limiter(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        limiter.tell_in(total.clone());
        limiter.tell_in(total.clone());
        assert_eq!(total.bytes(), 60);
        assert!(limiter.memory_growing(60, 70, None).unwrap());
        assert_eq!(total.bytes(), 70);
        drop(limiter);
        assert_eq!(total.bytes(), 0);
    }

    #[test]
    fn who_was_refused_is_worn() {
        let mut limiter = limiter(100);
        limiter.has_started();
        assert!(!limiter.memory_growing(0, 101, None).unwrap());
        assert_eq!(limiter.worn(), Some("it met a limit"));
    }
}
