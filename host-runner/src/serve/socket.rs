//! A connection's socket, of which somebody can also learn that the client has gone while nobody reads.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::screen::Screen;

/// How often a client is looked at that has sent more than was read yet.
const AGAIN: Duration = Duration::from_secs(1);

/// What is read instead of bytes that are to be refused: the end of a head with a byte in it that the parser answers
/// with 400.
const REFUSED: &[u8] = b"\0\r\n\r\n";

/// The socket, for whoever reads and writes.
pub(super) struct Socket {
    read: Arc<OwnedReadHalf>,
    write: OwnedWriteHalf,
    screen: Screen,
}

/// The same, for whoever asks whether the client is there.
pub(super) struct Presence(Arc<OwnedReadHalf>);

impl Socket {
    pub(super) fn new(stream: TcpStream) -> (Self, Presence) {
        let (read, write) = stream.into_split();
        let read = Arc::new(read);
        (Self { read: Arc::clone(&read), write, screen: Screen::new() }, Presence(read))
    }
}

impl Socket {
    fn wrote(&mut self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.screen.wrote(bytes);
        }
        outcome
    }
}

impl Presence {
    /// Waits until the client has closed the connection, or its half of it: from here the two look alike.
    pub(super) async fn gone(&self) {
        while let Ok(ready) = self.0.ready(Interest::READABLE).await {
            if ready.is_read_closed() {
                return;
            }
            // It has sent something that waits to be read, so it is ready all the time.
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { read, screen, .. } = &mut *self;
        let stream: &TcpStream = (**read).as_ref();
        let before = into.filled().len();
        loop {
            ready!(stream.poll_read_ready(context))?;
            let mut came = false;
            let outcome = stream.try_io(Interest::READABLE, || {
                let room = into.remaining();
                let count = stream.try_read_buf(into)?;
                came = true;
                // Nothing else is there: so the next one waits for more without asking the system again.
                if (1..room).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            match outcome {
                _ if came => {
                    if let Some(most) = screen.read(&into.filled()[before..])? {
                        into.set_filled(before + most);
                        let end = &REFUSED[..REFUSED.len().min(into.remaining())];
                        into.put_slice(end);
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.write).poll_write(context, bytes);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.write).poll_write_vectored(context, bytes);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(context)
    }
}
