//! Restart in place: fresh state in a stage whose subscriptions, queues and demand stand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, ProducerProbe, settle};
use genstage::{CallError, Demand, Failure, Reason, ReplyTo, Subscription};

use crate::stages::Log;

/// Counts in the process what must outlive an instance.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    /// One more; how many there were.
    fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Passes on what comes, with the number of the instance; fails at the batches that a function says.
#[stage(producer_consumer)]
struct Fails<F> {
    batches: Count,
    instances: Count,
    instance: usize,
    notes: Log<String>,
    at: F,
}

impl<F: Fn(usize) -> bool + Send + 'static> Fails<F> {
    fn new(batches: &Count, instances: &Count, notes: &Log<String>, at: F) -> Self {
        let (batches, instances, notes) = (batches.clone(), instances.clone(), notes.clone());
        Self { batches, instance: instances.next(), instances, notes, at }
    }
}

impl<F: Fn(usize) -> bool + Send + 'static> ProducerConsumer for Fails<F> {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        match (self.at)(self.batches.next()) {
            true if self.instance.is_multiple_of(2) => Err(genstage::Error::msg("even")),
            true => panic!("odd"),
            false => Ok(()),
        }
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.notes.push(format!("{} of {}: {reason}", self.instance, self.instances.get()));
    }
}

/// Only the batch in the handler is lost; what is queued behind it, buffered and in flight stands, and so does the demand.
#[tokio::test(start_paused = true)]
async fn neighbours_notice_nothing() {
    let ((mut up, source), (mut down, sink)) = (ProducerProbe::<u64>::new(), ConsumerProbe::<u64>::new());
    let (batches, instances, notes) = (Count::default(), Count::default(), Log::new());
    let noted = notes.clone();
    let app = pipeline! {
        source = source;
        fails = Fails::new(&batches, &instances, &noted, |batch| batch == 1), restart: on_failure;
        sink = sink;
        source => fails [max_demand: 4, min_demand: 2] => sink;
    }
    .start()
    .unwrap();
    up.expect_demand(4).await;
    up.emit(0..4).await;
    // Nothing is begun before somebody wants it.
    assert!(up.demands().await.is_empty());
    down.ask(10).await;
    assert_eq!(down.batches().await, [[0, 1]], "2 and 3 are lost with their batch");
    assert_eq!(notes.take(), ["0 of 1: even"]);
    assert_eq!(up.demands().await, [2, 2], "what is lost is asked for anew");
    up.emit(4..8).await;
    assert_eq!(down.batches().await, [[4, 5], [6, 7]]);
    let snapshot = app.fails.snapshot().await.unwrap();
    assert_eq!((snapshot.restarts, snapshot.lost, snapshot.producers.len()), (1, 4, 1));
    up.stop(Reason::Normal).await;
    let summary = app.join().await.unwrap();
    assert_eq!(summary.stage("fails").unwrap().restarts, 1);
    assert!(summary.to_string().contains("(restarts: 1)"), "{summary}");
    assert_eq!(notes.take(), ["1 of 2: normal"], "terminate runs once for each instance");
}

/// Emits what is asked for, but fails at the calls that a script names.
#[stage(producer)]
struct Script {
    calls: Count,
    demands: Log<usize>,
    next: Arc<AtomicUsize>,
    fails_at: &'static [usize],
}

impl Producer for Script {
    type Event = usize;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.demands.push(demand);
        if self.fails_at.contains(&self.calls.next()) {
            cx.emit(usize::MAX);
            return Err(genstage::Error::msg("no"));
        }
        // Only a part, so that some is owed.
        let (from, count) = (self.next.load(Ordering::Relaxed), demand.min(3));
        self.next.store(from + count, Ordering::Relaxed);
        cx.emit_all(from..from + count);
        Ok(())
    }
}

impl Call<()> for Script {
    type Reply = ();

