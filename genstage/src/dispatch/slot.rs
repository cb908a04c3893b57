use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::{ConsumerKey, Outbox};
use crate::buffer::Marker;

/// A partition: its consumer, what that has asked for, and what is queued for it.
pub(super) struct Slot<T> {
    pub(super) consumer: Option<ConsumerKey>,
    /// Its consumer has gone, and no other has come.
    pub(super) abandoned: bool,
    /// What the consumer has asked for and not been sent.
    pub(super) demand: usize,
    /// How much it asked for at last.
    asked: usize,
    /// How many events are queued: nobody has asked for them, or, during a dispatch, they are about to be sent.
    queued: usize,
    /// The queue, in batches of about as many events as the consumer asks for at a time: most are sent as they are. What comes
    /// goes to the last one, which is `filling`.
    batches: VecDeque<Vec<T>>,
    filling: Vec<T>,
    batch_size: usize,
    /// Everything that was asked for has been sent: infos wait for the next ask, as in GenStage.
    exhausted: bool,
    /// Infos that wait, each with the number of the event before which it stands.
    infos: VecDeque<(u64, Marker)>,
    /// The number of the first event in the queue. It wraps.
    first: u64,
}

/// How many events a batch in a queue is to have: a few are cut off from one more cheaply than kept in one of their own, and what
/// is left then has to be moved.
const BATCH_SIZES: RangeInclusive<usize> = 16..=1000;

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self {
            consumer: None,
            abandoned: false,
            demand: 0,
            asked: 0,
            queued: 0,
            batches: VecDeque::new(),
            filling: Vec::new(),
            batch_size: *BATCH_SIZES.start(),
            exhausted: false,
            infos: VecDeque::new(),
            first: 0,
        }
    }

    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// How much the consumer would take, if it were there at once: what it waits for, or as much as it asks for at a time.
    pub(super) fn appetite(&self) -> usize {
        self.demand.max(self.asked)
    }

    #[inline]
    pub(super) fn push(&mut self, event: T, out: &mut Outbox<T>) {
        self.filling.push(event);
        self.queued += 1;
        if self.filling.len() >= self.batch_size {
            self.begin_batch(out);
        }
    }

    fn begin_batch(&mut self, out: &mut Outbox<T>) {
        let mut next = out.spare();
        next.reserve(self.filling.len());
        self.batches.push_back(std::mem::replace(&mut self.filling, next));
    }

    /// Its consumer asks for so many events more; how much that comes to.
    pub(super) fn ask(&mut self, demand: usize) -> usize {
        let added = demand.min(usize::MAX - self.demand);
        self.demand += added;
        self.asked = demand;
        self.batch_size = demand.clamp(*BATCH_SIZES.start(), *BATCH_SIZES.end());
        added
    }

    /// Sends what is queued, as far as it was asked for: in one message, but for infos between. Those whose turn comes go to
    /// `release`.
    pub(super) fn serve(&mut self, out: &mut Outbox<T>, mut release: impl FnMut(Marker, &mut Outbox<T>)) {
        while self.demand > 0 {
            let before_info = self.infos.front().map(|(number, _)| number.wrapping_sub(self.first) as usize);
            self.send(before_info.unwrap_or(self.queued), out);
            self.exhausted = self.demand == 0;
            match self.infos.front() {
                Some((_, info)) if !self.exhausted => release(*info, out),
                _ => return,
            }
            self.infos.pop_front();
        }
    }

    /// Sends that many events, or as many as were asked for.
    fn send(&mut self, events: usize, out: &mut Outbox<T>) {
        let count = events.min(self.demand);
        if let Some(consumer) = self.consumer.filter(|_| count > 0) {
            self.demand -= count;
            let batch = self.take(count, out);
            out.send(consumer, batch);
        }
    }

    /// Takes that many events, of which there are as many, out of the queue.
    fn take(&mut self, count: usize, out: &mut Outbox<T>) -> Vec<T> {
        self.queued -= count;
        self.first = self.first.wrapping_add(count as u64);
        let mut taken = out.spare();
        while taken.len() < count {
            let next = self.batches.front_mut().unwrap_or(&mut self.filling);
            let missing = count - taken.len();
            match next.len() <= missing {
                true if taken.is_empty() => std::mem::swap(&mut taken, next),
                true => taken.append(next),
                false => taken.extend(next.drain(..missing)),
            }
            if next.is_empty() {
                self.batches.pop_front().into_iter().for_each(|emptied| out.recycle(emptied));
            }
        }
        taken
    }

    /// Puts events before all others. What its consumer has asked for is void.
    pub(super) fn put_back(&mut self, events: Vec<T>) {
        self.demand = 0;
        self.exhausted = true;
        self.queued += events.len();
        self.first = self.first.wrapping_sub(events.len() as u64);
        self.batches.push_front(events);
    }

    /// An info stands behind what is queued. False if its turn is now.
    pub(super) fn hold(&mut self, info: Marker) -> bool {
        let waits = self.exhausted || self.queued > 0;
        if waits {
            self.infos.push_back((self.first.wrapping_add(self.queued as u64), info));
        }
        waits
    }

    /// Its consumer has gone. Events stay, for the next one; infos, which come back, do not wait for it.
    pub(super) fn abandon(&mut self) -> VecDeque<(u64, Marker)> {
        (self.consumer, self.abandoned, self.demand) = (None, true, 0);
        std::mem::take(&mut self.infos)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::machine::testing::Recorder;

    #[derive(Clone, Debug)]
    enum Op {
        Push(u32),
        Ask(usize),
        PutBack(usize),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            3 => (1..80u32).prop_map(Op::Push),
            4 => (0..60usize).prop_map(Op::Ask),
            1 => (0..20usize).prop_map(Op::PutBack),
        ];
        prop::collection::vec(op, 0..60)
    }

    fn slot() -> (Slot<u32>, Outbox<u32>, Recorder<u32>) {
        let recorder = Recorder::default();
        (Slot { consumer: Some(ConsumerKey(0)), ..Slot::new() }, recorder.outbox(1), recorder)
    }

    proptest! {
        /// In whatever batches it is queued: what was asked for is sent in order, and each time in one message.
        #[test]
        fn what_is_queued_is_sent_in_order(ops in ops()) {
            let (mut slot, mut out, recorder) = slot();
            let (mut pushed, mut sent) = (0, vec![]);
            for op in ops {
                match op {
                    Op::Push(events) => (pushed..pushed + events).for_each(|event| slot.push(event, &mut out)),
                    Op::Ask(demand) => _ = slot.ask(demand),
                    // The consumer has not handled what it was sent last.
                    Op::PutBack(events) => slot.put_back(sent.split_off(sent.len().saturating_sub(events))),
                }
                pushed += if let Op::Push(events) = op { events } else { 0 };
                let due = slot.demand.min(slot.queued());
                slot.serve(&mut out, |_, _| {});
                let messages = recorder.events();
                prop_assert_eq!(messages.len(), usize::from(due > 0));
                sent.extend(messages.into_iter().flat_map(|(_, events)| events));
                prop_assert_eq!(sent.len() + slot.queued(), pushed as usize);
            }
            prop_assert!(sent.into_iter().eq(0..pushed - slot.queued() as u32));
        }
    }

    #[test]
    fn a_batch_of_what_is_asked_for_is_sent_as_it_is() {
        let (mut slot, mut out, recorder) = slot();
        slot.batch_size = 20;
        (0..45).for_each(|event| slot.push(event, &mut out));
        assert_eq!(slot.batches.iter().map(Vec::len).collect::<Vec<_>>(), [20, 20]);
        let first = slot.batches[0].as_ptr();
        slot.ask(20);
        let taken = slot.take(20, &mut out);
        assert_eq!(taken.as_ptr(), first);
        assert!(recorder.events().is_empty());
    }
}
