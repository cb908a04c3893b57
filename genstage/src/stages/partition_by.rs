use std::hash::Hash;
use std::marker::PhantomData;

use crate::PartitionDispatcher;
use crate::prelude::*;

/// A producer-consumer that keeps events of one key together; see [`partition_by`].
#[stage(producer_consumer, dispatcher = PartitionDispatcher::<T>::by_key(self.partitions, self.key.clone()))]
pub struct PartitionBy<F, T, K>
where
    F: Fn(&T) -> K + Clone + Send + 'static,
    T: Send + 'static,
    K: Hash + 'static,
{
    partitions: usize,
    key: F,
    types: PhantomData<fn(T) -> K>,
}

/// A producer-consumer that passes events on to so many partitions, by the [stable hash](crate::stable_hash) of a key: events of one key
/// go to one consumer, in order.
///
/// The replicas of its consumer are the partitions: so events of different keys are worked on at the same time, and events of one key
/// one after the other. (Of this stage itself there is one: replicas of it would let events of one key overtake each other.) `start` refuses another number of replicas than of partitions. What is queued for a partition that is behind is
/// bounded: see [`PartitionDispatcher`](crate::PartitionDispatcher).
///
/// ```
/// use genstage::prelude::*;
///
/// struct Order {
///     customer: u32,
///     total: u32,
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let orders = (0..100).map(|n| Order { customer: n % 7, total: n });
/// pipeline! {
///     charge = for_each(|order: Order| println!("{}: {}", order.customer, order.total)), replicas: 4;
///     from_iter(orders) => partition_by(4, |order: &Order| order.customer) => charge;
/// }
/// .run()
/// .await?;
/// # Ok(())
/// # }
/// ```
pub fn partition_by<F, T, K>(partitions: usize, key: F) -> PartitionBy<F, T, K>
where
    F: Fn(&T) -> K + Clone + Send + 'static,
    T: Send + 'static,
    K: Hash + 'static,
{
    PartitionBy { partitions, key, types: PhantomData }
}

impl<F, T, K> ProducerConsumer for PartitionBy<F, T, K>
where
    F: Fn(&T) -> K + Clone + Send + 'static,
    T: Send + 'static,
    K: Hash + 'static,
{
    type Input = T;
    type Output = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }
}

impl<F, T, K> std::fmt::Debug for PartitionBy<F, T, K>
where
    F: Fn(&T) -> K + Clone + Send + 'static,
    T: Send + 'static,
    K: Hash + 'static,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionBy").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}