    async fn handle_call(&mut self, (): (), _: ReplyTo<()>, _: &mut Context<Self>) -> Result {
        panic!("called")
    }
}

/// Demand that the failed instance has not met goes to the new one: of this call, and of calls before.
#[tokio::test(start_paused = true)]
async fn unmet_demand_goes_to_the_new_instance() {
    let (mut down, sink) = ConsumerProbe::<usize>::new();
    let (calls, demands, next) = (Count::default(), Log::new(), Arc::default());
    let noted = demands.clone();
    let app = pipeline! {
        source = Script {
            calls: calls.clone(), demands: noted.clone(), next: Arc::clone(&next), fails_at: &[1, 2],
        }, restart: on_failure;
        sink = sink;
        source => sink;
    }
    .start()
    .unwrap();
    down.ask(5).await;
    assert_eq!((demands.take(), down.batches().await), (vec![5], vec![vec![0, 1, 2]]));
    down.ask(1).await;
    settle().await;
    assert_eq!(demands.take(), [1, 3, 3], "two of the first ask and one of the second");
    assert_eq!(down.batches().await, [[3, 4, 5]]);
    assert_eq!(app.source.snapshot().await.unwrap().lost, 2, "what the failed calls had emitted");
}

/// A handle stays valid; what was in the failing callback is not answered.
#[tokio::test(start_paused = true)]
async fn handles_outlive_instances() {
    let app = pipeline! {
        source = Script { calls: Count::default(), demands: Log::new(), next: Arc::default(), fails_at: &[] },
            restart: on_failure;
        sink = ConsumerProbe::<usize>::new().1;
        source => sink;
    }
    .start()
    .unwrap();
    assert_eq!(app.source.call(()).await, Err(CallError::NoAnswer));
    assert_eq!(app.source.call(()).await, Err(CallError::NoAnswer));
    assert_eq!(app.source.snapshot().await.unwrap().restarts, 2);
}

/// Says what happens to it; fails as it is told.
#[stage(consumer)]
struct Told {
    name: &'static str,
    log: Log<String>,
    inits: Count,
    fails_in_init: &'static [usize],
}

impl Told {
    fn new(name: &'static str, log: &Log<String>) -> Self {
        Self { name, log: log.clone(), inits: Count::default(), fails_in_init: &[] }
    }

    fn says(&self, what: impl std::fmt::Display) {
        self.log.push(format!("{} {what}", self.name));
    }
}

impl Consumer for Told {
    type Event = u64;

    async fn init(&mut self, _: &mut Context<Self>) -> Result {
        self.says("init");
        match self.fails_in_init.contains(&self.inits.next()) {
            true => Err(genstage::Error::msg("init")),
            false => Ok(()),
        }
    }

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }

    async fn handle_subscribe(&mut self, producer: &Subscription, _: &mut Context<Self>) -> Result<Demand> {
        self.says(format_args!("subscribed to {}", producer.peer()));
        Ok(Demand::Automatic)
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.says(format_args!("terminate: {reason}"));
    }
}

/// What to do next.
enum Do {
    Fail,
    Finish,
    Stop(Reason),
}

impl Cast<Do> for Told {
    async fn handle_cast(&mut self, what: Do, cx: &mut Context<Self>) -> Result {
        match what {
            Do::Fail => return Err(genstage::Error::msg("told to")),
            Do::Finish => cx.finish(),
            Do::Stop(reason) => cx.stop(reason),
        }
        Ok(())
    }
}

