//! What a careless user of JetStream falls into.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use futures_util::StreamExt;
use genstage::Reason;
use genstage::prelude::*;
use genstage::remote::{Delivered, Remote};
use genstage_nats::{Codec, Hub, Nats, Session, Shared};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, timeout};

use crate::numbers::{
    LONG, PAUSE, consumer, context, is_empty, messages, open, put, shared, subscribers, take,
};
use crate::server::Server;

/// Longer than anything is waited for: what only that brings back has got stuck.
const FOR_EVER: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug)]
enum End {
    Stop,
    Abort,
    Drain,
    Cancel,
}

/// A source that ends in the middle; a part of what it gets is dropped, before and after. What it was done with.
async fn ended_in_the_middle(hub: Hub<u64, Shared>, end: End) -> Vec<u64> {
    let (to, mut events) = unbounded_channel();
    let source = hub.source("group");
    let running = pipeline! {
        source = source;
        hands = for_each(move |event: Delivered<u64>| drop(to.send(event)));
        source => hands [max_demand: 200];
    }
    .start()
    .unwrap();
    let mut done = vec![];
    let mut settle = |event: Delivered<u64>| {
        if !event.is_multiple_of(3) {
            done.push(*event);
            event.done();
        }
    };
    for _ in 0..100 {
        settle(timeout(LONG, events.recv()).await.expect("nothing comes").unwrap());
    }
    let ends = async {
        match end {
            End::Stop => running.stop(Reason::Shutdown).await,
            End::Abort => running.abort().await,
            End::Drain => running.drain().await,
            End::Cancel => {
                running.hands.stop(Reason::Normal).await;
                running.join().await
            }
        }
    };
    let rest = async {
        while let Some(event) = events.recv().await {
            settle(event);
        }
    };
    let (ended, ()) = tokio::join!(timeout(LONG, ends), rest);
    ended.unwrap_or_else(|_| panic!("{end:?} does not end")).unwrap();
    done
}

/// A request that is dropped strands what comes of it. Whichever way sources end, the next one has all that they had, and none of
/// what they were done with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_end_in_the_middle_leave_nothing_stuck() {
    let server = Server::start();
    let hub = open(shared(&server).await.ack_wait(FOR_EVER).max_deliver(1000)).await;
    put(&hub, 0..5000).await;
    let mut done = vec![];
    for _ in 0..3 {
        let ends = [End::Stop, End::Abort, End::Drain, End::Cancel];
        for one in ends.map(|end| tokio::spawn(ended_in_the_middle(hub.clone(), end))) {
            done.extend(one.await.unwrap());
        }
    }
    let mut last = take(&hub, "group");
    let left = 5000 - done.len();
    done.extend(last.done(left).await);
    is_empty(&server, "numbers").await;
    assert!(last.events.is_empty(), "some have come twice");
    done.sort_unstable();
    assert!(done.into_iter().eq(0..5000));
    last.ends().await;
}

