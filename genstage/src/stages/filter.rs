use std::marker::PhantomData;

use crate::prelude::*;

/// A producer-consumer that keeps some of the events; see [`filter`].
#[stage(producer_consumer)]
pub struct Filter<F, T> {
    keep: F,
    types: PhantomData<fn(T)>,
}

/// A producer-consumer that emits the events for which `keep` holds and drops the others.
///
/// Where `keep` calls methods of the event, name the event's type: `filter(|word: &String| !word.is_empty())`.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     evens = filter(|n| n % 2 == 0);
///     from_iter(0..10) => evens => for_each(|n| println!("{n}"));
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stage("evens").map(|evens| evens.events_out), Some(5));
/// # Ok(())
/// # }
/// ```
pub fn filter<F, T>(keep: F) -> Filter<F, T>
where
    F: FnMut(&T) -> bool,
{
    Filter { keep, types: PhantomData }
}

impl<F, T> ProducerConsumer for Filter<F, T>
where
    F: FnMut(&T) -> bool + Send + 'static,
    T: Send + 'static,
{
    type Input = T;
    type Output = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().filter(&mut self.keep));
        Ok(())
    }
}

impl<F, T> std::fmt::Debug for Filter<F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").finish_non_exhaustive()
    }
}
