//! Supervisors: stages and closures that are started and stopped at run time.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{
    ChildSpec, NoSuchChild, Reason, Restart, Shutdown, Stopping, Strategy, Subscribe, SuperviseError,
    Supervisor,
};
use tokio::time::{Instant, sleep};

use crate::stages::Log;

fn named(name: &'static str) -> ChildSpec {
    ChildSpec::new(name).restart(Restart::OnFailure)
}

/// Notes when it begins and how it ends; does what it is told, then waits for its end.
fn lives(
    name: &'static str,
    log: &Log<String>,
    fails: impl Fn(usize) -> bool + Send + Sync + Copy + 'static,
) -> impl FnMut(Stopping) -> std::pin::Pin<Box<dyn Future<Output = Result> + Send>> + Send + 'static {
    let (log, mut lives) = (log.clone(), 0);
    move |stopping| {
        let (log, life) = (log.clone(), lives);
        lives += 1;
        Box::pin(async move {
            log.push(format!("{name} begins"));
            if fails(life) {
                log.push(format!("{name} fails"));
                return Err(genstage::Error::msg("no"));
            }
            stopping.requested().await;
            log.push(format!("{name} ends"));
            Ok(())
        })
    }
}

/// Counts upwards, and fails when it is told to.
#[stage(producer)]
struct Counter(u64);

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(self.0..self.0 + demand as u64);
        self.0 += demand as u64;
        Ok(())
    }
}

impl Cast<()> for Counter {
    async fn handle_cast(&mut self, (): (), _: &mut Context<Self>) -> Result {
        Err(genstage::Error::msg("told to"))
    }
}

/// A stage is begun anew in place: its handle, and its subscriptions, stay.
#[tokio::test(start_paused = true)]
async fn stages_are_begun_anew_in_place() {
    let supervisor = Supervisor::builder().start();
    let (_, counter) = supervisor.start_stage(named("counter"), || Counter(0)).await.unwrap();
    let stream = counter.into_stream(Subscribe::new().max_demand(3).min_demand(0)).unwrap();
    let first: Vec<_> = futures_util::StreamExt::collect(futures_util::StreamExt::take(stream, 2)).await;
    assert_eq!(first.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
    counter.cast(()).await.unwrap();
    settle().await;
    let snapshot = counter.snapshot().await.unwrap();
    assert_eq!((snapshot.restarts, &*snapshot.name), (1, "counter"));
    supervisor.stop().await.unwrap();
    assert!(counter.has_ended());
}

/// Closures are called again when their future fails or panics; `Always`, also when it is done; `Never`, never.
#[tokio::test(start_paused = true)]
async fn closures_are_called_again() {
    let (supervisor, log) = (Supervisor::builder().max_restarts(10).start(), Log::new());
    for (name, restart) in [("n", Restart::Never), ("f", Restart::OnFailure), ("a", Restart::Always)] {
        let (log, mut lives) = (log.clone(), 0);
        let child = move |stopping: Stopping| {
            lives += 1;
            let (log, life) = (log.clone(), lives);
            async move {
                log.push(format!("{name}{life}"));
                match life {
                    1 => panic!("the first time"),
                    2 => Err(genstage::Error::msg("the second time")),
                    3 => Ok(()),
                    _ => {
                        stopping.requested().await;
                        Ok(())
                    }
                }
            }
        };
        supervisor.start_task(ChildSpec::new(name).restart(restart), child).await.unwrap();
        settle().await;
    }
    assert_eq!(log.take(), ["n1", "f1", "f2", "f3", "a1", "a2", "a3", "a4"]);
    let names: Vec<_> = supervisor.which_children().await.into_iter().map(|child| child.name).collect();
    assert_eq!(names, ["a".into()]);
    supervisor.stop().await.unwrap();
}

/// The last started is ended first, and waited for before the next.
#[tokio::test(start_paused = true)]
async fn children_are_ended_in_order() {
    let (supervisor, log) = (Supervisor::builder().start(), Log::new());
    for (n, name) in [(1, "a"), (5, "b"), (3, "c")] {
        let log = log.clone();
        let child = move |stopping: Stopping| {
            let log = log.clone();
            async move {
                stopping.requested().await;
                log.push(format!("{name} is asked"));
                sleep(Duration::from_secs(n)).await;
                log.push(format!("{name} ends"));
                Ok(())
            }
        };
        supervisor.start_task(named(name).shutdown(Shutdown::Unbounded), child).await.unwrap();
    }
    settle().await;
    let start = Instant::now();
    supervisor.stop().await.unwrap();
    assert_eq!(log.take(), ["c is asked", "c ends", "b is asked", "b ends", "a is asked", "a ends"]);
    assert_eq!(start.elapsed().as_secs(), 9);
    assert!(matches!(
        supervisor.start_task(named("late"), lives("late", &log, |_| false)).await,
        Err(SuperviseError::Ended)
    ));
    assert!(supervisor.which_children().await.is_empty());
}

/// A child that does not listen is dropped when its time is up.
#[tokio::test(start_paused = true)]
async fn children_that_do_not_listen() {
    #[stage(consumer)]
    struct Hangs(Log<&'static str>);

    impl Consumer for Hangs {
        type Event = u64;

        async fn init(&mut self, _: &mut Context<Self>) -> Result {
            std::future::pending().await
        }

        async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            Ok(())
        }

        async fn terminate(&mut self, _: &Reason) {
            self.0.push("terminate");
        }
    }

    for (shutdown, takes) in [(Shutdown::Abort, 0), (Shutdown::After(Duration::from_secs(7)), 7)] {
        let (supervisor, log) = (Supervisor::builder().start(), Log::new());
        let task = supervisor
            .start_task(named("task").shutdown(shutdown), |_| std::future::pending())
            .await
            .unwrap();
        let noted = log.clone();
        let (stage, _) = supervisor
            .start_stage(named("stage").shutdown(shutdown), move || Hangs(noted.clone()))
            .await
            .unwrap();
        settle().await;
        for child in [task, stage] {
            let start = Instant::now();
            assert_eq!(supervisor.terminate_child(child).await, Ok(()));
            assert_eq!(start.elapsed().as_secs(), takes);
            assert_eq!(supervisor.terminate_child(child).await, Err(NoSuchChild));
        }
        assert_eq!((log.take(), supervisor.count_children().await), (vec!["terminate"], 0));
    }
}

/// The strategy says which others are begun anew with one that failed.
#[tokio::test(start_paused = true)]
async fn strategies() {
    for (strategy, others) in [
        (Strategy::OneForOne, vec![]),
        (Strategy::RestForOne, vec!["c"]),
        (Strategy::OneForAll, vec!["a", "c"]),
    ] {
        let (supervisor, log) = (Supervisor::builder().strategy(strategy).start(), Log::new());
        supervisor.start_task(named("a"), lives("a", &log, |_| false)).await.unwrap();
        let fails = |life| life == 1;
        let b = supervisor.start_task(named("b"), lives("b", &log, |_| false)).await.unwrap();
        supervisor.terminate_child(b).await.unwrap();
        let (_, stage) = supervisor.start_stage(named("stage"), || Counter(0)).await.unwrap();
        supervisor.start_task(ChildSpec::new("never"), lives("never", &log, fails)).await.unwrap();
        supervisor.start_task(named("c"), lives("c", &log, |_| false)).await.unwrap();
        settle().await;
        log.take();
        stage.cast(()).await.unwrap();
        settle().await;
        let ends: Vec<_> =
            others.iter().flat_map(|name| [format!("{name} ends"), format!("{name} begins")]).collect();
        let (mut seen, mut expected) = (log.take(), ends);
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected);
        assert_eq!(stage.snapshot().await.unwrap().restarts, 1);
        supervisor.stop().await.unwrap();
    }
}

