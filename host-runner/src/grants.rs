//! What a guest may reach. The default is nothing, and nothing is inherited.
//!
//! A grant of an interface and what can be reached through it are two things: many components import
//! `wasi:cli/environment` because their language's standard library does, and need not be told a single
//! variable. So every grant can be given empty. An interface that was not granted does not exist for the
//! guest: a component that imports it is refused before it starts (see [`crate::Refusal`]).

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::keyvalue::Backend;

/// The grants for all instances of an app.
#[derive(Clone, Default)]
pub struct Grants {
    /// `wasi:keyvalue`, on this store: all of it, or what a [`Narrowed`](crate::keyvalue::Narrowed) lets through.
    pub keyvalue: Option<Arc<dyn Backend>>,
    /// `wasi:cli/environment`, with these variables; empty grants the interface and no variable.
    pub environment: Option<Vec<(String, String)>>,
    /// `wasi:filesystem`, with these directories; empty grants the interface and no directory.
    pub directories: Option<Vec<Directory>>,
    /// The standard streams and terminals of `wasi:cli`.
    pub stdio: Option<Stdio>,
    /// `wasi:http/outgoing-handler`, to these authorities; empty grants the interface and denies every request.
    pub outbound: Option<Vec<Authority>>,
    /// `wasi:sockets`, with every address denied: for components whose language brings the import along.
    pub sockets: bool,
}

impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("keyvalue", &self.keyvalue.is_some())
            .field("environment", &self.environment.as_ref().map(Vec::len))
            .field("directories", &self.directories)
            .field("stdio", &self.stdio)
            .field("outbound", &self.outbound)
            .field("sockets", &self.sockets)
            .finish()
    }
}

/// What the guest's standard streams are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdio {
    /// The host's own; of a server, its log: lines with the id of the request, and an empty input.
    Inherit,
    /// An empty input, and outputs that go nowhere.
    Empty,
}

/// A directory of the host, and where the guest finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The directory on the host.
    pub host: PathBuf,
    /// Its name for the guest.
    pub guest: String,
    /// Whether the guest may only read.
    pub read_only: bool,
}

impl FromStr for Directory {
    type Err = DirectoryError;

    /// `HOST::GUEST`, `HOST::GUEST:ro`.
    fn from_str(text: &str) -> Result<Self, DirectoryError> {
        let (host, guest) = text.split_once("::").ok_or(DirectoryError)?;
        let (guest, read_only) = match guest.strip_suffix(":ro") {
            Some(guest) => (guest, true),
            None => (guest, false),
        };
        if host.is_empty() || guest.is_empty() {
            return Err(DirectoryError);
        }
        Ok(Self { host: host.into(), guest: guest.to_owned(), read_only })
    }
}

/// The text does not say which directory is granted as what.
#[derive(Debug, thiserror::Error)]
#[error("write HOST::GUEST, or HOST::GUEST:ro to let the guest only read: for example ./pages::/pages:ro")]
pub struct DirectoryError;

/// A host and a port that requests may go to.
///
/// Names are compared without regard to case, addresses by their value. Without a port it stands for the
/// port of the scheme: 80 for `http`, 443 for `https`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Whether a request to this authority under this scheme is one to `self`.
    pub(crate) fn allows(&self, authority: &http::uri::Authority, https: bool) -> bool {
        // A name before the host would not be sent anyway, and is only there to mislead who reads logs.
        if authority.as_str().contains('@') {
            return false;
        }
        let default = if https { 443 } else { 80 };
        let Some(port) = port_of(authority) else { return false };
        normal_host(authority.host()) == self.host && port.unwrap_or(default) == self.port.unwrap_or(default)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only an address of version 6 has colons.
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(text: &str) -> Result<Self, AuthorityError> {
        let wrong = || AuthorityError { text: text.to_owned(), hint: hint(text) };
        let authority: http::uri::Authority = text.parse().map_err(|_| wrong())?;
        if text.contains('@') || !is_host(authority.host()) {
            return Err(wrong());
        }
        let port = port_of(&authority).ok_or_else(wrong)?;
        Ok(Self { host: normal_host(authority.host()), port })
    }
}

