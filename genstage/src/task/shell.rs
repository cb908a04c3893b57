use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use super::instance::{Callback, Instance, Outcome, Place, guarded};
use super::mailbox::{Mailbox, Message, Shared, Unread, WeakAddress, close};
use super::restart::{Recipe, Restartable};
use crate::buffer::Marker;
use crate::children::Children;
use crate::control::Control;
use crate::machine::{Machine, Origin, Outlet, Step};
use crate::message::Envelope;
use crate::role::{Kind, Role, Runnable, Stage};
use crate::snapshot::{Snapshot, plain_type_name};
use crate::summary::StageSummary;
use crate::telemetry;
use crate::watch::StageGauges;
use crate::{Batch, Reason};

/// A stage at run time: the user's state, what the runtime knows of it, and the loop that moves messages between them.
pub(crate) struct Shell<S: Stage> {
    pub(super) place: Place<S>,
    pub(crate) machine: Machine<S::Take, S::Give, S::Dispatcher>,
    mailbox: Mailbox<S>,
    pub(crate) this: WeakAddress<S>,
    pub(super) shared: Arc<Shared>,
    ending: Ending,
    pub(super) restartable: Option<Restartable<S>>,
    /// Infos whose turn has not come, by their markers.
    infos: FxHashMap<Marker, UserMessage<S>>,
    next_info: Marker,
    /// A call or a cast that is to be handled next.
    message: Option<(Box<dyn Envelope<S>>, Option<OwnedSemaphorePermit>)>,
    /// Something has come of itself that a callback is to go on with.
    sourced: bool,
    /// Events lost with failed callbacks and children.
    pub(super) lost: usize,
    /// The failure of a child that is the failure of the stage.
    pub(super) cause: Option<Reason>,
    /// The part that has failed, if it was one.
    pub(super) culprit: Option<Arc<str>>,
    /// The children of an instance that has ended, for the next.
    pub(super) children: Option<Box<Children<S::Take>>>,
    pub(super) restarts: u64,
    gauges: Arc<StageGauges>,
}

/// Tells those who wait for the end of the stage why it has ended; of a task that is ended from outside, that it was killed.
struct Ending(Arc<Shared>);

impl Ending {
    /// Only the first reason counts.
    fn tell(&self, reason: Reason) {
        let _ = self.0.life.ended.set(reason);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.tell(Reason::Killed);
    }
}

/// A message of the user's, with its place in the mailbox.
type UserMessage<S> = (Box<dyn Envelope<S>>, OwnedSemaphorePermit);

/// Why a stage ends, and who wants it to.
pub(super) type End = (Reason, Origin);

impl<S: Runnable> Shell<S> {
    pub(crate) fn new(
        state: S,
        mailbox: Mailbox<S>,
        this: WeakAddress<S>,
        restartable: Option<Restartable<S>>,
    ) -> Self {
        let kind = S::Role::KIND;
        let options = state.options();
        let mut outlet = Outlet::new(kind, state.dispatcher(), options.capacity(kind), options.buffer_keep);
        outlet.set_demand(options.demand);
        Self {
            place: Place::Here(Instance::new(state, this.clone())),
            shared: this.shared().clone(),
            gauges: this.shared().gauges.clone(),
            ending: Ending(this.shared().clone()),
            this,
            restartable,
            machine: Machine::new(kind, outlet),
            mailbox,
            infos: FxHashMap::default(),
            next_info: 0,
            message: None,
            sourced: false,
            lost: 0,
            cause: None,
            culprit: None,
            children: None,
            restarts: 0,
        }
    }

    /// What it was made of, if it has not been run.
    pub(crate) fn undo(self) -> (S, Option<Recipe<S>>) {
        match self.place {
            Place::Here(instance) => (instance.state, self.restartable.map(Restartable::into_recipe)),
            Place::Away(_) | Place::Gone => unreachable!("a stage that has not been run is here"),
        }
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        self.shared.name()
    }

    /// The name of what has failed: of the stage, or of a part of it.
    pub(super) fn culprit(&self) -> &Arc<str> {
        self.culprit.as_ref().unwrap_or_else(|| self.name())
    }

