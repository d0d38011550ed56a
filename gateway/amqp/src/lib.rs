//! A call to an AMQP broker that ends: with a connection, with the broker's answer, or by itself.
//!
//! The gateway and the connector both connect again for as long as they live. lapin does its handshake on a thread of
//! its own, which goes on reading when nobody waits for it any more: a broker that takes the call and says nothing would
//! cost a thread and a socket at every attempt. Here whoever stops waiting also hangs up.
//!
//! RabbitMQ hands on messages that lapin cannot read, and lapin drops the connection over one. Hence nothing reaches
//! lapin that `payload` and `frames` have not gone over: one account's message must not stop all others.
//!
//! **Invariant**: after [`connect`] has ended without a connection, or was dropped, its socket is shut down, and lapin's
//! thread finds it so and ends.
//! **Invariant**: every line that lapin gets is a `legible` one.

mod frames;
mod legible;
mod payload;
mod tls;

#[cfg(test)]
mod tests;

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_rs::{Runtime, Tokio};
use lapin::tcp::{AMQPUriTcpExt, AsyncTcpStream};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

pub use tls::{Authorities, Identity, IdentityFault, PemFault, Tls};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// Nobody listens there, or the broker turned us away; lapin's words.
    #[error("{0}")]
    Refused(#[from] lapin::Error),
    /// The way to the broker or its handshake took longer than allowed.
    #[error("the broker did not finish the handshake in time")]
    Timeout,
}

/// Connects, TLS and AMQP handshake included, within `limit`. For `amqps`, `tls` says who may vouch for the broker.
///
/// In what comes over the connection, short strings of messages (their properties, the names of their headers, routing
/// keys) that are not UTF-8 have `?` for each octet that is not (AMQP 0-9-1 §4.2.5.3), and tables or arrays more than 16
/// deep in their headers are byte arrays. Bodies and the values of headers come as they were sent.
///
/// # Errors
///
/// [`ConnectFault`]; another attempt may succeed.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn connect(
    uri: AMQPUri,
    properties: ConnectionProperties,
    tls: Tls,
    limit: Duration,
) -> Result<Connection, ConnectFault> {
    let call = Call(Arc::default());
    let line = Arc::clone(&call.0);
    let tokio = Tokio::current();
    let runtime = legible::runtime(tokio.clone());
    let sockets = Runtime::new(tokio);
    // lapin's thread waits for this closure on its own account, hence a limit of its own.
    let connector = Connection::connector(
        uri,
        runtime,
        async move |uri, _| {
            let dialling = async {
                line.is_open()?;
                // TLS is not left to the address: lapin would trust more than what is given.
                let plain = AMQPUri {
                    scheme: AMQPScheme::AMQP,
                    ..uri.clone()
                };
                let stream = plain.connect_async(&sockets).await?;
                let AsyncTcpStream::Plain(socket) = &stream else {
                    // A plain address gives no other kind.
                    return Err(io::ErrorKind::Unsupported.into());
                };
                line.hold(socket.get_ref().as_fd())?;
                let stream = match uri.scheme {
                    AMQPScheme::AMQP => stream,
                    AMQPScheme::AMQPS => stream.into_rustls(&tls.connector()?, &uri.authority.host).await?,
                };
                Ok::<_, io::Error>(legible::legible(stream))
            };
            let answered = timeout(limit, dialling).await;
            Ok(answered.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)
        },
        properties,
    );
    // Boxed: lapin's future is large, and so would be that of every caller.
    let answered = timeout(limit, Box::pin(connector)).await;
    let connection = answered.map_err(|_| ConnectFault::Timeout)??;
    call.0.let_go();
    Ok(connection)
}

/// Hangs up when dropped, unless the line was let go before.
struct Call(Arc<Line>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.hang_up();
    }
}

/// The socket of a call, which lapin keeps to itself.
#[derive(Default)]
struct Line(Mutex<Held>);

#[derive(Default)]
enum Held {
    /// Nothing has been dialled.
    #[default]
    Nothing,
    /// A second handle of the socket of the handshake.
    Socket(TcpStream),
    /// The connection is lapin's alone.
    LetGo,
    /// Nobody waits any more.
    HungUp,
}

impl Line {
    /// # Errors
    ///
    /// `ConnectionAborted` after the line was hung up: lapin must not dial again.
    fn is_open(&self) -> io::Result<()> {
        match *self.held() {
            Held::HungUp => Err(io::ErrorKind::ConnectionAborted.into()),
            Held::Nothing | Held::Socket(_) | Held::LetGo => Ok(()),
        }
    }

    fn hold(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let socket = TcpStream::from(socket.try_clone_to_owned()?);
        let mut held = self.held();
        match *held {
            Held::HungUp => Err(io::ErrorKind::ConnectionAborted.into()),
            Held::LetGo => Ok(()),
            Held::Nothing | Held::Socket(_) => {
                *held = Held::Socket(socket);
                Ok(())
            }
        }
    }

    /// A handle kept any longer would keep the socket open after lapin closed it.
    fn let_go(&self) {
        *self.held() = Held::LetGo;
    }

    fn hang_up(&self) {
        let mut held = self.held();
        if let Held::Socket(socket) = &*held {
            // A socket that its peer has closed needs no shutting down.
            let _ = socket.shutdown(Shutdown::Both);
        }
        if !matches!(*held, Held::LetGo) {
            *held = Held::HungUp;
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
