//! What a guest prints while it serves: lines of the log, under the id of its request.
//!
//! Standard output stays the host's own. A guest that prints without end is not failed for it, and costs no more than its
//! limit: the rest is taken and dropped, and the log says so once.

use std::fmt::{self, Write as _};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The longest line of the log. What is longer is divided.
const LONGEST_LINE: usize = 4 << 10;

/// Bytes that a guest may write at once.
const AT_ONCE: usize = 64 << 10;

/// Where the standard streams lead that a guest was granted.
#[derive(Clone)]
pub(crate) enum Output {
    /// To the host's own.
    Host,
    /// Outputs to the log; the input is empty.
    Log(Log),
}

impl Output {
    /// To the log, under this id, up to so many bytes.
    pub(crate) fn log(id: &Arc<str>, limit: u64) -> Self {
        let id = Mutex::new(Arc::clone(id));
        let printed = Arc::new(Printed { id, left: AtomicU64::new(limit), limit });
        let stream = |name| {
            Stream(Arc::new(Mutex::new(Lines { printed: Arc::clone(&printed), name, line: Vec::new() })))
        };
        Self::Log(Log { stdout: stream("stdout"), stderr: stream("stderr"), printed })
    }

    /// Goes on under another id, with the whole limit.
    pub(crate) fn begin(&self, id: &Arc<str>) {
        if let Self::Log(Log { printed, .. }) = self {
            *printed.id.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(id);
            printed.left.store(printed.limit, Ordering::Relaxed);
        }
    }

    /// Ends the lines that have no end yet.
    pub(crate) fn end(&self) {
        if let Self::Log(Log { stdout, stderr, .. }) = self {
            stdout.lines().end();
            stderr.lines().end();
        }
    }
}

/// The output of one instance.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    printed: Arc<Printed>,
}

struct Printed {
    /// Of the request that the instance is on.
    id: Mutex<Arc<str>>,
    left: AtomicU64,
    limit: u64,
}

impl Printed {
    fn id(&self) -> Arc<str> {
        Arc::clone(&self.id.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A stream of lines. Clones are the same stream.
#[derive(Clone)]
pub(crate) struct Stream(Arc<Mutex<Lines>>);

struct Lines {
    printed: Arc<Printed>,
    name: &'static str,
    /// The beginning of a line that has no end yet.
    line: Vec<u8>,
}

impl Lines {
    fn print(&mut self, bytes: &[u8]) {
        let before = self.printed.left.load(Ordering::Relaxed);
        let taken = bytes.len().min(usize::try_from(before).unwrap_or(usize::MAX));
        self.printed.left.store(before - taken as u64, Ordering::Relaxed);
        for byte in &bytes[..taken] {
            if *byte != b'\n' {
                self.line.push(*byte);
            }
            if *byte == b'\n' || self.line.len() >= LONGEST_LINE {
                self.end_line();
            }
        }
        if taken < bytes.len() && before > 0 {
            self.end();
            let limit = self.printed.limit;
            tracing::warn!(
                id = &*self.printed.id(),
                "the guest printed more than {limit} bytes: the rest is dropped (--max-output)"
            );
        }
    }

    fn end_line(&mut self) {
        let line = Plain(&self.line).to_string();
        tracing::info!(id = &*self.printed.id(), stream = self.name, "{line}");
        self.line.clear();
    }

    /// Ends the line if it has begun.
    fn end(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.end();
    }
}

/// Text without anything that would move the cursor of who reads it.
struct Plain<'a>(&'a [u8]);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in String::from_utf8_lossy(self.0).trim_end_matches('\r').chars() {
            if character.is_control() && character != '\t' {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl Stream {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, bytes: &[u8]) {
        self.lines().print(bytes);
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.print(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(AT_ONCE)
    }
}

impl Pollable for Stream {
    /// Always.
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_is_printed() {
        assert_eq!(Plain(b"a\x1b[2Jb\tc\xff\r").to_string(), "a\\u{1b}[2Jb\tc\u{fffd}");
    }
}
