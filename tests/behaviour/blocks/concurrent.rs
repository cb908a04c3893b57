//! `map_concurrent`, ordered and unordered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{DemandMode, Failure, Reason};
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;

use crate::stages::{Collect, Counter, Log};

/// Work that goes on when the test says so, and how much of it there is.
#[derive(Clone)]
struct Work {
    begun: Log<u64>,
    may_end: Arc<Semaphore>,
}

impl Work {
    fn new() -> Self {
        Self { begun: Log::new(), may_end: Arc::new(Semaphore::new(0)) }
    }

    fn f(&self) -> impl Fn(u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> + use<> {
        let work = self.clone();
        move |n| {
            let work = work.clone();
            work.begun.push(n);
            Box::pin(async move {
                work.may_end.acquire().await.unwrap().forget();
                n
            })
        }
    }
}

/// Exactly so many are in flight, whatever the consumer does.
#[tokio::test(start_paused = true)]
async fn so_many_are_in_flight_and_no_more() {
    for limit in [1, 3, 8] {
        let (work, (mut down, sink)) = (Work::new(), ConsumerProbe::new());
        let _app = pipeline! {
            counter = Counter::endless();
            work = map_concurrent(limit, work.f());
            sink = sink;
            counter => work => sink;
        }
        .start()
        .unwrap();
        settle().await;
        // Nothing is wanted yet, and so many have begun.
        assert_eq!(work.begun.len(), limit);
        work.may_end.add_permits(1000);
        settle().await;
        assert_eq!(work.begun.len(), limit, "all are done, but nobody wants them");
        down.ask(1).await;
        down.expect_events([0]).await;
        assert_eq!(work.begun.len(), limit + 1, "the place of one that went is taken at once");
        down.ask(100).await;
        assert_eq!(work.begun.len(), limit + 101);
        let ready: Vec<u64> = down.batches().await.concat();
        assert_eq!(ready, (1..101).collect::<Vec<_>>());
    }
}

/// A window that is smaller, or larger, makes no difference to that.
#[tokio::test(start_paused = true)]
async fn windows_make_no_difference() {
    for (before, behind) in [(1, 1), (1000, 1), (5, 1000)] {
        let (work, sink) = (Work::new(), Collect::new());
        let _app = pipeline! {
            counter = Counter::endless();
            work = map_concurrent_unordered(4, work.f());
            sink = sink;
            counter => work [max_demand: before] => sink [max_demand: behind];
        }
        .start()
        .unwrap();
        for done in 0..10 {
            settle().await;
            assert_eq!(work.begun.len(), done + 4, "{before} {behind}");
            work.may_end.add_permits(1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn results_come_in_the_order_of_their_events_or_of_their_ends() {
    let slow_first = |n: u64| async move {
        tokio::time::sleep(Duration::from_secs(10 - n)).await;
        n
    };
    let (ordered, unordered) = (Log::new(), Log::new());
    let logs = [ordered.clone(), unordered.clone()];
    pipeline! {
        from_iter(0..5) => map_concurrent(5, slow_first) => for_each(move |n| logs[0].push(n));
    }
    .run()
    .await
    .unwrap();
    let [_, log] = [ordered.clone(), unordered.clone()];
    pipeline! {
        from_iter(0..5) => map_concurrent_unordered(5, slow_first) => for_each(move |n| log.push(n));
    }
    .run()
    .await
    .unwrap();
    assert_eq!(ordered.take(), [0, 1, 2, 3, 4]);
    assert_eq!(unordered.take(), [4, 3, 2, 1, 0]);
}

/// The end of its producer, and a drain, wait for what is in flight.
#[tokio::test(start_paused = true)]
async fn what_is_in_flight_comes_before_the_end() {
    let (work, sink) = (Work::new(), Collect::new());
    let batches = sink.batches.clone();
    let app = pipeline! {
        counter = Counter::below(10);
        work = map_concurrent(4, work.f());
        sink = sink;
        counter => work => sink;
    }
    .start()
    .unwrap();
    settle().await;
    assert!(!app.work.has_ended());
    work.may_end.add_permits(10);
    let summary = app.join().await.unwrap();
    assert_eq!(batches.take().concat(), (0..10).collect::<Vec<_>>());
    assert_eq!(summary.stage("work").map(|work| (work.events_in, work.events_out)), Some((10, 10)));

    let (work, (mut up, source), sink) = (Work::new(), ProducerProbe::new(), Collect::new());
    let batches = sink.batches.clone();
    let app = pipeline! {
        source = source;
        sink = sink;
        source => map_concurrent_unordered(4, work.f()) => sink;
    }
    .start()
    .unwrap();
    up.emit(0..3).await;
    settle().await;
    let drained = tokio::spawn(app.drain());
    settle().await;
    assert!(!drained.is_finished());
    work.may_end.add_permits(3);
    drained.await.unwrap().unwrap();
    assert_eq!(batches.take().concat(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_discards_what_is_in_flight() {
    let work = Work::new();
    let app = pipeline! {
        counter = Counter::below(10);
        work = map_concurrent(4, work.f());
        counter => work => for_each(|_| {});
    }
    .start()
    .unwrap();
    settle().await;
    let summary = app.stop(Reason::Shutdown).await.unwrap();
    let stage = summary.stage("work").unwrap();
    assert_eq!((stage.events_in, stage.events_out, stage.discarded, stage.lost), (4, 0, 10, 0));
}

#[tokio::test]
async fn a_panic_in_one_is_a_failure_of_the_stage() {
    let failed = pipeline! {
        work = map_concurrent(4, |n: u64| async move { assert!(n < 7, "seven"); n });
        from_iter(0..100) => work => for_each(|_| {});
    }
    .run()
    .await
    .unwrap_err();
    assert!(failed.to_string().contains("work") && failed.to_string().contains("seven"), "{failed}");
    let Failure::Stage { summary, .. } = failed else { panic!("{failed}") };
    let work = summary.stage("work").unwrap();
    assert!(work.lost > 0, "what was in flight is lost: {work:?}");
    assert_eq!(work.events_in, work.events_out + work.lost);
}

/// With a restart it goes on; what was in flight is lost, and counted.
#[tokio::test(start_paused = true)]
async fn begun_anew_it_loses_what_was_in_flight() {
    let seen = Log::new();
    let (log, calls) = (seen.clone(), Arc::new(AtomicUsize::new(0)));
    let summary = pipeline! {
        work = map_concurrent(4, {
            let calls = calls.clone();
            move |n: u64| {
                let fails = calls.fetch_add(1, Ordering::Relaxed) == 6;
                async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    assert!(!fails);
                    n
                }
            }
        }), restart: on_failure;
        from_iter(0..20) => work => for_each(move |n| log.push(n));
    }
    .run()
    .await
    .unwrap();
    let stage = summary.stage("work").unwrap();
    assert_eq!((stage.events_in, stage.restarts), (20, 1));
    assert_eq!(stage.events_out + stage.lost, 20);
    assert_eq!(seen.take().len() as u64, stage.events_out);
    // Of the fourth to the seventh, what had come of some may have gone already.
    assert!((1..=4).contains(&stage.lost), "{}", stage.lost);
}

/// A function that panics before there is a future loses its batch, and nothing is counted twice.
#[tokio::test]
async fn a_panic_of_the_function_is_counted_once() {
    let calls = Arc::new(AtomicUsize::new(0));
    let summary = pipeline! {
        work = map_concurrent(4, {
            let calls = calls.clone();
            move |n: u64| {
                assert!(calls.fetch_add(1, Ordering::Relaxed) != 2);
                std::future::ready(n)
            }
        }), restart: on_failure;
        from_iter(0..20) => work => for_each(|_| {});
    }
    .run()
    .await
    .unwrap();
    let stage = summary.stage("work").unwrap();
    assert_eq!((stage.events_in, stage.events_out, stage.lost), (20, 16, 4));
}

proptest! {
    /// Each event once and in order, never too many at a time, whatever takes how long and whoever wants how much.
    #[test]
    fn each_once_and_never_too_many(
        limit in 1usize..6,
        max in 1usize..20,
        durations in prop::collection::vec((0u64..20, 0u64..20), 0..60),
    ) {
        let (in_flight, seen) = (Arc::new(AtomicUsize::new(0)), Log::new());
        let count = durations.len() as u64;
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (waits, pauses): (Vec<_>, Vec<_>) = durations.into_iter().unzip();
        let work = {
            let in_flight = in_flight.clone();
            move |n: u64| {
                assert!(in_flight.fetch_add(1, Ordering::Relaxed) < limit);
                let (wait, in_flight) = (waits[n as usize], in_flight.clone());
                async move {
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    in_flight.fetch_sub(1, Ordering::Relaxed);
                    n
                }
            }
        };
        let slow = Slow { pauses, seen: seen.clone() };
        runtime.block_on(async {
            pipeline! {
                counter = Counter::below(count);
                slow = slow;
                counter => map_concurrent(limit, work) [max_demand: max] => slow [max_demand: max];
            }
            .run()
            .await
            .unwrap();
        });
        prop_assert_eq!(seen.take(), (0..count).collect::<Vec<_>>());
    }
}

/// Takes its time over each event.
#[stage(consumer)]
struct Slow {
    pauses: Vec<u64>,
    seen: Log<u64>,
}

impl Consumer for Slow {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        for n in events.drain() {
            tokio::time::sleep(Duration::from_millis(self.pauses[n as usize])).await;
            self.seen.push(n);
        }
        Ok(())
    }
}

/// What is asked of it waits behind the events that came before, whatever has become of them.
#[tokio::test(start_paused = true)]
async fn the_end_of_one_of_its_producers_waits_for_what_is_in_flight() {
    let (work, sink) = (Work::new(), Collect::new());
    let batches = sink.batches.clone();
    let app = pipeline! {
        short = Counter::below(2);
        long = Counter::below(30);
        work = map_concurrent(3, work.f());
        sink = sink;
        { short, long } => work => sink;
    }
    .start()
    .unwrap();
    settle().await;
    work.may_end.add_permits(100);
    app.join().await.unwrap();
    assert_eq!(batches.take().concat().len(), 32);
}

/// While demand is accumulated nothing goes out, so nothing more is taken in than may be in flight.
#[tokio::test(start_paused = true)]
async fn accumulated_demand_holds_it_up() {
    let (mut down, sink) = ConsumerProbe::new();
    let app = pipeline! {
        counter = Counter::endless();
        work = map_concurrent(4, std::future::ready);
        pass = map(|n: u64| n);
        sink = sink;
        counter => work => pass => sink;
    }
    .start()
    .unwrap();
    down.ask(10).await;
    down.expect_events(0..10).await;
    app.work.set_demand(DemandMode::Accumulate).await;
    app.pass.set_demand(DemandMode::Accumulate).await;
    down.ask(10).await;
    settle().await;
    let looks = [app.work.snapshot().await.unwrap(), app.pass.snapshot().await.unwrap()];
    settle().await;
    assert_eq!(app.work.snapshot().await.unwrap().events_in, looks[0].events_in);
    assert!(looks.iter().all(|look| look.accumulated == 0), "{looks:?}");
    app.pass.set_demand(DemandMode::Forward).await;
    app.work.set_demand(DemandMode::Forward).await;
    assert_eq!(down.batches().await.concat(), (10..20).collect::<Vec<_>>());
}
