//! Many handlers that sum up.

use anyhow::Result;

use super::events::{Total, Value};
use super::handlers::Sum;
use crate::rivals::{Actor, Rival};

/// Handlers that sum up what they are sent.
pub(crate) struct Crowd<R: Rival, T: Send + 'static> {
    actors: Vec<Actor<R::Address<T>>>,
    total: Total,
}

impl<R: Rival, T: Value> Crowd<R, T> {
    pub(crate) async fn spawn(size: usize, room: usize) -> Result<Self> {
        let (mut actors, total) = (Vec::with_capacity(size), Total::default());
        for _ in 0..size {
            actors.push(R::spawn(Sum::new(&total), room).await?);
        }
        Ok(Self { actors, total })
    }

    pub(crate) fn address(&self, of: usize) -> &R::Address<T> {
        &self.actors[of].address
    }

    /// What all of them have come to, once they have handled everything.
    pub(crate) async fn total(self) -> Result<u64> {
        for actor in self.actors {
            actor.close().await?;
        }
        Ok(self.total.get())
    }
}
