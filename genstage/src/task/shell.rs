use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use rustc_hash::FxHashMap;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task;

use super::mailbox::{Mailbox, Message, Shared, WeakAddress, close};
use crate::buffer::Marker;
use crate::control::Control;
use crate::machine::{Machine, Outlet, Step};
use crate::message::Envelope;
use crate::role::{Kind, Role, Runnable, Stage};
use crate::snapshot::{Snapshot, plain_type_name};
use crate::subscription::{Side, Subscription};
use crate::summary::StageSummary;
use crate::{Batch, Context, Reason, Result};

/// A stage at run time: the user's state, what the runtime knows of it, and the loop that moves messages between them.
pub(crate) struct Shell<S: Stage> {
    state: S,
    cx: Context<S>,
    pub(crate) machine: Machine<S::Take, S::Give, S::Dispatcher>,
    mailbox: Mailbox<S>,
    shared: Arc<Shared>,
    /// Infos whose turn has not come, by their markers.
    infos: FxHashMap<Marker, UserMessage<S>>,
    next_info: Marker,
    /// A call or a cast that is to be handled next.
    message: Option<(Box<dyn Envelope<S>>, Option<OwnedSemaphorePermit>)>,
    /// The size of the batch that is with the handler.
    handling: usize,
}

/// A message of the user's, with its place in the mailbox.
type UserMessage<S> = (Box<dyn Envelope<S>>, OwnedSemaphorePermit);

