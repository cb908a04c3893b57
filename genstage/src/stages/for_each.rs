use std::marker::PhantomData;

use crate::prelude::*;

/// A consumer that calls a closure; see [`for_each`].
#[stage(consumer)]
pub struct ForEach<F, T> {
    f: F,
    types: PhantomData<fn(T)>,
}

/// A consumer that calls `f` with every event.
///
/// Where `f` calls methods of the event, name the event's type: `for_each(|word: String| names.push(word.len()))`.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let mut sum = 0;
/// pipeline! {
///     from_iter(0..10) => for_each(move |n| { sum += n; println!("{sum}") });
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn for_each<F, T>(f: F) -> ForEach<F, T>
where
    F: FnMut(T),
{
    ForEach { f, types: PhantomData }
}

impl<F, T> Consumer for ForEach<F, T>
where
    F: FnMut(T) + Send + 'static,
    T: Send + 'static,
{
    type Event = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        events.drain().for_each(&mut self.f);
        Ok(())
    }
}

impl<F, T> std::fmt::Debug for ForEach<F, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForEach").finish_non_exhaustive()
    }
}