    pub(crate) fn is_blocking(&self) -> bool {
        self.shared.options.blocking
    }

    /// Runs the stage to its end, or until the pipeline stops. (Boxed: a future keeps what it is given twice, here a kilobyte.)
    pub(crate) async fn run(mut self: Box<Self>, control: Arc<Control>) -> StageSummary {
        self.shared.runs_here();
        telemetry::started(self.name(), S::Role::KIND);
        let span = telemetry::span(self.name());
        // Where nobody listens, the span would still cost something at every wake-up.
        let reason = match span.is_disabled() {
            true => self.live(&control).await,
            false => Box::pin(self.live(&control).instrument(span)).await,
        };
        // The others stop before the neighbours learn of a failure: they have not failed themselves.
        control.ended(self.culprit(), &reason);
        let unread = close(&mut self.mailbox, &self.shared);
        self.close(reason, unread, &control)
    }

    /// Calls the handlers until the stage has a reason to end.
    ///
    /// A panic of a handler, or of a destructor of the user's, is such a reason: everything is left as it was then.
    pub(super) async fn drive(&mut self) -> End {
        match guarded(self.init_and_loop()).await {
            Ok(Ok(end)) => end,
            Ok(Err(reason)) | Err(reason) => (reason, Origin::Itself),
        }
    }

    async fn init_and_loop(&mut self) -> Result<End, Reason> {
        self.shared.options.check().map_err(Reason::from)?;
        self.call(Callback::Init).await?;
        loop {
            if S::Role::IS_FUSED && self.finishes() {
                self.call(Callback::Finished).await?;
            }
            let callback = match self.machine.next() {
                Step::Demand(demand) => match self.inline() {
                    Some((Instance { state, cx }, _)) => {
                        S::Role::demand(state, demand, cx).await?;
                        self.obey();
                        continue;
                    }
                    None => Callback::Demand(demand),
                },
                Step::Events => match self.inline() {
                    Some((Instance { state, cx }, batch)) => {
                        S::Role::events(state, batch, cx).await?;
                        self.obey();
                        self.machine.handled();
                        continue;
                    }
                    None => Callback::Events(self.machine.inlet.batch.move_out()),
                },
                Step::End(reason, origin) => return Ok((reason, origin)),
                // Nobody is left who could reach the stage.
                Step::Wait if !self.wait().await? => return Ok((Reason::Normal, Origin::Others)),
                Step::Wait => match self.message.take() {
                    Some((envelope, permit)) => Callback::Message(envelope, permit),
                    None if std::mem::take(&mut self.sourced) => Callback::Sourced,
                    None => continue,
                },
                Step::Info(info) => match self.infos.remove(&info) {
                    Some((envelope, permit)) => Callback::Message(envelope, Some(permit)),
                    None => continue,
                },
                Step::Drain => Callback::Drain,
                Step::Discarded(events) => Callback::Discarded(events),
                Step::Subscribed(subscription) => Callback::Subscribed(subscription),
                Step::Cancelled(cancelled) => Callback::Cancelled(cancelled),
            };
            self.call(callback).await?;
        }
    }

    /// Whether the stage finishes, and has not learnt so.
    fn finishes(&mut self) -> bool {
        let finishes = self.machine.is_finishing();
        let instance = self.place.here().filter(|_| finishes);
        instance.is_some_and(|instance| !std::mem::replace(&mut instance.cx.finishes, true))
    }

    /// The instance and the batch, for the two callbacks that come with every batch: they are called where the loop is, unless they
    /// may block.
    fn inline(&mut self) -> Option<(&mut Instance<S>, &mut Batch<S::Take>)> {
        if self.shared.options.blocking {
            return None;
        }
        if !self.machine.inlet.is_empty() {
            // It may be long before the stage waits.
            self.publish();
        }
        let Self { place, machine, gauges, .. } = self;
        let instance = place.here()?;
        if S::Role::KIND == Kind::ConsumerSupervisor {
            instance.cx.children().slot = machine.inlet.handled_subscription();
        }
        if S::Role::KNOWS_DUE {
            instance.cx.due = machine.due();
        }
        gauges.begin();
        Some((instance, &mut machine.inlet.batch))
    }

