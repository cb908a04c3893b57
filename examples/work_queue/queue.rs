//! The queue, in SQLite. What is in it is true at every moment, whoever crashes then.

use std::path::Path;
use std::time::Duration;

use genstage::{Error, Result};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::Terms;

/// A job is `open` until it is `done` or `dead`. `due` says when an open one may be claimed: at once; after a failure, when the
/// back-off has passed; and if it is claimed already, when the lease of that claim has ended.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS jobs (
        id INTEGER PRIMARY KEY,
        command TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'dead')),
        attempts INTEGER NOT NULL DEFAULT 0,
        due REAL NOT NULL DEFAULT 0,
        error TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS open_jobs ON jobs (due) WHERE state = 'open';
    CREATE TABLE IF NOT EXISTS results (job INTEGER PRIMARY KEY REFERENCES jobs, output TEXT NOT NULL) STRICT;
";

/// A job that has been claimed.
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) command: String,
    /// Which attempt it is. It tells this claim from later ones.
    pub(crate) attempt: u32,
}

/// What an attempt came to: what the command has written, or why it failed.
pub(crate) struct Outcome {
    pub(crate) job: Job,
    pub(crate) result: Result<String, String>,
}

/// What has been recorded of an attempt.
pub(crate) enum Recorded {
    Done,
    Again(Duration),
    Dead,
    /// Nothing: its lease had ended, and the job has been claimed again, or is done.
    TooLate,
}

pub(crate) struct Queue {
    connection: Connection,
}

impl Queue {
    /// Opens a queue, and makes it if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot_open = |error| Error::msg(format!("cannot use the database {}: {error}", path.display()));
        let connection = Connection::open(path).map_err(cannot_open)?;
        connection.execute_batch(SCHEMA).map_err(cannot_open)?;
        Ok(Self { connection })
    }

    /// Begins to write: not only when it writes, because what it has read could be out of date by then.
    fn begin(&mut self) -> Result<Transaction<'_>> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// Adds jobs, all or none; how many there are.
    pub(crate) fn add(&mut self, commands: &[String]) -> Result<usize> {
        let transaction = self.begin()?;
        for command in commands {
            transaction.execute("INSERT INTO jobs (command) VALUES (?1)", [command])?;
        }
        transaction.commit()?;
        Ok(commands.len())
    }

    /// Claims jobs that are due, at most that many.
    pub(crate) fn claim(&mut self, limit: usize, terms: &Terms) -> Result<Vec<Job>> {
        let transaction = self.begin()?;
        // Nothing has been recorded of the last attempt that there was to be.
        let bury = "UPDATE jobs SET state = 'dead', error = 'its worker has crashed'
            WHERE state = 'open' AND due <= unixepoch('subsec') AND attempts >= ?1";
        transaction.prepare_cached(bury)?.execute([terms.attempts])?;
        let claim = "UPDATE jobs SET attempts = attempts + 1, due = unixepoch('subsec') + ?1 WHERE id IN (
                SELECT id FROM jobs WHERE state = 'open' AND due <= unixepoch('subsec') AND attempts < ?3
                ORDER BY due, id LIMIT ?2
            ) RETURNING id, command, attempts";
        let job = |row: &Row<'_>| Ok(Job { id: row.get(0)?, command: row.get(1)?, attempt: row.get(2)? });
        let jobs = transaction
            .prepare_cached(claim)?
            .query_map(params![terms.lease.as_secs_f64(), limit, terms.attempts], job)?
            .collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(jobs)
    }

    /// Whether every job is done or dead.
    pub(crate) fn is_settled(&self) -> Result<bool> {
        let settled = "SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'open')";
        Ok(self.connection.prepare_cached(settled)?.query_row([], |row| row.get(0))?)
    }

    /// Records what attempts came to, all or none; what has been recorded of each.
    pub(crate) fn record(&mut self, outcomes: &[Outcome], terms: &Terms) -> Result<Vec<Recorded>> {
        let transaction = self.begin()?;
        let recorded = outcomes.iter().map(|outcome| record(&transaction, outcome, terms));
        let recorded = recorded.collect::<Result<_>>()?;
        transaction.commit()?;
        Ok(recorded)
    }

    /// How many jobs are in each state, and which are dead.
    pub(crate) fn totals(&self) -> Result<String> {
        let totals =
            "SELECT format('%d done, %d dead, %d open', total(state = 'done'), total(state = 'dead'),
            total(state = 'open')) FROM jobs";
        let mut text: String = self.connection.query_row(totals, [], |row| row.get(0))?;
        let dead =
            "SELECT format('\njob %d is dead: %s', id, error) FROM jobs WHERE state = 'dead' ORDER BY id";
        for job in self.connection.prepare(dead)?.query_map([], |row| row.get::<_, String>(0))? {
            text += &job?;
        }
        Ok(text)
    }
}

fn record(transaction: &Transaction<'_>, outcome: &Outcome, terms: &Terms) -> Result<Recorded> {
    let Outcome { job, result } = outcome;
    let (recorded, state, wait) = match result {
        Ok(_) => (Recorded::Done, "done", Duration::ZERO),
        Err(_) if job.attempt >= terms.attempts => (Recorded::Dead, "dead", Duration::ZERO),
        Err(_) => {
            let after = terms.backoff.saturating_mul(2_u32.saturating_pow(job.attempt - 1));
            (Recorded::Again(after), "open", after)
        }
    };
    let settle = "UPDATE jobs SET state = ?3, due = unixepoch('subsec') + ?4, error = ?5
        WHERE id = ?1 AND attempts = ?2 AND state = 'open'";
    let parameters = params![job.id, job.attempt, state, wait.as_secs_f64(), result.as_ref().err()];
    if transaction.prepare_cached(settle)?.execute(parameters)? == 0 {
        return Ok(Recorded::TooLate);
    }
    if let Ok(output) = result {
        transaction
            .prepare_cached("INSERT INTO results VALUES (?1, ?2)")?
            .execute(params![job.id, output])?;
    }
    Ok(recorded)
}
