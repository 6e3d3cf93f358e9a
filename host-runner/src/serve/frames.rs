//! How many frames a client of HTTP/2 sends that lead to nothing.
//!
//! A frame of a few bytes (`PRIORITY`, `WINDOW_UPDATE`, `SETTINGS`, `PING` and its acknowledgement, an empty `DATA`) costs the
//! host more than the client. Some of them belong to every request and to every answer. So a connection may send so many
//! in a second, and more as it makes progress: for each request, each piece of a body, and for what it takes of answers.

use std::time::Instant;

/// Frames that a connection may send at once without any progress, and in each second.
const AT_ONCE: f64 = 2_000.0;
const PER_SECOND: f64 = 200.0;
/// Frames that may come with one request: its end, its windows, its priority.
const PER_REQUEST: f64 = 4.0;
/// Bytes of a request's body, and of answers, that go with one frame.
const RECEIVED: f64 = 64.0;
const SENT: f64 = 256.0;

/// Bytes of a frame before its content.
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// There are too many frames.
pub(super) struct Flood;

/// The frames of one connection.
pub(super) struct Frames {
    /// The head of the next frame, as far as it came.
    head: [u8; HEAD],
    came: usize,
    /// What is left of the content of the last one.
    content: usize,
    /// How many frames may come now.
    allowed: f64,
    since: Instant,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { head: [0; HEAD], came: 0, content: 0, allowed: AT_ONCE, since: Instant::now() }
    }

    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        while !bytes.is_empty() {
            if self.content > 0 {
                let skipped = self.content.min(bytes.len());
                self.content -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (HEAD - self.came).min(bytes.len());
            self.head[self.came..self.came + taken].copy_from_slice(&bytes[..taken]);
            self.came += taken;
            bytes = &bytes[taken..];
            if self.came == HEAD {
                self.came = 0;
                self.frame()?;
            }
        }
        Ok(())
    }

    /// The head of a frame is there.
    fn frame(&mut self) -> Result<(), Flood> {
        let [high, middle, low, kind, ..] = self.head;
        self.content = u32::from_be_bytes([0, high, middle, low]) as usize;
        match kind {
            DATA => self.allowed += self.content as f64 / RECEIVED,
            // More of them than there may be are the parser's to refuse.
            HEADERS => self.allowed += PER_REQUEST,
            _ => {}
        }
        self.allowed -= 1.0;
        if self.allowed < 0.0 {
            let now = Instant::now();
            self.allowed += (now - self.since).as_secs_f64() * PER_SECOND;
            self.since = now;
        }
        self.allowed = self.allowed.min(AT_ONCE);
        if self.allowed < 0.0 { Err(Flood) } else { Ok(()) }
    }

    /// So many bytes were written.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.allowed = (self.allowed + bytes as f64 / SENT).min(AT_ONCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, content: usize) -> Vec<u8> {
        let mut frame = vec![0; HEAD + content];
        frame[..3].copy_from_slice(&(content as u32).to_be_bytes()[1..]);
        frame[3] = kind;
        frame
    }

    /// In pieces of seven bytes, as if the network had cut them.
    fn read(frames: &mut Frames, bytes: &[u8]) -> bool {
        bytes.chunks(7).all(|piece| frames.read(piece).is_ok())
    }

    #[test]
    fn frames_that_lead_to_nothing_are_a_flood() {
        // PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, one that nobody knows, and an empty DATA.
        for (kind, content) in [(2, 5), (3, 4), (4, 0), (6, 8), (8, 4), (99, 3), (0, 0)] {
            let frame = frame(kind, content);
            let mut frames = Frames::new();
            let many = (0..100_000).take_while(|_| read(&mut frames, &frame)).count();
            assert!((2_000..20_000).contains(&many), "{kind}: {many}");
        }
    }

    #[test]
    fn frames_that_go_with_requests_and_bodies_are_none() {
        let mut frames = Frames::new();
        for _ in 0..100_000 {
            // A request with a window of its own, a body, and an answer.
            assert!(read(&mut frames, &frame(1, 20)) && read(&mut frames, &frame(8, 4)));
            assert!(read(&mut frames, &frame(8, 4)) && read(&mut frames, &frame(0, 200)));
            frames.wrote(100);
        }
        let mut frames = Frames::new();
        for _ in 0..100_000 {
            // A large answer, of which each piece is acknowledged twice.
            frames.wrote(1_024);
            assert!(read(&mut frames, &frame(8, 4)) && read(&mut frames, &frame(8, 4)));
        }
    }
}
