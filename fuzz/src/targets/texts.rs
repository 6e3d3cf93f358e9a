//! Texts that others wrote: compositions, locks, manifests, link maps.

use std::sync::LazyLock;

use anatomy::link_map::{self, LinkMap};
use compose::{self, Packages};
use composer::{lock as locks, manifest as manifests};

use super::{said, shown};
use crate::mutate::leb;

/// What the compositions are made of.
const PARTS: [(&str, &str); 3] = [
    ("parts:source", include_str!("source.wat")),
    ("parts:relay", include_str!("relay.wat")),
    ("parts:shop", include_str!("shop.wat")),
];

static PACKAGES: LazyLock<Packages> = LazyLock::new(|| {
    let assembled = |text: &str| wat::parse_str(text).expect("the parts' own text parses");
    PARTS.iter().map(|(name, text)| ((*name).to_owned(), assembled(text))).collect()
});

/// What the link maps are said to be of.
static WHOLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| wat::parse_str(include_str!("whole.wat")).expect("the composition's own text parses"));

pub(crate) fn wac(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = compose::references("text.wac", text);
    let _ = compose::target("text.wac", text);
    match compose::compose("text.wac", text, &PACKAGES) {
        Ok(composed) => {
            let component = anatomy::read(&composed).expect("what was composed can be read");
            let map = link_map::read(&composed, &component).expect("and so can its link map");
            assert!(map.is_some(), "there is no link map");
        }
        Err(error) => {
            said(&error);
            shown(&error);
        }
    }
}

pub(crate) fn lock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match locks::parse("interlock.lock", text) {
        Ok(lock) => {
            let written = locks::format(&lock);
            let again = locks::parse("interlock.lock", &written).expect("what was written can be read");
            assert_eq!(again, lock, "read again it is something else");
            assert_eq!(locks::format(&again), written, "written again it is something else");
            for entries in lock.compositions.values() {
                assert_eq!(locks::differences(entries, entries), []);
            }
        }
        Err(error) => shown(&error),
    }
}

pub(crate) fn manifest(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match manifests::parse("interlock.toml", text) {
        Ok(manifest) => {
            let named = manifest.components.keys().chain(manifest.compositions.keys());
            assert!(named.into_iter().all(|name| manifests::is_name(name)));
        }
        Err(error) => shown(&error),
    }
}

pub(crate) fn link_map(data: &[u8]) {
    let read = |map: &[u8]| {
        let bytes = with_section(&WHOLE, link_map::SECTION, map);
        let component = anatomy::read(&bytes).expect("a custom section breaks nothing");
        link_map::read(&bytes, &component)
    };
    match read(data) {
        Ok(map) => {
            let map = map.expect("there is one");
            let again = read(&map.to_bytes()).expect("what was written can be read");
            assert_eq!(again, Some(map), "read again it is something else");
        }
        Err(error) => {
            said(&error);
        }
    }
    // Whatever it says, it can be held against the binary.
    if let Ok(map) = serde_json::from_slice::<LinkMap>(data) {
        let component = anatomy::read(&WHOLE).expect("it is the harness's own");
        assert!(map.lies(&component).len() <= 100);
        assert_eq!(serde_json::from_slice::<LinkMap>(&map.to_bytes()).ok(), Some(map));
    }
}

fn with_section(component: &[u8], name: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = component.to_vec();
    bytes.push(0);
    let body = leb(name.len()).len() + name.len() + data.len();
    bytes.extend(leb(body));
    bytes.extend(leb(name.len()));
    bytes.extend(name.as_bytes());
    bytes.extend(data);
    bytes
}
