//! Stages that work between their callbacks: however their pipeline ends, every event is in order, or counted.

use std::time::Duration;

use genstage::prelude::*;
use genstage::{Reason, StageSummary, Summary};
use proptest::prelude::*;
use tokio::time::sleep;

use crate::runtime::on_one_thread;

/// What a pipeline is like, and what happens to it.
#[derive(Clone, Debug)]
struct Course {
    limits: [usize; 2],
    windows: [usize; 4],
    every: Duration,
    /// How long each event is worked on, and how long its consumer takes.
    times: Vec<(u64, u64)>,
    /// The number of an event that fails once.
    fails: Option<usize>,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    OfItself,
    Drain(u64),
    Stop(u64),
}

/// Takes its time over each event, and checks their order.
#[stage(consumer)]
struct Slow {
    pauses: Vec<u64>,
    next: usize,
}

impl Consumer for Slow {
    type Event = usize;

    async fn handle_events(&mut self, events: &mut Batch<usize>, _: &mut Context<Self>) -> Result {
        for n in events.drain() {
            assert!(self.next <= n, "out of order");
            self.next = n + 1;
            sleep(Duration::from_millis(self.pauses[n])).await;
        }
        Ok(())
    }
}

impl Course {
    async fn run(&self) -> Summary {
        let Self { limits: [limit, second], windows: [a, b, c, d], every, times, fails, end } = self.clone();
        let (waits, pauses): (Vec<_>, Vec<_>) = times.into_iter().unzip();
        let (count, mut failing) = (waits.len(), fails);
        let work = move |n: usize| {
            let (wait, fails) = (waits[n], failing.take_if(|failing| *failing == n).is_some());
            async move {
                sleep(Duration::from_millis(wait)).await;
                assert!(!fails, "it was to fail");
                n
            }
        };
        let app = pipeline! {
            source = from_iter(0..count);
            work = map_concurrent(limit, work.clone()), restart: on_failure;
            spaced = throttle(every);
            again = map_concurrent(second, std::future::ready);
            sink = Slow { pauses, next: 0 };
            source => work [max_demand: a] => spaced [max_demand: b] => again [max_demand: c] => sink [max_demand: d];
        }
        .start()
        .unwrap();
        match end {
            End::OfItself => app.join().await,
            End::Drain(after) => {
                sleep(Duration::from_millis(after)).await;
                app.drain().await
            }
            End::Stop(after) => {
                sleep(Duration::from_millis(after)).await;
                app.stop(Reason::Shutdown).await
            }
        }
        .unwrap()
    }

    /// What comes out of one stage goes out of the next, or is counted there.
    fn check(&self, summary: &Summary) {
        let stage = |name: &str| summary.stage(name).unwrap().clone();
        let counted = |stage: &StageSummary| stage.discarded + stage.lost;
        let line = ["source", "work", "spaced", "again"].map(stage);
        for pair in line.windows(2) {
            assert_eq!(pair[0].events_out, pair[1].events_out + counted(&pair[1]), "{summary}");
        }
        let sink = stage("sink");
        assert_eq!(line[3].events_out, sink.events_in + sink.discarded, "{summary}");
        if !matches!(self.end, End::Stop(_)) {
            assert!(line.iter().all(|stage| stage.discarded == 0), "{summary}");
            assert!(self.fails.is_some() || line.iter().all(|stage| stage.lost == 0), "{summary}");
        }
        if let (End::OfItself, None) = (self.end, self.fails) {
            assert_eq!(sink.events_in, self.times.len() as u64, "{summary}");
        }
    }
}

fn course() -> impl Strategy<Value = Course> {
    let end =
        prop_oneof![Just(End::OfItself), (0u64..200).prop_map(End::Drain), (0u64..200).prop_map(End::Stop)];
    (
        [1usize..6, 1usize..6],
        [1usize..20, 1usize..20, 1usize..20, 1usize..20],
        0u64..4,
        prop::collection::vec((0u64..10, 0u64..5), 1..50),
        prop::option::of(0usize..50),
        end,
    )
        .prop_map(|(limits, windows, every, times, fails, end)| {
            let every = Duration::from_millis(every);
            Course { limits, windows, every, times, fails, end }
        })
}

proptest! {
    #[test]
    fn what_is_taken_in_comes_out_or_is_counted(course in course()) {
        course.check(&on_one_thread(course.run()));
    }
}
