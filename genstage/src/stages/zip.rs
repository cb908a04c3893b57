use std::collections::VecDeque;
use std::mem;

use crate::prelude::*;
use crate::{Cancelled, Demand, Side, Subscription};

/// How many events of each producer wait at most for their partners.
const WINDOW: usize = 1000;

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

/// Halves that have no partner yet, each with the number of the producer that it came from.
type Waiting<T> = VecDeque<(T, usize)>;

#[derive(Debug)]
struct Sender {
    subscription: Subscription,
    has_ended: bool,
    /// Whether it sends first halves; not known before it has sent anything.
    sends_firsts: Option<bool>,
    /// How many of its events have found a partner since it was asked last.
    paired: usize,
}

/// A producer-consumer that emits pairs: the first event of the one side with the first of the other, and so on.
///
/// Its producers say which half their events are: `map(Half::First)` in front of it, and `map(Half::Second)`. A producer sends halves of
/// one kind only. It is asked for no more than 1000 events that have no partner yet, so the faster side waits for the slower one. When
/// one side has ended, and its events have their partners, the stage finishes; events of the other side that are left over are dropped,
/// and counted as discarded.
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

impl<A: Send + 'static, B: Send + 'static> Zip<A, B> {
    fn pair(&mut self, cx: &mut Context<Self>) {
        let Self { firsts, seconds, producers } = self;
        let pairs = firsts.len().min(seconds.len());
        for ((a, from_a), (b, from_b)) in firsts.drain(..pairs).zip(seconds.drain(..pairs)) {
            producers[from_a].paired += 1;
            producers[from_b].paired += 1;
            cx.emit((a, b));
        }
        for producer in producers.iter_mut().filter(|producer| !producer.has_ended) {
            cx.ask(&producer.subscription, mem::take(&mut producer.paired));
        }
        if self.firsts.is_empty() && !self.may_come(true) || self.seconds.is_empty() && !self.may_come(false)
        {
            cx.discarded += self.firsts.len() + self.seconds.len();
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
        self.producers.push(Sender { subscription, has_ended: false, sends_firsts: None, paired: 0 });
        cx.ask(producer, WINDOW);
        Ok(Demand::Manual)
    }

    async fn handle_events(&mut self, events: &mut Batch<Half<A, B>>, cx: &mut Context<Self>) -> Result {
        let is_sender = |producer: &Sender| events.came_over(&producer.subscription);
        let Some(from) = self.producers.iter().position(is_sender) else { return Ok(()) };
        self.producers[from].sends_firsts = events.first().map(|half| matches!(half, Half::First(_)));
        for half in events.drain() {
            match half {
                Half::First(a) => self.firsts.push_back((a, from)),
                Half::Second(b) => self.seconds.push_back((b, from)),
            }
        }
        self.pair(cx);
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
}
