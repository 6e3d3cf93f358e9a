//! `wasi:keyvalue` in a component's own memory, with the catalogue in it from the start.
//!
//! For hosts that do not have this version of the interface: composed in, it lets them serve the shop. What is written is
//! gone with the instance, so it is for measuring, and not for a shop.
// Its exports have names that a native linker does not take.
#![cfg(target_arch = "wasm32")]

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({ path: "../wit", world: "bench:peer/memory-store", generate_all });
}

use std::cell::RefCell;
use std::collections::BTreeMap;

use bindings::exports::wasi::keyvalue::atomics::{self, CasError};
use bindings::exports::wasi::keyvalue::store::{self, Bucket, BucketBorrow, Error, KeyResponse};

/// Keys and values of a new store, sorted by key.
static CATALOGUE: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The only bucket.
const BUCKET: &str = "default";

thread_local! {
    /// What was written or deleted since.
    static WRITTEN: RefCell<BTreeMap<String, Option<Vec<u8>>>> = const { RefCell::new(BTreeMap::new()) };
}

fn get(key: &str) -> Option<Vec<u8>> {
    WRITTEN.with_borrow(|written| match written.get(key) {
        Some(value) => value.clone(),
        None => {
            let found = CATALOGUE.binary_search_by_key(&key, |(key, _)| key);
            found.ok().map(|at| CATALOGUE[at].1.to_vec())
        }
    })
}

fn set(key: String, value: Option<Vec<u8>>) {
    WRITTEN.with_borrow_mut(|written| written.insert(key, value));
}

struct Memory;

bindings::export!(Memory with_types_in bindings);

impl store::Guest for Memory {
    type Bucket = Memory;

    fn open(identifier: String) -> Result<Bucket, Error> {
        if identifier == BUCKET { Ok(Bucket::new(Memory)) } else { Err(Error::NoSuchStore) }
    }
}

impl store::GuestBucket for Memory {
    fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        Ok(get(&key))
    }

    fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        set(key, Some(value));
        Ok(())
    }

    fn delete(&self, key: String) -> Result<(), Error> {
        set(key, None);
        Ok(())
    }

    fn exists(&self, key: String) -> Result<bool, Error> {
        Ok(get(&key).is_some())
    }

    fn list_keys(&self, _cursor: Option<String>) -> Result<KeyResponse, Error> {
        let written = WRITTEN.with_borrow(|written| written.keys().cloned().collect::<Vec<_>>());
        let mut keys: Vec<_> = CATALOGUE.iter().map(|(key, _)| (*key).to_owned()).chain(written).collect();
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| get(key).is_some());
        Ok(KeyResponse { keys, cursor: None })
    }
}

/// A key, and its value when it was looked at.
struct Cas {
    key: String,
    value: Option<Vec<u8>>,
}

impl atomics::GuestCas for Cas {
    fn new(_bucket: BucketBorrow<'_>, key: String) -> Result<atomics::Cas, Error> {
        Ok(atomics::Cas::new(Self { value: get(&key), key }))
    }

    fn current(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.value.clone())
    }
}

impl atomics::Guest for Memory {
    type Cas = Cas;

    fn increment(_bucket: BucketBorrow<'_>, key: String, delta: i64) -> Result<i64, Error> {
        let number = match get(&key) {
            None => 0,
            Some(value) => std::str::from_utf8(&value)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .ok_or_else(|| Error::Other(format!("{key} holds no number")))?,
        };
        let number = number.checked_add(delta).ok_or_else(|| Error::Other(format!("{key} overflows")))?;
        set(key, Some(number.to_string().into_bytes()));
        Ok(number)
    }

    fn swap(cas: atomics::Cas, value: Vec<u8>) -> Result<(), CasError> {
        let Cas { key, value: before } = cas.into_inner();
        let current = get(&key);
        if current != before {
            return Err(CasError::CasFailed(atomics::Cas::new(Cas { key, value: current })));
        }
        set(key, Some(value));
        Ok(())
    }
}
