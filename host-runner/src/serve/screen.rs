//! What is looked at in the bytes of a client before they are parsed: [frames](super::frames) of HTTP/2 and [heads](super::heads)
//! of HTTP/1.

use std::io;

use super::frames::{Flood, Frames};
use super::heads::Heads;

/// What a connection of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes of one connection.
pub(super) enum Screen {
    /// So many bytes came, as HTTP/2 begins.
    Unknown(usize),
    Http1(Heads),
    Http2(Frames),
}

impl Screen {
    pub(super) fn new() -> Self {
        Self::Unknown(0)
    }

    /// Bytes came. Returns up to where they may be read, if not all of them: what follows makes the request one that is to be
    /// refused.
    pub(super) fn read(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        match self {
            Self::Http1(heads) => Ok(heads.read(bytes)),
            Self::Http2(frames) => frames.read(bytes).map(|()| None).map_err(|Flood| flooded()),
            Self::Unknown(matched) => {
                let expected = &PREFACE[*matched..];
                let same = bytes.iter().zip(expected).take_while(|(byte, other)| byte == other).count();
                let before = *matched;
                *matched += same;
                if *matched == PREFACE.len() {
                    *self = Self::Http2(Frames::new());
                    return Ok(self.read(&bytes[same..])?.map(|at| same + at));
                }
                if same == bytes.len() {
                    return Ok(None);
                }
                let mut heads = Heads::new();
                // They begin as HTTP/2 does, and nothing is wrong with that in HTTP/1.
                heads.read(&PREFACE[..before]);
                let refused = heads.read(bytes);
                *self = Self::Http1(heads);
                Ok(refused)
            }
        }
    }

    /// So many bytes were written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        if let Self::Http2(frames) = self {
            frames.wrote(bytes);
        }
    }
}

fn flooded() -> io::Error {
    io::Error::other("the client sends frames that lead to nothing, and too many of them")
}
