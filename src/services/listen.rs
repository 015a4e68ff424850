//! The socket on loopback: how many connections, how long a request may take, and who asks.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::Doors;
use super::asked::{refuse, routes, unknown};
use crate::limits;

/// Listens on a port that is free; answers until it is aborted.
pub(super) fn start(doors: Arc<Doors>) -> io::Result<(u16, AbortHandle)> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    let places = Arc::new(Semaphore::new(limits::SERVICE_CONNECTIONS));
    let bounded = Bounded { listener: tokio::net::TcpListener::from_std(socket)?, places };
    let routes = routes().layer(DefaultBodyLimit::max(limits::SERVICE_BODY)).layer(from_fn_with_state(doors, admit));
    let serve = axum::serve(bounded, routes);
    let task = tokio::spawn(async move {
        // it ends with the shell only
        let _ended = serve.await;
    });
    Ok((port, task.abort_handle()))
}

/// Lets in who has a token of a line that runs.
async fn admit(State(doors): State<Arc<Doors>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("pipeline "));
    let Some(asker) = token.and_then(|token| doors.asker(token.trim())) else { return unknown() };
    if !asker.counts() {
        let why = format!("a line makes {} requests at most", limits::SERVICE_REQUESTS);
        return refuse(StatusCode::TOO_MANY_REQUESTS, &why);
    }
    request.extensions_mut().insert(asker);
    match timeout(limits::SERVICE_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "the request took too long"),
    }
}

/// A socket with so many connections at once; who comes later waits.
struct Bounded {
    listener: tokio::net::TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Bounded {
    type Io = Held;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Held, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, from) = Listener::accept(&mut self.listener).await;
        (Held { stream, idle: Box::pin(sleep(limits::SERVICE_TIME)), _place: place }, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that holds its place, for as long as something goes over it.
struct Held {
    stream: TcpStream,
    idle: Pin<Box<Sleep>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn stays(&mut self) {
        self.idle.as_mut().reset(Instant::now() + limits::SERVICE_TIME);
    }
}

impl AsyncRead for Held {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if read.is_ready() {
            self.stays();
        } else if self.idle.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stays();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::{Held, TcpStream, limits, sleep};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut held = Held { stream, idle: Box::pin(sleep(limits::SERVICE_TIME)), _place: None };
        other.write_all(b"a").await.unwrap();
        assert_eq!(held.read_u8().await.unwrap(), b'a');
        // as if the time were up
        held.idle = Box::pin(sleep(std::time::Duration::ZERO));
        assert_eq!(held.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}
