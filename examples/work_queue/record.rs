//! The consumer: records what came of jobs, and prints it.

use std::io::{self, Write};

use genstage::prelude::*;

use crate::Terms;
use crate::queue::{Outcome, Queue, Recorded};

#[stage(consumer, blocking)]
pub(crate) struct Record {
    queue: Queue,
    terms: Terms,
}

impl Record {
    pub(crate) fn new(queue: Queue, terms: Terms) -> Self {
        Self { queue, terms }
    }
}

impl Consumer for Record {
    type Event = Outcome;

    async fn handle_events(&mut self, outcomes: &mut Batch<Outcome>, _: &mut Context<Self>) -> Result {
        let recorded = self.queue.record(outcomes, &self.terms)?;
        let mut out = io::stdout().lock();
        for (Outcome { job, result }, recorded) in outcomes.iter().zip(recorded) {
            let (id, attempt) = (job.id, job.attempt);
            let (Ok(text) | Err(text)) = result;
            let text = text.trim();
            match recorded {
                Recorded::Done => writeln!(out, "job {id} done: {text}"),
                Recorded::Again(after) => {
                    writeln!(out, "job {id} failed at attempt {attempt}, again in {after:?}: {text}")
                }
                Recorded::Dead => writeln!(out, "job {id} failed at attempt {attempt}, the last one: {text}"),
                Recorded::TooLate => writeln!(out, "job {id} not recorded: it has been claimed again"),
            }?;
        }
        Ok(())
    }
}
