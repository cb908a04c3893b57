//! Models of what stages, supervisors and streams do at the same time, each run over many schedules.
//!
//! In every schedule of every model somebody waits until all tasks have ended: a wake-up that is lost, an answer that is never given
//! and a stage that stays behind are deadlocks, which shuttle reports with the schedule that led there.

mod blocks;
mod book;
mod children;
mod ending;
mod fused;
mod messages;
mod remote;
mod restarting;
mod stages;
mod streams;
mod subscribing;
mod supervising;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

use book::Book;

/// The variable that says how many schedules of each kind a model is run over, and how many there are without it.
const SCHEDULES: (&str, usize) = ("SCHEDULES", 3000);
/// Any number; `SHUTTLE_RANDOM_SEED` overrides it.
const SEED: u64 = 7_653_012;
/// So many changes of priority at the most make the schedules of the second kind.
const DEPTH: usize = 4;

/// Runs a model over schedules that are random at every point, and over as many that let the task with the highest priority run, with
/// a few changes of priority.
fn check<M: Future<Output = ()>>(model: impl Fn(Book) -> M + Copy + Send + Sync + 'static) {
    let (variable, few) = SCHEDULES;
    let schedules =
        std::env::var(variable).map_or(few, |number| number.parse().expect("a number of schedules"));
    explore(model, RandomScheduler::new_from_seed(SEED, schedules));
    explore(model, PctScheduler::new_from_seed(SEED, DEPTH, schedules));
}

fn explore<M: Future<Output = ()>>(
    model: impl Fn(Book) -> M + Send + Sync + 'static,
    scheduler: impl Scheduler + 'static,
) {
    let mut config = Config::new();
    config.stack_size = 1 << 18;
    config.max_steps = MaxSteps::FailAfter(100_000);
    let once = move || {
        tokio::task::begin();
        shuttle::future::block_on(async {
            let book = Book::default();
            model(book.clone()).await;
            assert!(tokio::task::all_have_ended().await, "a task has panicked");
            book.close();
        });
    };
    Runner::new(scheduler, config).run(once);
}
