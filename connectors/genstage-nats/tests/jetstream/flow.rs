//! What comes of events in an exchange: kept, settled, told apart, given up.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use async_nats::jetstream;
use futures_util::StreamExt;
use genstage::Reason;
use genstage::prelude::*;
use genstage::remote::Delivered;
use genstage_nats::{Codec, Nats, OpenError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::numbers::{LONG, PAUSE, are_there, is_empty, messages, open, put, shared, take, unsettled};
use crate::server::Server;

/// Producers are held up, and nothing is lost; when there is room they go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bounded_exchange_fills_and_empties() {
    let server = Server::start();
    let hub = open(shared(&server).await.bounded(100)).await;
    let sink = hub.sink();
    let running = pipeline! { source = from_iter(0..1000); sink = sink; source => sink [max_demand: 50]; }
        .start()
        .unwrap();
    let full = async {
        while messages(&server, "numbers").await < 100 {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, full).await.unwrap();
    // A window is with the sink, and one is on its way.
    assert!(running.source.snapshot().await.unwrap().events_out <= 100 + 2 * 50);
    let mut taking = take(&hub, "group");
    let mut numbers = taking.done(1000).await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..1000));
    running.join().await.unwrap();
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_in_twice_comes_once() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    for _ in 0..3 {
        let sink = hub.sink().id(|n| *n);
        pipeline! { sink = sink; from_iter(0..50) => sink; }.run().await.unwrap();
    }
    assert_eq!(messages(&server, "numbers").await, 50);
    // Without ids they are others.
    put(&hub, 0..50).await;
    assert_eq!(messages(&server, "numbers").await, 100);
}

/// One message of many events is settled when the last of them is, and fails with one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packed_events_are_settled_together() {
    let server = Server::start();
    let hub = open(shared(&server).await.pack(10)).await;
    put(&hub, 0..95).await;
    assert_eq!(messages(&server, "numbers").await, 10);
    let mut taking = take(&hub, "group");
    let mut times: HashMap<u64, usize> = HashMap::new();
    for _ in 0..95 + 10 {
        let event = taking.next().await;
        *times.entry(*event).or_default() += 1;
        match (*event, times[&event]) {
            (34, 1) => event.failed("once"),
            _ => event.done(),
        }
    }
    is_empty(&server, "numbers").await;
    assert!((0..95).all(|n| times[&n] == if (30..40).contains(&n) { 2 } else { 1 }), "{times:?}");
    taking.ends().await;
}

/// What fails as often as it may goes to the dead letters, with the cause, and out of the way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_for_good_goes_to_the_dead_letters() {
    let server = Server::start();
    let hub = open(shared(&server).await.max_deliver(3)).await;
    put(&hub, 0..10).await;
    // No event at all.
    let client = async_nats::connect(&server.url).await.unwrap();
    client.publish("genstage.numbers", "nonsense".into()).await.unwrap();
    let mut taking = take(&hub, "group");
    for _ in 0..9 + 3 {
        let event = taking.next().await;
        match *event {
            4 => event.failed("four\nis bad"),
            _ => event.done(),
        }
    }
    is_empty(&server, "numbers").await;
    let context = jetstream::new(client);
    let dead = context.get_stream("numbers-dead").await.unwrap();
    assert_eq!(dead.cached_info().state.messages, 2);
    let mut causes = HashSet::new();
    for sequence in 1..=2 {
        let letter = dead.get_raw_message(sequence).await.unwrap();
        assert_eq!(letter.headers.get("Genstage-Group").unwrap().as_str(), "group");
        assert_eq!(letter.headers.get("Genstage-Subject").unwrap().as_str(), "genstage.numbers");
        causes.insert((
            letter.payload.to_vec(),
            letter.headers.get("Genstage-Delivered").unwrap().as_str().to_owned(),
        ));
    }
    assert!(causes.contains(&(b"[4]".to_vec(), "3".into())), "{causes:?}");
    assert!(causes.contains(&(b"nonsense".to_vec(), "1".into())), "{causes:?}");
    taking.ends().await;
}

/// What fails for one subscriber does not for another; what fails for both is two letters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_subscriber_has_dead_letters_of_its_own() {
    let server = Server::start();
    let hub = open(shared(&server).await.broadcast().max_deliver(1)).await;
    let mut both = [take(&hub, "first"), take(&hub, "second")];
    are_there(&server, 2).await;
    put(&hub, 0..10).await;
    for (whose, taking) in both.iter_mut().enumerate() {
        for _ in 0..10 {
            let event = taking.next().await;
            match *event {
                7 => event.failed("for both"),
                8 if whose == 0 => event.failed("for the first"),
                _ => event.done(),
            }
        }
    }
    is_empty(&server, "numbers").await;
    assert_eq!(messages(&server, "numbers-dead").await, 3);
    for taking in both {
        taking.ends().await;
    }
}

