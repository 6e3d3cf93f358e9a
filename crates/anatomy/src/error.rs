//! Why bytes could not be read as a component.

use thiserror::Error;

/// The version of the binary format that components have.
pub(crate) const VERSION: u16 = 0x0d;

/// Why [`read`](crate::read) refused its input.
///
/// Offsets count bytes from the beginning of the input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("{bytes} bytes are more than the limit of {limit}")]
    TooLarge {
        /// Length of the input.
        bytes: u64,
        /// The limit that was passed.
        limit: u64,
    },
    /// The input is text. Nothing here reads the text format.
    #[error("this is text, not a WebAssembly binary")]
    Text,
    /// The input does not begin with the four bytes of every WebAssembly binary.
    #[error("this is not a WebAssembly binary: it does not begin with `\\0asm`")]
    NotWasm,
    /// The input is a core module. A component may be made from it.
    #[error("this is a core module, not a component")]
    CoreModule,
    /// The input is a component in another version of the binary format than the one in use. Drafts of it counted up to
    /// that.
    #[error(
        "this is a component in a draft of the binary format (version 0x{version:02x}): the one in use is 0x{:02x}",
        VERSION
    )]
    Draft {
        /// The version that it has.
        version: u16,
    },
    /// The bytes break the rules of the binary format, or end too early.
    #[error("malformed at byte {offset}: {}", error.message())]
    Malformed {
        /// Where the parser stopped.
        offset: u64,
        /// What the parser says. It is part of the message, so it is not given as a source again.
        error: wasmparser::Error,
        /// As [`made_by`](crate::made_by) tells: newer tools may write what this parser does not know.
        made_by: Option<String>,
    },
    /// The file ends before something that is embedded in it does.
    #[error(
        "the file ends {missing} bytes before the {what} that begins at byte {offset} does: it was cut off"
    )]
    CutOff {
        /// Where the embedded module or component begins.
        offset: u64,
        /// What is embedded.
        what: &'static str,
        /// How many bytes there would have to be more.
        missing: u64,
    },
    /// A name has control characters, as no valid name has.
    #[error("at byte {offset}: a name has control characters in it")]
    Name {
        /// Where the section with the name begins.
        offset: u64,
    },
    /// Something has a code that the binary format does not know.
    #[error("at byte {offset}: unknown {what} 0x{code:02x}")]
    Unknown {
        /// Where it is.
        offset: u64,
        /// What has the code.
        what: &'static str,
        /// The code.
        code: u8,
        /// As for [`ReadError::Malformed`].
        made_by: Option<String>,
    },
    /// Something refers to an item that does not exist (yet).
    #[error("at byte {offset}: there is no {kind} with index {index}")]
    Dangling {
        /// Where the section with the reference begins.
        offset: u64,
        /// What kind of item was meant.
        kind: &'static str,
        /// The index that leads nowhere.
        index: u32,
    },
    /// Components or types are nested more deeply than the limit.
    #[error("at byte {offset}: {what} are nested more than {limit} deep")]
    TooDeep {
        /// Where the level below the limit begins.
        offset: u64,
        /// What is nested.
        what: &'static str,
        /// The limit that was passed.
        limit: u32,
    },
    /// A bound on the structure is passed: see [`BOUNDS`](crate::bounds::BOUNDS).
    #[error("at byte {offset} there are {count} {counts}; the bound `{name}` is {limit}")]
    Beyond {
        /// Where the bound was passed.
        offset: u64,
        /// What was counted up to there.
        count: u64,
        /// The name of the bound.
        name: &'static str,
        /// What it counts.
        counts: &'static str,
        /// The largest count that is within it.
        limit: u64,
    },
    /// There is more of something than the limit allows.
    #[error("at byte {offset}: more than {limit} {what}")]
    TooMany {
        /// Where the one too many was met.
        offset: u64,
        /// What there is too much of.
        what: &'static str,
        /// The limit that was passed.
        limit: u32,
    },
}

impl From<wasmparser::Error> for ReadError {
    fn from(error: wasmparser::Error) -> Self {
        ReadError::Malformed { offset: error.offset(), error, made_by: None }
    }
}

impl ReadError {
    /// Adds the tools that the bytes say they were made by, where that may be why they cannot be read.
    pub(crate) fn with_makers(mut self, bytes: &[u8]) -> Self {
        if let Self::Malformed { made_by, .. } | Self::Unknown { made_by, .. } = &mut self {
            *made_by = crate::made_by(bytes);
        }
        self
    }

    /// Returns whether the input is beyond a limit of the reader's, and not at fault otherwise.
    pub fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::TooDeep { .. } | Self::TooMany { .. } | Self::Beyond { .. }
        )
    }

    /// Returns the tools that the bytes say they were made by, where newer tools may be why they cannot be read.
    pub fn made_by(&self) -> Option<&str> {
        match self {
            Self::Malformed { made_by, .. } | Self::Unknown { made_by, .. } => made_by.as_deref(),
            _ => None,
        }
    }
}
