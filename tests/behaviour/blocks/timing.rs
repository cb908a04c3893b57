//! `throttle` and `debounce`.

use std::time::Duration;

use genstage::Reason;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use tokio::time::Instant;

use crate::stages::Log;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn throttled_events_keep_their_distance_and_none_is_dropped() {
    let (seen, begin) = (Log::new(), Instant::now());
    let log = seen.clone();
    let summary = pipeline! {
        left = from_iter(0..3);
        right = from_iter(3..6);
        slow = throttle(SECOND);
        { left, right } => slow => for_each(move |n| log.push((begin.elapsed().as_secs(), n)));
    }
    .run()
    .await
    .unwrap();
    let (times, mut events): (Vec<_>, Vec<_>) = seen.take().into_iter().unzip();
    events.sort_unstable();
    assert_eq!((times, events), ((0..6).collect(), (0..6).collect()));
    assert_eq!(summary.stage("slow").map(|slow| slow.discarded), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_throttle_takes_one_event_in_at_a_time() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app = pipeline! {
        source = source;
        sink = sink;
        source => throttle(SECOND) [max_demand: 2, min_demand: 1] => sink;
    }
    .start()
    .unwrap();
    up.expect_demand(2).await;
    up.emit([1, 2]).await;
    up.expect_demand(1).await;
    down.expect_no_events().await;
    // An event that comes late is not held up.
    tokio::time::sleep(10 * SECOND).await;
    down.ask(5).await;
    down.expect_events([1]).await;
    up.expect_demand(1).await;
    down.expect_no_events().await;
    tokio::time::sleep(SECOND).await;
    down.expect_events([2]).await;
}

#[tokio::test(start_paused = true)]
async fn an_interval_beyond_all_time_lets_the_first_through() {
    let (seen, log) = {
        let seen = Log::new();
        (seen.clone(), seen)
    };
    let app = pipeline! { from_iter(0..9) => throttle(Duration::MAX) => for_each(move |n| log.push(n)); }
        .start()
        .unwrap();
    settle().await;
    app.stop(Reason::Shutdown).await.unwrap();
    assert_eq!(seen.take(), [0]);
}

#[tokio::test(start_paused = true)]
async fn debounced_is_the_last_event_of_each_burst() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app =
        pipeline! { source = source; sink = sink; source => debounce(SECOND) => sink; }.start().unwrap();
    down.ask(10).await;
    for n in 0..5 {
        up.emit([n, n + 100]).await;
        tokio::time::sleep(SECOND / 2).await;
        down.expect_no_events().await;
    }
    tokio::time::sleep(SECOND / 2).await;
    down.expect_events([104]).await;
    tokio::time::sleep(10 * SECOND).await;
    down.expect_no_events().await;
    up.emit([200]).await;
    tokio::time::sleep(SECOND).await;
    down.expect_events([200]).await;
}

/// Its producers are asked on whoever is late; who is late gets what is newest.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_late_gets_the_newest_event() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::new(), ConsumerProbe::new());
    let _app =
        pipeline! { source = source; sink = sink; source => debounce(SECOND) [max_demand: 1] => sink; }
            .start()
            .unwrap();
    for n in 0..5 {
        up.expect_demand(1).await;
        up.emit([n]).await;
        tokio::time::sleep(2 * SECOND).await;
    }
    down.ask(1).await;
    down.expect_events([4]).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_event_of_all_does_not_wait() {
    let (seen, begin) = (Log::new(), Instant::now());
    let log = seen.clone();
    pipeline! { from_iter(0..10) => debounce(SECOND) => for_each(move |n| log.push(n)); }
        .run()
        .await
        .unwrap();
    assert_eq!(seen.take(), [9]);
    assert!(begin.elapsed() < SECOND);
}
