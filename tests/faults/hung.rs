//! Drains that a callback holds up which never comes back: they are cut off, and what that costs is said.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Child, ConsumerSupervisor, Failure, Summary};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

/// Where a stage hangs, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hangs {
    Demand,
    Drain,
    Middle,
    Sink,
    Child,
}

/// Never comes back if it is here that it is to hang, and not for the first time.
async fn hang(hangs: Hangs, here: Hangs, calls: &mut usize) {
    *calls += 1;
    if hangs == here && *calls > 1 {
        std::future::pending().await
    }
}

#[stage(producer)]
struct Source {
    hangs: Hangs,
    makes: Ledger,
    calls: usize,
}

impl Producer for Source {
    type Event = Event;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let left = 100u64.saturating_sub(self.makes.made()).min(demand as u64);
        cx.emit_all((0..left).map(|number| self.makes.event(number)));
        hang(self.hangs, Hangs::Demand, &mut self.calls).await;
        Ok(())
    }

    async fn on_drain(&mut self, cx: &mut Context<Self>) -> Result {
        hang(self.hangs, Hangs::Drain, &mut 1).await;
        cx.finish();
        Ok(())
    }
}

#[stage(producer_consumer)]
struct Middle {
    hangs: Hangs,
    makes: Ledger,
    calls: usize,
}

impl ProducerConsumer for Middle {
    type Input = Event;
    type Output = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, cx: &mut Context<Self>) -> Result {
        cx.emit_all((0..events.len() as u64).map(|number| self.makes.event(number)));
        hang(self.hangs, Hangs::Middle, &mut self.calls).await;
        events.drain().for_each(|event| event.deliver());
        Ok(())
    }
}

#[stage(consumer)]
struct Sink {
    hangs: Hangs,
    calls: usize,
}

impl Consumer for Sink {
    type Event = Event;

    async fn handle_events(&mut self, events: &mut Batch<Event>, _: &mut Context<Self>) -> Result {
        hang(self.hangs, Hangs::Sink, &mut self.calls).await;
        events.drain().for_each(|event| event.deliver());
        Ok(())
    }
}

#[stage(consumer_supervisor)]
struct Parent {
    hangs: Hangs,
    calls: usize,
}

impl ConsumerSupervisor for Parent {
    type Event = Event;

    fn start_child(
        &mut self,
        event: Event,
        _: &Child,
    ) -> Result<impl Future<Output = Result> + Send + 'static> {
        self.calls += 1;
        let (hangs, mut calls) = (self.hangs, self.calls);
        Ok(async move {
            hang(hangs, Hangs::Child, &mut calls).await;
            event.deliver();
            Ok(())
        })
    }
}

/// Runs into the hanging callback and drains for a minute; the stages that were cut off, the summary, and the ledgers.
async fn drain(hangs: Hangs) -> (Vec<String>, Summary, [Ledger; 2]) {
    let ledgers: [Ledger; 2] = Default::default();
    let [makes, copies] = ledgers.clone();
    let app = pipeline! {
        source = Source { hangs, makes, calls: 0 };
        middle = Middle { hangs, makes: copies, calls: 0 };
        sink = Sink { hangs, calls: 0 };
        parent = Parent { hangs, calls: 0 };
        source => middle [max_demand: 10] => { sink [max_demand: 6], parent [max_demand: 6] };
    }
    .start()
    .unwrap();
    settle().await;
    let failure = app.drain_within(Duration::from_secs(60)).await.unwrap_err();
    let message = failure.to_string();
    assert!(message.starts_with("the pipeline did not end within 60s: stage `"), "{message}");
    let Failure::CutOff { stages, summary, .. } = failure else { panic!("{failure}") };
    let said = |name: &str| message.matches(&format!("stage `{name}` was cut off")).count();
    assert!(stages.iter().all(|stage| said(stage) == 1), "{message}");
    (stages.iter().map(ToString::to_string).collect(), summary, ledgers)
}

/// The stage that hangs is named, and those behind it that waited for its end.
#[tokio::test(start_paused = true)]
async fn whatever_hangs() {
    for (hangs, cut_off) in [
        (Hangs::Demand, &["source", "middle", "sink", "parent"][..]),
        (Hangs::Drain, &["source", "middle", "sink", "parent"]),
        (Hangs::Middle, &["middle", "sink", "parent"]),
        (Hangs::Sink, &["sink"]),
        (Hangs::Child, &["parent"]),
    ] {
        let (stages, summary, [makes, copies]) = drain(hangs).await;
        assert_eq!(stages, cut_off, "{hangs:?}");
        assert_balanced(&summary, &[&makes, &copies]);
        let [source, middle, sink, parent] =
            ["source", "middle", "sink", "parent"].map(|name| summary.stage(name).unwrap());
        assert_eq!(makes.made(), source.events_out + source.discarded + source.lost, "{summary}");
        let arrived = [sink, parent].map(|stage| stage.events_in + stage.discarded).iter().sum::<u64>();
        assert_eq!(middle.events_out, arrived, "{summary}");
        let handled = [sink, parent].map(|stage| stage.events_in - stage.lost).iter().sum::<u64>();
        assert_eq!(copies.delivered(), handled, "{summary}");
        assert!(summary.stages().iter().all(|stage| !stage.reason.is_failure()), "{summary}");
        // Whoever hung, and nobody else, lost what it was at.
        let losers: Vec<_> =
            summary.stages().iter().filter(|stage| stage.lost > 0).map(|stage| &*stage.name).collect();
        assert_eq!(losers, if hangs == Hangs::Drain { &[] } else { &cut_off[..1] }, "{summary}");
    }
}
