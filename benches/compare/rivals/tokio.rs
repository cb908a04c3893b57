use anyhow::Result;
use tokio::sync::mpsc::{self, Sender};

use super::{Actor, Handler, Rival, ended};

/// A task that loops over a bounded `tokio::sync::mpsc` channel, as one writes it by hand.
pub(crate) struct Tokio;

impl Rival for Tokio {
    type Address<T: Send + 'static> = Sender<T>;

    async fn spawn<T: Send + 'static>(mut handler: impl Handler<T>, room: usize) -> Result<Actor<Sender<T>>> {
        let (address, mut messages) = mpsc::channel(room);
        let task = tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                handler.handle(message).await?;
            }
            handler.end();
            Ok(())
        });
        Ok(Actor { address, end: Box::pin(async { task.await? }) })
    }

    async fn send<T: Send + 'static>(to: &Sender<T>, message: T) -> Result<()> {
        to.send(message).await.map_err(|_| ended())
    }
}
