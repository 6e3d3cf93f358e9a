//! Pulls components from registries.
//!
//! An artifact is a manifest that lists layers, one of which is the component. What is trusted is digests: that of the
//! manifest where the reference or the lock names it, and that of the layer, which the manifest names. Both are kept
//! in the cache, so that a reference by digest asks nobody the second time.

use std::cell::OnceCell;
use std::time::Duration;

use composer::lock::Digest;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use futures::StreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciManifest,
};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference as Known};

use super::cache::Cache;
use super::error::PullError;
use super::progress::Gauge;
use super::reference::Reference;
use crate::failure::{Exit, Failure};
use crate::files;

/// The media types of a layer that is a component: today's, and those of older tools.
const COMPONENT: [&str; 4] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

const MANIFEST: [&str; 4] = [
    OCI_IMAGE_MEDIA_TYPE,
    IMAGE_MANIFEST_MEDIA_TYPE,
    OCI_IMAGE_INDEX_MEDIA_TYPE,
    IMAGE_MANIFEST_LIST_MEDIA_TYPE,
];

/// What a registry may ask of us.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// For a connection to be made.
    connect: Duration,
    /// Between two pieces of an answer.
    silence: Duration,
    /// For one question, with all attempts.
    whole: Duration,
    /// How often something is tried that fails in a way that may pass.
    attempts: u32,
    /// Between the first two attempts; each time four times as long.
    pause: Duration,
    /// The longest layer, in bytes.
    layer: u64,
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    silence: Duration::from_secs(30),
    whole: Duration::from_secs(15 * 60),
    attempts: 3,
    pause: Duration::from_millis(100),
    layer: files::LONGEST,
};

/// What a lock says about a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// The digest of its manifest.
    pub manifest: Digest,
    /// The digest of the component.
    pub digest: Digest,
}

/// What was pulled, or was in the cache.
#[derive(Debug)]
pub struct Pulled {
    /// The digest of the manifest.
    pub manifest: Digest,
    /// The digest of the component.
    pub digest: Digest,
    /// The component, if it is one: nobody has looked yet.
    pub bytes: Vec<u8>,
}

/// All registries.
#[derive(Debug)]
pub struct Registries {
    cache: Cache,
    plain_http: Vec<String>,
    limits: Limits,
}

impl Registries {
    /// Registries whose components are kept in this cache; those named are spoken to without TLS.
    pub fn new(cache: Cache, plain_http: &[String]) -> Self {
        Registries { cache, plain_http: plain_http.to_vec(), limits: LIMITS }
    }

    /// What a reference leads to. Where it is pinned, what it is pinned to; what is in the cache is not asked for.
    pub fn pull(&self, reference: &Reference, pinned: Option<Pinned>) -> Result<Pulled, Failure> {
        if let Some(Pinned { manifest, digest }) = pinned
            && let Some(bytes) = self.cache.get(digest)?
        {
            return Ok(Pulled { manifest, digest, bytes });
        }
        let fail = |error: PullError| error.told(reference, pinned.is_some());
        let exact = pinned.map(|pinned| pinned.manifest).or_else(|| reference.digest());
        let image = match exact {
            Some(digest) => reference.known().clone_with_digest(digest.to_string()),
            None => reference.known().clone(),
        };
        // Nobody is called where all of it is in the cache.
        let line = OnceCell::new();
        let call = || match line.get() {
            Some(line) => Ok(line),
            None => Line::new(self, reference, image.clone()).map(|new| line.get_or_init(|| new)),
        };
        let kept = exact.map(|digest| self.cache.get(digest)).transpose()?.flatten();
        let known = kept.is_some();
        let manifest = match kept {
            Some(manifest) => manifest,
            None => call().and_then(|line| line.manifest(exact)).map_err(fail)?,
        };
        let (layer, digest) = component_layer(&manifest).map_err(fail)?;
        if !known {
            self.cache.put(Digest::of(&manifest), &manifest);
        }
        if let Some(pinned) = pinned.filter(|pinned| pinned.digest != digest) {
            let message = format!(
                "the lock does not agree with itself: for `{reference}` it names {}, but its manifest {} names {digest}",
                pinned.digest, pinned.manifest
            );
            return Err(Failure::new(Exit::Cannot, message).help("without `--locked` the lock is made anew"));
        }
        let bytes = match self.cache.get(digest)? {
            Some(bytes) => bytes,
            None => {
                let bytes = call().and_then(|line| line.layer(&layer, digest)).map_err(fail)?;
                self.cache.put(digest, &bytes);
                bytes
            }
        };
        Ok(Pulled { manifest: Digest::of(&manifest), digest, bytes })
    }
}

