//! Lines 170 to 212 of the catalogue: consumer supervisors and their children. The numbers are those of the catalogue's lines.

use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::{ProducerProbe, settle};
use genstage::{
    Cancel, Child, ChildCount, Failure, Ignore, NoSuchChild, Reason, StartError, Stopping, Subscribe,
    SubscribeError, WindowError,
};
use tokio::sync::oneshot;

use crate::stages::Log;

/// What a child is to do, beside waiting for its end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Run,
    /// Cannot be started: for an error, because it is to be ignored, for a panic.
    Error,
    Ignored,
    Panic,
    /// Runs, and does not listen when it is told to stop.
    Deaf,
    /// Starts of itself, but only the first time; then as the one said.
    OnceThen(&'static Job),
}

/// How a child that runs is to end.
type End = Result<(), &'static str>;

/// Children that end as the test tells them to.
struct Nursery {
    started: Log<(Job, oneshot::Sender<End>)>,
    ended: Log<&'static str>,
    attempts: Log<Job>,
    once: Vec<Job>,
}

impl Nursery {
    fn new() -> Self {
        let (started, ended, attempts) = Default::default();
        Self { started, ended, attempts, once: vec![] }
    }

    fn start(&mut self, job: Job, child: &Child) -> Result<impl Future<Output = Result> + Send + use<>> {
        self.attempts.push(job);
        let now = match job {
            Job::OnceThen(then) if self.once.contains(&job) => *then,
            _ => job,
        };
        self.once.push(job);
        match now {
            Job::Error => return Err(genstage::Error::msg("error")),
            Job::Ignored => return Err(Ignore.into()),
            Job::Panic => panic!("panic"),
            Job::Run | Job::Deaf | Job::OnceThen(_) => {}
        }
        let (sender, end) = oneshot::channel();
        self.started.push((job, sender));
        let (stopping, ended) = (child.stopping(), self.ended.clone());
        Ok(run(end, (job != Job::Deaf).then_some(stopping), Dropped(ended)))
    }
}

async fn run(end: oneshot::Receiver<End>, stopping: Option<Stopping>, mut dropped: Dropped) -> Result {
    let stopped = async {
        match stopping {
            Some(stopping) => stopping.requested().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        end = end => {
            dropped.0 = Log::new();
            match end {
                Ok(Ok(())) => Ok(()),
                Ok(Err("panic")) => panic!("told to"),
                Ok(Err(error)) => Err(genstage::Error::msg(error)),
                Err(_) => std::future::pending().await,
            }
        }
        () = stopped => {
            std::mem::take(&mut dropped.0).push("shutdown");
            Ok(())
        }
    }
}

/// Notes that a child was dropped while it ran.
struct Dropped(Log<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.push("killed");
    }
}

macro_rules! supervisor {
    ($name:ident, $($option:tt)*) => {
        #[stage(consumer_supervisor, $($option)*)]
        struct $name(Nursery);

        impl ConsumerSupervisor for $name {
            type Event = Job;

            fn start_child(
                &mut self,
                job: Job,
                child: &Child,
            ) -> Result<impl Future<Output = Result> + Send + 'static> {
                self.0.start(job, child)
            }
        }
    };
}

supervisor!(Temporary, max_demand = 10);
supervisor!(Transient, restart = transient, max_restarts = usize::MAX);
supervisor!(OnceMore, restart = transient, max_restarts = 1);
supervisor!(NoWindow, restart = transient, within = Duration::ZERO);
supervisor!(TenTimes, restart = transient, max_restarts = 10);
supervisor!(Kills, shutdown = abort);
supervisor!(Waits, shutdown = unbounded);
supervisor!(WaitsASecond, shutdown = Duration::from_secs(1));

/// What the test keeps of a nursery.
struct Kept {
    started: Log<(Job, oneshot::Sender<End>)>,
    ended: Log<&'static str>,
    attempts: Log<Job>,
}

fn nursery() -> (Kept, Nursery) {
    let nursery = Nursery::new();
    let Nursery { started, ended, attempts, .. } = &nursery;
    (Kept { started: started.clone(), ended: ended.clone(), attempts: attempts.clone() }, nursery)
}

impl Kept {
    /// Ends the child that was started first of those that have not been ended.
    async fn end(&self, end: End) {
        let mut started = self.started.take();
        let (_, first) = started.remove(0);
        started.into_iter().for_each(|child| self.started.push(child));
        first.send(end).unwrap();
        settle().await;
    }
}

