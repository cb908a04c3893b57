//! What the producer emits: the lines of all clients, read as far as there is demand.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::{BoxFuture, Shared};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::io::{ReaderStream, StreamReader};

/// How many bytes a line may have, with its end.
const LONGEST: u64 = 1024;

/// What a client sent.
pub(crate) enum Line {
    Whole(Vec<u8>),
    /// It had more bytes than [`LONGEST`].
    TooLong,
    /// The client was gone before the end of the line, or the server stopped.
    CutOff,
}

/// The signal to stop.
pub(crate) type Stop = Shared<BoxFuture<'static, ()>>;

/// The lines of at most so many clients at a time, which take turns. They end with the stop, behind what has been read by then.
pub(crate) fn lines(listener: TcpListener, clients: NonZeroUsize, stop: Stop) -> impl Stream<Item = Line> {
    let sockets = stream::unfold(listener, async |listener| Some((accept(&listener).await, listener)));
    sockets
        .take_until(stop.clone())
        .map(move |socket| lines_of(socket, stop.clone()).boxed())
        .flatten_unordered(clients.get())
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            // The client is gone again, or too many files are open, which may be better in a while.
            Err(error) => eprintln!("cannot accept a client: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The lines of one client. Its socket is not read while they are not asked for.
fn lines_of(socket: TcpStream, stop: Stop) -> impl Stream<Item = Line> {
    // To what is behind it the stop is the end of what the client sent, so that nothing that has been read is lost.
    let pieces = ReaderStream::new(socket).take_until(stop).boxed();
    stream::unfold(StreamReader::new(pieces), async |mut text| Some((next_line(&mut text).await?, text)))
}

/// The next line; none at the end. No more of a line than may be in it is ever kept.
async fn next_line(text: &mut (impl AsyncBufRead + Unpin)) -> Option<Line> {
    let (mut line, mut too_long) = (vec![], false);
    loop {
        // A connection that breaks has come to its end, too.
        let read = (&mut *text).take(LONGEST).read_until(b'\n', &mut line).await.unwrap_or(0);
        if line.ends_with(b"\n") {
            return Some(if too_long { Line::TooLong } else { Line::Whole(line) });
        }
        if (read as u64) < LONGEST {
            return (too_long || !line.is_empty()).then_some(Line::CutOff);
        }
        too_long = true;
        line.clear();
    }
}