/// The layer that is the component, and its digest.
fn component_layer(manifest: &[u8]) -> Result<(OciDescriptor, Digest), PullError> {
    let manifest = match serde_json::from_slice(manifest).map_err(PullError::NotManifest)? {
        OciManifest::Image(manifest) => manifest,
        OciManifest::ImageIndex(index) => {
            return Err(PullError::Index(index.manifests.into_iter().map(|entry| entry.digest).collect()));
        }
    };
    let types: Vec<String> = manifest.layers.iter().map(|layer| layer.media_type.clone()).collect();
    let mut layers = manifest.layers.into_iter().filter(|layer| COMPONENT.contains(&&*layer.media_type));
    let layer = layers.next().ok_or(PullError::NoComponent(types))?;
    match layers.count() {
        0 => {
            let digest = layer.digest.parse().map_err(PullError::LayerDigest)?;
            Ok((layer, digest))
        }
        others => Err(PullError::Several(others + 1)),
    }
}

/// A line to one registry, about one image.
struct Line {
    runtime: tokio::runtime::Runtime,
    client: Client,
    image: Known,
    login: RegistryAuth,
    limits: Limits,
    shown: String,
}

impl Line {
    fn new(registries: &Registries, reference: &Reference, image: Known) -> Result<Self, PullError> {
        // The first one to be installed stays; there is only this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let limits = registries.limits;
        let registry = reference.registry();
        let plain = reference.is_local() || registries.plain_http.iter().any(|named| named == registry);
        let config = ClientConfig {
            protocol: if plain { ClientProtocol::Http } else { ClientProtocol::Https },
            connect_timeout: Some(limits.connect),
            read_timeout: Some(limits.silence),
            user_agent: concat!("composer/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PullError::Runtime)?;
        let client = Client::try_from(config)?;
        Ok(Line { runtime, client, image, login: login(registry), limits, shown: reference.to_string() })
    }

    /// The bytes of the manifest; where its digest is known, those and no others.
    fn manifest(&self, exact: Option<Digest>) -> Result<Vec<u8>, PullError> {
        let gauge = Gauge::new(format!("asking for {}", self.shown));
        let bytes = self.wait(&gauge, async || {
            let (bytes, _) = self.client.pull_manifest_raw(&self.image, &self.login, &MANIFEST).await?;
            Ok(bytes.to_vec())
        })?;
        let found = Digest::of(&bytes);
        match exact.filter(|&digest| digest != found) {
            Some(expected) => Err(PullError::OtherContent { expected, found }),
            None => Ok(bytes),
        }
    }

    /// The bytes of a layer.
    fn layer(&self, layer: &OciDescriptor, digest: Digest) -> Result<Vec<u8>, PullError> {
        let length = u64::try_from(layer.size).map_err(|_| PullError::Length(layer.size))?;
        if length > self.limits.layer {
            return Err(PullError::TooLong { length, limit: self.limits.layer });
        }
        let gauge = Gauge::new(format!("pulling {}", self.shown));
        self.wait(&gauge, async || {
            gauge.begin(length);
            self.client.store_auth_if_needed(self.image.resolve_registry(), &self.login).await;
            let mut stream = self.client.pull_blob_stream(&self.image, layer).await?.stream;
            // What the manifest says is no reason to set memory aside: it is filled as bytes come.
            let mut bytes = Vec::new();
            let broken =
                |received: usize, source| PullError::BrokenOff { received: received as u64, length, source };
            while let Some(piece) = stream.next().await {
                let piece = match piece {
                    Ok(piece) => piece,
                    // The client compares digests at the end, which is done below in our own words.
                    Err(_) if bytes.len() as u64 == length => break,
                    Err(error) => return Err(broken(bytes.len(), error)),
                };
                if (bytes.len() + piece.len()) as u64 > length {
                    return Err(PullError::Longer { length });
                }
                bytes.extend_from_slice(&piece);
                gauge.more(piece.len() as u64);
            }
            if (bytes.len() as u64) < length {
                return Err(broken(bytes.len(), std::io::ErrorKind::UnexpectedEof.into()));
            }
            let found = Digest::of(&bytes);
            if found == digest { Ok(bytes) } else { Err(PullError::OtherContent { expected: digest, found }) }
        })
    }

    /// Tries until it is done, fails for good, or the time is up.
    fn wait<T>(
        &self,
        gauge: &Gauge,
        attempt: impl AsyncFn() -> Result<T, PullError>,
    ) -> Result<T, PullError> {
        let limits = self.limits;
        let attempts = async {
            let mut pause = limits.pause;
            for _ in 1..limits.attempts {
                match attempt().await {
                    Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
                    done => return done,
                }
                pause *= 4;
            }
            attempt().await
        };
        let done = self.runtime.block_on(async {
            // Made here, where there is a clock to run on.
            gauge.show(tokio::time::timeout(limits.whole, attempts)).await
        });
        done.unwrap_or(Err(PullError::Late(limits.whole)))
    }
}

/// What Docker's configuration says about logging in to a registry: there is where logins are kept, for other tools too.
fn login(registry: &str) -> RegistryAuth {
    use CredentialRetrievalError::{ConfigNotFound, ConfigReadError, NoCredentialConfigured};

    let server = if registry == "index.docker.io" { "https://index.docker.io/v1/" } else { registry };
    let why = match docker_credential::get_credential(server) {
        Ok(DockerCredential::UsernamePassword(name, password)) => return RegistryAuth::Basic(name, password),
        Ok(DockerCredential::IdentityToken(_)) => {
            "it is an identity token, not a name and a password".to_owned()
        }
        Err(ConfigNotFound | ConfigReadError | NoCredentialConfigured) => return RegistryAuth::Anonymous,
        Err(error) => error.to_string().trim_end().to_owned(),
    };
    files::say(&format!("note: the login for `{registry}` in Docker's configuration is not used: {why}"));
    RegistryAuth::Anonymous
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use super::super::cache::Cache;
    use super::super::reference::Reference;
    use super::{LIMITS, Limits, Registries};

    /// What is said of a registry that takes connections and never answers.
    fn said(limits: Limits) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has one");
        let directory = tempfile::tempdir().expect("a directory");
        let cache = Cache::at(Some(directory.path().to_owned())).expect("a cache");
        let registries = Registries { cache, plain_http: Vec::new(), limits };
        let reference = Reference::parse(&format!("{address}/a:1")).expect("a reference");
        let begun = Instant::now();
        let failure = registries.pull(&reference, None).expect_err("it never answers");
        assert!(begun.elapsed() < Duration::from_secs(20), "the limits do not hold");
        failure.render()
    }

    #[test]
    fn silence_has_an_end() {
        let text = said(Limits { silence: Duration::from_millis(50), pause: Duration::ZERO, ..LIMITS });
        assert!(text.contains("the registry did not answer in time"), "{text}");
    }

    #[test]
    fn patience_has_an_end() {
        let text = said(Limits { whole: Duration::from_millis(50), ..LIMITS });
        assert!(text.contains("it was not done after 50 ms"), "{text}");
    }
}
