//! The store and the clock that the host gives.

use crate::bindings::wasi::clocks::wall_clock;
use crate::bindings::wasi::keyvalue::atomics::{self, Cas, CasError};
use crate::bindings::wasi::keyvalue::store::{self, Bucket};
use crate::store::{Clock, KeyValue};
use crate::types::Error;

/// The bucket that everything is in: the one that hosts grant when they grant only one.
const BUCKET: &str = "default";

/// The host's bucket, for the time of one call.
pub struct HostStore {
    bucket: Bucket,
}

impl HostStore {
    /// Opens the bucket.
    ///
    /// # Errors
    /// The host does not have it, or does not give it.
    pub fn open() -> Result<Self, Error> {
        Ok(Self { bucket: store::open(BUCKET)? })
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Unavailable(match error {
            store::Error::NoSuchStore => format!("the host has no key-value bucket {BUCKET:?}"),
            store::Error::AccessDenied => {
                format!("the host denies access to the key-value bucket {BUCKET:?}")
            }
            store::Error::Other(words) => words,
        })
    }
}

impl KeyValue for HostStore {
    type Ticket = Cas;

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bucket.get(key)?)
    }

    fn read(&self, key: &str) -> Result<(Cas, Option<Vec<u8>>), Error> {
        let cas = Cas::new(&self.bucket, key)?;
        let value = cas.current()?;
        Ok((cas, value))
    }

    fn swap(&self, cas: Cas, value: &[u8]) -> Result<bool, Error> {
        match atomics::swap(cas, value) {
            Ok(()) => Ok(true),
            // The new handle that comes along is not used: a fresh one works the same on every host.
            Err(CasError::CasFailed(_)) => Ok(false),
            Err(CasError::StoreError(error)) => Err(error.into()),
        }
    }

    fn next_number(&self, key: &str) -> Result<u64, Error> {
        let number = atomics::increment(&self.bucket, key, 1)?;
        u64::try_from(number).map_err(|_| Error::Damaged(format!("{key}: it counts {number}")))
    }
}

/// The host's wall clock.
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> u64 {
        let time = wall_clock::now();
        time.seconds.saturating_mul(1_000).saturating_add(u64::from(time.nanoseconds / 1_000_000))
    }
}
