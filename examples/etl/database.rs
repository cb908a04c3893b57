//! What is in the database: the groups, and in the same transactions how much of the input they are made of.

use genstage::{Error, Result};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::Load;
use crate::group::{Grouped, Rows};
use crate::read::Position;

/// With the write-ahead log others can read while rows are loaded. `NORMAL` spares waiting for the disk at each commit: a power
/// cut may take the last transactions back, the rows and the note of their place together.
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS load (
        input TEXT NOT NULL, by TEXT NOT NULL, sum TEXT, bytes INTEGER NOT NULL, lines INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS groups (
        key TEXT PRIMARY KEY, rows INTEGER NOT NULL, sum REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rejected (line INTEGER PRIMARY KEY, reason TEXT NOT NULL) STRICT;
";

pub(crate) struct Database {
    connection: Connection,
}

/// What has been loaded altogether.
pub(crate) struct Totals {
    pub(crate) rows: u64,
    pub(crate) groups: u64,
    pub(crate) rejected: u64,
}

impl Database {
    /// Opens the database of a load, and makes it if it is not there. Fails if it is that of another load, whose groups are not
    /// to be mixed with these.
    pub(crate) fn open(load: &Load) -> Result<Self> {
        let name = load.database.display();
        let cannot_open = |error| Error::msg(format!("cannot use the database {name}: {error}"));
        let connection = Connection::open(&load.database).map_err(cannot_open)?;
        connection.execute_batch(SCHEMA).map_err(cannot_open)?;
        let parameters = params![load.input, load.by, load.sum];
        connection.execute(
            "INSERT INTO load SELECT ?1, ?2, ?3, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM load)",
            parameters,
        )?;
        let is_this_one = "SELECT (input, by, sum) IS (?1, ?2, ?3) FROM load";
        match connection.query_row(is_this_one, parameters, |row| row.get(0))? {
            true => Ok(Self { connection }),
            false => Err(Error::msg(format!(
                "{name} is of another input or other fields (those in its table `load`): give this load a database of its own"
            ))),
        }
    }

    /// Up to where the input is loaded.
    pub(crate) fn position(&self) -> Result<Position> {
        let position = |row: &Row<'_>| Ok(Position { bytes: row.get(0)?, lines: row.get(1)? });
        Ok(self.connection.query_row("SELECT bytes, lines FROM load", [], position)?)
    }

    /// Adds the groups of pieces, of all or of none.
    pub(crate) fn add(&mut self, pieces: &[Grouped]) -> Result {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        pieces.iter().try_for_each(|piece| add(&transaction, piece))?;
        Ok(transaction.commit()?)
    }

    pub(crate) fn totals(&self) -> Result<Totals> {
        let totals = "SELECT coalesce(sum(rows), 0), count(*), (SELECT count(*) FROM rejected) FROM groups";
        let read =
            |row: &Row<'_>| Ok(Totals { rows: row.get(0)?, groups: row.get(1)?, rejected: row.get(2)? });
        Ok(self.connection.query_row(totals, [], read)?)
    }

    /// The first lines that were rejected, and why.
    pub(crate) fn first_rejected(&self, limit: u64) -> Result<Vec<(u64, String)>> {
        let mut statement =
            self.connection.prepare("SELECT line, reason FROM rejected ORDER BY line LIMIT ?1")?;
        let rejected = statement.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rejected.collect::<Result<_, _>>()?)
    }

    /// The groups with the most rows.
    pub(crate) fn largest_groups(&self, limit: u64) -> Result<Vec<(String, Rows)>> {
        let largest = "SELECT key, rows, sum FROM groups ORDER BY rows DESC, key LIMIT ?1";
        let mut statement = self.connection.prepare(largest)?;
        let read = |row: &Row<'_>| Ok((row.get(0)?, Rows { rows: row.get(1)?, sum: row.get(2)? }));
        Ok(statement.query_map([limit], read)?.collect::<Result<_, _>>()?)
    }
}

/// Adds the groups of a piece that begins where the one before it ends.
fn add(transaction: &Transaction<'_>, piece: &Grouped) -> Result {
    let Grouped { start, end, groups, rejected } = piece;
    let moved = transaction
        .prepare_cached("UPDATE load SET bytes = ?2, lines = ?3 WHERE bytes = ?1")?
        .execute([start.bytes, end.bytes, end.lines])?;
    if moved == 0 {
        return Err(Error::msg(
            "other lines have been loaded meanwhile: does another etl use this database?",
        ));
    }
    let mut add_rows = transaction.prepare_cached(
        "INSERT INTO groups VALUES (?1, ?2, ?3)
            ON CONFLICT (key) DO UPDATE SET rows = rows + excluded.rows, sum = sum + excluded.sum",
    )?;
    for (key, group) in groups {
        add_rows.execute(params![key, group.rows, group.sum])?;
    }
    // A line whose beginning was rejected before its end was there is rejected once.
    let mut reject = transaction.prepare_cached("INSERT OR IGNORE INTO rejected VALUES (?1, ?2)")?;
    for (line, reason) in rejected {
        reject.execute(params![line, reason])?;
    }
    Ok(())
}
