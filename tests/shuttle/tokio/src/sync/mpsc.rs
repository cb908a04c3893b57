use std::task::{Context, Poll};

use real::sync::mpsc;
pub use real::sync::mpsc::error::{SendError, TryRecvError};
pub use real::sync::mpsc::{Receiver, Sender, channel};

use crate::point;

/// A bounded channel underneath, with room for everything: a message's place in it can be had before the message is sent.
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = mpsc::channel(real::sync::Semaphore::MAX_PERMITS);
    (UnboundedSender(sender), UnboundedReceiver { inner: receiver, closed: false })
}

pub struct UnboundedSender<T>(mpsc::Sender<T>);

impl<T> UnboundedSender<T> {
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        point();
        // There is always room.
        let Ok(place) = self.0.try_reserve() else { return Err(SendError(message)) };
        point();
        place.send(message);
        point();
        Ok(())
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Drop for UnboundedSender<T> {
    fn drop(&mut self) {
        point();
    }
}

pub struct UnboundedReceiver<T> {
    inner: mpsc::Receiver<T>,
    closed: bool,
}

impl<T> UnboundedReceiver<T> {
    pub async fn recv(&mut self) -> Option<T> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        point();
        let received = self.inner.poll_recv(cx);
        if received.is_pending() && self.closed {
            // Whoever has a place sends at once: it may be waited for without being woken.
            shuttle::thread::yield_now();
        }
        received
    }

    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        point();
        self.inner.try_recv()
    }

    pub fn close(&mut self) {
        point();
        self.closed = true;
        self.inner.close();
        point();
    }

    pub fn is_closed(&self) -> bool {
        point();
        self.inner.is_closed()
    }

    pub fn len(&self) -> usize {
        point();
        self.inner.len()
    }

    pub fn is_empty(&self) -> bool {
        point();
        self.inner.is_empty()
    }
}

impl<T> Drop for UnboundedReceiver<T> {
    fn drop(&mut self) {
        point();
    }
}