fn count(workers: usize, active: usize) -> ChildCount {
    ChildCount { workers, active }
}

/// Lines 181 and 182: what keeps a child from being started is the answer, and nothing else comes of it.
#[tokio::test(start_paused = true)]
async fn c181_c182_starting_children_by_hand() {
    let (_kept, nursery) = nursery();
    let supervisor = Temporary(nursery).spawn();
    let first = supervisor.start_child(Job::Run).await.unwrap();
    let second = supervisor.start_child(Job::Run).await.unwrap();
    assert_ne!(first, second);
    for (job, why) in
        [(Job::Error, "error"), (Job::Ignored, "no child for this event"), (Job::Panic, "panicked: panic")]
    {
        let error = supervisor.start_child(job).await.unwrap_err();
        assert_eq!(error.to_string(), format!("the child was not started: {why}"));
    }
    assert_eq!(supervisor.count_children().await, count(2, 2));
    let ids: Vec<_> =
        supervisor.which_children().await.into_iter().map(|child| (child.id, child.runs)).collect();
    assert_eq!(ids, [(first, true), (second, true)]);
    supervisor.stop(Reason::Normal).await;
    assert!(matches!(supervisor.start_child(Job::Run).await, Err(StartError::Ended)));
    assert_eq!(supervisor.terminate_child(first).await, Err(NoSuchChild));
    assert_eq!(supervisor.count_children().await, count(0, 0));
}

/// Line 183: a temporary child is not begun anew, however it ends.
#[tokio::test(start_paused = true)]
async fn c183_temporary_children() {
    let (kept, nursery) = nursery();
    let supervisor = Temporary(nursery).spawn();
    for end in [Ok(()), Err("oops"), Err("panic")] {
        supervisor.start_child(Job::Run).await.unwrap();
        kept.end(end).await;
        assert_eq!(supervisor.count_children().await, count(0, 0));
    }
    assert_eq!(supervisor.snapshot().await.unwrap().lost, 2);
}

/// Line 184: a transient child is begun anew only if it fails; it keeps its name.
#[tokio::test(start_paused = true)]
async fn c184_transient_children() {
    let (kept, nursery) = nursery();
    let supervisor = Transient(nursery).spawn();
    supervisor.start_child(Job::Run).await.unwrap();
    kept.end(Ok(())).await;
    assert_eq!(supervisor.count_children().await, count(0, 0));
    let child = supervisor.start_child(Job::Run).await.unwrap();
    for end in ["oops", "panic"] {
        kept.end(Err(end)).await;
        assert_eq!(supervisor.count_children().await, count(1, 1));
        assert_eq!(supervisor.which_children().await[0].id, child);
    }
    assert_eq!(supervisor.snapshot().await.unwrap().lost, 0);
}

/// Line 185: what comes of a second start. One that fails is tried again, and holds its place meanwhile.
#[tokio::test(start_paused = true)]
async fn c185_second_starts() {
    let (kept, nursery) = nursery();
    let supervisor = Transient(nursery).spawn();
    let jobs = [&Job::Run, &Job::Ignored, &Job::Error].map(Job::OnceThen);
    let mut counts = vec![];
    for job in jobs {
        supervisor.start_child(job).await.unwrap();
        settle().await;
        let started = kept.started.take();
        let (now, before): (Vec<_>, Vec<_>) = started.into_iter().partition(|(child, _)| *child == job);
        before.into_iter().for_each(|child| kept.started.push(child));
        for (_, end) in now {
            end.send(Err("killed")).unwrap();
        }
        // What cannot be started is tried again and again: nothing settles.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        counts.push(supervisor.count_children().await);
    }
    assert_eq!(counts, [count(1, 1), count(1, 1), count(2, 1)]);
}

/// Line 186: a restart that fails is tried again.
#[tokio::test(start_paused = true)]
async fn c186_a_second_attempt() {
    #[stage(consumer_supervisor, restart = transient, max_restarts = 2)]
    struct FailsTheSecondTime(Kept, u32);

    impl ConsumerSupervisor for FailsTheSecondTime {
        type Event = Job;

        fn start_child(
            &mut self,
            job: Job,
            child: &Child,
        ) -> Result<impl Future<Output = Result> + Send + 'static> {
            self.1 += 1;
            let Kept { started, ended, attempts } = &self.0;
            let (started, ended, attempts) = (started.clone(), ended.clone(), attempts.clone());
            let mut nursery = Nursery { started, ended, attempts, once: vec![] };
            nursery.start(if self.1 == 2 { Job::Error } else { job }, child)
        }
    }

    let (kept, Nursery { started, ended, attempts, .. }) = nursery();
    let supervisor = FailsTheSecondTime(Kept { started, ended, attempts }, 0).spawn();
    supervisor.start_child(Job::Run).await.unwrap();
    kept.end(Err("killed")).await;
    assert_eq!(kept.attempts.take(), [Job::Run, Job::Error, Job::Run]);
    assert_eq!(supervisor.count_children().await, count(1, 1));
}