/// The text is not a host with an optional port.
#[derive(Debug, thiserror::Error)]
#[error(
    "{text:?} is not a host with an optional port: {hint}write for example api.example.com, localhost:8080 or [::1]:8080"
)]
pub struct AuthorityError {
    text: String,
    hint: &'static str,
}

/// What somebody may have meant.
fn hint(text: &str) -> &'static str {
    if text.contains('*') {
        "there is no pattern for several hosts, each is named; "
    } else if text.contains([',', ' ']) {
        "each host is named on its own, in a flag or an item of the list; "
    } else {
        ""
    }
}

/// Whether this is an address, or the name of a host.
fn is_host(host: &str) -> bool {
    let is_name = |name: &str| {
        name.split('.').all(|label| {
            let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !label.is_empty() && label.bytes().all(of_name)
        })
    };
    match host.strip_prefix('[') {
        Some(address) => address.trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_name(host.strip_suffix('.').unwrap_or(host)),
    }
}

/// The port; `None` inside when there is none, `None` outside when it is no port.
fn port_of(authority: &http::uri::Authority) -> Option<Option<u16>> {
    match (authority.port_u16(), authority.as_str().rsplit_once(':')) {
        (Some(port), _) => Some(Some(port)),
        // The colons inside the brackets of an address belong to it.
        (None, Some((_, after))) if after.ends_with(']') => Some(None),
        (None, Some(_)) => None,
        (None, None) => Some(None),
    }
}

fn normal_host(host: &str) -> String {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => bare.trim_end_matches('.').to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(granted: &str, asked: &str, https: bool) -> bool {
        let granted: Authority = granted.parse().unwrap();
        granted.allows(&asked.parse().unwrap(), https)
    }

    #[test]
    fn authorities_match_exactly_after_normalisation() {
        assert!(allows("API.example.com", "api.Example.com", true));
        assert!(allows("api.example.com", "api.example.com:443", true));
        assert!(!allows("api.example.com", "api.example.com:443", false));
        assert!(!allows("api.example.com", "api.example.com:8443", true));
        assert!(allows("api.example.com:8443", "api.example.com:8443", false));
        assert!(!allows("api.example.com", "evil.api.example.com", true));
        assert!(!allows("api.example.com", "api.example.com.evil.org", true));
        assert!(!allows("api.example.com", "api.example.com@evil.org", true));
        assert!(!allows("evil.org", "api.example.com@evil.org", true));
        assert!(allows("[::1]:80", "[0:0:0:0:0:0:0:1]", false));
        assert!(allows("api.example.com.", "api.example.com", true));
    }

    #[test]
    fn authorities_are_written_as_they_are_read() {
        for text in ["api.example.com", "localhost:8080", "[::1]:8080", "127.0.0.1"] {
            let authority: Authority = text.parse().unwrap();
            assert_eq!(authority.to_string(), text);
            assert_eq!(authority.to_string().parse::<Authority>().unwrap(), authority);
        }
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for text in [
            "",
            "http://x",
            "a b",
            "x@y",
            "x:99999",
            "x:port",
            "x/y",
            "*",
            "*.example.com",
            "a,b",
            "a..b",
            ".",
            "[x]",
            "a!b",
        ] {
            assert!(text.parse::<Authority>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn directories_say_what_and_where() {
        let directory: Directory = "./a::/b:ro".parse().unwrap();
        assert_eq!(directory, Directory { host: "./a".into(), guest: "/b".into(), read_only: true });
        assert!(!"a::b".parse::<Directory>().unwrap().read_only);
        for text in ["a", "::b", "a::", "a::ro:ro:", ""] {
            assert_eq!(text.parse::<Directory>().is_err(), text != "a::ro:ro:", "{text:?}");
        }
    }
}
