//! Whoever does something to the stages of a running pipeline.

use std::time::Duration;

use futures_util::StreamExt;
use genstage::prelude::*;
use genstage::{Cancel, ChildSpec, Reason, Shutdown, StageRef, Subscribe, Supervisor};
use genstage_tests::ledger::Copied;

use crate::dice::Dice;
use crate::stages::{Common, Ping, Sink};
use crate::topology::Handles;

/// Does something to one of the stages, whichever.
macro_rules! to_any {
    ($self:ident, $stage:ident => $what:expr) => {{
        let Handles { sources, middles, sinks, blocks, parents } = &$self.handles;
        match $self.dice.below(5) {
            0 => {
                let $stage = &$self.dice.one_of(sources);
                $what
            }
            1 => {
                let $stage = &$self.dice.one_of(middles);
                $what
            }
            2 => {
                let $stage = &$self.dice.one_of(sinks);
                $what
            }
            3 => {
                let $stage = blocks;
                $what
            }
            _ => {
                let $stage = &$self.dice.one_of(parents);
                $what
            }
        }
    }};
}

pub(crate) struct Meddler {
    pub(crate) dice: Dice,
    pub(crate) handles: Handles,
    /// Of consumers from outside.
    pub(crate) common: Common,
    /// Whether it may take events with it that nobody counts.
    pub(crate) takes: bool,
}

impl Meddler {
    /// Does this and that.
    pub(crate) async fn run(self) {
        let mut outsiders = vec![];
        for _ in 0..self.dice.below(12) {
            for _ in 0..self.dice.below(50) {
                tokio::task::yield_now().await;
            }
            match self.dice.below(12) {
                0 => drop(to_any!(self, stage => stage.stop(self.dice.reason()).await)),
                1 => drop(to_any!(self, stage => stage.cast(Ping).await)),
                2 => drop(to_any!(self, stage => stage.info(Ping).await)),
                3 => drop(to_any!(self, stage => stage.call(Ping).await)),
                4 => drop(to_any!(self, stage => stage.snapshot().await)),
                5..8 => outsiders.extend(self.outsider().await),
                8..10 if self.takes => self.stream().await,
                10 if self.takes => self.killed().await,
                _ => {}
            }
        }
        for outsider in outsiders {
            leave(&outsider).await;
        }
    }

    /// A consumer from outside, which never fails.
    async fn outsider(&self) -> Option<StageRef<Sink>> {
        let outsider = Sink { common: self.common.clone() }.spawn();
        let (max, min) = self.dice.window();
        let options = Subscribe::new().max_demand(max).min_demand(min).cancel(Cancel::Temporary);
        let subscribed = match self.dice.once_in(2) {
            true => outsider.subscribe(&self.dice.one_of(&self.handles.sources), options).await,
            false => outsider.subscribe(&self.dice.one_of(&self.handles.middles), options).await,
        };
        if self.dice.once_in(2) {
            outsider.cancel(&subscribed.ok()?, Reason::Normal).await;
        }
        Some(outsider)
    }

    /// Takes a few events out, and leaves.
    async fn stream(&self) {
        let options = Subscribe::new().max_demand(WINDOW).cancel(Cancel::Temporary);
        let stream = match self.dice.once_in(2) {
            true => self.dice.one_of(&self.handles.sources).into_stream(options),
            false => self.dice.one_of(&self.handles.middles).into_stream(options),
        };
        let Ok(stream) = stream else { return };
        let events = stream.take(self.dice.below(30));
        events.for_each(async |event| event.iter().for_each(|Copied(event)| event.deliver())).await;
    }

    /// A consumer from outside that is killed, whatever it is at.
    async fn killed(&self) {
        let (supervisor, common) = (Supervisor::builder().start(), self.common.clone());
        let spec = ChildSpec::new("killed").shutdown(Shutdown::Abort);
        let started = supervisor.start_stage(spec, move || Sink { common: common.clone() }).await;
        let Ok((child, doomed)) = started else { return };
        let options = Subscribe::new().max_demand(WINDOW).cancel(Cancel::Temporary);
        // Either may have ended.
        let _ = doomed.subscribe(&self.dice.one_of(&self.handles.middles), options).await;
        for _ in 0..self.dice.below(50) {
            tokio::task::yield_now().await;
        }
        let _ = supervisor.terminate_child(child).await;
    }
}

/// How much those ask for at a time that take events with them.
pub(crate) const WINDOW: usize = 10;

/// Ends a consumer from outside when nothing is on its way to it any more.
async fn leave(outsider: &StageRef<Sink>) {
    while let Some(snapshot) = outsider.snapshot().await {
        match snapshot.producers.first() {
            Some(producer) => outsider.cancel(producer, Reason::Normal).await,
            None => drop(outsider.stop(Reason::Normal).await),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
