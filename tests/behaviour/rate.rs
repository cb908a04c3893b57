//! Edges with a rate.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use genstage::Subscribe;
use genstage::prelude::*;
use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::stages::{Counter, Log};

const SECOND: Duration = Duration::from_secs(1);

/// Notes when each event comes.
#[stage(consumer)]
struct Clock {
    since: Instant,
    times: Log<Duration>,
}

impl Consumer for Clock {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        events.drain().for_each(|_| self.times.push(self.since.elapsed()));
        Ok(())
    }
}

/// When each of so many events comes over an edge of that rate.
async fn times(events: u64, rate: Rate) -> Vec<Duration> {
    let times = Log::new();
    let clock = Clock { since: Instant::now(), times: times.clone() };
    let counter = Counter::below(events);
    pipeline! { counter => clock [rate: rate]; counter = counter; clock = clock; }.run().await.unwrap();
    times.take()
}

#[tokio::test(start_paused = true)]
async fn so_many_events_come_in_each_period() {
    for rate in [1, 2, 3, 7, 10, 999, 5000] {
        let times = times(3 * rate, Rate::per_second(rate.try_into().unwrap())).await;
        let in_second = |n| times.iter().filter(|time| time.as_secs() == n).count() as u64;
        // A timer of the runtime may be a millisecond late.
        assert!((in_second(0), times.len() as u64) == (rate, 3 * rate), "{rate}");
        assert!(in_second(1).abs_diff(rate) <= 1 && in_second(2).abs_diff(rate) <= 1, "{rate}: {times:?}");
    }
}

proptest! {
    /// Whatever comes when, no stretch of time has more events than the rate allows.
    #[test]
    fn no_stretch_of_time_has_more(
        events in 1usize..20,
        millis in 1u64..50,
        gaps in prop::collection::vec(0u64..30, 1..100),
    ) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let per = Duration::from_millis(millis);
        let times = Log::new();
        let count = gaps.len();
        runtime.block_on(async {
            let arrivals = futures_util::stream::iter(gaps).then(|gap| async move {
                tokio::time::sleep(Duration::from_millis(gap)).await;
                gap
            });
            let clock = Clock { since: Instant::now(), times: times.clone() };
            let arrivals = from_stream(arrivals);
            pipeline! { arrivals = arrivals; clock = clock; arrivals => clock [rate: Rate::new(events, per)]; }
                .run().await.unwrap();
        });
        let times = times.take();
        prop_assert_eq!(times.len(), count);
        let mut stretch = VecDeque::new();
        for time in times {
            stretch.retain(|earlier| time - *earlier < per);
            stretch.push_back(time);
            prop_assert!(stretch.len() <= events);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_producer_is_not_asked_for_more_than_the_rate_has_room_for() {
    let app = pipeline! {
        counter = Counter::endless();
        clock = Clock { since: Instant::now(), times: Log::new() };
        counter => clock [rate: Rate::per_second(10), max_demand: 1000];
    }
    .start()
    .unwrap();
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(app.counter.snapshot().await.unwrap().events_out, 10);
    // What waits for its turn does not hold up the end.
    let begin = Instant::now();
    app.drain().await.unwrap();
    assert!(begin.elapsed() < SECOND / 2);
}

#[tokio::test(start_paused = true)]
async fn each_replica_has_the_rate_for_itself() {
    let times = Log::new();
    let begin = Instant::now();
    pipeline! {
        counter = Counter::below(30);
        clock = Clock { since: begin, times: times.clone() }, replicas: 3;
        counter => clock [rate: Rate::per_second(5)];
    }
    .run()
    .await
    .unwrap();
    assert_eq!(times.take().iter().filter(|time| time.as_secs() == 0).count(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_at_run_time_and_a_stream_have_it_too() {
    let counter = Counter::endless().spawn();
    let begin = Instant::now();
    let stream = counter.into_stream(Subscribe::new().rate(Rate::per_second(4))).unwrap();
    let numbers: Vec<u64> = stream.take(9).try_collect().await.unwrap();
    assert_eq!((numbers.len(), begin.elapsed().as_secs()), (9, 2));

    let times = Log::new();
    let clock = Clock { since: Instant::now(), times: times.clone() }.spawn();
    clock.subscribe(&counter, Subscribe::new().rate(Rate::per_second(4))).await.unwrap();
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(times.take().len(), 4);
}

#[tokio::test]
async fn a_rate_of_nothing_is_refused() {
    let refused = pipeline! {
        counter = Counter::endless();
        clock = Clock { since: Instant::now(), times: Log::new() };
        counter => clock [rate: Rate::per_second(0)];
    }
    .start();
    let refused = refused.map(drop).unwrap_err().to_string();
    assert!(refused.contains("`counter => clock`: expected a rate of at least 1 event, got 0"), "{refused}");
}

#[test]
fn the_picture_shows_it() {
    let app = pipeline! {
        counter = Counter::endless();
        clock = Clock { since: Instant::now(), times: Log::new() };
        counter => clock [rate: Rate::new(5, SECOND * 60)];
    };
    assert_eq!(app.graph().edges()[0].rate, Some(Rate::new(5, SECOND * 60)));
    assert!(app.graph().to_mermaid().contains("|\"5, 5 per 60s\"|"), "{}", app.graph().to_mermaid());
}
