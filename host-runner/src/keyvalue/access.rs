//! A store of which only some is granted: by bucket, by the beginning of the key, for reading or for writing.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};

use super::{Backend, DEFAULT_BUCKET, Keys, MAX_BUCKET, PAGE, StoreError, Write, Written};

/// What may be done with the keys that an [`Access`] covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Getting values, asking whether there is one, listing keys.
    Read,
    /// Setting and deleting. A counter that is added to tells its sum, and a swap compares: both need reading too.
    Write,
    /// Everything.
    #[default]
    ReadWrite,
}

impl Mode {
    fn reads(self) -> bool {
        self != Self::Write
    }

    fn writes(self) -> bool {
        self != Self::Read
    }
}

/// A grant of some keys of some bucket. Several of them add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The bucket; `None` is every bucket.
    pub bucket: Option<String>,
    /// What the keys begin with; empty is every key.
    pub prefix: String,
    /// What may be done with them.
    pub mode: Mode,
}

impl Access {
    /// A grant of the keys of one bucket; `*` is every bucket, and the empty name the one called `default`.
    ///
    /// # Errors
    ///
    /// Where the name is longer than any bucket's.
    pub fn new(bucket: &str, prefix: impl Into<String>, mode: Mode) -> Result<Self, AccessError> {
        let bucket = match bucket {
            "*" => None,
            "" => Some(DEFAULT_BUCKET.to_owned()),
            name if name.len() > MAX_BUCKET => return Err(AccessError::LongName(name.len())),
            name => Some(name.to_owned()),
        };
        Ok(Self { bucket, prefix: prefix.into(), mode })
    }

    fn is_of(&self, bucket: &str) -> bool {
        self.bucket.as_deref().is_none_or(|own| own == bucket)
    }

    fn covers(&self, bucket: &str, key: &str) -> bool {
        self.is_of(bucket) && key.starts_with(&self.prefix)
    }
}

impl FromStr for Access {
    type Err = AccessError;

    /// `BUCKET`, `BUCKET/PREFIX`, either with `:ro` or `:wo` at the end.
    fn from_str(text: &str) -> Result<Self, AccessError> {
        let (place, mode) = match (text.strip_suffix(":ro"), text.strip_suffix(":wo")) {
            (Some(place), _) => (place, Mode::Read),
            (None, Some(place)) => (place, Mode::Write),
            (None, None) => (text, Mode::ReadWrite),
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(AccessError::NoBucket);
        }
        Self::new(bucket, prefix, mode)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.mode {
            Mode::Read => "reading ",
            Mode::Write => "writing ",
            Mode::ReadWrite => "reading and writing ",
        })?;
        if self.prefix.is_empty() {
            f.write_str("every key")?;
        } else {
            write!(f, "keys that begin with {:?}", self.prefix)?;
        }
        match &self.bucket {
            Some(bucket) => write!(f, " of the bucket {bucket:?}"),
            None => f.write_str(" of every bucket"),
        }
    }
}

/// The text does not say which part of a store is granted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// There is no bucket in it.
    #[error(
        "write BUCKET or BUCKET/PREFIX, with :ro at the end to let the guest only read and :wo only write: for example orders/2026-:ro; the bucket * is every bucket"
    )]
    NoBucket,
    /// No bucket has a name that long.
    #[error("the name of the bucket has {0} bytes; names of buckets have up to {MAX_BUCKET}")]
    LongName(usize),
}

/// A store behind grants: what none of them covers is [`StoreError::Denied`], and keys that may not be read are not
/// listed.
pub struct Narrowed {
    inner: Arc<dyn Backend>,
    granted: Vec<Access>,
}

impl Narrowed {
    /// Grants this much of the store, and nothing else of it.
    pub fn new(inner: Arc<dyn Backend>, granted: Vec<Access>) -> Self {
        Self { inner, granted }
    }

    fn may(&self, bucket: &str, key: &str, allows: impl Fn(Mode) -> bool) -> bool {
        self.granted.iter().any(|access| allows(access.mode) && access.covers(bucket, key))
    }

    fn check_write(&self, bucket: &str, write: &Write) -> Result<(), StoreError> {
        let writes = |key: &str| self.may(bucket, key, Mode::writes);
        let allowed = match write {
            Write::Set(pairs) => pairs.iter().all(|(key, _)| writes(key)),
            Write::Delete(keys) => keys.iter().all(|key| writes(key)),
            Write::Add { key, .. } | Write::Swap { key, .. } => {
                writes(key) && self.may(bucket, key, Mode::reads)
            }
        };
        // A list of no keys asks for nothing that would be covered, but is still a write to the bucket.
        let any = self.granted.iter().any(|access| access.mode.writes() && access.is_of(bucket));
        if allowed && any { Ok(()) } else { Err(StoreError::Denied) }
    }