    /// Calls a callback, and does what it has said.
    async fn call(&mut self, callback: Callback<S>) -> Result<(), Reason> {
        if S::Role::KNOWS_DUE
            && let Some(Instance { cx, .. }) = self.place.here()
        {
            cx.due = self.machine.due();
        }
        self.publish();
        self.gauges.begin();
        let outcome = self.place.call(callback, &self.shared).await?;
        self.called(outcome);
        Ok(())
    }

    /// Waits for the next message, or for events that come of themselves; false if nobody can send any more.
    async fn wait(&mut self) -> Result<bool, Reason> {
        if self.mailbox.peek().is_none() {
            self.publish();
        }
        let (due, children) = (self.machine.due(), self.machine.children);
        let hurry = self.machine.inlet.is_held_up();
        let is_there = match self.place.here() {
            Some(Instance { state, cx }) if S::Role::has_source(state, cx, due) => tokio::select! {
                biased;
                // Children are waited for though nobody can reach their supervisor any more.
                is_there = self.mailbox.ready(),
                    if children == 0 || !self.mailbox.is_closed() || self.mailbox.len() > 0 => is_there,
                result = {
                    cx.hurry = hurry;
                    S::Role::source(state, due, cx)
                } => {
                    result?;
                    self.obey();
                    self.sourced = S::Role::KNOWS_DUE;
                    return Ok(true);
                }
            },
            _ => self.mailbox.ready().await,
        };
        self.accept();
        Ok(is_there || children > 0)
    }

    /// Shows those who watch what has been counted.
    fn publish(&self) {
        let Machine { inlet, outlet, .. } = &self.machine;
        let gauges = &self.gauges;
        gauges.events_in.set(inlet.events_in);
        gauges.events_out.set(outlet.out.events_out);
        gauges.buffered.set((outlet.left() + self.place.held()) as u64);
        gauges.discarded.set(self.machine.discarded());
        gauges.lost.set(self.lost as u64 + outlet.out.lost);
        gauges.restarts.set(self.restarts);
    }