/// Lines 187, 188 and 189: one restart too many ends the supervisor with `Shutdown`; its pipeline fails by what failed last.
#[tokio::test(start_paused = true)]
async fn c187_c188_c189_too_many_restarts() {
    macro_rules! attempts {
        ($supervisor:ident) => {{
            let (kept, nursery) = nursery();
            let supervisor = $supervisor(nursery);
            let app =
                pipeline! { source = ProducerProbe::new().1; supervisor = supervisor; source => supervisor; };
            let app = app.start().unwrap();
            app.supervisor.start_child(Job::OnceThen(&Job::Error)).await.unwrap();
            kept.end(Err("killed")).await;
            let failure = app.join().await.unwrap_err();
            assert_eq!(failure.to_string(), "stage `supervisor` failed: error");
            let Failure::Stage { summary, .. } = failure else { panic!("{failure}") };
            assert!(matches!(summary.stage("supervisor").unwrap().reason, Reason::Shutdown));
            assert_eq!(summary.stage("supervisor").unwrap().lost, 1);
            kept.attempts.take().len() - 1
        }};
    }
    assert_eq!([attempts!(OnceMore), attempts!(NoWindow), attempts!(TenTimes)], [1, 3, 10]);
}

/// The first restart too many is the failure, also of children that fail at the same time. They are lost; a child that was begun anew
/// ends as it is told to.
#[tokio::test(start_paused = true)]
async fn children_that_fail_at_once() {
    let (kept, nursery) = nursery();
    let app =
        pipeline! { source = ProducerProbe::new().1; supervisor = OnceMore(nursery); source => supervisor; };
    let app = app.start().unwrap();
    for _ in 0..3 {
        app.supervisor.start_child(Job::Run).await.unwrap();
    }
    for (error, (_, child)) in ["first", "second", "third"].into_iter().zip(kept.started.take()) {
        child.send(Err(error)).unwrap();
    }
    let failure = app.join().await.unwrap_err();
    assert_eq!(failure.to_string(), "stage `supervisor` failed: second");
    let Failure::Stage { summary, .. } = failure else { panic!("{failure}") };
    assert_eq!((summary.stage("supervisor").unwrap().lost, kept.attempts.take().len()), (2, 4));
}

/// Lines 190 to 195: how children are ended with their supervisor.
#[tokio::test(start_paused = true)]
async fn c190_c191_c193_c195_shutting_children_down() {
    macro_rules! ended {
        ($supervisor:ident, $second:ident) => {{
            let (kept, nursery) = nursery();
            let supervisor = $supervisor(nursery).spawn();
            for job in [Job::Run, Job::$second, Job::Run] {
                supervisor.start_child(job).await.unwrap();
            }
            settle().await;
            let start = tokio::time::Instant::now();
            supervisor.stop(Reason::Normal).await;
            (kept.ended.take(), start.elapsed().as_secs())
        }};
    }
    assert_eq!(ended!(Kills, Run), (vec!["killed"; 3], 0));
    assert_eq!(ended!(Waits, Run), (vec!["shutdown"; 3], 0));
    assert_eq!(ended!(WaitsASecond, Run), (vec!["shutdown"; 3], 0));
    assert_eq!(ended!(WaitsASecond, Deaf), (vec!["shutdown", "shutdown", "killed"], 1));
    // A child that did not take its handle cannot be asked, and is not waited for; that of five seconds is the default.
    assert_eq!(ended!(Temporary, Deaf), (vec!["shutdown", "shutdown", "killed"], 5));
}

