use std::marker::PhantomData;

use anyhow::Result;
use ractor::{ActorProcessingErr, ActorRef};

use super::{Actor, Handler, Rival, ended};

/// A ractor actor that is cast messages. Its mailbox has no bound, and a sender never waits: nothing holds a fast producer up, so
/// this costs memory where the others wait.
pub(crate) struct Ractor;

struct Handling<T, H>(PhantomData<fn(T, H)>);

impl<T: Send + 'static, H: Handler<T>> ractor::Actor for Handling<T, H> {
    type Msg = T;
    type State = H;
    type Arguments = H;

    async fn pre_start(&self, _: ActorRef<T>, handler: H) -> Result<H, ActorProcessingErr> {
        Ok(handler)
    }

    async fn handle(&self, _: ActorRef<T>, message: T, handler: &mut H) -> Result<(), ActorProcessingErr> {
        Ok(handler.handle(message).await?)
    }

    async fn post_stop(&self, _: ActorRef<T>, handler: &mut H) -> Result<(), ActorProcessingErr> {
        handler.end();
        Ok(())
    }
}

impl Rival for Ractor {
    type Address<T: Send + 'static> = ActorRef<T>;

    async fn spawn<T: Send + 'static>(handler: impl Handler<T>, _: usize) -> Result<Actor<ActorRef<T>>> {
        let (address, task) = ractor::Actor::spawn(None, Handling(PhantomData), handler).await?;
        let actor = address.clone();
        let end = Box::pin(async move {
            actor.drain()?;
            Ok(task.await?)
        });
        Ok(Actor { address, end })
    }

    async fn send<T: Send + 'static>(to: &ActorRef<T>, message: T) -> Result<()> {
        to.cast(message).map_err(|_| ended())
    }
}
