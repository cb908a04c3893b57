use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::sync::mpsc::{Receiver, channel};
use tokio_util::sync::PollSender;

use super::{FromStream, from_stream};
use crate::Ended;

/// A sink whose items a producer emits; see [`from_sink`].
#[derive(Debug)]
pub struct EventSink<T> {
    sender: PollSender<T>,
}

/// What comes out of an [`EventSink`].
#[derive(Debug)]
pub struct SinkItems<T>(Receiver<T>);

/// A sink, and a producer that emits what is sent into it.
///
/// The producer takes items only as far as there is demand; beyond that the sink takes at most `capacity` (at least 1) items
/// and then is not ready, so that whoever feeds it waits. Closing or dropping the sink ends the producer, after everything
/// has been emitted; the sink fails once the producer has ended. Draining the pipeline closes the sink, too: what it has taken in is
/// emitted, and it takes no more.
///
/// ```
/// use futures_util::SinkExt;
/// use genstage::from_sink;
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let (mut sink, words) = from_sink(10);
/// let app = pipeline! { words = words; words => for_each(|word: &str| println!("{word}")); }.start()?;
/// sink.send("to").await?;
/// sink.send("be").await?;
/// drop(sink);
/// let summary = app.join().await?;
/// assert_eq!(summary.stage("words").map(|words| words.events_out), Some(2));
/// # Ok(())
/// # }
/// ```
pub fn from_sink<T: Send + 'static>(capacity: usize) -> (EventSink<T>, FromStream<SinkItems<T>>) {
    let (sender, receiver) = channel(capacity.max(1));
    let items = from_stream(SinkItems(receiver)).closed_by(|mut items| items.0.close());
    (EventSink { sender: PollSender::new(sender) }, items)
}

impl<T> Stream for SinkItems<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}

impl<T: Send + 'static> EventSink<T> {
    fn sender(self: Pin<&mut Self>) -> Pin<&mut PollSender<T>> {
        Pin::new(&mut self.get_mut().sender)
    }
}

impl<T: Send + 'static> Sink<T> for EventSink<T> {
    type Error = Ended<()>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended<()>>> {
        self.sender().poll_ready(cx).map_err(|_| Ended(()))
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Ended<()>> {
        self.sender().start_send(item).map_err(|_| Ended(()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended<()>>> {
        self.sender().poll_flush(cx).map_err(|_| Ended(()))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Ended<()>>> {
        self.sender().poll_close(cx).map_err(|_| Ended(()))
    }
}
