use anyhow::Result;
use flume::Sender;

use super::{Actor, Handler, Rival, ended};

/// The same over a bounded flume channel.
pub(crate) struct Flume;

impl Rival for Flume {
    type Address<T: Send + 'static> = Sender<T>;

    async fn spawn<T: Send + 'static>(mut handler: impl Handler<T>, room: usize) -> Result<Actor<Sender<T>>> {
        let (address, messages) = flume::bounded(room);
        let task = tokio::spawn(async move {
            while let Ok(message) = messages.recv_async().await {
                handler.handle(message).await?;
            }
            handler.end();
            Ok(())
        });
        Ok(Actor { address, end: Box::pin(async { task.await? }) })
    }

    async fn send<T: Send + 'static>(to: &Sender<T>, message: T) -> Result<()> {
        to.send_async(message).await.map_err(|_| ended())
    }
}
