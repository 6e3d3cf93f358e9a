//! Proxies in front of this host, and what they say of the scheme of a request.

use std::net::IpAddr;
use std::str::FromStr;

use http::uri::Scheme;
use http::{HeaderMap, Uri, header};

/// Peers that are trusted to say by which scheme a request reached them: one address, a network, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy(Option<Network>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    /// How many bits of the address count.
    bits: u8,
}

/// A text that names no proxy.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a proxy: expected an IP address such as 10.0.0.2, a network such as 10.0.0.0/8 or fd00::/8, or `any`"
)]
pub struct ProxyError(String);

impl FromStr for Proxy {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        if text == "any" {
            return Ok(Self(None));
        }
        let (address, bits) = text.split_once('/').map_or((text, None), |(it, bits)| (it, Some(bits)));
        let wrong = || ProxyError(text.to_owned());
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most {
            return Err(wrong());
        }
        // On a socket of both families, a peer of IPv4 has an address of IPv6.
        Ok(Self(Some(match (address, address.to_canonical()) {
            (IpAddr::V6(_), address @ IpAddr::V4(_)) => Network { address, bits: bits.saturating_sub(96) },
            (address, _) => Network { address, bits },
        })))
    }
}

impl Proxy {
    /// Returns whether this peer is one of those that are meant.
    #[must_use]
    pub fn includes(&self, peer: IpAddr) -> bool {
        let Some(Network { address, bits }) = &self.0 else { return true };
        match (address, peer.to_canonical()) {
            (IpAddr::V4(address), IpAddr::V4(peer)) => {
                let begins = |address: u32| address.checked_shr(32 - u32::from(*bits)).unwrap_or(0);
                begins(address.to_bits()) == begins(peer.to_bits())
            }
            (IpAddr::V6(address), IpAddr::V6(peer)) => {
                let begins = |address: u128| address.checked_shr(128 - u32::from(*bits)).unwrap_or(0);
                begins(address.to_bits()) == begins(peer.to_bits())
            }
            _ => false,
        }
    }
}

/// The scheme of a request from a trusted peer. What its headers say counts, and without them what its target says. Where
/// the headers differ, the one that the peer does not set may come from its client, so then it is `http`.
pub(super) fn scheme(headers: &HeaderMap, target: &Uri) -> Scheme {
    let said = [forwarded(headers), forwarded_proto(headers)];
    let says = |scheme: &str| said.iter().flatten().any(|said| said.eq_ignore_ascii_case(scheme));
    match (says("http"), says("https")) {
        (true, _) => Scheme::HTTP,
        (false, true) => Scheme::HTTPS,
        (false, false) if target.scheme() == Some(&Scheme::HTTPS) => Scheme::HTTPS,
        (false, false) => Scheme::HTTP,
    }
}

/// What is made of a header that cannot be read: a client may have begun it so that the part of the peer is not seen.
const UNREADABLE: Option<&str> = Some("http");

/// The `proto` of the last element of `Forwarded` (RFC 7239). Those before it are of others than the peer.
fn forwarded(headers: &HeaderMap) -> Option<&str> {
    let Some(text) = last(headers, header::FORWARDED.as_str())? else { return UNREADABLE };
    let Some(elements) = split(text, ',') else { return UNREADABLE };
    let Some(pairs) = split(elements.last()?, ';') else { return UNREADABLE };
    pairs.into_iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("proto").then(|| value.trim().trim_matches('"'))
    })
}

/// The last of `X-Forwarded-Proto`.
fn forwarded_proto(headers: &HeaderMap) -> Option<&str> {
    let Some(text) = last(headers, "x-forwarded-proto")? else { return UNREADABLE };
    text.rsplit(',').next().map(str::trim)
}

/// The last header of a name, if there is one; and its text, if it is text.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    Some(headers.get_all(name).iter().next_back()?.to_str().ok())
}

/// Splits a text, but not within quotes. `None` where a quote does not end.
fn split(text: &str, at: char) -> Option<Vec<&str>> {
    let mut quoted = false;
    let mut escaped = false;
    let mut parts = Vec::new();
    let mut begin = 0;
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == at && !quoted => {
                parts.push(&text[begin..index]);
                begin = index + at.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn proxies_are_addresses_networks_or_all() {
        let includes = |proxy: &str, peer: &str| -> bool {
            proxy.parse::<Proxy>().unwrap().includes(peer.parse().unwrap())
        };
        for (proxy, peer, included) in [
            ("10.0.0.2", "10.0.0.2", true),
            ("10.0.0.2", "10.0.0.3", false),
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "11.0.0.1", true),
            ("0.0.0.0/0", "::1", false),
            ("10.0.0.2", "::ffff:10.0.0.2", true),
            ("::ffff:10.0.0.0/104", "10.9.8.7", true),
            ("::1", "::1", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("::/0", "fe80::1", true),
            ("any", "fe80::1", true),
        ] {
            assert_eq!(includes(proxy, peer), included, "{proxy} {peer}");
        }
        for wrong in ["", "proxy.example", "10.0.0.0/33", "::/129", "10.0.0.0/x", "10.0.0.0/"] {
            let error = wrong.parse::<Proxy>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{wrong}`")) && error.contains("10.0.0.0/8"), "{error}");
        }
    }

    #[test]
    fn the_scheme_is_what_the_peer_says() {
        for (headers, target, expected) in [
            (&[][..], "http://here/", "http"),
            (&[], "/", "http"),
            (&[], "https://here/", "https"),
            (&[("x-forwarded-proto", "https")], "/", "https"),
            (&[("x-forwarded-proto", "HTTPS")], "/", "https"),
            (&[("x-forwarded-proto", "http")], "https://here/", "http"),
            // The last hop is the one that is trusted.
            (&[("x-forwarded-proto", "https, http")], "/", "http"),
            (&[("x-forwarded-proto", "http"), ("x-forwarded-proto", "https")], "/", "https"),
            (&[("forwarded", "for=192.0.2.1;proto=https;by=x")], "/", "https"),
            (&[("forwarded", "proto=https, for=\"[::1]:80,;\";Proto=\"http\"")], "/", "http"),
            (&[("forwarded", "for=\"a;proto=http,b\";proto=https")], "/", "https"),
            (&[("forwarded", "proto=https, for=192.0.2.1")], "/", "http"),
            // One of them may be the client's.
            (&[("forwarded", "proto=https"), ("x-forwarded-proto", "http")], "/", "http"),
            (&[("forwarded", "for=192.0.2.1"), ("x-forwarded-proto", "https")], "/", "https"),
            (&[("x-forwarded-proto", "ftp")], "https://here/", "https"),
            // What a client has begun so that the peer's part is not read.
            (&[("forwarded", "proto=https;for=\", for=192.0.2.1;proto=http")], "/", "http"),
            (&[("forwarded", "\u{e9}, proto=http"), ("x-forwarded-proto", "https")], "/", "http"),
            (&[("x-forwarded-proto", "\u{e9}, http")], "https://here/", "http"),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(scheme(&map, &target.parse().unwrap()).as_str(), expected, "{headers:?} {target}");
        }
    }
}
