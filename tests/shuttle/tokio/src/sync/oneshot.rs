use std::pin::Pin;
use std::task::{Context, Poll};

use real::sync::oneshot;
pub use real::sync::oneshot::error::RecvError;

use crate::point;

pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = oneshot::channel();
    (Sender(Some(sender)), Receiver(receiver))
}

#[derive(Debug)]
pub struct Sender<T>(Option<oneshot::Sender<T>>);

impl<T> Sender<T> {
    pub fn send(mut self, value: T) -> Result<(), T> {
        point();
        let Some(sender) = self.0.take() else { return Err(value) };
        let sent = sender.send(value);
        point();
        sent
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        point();
    }
}

#[derive(Debug)]
pub struct Receiver<T>(oneshot::Receiver<T>);

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        point();
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        point();
    }
}
