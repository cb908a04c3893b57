//! A fault in every callback of every role, as an error and as a panic, with and without a restart: each event is delivered, or
//! counted as discarded or lost, and every part of the ledger agrees with the summary.

use std::sync::atomic::Ordering::Relaxed;

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage::{Failure, Subscribe, Summary};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

use crate::fault::{Fault, How, Point};
use crate::stages::{EVENTS, Middle, Parent, Part, Ping, Sink, Source};

const NAMES: [&str; 4] = ["source", "middle", "sink", "parent"];

/// What can fail in a stage of each of the roles.
const POINTS: [&[Point]; 4] = {
    use Point::{
        Call, Cancel, Cast, Child, Demand, Discarded, Drain, Drop, Events, Info, Init, Start, Subscribe,
        Subscribed, Terminate, Timer,
    };
    [
        &[Init, Demand, Subscribe, Cancel, Call, Cast, Info, Timer, Discarded, Drain, Terminate, Drop],
        &[Init, Events, Subscribe, Subscribed, Cancel, Call, Cast, Info, Timer, Discarded, Terminate, Drop],
        &[Init, Events, Subscribe, Cancel, Call, Cast, Info, Timer, Terminate, Drop],
        &[Init, Start, Child, Subscribe, Cancel, Call, Cast, Info, Timer, Terminate, Drop],
    ]
};

/// Runs the pipeline through everything that can happen to its stages.
macro_rules! run {
    ($parts:expr $(, $restart:tt)*) => {{
        let [source, middle, sink, parent] = $parts.clone();
        let app = pipeline! {
            source = Source(source.clone()) $(, restart: $restart)*;
            middle = Middle(middle.clone()) $(, restart: $restart)*;
            sink = Sink(sink.clone()) $(, restart: $restart)*;
            parent = Parent(parent.clone()) $(, restart: $restart)*;
            source => middle [max_demand: 6, min_demand: 3] => { sink, parent };
        }
        .start()
        .unwrap();
        settle().await;
        // What it comes to is seen in the end.
        let (_, other) = ConsumerProbe::<Event>::new();
        let other = other.spawn();
        for subscribed in [
            other.subscribe(&app.source, Subscribe::new().cancel(genstage::Cancel::Temporary)).await,
            other.subscribe(&app.middle, Subscribe::new().cancel(genstage::Cancel::Temporary)).await,
        ] {
            other.cancel(&subscribed.unwrap(), genstage::Reason::Normal).await;
        }
        macro_rules! speak {
            ($stage:ident) => {
                let _ = (app.$stage.call(Ping).await, app.$stage.cast(Ping).await, app.$stage.info(Ping).await);
            };
        }
        speak!(source);
        speak!(middle);
        speak!(sink);
        speak!(parent);
        settle().await;
        app.drain().await
    }};
}

/// What is told and what is counted, of a pipeline with one fault.
struct Run {
    parts: [Part; 4],
    victim: usize,
    point: Point,
    how: How,
    restart: bool,
}

impl Run {
    fn new(victim: usize, point: Point, how: How, restart: bool) -> Self {
        let mut parts: [Part; 4] = Default::default();
        parts[victim] = Part::with(Fault::at(point, how, 1));
        Self { parts, victim, point, how, restart }
    }

    /// Whether the pipeline goes on, and which stages are begun anew how often in that.
    fn survives(&self) -> Option<[u64; 4]> {
        match self.point {
            Point::Start | Point::Child => Some([0; 4]),
            // There is nothing more to begin anew.
            Point::Terminate | Point::Drop => None,
            _ => self.restart.then(|| std::array::from_fn(|stage| u64::from(stage == self.victim))),
        }
    }

    async fn check(&self) {
        let ended = match self.restart {
            true => run!(self.parts, on_failure),
            false => run!(self.parts),
        };
        assert!(self.parts[self.victim].fault.is_spent(), "it has not come to that");
        match (ended, self.survives()) {
            (Ok(summary), Some(restarts)) => self.check_survivors(&summary, restarts),
            (Err(Failure::Stage { stage, reason, summary }), None) => {
                let how = if self.may_be_an_error() { self.how } else { How::Panic };
                assert_eq!((&*stage, &*reason.to_string()), (NAMES[self.victim], how.reason()));
                self.check_ledger(&summary);
            }
            (Ok(summary), None) => panic!("it goes on:\n{summary}"),
            (Err(failure), _) => panic!("{failure}"),
        }
    }

    fn may_be_an_error(&self) -> bool {
        !matches!(self.point, Point::Terminate | Point::Drop | Point::Discarded)
    }

    /// Everything that is so however the pipeline ends.
    fn check_ledger(&self, summary: &Summary) {
        let [source, middle, sink, parent] = NAMES.map(|name| summary.stage(name).unwrap());
        let ledgers = self.parts.each_ref().map(|part| &part.makes);
        assert_balanced(summary, &ledgers);
        assert_eq!(ledgers[0].made(), source.events_out + source.discarded + source.lost, "{summary}");
        let arrived = [sink, parent].map(|stage| stage.events_in + stage.discarded);
        assert_eq!(middle.events_out, arrived.iter().sum::<u64>(), "{summary}");
        let handled = self.parts.each_ref().map(|part| part.handled.load(Relaxed));
        assert_eq!([sink, parent].map(|stage| stage.events_in - stage.lost), [handled[2], handled[3]]);
        assert_eq!(ledgers.map(Ledger::delivered), [handled[1], handled[2] + handled[3], 0, 0]);
    }

    /// Of a pipeline that went on, what is discarded is what its stages were told, and the rest that is missing is lost.
    fn check_survivors(&self, summary: &Summary, restarts: [u64; 4]) {
        self.check_ledger(summary);
        let stages = NAMES.map(|name| summary.stage(name).unwrap());
        assert_eq!(stages.map(|stage| stage.restarts), restarts);
        assert!(stages.iter().all(|stage| stage.reason.is_normal()), "{summary}");
        let told = self.parts.each_ref().map(|part| part.told.load(Relaxed));
        assert_eq!(stages.map(|stage| stage.discarded), told);
        assert!(told[0] > 0 && told[1] > 0, "no buffer has overflowed");
        let made = self.parts[0].makes.made();
        assert_eq!(made, EVENTS);
        let losers: Vec<_> = stages.iter().filter(|stage| stage.lost > 0).map(|stage| &*stage.name).collect();
        let loses = matches!(self.point, Point::Demand | Point::Events | Point::Start | Point::Child);
        assert_eq!(losers, if loses { &NAMES[self.victim..=self.victim] } else { &[] });
    }
}

async fn in_every_callback(victim: usize) {
    for (point, how, restart) in POINTS[victim].iter().flat_map(|point| {
        How::ALL.into_iter().flat_map(move |how| [(*point, how, false), (*point, how, true)])
    }) {
        println!("{point:?} of {}: {how:?}, restart: {restart}", NAMES[victim]);
        Run::new(victim, point, how, restart).check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_producer() {
    in_every_callback(0).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_producer_consumer() {
    in_every_callback(1).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_consumer() {
    in_every_callback(2).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_consumer_supervisor() {
    in_every_callback(3).await;
}
