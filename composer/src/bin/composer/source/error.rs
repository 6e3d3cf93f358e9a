//! Why something cannot be pulled, in words.

use std::io;
use std::time::Duration;

use composer::lock::{Digest, NoDigest};
use composer::report::size;
use oci_client::errors::{DigestError, OciDistributionError, OciEnvelope, OciErrorCode};
use thiserror::Error;

use super::reference::Reference;
use crate::failure::{Exit, Failure};

/// Why something cannot be pulled.
#[derive(Debug, Error)]
pub enum PullError {
    #[error("no connection to the registry could be made")]
    Unreachable(#[source] OciDistributionError),
    #[error("the registry did not answer in time")]
    Silent(#[source] OciDistributionError),
    #[error("it was not done after {}", span(*.0))]
    Late(Duration),
    #[error("the connection broke off after {received} of {length} bytes")]
    BrokenOff { received: u64, length: u64, source: io::Error },
    #[error("the registry is in trouble: it answered with status {code}{}", words(.message))]
    Trouble { code: u16, message: String },
    #[error("the registry denied access{}", words(.0))]
    Denied(String),
    #[error("the registry has no such thing{}", words(.0))]
    NotThere(String),
    #[error("the registry sent something else: it should have been {expected}, and was {found}")]
    OtherContent { expected: Digest, found: Digest },
    #[error("the component is {} long, the limit is {}", size(*.length), size(*.limit))]
    TooLong { length: u64, limit: u64 },
    #[error("the registry sent more than the {length} bytes that the manifest names")]
    Longer { length: u64 },
    #[error("the manifest names a length of {0} bytes")]
    Length(i64),
    #[error("the manifest names a layer whose digest is not understood")]
    LayerDigest(#[source] NoDigest),
    #[error("the registry's answer is not a manifest")]
    NotManifest(#[source] serde_json::Error),
    #[error("it is an index of {} artifacts, not one of them", .0.len())]
    Index(Vec<String>),
    #[error("no layer of it is a component{}", layers(.0))]
    NoComponent(Vec<String>),
    #[error("{0} of its layers are components: cannot tell which layer to use")]
    Several(usize),
    #[error("networking could not be started")]
    Runtime(#[source] io::Error),
    #[error("the registry was not understood")]
    Other(#[source] OciDistributionError),
}

fn span(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_millis()) {
        (0, milliseconds) => format!("{milliseconds} ms"),
        (minutes, _) => format!("{minutes} minutes"),
    }
}

/// What somebody else says, short enough to be read.
fn words(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let cut: String = text.chars().take(200).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!(" ({cut}{dots})")
}

fn layers(types: &[String]) -> String {
    if types.is_empty() { "; it has none at all".to_owned() } else { words(&types.join(", ")) }
}

impl From<OciDistributionError> for PullError {
    fn from(error: OciDistributionError) -> Self {
        use OciDistributionError as E;
        match error {
            E::RequestError(request) if request.is_timeout() => PullError::Silent(E::RequestError(request)),
            // Whatever else goes wrong between here and there.
            E::RequestError(request) => PullError::Unreachable(E::RequestError(request)),
            E::UnauthorizedError { .. } => PullError::Denied(String::new()),
            E::AuthenticationFailure(message) => PullError::Denied(message),
            E::ServerError { code: 401 | 403, message, .. } => PullError::Denied(message),
            E::ServerError { code: 404, message, .. } => PullError::NotThere(message),
            E::ServerError { code, message, .. } => PullError::Trouble { code, message },
            E::DigestError(DigestError::VerificationError { expected, actual }) => {
                match (expected.parse(), actual.parse()) {
                    (Ok(expected), Ok(found)) => PullError::OtherContent { expected, found },
                    _ => PullError::Other(DigestError::VerificationError { expected, actual }.into()),
                }
            }
            E::RegistryError { envelope, url } => answered(envelope, url),
            other => PullError::Other(other),
        }
    }
}

fn answered(envelope: OciEnvelope, url: String) -> PullError {
    use OciErrorCode as C;
    let message = envelope.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
    match envelope.errors.first().map(|error| &error.code) {
        Some(C::Unauthorized | C::Denied) => PullError::Denied(message),
        Some(C::ManifestUnknown | C::NameUnknown | C::NotFound | C::BlobUnknown | C::ManifestBlobUnknown) => {
            PullError::NotThere(message)
        }
        Some(C::Toomanyrequests) => PullError::Trouble { code: 429, message },
        _ => PullError::Other(OciDistributionError::RegistryError { envelope, url }),
    }
}

impl PullError {
    /// Whether it may be different the next time.
    pub fn may_pass(&self) -> bool {
        match self {
            PullError::Unreachable(_) | PullError::Silent(_) | PullError::BrokenOff { .. } => true,
            PullError::Trouble { code, .. } => *code >= 500 || *code == 429,
            _ => false,
        }
    }

    /// The failure of the command.
    pub fn told(self, reference: &Reference, pinned: bool) -> Failure {
        let registry = reference.registry();
        let help = match &self {
            PullError::Unreachable(_) if !reference.is_local() => Some(format!(
                "is `{registry}` right, and can it be reached from here? One that speaks no TLS is named with \
                 `--plain-http {registry}`"
            )),
            PullError::Unreachable(_) => Some(format!("is there a registry at `{registry}`?")),
            PullError::Denied(_) => Some(format!(
                "`docker login {registry}` keeps a name and a password where composer looks for them; many registries \
                 answer so too where there is no such name"
            )),
            PullError::NotThere(_) if pinned => Some(
                "what the lock names is gone from there; without `--locked` the reference is looked up anew"
                    .to_owned(),
            ),
            PullError::NotThere(_) => Some("are the name and the tag right?".to_owned()),
            PullError::OtherContent { .. } => {
                Some("it was damaged or exchanged there or on the way; nothing of it is kept".to_owned())
            }
            PullError::Index(digests) => digests
                .first()
                .map(|digest| format!("name the one that is meant by its digest, like `@{digest}`")),
            PullError::NoComponent(_) | PullError::Several(_) => {
                Some("`wkg oci push` makes artifacts that are one component each".to_owned())
            }
            _ => None,
        };
        let failure = Failure::because(Exit::Input, format!("cannot pull `{reference}`"), self);
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}
