use tokio::task::coop::consume_budget;

use super::AT_A_TIME;
use super::on_cancel::{Consumers, OnCancel};
use crate::prelude::*;
use crate::{Cancelled, Subscription};

/// A producer of the items of an iterator; see [`from_iter`].
#[stage(producer)]
#[derive(Debug)]
pub struct FromIter<I> {
    items: I,
    consumers: Consumers,
}

/// A producer that emits the items of an iterator, as many as are asked for, and finishes at its end.
///
/// The iterator runs in the stage's task: one that blocks (on a file, say) blocks a worker thread of the runtime.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     from_iter(0..10) => for_each(|n| println!("{n}"));
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stages()[0].events_out, 10);
/// # Ok(())
/// # }
/// ```
pub fn from_iter<I: IntoIterator>(items: I) -> FromIter<I::IntoIter> {
    FromIter { items: items.into_iter(), consumers: Consumers::default() }
}

impl<I> FromIter<I> {
    /// What the stage does when its last consumer has gone.
    #[must_use]
    pub fn on_cancel(mut self, on_cancel: OnCancel) -> Self {
        self.consumers.on_cancel = on_cancel;
        self
    }
}

impl<I> Producer for FromIter<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    type Event = I::Item;

    fn has_source(&self, due: usize) -> bool {
        due > 0
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.emit(demand, cx);
        Ok(())
    }

    async fn handle_subscribe(&mut self, _: &Subscription, _: &mut Context<Self>) -> Result {
        self.consumers.come();
        Ok(())
    }

    async fn handle_cancel(&mut self, _: &Cancelled, cx: &mut Context<Self>) -> Result {
        self.consumers.gone(cx);
        Ok(())
    }

    /// The rest, if more was asked for than is emitted at a time.
    async fn source(&mut self, due: usize, cx: &mut Context<Self>) -> Result {
        consume_budget().await;
        self.emit(due, cx);
        Ok(())
    }
}

impl<I> FromIter<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    fn emit(&mut self, demand: usize, cx: &mut Context<Self>) {
        for _ in 0..demand.min(AT_A_TIME) {
            match self.items.next() {
                Some(item) => cx.emit(item),
                None => {
                    cx.finish();
                    break;
                }
            }
        }
    }
}
