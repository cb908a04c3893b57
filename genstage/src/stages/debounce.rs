use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;

use super::reached;
use crate::role::{Paced, paced};
use crate::{Batch, Context};

/// A producer-consumer that waits for events to cease; see [`debounce`].
#[derive(Debug)]
pub struct Debounce<T> {
    quiet: Duration,
    last: Option<T>,
    until: Option<Instant>,
}

/// A producer-consumer that emits the last event of each burst, when nothing has come for as long as `quiet`.
///
/// The others are dropped: that is what it is for. It takes in what comes whether or not something is wanted of it, so its producers
/// go on, and a consumer that is late gets the newest event. When a producer ends, the last event goes out at once.
///
/// ```
/// use std::time::Duration;
///
/// use futures_util::{StreamExt, stream};
/// use genstage::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result {
/// let pauses = stream::iter([10, 10, 500, 10]);
/// let keys = pauses.then(|pause| async move {
///     tokio::time::sleep(Duration::from_millis(pause)).await;
///     pause
/// });
/// let summary = pipeline! {
///     typed = debounce(Duration::from_millis(100));
///     from_stream(keys) => typed => for_each(|key| println!("{key}"));
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stage("typed").map(|typed| typed.events_out), Some(2));
/// # Ok(())
/// # }
/// ```
pub fn debounce<T>(quiet: Duration) -> Debounce<T> {
    Debounce { quiet, last: None, until: None }
}

impl<T: Send + 'static> Paced for Debounce<T> {
    type Input = T;
    type Output = T;

    fn room(&self) -> usize {
        usize::MAX
    }

    fn held(&self) -> usize {
        usize::from(self.last.is_some())
    }

    fn take(&mut self, events: &mut Batch<T>) {
        self.last = events.drain().next_back();
        self.until = Instant::now().checked_add(self.quiet);
    }

    async fn work(&mut self, due: usize, hurry: bool, cx: &mut Context<Self>) {
        if due == 0 || self.last.is_none() {
            return pending().await;
        }
        if !hurry {
            reached(self.until).await;
        }
        cx.emit_all(self.last.take());
    }
}

paced!([T: Send + 'static] Debounce<T>);