/// The new instance learns of the subscriptions that stand; its producer is not asked again.
#[tokio::test(start_paused = true)]
async fn a_new_instance_learns_of_its_subscriptions() {
    let ((mut up, source), log) = (ProducerProbe::<u64>::new(), Log::new());
    let noted = log.clone();
    let app = pipeline! {
        source = source;
        told = Told::new("a", &noted), restart: on_failure;
        source => told [max_demand: 7];
    }
    .start()
    .unwrap();
    up.expect_demand(7).await;
    app.told.cast(Do::Fail).await.unwrap();
    app.told.cast(Do::Stop(Reason::custom("enough"))).await.unwrap();
    settle().await;
    let life = |end: &str| ["a init", "a subscribed to source", end].map(str::to_owned);
    let [first, second] = [life("a terminate: told to"), life("a terminate: enough")];
    assert_eq!(log.take(), [&first[..], &second, &life("")[..2]].concat());
    assert!(up.demands().await.is_empty());
    // A normal end is none to begin anew after.
    app.told.cast(Do::Finish).await.unwrap();
    app.join().await.unwrap();
    assert_eq!(log.take(), ["a terminate: normal"]);
}

/// The strategy says whose state is rebuilt with that of the stage that failed.
#[tokio::test(start_paused = true)]
async fn strategies() {
    macro_rules! rebuilt {
        ($strategy:ident) => {{
            let log = Log::new();
            let [a, b, c, never] = std::array::from_fn(|_| log.clone());
            let app = pipeline! {
                strategy: $strategy, max_restarts: 1;
                source = ProducerProbe::<u64>::new().1;
                a = Told::new("a", &a), restart: on_failure;
                b = Told::new("b", &b), restart: on_failure;
                c = Told::new("c", &c), restart: always;
                never = Told::new("never", &never);
                source => { a, b, c, never };
            }
            .start()
            .unwrap();
            settle().await;
            log.take();
            app.b.cast(Do::Fail).await.unwrap();
            settle().await;
            let mut ended: Vec<_> =
                log.take().into_iter().filter(|line| line.contains("terminate")).collect();
            ended.sort();
            ended
        }};
    }
    let [a, b, c] = ["a terminate: shutdown", "b terminate: told to", "c terminate: shutdown"];
    assert_eq!(rebuilt!(one_for_one), [b]);
    assert_eq!(rebuilt!(rest_for_one), [b, c]);
    assert_eq!(rebuilt!(one_for_all), [a, b, c]);
}

/// `always` goes on after a normal end of its own, and ends with its producers all the same.
#[tokio::test(start_paused = true)]
async fn always() {
    let ((mut up, source), log) = (ProducerProbe::<u64>::new(), Log::new());
    let noted = log.clone();
    let app = pipeline! {
        source = source;
        told = Told::new("a", &noted), restart: always;
        source => told;
    }
    .start()
    .unwrap();
    app.told.cast(Do::Finish).await.unwrap();
    app.told.cast(Do::Fail).await.unwrap();
    settle().await;
    assert_eq!(app.told.snapshot().await.unwrap().restarts, 2);
    up.stop(Reason::Normal).await;
    assert_eq!(app.join().await.unwrap().stage("told").unwrap().restarts, 2);
}

/// One restart too many is the failure of the pipeline, by its own name and reason; restarts long ago do not count.
#[tokio::test(start_paused = true)]
async fn so_many_restarts_within_so_long() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        max_restarts: 2, within: Duration::from_secs(10);
        source = ProducerProbe::<u64>::new().1;
        a = Told::new("a", &noted), restart: on_failure;
        b = Told::new("b", &Log::new());
        source => { a, b };
    }
    .start()
    .unwrap();
    for _ in 0..3 {
        app.a.cast(Do::Fail).await.unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
    }
    assert!(!app.a.has_ended());
    app.a.cast(Do::Fail).await.unwrap();
    app.a.cast(Do::Fail).await.unwrap();
    let failure = app.join().await.unwrap_err();
    assert_eq!(failure.to_string(), "stage `a` failed: told to");
    let Failure::Stage { summary, .. } = failure else { panic!("{failure}") };
    assert_eq!(summary.stage("a").unwrap().restarts, 4);
    assert!(matches!(summary.stage("b").unwrap().reason, Reason::Shutdown));
}

