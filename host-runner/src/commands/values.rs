//! The values that flags and host.toml have: stores, streams, sizes, times.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Clone)]
pub(crate) enum KeyValue {
    Memory,
    Redb(PathBuf),
}

impl FromStr for KeyValue {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("redb:")) {
            ("memory", _) => Ok(Self::Memory),
            (_, Some(file)) if !file.is_empty() => Ok(Self::Redb(file.into())),
            _ => Err("write redb:FILE or memory".to_owned()),
        }
    }
}

#[derive(Debug, Clone, Copy, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Streams {
    Inherit,
    None,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoSockets {
    None,
}

#[derive(Debug, Clone)]
pub(crate) enum OrNone<T> {
    Some(T),
    None,
}

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self::None) } else { text.parse().map(Self::Some) }
    }
}

/// In which form something is told.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Form {
    Text,
    Json,
}

pub(crate) fn to_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// Reads a size: bytes, or with a unit.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a size; write for example 65536, 64KiB, 256MiB or 1GiB");
    let (digits, shift) = ["KiB", "MiB", "GiB"]
        .iter()
        .zip([10, 20, 30])
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
        .unwrap_or((text, 0));
    let number: u64 = digits.trim_end().parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

/// Reads a time with its unit; `none` is as long as a time can be.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    if text == "none" {
        return Ok(Duration::MAX);
    }
    let wrong = || format!("{text:?} is not a time; write for example 500ms, 30s, 2m or none");
    let (digits, milliseconds) = [("ms", 1), ("s", 1_000), ("m", 60_000)]
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .ok_or_else(wrong)?;
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("64KiB"), Ok(65_536));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("none"), Ok(Duration::MAX));
        for text in ["", "MiB", "-1", "1TB", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text:?}");
        }
        for text in ["", "30", "s", "-1s", "1h"] {
            assert!(time(text).is_err(), "{text:?}");
        }
    }
}
