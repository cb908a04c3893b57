//! What the macros write passes every lint of a strict crate, whatever names are in scope.

use std::time::Duration;

use genstage::prelude::{
    Batch, Consumer, ConsumerSupervisor, Context, Producer, ProducerConsumer, pipeline, stage,
};
use genstage::{Child, Summary};

/// Names that an expansion might mean.
mod hostile {
    /// Not the `Result` of the prelude.
    #[derive(Debug)]
    pub(crate) struct Result;
    /// Not the `Option` of the prelude.
    #[derive(Debug)]
    pub(crate) struct Option;
    /// Not that of the pipeline.
    #[derive(Debug)]
    pub(crate) struct Handles;

    /// Methods that a context or a handle might have.
    pub(crate) trait Methods {
        fn emit(&self) -> u8 {
            0
        }
        fn add(&self) -> u8 {
            1
        }
        fn handle(&self) -> u8 {
            2
        }
    }

    impl<T> Methods for T {}
}

use hostile::{Handles, Methods, Option, Result};

/// Not the crate.
mod core {}

/// What a stage fails with.
type Done = genstage::Result;

/// Counts.
#[stage(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = parity), buffer_size = 100)]
#[derive(Debug)]
pub struct Counter {
    next: u64,
    end: u64,
}

/// The partitions.
#[derive(Clone, Copy, Debug)]
pub enum Parity {
    /// 0, 2, 4 …
    Even,
    /// 1, 3, 5 …
    Odd,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a key function borrows the event")]
const fn parity(n: &u64) -> Parity {
    if n.is_multiple_of(2) { Parity::Even } else { Parity::Odd }
}

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Done {
        let end = self.end.min(self.next + demand as u64);
        cx.emit_all(self.next..end);
        self.next = end;
        if self.next == self.end {
            cx.finish();
        }
        Ok(())
    }
}

/// Passes on.
#[stage(producer_consumer, dispatcher = broadcast, max_demand = 10)]
#[derive(Debug)]
pub struct Pass<T>(std::marker::PhantomData<T>);

impl<T: Clone + Send + 'static> ProducerConsumer for Pass<T> {
    type Input = T;
    type Output = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Done {
        cx.emit_all(events.drain());
        Ok(())
    }
}

/// Takes.
#[stage(consumer, blocking)]
#[derive(Debug)]
pub struct Sink;

impl Consumer for Sink {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Done {
        Ok(())
    }
}

/// Starts children.
#[stage(consumer_supervisor, restart = transient, within = Duration::from_secs(1), shutdown = abort)]
#[derive(Debug)]
pub struct Workers;

impl ConsumerSupervisor for Workers {
    type Event = u64;

    fn start_child(
        &mut self,
        _: u64,
        _: &Child,
    ) -> genstage::Result<impl Future<Output = Done> + Send + 'static> {
        Ok(std::future::ready(Ok(())))
    }
}

/// Runs all of them.
///
/// # Errors
///
/// If a stage fails.
pub async fn run(end: u64) -> genstage::Result<Summary> {
    let (wiring, index, recipe, handles, private) = (1, 2, 3, Duration::from_secs(4), 5);
    let app = pipeline! {
        max_restarts: wiring, within: handles;
        counter = Counter { next: 0, end };
        /// Takes what is even.
        evens = Pass(std::marker::PhantomData), replicas: 1;
        sink = Sink, replicas: index, restart: on_failure;
        workers = Workers, restart: always;
        #[cfg(any())]
        nothing = nothing(), open;

        counter => { evens [partition: Parity::Even, max_demand: recipe + private], sink_of_odds() [partition: Parity::Odd] };
        evens => { sink [selector: |n| *n > 3], workers };
    };
    let (_, _, _) = (Result, Option, Handles);
    let (_, _, _) = (app.emit(), app.add(), app.handle());
    Ok(app.run().await?)
}

fn sink_of_odds() -> genstage::ForEach<fn(u64), u64> {
    genstage::for_each(drop::<u64> as fn(u64))
}

#[cfg(test)]
mod tests {
    use super::run;

    #[tokio::test]
    async fn it_runs() -> genstage::Result {
        let summary = run(100).await?;
        assert_eq!(summary.stage("workers").map(|workers| workers.events_in), Some(50));
        Ok(())
    }
}
