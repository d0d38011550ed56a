//! The line to a broker as lapin gets it: without texts that lapin could not read.
//!
//! [`Connection::connector`](lapin::Connection::connector) takes any stream, but the runtime that it is given names the
//! stream's type: hence a runtime of our own, which is tokio's in all but that. What lapin takes for a plain socket is
//! the whole line, TLS included where there is TLS: only above TLS are there frames. [`crate::frames`] does the work.
//!
//! **Invariant**: what is written goes through untouched; what is read is neither held nor changed except as
//! [`crate::frames`] and [`crate::payload`] say.
//! **Invariant**: nothing is read ahead of what the reader has asked for, beyond the one frame that is put together.

use std::io::{self, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::tcp::AsyncTcpStream;

use crate::frames::Frames;

/// A line on which every short string is UTF-8.
pub(crate) struct Legible<L> {
    line: L,
    frames: Frames,
}

impl<L> Legible<L> {
    /// Nothing may have been read from the line: what comes first is the first octet of a frame.
    pub(crate) fn new(line: L) -> Legible<L> {
        Legible {
            line,
            frames: Frames::default(),
        }
    }
}

// Reading into several buffers at once is left to the trait, which takes the first that has room: so do the lines below.
impl<L: AsyncRead + Unpin> AsyncRead for Legible<L> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Legible { line, frames } = self.get_mut();
        if into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            let given = frames.give(into);
            if given > 0 {
                return Poll::Ready(Ok(given));
            }
            if let Some(gap) = frames.gap() {
                let count = ready!(Pin::new(&mut *line).poll_read(context, gap))?;
                frames.filled(count);
                continue;
            }
            let count = ready!(Pin::new(&mut *line).poll_read(context, into))?;
            let passed = frames.screen(&mut into[..count]);
            // None of them passed: to say so would say that the line has ended.
            if passed > 0 || count == 0 {
                return Poll::Ready(Ok(passed));
            }
        }
    }
}

impl<L: AsyncWrite + Unpin> AsyncWrite for Legible<L> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().line).poll_write(context, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().line).poll_write_vectored(context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().line).poll_flush(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().line).poll_close(context)
    }
}

/// A line as it is dialled: plain, or over TLS.
type Dialled = AsyncTcpStream<<Tokio as Reactor>::TcpStream>;

/// tokio's sockets and timers, with [`Legible`] lines.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Tokio);

impl Reactor for Lines {
    type TcpStream = Legible<Dialled>;
    type Sleep = <Tokio as Reactor>::Sleep;

    // The trait bounds `H` by a name that its crate keeps to itself; these two are what it stands for.
    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let dialled = self.0.tcp_connect_addr(address);
        async move { Ok(Legible::new(AsyncTcpStream::Plain(dialled.await?))) }
    }
}

/// The runtime whose streams are [`Legible`]; tasks are spawned by tokio itself.
pub(crate) fn runtime(tokio: Tokio) -> Runtime<RuntimeParts<Tokio, Lines>> {
    Runtime::new(RuntimeParts::new(tokio.clone(), Lines(tokio)))
}

/// Gives a dialled line to lapin. Nothing may have been read from it.
pub(crate) fn legible(line: Dialled) -> AsyncTcpStream<Legible<Dialled>> {
    AsyncTcpStream::Plain(Legible::new(line))
}