impl<S: Runnable> Shell<S> {
    pub(crate) fn new(state: S, mailbox: Mailbox<S>, this: WeakAddress<S>) -> Self {
        let kind = S::Role::KIND;
        let options = state.options();
        let mut outlet = Outlet::new(kind, state.dispatcher(), options.capacity(kind), options.buffer_keep);
        outlet.set_demand(options.demand);
        Self {
            state,
            shared: this.shared().clone(),
            cx: Context::new(this),
            machine: Machine::new(kind, outlet),
            mailbox,
            infos: FxHashMap::default(),
            next_info: 0,
            message: None,
            handling: 0,
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.cx.name
    }

    /// Runs the stage to its end, or until the pipeline stops.
    pub(crate) async fn run(mut self, control: Arc<Control>) -> StageSummary {
        if let Some(task) = task::try_id() {
            let _ = self.shared.task.set(task);
        }
        let reason = control.unless_stopped(self.drive()).await.unwrap_or(Reason::Shutdown);
        // The others stop before the neighbours learn of a failure: they have not failed themselves.
        control.ended(self.name(), &reason);
        let reason = self.terminate(reason).await;
        self.close(reason, &control)
    }

    /// Calls the handlers until the stage has a reason to end.
    ///
    /// A panic of a handler, or of a destructor of the user's, is such a reason: everything is left as it was then.
    async fn drive(&mut self) -> Reason {
        match guarded(self.init_and_loop()).await {
            Ok(reason) | Err(reason) => reason,
        }
    }

    async fn init_and_loop(&mut self) -> Result<Reason> {
        self.shared.options.check()?;
        S::Role::init(&mut self.state, &mut self.cx).await?;
        self.called();
        loop {
            match self.machine.next() {
                Step::End(reason) => return Ok(reason),
                Step::Demand(demand) => S::Role::demand(&mut self.state, demand, &mut self.cx).await?,
                Step::Events(batch) => {
                    self.handle_events(batch).await?;
                    continue;
                }
                Step::Info(info) => {
                    if let Some((envelope, _permit)) = self.infos.remove(&info) {
                        envelope.open(&mut self.state, &mut self.cx).await?;
                    }
                }
                Step::Discarded(events) => self.discarded(events),
                Step::Subscribed(subscription) => self.subscribed(&subscription).await?,
                Step::Cancelled(cancelled, then) => {
                    S::Role::cancel(&mut self.state, &cancelled, &mut self.cx).await?;
                    self.called();
                    self.machine.cancelled(then);
                    continue;
                }
                Step::Wait if self.wait().await? => self.handle_message().await?,
                // Nobody is left who could reach the stage.
                Step::Wait => return Ok(Reason::Normal),
            }
            self.called();
        }
    }

    async fn handle_events(&mut self, mut batch: Batch<S::Take>) -> Result {
        self.handling = batch.len();
        S::Role::events(&mut self.state, &mut batch, &mut self.cx).await?;
        self.handling = 0;
        self.called();
        self.machine.handled(batch);
        Ok(())
    }

    fn discarded(&mut self, events: usize) {
        if S::Role::discarded(&mut self.state, events) {
            tracing::warn!(stage = &*self.cx.name, events, "the buffer is full: events discarded");
        }
    }

    async fn subscribed(&mut self, subscription: &Subscription) -> Result {
        if subscription.side == Side::Consumer {
            return S::Role::subscribed_by(&mut self.state, subscription, &mut self.cx).await;
        }
        let demand = S::Role::subscribe(&mut self.state, subscription, &mut self.cx).await?;
        self.machine.subscribed(subscription.id, demand);
        Ok(())
    }

    async fn handle_message(&mut self) -> Result {
        if let Some((envelope, _permit)) = self.message.take() {
            envelope.open(&mut self.state, &mut self.cx).await?;
        }
        Ok(())
    }

    /// Waits for the next message, or for events that come of themselves; false if nobody can send any more.
    async fn wait(&mut self) -> Result<bool> {
        let due = self.machine.due();
        let message = if S::Role::HAS_SOURCE && due > 0 {
            tokio::select! {
                biased;
                message = self.mailbox.recv() => message,
                result = S::Role::source(&mut self.state, due, &mut self.cx) => return result.map(|()| true),
            }
        } else {
            self.mailbox.recv().await
        };
        Ok(message.map(|message| self.accept(message)).is_some())
    }

    fn accept(&mut self, message: Message<S>) {
        match message {
            Message::Ask { id, demand, spare } => self.machine.on_ask(id, demand, spare),
            Message::GiveBack { id, events } => self.machine.outlet.give_back(id, events),
            Message::Events { id, events } => self.machine.on_events(id, events),
            Message::ProducerGone { id, kind, reason } => self.machine.on_producer_gone(id, kind, reason),
            Message::ConsumerGone { id, kind, reason } => self.machine.on_consumer_gone(id, kind, reason),
            Message::User(envelope, permit) => self.message = Some((envelope, permit)),
            Message::Info(envelope, permit) => {
                self.next_info += 1;
                self.infos.insert(self.next_info, (envelope, permit));
                self.machine.on_info(self.next_info);
            }
            Message::Control(control) => control(self),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let Machine { inlet, outlet, .. } = &self.machine;
        let kind = S::Role::KIND;
        Snapshot {
            name: self.name().clone(),
            role: kind,
            dispatcher: (kind != Kind::Consumer).then(plain_type_name::<S::Dispatcher>),
            demand: outlet.demand(),
            producers: inlet.subscriptions(),
            consumers: outlet.out.subscriptions(),
            buffered: outlet.buffered(),
            accumulated: outlet.held(),
            events_in: inlet.events_in,
            events_out: outlet.out.events_out,
            discarded: inlet.discarded + outlet.out.discarded,
        }
    }

    /// Does what a callback has said through its context.
    fn called(&mut self) {
        self.machine.emitted(&mut self.cx.out);
        for afterwards in self.cx.afterwards.drain(..) {
            afterwards();
        }
        for (id, demand) in self.cx.asks.drain(..) {
            self.machine.inlet.ask(id, demand);
        }
        if self.cx.finish {
            self.machine.finish();
        }
        if let Some(reason) = self.cx.stop.take() {
            self.machine.end_with(reason);
        }
    }

    /// Lets the state clean up; why the stage has ended after all.
    async fn terminate(&mut self, reason: Reason) -> Reason {
        let terminated = guarded(async {
            S::Role::terminate(&mut self.state, &reason).await;
            Ok(())
        });
        worse(reason.clone(), terminated.await)
    }

    /// Tells the neighbours, and sums up. What was with a handler is lost.
    fn close(self, reason: Reason, control: &Control) -> StageSummary {
        let Self { state, cx, mut machine, mut mailbox, shared, infos, message, handling, .. } = self;
        let ((queued, others), left) = (close(&mut mailbox), machine.left());
        let lost = (handling + cx.out.len()) as u64;
        // Destructors of the user's run here, and whatever they do, the neighbours are told.
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            drop((state, cx.out, cx.afterwards));
            drop((queued.events, others, infos, message));
            machine.clear();
        }));
        let reason = worse(reason, dropped.map_err(|payload| Reason::from_panic(&*payload)));
        control.ended(&cx.name, &reason);
        machine.close(&reason);
        let _ = shared.ended.set(reason.clone());
        let (inlet, out) = (&machine.inlet, &machine.outlet.out);
        StageSummary {
            name: cx.name,
            events_in: inlet.events_in,
            events_out: out.events_out,
            discarded: inlet.discarded + out.discarded + (queued.count + left) as u64,
            lost,
            reason,
        }
    }
}

/// Why a stage has ended, if something failed while it was ending.
fn worse(reason: Reason, ending: Result<(), Reason>) -> Reason {
    match ending {
        Err(failed) if !reason.is_failure() => failed,
        _ => reason,
    }
}

/// What a future ends with; its failure, or its panic, as a reason to end.
async fn guarded<T>(future: impl Future<Output = Result<T>>) -> Result<T, Reason> {
    match AssertUnwindSafe(future).catch_unwind().await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Reason::Error(Arc::new(error))),
        Err(payload) => Err(Reason::from_panic(&*payload)),
    }
}
