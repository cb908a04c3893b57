//! The producer: claims as many jobs as there is demand for.

use std::time::Duration;

use genstage::prelude::*;

use crate::Terms;
use crate::queue::{Job, Queue};

/// How often it looks for jobs that have become due, or that others have added.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Look;

/// SQLite blocks: so may this stage.
#[stage(producer, blocking)]
pub(crate) struct Claim {
    queue: Queue,
    terms: Terms,
    /// How many jobs have been asked for and not been there. That is not asked for again, so it has to be kept.
    wanted: usize,
}

impl Claim {
    pub(crate) fn new(queue: Queue, terms: Terms) -> Self {
        Self { queue, terms, wanted: 0 }
    }

    fn claim(&mut self, cx: &mut Context<Self>) -> Result {
        let jobs = self.queue.claim(self.wanted, &self.terms)?;
        self.wanted -= jobs.len();
        cx.emit_all(jobs);
        // A job that somebody is at is not settled: it may fail, and be due again.
        if self.queue.is_settled()? {
            cx.finish();
        }
        Ok(())
    }
}

impl Producer for Claim {
    type Event = Job;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.interval(LOOK_EVERY, Look);
        Ok(())
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.wanted += demand;
        self.claim(cx)
    }

    async fn on_drain(&mut self, cx: &mut Context<Self>) -> Result {
        eprintln!("interrupted: no more jobs are begun, those that run are finished");
        cx.finish();
        Ok(())
    }
}

impl Cast<Look> for Claim {
    async fn handle_cast(&mut self, _: Look, cx: &mut Context<Self>) -> Result {
        match self.wanted {
            0 => Ok(()),
            _ => self.claim(cx),
        }
    }
}