    /// Hears the next message; and with it the events, and the demand for what it makes of them, that have come, too. (A producer
    /// is asked for what each ask comes to: GenStage's rule.)
    #[inline]
    fn accept(&mut self) {
        loop {
            match self.mailbox.take() {
                Some(Message::Ask { id, demand, spare }) => self.machine.on_ask(id, demand, spare),
                Some(Message::Events { id, events }) => self.machine.on_events(id, events),
                Some(Message::GiveBack { id, events }) => return self.machine.outlet.give_back(id, events),
                Some(Message::ProducerGone { id, kind, reason }) => {
                    return self.machine.on_producer_gone(id, kind, reason);
                }
                Some(Message::ConsumerGone { id, kind, reason }) => {
                    return self.machine.on_consumer_gone(id, kind, reason);
                }
                Some(Message::User(envelope, permit)) => return self.message = Some((envelope, permit)),
                Some(Message::Info(envelope, permit)) => {
                    self.next_info += 1;
                    self.infos.insert(self.next_info, (envelope, permit));
                    return self.machine.on_info(self.next_info);
                }
                Some(Message::Deed(deed)) => return deed(self),
                Some(Message::Input(deed)) => return deed(self),
                Some(Message::Output(deed)) => return deed(self),
                Some(Message::Control(control)) => return control(self),
                None => return,
            }
            match self.mailbox.peek() {
                Some(Message::Events { .. }) => {}
                Some(Message::Ask { .. }) if S::Role::KIND == Kind::ProducerConsumer => {}
                _ => return,
            }
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let Machine { inlet, outlet, .. } = &self.machine;
        let kind = S::Role::KIND;
        Snapshot {
            name: self.name().clone(),
            role: kind,
            dispatcher: matches!(kind, Kind::Producer | Kind::ProducerConsumer)
                .then(plain_type_name::<S::Dispatcher>),
            demand: outlet.demand(),
            producers: inlet.subscriptions(),
            consumers: outlet.out.subscriptions(),
            buffered: outlet.buffered() + self.place.held(),
            accumulated: outlet.held(),
            events_in: inlet.events_in,
            events_out: outlet.out.events_out,
            discarded: self.machine.discarded(),
            lost: self.lost as u64 + outlet.out.lost,
            restarts: self.restarts,
            mailbox: self.mailbox.len(),
            callbacks: self.gauges.callbacks(),
            busy: self.gauges.busy(),
        }
    }

    /// Does what a callback has said, through its context and by what it came to.
    pub(super) fn called(&mut self, outcome: Outcome<S::Take>) {
        self.obey();
        match outcome {
            Outcome::Nothing => {}
            Outcome::Handled(batch) => {
                self.machine.inlet.batch = batch;
                self.machine.handled();
            }
            Outcome::Ask(id, demand) => self.machine.subscribed(id, demand),
            Outcome::Cancelled => self.machine.cancelled(),
            Outcome::Report(events) => {
                telemetry::discarded(self.name(), events);
            }
        }
    }

    /// Does what was said through the context.
    pub(super) fn obey(&mut self) {
        self.gauges.end();
        let Some(Instance { state, cx }) = self.place.here() else { return };
        if let Some(pace) = S::Role::pace(state) {
            self.machine.inlet.pace = Some(pace);
        }
        self.machine.emitted(&mut cx.out);
        if cx.has_said_more() {
            self.obey_more();
        }
    }

    fn obey_more(&mut self) {
        let Some(Instance { cx, .. }) = self.place.here() else { return };
        self.machine.outlet.out.discard(std::mem::take(&mut cx.discarded));
        for afterwards in cx.afterwards.drain(..) {
            afterwards();
        }
        for (id, demand) in cx.asks.drain(..) {
            self.machine.inlet.ask(id, demand);
        }
        if let Some(children) = &mut cx.children {
            children.freed.drain(..).for_each(|id| self.machine.freed(id));
            self.lost += std::mem::take(&mut children.lost);
            self.machine.children = children.count().workers;
            if let Some(cause) = children.cause.take() {
                self.cause = Some(cause);
                self.machine.end_with(Reason::Shutdown, Origin::Itself);
            }
        }
        if cx.finish {
            self.machine.finish(Origin::Itself);
        }
        if let Some(reason) = cx.stop.take() {
            self.machine.end_with(reason, Origin::Itself);
        }
    }

    /// Tells the neighbours, and sums up. What was with a handler is lost.
    fn close(self, reason: Reason, unread: Unread<S>, control: &Control) -> StageSummary {
        let Self { place, mut machine, shared, ending, infos, message, lost, restarts, restartable, .. } =
            self;
        let given_back = unread.given_back();
        machine.outlet.out.not_sent(given_back);
        // What a stage has that fails is lost with its failure.
        let (kept, gone) = if reason.is_failure() { (0, place.held()) } else { (place.held(), 0) };
        let left = unread.events() + given_back + machine.left() + kept;
        let lost = lost + machine.handling() + place.emitted() + gone;
        // Destructors of the user's run here, and whatever they do, the neighbours are told.
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            drop((place, restartable));
            drop((unread, infos, message));
            machine.clear();
        }));
        let reason = match dropped {
            Err(payload) if !reason.is_failure() => Reason::from_panic(&*payload),
            _ => reason,
        };
        control.ended(shared.name(), &reason);
        machine.close(&reason);
        let (inlet, out) = (&machine.inlet, &machine.outlet.out);
        let summary = StageSummary {
            name: shared.name().clone(),
            events_in: inlet.events_in,
            events_out: out.events_out,
            discarded: machine.discarded() + left as u64,
            lost: lost as u64 + out.lost,
            restarts,
            reason,
        };
        shared.gauges.sum_up(&summary);
        telemetry::ended(&summary.name, &summary.reason);
        ending.tell(summary.reason.clone());
        summary
    }
}
