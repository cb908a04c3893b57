//! `retry` and `timeout`.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Backoff, Error, Reason, TimedOut, retry, timeout};
use tokio::time::{Instant, sleep};

use crate::stages::{Collect, Counter, Log};

const SECOND: Duration = Duration::from_secs(1);

/// Fails so many times with each event, and notes when it is called.
fn fails(times: u64, calls: Log<u64>) -> impl Fn(u64) -> std::future::Ready<Result<u64, String>> {
    let begin = Instant::now();
    let failures = Log::new();
    move |n| {
        calls.push(begin.elapsed().as_secs());
        failures.push(());
        std::future::ready(if failures.len() as u64 > times {
            Ok(n)
        } else {
            Err(format!("no {}", failures.len()))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn tries_again_after_longer_and_longer_waits() {
    let calls = Log::new();
    let patient = retry(Backoff::new(10, SECOND).longest(SECOND * 5), fails(5, calls.clone()));
    assert_eq!(patient(7).await, Ok(7));
    assert_eq!(calls.take(), [0, 1, 3, 7, 12, 17]);
}

#[tokio::test(start_paused = true)]
async fn gives_up_with_the_last_error() {
    for (tries, called) in [(0, 1), (1, 1), (3, 3)] {
        let calls = Log::new();
        let patient = retry(Backoff::new(tries, SECOND), fails(u64::MAX, calls.clone()));
        assert_eq!(patient(7).await, Err(format!("no {called}")));
        assert_eq!(calls.len(), called);
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_dropped() {
    let done = Log::new();
    let log = done.clone();
    let slow = timeout(SECOND, move |n: u64| {
        let log = log.clone();
        async move {
            sleep(Duration::from_millis(n)).await;
            log.push(n);
            Result::Ok(n)
        }
    });
    assert_eq!(slow(999).await.unwrap(), 999);
    let error: Error = slow(1001).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&TimedOut(SECOND)));
    assert_eq!(error.to_string(), "it took longer than 1s");
    sleep(SECOND).await;
    assert_eq!(done.take(), [999]);
}

#[tokio::test(start_paused = true)]
async fn each_try_or_all_of_them_have_a_limit() {
    let never = |_: u64| std::future::pending::<Result<u64>>();
    let begin = Instant::now();
    assert!(retry(Backoff::new(3, SECOND), timeout(SECOND, never))(1).await.is_err());
    assert_eq!(begin.elapsed().as_secs(), 1 + 1 + 1 + 2 + 1);
    let begin = Instant::now();
    assert!(timeout(SECOND, retry(Backoff::new(3, SECOND), never))(1).await.is_err());
    assert_eq!(begin.elapsed().as_secs(), 1);
}

/// An event that waits for its next try holds its place, and so back the producers.
#[tokio::test(start_paused = true)]
async fn what_waits_for_another_try_is_in_flight() {
    let (calls, sink) = (Log::new(), Collect::new());
    let results = sink.batches.clone();
    let app = pipeline! {
        counter = Counter::endless();
        work = map_concurrent(3, retry(Backoff::new(2, SECOND), {
            let calls = calls.clone();
            move |n: u64| {
                calls.push(n);
                std::future::ready(Err::<u64, _>("unavailable"))
            }
        }));
        sink = sink;
        counter => work => sink;
    }
    .start()
    .unwrap();
    settle().await;
    assert_eq!(calls.len(), 3);
    sleep(SECOND).await;
    assert_eq!(results.take().concat(), [Err("unavailable"); 3]);
    assert_eq!(calls.len(), 9);
    app.stop(Reason::Shutdown).await.unwrap();
}
