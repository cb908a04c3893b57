//! What happens when a callback fails or panics.

use genstage::prelude::*;
use genstage::{Failure, Reason, Summary};

use crate::stages::{Counter, Log, Pass};

#[derive(Clone, Copy)]
enum How {
    Error,
    Panic,
}

/// Fails at the event `at`, after having emitted those before it.
#[stage(producer_consumer)]
struct FailsAt {
    at: u64,
    how: How,
}

impl ProducerConsumer for FailsAt {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        for event in events.drain() {
            if event == self.at {
                match self.how {
                    How::Error => Err(std::io::Error::other("disk full"))?,
                    How::Panic => panic!("at {event}"),
                }
            }
            cx.emit(event);
        }
        Ok(())
    }
}

/// Runs a pipeline that fails at 25; the failure and what the sink saw, why the stage before the failing one ended.
async fn fail(how: How) -> (String, Reason, Summary, Vec<u64>, Vec<String>) {
    let (seen, first) = (Log::new(), Pass::new());
    let (ended, sink) = (first.ended.clone(), seen.clone());
    let run = pipeline! {
        source = Counter::endless();
        first = first;
        fails = FailsAt { at: 25, how };
        source => first => fails [max_demand: 10, min_demand: 0] => for_each(move |n| sink.push(n)) [max_demand: 10];
    };
    let Failure::Stage { stage, reason, summary } = run.run().await.unwrap_err() else {
        panic!("another failure")
    };
    (stage.to_string(), reason, summary, seen.take(), ended.take())
}

#[tokio::test]
async fn an_error_ends_the_pipeline_and_is_named() {
    let (stage, reason, summary, seen, ended) = fail(How::Error).await;
    assert_eq!((&*stage, &*reason.to_string()), ("fails", "disk full"));
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    let fails = summary.stage("fails").unwrap();
    assert_eq!((fails.events_in, fails.events_out), (30, 20));
    assert_eq!(fails.lost, 15, "the batch of ten, and the five that the call had emitted");
    assert_eq!(ended, ["shutdown"]);
    let others = summary.stages().iter().filter(|stage| &*stage.name != "fails");
    assert!(others.map(|stage| stage.reason.to_string()).all(|reason| reason == "shutdown"));
}

#[tokio::test]
async fn a_panic_is_caught_and_named() {
    let (stage, reason, ..) = fail(How::Panic).await;
    assert_eq!(stage, "fails");
    assert!(matches!(reason, Reason::Panic(message) if &*message == "at 25"));
}

#[tokio::test]
async fn a_failure_reads_well() {
    #[stage(producer)]
    struct Broken;

    impl Producer for Broken {
        type Event = u64;

        async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
            Err(genstage::Error::new(std::io::Error::other("connection lost"))
                .context("cannot read the queue"))
        }
    }

    let failure = pipeline! { broken = Broken; broken => for_each(|_| ()); }.run().await.unwrap_err();
    let error = genstage::Error::from(failure);
    let report = format!("{error:?}");
    let expected = "stage `broken` failed: cannot read the queue\n\nCaused by:\n    connection lost";
    assert!(report.starts_with(expected), "{report}");
}

#[tokio::test]
async fn init_and_terminate_can_fail_too() {
    #[stage(consumer)]
    struct Fails {
        in_init: bool,
    }

    impl Consumer for Fails {
        type Event = u64;

        async fn init(&mut self, _: &mut Context<Self>) -> Result {
            match self.in_init {
                true => Err(std::fmt::Error.into()),
                false => Ok(()),
            }
        }

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }

        async fn terminate(&mut self, _: &Reason) {
            assert!(self.in_init, "cannot clean up");
        }
    }

    for in_init in [true, false] {
        let run = pipeline! { sink = Fails { in_init }; from_iter(0..10u64) => sink; };
        let failure = run.run().await.unwrap_err().to_string();
        let expected = if in_init { "an error occurred" } else { "panicked: cannot clean up" };
        assert!(failure.starts_with("stage `sink` failed: ") && failure.contains(expected), "{failure}");
    }
}

/// A permanent consumer ends with its producer's own reason; the pipeline's failure is still the first one.
#[tokio::test]
async fn the_first_failure_is_the_pipelines() {
    let run = pipeline! {
        fails = FailsAt { at: 3, how: How::Error };
        sink = crate::stages::Collect::<u64>::new();
        from_iter(0..10) => fails => sink [cancel: permanent];
    };
    let Failure::Stage { stage, .. } = run.run().await.unwrap_err() else { panic!("another failure") };
    assert_eq!(&*stage, "fails");
}