/// Line 192: children that end in their own way are waited for.
#[tokio::test(start_paused = true)]
async fn c192_c194_children_that_take_their_time() {
    #[stage(consumer_supervisor, shutdown = unbounded)]
    struct Slow(Log<u64>);

    impl ConsumerSupervisor for Slow {
        type Event = u64;

        fn start_child(
            &mut self,
            n: u64,
            child: &Child,
        ) -> Result<impl Future<Output = Result> + Send + 'static> {
            let (stopping, log) = (child.stopping(), self.0.clone());
            Ok(async move {
                assert!(!stopping.is_requested());
                stopping.requested().await;
                tokio::time::sleep(Duration::from_secs(n)).await;
                log.push(n);
                Ok(())
            })
        }
    }

    let log = Log::new();
    let supervisor = Slow(log.clone()).spawn();
    for n in [3600, 60] {
        supervisor.start_child(n).await.unwrap();
    }
    settle().await;
    supervisor.stop(Reason::Shutdown).await;
    assert_eq!(log.take(), [60, 3600]);
}

/// Lines 196, 197 and 198: one child is ended; asking twice finds nothing.
#[tokio::test(start_paused = true)]
async fn c196_c197_c198_terminating_one_child() {
    macro_rules! terminated {
        ($supervisor:ident) => {{
            let (kept, nursery) = nursery();
            let supervisor = $supervisor(nursery).spawn();
            let child = supervisor.start_child(Job::Run).await.unwrap();
            settle().await;
            assert_eq!(supervisor.terminate_child(child).await, Ok(()));
            assert_eq!(supervisor.terminate_child(child).await, Err(NoSuchChild));
            assert_eq!(supervisor.count_children().await, count(0, 0));
            kept.ended.take()
        }};
    }
    assert_eq!(terminated!(Kills), ["killed"]);
    assert_eq!(terminated!(WaitsASecond), ["shutdown"]);
    assert_eq!(terminated!(Waits), ["shutdown"]);

    let (kept, nursery) = nursery();
    let supervisor = WaitsASecond(nursery).spawn();
    let child = supervisor.start_child(Job::Deaf).await.unwrap();
    assert_eq!((supervisor.terminate_child(child).await, kept.ended.take()), (Ok(()), vec!["killed"]));

    // One that waits to be begun anew.
    let (kept, nursery) = self::nursery();
    let supervisor = Transient(nursery).spawn();
    let child = supervisor.start_child(Job::OnceThen(&Job::Error)).await.unwrap();
    tokio::task::yield_now().await;
    kept.started.take().remove(0).1.send(Err("killed")).unwrap();
    while supervisor.count_children().await != count(1, 0) {}
    assert!(!supervisor.which_children().await[0].runs);
    assert_eq!(supervisor.terminate_child(child).await, Ok(()));
    assert_eq!(supervisor.terminate_child(child).await, Err(NoSuchChild));
    assert_eq!(supervisor.count_children().await, count(0, 0));
}

/// Lines 199 to 204: it subscribes as any consumer does.
#[tokio::test(start_paused = true)]
async fn c199_c200_c201_c202_c203_c204_subscribing() {
    let ((mut up, source), (_kept, nursery)) = (ProducerProbe::<Job>::new(), nursery());
    let (source, supervisor) = (source.spawn(), Temporary(nursery).spawn());
    let subscribe = |options: Subscribe| supervisor.subscribe(&source, options);
    assert!(subscribe(Subscribe::new().cancel(Cancel::Temporary)).await.is_ok());
    up.expect_demand(10).await;
    for (options, error) in [
        (Subscribe::new().max_demand(0), WindowError::ZeroMax),
        (Subscribe::new().min_demand(2000), WindowError::MinNotBelowMax { max: 10, min: 2000 }),
    ] {
        assert_eq!(subscribe(options).await, Err(SubscribeError::Demand(error)));
    }
    source.stop(Reason::Normal).await;
    subscribe(Subscribe::new().cancel(Cancel::Temporary)).await.unwrap();
    settle().await;
    assert!(!supervisor.has_ended());
    subscribe(Subscribe::new()).await.unwrap();
    assert!(matches!(supervisor.ended().await, Reason::NoStage));
}

/// A supervisor and a probe that feeds it.
macro_rules! fed {
    ($supervisor:ident, $options:expr) => {{
        let ((up, source), (kept, nursery)) = (ProducerProbe::<Job>::new(), nursery());
        let supervisor = $supervisor(nursery).spawn();
        supervisor.subscribe(&source.spawn(), $options.cancel(Cancel::Temporary)).await.unwrap();
        (up, kept, supervisor)
    }};
}

