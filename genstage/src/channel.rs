//! The channel in which a stage's messages arrive: unbounded, with many senders and one receiver.
//!
//! Bounded it is by what its users send: events need credit, a user's message a permit. It has less to do than a channel for
//! everybody's use: a message is pushed under a lock, and the receiver takes all there are at once, so that its own lock is the
//! only one it takes for them. A send has happened or has not; nothing is ever on its way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

use parking_lot::{Mutex, MutexGuard};
use tokio::task::coop;

/// A new channel.
pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    // A stage that has nothing to do has room for one message.
    let queue = || VecDeque::with_capacity(1);
    let state = Mutex::new(State { queue: queue(), receiver: None, is_closed: false });
    let channel = Arc::new(Channel { state, senders: AtomicUsize::new(1) });
    (Sender(channel.clone()), Receiver { channel, taken: queue() })
}

struct Channel<T> {
    state: Mutex<State<T>>,
    senders: AtomicUsize,
}

struct State<T> {
    queue: VecDeque<T>,
    /// The receiver, if it waits.
    receiver: Option<Waker>,
    is_closed: bool,
}

impl<T> Channel<T> {
    /// Where to put messages, if any are accepted.
    #[inline]
    fn open(&self) -> Option<Open<'_, T>> {
        let state = self.state.lock();
        (!state.is_closed).then_some(Open(state))
    }
}

/// A channel that is open, as long as this is held.
struct Open<'a, T>(MutexGuard<'a, State<T>>);