/// Every subscriber has all that was put in since there was one; before, nothing goes in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_goes_to_every_subscriber() {
    let server = Server::start();
    let hub = open(shared(&server).await.broadcast()).await;
    let sink = hub.sink();
    let putting = pipeline! { sink = sink; from_iter(0..100) => sink; }.start().unwrap();
    let mut first = take(&hub, "first");
    let mut numbers = first.done(100).await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..100));
    putting.join().await.unwrap();
    let mut second = take(&hub, "second");
    are_there(&server, 2).await;
    put(&hub, 100..200).await;
    for taking in [&mut first, &mut second] {
        assert_eq!(taking.done(100).await, (100..200).collect::<Vec<_>>());
    }
    is_empty(&server, "numbers").await;
    first.ends().await;
    second.ends().await;
}

/// Sources of one group share the events, and each comes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_of_a_group_share_the_events() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    let (mut one, mut other) = (take(&hub, "group"), take(&hub, "group"));
    put(&hub, 0..500).await;
    let mut numbers = vec![];
    while numbers.len() < 500 {
        let event = tokio::select! {
            event = one.next() => event,
            event = other.next() => event,
        };
        numbers.push(*event);
        event.done();
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..500));
    is_empty(&server, "numbers").await;
    one.ends().await;
    other.ends().await;
}

/// The connection of a source breaks, and nobody tells the server what has become of what it had.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_had_comes_elsewhere() {
    let server = Server::start();
    let exchange = shared(&server).await.ack_wait(Duration::from_secs(2));
    let hub = open(exchange.clone()).await;
    put(&hub, 0..100).await;
    let worker = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let theirs = server.url.clone();
    let (mut taking, done) = worker
        .spawn(async move {
            let nats = Nats::connect(&theirs).await.unwrap();
            let exchange = nats.exchange("numbers").redeliver_after(Duration::from_millis(20));
            let mut taking = take(&open(exchange.ack_wait(Duration::from_secs(2))).await, "group");
            let done = taking.done(10).await;
            // The word of that has to be there before the worker is killed.
            while !taking.events.is_empty() && taking.events.len() < 15 {
                tokio::task::yield_now().await;
            }
            (taking, done)
        })
        .await
        .unwrap();
    let held = taking.next().await;
    worker.shutdown_background();
    let mut numbers = done;
    let mut second = take(&hub, "group");
    let rest: HashSet<u64> = numbers.iter().copied().collect();
    let mut seen: HashSet<u64> = HashSet::new();
    while messages(&server, "numbers").await > 0 {
        let Ok(Some(event)) = timeout(Duration::from_millis(200), second.events.recv()).await else {
            continue;
        };
        seen.insert(*event);
        event.done();
    }
    drop(held);
    numbers.extend(seen.iter().filter(|n| !rest.contains(n)));
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..100), "each is done with, by one or the other");
    second.ends().await;
}

