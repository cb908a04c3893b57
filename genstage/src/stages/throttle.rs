use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;

use super::reached;
use crate::role::{Paced, paced};
use crate::{Batch, Context};

/// A producer-consumer that lets events through at intervals; see [`throttle`].
#[derive(Debug)]
pub struct Throttle<T> {
    every: Duration,
    event: Option<T>,
    last: Option<Instant>,
}

/// A producer-consumer that lets one event through at a time, with at least `every` between two of them.
///
/// Nothing is dropped: the stage takes in the next event when the last one has gone out, and its producers are slowed down. It holds
/// for all its producers together and all its consumers together; time is measured to the millisecond. For more than some hundred
/// events a second, or a limit for each producer, say [`rate`](crate::Rate) at an edge.
///
/// ```
/// use std::time::Duration;
///
/// use genstage::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result {
/// let begin = tokio::time::Instant::now();
/// pipeline! {
///     from_iter(0..10) => throttle(Duration::from_secs(1)) => for_each(|request| println!("{request}"));
/// }
/// .run()
/// .await?;
/// assert!(begin.elapsed() >= Duration::from_secs(9));
/// # Ok(())
/// # }
/// ```
pub fn throttle<T>(every: Duration) -> Throttle<T> {
    Throttle { every, event: None, last: None }
}

impl<T: Send + 'static> Paced for Throttle<T> {
    type Input = T;
    type Output = T;

    fn room(&self) -> usize {
        1 - self.held()
    }

    fn held(&self) -> usize {
        usize::from(self.event.is_some())
    }

    fn take(&mut self, events: &mut Batch<T>) {
        self.event = events.drain().next();
    }

    async fn work(&mut self, due: usize, _: bool, cx: &mut Context<Self>) {
        if due == 0 || self.event.is_none() {
            pending().await
        }
        if let Some(last) = self.last {
            reached(last.checked_add(self.every)).await;
        }
        self.last = Some(Instant::now());
        cx.emit_all(self.event.take());
    }
}

paced!([T: Send + 'static] Throttle<T>);
