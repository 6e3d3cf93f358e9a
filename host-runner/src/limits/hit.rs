//! The limits that a guest can meet, in words: what was reached, which flag sets it, and what to do.

use std::fmt;
use std::time::Duration;

use wasmtime::component::ResourceTableError;

use super::Limits;

/// A limit that a guest met, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitHit {
    /// It ran or waited for longer than this.
    Time(Duration),
    /// It computed for longer than this.
    Cpu(Duration),
    /// Its memories together would have been larger than this many bytes.
    Memory(usize),
    /// Its tables together would have held more than this many elements.
    TableElements(usize),
    /// It has more core instances than this.
    CoreInstances(usize),
    /// It has more memories than this.
    Memories(usize),
    /// It has more tables than this.
    Tables(usize),
    /// It would have held more handles to resources than this.
    GuestHandles(usize),
    /// The host would have kept more resources for it than this.
    HostHandles(usize),
    /// The host would have held more bytes for it than this.
    HostMemory(usize),
    /// It would have had more files and directories open than this.
    OpenFiles(usize),
    /// It made more key-value operations than this.
    KeyvalueOps(u64),
    /// It read and wrote more bytes of keys and values than this.
    KeyvalueBytes(u64),
    /// The body of its answer would have had more bytes than this.
    ResponseBody(u64),
}

/// A limit is reached. Raised inside the guest, and turned into [`crate::CallError::Limit`] on the way out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Exceeded(pub(crate) LimitHit);

/// The time was up while the guest waited in this function of the host.
#[derive(Debug, thiserror::Error)]
#[error("{hit}")]
pub(crate) struct Outwaited {
    pub(crate) hit: LimitHit,
    pub(crate) function: &'static str,
}

