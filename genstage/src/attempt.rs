//! Functions of one event that may fail, or take too long: what [`map_concurrent`](crate::map_concurrent) is given.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How often something is tried, and how long to wait in between; for [`retry`].
///
/// The first wait is as stated, each further one is twice as long as the last, up to a minute; or no longer than the first, if that is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    tries: usize,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// At most so many tries, at least 1, and the wait between the first and the second.
    #[must_use]
    pub const fn new(tries: usize, first: Duration) -> Self {
        Self { tries, first, longest: Duration::from_secs(60) }
    }

    /// The longest wait, in place of a minute.
    #[must_use]
    pub const fn longest(mut self, wait: Duration) -> Self {
        self.longest = wait;
        self
    }
}

/// What an attempt at an event comes to.
pub type Attempt<U, E> = Pin<Box<dyn Future<Output = Result<U, E>> + Send>>;

/// Something took longer than it was given; see [`timeout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it took longer than {0:?}")]
pub struct TimedOut(pub Duration);

/// A function that calls `f` with an event until that succeeds, or there have been as many tries as `backoff` allows: then the last
/// error is what comes of it.
///
/// In [`map_concurrent`](crate::map_concurrent) an event that waits for its next try is in flight, and holds its place: so a service
/// that fails is asked less, and the producers are slowed down.
///
/// ```
/// use std::time::Duration;
///
/// use genstage::prelude::*;
/// use genstage::{Backoff, Error, TimedOut, retry, timeout};
///
/// async fn get(id: u32) -> Result<String> {
///     Ok(id.to_string())
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let backoff = Backoff::new(5, Duration::from_millis(100));
/// let patiently = retry(backoff, timeout(Duration::from_secs(2), get));
/// pipeline! {
///     pages = map_concurrent(8, patiently);
///     from_iter(0..100) => pages => for_each(|page: Result<String>| println!("{page:?}"));
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn retry<F, T, Fut, U, E>(backoff: Backoff, f: F) -> impl Fn(T) -> Attempt<U, E> + Send + Sync + 'static
where
    F: Fn(T) -> Fut + Send + Sync + 'static,
    T: Clone + Send + 'static,
    Fut: Future<Output = Result<U, E>> + Send,
{
    let f = Arc::new(f);
    move |event| {
        let f = f.clone();
        Box::pin(async move {
            let mut wait = backoff.first;
            for _ in 1..backoff.tries {
                if let Ok(done) = f(event.clone()).await {
                    return Ok(done);
                }
                tokio::time::sleep(wait.min(backoff.longest.max(backoff.first))).await;
                wait = wait.saturating_mul(2);
            }
            f(event).await
        })
    }
}

/// A function that calls `f` with an event, and gives up when that has taken longer than `limit`: then the future is dropped, and what
/// comes of it is [`TimedOut`], as an error of the kind that `f` has.
///
/// Around [`retry`] it limits all tries together, within it each by itself.
pub fn timeout<F, T, Fut, U, E>(limit: Duration, f: F) -> impl Fn(T) -> Attempt<U, E> + Send + Sync + 'static
where
    F: Fn(T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<U, E>> + Send + 'static,
    E: From<TimedOut>,
{
    move |event| {
        let done = tokio::time::timeout(limit, f(event));
        Box::pin(async move { done.await.unwrap_or_else(|_| Err(TimedOut(limit).into())) })
    }
}
