use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{ConsumerKey, Dispatcher, NotDispatched, Outbox};
use crate::telemetry;

/// Sends events to the consumer with the largest outstanding demand first.
///
/// One contiguous run of events for each consumer served; among equals, the one whose demand has been what it is for
/// longest. O(log n) in the number of consumers for each ask and for each consumer served.
#[derive(Debug, Default)]
pub struct DemandDispatcher {
    /// Every consumer that has demand, the next to be served at the top; and what was true of consumers before. As long as there is
    /// only one consumer, neither this nor the sum is kept.
    order: BinaryHeap<Place>,
    /// By the consumer's key: its outstanding demand and its turn among equals.
    demands: Vec<(usize, u64)>,
    /// The sum of all demands, which may be more than a `usize` holds; and as much of it as one does.
    total: u128,
    wanted: usize,
    turn: u64,
    max_demand: Option<usize>,
    /// The seed by which the consumers of the first dispatch are shuffled.
    shuffle: Option<u64>,
}

/// A consumer's demand, its turn among equals, and its key.
type Place = (usize, Reverse<u64>, usize);

impl DemandDispatcher {
    /// A dispatcher without consumers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports, by a `tracing` warning, a consumer that asks for more than that at once: it would get most of the events.
    /// The ask is met all the same.
    #[must_use]
    pub fn max_demand(mut self, events: usize) -> Self {
        self.max_demand = Some(events);
        self
    }

    /// Serves the consumers of the first dispatch in an order that depends on the seed, so that those of many producers are
    /// not served in the same order everywhere.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.shuffle = Some(seed);
        self
    }

    /// The consumers that have demand, in an order that depends on the seed.
    fn shuffled(&self, seed: u64) -> Vec<usize> {
        let mut places: Vec<_> = self.order.iter().filter(|place| self.is_true(place)).collect();
        places.sort_unstable_by(|one, other| other.cmp(one));
        let mut consumers: Vec<_> = places.into_iter().map(|&(_, _, consumer)| consumer).collect();
        let mut state = seed;
        for last in (1..consumers.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            consumers.swap(last, (state >> 33) as usize % (last + 1));
        }
        consumers
    }

    /// Whether that is the consumer's place still.
    fn is_true(&self, &(demand, Reverse(turn), consumer): &Place) -> bool {
        self.demands[consumer] == (demand, turn)
    }

    /// Takes out the consumer that is to be served next.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        while let Some(place) = self.order.pop() {
            if self.is_true(&place) {
                return Some(place.2);
            }
        }
        None
    }

    #[inline]
    fn set(&mut self, consumer: usize, demand: usize) {
        if let [(alone, _)] = &mut self.demands[..] {
            *alone = demand;
            self.wanted = demand;
            return;
        }
        self.set_among_others(consumer, demand);
    }

    fn set_among_others(&mut self, consumer: usize, demand: usize) {
        let Some(entry) = self.demands.get_mut(consumer) else { return };
        let (old, _) = std::mem::replace(entry, (demand, self.turn));
        self.total = self.total - old as u128 + demand as u128;
        self.wanted = usize::try_from(self.total).unwrap_or(usize::MAX);
        self.order(consumer);
    }

    /// Puts a consumer in its place.
    fn order(&mut self, consumer: usize) {
        let (demand, turn) = self.demands[consumer];
        self.turn += 1;
        if demand > 0 {
            self.order.push((demand, Reverse(turn), consumer));
        }
        // What is not true any more is as much as what is, at most.
        if self.order.len() > 2 * self.demands.len() {
            let demands = &self.demands;
            self.order.retain(|&(demand, Reverse(turn), consumer)| demands[consumer] == (demand, turn));
        }
    }

    /// Serves several consumers, or none.
    fn dispatch_among<T>(&mut self, events: &mut Vec<T>, mut count: usize, out: &mut Outbox<T>) {
        if let Some(seed) = self.shuffle.take_if(|_| count > 0) {
            for consumer in self.shuffled(seed) {
                if count > 0 {
                    count -= self.serve(consumer, count, events, out);
                }
            }
        }
        while count > 0
            && let Some(consumer) = self.next()
        {
            count -= self.serve(consumer, count, events, out);
        }
    }

    /// Sends a consumer as many of the events as it wants; how many it got.
    #[inline]
    fn serve<T>(&mut self, consumer: usize, count: usize, events: &mut Vec<T>, out: &mut Outbox<T>) -> usize {
        let (demand, _) = self.demands[consumer];
        let served = demand.min(count);
        // What one that has ended does not accept is not overtaken by what others get.
        match out.send_first(ConsumerKey(consumer), served, events) {
            true => {
                self.set(consumer, demand - served);
                served
            }
            false => {
                self.set(consumer, 0);
                0
            }
        }
    }
}

