use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;

use super::mailbox::{Mailbox, Message, close};
use crate::machine::{Machine, Outlet, Step};
use crate::role::{Role, Runnable, Stage};
use crate::summary::StageSummary;
use crate::{Batch, Context, Reason, Result};

/// A stage at run time: the user's state, what the runtime knows of it, and the loop that moves messages between them.
pub(crate) struct Shell<S: Stage> {
    state: S,
    cx: Context<S>,
    pub(crate) machine: Machine<S::Take, S::Give>,
    mailbox: Mailbox<S>,
    /// The size of the batch that is with the handler.
    handling: usize,
}

impl<S: Runnable> Shell<S> {
    pub(crate) fn new(state: S, name: Arc<str>, mailbox: Mailbox<S>) -> Self {
        let kind = S::Role::KIND;
        let outlet = Outlet::new(S::OPTIONS.capacity(kind), S::OPTIONS.buffer_keep);
        Self { state, cx: Context::new(name), machine: Machine::new(kind, outlet), mailbox, handling: 0 }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.cx.name
    }

    /// Calls the handlers until the stage has a reason to end.
    pub(crate) async fn drive(&mut self) -> Reason {
        match self.init_and_loop().await {
            Ok(reason) | Err(reason) => reason,
        }
    }

    async fn init_and_loop(&mut self) -> Result<Reason, Reason> {
        guarded(S::Role::init(&mut self.state, &mut self.cx)).await?;
        self.called();
        self.machine.inlet.open();
        loop {
            match self.machine.next() {
                Step::End(reason) => return Ok(reason),
                Step::Demand(demand) => {
                    guarded(S::Role::demand(&mut self.state, demand, &mut self.cx)).await?;
                    self.called();
                }
                Step::Events(batch) => self.handle_events(batch).await?,
                Step::Wait if self.wait().await? => {}
                // Nobody is left who could reach the stage.
                Step::Wait => return Ok(Reason::Normal),
            }
        }
    }

    async fn handle_events(&mut self, mut batch: Batch<S::Take>) -> Result<(), Reason> {
        self.handling = batch.len();
        guarded(S::Role::events(&mut self.state, &mut batch, &mut self.cx)).await?;
        self.handling = 0;
        self.called();
        self.machine.handled(batch);
        Ok(())
    }

    /// Waits for the next message, or for events that come of themselves; false if nobody can send any more.
    async fn wait(&mut self) -> Result<bool, Reason> {
        let owed = self.machine.owed();
        let message = if S::HAS_SOURCE && owed > 0 {
            tokio::select! {
                biased;
                message = self.mailbox.recv() => message,
                result = guarded(self.state.source(owed, &mut self.cx)) => {
                    result?;
                    self.called();
                    return Ok(true);
                }
            }
        } else {
            self.mailbox.recv().await
        };
        Ok(message.map(|message| self.accept(message)).is_some())
    }

    fn accept(&mut self, message: Message<S>) {
        match message {
            Message::Ask { id, demand, spare } => self.machine.on_ask(id, demand, spare),
            Message::Events { id, events } => self.machine.on_events(id, events),
            Message::ProducerDown { id, reason } => self.machine.on_producer_down(id, reason),
            Message::ConsumerDown { id, reason } => self.machine.on_consumer_down(id, &reason),
        }
    }

    /// Does what a callback has said through its context.
    fn called(&mut self) {
        let discarded = self.machine.emitted(&mut self.cx.out);
        if discarded > 0 {
            tracing::warn!(stage = &*self.cx.name, discarded, "the buffer is full: events discarded");
        }
        if self.cx.finish {
            self.machine.finish();
        }
    }

    /// Lets the state clean up; why the stage has ended after all.
    pub(crate) async fn terminate(&mut self, reason: Reason) -> Reason {
        let terminated = guarded(async {
            S::Role::terminate(&mut self.state, &reason).await;
            Ok(())
        });
        match terminated.await {
            Err(panicked) if !reason.is_failure() => panicked,
            _ => reason,
        }
    }

    /// Tells the neighbours, and sums up. What was with a handler is lost.
    pub(crate) fn close(mut self, reason: Reason) -> StageSummary {
        let lost = self.handling + self.cx.out.len();
        let left = close(&mut self.mailbox) + self.machine.close(&reason);
        let (inlet, consumers) = (&self.machine.inlet, &self.machine.outlet.consumers);
        StageSummary {
            name: self.cx.name.clone(),
            events_in: inlet.events_in,
            events_out: consumers.events_out,
            discarded: inlet.discarded + consumers.discarded + left as u64,
            lost: lost as u64,
            reason,
        }
    }
}

/// A callback's outcome as a reason to end, if it fails or panics.
async fn guarded(callback: impl Future<Output = Result>) -> Result<(), Reason> {
    match AssertUnwindSafe(callback).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Reason::Error(Arc::new(error))),
        Err(payload) => Err(Reason::from_panic(&*payload)),
    }
}