impl<T> Open<'_, T> {
    #[inline]
    fn push(self, message: T) {
        let Self(mut state) = self;
        state.queue.push_back(message);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

/// Sends messages. The receiver learns when there is no sender any more.
pub(crate) struct Sender<T>(Arc<Channel<T>>);

impl<T> Sender<T> {
    /// Sends a message; it comes back if the channel is closed.
    pub(crate) fn send(&self, message: T) -> Result<(), T> {
        match self.0.open() {
            Some(state) => state.push(message),
            None => return Err(message),
        }
        Ok(())
    }

    /// Sends what `make` makes, under the channel's lock: what a message is made of is moved only once, to where it is to be read.
    /// False, and nothing is made, if the channel is closed.
    #[inline]
    pub(crate) fn send_made(&self, make: impl FnOnce() -> T) -> bool {
        let Some(state) = self.0.open() else { return false };
        state.push(make());
        true
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.state.lock().is_closed
    }

    /// How many messages the receiver has not taken.
    pub(crate) fn len(&self) -> usize {
        self.0.state.lock().queue.len()
    }

    pub(crate) fn downgrade(&self) -> WeakSender<T> {
        WeakSender(self.0.clone())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        // A receiver that did not see that it waits for nobody was under the lock before.
        let receiver = self.0.state.lock().receiver.take();
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

/// A sender that does not keep the receiver waiting.
pub(crate) struct WeakSender<T>(Arc<Channel<T>>);

impl<T> WeakSender<T> {
    /// A sender, if there is one still.
    pub(crate) fn upgrade(&self) -> Option<Sender<T>> {
        let one_more = |senders| (senders > 0).then_some(senders + 1);
        let upgraded = self.0.senders.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        upgraded.is_ok().then(|| Sender(self.0.clone()))
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Where the messages arrive. Dropping it closes the channel.
pub(crate) struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// What was taken out of the queue at once, and has not been looked at.
    taken: VecDeque<T>,
}

impl<T> Receiver<T> {
    /// Waits until there is a message to [`take`](Self::take); false if there will be none: the channel is closed, or there is no
    /// sender, and nothing is left. Cancellation safe.
    pub(crate) async fn ready(&mut self) -> bool {
        !self.taken.is_empty() || poll_fn(|cx| self.poll_ready(cx)).await
    }

    /// As [`ready`](Self::ready). Takes part in tokio's budgets: a task that finds messages again and again lets others run.
    #[inline]
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.taken.is_empty() {
            return Poll::Ready(true);
        }
        let budget = ready!(coop::poll_proceed(cx));
        let mut state = self.channel.state.lock();
        let is_there = !state.queue.is_empty();
        if is_there {
            mem::swap(&mut state.queue, &mut self.taken);
        } else if !state.is_closed && self.channel.senders.load(Ordering::Acquire) > 0 {
            let before = state.receiver.replace(cx.waker().clone());
            drop(state);
            // A waker that is dropped may run a destructor.
            drop(before);
            return Poll::Pending;
        }
        drop(state);
        budget.made_progress();
        Poll::Ready(is_there)
    }

    /// The next message, if the receiver is ready. (Apart from that, because a message is large, and moving it from hand to hand costs
    /// more than all else.)
    #[inline]
    pub(crate) fn take(&mut self) -> Option<T> {
        self.taken.pop_front()
    }

    /// The message that is next, if it is here already.
    #[inline]
    pub(crate) fn peek(&self) -> Option<&T> {
        self.taken.front()
    }

    /// Refuses everything from now on; what was sent before.
    pub(crate) fn close(&mut self) -> VecDeque<T> {
        let mut state = self.channel.state.lock();
        state.is_closed = true;
        let mut rest = mem::take(&mut self.taken);
        rest.append(&mut state.queue);
        rest
    }

    /// Whether nothing more can come: what has come may be there still.
    pub(crate) fn is_closed(&self) -> bool {
        self.channel.senders.load(Ordering::Acquire) == 0 || self.channel.state.lock().is_closed
    }

    /// How many messages there are.
    pub(crate) fn len(&self) -> usize {
        self.taken.len() + self.channel.state.lock().queue.len()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        drop(self.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn recv<T>(receiver: &mut Receiver<T>) -> Option<T> {
        receiver.ready().await.then(|| receiver.take()).flatten()
    }

    #[tokio::test]
    async fn messages_come_in_order_and_then_the_end() {
        let (sender, mut receiver) = channel();
        let other = sender.clone();
        let task = tokio::spawn(async move {
            for n in 0..1000 {
                other.send(n).unwrap();
                if n % 7 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        });
        drop(sender);
        for n in 0..1000 {
            assert_eq!(recv(&mut receiver).await, Some(n));
        }
        assert_eq!(recv(&mut receiver).await, None);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn a_closed_channel_gives_what_was_sent_and_refuses_more() {
        let (sender, mut receiver) = channel();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        assert_eq!(recv(&mut receiver).await, Some(1));
        sender.send(3).unwrap();
        assert_eq!(receiver.close(), [2, 3]);
        assert_eq!(sender.send(4), Err(4));
        assert!(sender.is_closed() && receiver.is_closed() && receiver.len() == 0);
        assert_eq!(recv(&mut receiver).await, None);
    }

    #[tokio::test]
    async fn a_weak_sender_keeps_nobody_waiting() {
        let (sender, mut receiver) = channel::<u8>();
        let weak = sender.downgrade();
        let waits = tokio::spawn(async move { recv(&mut receiver).await });
        tokio::task::yield_now().await;
        assert!(weak.upgrade().is_some());
        drop(sender);
        assert_eq!(waits.await.unwrap(), None);
        assert!(weak.clone().upgrade().is_none());
    }

    #[tokio::test]
    async fn the_end_of_the_receiver_drops_what_is_left() {
        let (sender, receiver) = channel();
        let message = Arc::new(());
        sender.send(message.clone()).unwrap();
        drop(receiver);
        assert_eq!(Arc::strong_count(&message), 1);
        assert!(sender.send(message).is_err());
    }

    #[tokio::test]
    async fn a_receiver_that_never_waits_lets_others_run() {
        let (sender, mut receiver) = channel();
        let (mut received, other) = (0, tokio::spawn(async {}));
        while !other.is_finished() {
            sender.send(()).unwrap();
            recv(&mut receiver).await;
            received += 1;
        }
        assert!(received < 1000);
    }
}
