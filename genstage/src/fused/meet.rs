//! What the parts learn of each other: what they would over an edge.

use std::sync::Arc;

use super::Fused;
use crate::role::{Role, Runnable};
use crate::subscription::{CancelKind, Side, Subscription};
use crate::{Cancelled, Context, Reason, Result};

impl<A: Runnable, B: Runnable<Take = A::Give>> Fused<A, B> {
    /// The second part is subscribed to the first. How it would ask makes no difference: it gets what there is.
    pub(super) async fn introduce(&mut self, cx: &mut Context<Self>) -> Result {
        let (Some(first), Some(second)) = (self.first.name(), self.second.name()) else { return Ok(()) };
        let front = super::parts(&second).next().map_or(second.clone(), Arc::from);
        let (consumer, producer) = Subscription::pair(&first, &front, self.terms.window);
        self.edge = Some(consumer.id);
        let (state, inner) = self.enter_first()?;
        A::Role::subscribed_by(state, &consumer, inner).await?;
        self.leave_first(cx);
        let (state, inner) = self.enter_second()?;
        B::Role::subscribe(state, &producer, inner).await?;
        self.leave_second(cx);
        Ok(())
    }

    /// The whole finishes: the part that has not said so loses the other one, and may emit the last there is.
    pub(super) async fn part_ways(&mut self, cx: &mut Context<Self>) -> Result {
        let Some(edge) = self.edge.take() else { return Ok(()) };
        let gone = |side| Cancelled::new(edge, side, CancelKind::Down, Reason::Normal);
        let first = self.first.cx().is_some_and(|inner| inner.finish);
        let second = self.second.cx().is_some_and(|inner| inner.finish);
        if !second {
            let (state, inner) = self.enter_second()?;
            B::Role::cancel(state, &gone(Side::Producer), inner).await?;
            self.leave_second(cx);
        } else if !first {
            let (state, inner) = self.enter_first()?;
            A::Role::cancel(state, &gone(Side::Consumer), inner).await?;
            self.leave_first(cx);
        }
        Ok(())
    }
}