impl LimitHit {
    /// The limit that an error of the engine's stands for. The engine counts handles and instances itself, and says so
    /// in words.
    pub(crate) fn of(error: &wasmtime::Error, limits: &Limits) -> Option<Self> {
        if let Some(Exceeded(hit)) = error.downcast_ref() {
            return Some(*hit);
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref() {
            return Some(Self::HostHandles(limits.host_handles));
        }
        let text = error.root_cause().to_string();
        if text.contains("fuel allocated for hostcalls has been exhausted") {
            return Some(Self::HostMemory(limits.host_memory));
        }
        if text.ends_with("store handle limit exceeded") {
            return Some(Self::GuestHandles(limits.guest_handles));
        }
        let what = text.strip_prefix("resource limit exceeded: ")?;
        match what.split(' ').next()? {
            "instance" => Some(Self::CoreInstances(limits.core_instances)),
            "memory" => Some(Self::Memories(limits.memories)),
            "table" => Some(Self::Tables(limits.tables)),
            _ => None,
        }
    }

    /// The flag that sets it.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Time(_) => "--max-time",
            Self::Cpu(_) => "--max-cpu",
            Self::Memory(_) => "--max-memory",
            Self::TableElements(_) => "--max-table-elements",
            Self::CoreInstances(_) => "--max-core-instances",
            Self::Memories(_) => "--max-memories",
            Self::Tables(_) => "--max-tables",
            Self::GuestHandles(_) => "--max-guest-handles",
            Self::HostHandles(_) => "--max-host-handles",
            Self::HostMemory(_) => "--max-host-memory",
            Self::OpenFiles(_) => "--max-open-files",
            Self::KeyvalueOps(_) => "--max-keyvalue-ops",
            Self::KeyvalueBytes(_) => "--max-keyvalue-bytes",
            Self::ResponseBody(_) => "--max-response",
        }
    }

    /// A word for logs and metrics: the flag's name without its dashes, such as `max-time`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.flag().trim_start_matches('-')
    }

    /// The same, among the kinds of what can happen.
    pub(crate) fn kind_name(self) -> &'static str {
        match self {
            Self::Time(_) => "limit-time",
            Self::Cpu(_) => "limit-cpu",
            Self::Memory(_) => "limit-memory",
            Self::TableElements(_) => "limit-table-elements",
            Self::CoreInstances(_) => "limit-core-instances",
            Self::Memories(_) => "limit-memories",
            Self::Tables(_) => "limit-tables",
            Self::GuestHandles(_) => "limit-guest-handles",
            Self::HostHandles(_) => "limit-host-handles",
            Self::HostMemory(_) => "limit-host-memory",
            Self::OpenFiles(_) => "limit-open-files",
            Self::KeyvalueOps(_) => "limit-keyvalue-ops",
            Self::KeyvalueBytes(_) => "limit-keyvalue-bytes",
            Self::ResponseBody(_) => "limit-response",
        }
    }

    /// What happened, in a sentence.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Time(_) => "It exceeded the wall-clock limit.",
            Self::Cpu(_) => "It computed for too long.",
            Self::Memory(_) => "It asked for more memory than all parts together may have.",
            Self::TableElements(_) => "It asked for larger tables than all parts together may have.",
            Self::CoreInstances(_) => "It is made of more core instances than it may be.",
            Self::Memories(_) => "It has more memories than it may have.",
            Self::Tables(_) => "It has more tables than it may have.",
            Self::GuestHandles(_) => "It collected more handles to resources than it may hold.",
            Self::HostHandles(_) => "It made the host keep more resources for it than the host keeps.",
            Self::HostMemory(_) => "It made the host hold more memory for it than the host does.",
            Self::OpenFiles(_) => "It opened more files and directories than it may have open at once.",
            Self::KeyvalueOps(_) => "It made more key-value operations than it may make.",
            Self::KeyvalueBytes(_) => "It read and wrote more of the key-value store than it may.",
            Self::ResponseBody(_) => "Its answer was longer than an answer may be.",
        }
    }

    /// What to do next, in sentences.
    pub(crate) fn next(self) -> &'static str {
        match self {
            Self::Time(_) => {
                "If it was computing, look at the innermost frames for a loop without an end. If it was waiting in the host, look at what it waits for: a store, another server, a timer. If it needs this long, set --max-time."
            }
            Self::Cpu(_) => {
                "Look at the innermost frames for a loop without an end, or for work that grows faster than its input. If it needs this much, set --max-cpu."
            }
            Self::Memory(_) => {
                "The part that asked last is named; it need not be the one that holds the most. Look for a collection that only grows, or for a length that is taken from an input unchecked. If it needs this much, set --max-memory."
            }
            Self::TableElements(_) => {
                "Tables hold functions and references: few programs make them grow. If it needs this many, set --max-table-elements."
            }
            Self::CoreInstances(_) => {
                "Every part has a few core instances: a composition of very many parts needs more. Set --max-core-instances."
            }
            Self::Memories(_) => {
                "Every part has a memory or two. For a composition of many parts set --max-memories."
            }
            Self::Tables(_) => {
                "Every part has a table or two. For a composition of many parts set --max-tables."
            }
            Self::GuestHandles(_) => {
                "Look for handles that are never dropped. If it needs this many at once, set --max-guest-handles."
            }
            Self::HostHandles(_) => {
                "Look for streams, requests, buckets and the like that are opened and never dropped. If it needs this many at once, set --max-host-handles."
            }
            Self::HostMemory(_) => {
                "Look for header fields, requests or bodies that are made and never dropped, and for a large list that is handed over in one call. If it needs this much at once, set --max-host-memory."
            }
            Self::OpenFiles(_) => {
                "Look for files and directories that are opened and never closed. A stream keeps its file open. If it needs this many at once, set --max-open-files."
            }
            Self::KeyvalueOps(_) => {
                "Look for a loop over the store. Operations on many keys count once for each key. If it needs this many, set --max-keyvalue-ops."
            }
            Self::KeyvalueBytes(_) => {
                "Look for values that are read or written again and again. If it needs this much, set --max-keyvalue-bytes."
            }
            Self::ResponseBody(_) => {
                "Look for a body without an end, or divide it into pages. If it needs this much, set --max-response."
            }
        }
    }
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limit of ")?;
        match self {
            Self::Time(limit) => write!(f, "{} on its time", Seconds(*limit)),
            Self::Cpu(limit) => write!(f, "{} on its computing time", Seconds(*limit)),
            Self::Memory(limit) => write!(f, "{} on its memory", Bytes(*limit as u64)),
            Self::TableElements(limit) => write!(f, "{limit} elements on its tables"),
            Self::CoreInstances(limit) => write!(f, "{limit} on its core instances"),
            Self::Memories(limit) => write!(f, "{limit} on its memories"),
            Self::Tables(limit) => write!(f, "{limit} on its tables"),
            Self::GuestHandles(limit) => write!(f, "{limit} on the handles that it holds"),
            Self::HostHandles(limit) => write!(f, "{limit} on the resources that the host keeps for it"),
            Self::HostMemory(limit) => write!(f, "{} on what the host holds for it", Bytes(*limit as u64)),
            Self::OpenFiles(limit) => write!(f, "{limit} on the files that it has open"),
            Self::KeyvalueOps(limit) => write!(f, "{limit} on its key-value operations"),
            Self::KeyvalueBytes(limit) => write!(f, "{} on its key-value traffic", Bytes(*limit)),
            Self::ResponseBody(limit) => write!(f, "{} on its answer", Bytes(*limit)),
        }?;
        write!(f, " was reached ({})", self.flag())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1 << 20 && n % (1 << 20) == 0 => write!(f, "{} MiB", n >> 20),
            n if n >= 1 << 10 && n % (1 << 10) == 0 => write!(f, "{} KiB", n >> 10),
            n => write!(f, "{n} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_with_their_flag() {
        assert_eq!(
            LimitHit::Memory(256 << 20).to_string(),
            "the limit of 256 MiB on its memory was reached (--max-memory)"
        );
        assert_eq!(
            LimitHit::Time(Duration::from_millis(1500)).to_string(),
            "the limit of 1500 ms on its time was reached (--max-time)"
        );
        assert_eq!(
            LimitHit::KeyvalueOps(10).to_string(),
            "the limit of 10 on its key-value operations was reached (--max-keyvalue-ops)"
        );
    }
}