/// The client would drop what is beyond its buffer while nobody looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_client_buffers_is_there_for_a_slow_user() {
    const MORE: usize = 70_000;
    let server = Server::start();
    let nats = Nats::connect(&server.url).await.unwrap();
    let hub = open(nats.exchange("numbers").ack_wait(FOR_EVER)).await;
    let client = async_nats::connect(&server.url).await.unwrap();
    for n in 0..MORE {
        client.publish("genstage.numbers", format!("[{n}]").into()).await.unwrap();
    }
    let stored = async {
        while messages(&server, "numbers").await < MORE as u64 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, stored).await.expect("not all is stored");
    let mut session = hub.session("group");
    session.open().await.unwrap();
    session.request(MORE).await.unwrap();
    let mut received = 0;
    let mut receive = async |session: &mut Session<u64>| {
        let delivery = timeout(LONG, session.receive()).await.expect("nothing comes").unwrap().unwrap();
        assert_eq!(delivery.events, [received]);
        received += 1;
        received
    };
    receive(&mut session).await;
    let handed_out = async {
        loop {
            let group = consumer(&server, "group").await;
            match MORE - group.num_ack_pending {
                0 => return,
                // The request has expired before all had come.
                rest if group.num_waiting == 0 => {
                    session.request(rest).await.unwrap();
                    receive(&mut session).await;
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    timeout(LONG, handed_out).await.expect("not all is handed out");
    // The answer to this comes behind them.
    open(nats.exchange("others")).await;
    while receive(&mut session).await < MORE as u64 {}
}

/// Is done with a batch whenever it may.
#[stage(consumer)]
struct Slow {
    may: Arc<Semaphore>,
}

impl Consumer for Slow {
    type Event = Delivered<u64>;

    async fn handle_events(&mut self, events: &mut Batch<Delivered<u64>>, _: &mut Context<Self>) -> Result {
        self.may.acquire().await?.forget();
        events.drain().for_each(Delivered::done);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_consumer_has_no_more_than_its_window() {
    let server = Server::start();
    let hub = open(shared(&server).await.ack_wait(FOR_EVER)).await;
    put(&hub, 0..1000).await;
    let (may, source) = (Arc::new(Semaphore::new(0)), hub.source("group"));
    let slow = Slow { may: may.clone() };
    let slow = pipeline! { source = source; slow = slow; source => slow [max_demand: 20]; }.start().unwrap();
    let has_its_window = async {
        while subscribers(&server).await < 1 || consumer(&server, "group").await.num_ack_pending < 20 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, has_its_window).await.expect("it has less");
    let mut other = take(&hub, "group");
    let mut numbers = other.done(980).await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(20..1000));
    may.add_permits(1000);
    is_empty(&server, "numbers").await;
    other.ends().await;
    timeout(LONG, slow.drain()).await.expect("it does not end").unwrap();
}

/// Requests expire while nothing comes, and each has to be followed by another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_source_goes_on_when_events_come() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    let client = async_nats::connect(&server.url).await.unwrap();
    let mut requests = client.subscribe("$JS.API.CONSUMER.MSG.NEXT.numbers.group").await.unwrap();
    client.flush().await.unwrap();
    let mut taking = take(&hub, "group");
    for _ in 0..4 {
        timeout(LONG, requests.next()).await.expect("nothing is requested").unwrap();
    }
    put(&hub, 0..100).await;
    assert!(taking.done(100).await.into_iter().eq(0..100));
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

/// Beyond a number of messages that nobody has settled a server hands out nothing, unless it was told otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_as_are_wanted_may_be_unsettled() {
    let server = Server::start();
    let hub = open(shared(&server).await.ack_wait(FOR_EVER)).await;
    let letters = context(&server).await.get_stream("numbers-dead").await.unwrap();
    let plain = pull::Config { durable_name: Some("plain".into()), ..pull::Config::default() };
    let limit = letters.create_consumer(plain).await.unwrap().cached_info().config.max_ack_pending;
    assert!(limit > 0, "there is no limit");
    let more = limit as u64 + 500;
    put(&hub, 0..more).await;
    let mut taking = take(&hub, "group");
    let mut events = vec![];
    for expected in 0..more {
        let event = taking.next().await;
        assert_eq!(*event, expected);
        events.push(event);
    }
    assert_eq!(consumer(&server, "group").await.num_ack_pending as u64, more);
    events.into_iter().for_each(Delivered::done);
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

/// More in one batch than a client has on its way to the server at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_as_come_are_stored_once() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    let sink = hub.sink();
    pipeline! { sink = sink; source = from_iter(0..20_000); source => sink [max_demand: 40_000]; }
        .run()
        .await
        .unwrap();
    assert_eq!(messages(&server, "numbers").await, 20_000);
    let mut taking = take(&hub, "group");
    assert!(taking.done(20_000).await.into_iter().eq(0..20_000));
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

/// Why a source is refused whose group is there already, and differs.
async fn refused(differs: impl FnOnce(&mut pull::Config)) -> String {
    let server = Server::start();
    let hub = open(shared(&server).await.broadcast()).await;
    let stream = context(&server).await.get_stream("numbers").await.unwrap();
    let mut there = pull::Config {
        durable_name: Some("group".into()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: Duration::from_secs(30),
        deliver_policy: DeliverPolicy::New,
        max_ack_pending: -1,
        ..pull::Config::default()
    };
    differs(&mut there);
    stream.create_consumer(there).await.unwrap();
    let refused = timeout(LONG, take(&hub, "group").running.join()).await.expect("it is not refused");
    refused.unwrap_err().to_string()
}

/// Two sources of such a group would acknowledge each other's messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_with_other_acknowledgements_is_refused() {
    let refused = refused(|there| there.ack_policy = AckPolicy::All).await;
    assert!(
        refused.contains("the group `group` of `numbers` has acknowledgements of All, not Explicit"),
        "{refused}"
    );
}

/// Those that are in it count on theirs: it is not changed under them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_with_another_ack_wait_is_refused() {
    let refused = refused(|there| there.ack_wait = Duration::from_secs(7)).await;
    assert!(refused.contains("the group `group` of `numbers` has an ack wait of 7s, not 30s"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_with_a_filter_is_refused() {
    let refused = refused(|there| there.filter_subject = "genstage.numbers".into()).await;
    assert!(
        refused.contains("the group `group` of `numbers` has a filter of \"genstage.numbers\", not \"\""),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_whose_group_is_deleted_fails() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    put(&hub, 0..1).await;
    let mut taking = take(&hub, "group");
    taking.done(1).await;
    let stream = context(&server).await.get_stream("numbers").await.unwrap();
    stream.delete_consumer("group").await.unwrap();
    let failure = timeout(LONG, taking.running.join()).await.expect("it goes on").unwrap_err();
    assert!(failure.to_string().contains("the group `group` of `numbers` has been removed"), "{failure}");
}

#[tokio::test]
async fn a_server_without_jetstream_is_refused() {
    let server = Server::with([]);
    let refused = shared(&server).await.open::<u64>(Codec::Json).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`numbers` was not opened: the server has no JetStream: start it with `nats-server -js`"
    );
}

/// What lies in the source's own buffer is in nobody's hands: it is given back at once. (Of ten that come together, one is wanted.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_buffered_does_not_hold_up_the_end() {
    let server = Server::start();
    let hub = open(shared(&server).await.pack(10).ack_wait(FOR_EVER)).await;
    put(&hub, 0..10).await;
    let (may, source) = (Arc::new(Semaphore::new(0)), hub.source("group"));
    let slow = Slow { may };
    let slow = pipeline! { source = source; slow = slow; source => slow [max_demand: 1]; }.start().unwrap();
    let is_buffered = async {
        while slow.source.snapshot().await.unwrap().buffered < 9 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, is_buffered).await.expect("nothing comes");
    timeout(LONG, slow.abort()).await.expect("it does not end").unwrap();
    let mut other = take(&hub, "group");
    assert!(other.done(10).await.into_iter().eq(0..10));
    is_empty(&server, "numbers").await;
    other.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_failed_waits() {
    const WAIT: Duration = Duration::from_secs(1);
    let server = Server::start();
    let hub = open(shared(&server).await.redeliver_after(WAIT)).await;
    put(&hub, 0..20).await;
    let mut taking = take(&hub, "group");
    let first = taking.next().await;
    assert_eq!(*first, 0);
    let failed = Instant::now();
    drop(first);
    assert!(taking.done(19).await.into_iter().eq(1..20), "it holds up no other");
    assert_eq!(taking.done(1).await, [0]);
    assert!(failed.elapsed() >= WAIT, "it has come too soon");
    is_empty(&server, "numbers").await;
    taking.ends().await;
}
