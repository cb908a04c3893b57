//! Who owns which partition, and what becomes of their events when owners come, go and die.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use genstage::Reason;
use genstage::remote::Delivered;
use genstage_nats::{ByKey, Hub, Nats};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::numbers::{LONG, Taking, is_empty, open, put, shared, take};
use crate::server::Server;

const PARTITIONS: usize = 6;

/// Numbers by their last digit.
async fn by_digit(url: &str) -> Hub<u64, ByKey<u64>> {
    let nats = Nats::connect(url).await.unwrap();
    let exchange = nats.exchange("numbers").ack_wait(Duration::from_secs(2));
    open(exchange.partition(PARTITIONS, digit)).await
}

fn digit(number: &u64) -> u64 {
    number % 10
}

/// What came, in its order, by digit.
#[derive(Debug, Default)]
struct Come(BTreeMap<u64, Vec<u64>>);

impl Come {
    fn add(&mut self, number: u64) {
        self.0.entry(digit(&number)).or_default().push(number);
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    fn is_in_order(&self) -> bool {
        self.0.values().all(|numbers| numbers.is_sorted())
    }
}

type Events = UnboundedReceiver<Delivered<u64>>;

/// Numbers that go up, and what came of them.
struct Flow {
    hub: Hub<u64, ByKey<u64>>,
    next: u64,
    come: Come,
}

impl Flow {
    fn new(hub: &Hub<u64, ByKey<u64>>) -> Self {
        Self { hub: hub.clone(), next: 0, come: Come::default() }
    }

    async fn put(&mut self, count: u64) {
        put(&self.hub, self.next..self.next + count).await;
        self.next += count;
    }

    /// Takes what comes to either until all has come that was put in; which digits came to whom.
    async fn take(&mut self, one: &mut Events, other: &mut Events) -> [BTreeSet<u64>; 2] {
        let mut digits = [BTreeSet::new(), BTreeSet::new()];
        let taken = async {
            while (self.come.count() as u64) < self.next {
                let (whose, event) = tokio::select! {
                    Some(event) = one.recv() => (0, event),
                    Some(event) = other.recv() => (1, event),
                };
                self.come.add(*event);
                digits[whose].insert(digit(&event));
                event.done();
            }
        };
        timeout(LONG, taken).await.expect("nothing comes");
        digits
    }

