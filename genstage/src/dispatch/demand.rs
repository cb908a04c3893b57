use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{ConsumerKey, Dispatcher, NotDispatched, Outbox};

/// Sends events to the consumer with the largest outstanding demand first.
///
/// One contiguous run of events for each consumer served; among equals, the one whose demand has been what it is for
/// longest. O(log n) in the number of consumers for each ask and for each consumer served.
#[derive(Debug, Default)]
pub struct DemandDispatcher {
    /// Every consumer that has demand, the next to be served first.
    order: BTreeSet<(Reverse<usize>, u64, usize)>,
    /// By the consumer's key: its outstanding demand and its turn among equals.
    demands: Vec<(usize, u64)>,
    /// The sum of all demands, which may be more than a `usize` holds.
    total: u128,
    turn: u64,
}

impl DemandDispatcher {
    fn set(&mut self, consumer: usize, demand: usize) {
        let Some(entry) = self.demands.get_mut(consumer) else { return };
        let (old, turn) = std::mem::replace(entry, (demand, self.turn));
        if old > 0 {
            self.order.remove(&(Reverse(old), turn, consumer));
        }
        if demand > 0 {
            self.order.insert((Reverse(demand), self.turn, consumer));
        }
        self.total = self.total - old as u128 + demand as u128;
        self.turn += 1;
    }
}

impl<T: Send + 'static> Dispatcher<T> for DemandDispatcher {
    type Options = ();

    fn subscribe(&mut self, consumer: ConsumerKey, (): ()) -> Result<(), NotDispatched> {
        let consumer = consumer.index();
        if self.demands.len() <= consumer {
            self.demands.resize(consumer + 1, (0, 0));
        }
        self.set(consumer, 0);
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey) {
        self.set(consumer.index(), 0);
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<T>) {
        let Some(&(outstanding, _)) = self.demands.get(consumer.index()) else { return };
        self.set(consumer.index(), outstanding.saturating_add(demand));
    }

    fn wanted(&self) -> usize {
        usize::try_from(self.total).unwrap_or(usize::MAX)
    }

    fn dispatch(&mut self, events: &mut Vec<T>, mut count: usize, out: &mut Outbox<T>) {
        while count > 0 {
            let Some(&(Reverse(demand), _, consumer)) = self.order.first() else { break };
            let served = demand.min(count);
            count -= served;
            self.set(consumer, demand - served);
            out.send_first(ConsumerKey(consumer), served, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::Recorder;

    /// A dispatcher with `n` consumers, and what those receive.
    fn with_consumers(n: usize) -> (DemandDispatcher, Outbox<u32>, Recorder<u32>) {
        let (mut dispatcher, recorder) = (DemandDispatcher::default(), Recorder::default());
        let outbox = recorder.outbox(n);
        for consumer in 0..n {
            Dispatcher::<u32>::subscribe(&mut dispatcher, ConsumerKey(consumer), ()).unwrap();
        }
        (dispatcher, outbox, recorder)
    }

    fn ask(dispatcher: &mut DemandDispatcher, asks: &[(usize, usize)], out: &mut Outbox<u32>) {
        asks.iter().for_each(|&(consumer, demand)| dispatcher.ask(ConsumerKey(consumer), demand, out));
    }

    fn wanted(dispatcher: &DemandDispatcher) -> usize {
        Dispatcher::<u32>::wanted(dispatcher)
    }

    /// What is left of the events.
    fn dispatch(dispatcher: &mut DemandDispatcher, events: &[u32], out: &mut Outbox<u32>) -> Vec<u32> {
        let mut events = events.to_vec();
        let count = wanted(dispatcher).min(events.len());
        dispatcher.dispatch(&mut events, count, out);
        events
    }

    #[test]
    fn largest_demand_first_and_what_nobody_wants_is_left() {
        let (mut dispatcher, mut out, recorder) = with_consumers(3);
        ask(&mut dispatcher, &[(0, 4), (1, 2), (2, 3), (2, 2), (1, 4)], &mut out);
        assert_eq!(wanted(&dispatcher), 15);
        let left = dispatch(&mut dispatcher, &(0..17).collect::<Vec<_>>(), &mut out);
        assert_eq!(
            recorder.events(),
            [(1, vec![0, 1, 2, 3, 4, 5]), (2, vec![6, 7, 8, 9, 10]), (0, vec![11, 12, 13, 14])]
        );
        assert_eq!((left, wanted(&dispatcher)), (vec![15, 16], 0));
    }

    #[test]
    fn equals_take_turns() {
        let (mut dispatcher, mut out, recorder) = with_consumers(2);
        ask(&mut dispatcher, &[(0, 2), (1, 2)], &mut out);
        for n in 0..4 {
            dispatch(&mut dispatcher, &[n], &mut out);
        }
        assert_eq!(recorder.events(), [(0, vec![0]), (1, vec![1]), (0, vec![2]), (1, vec![3])]);
    }

    #[test]
    fn a_cancelled_consumers_demand_is_gone() {
        let (mut dispatcher, mut out, recorder) = with_consumers(2);
        ask(&mut dispatcher, &[(0, 5), (1, 1)], &mut out);
        Dispatcher::<u32>::cancel(&mut dispatcher, ConsumerKey(0));
        let left = dispatch(&mut dispatcher, &[7, 8], &mut out);
        assert_eq!((recorder.events(), left), (vec![(1, vec![7])], vec![8]));
    }

    #[test]
    fn demand_saturates_for_each_consumer() {
        let (mut dispatcher, mut out, _) = with_consumers(2);
        ask(&mut dispatcher, &[(0, usize::MAX), (0, usize::MAX), (1, 5)], &mut out);
        assert_eq!(wanted(&dispatcher), usize::MAX);
        Dispatcher::<u32>::cancel(&mut dispatcher, ConsumerKey(0));
        assert_eq!(wanted(&dispatcher), 5);
    }
}