/// One restart too many ends all children, in order, and is what the supervisor ends with.
#[tokio::test(start_paused = true)]
async fn too_many_restarts() {
    let (supervisor, log) = (Supervisor::builder().max_restarts(2).start(), Log::new());
    supervisor.start_task(named("a"), lives("a", &log, |_| false)).await.unwrap();
    supervisor.start_task(named("b"), lives("b", &log, |_| true)).await.unwrap();
    let gave_up = supervisor.ended().await.unwrap_err();
    assert_eq!(gave_up.to_string(), "child `b` failed once too often: no");
    let lives = log.take();
    assert_eq!(lives.iter().filter(|line| *line == "b fails").count(), 3);
    assert_eq!(lives.last().map(String::as_str), Some("a ends"));
    assert!(supervisor.stop().await.is_err());
}

/// A wait before each restart; a child that waits can be ended.
#[tokio::test(start_paused = true)]
async fn a_wait_before_a_restart() {
    let builder =
        Supervisor::builder().backoff(Duration::from_secs(1)).within(Duration::from_secs(60)).max_restarts(3);
    let (supervisor, log) = (builder.start(), Log::new());
    let a = supervisor.start_task(named("a"), lives("a", &log, |life| life < 2)).await.unwrap();
    let start = Instant::now();
    while log.len() < 5 {
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(start.elapsed().as_secs(), 3);
    supervisor.terminate_child(a).await.unwrap();
    let b = supervisor
        .start_task(named("b").shutdown(Shutdown::Abort), lives("b", &log, |_| true))
        .await
        .unwrap();
    settle().await;
    supervisor.terminate_child(b).await.unwrap();
    assert_eq!(supervisor.count_children().await, 0);
}

/// Limits, panics of the closures, and a supervisor that is dropped.
#[tokio::test(start_paused = true)]
async fn what_is_not_started_and_what_is_dropped() {
    let (supervisor, log) = (Supervisor::builder().max_children(1).start(), Log::new());
    let failed = supervisor.start_stage(named("stage"), || -> Counter { panic!("made") }).await.unwrap_err();
    assert_eq!(failed.to_string(), "the child was not started: panicked: made");
    let task = supervisor.start_task(named("a"), lives("a", &log, |_| false)).await.unwrap();
    let full = supervisor.start_stage(named("stage"), || Counter(0)).await.unwrap_err();
    assert_eq!(full.to_string(), "the supervisor has 1 children, and may have no more");
    supervisor.terminate_child(task).await.unwrap();
    let (_, stage) = supervisor.start_stage(named("stage"), || Counter(0)).await.unwrap();
    drop(supervisor.clone());
    settle().await;
    assert!(!stage.has_ended());
    drop(supervisor);
    assert!(matches!(stage.ended().await, Reason::Shutdown));
}
