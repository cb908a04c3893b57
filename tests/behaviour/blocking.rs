//! Stages whose callbacks block.

use std::thread;

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe};
use genstage::{CallError, Failure, Reason, ReplyTo, StageRef};
use tokio::runtime;

use crate::stages::Log;

/// Says in which thread each callback runs; waits in it for the other end of a channel.
#[stage(producer_consumer, blocking)]
struct Blocks {
    notes: Log<(&'static str, thread::ThreadId)>,
    waits_for: std::sync::mpsc::Receiver<()>,
}

impl Blocks {
    fn note(&self, callback: &'static str) {
        self.notes.push((callback, thread::current().id()));
    }
}

impl ProducerConsumer for Blocks {
    type Input = u64;
    type Output = u64;

    async fn init(&mut self, _: &mut Context<Self>) -> Result {
        self.note("init");
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        self.note("events");
        self.waits_for.recv()?;
        cx.emit_all(events.drain());
        Ok(())
    }

    async fn terminate(&mut self, _: &Reason) {
        self.note("terminate");
    }
}

impl Call<StageRef<Blocks>> for Blocks {
    type Reply = Option<CallError>;

    async fn handle_call(
        &mut self,
        this: StageRef<Blocks>,
        reply: ReplyTo<Option<CallError>>,
        _: &mut Context<Self>,
    ) -> Result {
        self.note("call");
        reply.send(this.call(this.clone()).await.err());
        Ok(())
    }
}

/// On a runtime with one thread: that thread goes on while a callback blocks, and the callbacks run elsewhere.
#[tokio::test(start_paused = true)]
async fn callbacks_run_in_other_threads() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::<u64>::new(), ConsumerProbe::<u64>::new());
    let ((go, waits_for), notes) = (std::sync::mpsc::channel(), Log::new());
    let blocks = Blocks { notes: notes.clone(), waits_for };
    let app = pipeline! { source = source; blocks = blocks; sink = sink; source => blocks => sink; }
        .start()
        .unwrap();
    up.expect_demand(1000).await;
    // The clock stands still while a callback blocks: the probes are not to wait for it to move.
    go.send(()).unwrap();
    up.emit(0..3).await;
    down.ask(10).await;
    assert_eq!(down.batches().await, [[0, 1, 2]]);
    assert_eq!(app.blocks.call(app.blocks.clone()).await.unwrap(), Some(CallError::Itself));
    up.stop(Reason::Normal).await;
    app.join().await.unwrap();
    let notes = notes.take();
    let callbacks: Vec<_> = notes.iter().map(|(callback, _)| *callback).collect();
    assert_eq!(callbacks, ["init", "events", "call", "terminate"]);
    assert!(notes.iter().all(|(_, thread)| *thread != thread::current().id()));
}

/// Whoever drops a pipeline does not interrupt a callback that blocks: it is waited for, and then `terminate` runs.
#[test]
fn a_callback_that_blocks_is_waited_for() {
    let ((go, waits_for), notes) = (std::sync::mpsc::channel(), Log::new());
    let blocks = Blocks { notes: notes.clone(), waits_for };
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let app = pipeline! {
            blocks = blocks;
            from_iter(0..10u64) => blocks => for_each(|_| ());
        }
        .start()
        .unwrap();
        while notes.len() < 2 {
            tokio::task::yield_now().await;
        }
        let blocks = app.blocks.clone();
        drop(app);
        tokio::task::yield_now().await;
        assert!(!blocks.has_ended());
        go.send(()).unwrap();
        assert!(matches!(blocks.ended().await, Reason::Shutdown));
    });
    let callbacks: Vec<_> = notes.take().into_iter().map(|(callback, _)| callback).collect();
    assert_eq!(callbacks, ["init", "events", "terminate"]);
}

/// Fails, by an error and by a panic, and is begun anew as any other.
#[stage(consumer, blocking)]
struct Fails(Log<u64>);

impl Consumer for Fails {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        for event in events.drain() {
            self.0.push(event);
            match event {
                2 => return Err(genstage::Error::msg("two")),
                5 => panic!("five"),
                _ => {}
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn blocking_stages_are_begun_anew() {
    let log = Log::new();
    let noted = log.clone();
    let summary = pipeline! {
        fails = Fails(noted.clone()), restart: on_failure;
        from_iter(0..9u64) => fails [max_demand: 3, min_demand: 0];
    }
    .run()
    .await
    .unwrap();
    assert_eq!(log.take(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let fails = summary.stage("fails").unwrap();
    assert_eq!((fails.restarts, fails.lost), (2, 6));
}

/// Emits a number for each that comes, and waits in the middle for the other end of a channel: what comes of that is the outcome.
#[stage(producer_consumer, blocking)]
struct Stopped {
    began: Log<()>,
    waits_for: std::sync::mpsc::Receiver<Result>,
}

impl ProducerConsumer for Stopped {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        self.began.push(());
        self.waits_for.recv()?
    }
}

/// What a callback did that blocked while its pipeline was told to stop counts, as does its failure.
#[tokio::test]
async fn what_is_done_while_a_stop_comes_counts() {
    for outcome in [Ok(()), Err(genstage::Error::msg("oops"))] {
        let ((go, waits_for), began) = (std::sync::mpsc::channel(), Log::new());
        let stopped = Stopped { began: began.clone(), waits_for };
        let app = pipeline! {
            source = from_iter(0..);
            stopped = stopped;
            sink = for_each(|_: u64| ());
            source => stopped [max_demand: 6, min_demand: 3] => sink [max_demand: 1];
        }
        .start()
        .unwrap();
        while began.is_empty() {
            tokio::task::yield_now().await;
        }
        let fails = outcome.is_err();
        let aborted = tokio::spawn(app.abort());
        tokio::task::yield_now().await;
        go.send(outcome).unwrap();
        let summary = match aborted.await.unwrap() {
            Ok(summary) => summary,
            Err(Failure::Stage { stage, reason, summary }) => {
                assert_eq!((&*stage, reason.to_string().as_str()), ("stopped", "oops"));
                assert!(fails);
                summary
            }
            Err(failure) => panic!("{failure}"),
        };
        let [source, stopped, sink] = ["source", "stopped", "sink"].map(|name| summary.stage(name).unwrap());
        // Of a batch of three all are lost twice, taken in and emitted; or none, but nobody is there any more to take them.
        let ([discarded, lost], queued) = (if fails { [0, 6] } else { [3, 0] }, source.events_out - 3);
        assert_eq!((stopped.events_in, stopped.lost, sink.events_in), (3, lost, 0));
        assert_eq!(stopped.discarded + sink.discarded, queued + discarded);
        assert_eq!(stopped.reason.is_failure(), fails);
    }
}
