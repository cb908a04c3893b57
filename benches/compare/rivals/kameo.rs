use std::convert::Infallible;
use std::marker::PhantomData;

use anyhow::Result;
use kameo::actor::{ActorRef, Recipient, Spawn, WeakActorRef};
use kameo::error::ActorStopReason;
use kameo::mailbox;
use kameo::message::{Context, Message};

use super::{Actor, Handler, Rival, ended};

/// A kameo actor with a bounded mailbox that is told messages: a sender waits for room.
pub(crate) struct Kameo;

struct Handling<T, H> {
    handler: H,
    message: PhantomData<fn(T)>,
}

impl<T: Send + 'static, H: Handler<T>> kameo::Actor for Handling<T, H> {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(this: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(this)
    }

    async fn on_stop(&mut self, _: WeakActorRef<Self>, _: ActorStopReason) -> Result<(), Infallible> {
        self.handler.end();
        Ok(())
    }
}

impl<T: Send + 'static, H: Handler<T>> Message<T> for Handling<T, H> {
    type Reply = Result<()>;

    async fn handle(&mut self, message: T, _: &mut Context<Self, Result<()>>) -> Result<()> {
        self.handler.handle(message).await
    }
}

impl Rival for Kameo {
    type Address<T: Send + 'static> = Recipient<T>;

    async fn spawn<T: Send + 'static>(handler: impl Handler<T>, room: usize) -> Result<Actor<Recipient<T>>> {
        let actor = Handling { handler, message: PhantomData };
        let actor = Handling::spawn_with_mailbox(actor, mailbox::bounded(room));
        let address = actor.clone().recipient();
        let end = Box::pin(async move {
            actor.stop_gracefully().await?;
            // Not `wait_for_shutdown`, which does not wait for `on_stop`.
            actor.wait_for_shutdown_result().await?;
            Ok(())
        });
        Ok(Actor { address, end })
    }

    async fn send<T: Send + 'static>(to: &Recipient<T>, message: T) -> Result<()> {
        to.tell(message).await.map_err(|_| ended())
    }
}
