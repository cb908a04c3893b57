use std::collections::VecDeque;

use super::{ConsumerKey, Outbox};
use crate::buffer::Marker;

/// A partition: its consumer, what that has asked for, and what is queued for it.
pub(super) struct Slot<T> {
    pub(super) consumer: Option<ConsumerKey>,
    /// Its consumer has gone, and no other has come.
    pub(super) abandoned: bool,
    /// What the consumer has asked for and not been sent.
    pub(super) demand: usize,
    /// What nobody has asked for; during a dispatch also what is about to be sent.
    pub(super) queue: VecDeque<T>,
    /// Everything that was asked for has been sent: infos wait for the next ask, as in GenStage.
    exhausted: bool,
    /// Infos that wait, each with the number of the event before which it stands.
    infos: VecDeque<(u64, Marker)>,
    /// The number of the first event in the queue. It wraps.
    first: u64,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self {
            consumer: None,
            abandoned: false,
            demand: 0,
            queue: VecDeque::new(),
            exhausted: false,
            infos: VecDeque::new(),
            first: 0,
        }
    }

    /// Sends what is queued, as far as it was asked for: in one message, but for infos between. Those whose turn comes go to
    /// `release`.
    pub(super) fn serve(&mut self, out: &mut Outbox<T>, mut release: impl FnMut(Marker, &mut Outbox<T>)) {
        while self.demand > 0 {
            let before_info = self.infos.front().map(|(number, _)| number.wrapping_sub(self.first) as usize);
            self.send(before_info.unwrap_or(self.queue.len()), out);
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
            let mut batch = out.spare();
            batch.extend(self.queue.drain(..count));
            self.first = self.first.wrapping_add(count as u64);
            self.demand -= count;
            out.send(consumer, batch);
        }
    }

    /// Puts events before all others. What its consumer has asked for is void.
    pub(super) fn put_back(&mut self, events: Vec<T>) {
        self.demand = 0;
        self.exhausted = true;
        self.first = self.first.wrapping_sub(events.len() as u64);
        events.into_iter().rev().for_each(|event| self.queue.push_front(event));
    }

    /// An info stands behind what is queued. False if its turn is now.
    pub(super) fn hold(&mut self, info: Marker) -> bool {
        let waits = self.exhausted || !self.queue.is_empty();
        if waits {
            self.infos.push_back((self.first.wrapping_add(self.queue.len() as u64), info));
        }
        waits
    }

    /// Its consumer has gone. Events stay, for the next one; infos, which come back, do not wait for it.
    pub(super) fn abandon(&mut self) -> VecDeque<(u64, Marker)> {
        (self.consumer, self.abandoned, self.demand) = (None, true, 0);
        std::mem::take(&mut self.infos)
    }
}
