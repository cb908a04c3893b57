//! The producer-consumer: runs the command of a job.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use genstage::prelude::*;
use tokio::process::Command;
use tokio::time::timeout;

use crate::queue::{Job, Outcome};

/// Says which jobs are to crash their worker.
pub(crate) struct Crashes {
    every: Option<u64>,
    jobs: AtomicU64,
}

impl Crashes {
    pub(crate) fn new(every: Option<u64>) -> Self {
        Self { every, jobs: AtomicU64::new(0) }
    }

    #[expect(clippy::panic, reason = "the user has asked for it")]
    fn one_more(&self) {
        let job = self.jobs.fetch_add(1, Ordering::Relaxed) + 1;
        if self.every.is_some_and(|every| job.is_multiple_of(every)) {
            panic!("a worker crashes, because of --crash-every");
        }
    }
}

#[stage(producer_consumer)]
pub(crate) struct Work {
    lease: Duration,
    crashes: Arc<Crashes>,
}

impl Work {
    pub(crate) fn new(lease: Duration, crashes: Arc<Crashes>) -> Self {
        Self { lease, crashes }
    }

    /// What the command writes, or why it fails. One that takes too long is killed (its shell is, not what that has left
    /// running) before the lease ends, so that this is recorded while the claim holds.
    async fn run(&self, job: &Job) -> Result<String, String> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&job.command).env("JOB", job.id.to_string());
        command.stdin(Stdio::null()).kill_on_drop(true);
        // Ctrl-C in a terminal goes to all programs of a group; the command is to be finished.
        #[cfg(unix)]
        command.process_group(0);
        let output = timeout(self.lease.mul_f64(0.9), command.output()).await;
        let output = output.map_err(|_| "it took too long")?.map_err(|error| format!("sh: {error}"))?;
        match (output.status, String::from_utf8_lossy(&output.stderr).trim()) {
            (status, _) if status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            (status, "") => Err(status.to_string()),
            (status, said) => Err(format!("{status}: {said}")),
        }
    }
}

impl ProducerConsumer for Work {
    type Input = Job;
    type Output = Outcome;

    async fn handle_events(&mut self, jobs: &mut Batch<Job>, cx: &mut Context<Self>) -> Result {
        for job in jobs.drain() {
            let result = self.run(&job).await;
            self.crashes.one_more();
            cx.emit(Outcome { job, result });
        }
        Ok(())
    }
}
