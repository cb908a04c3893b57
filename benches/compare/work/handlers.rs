//! What the stages do, for those who have handlers instead.

use anyhow::Result;

use super::events::{Total, Value};
use crate::rivals::{Handler, Rival};

/// Doubles, and sends on.
pub(crate) struct Double<R: Rival, T: Send + 'static>(pub(crate) R::Address<T>);

impl<R: Rival> Handler<Vec<u64>> for Double<R, Vec<u64>> {
    async fn handle(&mut self, mut batch: Vec<u64>) -> Result<()> {
        batch.iter_mut().for_each(|n| *n = n.wrapping_mul(2));
        R::send(&self.0, batch).await
    }
}

impl<R: Rival> Handler<u64> for Double<R, u64> {
    async fn handle(&mut self, n: u64) -> Result<()> {
        R::send(&self.0, n.wrapping_mul(2)).await
    }
}

/// Adds one, and sends on.
pub(crate) struct AddOne<R: Rival, T: Send + 'static>(pub(crate) R::Address<T>);

impl<R: Rival> Handler<Vec<u64>> for AddOne<R, Vec<u64>> {
    async fn handle(&mut self, mut batch: Vec<u64>) -> Result<()> {
        batch.iter_mut().for_each(|n| *n = n.wrapping_add(1));
        R::send(&self.0, batch).await
    }
}

impl<R: Rival> Handler<u64> for AddOne<R, u64> {
    async fn handle(&mut self, n: u64) -> Result<()> {
        R::send(&self.0, n.wrapping_add(1)).await
    }
}

/// Sums up.
pub(crate) struct Sum {
    sum: u64,
    total: Total,
}

impl Sum {
    pub(crate) fn new(total: &Total) -> Self {
        Self { sum: 0, total: total.clone() }
    }
}

impl<V: Value> Handler<V> for Sum {
    async fn handle(&mut self, message: V) -> Result<()> {
        self.sum = self.sum.wrapping_add(message.value());
        Ok(())
    }

    fn end(&mut self) {
        self.total.add(self.sum);
    }
}
