use std::marker::PhantomData;

use crate::prelude::*;

/// A producer-consumer that turns every event into any number of others; see [`flat_map`].
#[stage(producer_consumer)]
pub struct FlatMap<F, T, U> {
    f: F,
    types: PhantomData<fn(T) -> U>,
}

/// A producer-consumer that emits every item of `f(event)` for every event.
///
/// What one event expands to beyond what is wanted waits in the stage's buffer, so `f` should not expand without bound.
/// Where `f` calls methods of the event, name the event's type.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// pipeline! {
///     from_iter([2, 3]) => flat_map(|n| vec!["hip"; n]) => for_each(|cheer| println!("{cheer}"));
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn flat_map<F, T, U>(f: F) -> FlatMap<F, T, U>
where
    F: FnMut(T) -> U,
    U: IntoIterator,
{
    FlatMap { f, types: PhantomData }
}

impl<F, T, U> ProducerConsumer for FlatMap<F, T, U>
where
    F: FnMut(T) -> U + Send + 'static,
    T: Send + 'static,
    U: IntoIterator + 'static,
    U::Item: Send + 'static,
{
    type Input = T;
    type Output = U::Item;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().flat_map(&mut self.f));
        Ok(())
    }
}

impl<F, T, U> std::fmt::Debug for FlatMap<F, T, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlatMap").finish_non_exhaustive()
    }
}