/// Lines 205, 206 and 207: one child for an event; what cannot be started gives its slot back, and is lost unless it was to be
/// ignored.
#[tokio::test(start_paused = true)]
async fn c205_c206_c207_one_child_for_an_event() {
    let (mut up, kept, supervisor) = fed!(Temporary, Subscribe::new().max_demand(3).min_demand(0));
    up.expect_demand(3).await;
    up.emit([Job::Run, Job::Run, Job::Run]).await;
    settle().await;
    assert_eq!(supervisor.count_children().await, count(3, 3));
    for _ in 0..3 {
        kept.end(Ok(())).await;
    }
    up.expect_demand(3).await;
    up.emit([Job::Error, Job::Panic, Job::Ignored]).await;
    settle().await;
    up.expect_demand(3).await;
    assert_eq!(kept.attempts.take().len(), 6);
    let snapshot = supervisor.snapshot().await.unwrap();
    assert_eq!((supervisor.count_children().await, snapshot.lost, snapshot.events_in), (count(0, 0), 2, 6));
}

/// Line 210: the end of a producer leaves the children alone.
#[tokio::test(start_paused = true)]
async fn c210_children_outlive_a_producer() {
    let (mut up, kept, supervisor) = fed!(Temporary, Subscribe::new().max_demand(2).min_demand(0));
    up.expect_demand(2).await;
    up.emit([Job::Run, Job::Run]).await;
    settle().await;
    up.stop(Reason::Normal).await;
    assert_eq!(supervisor.count_children().await, count(2, 2));
    kept.end(Ok(())).await;
    let [left] = supervisor.which_children().await.try_into().unwrap();
    supervisor.terminate_child(left.id).await.unwrap();
    assert_eq!((supervisor.count_children().await, supervisor.has_ended()), (count(0, 0), false));
}

/// Line 212: nothing is asked for before a child has ended.
#[tokio::test(start_paused = true)]
async fn c212_no_ask_while_children_run() {
    let (mut up, _kept, supervisor) = fed!(Temporary, Subscribe::new().max_demand(3).min_demand(0));
    up.expect_demand(3).await;
    up.emit([Job::Run, Job::Run]).await;
    settle().await;
    assert_eq!(supervisor.count_children().await, count(2, 2));
    assert!(up.demands().await.is_empty());
}

/// GenStage asks again when `min_demand` children have ended; here, as it documents, when no more than that are left.
#[tokio::test(start_paused = true)]
async fn d7_min_demand_is_how_many_children_are_left() {
    for (min, after) in [(8, 2), (2, 8)] {
        let (mut up, kept, _supervisor) = fed!(Temporary, Subscribe::new().max_demand(10).min_demand(min));
        up.expect_demand(10).await;
        up.emit([Job::Run; 10]).await;
        settle().await;
        for _ in 1..after {
            kept.end(Ok(())).await;
        }
        assert!(up.demands().await.is_empty());
        kept.end(Ok(())).await;
        up.expect_demand(after).await;
    }
}

/// A child that is begun anew holds its slot.
#[tokio::test(start_paused = true)]
async fn a_restarted_child_holds_its_slot() {
    let (mut up, kept, supervisor) = fed!(Transient, Subscribe::new().max_demand(1).min_demand(0));
    up.expect_demand(1).await;
    up.emit([Job::Run]).await;
    settle().await;
    for _ in 0..3 {
        kept.end(Err("oops")).await;
        assert!(up.demands().await.is_empty());
    }
    kept.end(Ok(())).await;
    up.expect_demand(1).await;
    assert_eq!((supervisor.count_children().await, kept.attempts.take().len()), (count(0, 0), 4));
}

/// A child that cannot be begun anew, and is tried again and again, does not hold up the others.
#[tokio::test(start_paused = true)]
async fn a_child_that_waits_holds_up_nobody() {
    let (mut up, kept, supervisor) = fed!(Transient, Subscribe::new().max_demand(2).min_demand(1));
    up.expect_demand(2).await;
    up.emit([Job::OnceThen(&Job::Error), Job::Run]).await;
    settle().await;
    for (job, end) in kept.started.take() {
        end.send(if job == Job::Run { Ok(()) } else { Err("oops") }).unwrap();
    }
    while supervisor.count_children().await != count(1, 0) {}
    let [waits] = supervisor.which_children().await.try_into().unwrap();
    supervisor.terminate_child(waits.id).await.unwrap();
    assert_eq!(up.demands().await, [1, 1]);
}

