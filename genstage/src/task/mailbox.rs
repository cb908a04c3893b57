use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SetOnce};
use tokio::task;

use super::Shell;
use super::deed::{Deed, Input, Output};
use super::sender::{Route, Sender, WeakRoute, WeakSender};
use crate::Reason;
use crate::channel::{Receiver, channel};
use crate::machine::{Downstream, Upstream};
use crate::message::{Cast, CastEnvelope, Envelope};
use crate::role::{Runnable, Stage, StageOptions};
use crate::subscription::{CancelKind, StageId, SubscriptionId};
use crate::watch::{Observed, StageGauges};

/// Everything that can happen to a stage from outside.
pub(crate) enum Message<S: Stage> {
    /// A consumer asks for events; with it may come an emptied buffer.
    Ask { id: SubscriptionId, demand: usize, spare: Vec<S::Give> },
    /// A consumer that goes gives events back.
    GiveBack { id: SubscriptionId, events: Vec<S::Give> },
    /// A producer sends events.
    Events { id: SubscriptionId, events: Vec<S::Take> },
    /// A producer has ended or cancelled.
    ProducerGone { id: SubscriptionId, kind: CancelKind, reason: Reason },
    /// A consumer has ended or cancelled.
    ConsumerGone { id: SubscriptionId, kind: CancelKind, reason: Reason },
    /// A call or a cast. Its permit comes free when it has been handled; a timer's has none.
    User(Box<dyn Envelope<S>>, Option<OwnedSemaphorePermit>),
    /// An info.
    Info(Box<dyn Envelope<S>>, OwnedSemaphorePermit),
    /// Something else that is done to the stage at once: stopping, looking at it.
    Deed(Box<Deed>),
    /// Subscribing it to a producer.
    Input(Box<Input<S::Take>>),
    /// Subscribing a consumer to it.
    Output(Box<Output<S::Give, S::Dispatcher>>),
    /// What only a stage of its type can do.
    Control(Box<Control<S>>),
}

pub(crate) type Control<S> = dyn FnOnce(&mut Shell<S>) + Send;

/// How many messages of the user's a stage keeps at a time.
const CAPACITY: usize = 1000;

/// Where a stage's messages arrive.
///
/// The channel itself knows no bound: events need credit to be sent, messages of the user's a permit, and everything else
/// comes in ones.
pub(crate) type Mailbox<S> = Receiver<Message<S>>;

/// Where to send a stage's messages.
pub(crate) struct Address<S: Stage> {
    pub(crate) sender: Sender<S>,
    pub(crate) shared: Arc<Shared>,
}

/// An address that does not keep its stage reachable.
pub(crate) struct WeakAddress<S: Stage> {
    sender: WeakSender<S>,
    shared: Arc<Shared>,
}

impl<S: Stage> Address<S> {
    pub(crate) fn downgrade(&self) -> WeakAddress<S> {
        WeakAddress { sender: self.sender.downgrade(), shared: self.shared.clone() }
    }

    /// Of a part of a stage: the whole, and the way to it.
    pub(crate) fn part<W: Stage>(whole: &Address<W>, way: impl Route<S> + 'static, name: Arc<str>) -> Self {
        Self { sender: Sender::new(way), shared: whole.shared.part(name) }
    }
}

impl<S: Stage> WeakAddress<S> {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.shared.name
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// As [`Address::part`].
    pub(crate) fn part<W: Stage>(
        whole: &WeakAddress<W>,
        way: impl WeakRoute<S> + 'static,
        name: Arc<str>,
    ) -> Self {
        Self { sender: WeakSender::new(way), shared: whole.shared.part(name) }
    }

    pub(crate) fn upgrade(&self) -> Option<Address<S>> {
        Some(Address { sender: self.sender.upgrade()?, shared: self.shared.clone() })
    }

    /// Sends what a timer sends. One that nobody can reach any more is about to end.
    pub(crate) fn timer<Msg: Send + 'static>(&self, message: Msg)
    where
        S: Cast<Msg>,
    {
        if let Some(sender) = self.sender.upgrade() {
            let _ = sender.send(Message::User(Box::new(CastEnvelope(message)), None));
        }
    }
}

impl<S: Runnable> Observed for WeakAddress<S> {
    fn name(&self) -> &Arc<str> {
        &self.shared.name
    }

    fn gauges(&self) -> &StageGauges {
        &self.shared.gauges
    }

