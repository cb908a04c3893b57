use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::machine::Consumers;

/// Sends events to the consumer with the largest outstanding demand first.
///
/// One contiguous run of events for each consumer served; among equals, the one whose demand has been what it is for
/// longest. O(log n) in the number of consumers for each ask and for each consumer served.
#[derive(Debug, Default)]
pub(crate) struct DemandDispatcher {
    /// Every consumer that has demand, the next to be served first.
    order: BTreeSet<(Reverse<usize>, u64, usize)>,
    /// By the consumer's key: its outstanding demand and its turn among equals.
    demands: Vec<(usize, u64)>,
    total: usize,
    turn: u64,
}

impl DemandDispatcher {
    /// How many events the consumers are waiting for.
    pub(crate) fn wanted(&self) -> usize {
        self.total
    }

    pub(crate) fn subscribe(&mut self, consumer: usize) {
        if self.demands.len() <= consumer {
            self.demands.resize(consumer + 1, (0, 0));
        }
        self.set(consumer, 0);
    }

    pub(crate) fn cancel(&mut self, consumer: usize) {
        self.set(consumer, 0);
    }

    pub(crate) fn ask(&mut self, consumer: usize, demand: usize) {
        let outstanding = self.demands[consumer].0;
        // The total saturates with its parts, so that it stays their sum.
        let room = usize::MAX - self.total;
        self.set(consumer, outstanding + demand.min(room));
    }

    /// Sends what is wanted of `events` and leaves the rest in it.
    pub(crate) fn dispatch<T>(&mut self, events: &mut Vec<T>, consumers: &mut Consumers<T>) {
        while !events.is_empty() {
            let Some(&(Reverse(demand), _, consumer)) = self.order.first() else { break };
            let served = demand.min(events.len());
            self.set(consumer, demand - served);
            consumers.send_first(consumer, served, events);
        }
    }

    fn set(&mut self, consumer: usize, demand: usize) {
        let (old, turn) = std::mem::replace(&mut self.demands[consumer], (demand, self.turn));
        if old > 0 {
            self.order.remove(&(Reverse(old), turn, consumer));
        }
        if demand > 0 {
            self.order.insert((Reverse(demand), self.turn, consumer));
        }
        self.total = self.total - old + demand;
        self.turn += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::Recorder;

    /// Dispatchers with `n` consumers, and what those receive.
    fn with_consumers(n: usize) -> (DemandDispatcher, Consumers<u32>, Recorder<u32>) {
        let (mut dispatcher, recorder) = (DemandDispatcher::default(), Recorder::default());
        let consumers = recorder.consumers(n);
        (0..n).for_each(|consumer| dispatcher.subscribe(consumer));
        (dispatcher, consumers, recorder)
    }

    #[test]
    fn largest_demand_first_and_what_nobody_wants_is_left() {
        let (mut dispatcher, mut consumers, recorder) = with_consumers(3);
        for (consumer, demand) in [(0, 4), (1, 2), (2, 3), (2, 2), (1, 4)] {
            dispatcher.ask(consumer, demand);
        }
        assert_eq!(dispatcher.wanted(), 15);
        let mut events: Vec<u32> = (0..17).collect();
        dispatcher.dispatch(&mut events, &mut consumers);
        assert_eq!(
            recorder.events(),
            [(1, vec![0, 1, 2, 3, 4, 5]), (2, vec![6, 7, 8, 9, 10]), (0, vec![11, 12, 13, 14])]
        );
        assert_eq!((events, dispatcher.wanted()), (vec![15, 16], 0));
    }

    #[test]
    fn equals_take_turns() {
        let (mut dispatcher, mut consumers, recorder) = with_consumers(2);
        dispatcher.ask(0, 2);
        dispatcher.ask(1, 2);
        for n in 0..4 {
            dispatcher.dispatch(&mut vec![n], &mut consumers);
        }
        assert_eq!(recorder.events(), [(0, vec![0]), (1, vec![1]), (0, vec![2]), (1, vec![3])]);
    }

    #[test]
    fn a_cancelled_consumers_demand_is_gone() {
        let (mut dispatcher, mut consumers, recorder) = with_consumers(2);
        dispatcher.ask(0, 5);
        dispatcher.ask(1, 1);
        dispatcher.cancel(0);
        let mut events = vec![7, 8];
        dispatcher.dispatch(&mut events, &mut consumers);
        assert_eq!((recorder.events(), events), (vec![(1, vec![7])], vec![8]));
    }

    #[test]
    fn demand_saturates() {
        let (mut dispatcher, ..) = with_consumers(2);
        dispatcher.ask(0, usize::MAX);
        dispatcher.ask(0, usize::MAX);
        dispatcher.ask(1, 5);
        assert_eq!(dispatcher.wanted(), usize::MAX);
        dispatcher.cancel(0);
        assert_eq!(dispatcher.wanted(), 0);
    }
}
