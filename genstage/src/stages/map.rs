use std::marker::PhantomData;

use crate::prelude::*;

/// A producer-consumer that turns every event into another; see [`map`].
#[stage(producer_consumer)]
pub struct Map<F, T, U> {
    f: F,
    types: PhantomData<fn(T) -> U>,
}

/// A producer-consumer that emits `f(event)` for every event.
///
/// Where `f` calls methods of the event, name the event's type, which the compiler learns only later:
/// `map(|word: String| word.len())`.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// pipeline! {
///     from_iter(0..10) => map(|n| n * 2) => for_each(|n| assert!(n % 2 == 0));
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn map<F, T, U>(f: F) -> Map<F, T, U>
where
    F: FnMut(T) -> U,
{
    Map { f, types: PhantomData }
}

impl<F, T, U> ProducerConsumer for Map<F, T, U>
where
    F: FnMut(T) -> U + Send + 'static,
    T: Send + 'static,
    U: Send + 'static,
{
    type Input = T;
    type Output = U;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(&mut self.f));
        Ok(())
    }
}

impl<F, T, U> std::fmt::Debug for Map<F, T, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Map").finish_non_exhaustive()
    }
}