    /// What the keys that may be read begin with, in ascending order. Where one begins with another, the shorter one
    /// is enough.
    fn readable(&self, bucket: &str) -> Vec<&str> {
        let all: BTreeSet<&str> = self
            .granted
            .iter()
            .filter(|access| access.mode.reads() && access.is_of(bucket))
            .map(|access| access.prefix.as_str())
            .collect();
        let mut apart: Vec<&str> = Vec::new();
        for prefix in all {
            if !apart.last().is_some_and(|shorter| prefix.starts_with(shorter)) {
                apart.push(prefix);
            }
        }
        apart
    }

    /// Adds keys of one prefix that come after `after`, until there is one more than a page.
    async fn gather(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
        found: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let mut after = match after {
            Some(after) if after.cmp(prefix) != Ordering::Less => after.to_owned(),
            // The prefix is itself the first key that begins with it; what comes after it is asked for below.
            _ => {
                if self.inner.exists(bucket, prefix.to_owned()).await? {
                    found.push(prefix.to_owned());
                }
                prefix.to_owned()
            }
        };
        while found.len() <= PAGE {
            let page = self.inner.list_keys(bucket, Some(after)).await?;
            let listed = page.keys.len();
            let inside = page.keys.into_iter().take_while(|key| key.starts_with(prefix));
            let before = found.len();
            found.extend(inside);
            let ended = !page.more || found.len() - before < listed;
            match found.last() {
                Some(last) if !ended => after = last.clone(),
                _ => break,
            }
        }
        Ok(())
    }
}

impl Backend for Narrowed {
    fn may_open(&self, bucket: &str) -> bool {
        self.granted.iter().any(|access| access.is_of(bucket)) && self.inner.may_open(bucket)
    }

    fn get_many<'a>(
        &'a self,
        bucket: &'a str,
        keys: Vec<String>,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        if keys.iter().all(|key| self.may(bucket, key, Mode::reads)) {
            self.inner.get_many(bucket, keys)
        } else {
            Box::pin(ready(Err(StoreError::Denied)))
        }
    }

    fn list_keys<'a>(
        &'a self,
        bucket: &'a str,
        after: Option<String>,
    ) -> BoxFuture<'a, Result<Keys, StoreError>> {
        let readable = self.readable(bucket);
        match readable.as_slice() {
            [] => Box::pin(ready(Err(StoreError::Denied))),
            [""] => self.inner.list_keys(bucket, after),
            _ => Box::pin(async move {
                let mut keys = Vec::new();
                for prefix in readable {
                    self.gather(bucket, prefix, after.as_deref(), &mut keys).await?;
                    if keys.len() > PAGE {
                        break;
                    }
                }
                let more = keys.len() > PAGE;
                keys.truncate(PAGE);
                Ok(Keys { keys, more })
            }),
        }
    }

    fn write<'a>(&'a self, bucket: &'a str, write: Write) -> BoxFuture<'a, Result<Written, StoreError>> {
        match self.check_write(bucket, &write) {
            Ok(()) => self.inner.write(bucket, write),
            Err(denied) => Box::pin(ready(Err(denied))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_of_keys_are_read_from_text() {
        let access = |bucket: Option<&str>, prefix: &str, mode| Access {
            bucket: bucket.map(str::to_owned),
            prefix: prefix.to_owned(),
            mode,
        };
        for (text, expected) in [
            ("orders", access(Some("orders"), "", Mode::ReadWrite)),
            ("orders:ro", access(Some("orders"), "", Mode::Read)),
            ("orders/2026/:wo", access(Some("orders"), "2026/", Mode::Write)),
            ("*:ro", access(None, "", Mode::Read)),
            ("*/a:b", access(None, "a:b", Mode::ReadWrite)),
        ] {
            assert_eq!(text.parse::<Access>().unwrap(), expected, "{text}");
        }
        assert!("".parse::<Access>().is_err());
        assert!(":ro".parse::<Access>().is_err());
        assert!("/a".parse::<Access>().is_err());
        assert!("x".repeat(MAX_BUCKET + 1).parse::<Access>().is_err());
    }
}