/// The server is killed in the middle and comes back: nothing is lost, and who waits goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_and_comes_back() {
    let mut server = Server::start();
    let hub = open(shared(&server).await.ack_wait(Duration::from_secs(3))).await;
    let sink = hub.sink().id(|n| *n);
    let putting = pipeline! { sink = sink; source = from_iter(0..20_000); source => sink [max_demand: 100]; }
        .start()
        .unwrap();
    let mut taking = take(&hub, "group");
    let mut seen: HashSet<u64> = taking.done(500).await.into_iter().collect();
    server.crash_and_restart();
    while seen.len() < 20_000 {
        let event = taking.next().await;
        seen.insert(*event);
        event.done();
    }
    putting.join().await.unwrap();
    // What the server did not hear of before it crashed comes once more.
    let emptied = async {
        while unsettled(&server, "group").await > 0 {
            let again = timeout(Duration::from_millis(100), taking.events.recv()).await;
            again.into_iter().flatten().for_each(Delivered::done);
        }
    };
    timeout(LONG, emptied).await.expect("messages are left");
    taking.ends().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_secrets() {
    let refused = Nats::connect("nats://user:secret@127.0.0.1:1").await.unwrap_err();
    assert_eq!(
        format!("{refused:#}"),
        "connecting to 127.0.0.1:1: IO error: Connection refused (os error 111)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_and_differs_is_refused() {
    let server = Server::start();
    open(shared(&server).await.bounded(10)).await;
    // The same once more is the same.
    open(shared(&server).await.bounded(10)).await;
    let differs = shared(&server).await.bounded(11).open::<u64>(Codec::Json).await.unwrap_err();
    assert!(matches!(differs, OpenError::Differs { .. }), "{differs}");
    assert_eq!(
        differs.to_string(),
        "`numbers` has a bound of messages of 10, not 11: take another name, or remove it with `nats stream rm numbers`"
    );
    let kind = shared(&server).await.bounded(10).broadcast().open::<u64>(Codec::Json).await.unwrap_err();
    assert!(kind.to_string().contains("retention"), "{kind}");
    let nats = Nats::connect(&server.url).await.unwrap();
    let name = nats.exchange("no.name").open::<u64>(Codec::Json).await.unwrap_err();
    assert!(matches!(name, OpenError::Name(_)), "{name}");
    let many = nats.exchange("many").replicas(3).open::<u64>(Codec::Json).await.unwrap_err();
    assert!(many.to_string().contains("replicas"), "{many}");
}

/// A server that says of itself that it is of that version, which is all that is needed.
async fn of_version(version: &'static str) -> Nats {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let info = format!(
            r#"INFO {{"server_id":"old","version":"{version}","max_payload":1048576,"headers":true}}"#
        );
        socket.write_all(format!("{info}\r\nPONG\r\n").as_bytes()).await.unwrap();
        tokio::io::copy(&mut socket, &mut tokio::io::sink()).await.unwrap();
    });
    Nats::connect(&url).await.unwrap()
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let exchange = of_version("2.8.4").await.exchange("numbers");
    assert_eq!(
        exchange.open::<u64>(Codec::Json).await.unwrap_err().to_string(),
        "`numbers` was not opened: the server is 2.8.4, and 2.9 is the first that can do exchanges"
    );
    let exchange = of_version("2.11.11").await.exchange("numbers");
    assert_eq!(
        exchange.bounded(10).replicas(3).open::<u64>(Codec::Json).await.unwrap_err().to_string(),
        "`numbers` was not opened: the server is 2.11.11, and before 2.12 one that is bounded and has replicas loses events: leave out one of the two"
    );
}

/// A handler that takes longer than the server waits says that it is at it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_progress_does_not_come_again() {
    let server = Server::start();
    let hub = open(shared(&server).await.ack_wait(Duration::from_secs(2))).await;
    put(&hub, 0..2).await;
    let mut taking = take(&hub, "group");
    let said = taking.next().await;
    // The one of which nothing is said comes again.
    let mut forgotten = vec![taking.next().await];
    while forgotten.len() < 3 {
        tokio::select! {
            again = taking.next() => forgotten.push(again),
            () = tokio::time::sleep(Duration::from_millis(200)) => said.in_progress(),
        }
    }
    assert!(forgotten.iter().all(|again| **again != *said));
    said.done();
    forgotten.into_iter().for_each(Delivered::done);
    is_empty(&server, "numbers").await;
    taking.ends().await;
}

/// Nobody waits for what will never be there again: neither who has asked, nor who has not yet, nor who has something to put in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_that_is_removed_fails_its_stages() {
    let server = Server::start();
    let hub = open(shared(&server).await.bounded(10)).await;
    let sink = hub.sink();
    let putting = pipeline! { sink = sink; from_iter(0..) => sink; }.start().unwrap();
    let mut busy = take(&hub, "group");
    let in_hand = busy.next().await;
    hub.remove().await.unwrap();
    drop(in_hand);
    let failure = timeout(LONG, putting.join()).await.expect("the sink waits").unwrap_err();
    assert!(format!("{failure:?}").contains("there is no stream `numbers` any more"), "{failure:?}");
    let failure = timeout(LONG, busy.running.join()).await.expect("the source waits").unwrap_err();
    assert!(
        format!("{failure:?}").contains("the group `group` of `numbers` has been removed"),
        "{failure:?}"
    );
}

/// What was requested comes, whatever else does in its place: messages that are not full, and such that are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packs_that_are_not_full_are_made_up_for() {
    let server = Server::start();
    let hub = open(shared(&server).await.pack(10)).await;
    let client = async_nats::connect(&server.url).await.unwrap();
    for n in 0..100 {
        client.publish("genstage.numbers", format!("[{n}]").into()).await.unwrap();
        client.publish("genstage.numbers", "nonsense".into()).await.unwrap();
    }
    let mut taking = take(&hub, "group");
    assert!(taking.done(100).await.into_iter().eq(0..100));
    is_empty(&server, "numbers").await;
    assert_eq!(messages(&server, "numbers-dead").await, 100);
    taking.ends().await;
}

