use std::collections::VecDeque;
use std::fmt;
use std::future::pending;

use futures_util::FutureExt;
use tokio::time::{Instant, sleep_until};

use super::delivered::{Delivered, delivered};
use super::{Delivery, Outcome, Remote, Settled};
use crate::channel::{Receiver, Sender, channel};
use crate::demand::DEFAULT_MAX_DEMAND;
use crate::prelude::*;
use crate::{Reason, telemetry};

/// A producer of what another machine hands out; see [`from_remote`].
#[stage(producer, buffer_size = unbounded)]
pub struct FromRemote<R: Remote> {
    inlet: Inlet<R>,
    sender: Sender<Settled<R::Receipt>>,
    receiver: Receiver<Settled<R::Receipt>>,
    /// What the engine has still to be told.
    settled: VecDeque<Settled<R::Receipt>>,
}

/// What comes in.
#[derive(Debug)]
struct Inlet<R> {
    remote: R,
    /// How many events are requested at a time, at most.
    max_demand: usize,
    /// What its consumers want and has not been requested; `usize::MAX` is without bound, and stays.
    wanted: usize,
    /// What has been requested and has not come.
    requested: usize,
    /// How many deliveries have come and are not settled.
    unsettled: usize,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Not yet.
    No,
    /// Nothing more is requested; what was may come.
    Stopped,
    /// Nothing more comes; what came is to be settled.
    Exhausted,
}

/// A producer of the events that an engine hands out: [`Delivered`] ones, each of which has to be settled.
///
/// It requests what its consumers ask for, and no more. A drain stops requesting, hands on what was on its way, and finishes when all of
/// it has been settled. However else it ends, it takes back its requests, has what comes of them come again elsewhere, and waits for what
/// it has handed on to be settled, for as long as the engine's [patience](Remote::patience) at most.
///
/// At most 1000 events are requested at a time, or [`max_demand`](FromRemote::max_demand).
///
/// A stage that is begun anew needs a new [`Remote`].
pub fn from_remote<R: Remote>(remote: R) -> FromRemote<R> {
    let (sender, receiver) = channel();
    let inlet = Inlet {
        remote,
        max_demand: DEFAULT_MAX_DEMAND,
        wanted: 0,
        requested: 0,
        unsettled: 0,
        ending: Ending::No,
    };
    FromRemote { inlet, sender, receiver, settled: VecDeque::new() }
}

impl<R: Remote> Inlet<R> {
    /// Requests what is wanted, as soon as no more than half of what may be requested is on its way.
    async fn request(&mut self) -> Result {
        let Self { remote, max_demand, wanted, requested, ending, .. } = self;
        let demand = (*wanted).min(max_demand.saturating_sub(*requested));
        if demand == 0 || *requested > *max_demand / 2 || *ending != Ending::No {
            return Ok(());
        }
        remote.request(demand).await?;
        *requested += demand;
        if *wanted < usize::MAX {
            *wanted -= demand;
        }
        Ok(())
    }

    async fn stop(&mut self) -> Result {
        if self.ending == Ending::No {
            self.ending = Ending::Stopped;
            self.remote.stop().await?;
        }
        Ok(())
    }

    /// Waits for a delivery; none when there will be no other. Cancellation safe.
    async fn receive(&mut self) -> Result<Option<Delivery<R::Event, R::Receipt>>> {
        if self.ending == Ending::Exhausted {
            return pending().await;
        }
        let delivery = self.remote.receive().await?;
        match &delivery {
            Some(delivery) => {
                self.unsettled += 1;
                self.requested = self.requested.saturating_sub(delivery.events.len());
            }
            None => self.ending = Ending::Exhausted,
        }
        Ok(delivery)
    }
}

impl<R: Remote> FromRemote<R> {
    /// The most events that are requested at a time, at least 1.
    #[must_use]
    pub fn max_demand(mut self, events: usize) -> Self {
        self.inlet.max_demand = events.max(1);
        self
    }

    /// Waits for a delivery, or for something that has been settled, and tells the engine. Cancellation safe.
    async fn next(&mut self) -> Result<Option<Delivery<R::Event, R::Receipt>>> {
        let Self { inlet, receiver, settled, .. } = self;
        if settled.is_empty() {
            tokio::select! {
                biased;
                // What is settled meanwhile is told together. It does not wait for long: no more comes than was requested.
                delivery = inlet.receive() => return delivery,
                _ = receiver.ready() => {}
            }
            while let Some(one) = receiver.take() {
                inlet.unsettled -= usize::from(one.outcome != Outcome::InProgress);
                settled.push_back(one);
            }
        }
        inlet.remote.settle(settled).await?;
        Ok(None)
    }

    fn hand_out(
        &self,
        delivery: Delivery<R::Event, R::Receipt>,
    ) -> impl Iterator<Item = Delivered<R::Event>> + use<R> {
        delivered(delivery.events, delivery.receipt, self.sender.clone())
    }

    fn is_over(&self) -> bool {
        let Inlet { unsettled, ending, .. } = self.inlet;
        ending == Ending::Exhausted && unsettled == 0 && self.settled.is_empty()
    }

    /// Gives back what still comes, and waits for what has been handed on.
    async fn wind_up(&mut self) -> Result {
        self.inlet.stop().await?;
        while !self.is_over() {
            if let Some(delivery) = self.next().await? {
                self.hand_out(delivery).for_each(drop);
            }
        }
        Ok(())
    }
}

impl<R: Remote> Producer for FromRemote<R> {
    type Event = Delivered<R::Event>;

    async fn init(&mut self, _: &mut Context<Self>) -> Result {
        self.inlet.remote.open().await
    }

    async fn handle_demand(&mut self, demand: usize, _: &mut Context<Self>) -> Result {
        self.inlet.wanted = self.inlet.wanted.saturating_add(demand);
        self.inlet.request().await
    }

    fn has_source(&self, _: usize) -> bool {
        true
    }

    async fn source(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        self.inlet.request().await?;
        let mut next = self.next().await?;
        // From here on nothing waits: what has been emitted would, too.
        while let Some(delivery) = next {
            cx.emit_all(self.hand_out(delivery));
            // What else is there already goes with it.
            next = self.inlet.receive().now_or_never().transpose()?.flatten();
        }
        if self.is_over() {
            cx.finish();
        }
        Ok(())
    }

    async fn on_drain(&mut self, _: &mut Context<Self>) -> Result {
        self.inlet.stop().await
    }

    async fn terminate(&mut self, _: &Reason) {
        let until = Instant::now() + self.inlet.remote.patience();
        let wound_up = tokio::select! {
            biased;
            wound_up = self.wind_up() => wound_up,
            () = sleep_until(until) => Ok(()),
        };
        if let Err(error) = wound_up {
            telemetry::not_settled(&error);
        }
        self.inlet.remote.close().await;
    }
}

impl<R: Remote + fmt::Debug> fmt::Debug for FromRemote<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromRemote").field("inlet", &self.inlet).finish_non_exhaustive()
    }
}
