//! When something last moved on a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// When something moved last. At first, that is when it began.
pub(crate) struct LastMove {
    pub(crate) began: Instant,
    /// In milliseconds after `began`.
    after: AtomicU64,
}

impl LastMove {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), after: AtomicU64::new(0) }
    }

    /// Something moves.
    pub(crate) fn note(&self) {
        // Half a billion years fit.
        self.after.store(self.began.elapsed().as_millis() as u64, Ordering::Release);
    }

    pub(crate) fn at(&self) -> Instant {
        self.began + Duration::from_millis(self.after.load(Ordering::Acquire))
    }
}

/// Who is told of what moves on a [`Watched`] stream.
pub(crate) trait Watch {
    /// So many bytes came, or none.
    fn read(&self, bytes: usize);

    /// Something was to be written.
    fn written(&self, outcome: &Poll<io::Result<usize>>);
}

/// A stream that tells what moves on it.
pub(crate) struct Watched<S, W> {
    stream: S,
    watch: Arc<W>,
}

impl<S, W: Watch> Watched<S, W> {
    pub(crate) fn new(stream: S, watch: &Arc<W>) -> Self {
        Self { stream, watch: Arc::clone(watch) }
    }

    fn written(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.watch.written(&outcome);
        outcome
    }
}

impl<S: AsyncRead + Unpin, W: Watch> AsyncRead for Watched<S, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, into);
        self.watch.read(into.filled().len() - before);
        outcome
    }
}

impl<S: AsyncWrite + Unpin, W: Watch> AsyncWrite for Watched<S, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