    fn mailbox(&self) -> usize {
        self.sender.upgrade().map_or(0, |sender| sender.len())
    }

    fn has_ended(&self) -> bool {
        self.shared.life.ended.initialized()
    }
}

impl<S: Stage> fmt::Debug for WeakAddress<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakAddress").field(&self.shared.name).finish()
    }
}

impl<S: Stage> Clone for WeakAddress<S> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: self.shared.clone() }
    }
}

/// What is known of a stage outside its task.
pub(crate) struct Shared {
    pub(super) name: Arc<str>,
    pub(crate) id: StageId,
    pub(crate) options: StageOptions,
    pub(crate) gauges: Arc<StageGauges>,
    pub(super) life: Arc<Life>,
}

/// What the parts of a fused stage have in common.
pub(super) struct Life {
    pub(super) permits: Arc<Semaphore>,
    /// The task, or the thread's, in which the stage's callbacks run.
    task: Mutex<Option<task::Id>>,
    pub(super) ended: SetOnce<Reason>,
}

impl Shared {
    /// Of a part of this stage.
    fn part(&self, name: Arc<str>) -> Arc<Self> {
        let (gauges, life) = (self.gauges.clone(), self.life.clone());
        Arc::new(Self { name, id: self.id, options: self.options, gauges, life })
    }

    /// The stage's callbacks run in this task, or thread, from now on.
    pub(super) fn runs_here(&self) {
        *self.life.task.lock() = task::try_id();
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether this is called in a callback of the stage.
    pub(super) fn is_here(&self) -> bool {
        let task = *self.life.task.lock();
        task.is_some() && task == task::try_id()
    }
}

impl<S: Stage> Clone for Address<S> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: self.shared.clone() }
    }
}

pub(crate) fn mailbox<S: Runnable>(name: Arc<str>, options: StageOptions) -> (Address<S>, Mailbox<S>) {
    let (sender, receiver) = channel();
    let permits = Arc::new(Semaphore::new(CAPACITY));
    let life = Arc::new(Life { permits, task: Mutex::new(None), ended: SetOnce::new() });
    let shared = Shared { name, id: StageId::next(), options, gauges: Arc::default(), life };
    (Address { sender: Sender::new(sender), shared: Arc::new(shared) }, receiver)
}

// A message to a stage that has ended is dropped with its mailbox: whoever ends has told its neighbours.

impl<S: Runnable> Upstream<S::Give> for Address<S> {
    fn ask(&self, id: SubscriptionId, demand: usize, spare: &mut Vec<S::Give>) {
        self.sender.ask(id, demand, spare);
    }

    fn give_back(&self, id: SubscriptionId, events: Vec<S::Give>) {
        let _ = self.sender.send(Message::GiveBack { id, events });
    }

    fn consumer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        let _ = self.sender.send(Message::ConsumerGone { id, kind, reason });
    }
}

impl<S: Runnable> Downstream<S::Take> for Address<S> {
    fn events(&self, id: SubscriptionId, events: &mut Vec<S::Take>) -> bool {
        self.sender.events(id, events)
    }

    fn producer_gone(&self, id: SubscriptionId, kind: CancelKind, reason: Reason) {
        let _ = self.sender.send(Message::ProducerGone { id, kind, reason });
    }
}

/// What was left in a mailbox.
pub(super) struct Unread<S: Stage> {
    batches: Vec<Vec<S::Take>>,
    others: Vec<Message<S>>,
}

impl<S: Stage> Unread<S> {
    /// How many events there are that have come.
    pub(super) fn events(&self) -> usize {
        self.batches.iter().map(Vec::len).sum()
    }

    /// How many events there are that have come back.
    pub(super) fn given_back(&self) -> usize {
        let given_back = self.others.iter().map(|message| match message {
            Message::GiveBack { events, .. } => events.len(),
            _ => 0,
        });
        given_back.sum()
    }
}

/// Closes a mailbox: what it refuses from now on goes back, and whoever waits for room in it waits no longer.
pub(super) fn close<S: Stage>(mailbox: &mut Mailbox<S>, shared: &Shared) -> Unread<S> {
    let mut unread = Unread { batches: vec![], others: vec![] };
    for message in mailbox.close() {
        match message {
            Message::Events { events, .. } => unread.batches.push(events),
            other => unread.others.push(other),
        }
    }
    shared.life.permits.close();
    unread
}
