//! The consumer: brings into the database what has been grouped.

use genstage::prelude::*;

use crate::database::Database;
use crate::group::Grouped;

/// SQLite waits for the disk, which this stage does in threads that may be blocked.
#[stage(consumer, blocking)]
pub(crate) struct Store {
    pub(crate) database: Database,
}

impl Consumer for Store {
    type Event = Result<Grouped>;

    /// All pieces that have come are one transaction.
    async fn handle_events(&mut self, pieces: &mut Batch<Self::Event>, _: &mut Context<Self>) -> Result {
        self.database.add(&pieces.drain().collect::<Result<Vec<_>>>()?)
    }
}