/// The end of a pipeline, by itself or by a drain, waits for the children.
#[tokio::test(start_paused = true)]
async fn a_pipeline_ends_when_its_children_have() {
    #[stage(consumer_supervisor, max_demand = 5)]
    struct Sleepers(Log<u64>);

    impl ConsumerSupervisor for Sleepers {
        type Event = u64;

        fn start_child(
            &mut self,
            n: u64,
            _: &Child,
        ) -> Result<impl Future<Output = Result> + Send + 'static> {
            let log = self.0.clone();
            Ok(async move {
                tokio::time::sleep(Duration::from_secs(60)).await;
                log.push(n);
                Ok(())
            })
        }
    }

    let log = Log::new();
    let sleepers = Sleepers(log.clone());
    let summary = pipeline! { sleepers = sleepers; from_iter(0..23) => sleepers; }.run().await.unwrap();
    assert_eq!((log.take().len(), summary.stage("sleepers").unwrap().lost), (23, 0));

    let sleepers = Sleepers(log.clone());
    let app =
        pipeline! { source = from_iter(0..); sleepers = sleepers; source => sleepers; }.start().unwrap();
    tokio::time::sleep(Duration::from_secs(90)).await;
    let summary = app.drain().await.unwrap();
    assert_eq!(log.take().len() as u64, summary.stage("source").unwrap().events_out);

    let sleepers = Sleepers(log.clone());
    let app = pipeline! { sleepers = sleepers; from_iter(0..) => sleepers; }.start().unwrap();
    settle().await;
    let failure = app.drain_within(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the pipeline did not end within 1s: stage `sleepers` was cut off, with 0 events discarded and 5 lost"
    );
}

impl Cast<()> for Waits {
    async fn handle_cast(&mut self, (): (), _: &mut Context<Self>) -> Result {
        Err(genstage::Error::msg("told to"))
    }
}

/// Children belong to the stage, not to the state that is rebuilt.
#[tokio::test(start_paused = true)]
async fn children_outlive_an_instance() {
    let (kept, Nursery { started, ended, attempts, .. }) = nursery();
    let app = pipeline! {
        source = from_iter(vec![Job::Run; 3]);
        waits = Waits(Nursery {
            started: started.clone(), ended: ended.clone(), attempts: attempts.clone(), once: vec![],
        }), restart: on_failure;
        source => waits;
    }
    .start()
    .unwrap();
    settle().await;
    app.waits.cast(()).await.unwrap();
    settle().await;
    assert_eq!(app.waits.snapshot().await.unwrap().restarts, 1);
    assert_eq!(app.waits.count_children().await, count(3, 3));
    for _ in 0..3 {
        kept.end(Ok(())).await;
    }
    assert_eq!(app.join().await.unwrap().stage("waits").unwrap().lost, 0);
}

/// Nor does it matter to them that the next state cannot be made at first, or does not get through its `init`.
#[tokio::test(start_paused = true)]
async fn children_outlive_a_state_that_cannot_be_made() {
    #[stage(consumer_supervisor)]
    struct Begins(Nursery, usize);

    impl ConsumerSupervisor for Begins {
        type Event = Job;

        async fn init(&mut self, _: &mut Context<Self>) -> Result {
            match self.1 {
                2 => Err(genstage::Error::msg("init")),
                _ => Ok(()),
            }
        }

        fn start_child(
            &mut self,
            job: Job,
            child: &Child,
        ) -> Result<impl Future<Output = Result> + Send + 'static> {
            self.0.start(job, child)
        }
    }

    impl Cast<()> for Begins {
        async fn handle_cast(&mut self, (): (), _: &mut Context<Self>) -> Result {
            Err(genstage::Error::msg("told to"))
        }
    }

    let (kept, Nursery { started, ended, attempts, .. }) = nursery();
    let mut made = 0;
    let app = pipeline! {
        source = from_iter(vec![Job::Run; 3]);
        begins = {
            made += 1;
            assert_ne!(made, 3, "the state after that of the failing init");
            let (started, ended, attempts) = (started.clone(), ended.clone(), attempts.clone());
            Begins(Nursery { started, ended, attempts, once: vec![] }, made)
        }, restart: on_failure;
        source => begins;
    }
    .start()
    .unwrap();
    settle().await;
    app.begins.cast(()).await.unwrap();
    settle().await;
    assert_eq!(app.begins.snapshot().await.unwrap().restarts, 2);
    assert_eq!((app.begins.count_children().await, kept.ended.take()), (count(3, 3), vec![]));
    for _ in 0..3 {
        kept.end(Ok(())).await;
    }
    assert_eq!(app.join().await.unwrap().stage("begins").unwrap().lost, 0);
}
