use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context as Poller, Poll};

use futures_core::Stream;
use tokio::task::coop::consume_budget;

use super::AT_A_TIME;
use super::on_cancel::{Consumers, OnCancel};
use crate::prelude::*;
use crate::{Cancelled, Subscription};

/// A producer of the items of a stream; see [`from_stream`].
#[stage(producer)]
pub struct FromStream<St> {
    items: Pin<Box<St>>,
    consumers: Consumers,
    /// Has the stream end, after what it holds; without it, the rest of the stream is left when the stage is drained.
    close: Option<fn(Pin<&mut St>)>,
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
    FromStream { items: Box::pin(items), consumers: Consumers::default(), close: None }
}

impl<St> FromStream<St> {
    /// A stream that can be closed, and is when the stage is drained.
    pub(super) fn closed_by(mut self, close: fn(Pin<&mut St>)) -> Self {
        self.close = Some(close);
        self
    }

    /// What the stage does when its last consumer has gone.
    #[must_use]
    pub fn on_cancel(mut self, on_cancel: OnCancel) -> Self {
        self.consumers.on_cancel = on_cancel;
        self
    }
}

impl<St> FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    /// Emits what is ready; pending if nothing is.
    fn poll_emit(&mut self, due: usize, cx: &mut Context<Self>, poller: &mut Poller<'_>) -> Poll<()> {
        for emitted in 0..due {
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

impl<St> Producer for FromStream<St>
where
    St: Stream + Send + 'static,
    St::Item: Send + 'static,
{
    type Event = St::Item;

    // The items come of themselves, so they are waited for beside the mailbox and not in a handler, which would hold up
    // everything else.
    fn has_source(&self, due: usize) -> bool {
        due > 0
    }

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.consumers.come();
        Ok(())
    }

    async fn on_drain(&mut self, cx: &mut Context<Self>) -> Result {
        match self.close {
            Some(close) => close(self.items.as_mut()),
            None => cx.finish(),
        }
        Ok(())
    }

    async fn handle_cancel(&mut self, _: &Cancelled, cx: &mut Context<Self>) -> Result {
        self.consumers.gone(cx);
        Ok(())
    }

    async fn source(&mut self, due: usize, cx: &mut Context<Self>) -> Result {
        consume_budget().await;
        poll_fn(|poller| self.poll_emit(due.min(AT_A_TIME), cx, poller)).await;
        Ok(())
    }
}

impl<St> std::fmt::Debug for FromStream<St> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FromStream").finish_non_exhaustive()
    }
}
