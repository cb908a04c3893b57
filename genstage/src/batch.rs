use std::ops::{Deref, DerefMut};
use std::vec;

use crate::Subscription;
use crate::subscription::SubscriptionId;

/// The events of one call of an event handler, lent to it.
///
/// A batch derefs to a slice. Take the events out with [`drain`](Self::drain), which leaves the buffer to be sent back
/// to the producer and used again, or with [`take`](Self::take), which does not. What the handler leaves in the batch
/// counts as handled and is dropped.
///
/// ```
/// use genstage::prelude::*;
///
/// #[stage(consumer)]
/// struct Totals;
///
/// impl Consumer for Totals {
///     type Event = u64;
///
///     async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
///         let largest = events.iter().max(); // as a slice
///         println!("{} events, the largest is {largest:?}", events.len());
///         let sum: u64 = events.drain().sum(); // one by one
///         println!("{sum} together");
///         Ok(())
///     }
/// }
/// # #[tokio::main]
/// # async fn main() -> Result {
/// # pipeline! { totals = Totals; from_iter(0..10) => totals; }.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Batch<T> {
    pub(crate) events: Vec<T>,
    /// The subscription over which they came.
    pub(crate) from: Option<SubscriptionId>,
}

impl<T> Batch<T> {
    pub(crate) fn new(events: Vec<T>, from: Option<SubscriptionId>) -> Self {
        Self { events, from }
    }

    /// Whether the events came over that subscription, as it was handed to `handle_subscribe`. All events of a batch came over the same.
    pub fn came_over(&self, subscription: &Subscription) -> bool {
        self.from == Some(subscription.id)
    }

    /// Takes all events out, in order; the buffer stays and goes back upstream.
    ///
    /// Dropping the iterator early drops the events that are left in it.
    pub fn drain(&mut self) -> vec::Drain<'_, T> {
        self.events.drain(..)
    }

    /// Takes all events out as a vector that is yours to keep.
    ///
    /// The buffer leaves with it, so the producer has to allocate another: prefer [`drain`](Self::drain) where it does.
    pub fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.events)
    }

    /// All of it, to be handled elsewhere.
    pub(crate) fn move_out(&mut self) -> Self {
        Self::new(self.take(), self.from)
    }

    /// The emptied buffer.
    pub(crate) fn into_buffer(mut self) -> Vec<T> {
        self.events.clear();
        self.events
    }
}

impl<T> Deref for Batch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.events
    }
}

impl<T> DerefMut for Batch<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.events
    }
}

impl<'a, T> IntoIterator for &'a Batch<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut Batch<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter_mut()
    }
}