/// `init` is retried under the same limit, after a wait that doubles; the instance that failed in it is terminated, too.
#[tokio::test(start_paused = true)]
async fn init_is_retried_after_a_wait() {
    let (log, inits) = (Log::new(), Count::default());
    let (noted, counted) = (log.clone(), inits.clone());
    let app = pipeline! {
        backoff: Duration::from_secs(1);
        source = ProducerProbe::<u64>::new().1;
        a = Told { inits: counted.clone(), fails_in_init: &[0, 1], ..Told::new("a", &noted) }, restart: on_failure;
        source => a;
    }
    .start()
    .unwrap();
    let seen: Vec<_> = {
        let mut seen = vec![];
        for wait in [0, 900, 200, 1700, 300] {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            settle().await;
            seen.push(inits.get());
        }
        seen
    };
    assert_eq!(seen, [1, 1, 2, 2, 3]);
    drop(app);
    settle().await;
    let ended: Vec<_> = log.take().into_iter().filter(|line| line.contains("terminate")).collect();
    assert_eq!(ended, ["a terminate: init", "a terminate: init", "a terminate: shutdown"]);
}

/// A stop while a stage waits to be begun anew leaves nothing to terminate.
#[tokio::test(start_paused = true)]
async fn a_stop_while_waiting() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        backoff: Duration::from_secs(3600);
        source = ProducerProbe::<u64>::new().1;
        a = Told::new("a", &noted), restart: on_failure;
        source => a;
    }
    .start()
    .unwrap();
    app.a.cast(Do::Fail).await.unwrap();
    settle().await;
    let a = app.a.clone();
    drop(app);
    assert!(matches!(a.ended().await, Reason::Shutdown));
    assert_eq!(log.take(), ["a init", "a subscribed to source", "a terminate: told to"]);
}

/// An expression that panics when it is evaluated again is a failure as any other.
#[tokio::test(start_paused = true)]
async fn an_expression_that_fails() {
    let (log, made) = (Log::new(), Count::default());
    let (noted, counted) = (log.clone(), made.clone());
    let app = pipeline! {
        source = ProducerProbe::<u64>::new().1;
        a = {
            assert_ne!(counted.next(), 1, "made anew");
            Told::new("a", &noted)
        }, restart: on_failure;
        source => a;
    }
    .start()
    .unwrap();
    app.a.cast(Do::Fail).await.unwrap();
    settle().await;
    assert_eq!((made.get(), app.a.snapshot().await.unwrap().restarts), (3, 1));
    for _ in 0..2 {
        app.a.cast(Do::Fail).await.unwrap();
    }
    assert_eq!(app.join().await.unwrap_err().to_string(), "stage `a` failed: told to");
}

/// Each replica is begun anew by itself, from an expression they share.
#[tokio::test(start_paused = true)]
async fn replicas_are_begun_anew_by_themselves() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        source = ProducerProbe::<u64>::new().1;
        a = Told::new("a", &noted), replicas: 3, restart: on_failure;
        source => a;
    }
    .start()
    .unwrap();
    app.a[1].cast(Do::Fail).await.unwrap();
    settle().await;
    let restarts: Vec<_> = {
        let mut restarts = vec![];
        for a in &app.a {
            restarts.push(a.snapshot().await.unwrap().restarts);
        }
        restarts
    };
    assert_eq!(restarts, [0, 1, 0]);
}

/// What a handle or a neighbour ends stays ended.
#[tokio::test(start_paused = true)]
async fn an_end_from_outside_is_final() {
    let log = Log::new();
    let noted = log.clone();
    let app = pipeline! {
        source = ProducerProbe::<u64>::new().1;
        a = Told::new("a", &noted), restart: always;
        source => a;
    }
    .start()
    .unwrap();
    app.a.stop(Reason::Normal).await;
    assert_eq!(log.take(), ["a init", "a subscribed to source", "a terminate: normal"]);
    assert!(app.join().await.is_ok());
}