impl<T: Send + 'static> Dispatcher<T> for DemandDispatcher {
    type Options = ();

    fn subscribe(&mut self, consumer: ConsumerKey, (): ()) -> Result<(), NotDispatched> {
        let consumer = consumer.index();
        if self.demands.len() <= consumer {
            let was_alone = self.demands.len() == 1;
            self.demands.resize(consumer + 1, (0, 0));
            if was_alone {
                self.total = self.wanted as u128;
                self.order(0);
            }
        }
        self.set(consumer, 0);
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey, _: &mut Outbox<T>) {
        self.set(consumer.index(), 0);
    }

    #[inline]
    fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<T>) {
        if let Some(max_demand) = self.max_demand.filter(|max| demand > *max) {
            telemetry::asks_for_more(demand, max_demand);
        }
        let Some(&(outstanding, _)) = self.demands.get(consumer.index()) else { return };
        self.set(consumer.index(), outstanding.saturating_add(demand));
    }

    fn wanted(&self) -> usize {
        self.wanted
    }

    #[inline]
    fn dispatch(&mut self, events: &mut Vec<T>, count: usize, out: &mut Outbox<T>) {
        match self.demands[..] {
            [(demand, _)] => {
                self.shuffle = None;
                if demand.min(count) > 0 {
                    self.serve(0, count, events, out);
                }
            }
            _ => self.dispatch_among(events, count, out),
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
        dispatcher.cancel(ConsumerKey(0), &mut out);
        let left = dispatch(&mut dispatcher, &[7, 8], &mut out);
        assert_eq!((recorder.events(), left), (vec![(1, vec![7])], vec![8]));
    }

    /// Line 124 of the catalogue.
    #[test]
    fn c124_the_first_dispatch_is_shuffled() {
        let mut orders = vec![];
        for seed in 0..20 {
            let (mut dispatcher, mut out, recorder) = with_consumers(2);
            dispatcher.shuffle = Some(seed);
            ask(&mut dispatcher, &[(0, 3), (1, 2)], &mut out);
            dispatch(&mut dispatcher, &[1, 2, 3, 4, 5], &mut out);
            orders.push(recorder.events());
            ask(&mut dispatcher, &[(0, 3), (1, 2)], &mut out);
            dispatch(&mut dispatcher, &[6, 7, 8, 9, 10], &mut out);
            assert_eq!(recorder.events(), [(0, vec![6, 7, 8]), (1, vec![9, 10])]);
        }
        assert!(orders.contains(&vec![(0, vec![1, 2, 3]), (1, vec![4, 5])]));
        assert!(orders.contains(&vec![(1, vec![1, 2]), (0, vec![3, 4, 5])]));
    }

    #[test]
    fn demand_saturates_for_each_consumer() {
        let (mut dispatcher, mut out, _) = with_consumers(2);
        ask(&mut dispatcher, &[(0, usize::MAX), (0, usize::MAX), (1, 5)], &mut out);
        assert_eq!(wanted(&dispatcher), usize::MAX);
        dispatcher.cancel(ConsumerKey(0), &mut out);
        assert_eq!(wanted(&dispatcher), 5);
    }
}