    /// Puts in and takes out until each has its share of the partitions.
    async fn share(&mut self, one: &mut Events, other: &mut Events) {
        let shared = async {
            loop {
                self.put(20).await;
                let [first, second] = self.take(one, other).await;
                if first.is_disjoint(&second) && !first.is_empty() && !second.is_empty() {
                    return;
                }
            }
        };
        timeout(LONG, shared).await.expect("one has nothing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_source_owns_all_partitions() {
    let server = Server::start();
    let hub = by_digit(&server.url).await;
    put(&hub, 0..500).await;
    let mut taking = take(&hub, "group");
    let mut come = Come::default();
    for _ in 0..500 {
        let event = taking.next().await;
        come.add(*event);
        event.done();
    }
    assert!(come.is_in_order(), "{come:?}");
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

/// Each has its share, no event comes twice, and those of one key keep their order, also on their way from one owner to the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_come_and_go_have_their_share() {
    let server = Server::start();
    let hub = by_digit(&server.url).await;
    let mut flow = Flow::new(&hub);
    let mut one = take(&hub, "group");
    // One has all of them, and a lot to do, when the other comes.
    flow.put(1000).await;
    let first = one.next().await;
    flow.come.add(*first);
    first.done();
    let mut other = take(&hub, "group");
    flow.share(&mut one.events, &mut other.events).await;
    // It goes again.
    flow.put(1000).await;
    let leaving = tokio::spawn(one.running.drain());
    flow.take(&mut one.events, &mut other.events).await;
    assert!(flow.come.is_in_order(), "{:?}", flow.come);
    is_empty(&server, "numbers").await;
    timeout(LONG, leaving).await.expect("it does not end").unwrap().unwrap();
    other.ends().await;
}

/// The server is away for a while: nobody loses what it owns for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_have_their_share_when_the_server_comes_back() {
    let mut server = Server::start();
    let hub = by_digit(&server.url).await;
    let mut flow = Flow::new(&hub);
    let (mut one, mut other) = (take(&hub, "group"), take(&hub, "group"));
    flow.share(&mut one.events, &mut other.events).await;
    is_empty(&server, "numbers").await;
    server.crash_and_restart();
    flow.share(&mut one.events, &mut other.events).await;
    one.ends().await;
    other.ends().await;
}

/// A process of its own, as it were, that can be killed.
fn killable(url: &str) -> (Runtime, Taking) {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = url.to_owned();
    let (sender, receiver) = std::sync::mpsc::channel();
    runtime.spawn(async move { sender.send(take(&by_digit(&url).await, "group")) });
    (runtime, receiver.recv().unwrap())
}

/// What the dead one had comes again before what follows it, so that the order of each key is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_a_dead_source_go_to_another() {
    let server = Server::start();
    let hub = by_digit(&server.url).await;
    let (runtime, mut dies) = killable(&server.url);
    let mut lives = take(&hub, "group");
    let mut flow = Flow::new(&hub);
    flow.share(&mut dies.events, &mut lives.events).await;
    is_empty(&server, "numbers").await;
    let before = flow.next;
    flow.put(300).await;
    let held = dies.next().await;
    runtime.shutdown_background();
    let mut come = Come::default();
    let mut seen = HashSet::new();
    while seen.len() < 300 {
        let event = lives.next().await;
        assert!(seen.insert(*event), "{} comes twice", *event);
        come.add(*event);
        event.done();
    }
    assert!(seen.iter().all(|number| *number >= before));
    assert!(come.is_in_order(), "{come:?}");
    drop(held);
    is_empty(&server, "numbers").await;
    lives.ends().await;
}

/// Who owns nothing stands by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_may_be_more_sources_than_partitions() {
    let server = Server::start();
    let hub = by_digit(&server.url).await;
    let mut all: Vec<Taking> = (0..PARTITIONS + 2).map(|_| take(&hub, "group")).collect();
    put(&hub, 0..200).await;
    let mut come = Come::default();
    while come.count() < 200 {
        for taking in &mut all {
            while let Ok(event) = taking.events.try_recv() {
                come.add(*event);
                event.done();
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    is_empty(&server, "numbers").await;
    // The last one that is left has all.
    let mut last = all.pop().unwrap();
    let stopped = all.into_iter().map(|taking| taking.running.stop(Reason::Shutdown));
    join_all(stopped).await.into_iter().for_each(|stopped| drop(stopped.unwrap()));
    put(&hub, 0..50).await;
    last.done(50).await;
    is_empty(&server, "numbers").await;
    last.ends().await;
}

/// Each of them has its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demand_smaller_than_the_number_of_partitions_reaches_all_of_them() {
    let server = Server::start();
    let hub = by_digit(&server.url).await;
    put(&hub, 0..40).await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let source = hub.source("group");
    let (pipeline, _) = genstage::pipeline! {
        source = source;
        hands = genstage::for_each(move |event: Delivered<u64>| drop(sender.send(event)));
        source => hands [max_demand: 1];
    }
    .into_parts();
    let running = pipeline.start().unwrap();
    for _ in 0..40 {
        timeout(LONG, receiver.recv()).await.unwrap().unwrap().done();
    }
    is_empty(&server, "numbers").await;
    running.drain().await.unwrap();
}

/// An exchange has its number of partitions for ever.
#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let server = Server::start();
    by_digit(&server.url).await;
    let other = shared(&server).await.partition(PARTITIONS + 1, digit);
    let refused = other.open::<u64>(genstage_nats::Codec::Json).await.unwrap_err().to_string();
    assert!(refused.contains("`numbers` has the subjects"), "{refused}");
}
