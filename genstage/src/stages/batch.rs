use std::future::pending;
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use super::reached;
use crate::role::{Paced, paced};
use crate::{Batch, Context};

/// A producer-consumer that puts events together; see [`batch`].
#[derive(Debug)]
pub struct Batching<T> {
    size: usize,
    within: Duration,
    events: Vec<T>,
    /// When what there is goes out, however little; none if that is beyond all time.
    until: Option<Instant>,
}

/// A producer-consumer that emits events in vectors: of `size` events (at least 1), or of fewer if `within` has passed since the first
/// of them came.
///
/// A vector goes out when somebody wants one. Until then it takes more events in, up to `size`; then nothing more is taken in, and its
/// producers learn of that by the demand that they do not get. So there is one vector at most, and a consumer that is late gets full
/// ones. What there is when a producer ends goes out as soon as it is wanted. With [`Duration::MAX`] time plays no part.
///
/// ```
/// use std::time::Duration;
///
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     rows = batch(100, Duration::from_secs(1));
///     from_iter(0..250) => rows => for_each(|rows: Vec<u32>| println!("{} rows", rows.len())) [max_demand: 1];
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stage("rows").map(|rows| rows.events_out), Some(3));
/// # Ok(())
/// # }
/// ```
pub fn batch<T>(size: usize, within: Duration) -> Batching<T> {
    Batching { size: size.max(1), within, events: Vec::new(), until: None }
}

impl<T: Send + 'static> Paced for Batching<T> {
    type Input = T;
    type Output = Vec<T>;

    fn room(&self) -> usize {
        self.size - self.events.len()
    }

    fn held(&self) -> usize {
        self.events.len()
    }

    fn take(&mut self, events: &mut Batch<T>) {
        if self.events.is_empty() {
            self.until = Instant::now().checked_add(self.within);
        }
        self.events.extend(events.drain());
    }

    async fn work(&mut self, due: usize, hurry: bool, cx: &mut Context<Self>) {
        if due == 0 || self.events.is_empty() {
            return pending().await;
        }
        if !hurry && self.room() > 0 {
            reached(self.until).await;
        }
        cx.emit(mem::take(&mut self.events));
    }
}

paced!([T: Send + 'static] Batching<T>);
