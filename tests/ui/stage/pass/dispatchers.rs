use genstage::prelude::*;
use genstage::{ConsumerKey, DemandMode, Dispatcher, Keep, NotDispatched, Outbox};

macro_rules! producer {
    ($name:ident) => {
        impl Producer for $name {
            type Event = u64;

            async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
                cx.finish();
                Ok(())
            }
        }
    };
}

#[stage(producer, dispatcher = demand, demand = accumulate)]
struct Plain;
producer!(Plain);

#[stage(producer, dispatcher = demand(max_demand = 10, shuffle = self.seed), buffer_keep = self.keep, demand = self.mode)]
struct Shuffled {
    seed: u64,
    keep: Keep,
    mode: DemandMode,
}
producer!(Shuffled);

#[stage(producer, dispatcher = broadcast)]
struct Broadcast;
producer!(Broadcast);

#[stage(producer, dispatcher = partition(4))]
struct ByHash;
producer!(ByHash);

#[stage(producer, dispatcher = partition(self.count, by = |n: &u64| n / 10, queue_size = 100))]
struct ByKey {
    count: usize,
}
producer!(ByKey);

#[stage(producer, dispatcher = partition(2, index = |n: &u64| (n % 3 < 2).then_some((n % 3) as usize)))]
struct ByIndex;
producer!(ByIndex);

#[derive(Debug)]
enum Parity {
    Even,
    Odd,
}

fn parity(n: &u64) -> Parity {
    if n % 2 == 0 { Parity::Even } else { Parity::Odd }
}

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = parity))]
struct ByParity;
producer!(ByParity);

#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = |n| (*n > 0).then(|| parity(n)), queue_size = 10))]
struct ByParityOrNot;
producer!(ByParityOrNot);

/// Everything to the consumer that came last.
#[derive(Default)]
struct Last(Option<ConsumerKey>, usize);

impl Dispatcher<u64> for Last {
    type Options = ();

    fn subscribe(&mut self, consumer: ConsumerKey, (): ()) -> Result<(), NotDispatched> {
        *self = Self(Some(consumer), 0);
        Ok(())
    }

    fn cancel(&mut self, consumer: ConsumerKey, _: &mut Outbox<u64>) {
        if self.0 == Some(consumer) {
            *self = Self::default();
        }
    }

    fn ask(&mut self, consumer: ConsumerKey, demand: usize, _: &mut Outbox<u64>) {
        if self.0 == Some(consumer) {
            self.1 += demand;
        }
    }

    fn wanted(&self) -> usize {
        self.1
    }

    fn dispatch(&mut self, events: &mut Vec<u64>, count: usize, out: &mut Outbox<u64>) {
        if let (Some(consumer), true) = (self.0, count > 0) {
            self.1 -= count;
            out.send_first(consumer, count, events);
        }
    }
}

impl Last {
    fn new() -> Self {
        Self::default()
    }
}

#[stage(producer, dispatcher = Last)]
struct Own;
producer!(Own);

#[stage(producer, dispatcher = Last::new())]
struct Made;
producer!(Made);

fn main() {
    use Parity::{Even, Odd};
    let (partition, parity) = (1, || Parity::Odd);
    let _ = pipeline! {
        sink = for_each(|_: u64| ());
        three = for_each(|_: u64| ()), replicas: 4;
        plain = Plain;
        odds = for_each(|_: u64| ());
        by_parity = ByParity;
        shuffled = Shuffled { seed: 1, keep: Keep::Last, mode: DemandMode::Forward };
        broadcast = Broadcast;
        hash = ByHash;
        key = ByKey { count: 4 };
        { plain, shuffled, Own::stage(), Made::stage() } => sink;
        broadcast => { sink, three [selector: |n| n % 2 == 0] };
        hash => three;
        by_parity => { sink [partition: Parity::Even], odds [partition: Parity::Odd] };
        ByParityOrNot::stage() => { sink [partition: Even], odds [partition: Odd] };
        ByParityOrNot::stage() => odds [partition: parity()];
        key => sink [partition: partition + 1];
        ByIndex::stage() => sink [partition: 0, max_demand: 3];
    };
}

impl Own {
    fn stage() -> Self {
        Self
    }
}

impl Made {
    fn stage() -> Self {
        Self
    }
}

impl ByParityOrNot {
    fn stage() -> Self {
        Self
    }
}

impl ByIndex {
    fn stage() -> Self {
        Self
    }
}
