use std::collections::VecDeque;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::task::{Context as Poller, Poll};

use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};

use crate::role::{Paced, paced};
use crate::{Batch, Context};

/// A producer-consumer that works on several events at a time; see [`map_concurrent`] and [`map_concurrent_unordered`].
pub struct MapConcurrent<F, T, Fut: Future> {
    f: F,
    limit: usize,
    /// How many events have been taken in, and nothing has come of them that went out. (A future that panics leaves `running`.)
    in_flight: usize,
    running: Running<Fut>,
    /// What has come of the events and nobody has wanted yet.
    ready: VecDeque<Fut::Output>,
    types: PhantomData<fn(T)>,
}

enum Running<Fut: Future> {
    Ordered(FuturesOrdered<Fut>),
    Unordered(FuturesUnordered<Fut>),
}

/// A producer-consumer that emits what `f(event)` comes to for every event, in the order of the events, and has `limit` (at least 1) of
/// them in flight.
///
/// An event is in flight from the call of `f` until what came of it has gone to a consumer. As long as there are events, exactly
/// `limit` of them are, whatever the consumers ask for and when: a slow consumer finds as many results waiting, and never more. Events
/// beyond that wait before the stage, as many as its subscriptions' `max_demand` says.
///
/// The futures run in the stage's task, one at a time between two of their `await`s; for work that computes, have `f` spawn a task and
/// await it. A panic in one is a failure of the stage, and the events in flight are lost with it, and counted so. Results that are
/// `Err` are events like others; see [`retry`](crate::retry) and [`timeout`](crate::timeout) for what to do before.
///
/// ```
/// use genstage::prelude::*;
///
/// # async fn get(id: u32) -> String { id.to_string() }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// pipeline! {
///     from_iter(0..100) => map_concurrent(8, |id| async move { get(id).await }) => for_each(|page: String| println!("{page}"));
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn map_concurrent<F, T, Fut>(limit: usize, f: F) -> MapConcurrent<F, T, Fut>
where
    F: FnMut(T) -> Fut,
    Fut: Future,
{
    MapConcurrent::new(limit, f, Running::Ordered(FuturesOrdered::new()))
}

/// As [`map_concurrent`], but what is ready first is emitted first, so one slow event does not hold up the others.
pub fn map_concurrent_unordered<F, T, Fut>(limit: usize, f: F) -> MapConcurrent<F, T, Fut>
where
    F: FnMut(T) -> Fut,
    Fut: Future,
{
    MapConcurrent::new(limit, f, Running::Unordered(FuturesUnordered::new()))
}

impl<Fut: Future> Running<Fut> {
    fn push(&mut self, future: Fut) {
        match self {
            Self::Ordered(futures) => futures.push_back(future),
            Self::Unordered(futures) => futures.push(future),
        }
    }

    fn poll_next(&mut self, poller: &mut Poller<'_>) -> Poll<Option<Fut::Output>> {
        match self {
            Self::Ordered(futures) => futures.poll_next_unpin(poller),
            Self::Unordered(futures) => futures.poll_next_unpin(poller),
        }
    }
}

impl<F, T, Fut: Future> MapConcurrent<F, T, Fut> {
    fn new(limit: usize, f: F, running: Running<Fut>) -> Self {
        Self { f, limit: limit.max(1), in_flight: 0, running, ready: VecDeque::new(), types: PhantomData }
    }

    /// Has the futures go on, wanted or not, and hands out at most `due` results; pending if there are none to hand out.
    fn poll(&mut self, due: usize, poller: &mut Poller<'_>) -> Poll<impl Iterator<Item = Fut::Output> + '_> {
        while let Poll::Ready(Some(result)) = self.running.poll_next(poller) {
            self.ready.push_back(result);
        }
        let count = due.min(self.ready.len());
        if count == 0 {
            return Poll::Pending;
        }
        self.in_flight -= count;
        Poll::Ready(self.ready.drain(..count))
    }
}

impl<F, T, Fut> Paced for MapConcurrent<F, T, Fut>
where
    F: FnMut(T) -> Fut + Send + 'static,
    T: Send + 'static,
    Fut: Future<Output: Send> + Send + 'static,
{
    type Input = T;
    type Output = Fut::Output;

    fn room(&self) -> usize {
        self.limit - self.in_flight
    }

    fn held(&self) -> usize {
        self.in_flight
    }

    fn take(&mut self, events: &mut Batch<T>) {
        let taken = events.len();
        for event in events.drain() {
            self.running.push((self.f)(event));
        }
        self.in_flight += taken;
    }

    async fn work(&mut self, due: usize, _: bool, cx: &mut Context<Self>) {
        poll_fn(|poller| self.poll(due, poller).map(|results| cx.emit_all(results))).await;
    }
}

paced!([
    F: FnMut(T) -> Fut + Send + 'static,
    T: Send + 'static,
    Fut: Future<Output: Send> + Send + 'static
] MapConcurrent<F, T, Fut>);

impl<F, T, Fut: Future> std::fmt::Debug for MapConcurrent<F, T, Fut> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapConcurrent").field("limit", &self.limit).finish_non_exhaustive()
    }
}
