//! Random pipelines for minutes, in which everything fails and is stopped at random: every event is accounted for, and nothing
//! is left behind.
//!
//! `GENSTAGE_SOAK_SECONDS` says how long, `GENSTAGE_SOAK_SEED` with which seed to begin; each round has the next. Rounds take
//! turns: on one thread, where a seed comes to the same again but for stages that block, and on two.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on is to fail")]

mod dice;
mod meddler;
mod round;
mod stages;
mod topology;

use std::panic;
use std::time::{Duration, Instant, SystemTime};

use round::Outcome;
use tokio::runtime::{Builder, Runtime};

/// What an environment variable says, or else the default.
fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Says which round it was that panicked.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("GENSTAGE_SOAK_SEED={} begins with the round that failed", self.0);
        }
    }
}

/// Panics that are meant are not reported.
fn silence_what_is_meant() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        if text.or(payload.downcast_ref::<String>().map(String::as_str)) != Some(dice::MEANT) {
            report(info);
        }
    }));
}

/// Runs a round to its end, after which no task is left.
fn run(runtime: &Runtime, seed: u64) -> Outcome {
    let _seed = Seed(seed);
    runtime.block_on(async {
        // On a paused clock an hour is over when nothing happens any more.
        let outcome = tokio::time::timeout(Duration::from_secs(3600), tokio::spawn(round::run(seed))).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("it does not end")).unwrap();
        let metrics = tokio::runtime::Handle::current().metrics();
        round::until("no task is left", || metrics.num_alive_tasks() == 0).await;
        outcome
    })
}

/// How much memory the process has, in bytes; nothing where nobody tells.
fn memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

#[test]
#[ignore = "takes minutes"]
fn soak() {
    let seconds = Duration::from_secs(variable("GENSTAGE_SOAK_SECONDS", 180));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let first = variable("GENSTAGE_SOAK_SEED", now);
    println!("GENSTAGE_SOAK_SEED={first}");
    silence_what_is_meant();
    let one = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let two = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let (start, mut total, mut rounds, mut failed, mut early) =
        (Instant::now(), Outcome::default(), 0u64, 0u64, 0);
    while start.elapsed() < seconds {
        let seed = first.wrapping_add(rounds);
        let outcome = run(if seed.is_multiple_of(2) { &one } else { &two }, seed);
        rounds += 1;
        failed += u64::from(outcome.failed);
        total.events += outcome.events;
        total.lost += outcome.lost;
        total.discarded += outcome.discarded;
        total.restarts += outcome.restarts;
        if start.elapsed() < seconds / 4 {
            early = memory();
        }
    }
    let Outcome { events, lost, discarded, restarts, .. } = total;
    println!(
        "{rounds} rounds, {failed} with a failure; {events} events, {discarded} discarded, {lost} lost; {restarts} restarts"
    );
    println!("memory: {} MB after a quarter of the time, {} MB at the end", early >> 20, memory() >> 20);
    assert!(memory() < early + (32 << 20), "memory is leaking");
}
