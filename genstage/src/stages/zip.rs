use std::collections::VecDeque;

use crate::prelude::*;
use crate::subscription::SubscriptionId;
use crate::{Cancelled, Demand, Side, Stage, Subscription};

/// One half of a pair, on its way to [`zip`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Half<A, B> {
    /// What becomes the first of a pair.
    First(A),
    /// What becomes the second of a pair.
    Second(B),
}

/// A producer-consumer that makes pairs; see [`zip`].
#[stage(producer_consumer)]
#[derive(Debug)]
pub struct Zip<A, B> {
    firsts: Waiting<A>,
    seconds: Waiting<B>,
    producers: Vec<Sender>,
}

/// Halves that have no partner yet, each with the subscription that it came over.
type Waiting<T> = VecDeque<(T, SubscriptionId)>;

#[derive(Debug)]
struct Sender {
    subscription: Subscription,
    has_ended: bool,
    /// Whether it sends first halves; not known before it has sent anything.
    sends_firsts: Option<bool>,
    /// How many of its events wait for a partner.
    waiting: usize,
}

/// A producer-consumer that emits pairs: the first event of the one side with the first of the other, and so on.
///
/// Its producers say which half their events are: `map(Half::First)` in front of it, and `map(Half::Second)`. A producer sends halves of
/// one kind only. It is asked for no more than `max_demand` events (1000) that have no partner yet, so the faster side waits for the slower
/// one. When one side has ended, and its events have their partners, the stage finishes; events of the other side that are left over are
/// dropped, and counted as discarded.
///
/// It asks by itself, so a `rate` belongs on an edge before, and what it has can be paired here only: `replicas` of it would make pairs of what
/// each happens to get. An event that is lost before it comes, with a restart for instance, leaves all later pairs shifted by one.
///
/// ```
/// use genstage::prelude::*;
///
/// # #[tokio::main]
/// # async fn main() -> Result {
/// let summary = pipeline! {
///     names = from_iter(["to", "be", "or"]);
///     numbers = from_iter(1..);
///     pairs = zip();
///     { names |> map(Half::First), numbers |> map(Half::Second) } => pairs => for_each(|(name, n): (&str, u32)| println!("{n}: {name}"));
/// }
/// .run()
/// .await?;
/// assert_eq!(summary.stage("pairs").map(|pairs| pairs.events_out), Some(3));
/// # Ok(())
/// # }
/// ```
pub fn zip<A, B>() -> Zip<A, B> {
    Zip { firsts: VecDeque::new(), seconds: VecDeque::new(), producers: Vec::new() }
}

impl Sender {
    /// Asks for as many as may wait for a partner, besides those that do and those that are still to come. `here` are with the handler.
    fn ask<S: Stage>(&self, cx: &mut Context<S>, here: usize) {
        let Self { subscription, waiting, .. } = self;
        let coming = subscription.asked().saturating_sub(subscription.handled());
        let coming = usize::try_from(coming).unwrap_or(usize::MAX).saturating_sub(here);
        cx.ask(subscription, subscription.max_demand().saturating_sub(waiting.saturating_add(coming)));
    }
}

impl<A: Send + 'static, B: Send + 'static> Zip<A, B> {
    fn pair(&mut self, cx: &mut Context<Self>) {
        let pairs = self.firsts.len().min(self.seconds.len());
        let (firsts, seconds) = (self.firsts.drain(..pairs), self.seconds.drain(..pairs));
        for ((a, from_a), (b, from_b)) in firsts.zip(seconds) {
            for producer in &mut self.producers {
                let id = producer.subscription.id;
                producer.waiting -= usize::from(id == from_a) + usize::from(id == from_b);
            }
            cx.emit((a, b));
        }
        self.producers.retain(|producer| !producer.has_ended || producer.waiting > 0);
        if self.firsts.is_empty() && !self.may_come(true) || self.seconds.is_empty() && !self.may_come(false)
        {
            cx.discarded += self.firsts.len() + self.seconds.len();
            self.firsts.clear();
            self.seconds.clear();
            cx.finish();
        }
    }

    /// Whether there is a producer that may send halves of that kind.
    fn may_come(&self, firsts: bool) -> bool {
        let may_send = |producer: &Sender| producer.sends_firsts.is_none_or(|sends| sends == firsts);
        self.producers.iter().any(|producer| !producer.has_ended && may_send(producer))
    }
}

impl<A: Send + 'static, B: Send + 'static> ProducerConsumer for Zip<A, B> {
    type Input = Half<A, B>;
    type Output = (A, B);

    async fn handle_subscribe(&mut self, producer: &Subscription, cx: &mut Context<Self>) -> Result<Demand> {
        let subscription = producer.clone();
        let sender = Sender { subscription, has_ended: false, sends_firsts: None, waiting: 0 };
        // Of a stage that was begun anew, what was asked for before still comes.
        sender.ask(cx, 0);
        self.producers.push(sender);
        Ok(Demand::Manual)
    }

    async fn handle_events(&mut self, events: &mut Batch<Half<A, B>>, cx: &mut Context<Self>) -> Result {
        let is_sender = |producer: &&mut Sender| events.came_over(&producer.subscription);
        let Some(sender) = self.producers.iter_mut().find(is_sender) else { return Ok(()) };
        let (id, here) = (sender.subscription.id, events.len());
        sender.waiting += here;
        sender.sends_firsts = events.first().map(|half| matches!(half, Half::First(_)));
        for half in events.drain() {
            match half {
                Half::First(a) => self.firsts.push_back((a, id)),
                Half::Second(b) => self.seconds.push_back((b, id)),
            }
        }
        self.pair(cx);
        for producer in self.producers.iter().filter(|producer| !producer.has_ended) {
            // What is here counts as handled from the end of this callback.
            producer.ask(cx, if producer.subscription.id == id { here } else { 0 });
        }
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, cx: &mut Context<Self>) -> Result {
        if cancelled.side() == Side::Producer {
            let has_ended = |producer: &&mut Sender| cancelled.is(&producer.subscription);
            self.producers.iter_mut().filter(has_ended).for_each(|producer| producer.has_ended = true);
            self.pair(cx);
        }
        Ok(())
    }

    fn held(&self) -> usize {
        self.firsts.len() + self.seconds.len()
    }
}