/// Panics when it is dropped, unless a panic is under way already.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "boom");
    }
}

/// Waits for ever for something to emit.
#[stage(producer)]
struct Never<T>(std::marker::PhantomData<fn() -> T>);

impl<T: Send + 'static> Producer for Never<T> {
    type Event = T;

    async fn handle_demand(&mut self, _: usize, _: &mut Context<Self>) -> Result {
        std::future::pending().await
    }
}

fn never<T>() -> Never<T> {
    Never(std::marker::PhantomData)
}

/// Leaves its events to be dropped by the runtime, and drops a bomb of its own when it ends.
#[stage(consumer)]
struct Leaves<T> {
    _own: Option<Bomb>,
    events: std::marker::PhantomData<fn(T)>,
}

impl<T: Send + 'static> Consumer for Leaves<T> {
    type Event = T;

    async fn handle_events(&mut self, _: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn leaves<T>(own: Option<Bomb>) -> Leaves<T> {
    Leaves { _own: own, events: std::marker::PhantomData }
}

/// The pipeline stops at once, whichever of its stages are joined first.
#[tokio::test]
async fn a_destructor_that_panics_is_a_failure_of_its_stage() {
    let run = pipeline! {
        never = never::<Bomb>();
        look = leaves::<Bomb>(None);
        { never, from_iter((0..3).map(|_| Bomb)) } => look;
    };
    let Failure::Stage { stage, reason, summary } = run.run().await.unwrap_err() else {
        panic!("another failure")
    };
    assert_eq!((&*stage, reason.to_string()), ("look", "panicked: boom".to_owned()));
    assert_eq!(summary.stage("from_iter").unwrap().events_out, 3);
    assert_eq!(summary.stage("look").unwrap().events_in, 3);

    let run = pipeline! {
        never = never::<u64>();
        ends = from_iter(0..3u64);
        drops = leaves::<u64>(Some(Bomb));
        stays = leaves::<u64>(None);
        never => stays;
        ends => drops;
    };
    let Failure::Stage { stage, .. } = run.run().await.unwrap_err() else { panic!("another failure") };
    assert_eq!(&*stage, "drops");
}

/// Fails where it is told to, and says with which reason it is told to end.
#[stage(consumer)]
struct Stoppable {
    fails: Option<Fails>,
    told: Log<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    InACallback,
    InTerminate,
    WhenDropped,
}

impl Consumer for Stoppable {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.told.push(reason.to_string());
        assert_ne!(self.fails, Some(Fails::InTerminate), "terminate");
    }
}

impl Cast<()> for Stoppable {
    async fn handle_cast(&mut self, (): (), _: &mut Context<Self>) -> Result {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        match self.fails {
            Some(Fails::InACallback) => Err(genstage::Error::msg("callback")),
            _ => Ok(()),
        }
    }
}

impl Drop for Stoppable {
    fn drop(&mut self) {
        assert_ne!(self.fails, Some(Fails::WhenDropped), "drop");
    }
}

/// Whoever stops a stage learns why it has ended after all: of the first failure, or else with the reason that came first.
#[tokio::test(start_paused = true)]
async fn a_stop_knows_the_true_reason() {
    let enough = || Reason::custom("enough");
    for (fails, reason, told, ended) in [
        (None, Reason::Normal, "normal", "normal"),
        (None, enough(), "enough", "enough"),
        (Some(Fails::InACallback), enough(), "callback", "callback"),
        (Some(Fails::InACallback), Reason::Normal, "callback", "callback"),
        (Some(Fails::InTerminate), Reason::Shutdown, "shutdown", "panicked: "),
        (Some(Fails::InTerminate), enough(), "enough", "enough"),
        (Some(Fails::WhenDropped), Reason::Normal, "normal", "panicked: "),
        (Some(Fails::WhenDropped), enough(), "enough", "enough"),
    ] {
        let log = Log::new();
        let stage = Stoppable { fails, told: log.clone() }.spawn();
        stage.cast(()).await.unwrap();
        let stop = |reason| {
            tokio::spawn({
                let stage = stage.clone();
                async move { stage.stop(reason).await.to_string() }
            })
        };
        let (first, second) = (stop(reason), stop(Reason::custom("too late")));
        let [first, second] = [first.await.unwrap(), second.await.unwrap()];
        assert!(first.starts_with(ended), "{first} of {fails:?}");
        assert_eq!((second, stage.ended().await.to_string()), (first.clone(), first));
        assert_eq!(log.take(), [told]);
    }
}
