//! Sending a stage messages of the user's own.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError, oneshot};

use super::StageRef;
use super::mailbox::Message;
use crate::message::{
    Call, CallEnvelope, CallError, Cast, CastEnvelope, Ended, Info, InfoEnvelope, ReplyTo, TryCastError,
};
use crate::role::Stage;

impl<S: Stage> StageRef<S> {
    /// Sends a request and waits for the answer; without limit of time. For an example see [`Call`].
    ///
    /// Waits first for room in the mailbox, where 1000 calls, casts and infos may be. The stage answers between two of its callbacks, ahead
    /// of events that are queued.
    ///
    /// # Cancellation
    ///
    /// Dropping the future before there is room takes the request back; later it is handled all the same.
    ///
    /// # Errors
    ///
    /// [`CallError::NoAnswer`] if the stage has ended or does so before it answers, [`CallError::Itself`] in a callback of
    /// the stage itself.
    pub async fn call<Req: Send + 'static>(&self, request: Req) -> Result<S::Reply, CallError>
    where
        S: Call<Req>,
    {
        if self.address.shared.is_here() {
            return Err(CallError::Itself);
        }
        let (sender, reply) = oneshot::channel();
        let permit = self.permit().await.ok_or(CallError::NoAnswer)?;
        let envelope = Box::new(CallEnvelope(request, ReplyTo::new(sender)));
        self.send(Message::User(envelope, Some(permit))).map_err(|_| CallError::NoAnswer)?;
        reply.await.map_err(|_| CallError::NoAnswer)
    }

    /// As [`call`](Self::call), but waits no longer than `timeout`, for room and answer together. A request that was late may still be
    /// handled.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call), and [`CallError::Timeout`].
    pub async fn call_within<Req: Send + 'static>(
        &self,
        timeout: Duration,
        request: Req,
    ) -> Result<S::Reply, CallError>
    where
        S: Call<Req>,
    {
        match tokio::time::timeout(timeout, self.call(request)).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Timeout(timeout)),
        }
    }

    /// Sends a message, when there is room for it in the mailbox, where 1000 calls, casts and infos may be. For an example see [`Cast`].
    ///
    /// # Errors
    ///
    /// The message, if the stage has ended.
    ///
    /// # Cancellation
    ///
    /// Dropping the future before there is room drops the message.
    pub async fn cast<Msg: Send + 'static>(&self, message: Msg) -> Result<(), Ended<Msg>>
    where
        S: Cast<Msg>,
    {
        match self.permit().await {
            Some(permit) if !self.address.sender.is_closed() => {
                // A stage that ends at this very moment drops the message as one that it did not get to.
                let _ = self.send(Message::User(Box::new(CastEnvelope(message)), Some(permit)));
                Ok(())
            }
            _ => Err(Ended(message)),
        }
    }

    /// Sends a message if there is room for it in the mailbox now.
    ///
    /// # Errors
    ///
    /// The message, if there is no room or the stage has ended.
    pub fn try_cast<Msg: Send + 'static>(&self, message: Msg) -> Result<(), TryCastError<Msg>>
    where
        S: Cast<Msg>,
    {
        if self.address.sender.is_closed() {
            return Err(TryCastError::Ended(message));
        }
        match self.address.shared.life.permits.clone().try_acquire_owned() {
            Ok(permit) => {
                let _ = self.send(Message::User(Box::new(CastEnvelope(message)), Some(permit)));
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(TryCastError::Full(message)),
            Err(TryAcquireError::Closed) => Err(TryCastError::Ended(message)),
        }
    }

    /// Sends a message that is handled in its place among the stage's events, when there is room for it in the mailbox, where 1000 calls,
    /// casts and infos may be. For an example see [`Info`].
    ///
    /// # Errors
    ///
    /// The message, if the stage has ended.
    ///
    /// # Cancellation
    ///
    /// Dropping the future before there is room drops the message.
    pub async fn info<Msg: Send + 'static>(&self, message: Msg) -> Result<(), Ended<Msg>>
    where
        S: Info<Msg>,
    {
        match self.permit().await {
            Some(permit) if !self.address.sender.is_closed() => {
                let _ = self.send(Message::Info(Box::new(InfoEnvelope(message)), permit));
                Ok(())
            }
            _ => Err(Ended(message)),
        }
    }

    /// Waits for room in the mailbox; none if the stage has ended.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.address.shared.life.permits.clone().acquire_owned().await.ok()
    }
}
