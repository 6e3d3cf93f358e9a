//! The heads of requests on HTTP/1, line by line.
//!
//! The parser takes a line that ends with LF alone for one that ends with CR LF. Whatever stands in front of the host may
//! see one line where the host sees two, and so a request that is none. To tell heads from bodies, their lengths are
//! followed.

/// How much of a line is kept: enough for the headers that say how long a body is.
const KEPT: usize = 128;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A line of a head. `first` is the line of the request itself.
    Line { first: bool },
    /// So many bytes of a body.
    Body(u64),
    /// The line with the length of a chunk.
    Length,
    /// So many bytes of a chunk, with the end of its line.
    Chunk(u64),
    /// A line after the last chunk.
    Trailer,
    /// Nothing that is followed: the parser will refuse it.
    Lost,
}

/// What a head says of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    None,
    Long(u64),
    Chunked,
    Unclear,
}

/// The bytes of one connection of HTTP/1.
pub(super) struct Heads {
    next: Next,
    body: Body,
    /// The line so far, without its end.
    line: Vec<u8>,
    length: usize,
    /// The last byte of it.
    last: u8,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            next: Next::Line { first: true },
            body: Body::None,
            line: Vec::with_capacity(KEPT),
            length: 0,
            last: 0,
        }
    }

    /// Bytes came. Returns where an LF alone is in a head; what comes after it is not looked at any more.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.next {
                Next::Lost => return None,
                Next::Body(left) | Next::Chunk(left) => {
                    let skipped = (*left).min((bytes.len() - at) as u64);
                    *left -= skipped;
                    at += skipped as usize;
                    if *left == 0 {
                        self.next =
                            if matches!(self.next, Next::Chunk(_)) { Next::Length } else { self.begin() };
                    }
                }
                Next::Line { .. } | Next::Length | Next::Trailer => {
                    let rest = &bytes[at..];
                    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                        self.keep(rest);
                        return None;
                    };
                    self.keep(&rest[..end]);
                    if self.last != b'\r' {
                        self.next = Next::Lost;
                        return Some(at + end);
                    }
                    self.end_line();
                    at += end + 1;
                }
            }
        }
        None
    }

    fn keep(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.last = *last;
        self.length += bytes.len();
        let room = KEPT - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The line has ended as it should.
    fn end_line(&mut self) {
        // Without its CR.
        self.length -= 1;
        self.line.truncate(self.length);
        self.next = self.line();
        self.line.clear();
        (self.length, self.last) = (0, 0);
    }

    fn begin(&mut self) -> Next {
        self.body = Body::None;
        Next::Line { first: true }
    }

    /// A line has ended. Returns what comes after it.
    fn line(&mut self) -> Next {
        match self.next {
            // An empty line before a request is skipped.
            Next::Line { first: true } if self.length == 0 => self.next,
            Next::Line { .. } if self.length == 0 => match self.body {
                Body::None | Body::Long(0) => self.begin(),
                Body::Long(length) => Next::Body(length),
                Body::Chunked => Next::Length,
                Body::Unclear => Next::Lost,
            },
            Next::Line { first } => {
                if !first {
                    self.field();
                }
                Next::Line { first: false }
            }
            Next::Length => match chunk_length(&self.line) {
                Some(0) => Next::Trailer,
                Some(length) => Next::Chunk(length.saturating_add(2)),
                None => Next::Lost,
            },
            Next::Trailer if self.length == 0 => self.begin(),
            other => other,
        }
    }

    /// A header has ended.
    fn field(&mut self) {
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&self.line[..colon], self.line[colon + 1..].trim_ascii());
        let is_whole = self.length == self.line.len();
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_chunked = is_whole && value.eq_ignore_ascii_case(b"chunked");
            let is_first = !matches!(self.body, Body::Chunked | Body::Unclear);
            self.body = if is_chunked && is_first { Body::Chunked } else { Body::Unclear };
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            self.body = match (self.body, length.filter(|_| is_whole)) {
                (Body::None, Some(length)) => Body::Long(length),
                (Body::Long(before), Some(length)) if before == length => Body::Long(length),
                // The parser goes by the encoding then.
                (Body::Chunked, _) => Body::Chunked,
                _ => Body::Unclear,
            };
        }
    }
}

/// Returns the length that a chunk is said to have. What follows it on the line does not count.
fn chunk_length(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| !byte.is_ascii_hexdigit()).next()?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where an LF alone is, if it is read whole and if it is read byte by byte.
    fn found(text: &str) -> Option<usize> {
        let whole = Heads::new().read(text.as_bytes());
        let mut heads = Heads::new();
        let mut bytes = text.as_bytes().chunks(1);
        assert_eq!(bytes.position(|byte| heads.read(byte).is_some()), whole, "{text:?}");
        whole
    }

    #[test]
    fn an_lf_alone_is_found_in_heads_and_left_in_bodies() {
        let get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        let long = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\na\nb\nc";
        let chunked =
            "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\n\n\n\n\r\n0\r\nA: b\r\n\r\n";
        let large = format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "b".repeat(9_000));
        let before = ["", get, long, chunked, &large, "\r\n"];
        for first in &before {
            for second in &before {
                let sound = format!("{first}{second}{get}");
                assert_eq!(found(&sound), None, "{sound:?}");
                let bad = format!("{first}{second}GET / HTTP/1.1\r\nA: b\nHost: here\r\n\r\n");
                let at = bad.len() - "\nHost: here\r\n\r\n".len();
                assert_eq!(found(&bad), Some(at), "{bad:?}");
            }
        }
        assert_eq!(found("GET / HTTP/1.1\nHost: here\r\n\r\n"), Some(14));
        assert_eq!(found("GET / HTTP/1.1\r\nHost: here\r\n\n"), Some(28));
    }
}
