use std::marker::PhantomData;

use crate::prelude::*;

/// A producer-consumer that passes events on; see [`merge`].
#[stage(producer_consumer)]
#[derive(Debug)]
pub struct Merge<T> {
    types: PhantomData<fn(T)>,
}

/// A producer-consumer that passes on the events of all its producers as they come.
///
/// Any stage may have several producers, so this is for where nothing else is done: to share the events of several producers among
/// several consumers without each having a subscription to each. Events of one producer keep their order. Each producer has a window of
/// demand for itself, so one that is idle, or fast, does not keep the others from being heard.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     left = from_iter(0..10);
///     right = from_iter(100..110);
///     all = merge();
///     print = for_each(|n: i32| println!("{n}")), replicas: 3;
///
///     { left, right } => all => print;
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stage("all").map(|all| all.events_out), Some(20));
/// # Ok(())
/// # }
/// ```
pub fn merge<T>() -> Merge<T> {
    Merge { types: PhantomData }
}

impl<T: Send + 'static> ProducerConsumer for Merge<T> {
    type Input = T;
    type Output = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}