/// A message that would be too large is made several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_events_as_fit_are_packed() {
    let server = Server::start();
    let nats = Nats::connect(&server.url).await.unwrap();
    let hub = nats.exchange("texts").pack(100).open::<String>(Codec::Json).await.unwrap();
    let sink = hub.sink().id(|text| text.len());
    let texts = (0..100).map(|n| "x".repeat(30_000 + n));
    pipeline! { sink = sink; from_iter(texts) => sink; }.run().await.unwrap();
    assert_eq!(messages(&server, "texts").await, 4);
}

/// What is removed can be made anew, on other terms; a subscriber that is removed holds nothing up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_exchanges_can_be_removed() {
    let server = Server::start();
    let hub = open(shared(&server).await.broadcast()).await;
    let (gone, mut stays) = (take(&hub, "gone"), take(&hub, "stays"));
    are_there(&server, 2).await;
    gone.ends().await;
    put(&hub, 0..10).await;
    assert_eq!(stays.done(10).await.len(), 10);
    assert_eq!(messages(&server, "numbers").await, 10);
    hub.remove_group("gone").await.unwrap();
    is_empty(&server, "numbers").await;
    stays.ends().await;
    hub.remove().await.unwrap();
    let anew = open(shared(&server).await.partition(2, |n| *n)).await;
    put(&anew, 0..10).await;
    anew.remove().await.unwrap();
    // What is not there needs no removing.
    anew.remove().await.unwrap();
    let context = jetstream::new(async_nats::connect(&server.url).await.unwrap());
    assert_eq!(context.stream_names().count().await, 0);
}

/// A second group of a shared exchange would have a part of the events: the server refuses it, and the stage says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_exchange_has_one_group() {
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    let first = take(&hub, "first");
    are_there(&server, 1).await;
    let second = take(&hub, "second");
    let failure = timeout(LONG, second.running.join()).await.unwrap().unwrap_err().to_string();
    assert!(failure.contains("joining the group `second` of `numbers`"), "{failure}");
    first.running.stop(Reason::Shutdown).await.unwrap();
}

/// From one exchange to the next, by a worker that fails in the middle and begins anew: each is in both, and goes on once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_from_one_exchange_to_the_next() {
    let server = Server::start();
    let hub = open(shared(&server).await.ack_wait(Duration::from_secs(60))).await;
    let nats = Nats::connect(&server.url).await.unwrap();
    let squares = nats.exchange("squares").open::<u64>(Codec::Json).await.unwrap();
    put(&hub, 0..100).await;
    let (from, to) = (hub.clone(), squares.clone());
    static FAILURES: AtomicUsize = AtomicUsize::new(3);
    let fails = || FAILURES.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
    let running = pipeline! {
        max_restarts: 10;
        source = from.source("workers");
        square = map(move |n: Delivered<u64>| {
            assert!(*n != 50 || !fails());
            n.map(|n| n * n)
        }), restart: on_failure;
        out = to.forward().id(|n| *n);
        source => square => out [max_demand: 10];
    }
    .start()
    .unwrap();
    is_empty(&server, "numbers").await;
    let mut taking = take(&squares, "group");
    let mut numbers = taking.done(100).await;
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq((0..100).map(|n| n * n)));
    is_empty(&server, "squares").await;
    running.drain().await.unwrap();
    taking.ends().await;
}

/// One that just fits goes in, and can go to the dead letters.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_too_large_fails_the_sink() {
    let server = Server::start();
    let nats = Nats::connect(&server.url).await.unwrap();
    let hub = nats.exchange("texts").max_deliver(1).open::<String>(Codec::Json).await.unwrap();
    let most = (1 << 20) - 4096 - 100;
    for (length, fits) in [(most, true), (most + 100, false)] {
        let sink = hub.sink().id(|_| 1);
        let put = pipeline! { sink = sink; from_iter(["x".repeat(length)]) => sink; }.run().await;
        assert_eq!(put.is_ok(), fits);
        if let Err(failure) = put {
            let failure = format!("{failure:?}");
            assert!(failure.contains("bytes, and the server takes 1044480"), "{failure}");
        }
    }
    let source = hub.source("group");
    let running = pipeline! {
        source = source;
        fails = for_each(|text: Delivered<String>| text.failed("é".repeat(10_000)));
        source => fails;
    }
    .start()
    .unwrap();
    is_empty(&server, "texts").await;
    assert_eq!(messages(&server, "texts-dead").await, 1);
    running.drain().await.unwrap();
}
