//! Producers that are gone while there is demand that they have not met.

use std::sync::mpsc::{Sender, channel};

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Cancel, Cancelled, Failure, Reason, StageRef, Subscribe};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};
use tokio::runtime::Builder;

use crate::fault::How;

/// Makes so many events, and then nothing more, whatever it is asked for; fails when it is told to.
#[stage(producer)]
struct Stingy {
    makes: Ledger,
    left: u64,
}

impl Producer for Stingy {
    type Event = Event;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let now = self.left.min(demand as u64);
        cx.emit_all((0..now).map(|number| self.makes.event(number)));
        self.left -= now;
        Ok(())
    }
}

impl Cast<How> for Stingy {
    async fn handle_cast(&mut self, how: How, cx: &mut Context<Self>) -> Result {
        // It is lost with the call.
        cx.emit(self.makes.event(0));
        how.strike()
    }
}

/// Notes whose events it has had, and with what its producers ended.
#[stage(consumer, max_demand = 10)]
struct Taker {
    notes: Sender<String>,
}

impl Consumer for Taker {
    type Event = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, _: &mut Context<Self>) -> Result {
        events.drain().for_each(|event| event.deliver());
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, _: &mut Context<Self>) -> Result {
        // The test may have seen enough.
        let _ = self.notes.send(cancelled.reason.to_string());
        Ok(())
    }
}

/// How a producer comes to its end, and what its consumers learn of it.
const ENDS: [(Option<How>, &str); 3] =
    [(Some(How::Error), "fault"), (Some(How::Panic), "panicked: fault"), (None, "enough")];

async fn end(producer: &StageRef<Stingy>, how: Option<How>) {
    match how {
        Some(how) => producer.cast(how).await.unwrap(),
        None => drop(producer.stop(Reason::custom("enough")).await),
    }
    settle().await;
}

/// By the mode of the subscription the consumer ends, or goes on with its other producer, to which its demand stands.
#[tokio::test(start_paused = true)]
async fn with_demand_outstanding() {
    for (how, reason) in ENDS {
        for (cancel, goes_on) in
            [(Cancel::Permanent, false), (Cancel::Transient, false), (Cancel::Temporary, true)]
        {
            let (makes, (notes, noted)) = (Ledger::default(), channel());
            let [gone, other] = [7, 30].map(|left| Stingy { makes: makes.clone(), left }.spawn());
            let taker = Taker { notes }.spawn();
            taker.subscribe(&gone, Subscribe::new().cancel(cancel)).await.unwrap();
            settle().await;
            assert_eq!(makes.delivered(), 7, "three are owed");
            end(&gone, how).await;
            assert_eq!(
                (noted.try_iter().collect::<Vec<_>>(), taker.has_ended()),
                (vec![reason.to_owned()], !goes_on)
            );
            let subscribed = taker.subscribe(&other, Subscribe::new()).await;
            settle().await;
            let (delivered, dropped) = (if goes_on { 37 } else { 7 }, u64::from(how.is_some()));
            assert_eq!(subscribed.is_ok(), goes_on);
            assert_eq!((makes.delivered(), makes.dropped(), makes.alive()), (delivered, dropped, 0));
        }
    }
}

/// In a pipeline the failure is the pipeline's, and the event that was lost with it is counted; with a restart the next state is
/// asked for what the one before owed.
#[tokio::test(start_paused = true)]
async fn of_a_pipeline() {
    for how in How::ALL {
        for restart in [false, true] {
            let (makes, (notes, _noted)) = (Ledger::default(), channel());
            let made = makes.clone();
            let taker = Taker { notes };
            macro_rules! run {
                ($($restart:tt)*) => {{
                    let app = pipeline! {
                        gone = Stingy { makes: made.clone(), left: 7 } $($restart)*;
                        taker = taker;
                        gone => taker;
                    }
                    .start()
                    .unwrap();
                    settle().await;
                    app.gone.cast(how).await.unwrap();
                    settle().await;
                    app.drain().await
                }};
            }
            let ended = if restart { run!(, restart: on_failure) } else { run!() };
            let (summary, delivered) = match ended {
                Ok(summary) if restart => (summary, 14),
                Err(Failure::Stage { stage, reason, summary }) if !restart => {
                    assert_eq!((&*stage, &*reason.to_string()), ("gone", how.reason()));
                    (summary, 7)
                }
                other => panic!("{other:?}"),
            };
            assert_balanced(&summary, &[&makes]);
            let gone = summary.stage("gone").unwrap();
            assert_eq!((gone.events_out, gone.lost, makes.delivered()), (delivered, 1, delivered));
        }
    }
}

/// One whose runtime has gone is gone as any other.
#[test]
fn that_is_killed() {
    let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (here, there) = (runtime(), runtime());
    let (makes, (notes, noted)) = (Ledger::default(), channel());
    let [gone, other] = [(&there, 7), (&here, 30)]
        .map(|(runtime, left)| runtime.block_on(async { Stingy { makes: makes.clone(), left }.spawn() }));
    let taker = here.block_on(async { Taker { notes }.spawn() });
    for producer in [&gone, &other] {
        here.block_on(taker.subscribe(producer, Subscribe::new().cancel(Cancel::Temporary))).unwrap();
    }
    here.block_on(settle());
    there.block_on(settle());
    drop(there);
    here.block_on(settle());
    assert_eq!(noted.try_iter().collect::<Vec<_>>(), ["killed"]);
    assert!(matches!(here.block_on(gone.ended()), Reason::Killed));
    assert_eq!((makes.delivered(), makes.dropped(), taker.has_ended()), (37, 0, false));
}
