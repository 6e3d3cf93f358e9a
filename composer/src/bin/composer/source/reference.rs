//! References to what is in a registry.

use std::cmp::Ordering;
use std::fmt;

use composer::lock::Digest;

/// A reference that says all there is to say: the registry, the name, and a tag or a digest.
///
/// The field's own form leaves the registry and the tag out where they are the usual ones. Here they are asked for:
/// whoever reads `greeter` or no tag in a command line should not have to know what is usual.
#[derive(Debug, Clone)]
pub struct Reference {
    /// As it was given, without `oci://`.
    text: String,
    /// As the client knows it.
    known: oci_client::Reference,
}

impl Reference {
    /// Reads what follows `oci://`. The error is for whoever typed it.
    pub fn parse(text: &str) -> Result<Self, String> {
        const LIKE: &str = "it should be like `oci://registry.example/greeter:1.0` or `oci://localhost:5000/greeter@sha256:…`";
        let Some((registry, name)) = text.split_once('/') else {
            return Err(format!("there is no name of a component behind the registry: {LIKE}"));
        };
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return Err(format!("`{registry}` is not the name of a registry: {LIKE}"));
        }
        let known: oci_client::Reference =
            text.parse().map_err(|error: oci_client::ParseError| format!("{error}: {LIKE}"))?;
        let last = name.rsplit('/').next().unwrap_or(name);
        if !last.contains([':', '@']) {
            return Err(format!(
                "there is no tag and no digest: say which is meant, as in `oci://{text}:latest`"
            ));
        }
        if known.digest().is_some_and(|digest| digest.parse::<Digest>().is_err()) {
            return Err("only digests like `sha256:…`, in lower case, are known".to_owned());
        }
        Ok(Reference { text: text.to_owned(), known })
    }

    /// As the client knows it. A digest decides, also where there is a tag.
    pub fn known(&self) -> &oci_client::Reference {
        &self.known
    }

    /// The last name of the component, without what is before it and without its tag.
    pub fn stem(&self) -> &str {
        let name = self.known.repository();
        name.rsplit_once('/').map_or(name, |(_, last)| last)
    }

    /// The digest of the manifest, where the reference names it.
    pub fn digest(&self) -> Option<Digest> {
        self.known.digest()?.parse().ok()
    }

    /// The registry, with its port.
    pub fn registry(&self) -> &str {
        self.known.resolve_registry()
    }

    /// Whether the registry is on this machine: what is said to it leaves for nowhere.
    pub fn is_local(&self) -> bool {
        let registry = self.registry();
        let host = registry.rsplit_once(':').map_or(registry, |(host, _)| host);
        host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

/// References are the same where they were given the same.
impl Ord for Reference {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl PartialOrd for Reference {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Reference {}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Reference;

    #[test]
    fn a_reference_says_all_there_is_to_say() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for good in
            ["r.example/a:1", "localhost/a:1", "127.0.0.1:5000/a/b:x", &format!("r.example/a:1@{digest}")]
        {
            let reference = Reference::parse(good).expect(good);
            assert_eq!(reference.to_string(), format!("oci://{good}"));
        }
        let wrong = |text: &str| Reference::parse(text).expect_err(text);
        assert!(wrong("").contains("no name of a component"));
        assert!(wrong("r.example").contains("no name of a component"));
        assert!(wrong("library/a:1").contains("`library` is not the name of a registry"));
        assert!(wrong("localhost:5000/a").contains("as in `oci://localhost:5000/a:latest`"));
        assert!(wrong("r.example/A:1").contains("it should be like"));
        assert!(wrong("r.example/a@sha256:12").contains("it should be like"));
        let long = format!("r.example/a@sha512:{}", "a".repeat(128));
        assert!(wrong(&long).contains("only digests like `sha256:…`"));
        assert!(wrong(&format!("r.example/a@sha256:{}", "A".repeat(64))).contains("in lower case"));
    }

    proptest! {
        #[test]
        fn whatever_is_given_is_refused_or_said_again(
            text in "[a-zA-Z0-9./:@_-]{0,60}|(localhost|r\\.example|\\[::1\\])(:[0-9]{0,6})?/[a-z0-9/._-]{0,20}[:@][a-z0-9:._-]{0,20}|\\PC{0,40}",
        ) {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(reference.to_string(), format!("oci://{text}"));
                prop_assert!(!reference.stem().is_empty() && !reference.registry().is_empty());
                prop_assert!(reference.known().tag().is_some() || reference.digest().is_some());
                let _ = reference.is_local();
            }
        }

        #[test]
        fn a_long_reference_ends(piece in "[a-z0-9./:@-]{1,4}", times in 1000..20_000_usize) {
            let _ = Reference::parse(&format!("r.example/{}", piece.repeat(times)));
        }
    }

    #[test]
    fn local_is_what_the_loopback_is() {
        let local = |text: &str| Reference::parse(text).expect(text).is_local();
        assert!(local("localhost/a:1") && local("localhost:5000/a:1") && local("127.8.0.1:5000/a:1"));
        assert!(
            !local("128.0.0.1/a:1") && !local("localhost.example/a:1") && !local("127.0.0.1.example/a:1")
        );
    }
}
