use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};

use futures_core::Stream;

use crate::__private::{Node, Nothing, ProducerRole, StageOptions};
use crate::prelude::*;
use crate::{Emits, Stage};

/// A producer of the items of a stream; see [`from_stream`].
pub struct FromStream<St> {
    items: Pin<Box<St>>,
}

/// A producer that emits the items of a stream, as many as are asked for, and finishes at its end.
///
/// Items leave as soon as they are ready: the stage does not wait to fill a batch, and stays reachable while the stream
/// is pending. The stream is polled only while there is demand.
///
/// ```
/// use futures_util::stream;
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     from_stream(stream::iter(["to", "be"])) => for_each(|word| println!("{word}"));
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stages()[0].events_out, 2);
/// # Ok(())
/// # }
/// ```
pub fn from_stream<St: Stream>(items: St) -> FromStream<St> {
    FromStream { items: Box::pin(items) }
}

impl<St> FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    /// Emits what is ready; pending if nothing is.
    fn poll_emit(&mut self, owed: usize, cx: &mut Context<Self>, poller: &mut Poller<'_>) -> Poll<()> {
        for emitted in 0..owed {
            match self.items.as_mut().poll_next(poller) {
                Poll::Ready(Some(item)) => cx.emit(item),
                Poll::Ready(None) => {
                    cx.finish();
                    break;
                }
                Poll::Pending if emitted == 0 => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(())
    }
}

// What `#[stage(producer)]` writes, and the source: its items come of themselves, so they are waited for beside the
// mailbox and not in a handler, which would hold up everything else.
impl<St> Stage for FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    type Role = ProducerRole;
    type Take = Nothing;
    type Give = St::Item;
    type Node = Node<Self>;
    const OPTIONS: StageOptions = StageOptions::new();
    const HAS_SOURCE: bool = true;

    async fn source(&mut self, owed: usize, cx: &mut Context<Self>) -> Result {
        poll_fn(|poller| self.poll_emit(owed, cx, poller)).await;
        Ok(())
    }
}

impl<St> Emits for FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    type Emitted = St::Item;
}

impl<St> Producer for FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    type Event = St::Item;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

impl<St> std::fmt::Debug for FromStream<St> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromStream").finish_non_exhaustive()
    }
}
