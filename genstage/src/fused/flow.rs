//! How events get from one part to the other, and what the parts say to the whole.

use std::collections::VecDeque;

use super::{At, Fused};
use crate::buffer::Keep;
use crate::role::{Role, Runnable, Stage};
use crate::telemetry;
use crate::{Batch, Context, Result};

/// How many events a source emits in one callback, about: then the mailbox has its turn.
const AT_A_TIME: usize = 1000;

impl<A: Runnable, B: Runnable<Take = A::Give>> Fused<A, B> {
    /// For a callback of the first part.
    pub(super) fn enter_first(&mut self) -> Result<(&mut A, &mut Context<A>)> {
        self.at = Some(At::First);
        self.first.here()
    }

    /// For a callback of the second part.
    pub(super) fn enter_second(&mut self) -> Result<(&mut B, &mut Context<B>)> {
        self.at = Some(At::Second);
        self.second.here()
    }

    /// The callback of the first part has returned.
    pub(super) fn leave_first(&mut self, cx: &mut Context<Self>) {
        self.at = None;
        let Some(inner) = self.first.cx_mut() else { return };
        let emitted = inner.out.len();
        self.passed += emitted;
        self.owed = self.owed.saturating_sub(emitted);
        if self.between.is_empty() {
            self.between = VecDeque::from(std::mem::replace(&mut inner.out, std::mem::take(&mut self.spare)));
        } else {
            self.between.extend(inner.out.drain(..));
        }
        if inner.has_said_more() {
            hear(inner, cx);
        }
    }

    /// The callback of the second part has returned.
    pub(super) fn leave_second(&mut self, cx: &mut Context<Self>) {
        self.at = None;
        let Some(inner) = self.second.cx_mut() else { return };
        if cx.out.is_empty() {
            std::mem::swap(&mut cx.out, &mut inner.out);
        } else {
            cx.out.append(&mut inner.out);
        }
        if !inner.has_said_more() {
            return;
        }
        hear(inner, cx);
        cx.finish |= inner.finish;
        if let Some(reason) = inner.stop.take() {
            cx.stop.get_or_insert(reason);
            self.at = Some(At::Second);
        }
    }

    /// Goes on after a callback of the first part: the second part takes in what has come, and a source is asked for what is
    /// still wanted, as long as something comes of it.
    pub(super) async fn flow(&mut self, cx: &mut Context<Self>) -> Result {
        self.passed = 0;
        loop {
            self.pass_on(cx).await?;
            self.end_with_first(cx);
            let ask = self.unasked(cx.due.saturating_sub(cx.out.len()));
            if ask == 0 || self.passed >= AT_A_TIME || has_ended(cx) {
                break;
            }
            self.owed += ask;
            let (state, inner) = self.enter_first()?;
            A::Role::demand(state, ask, inner).await?;
            self.leave_first(cx);
        }
        self.trim(cx);
        Ok(())
    }

    /// What is between the parts goes on.
    async fn pass_on(&mut self, cx: &mut Context<Self>) -> Result {
        while !self.between.is_empty() && self.may_pass(cx) && !has_ended(cx) {
            let mut batch = self.next_batch();
            self.lent = batch.len();
            let (state, inner) = self.enter_second()?;
            B::Role::events(state, &mut batch, inner).await?;
            self.lent = 0;
            self.recycle(batch.into_buffer());
            self.leave_second(cx);
        }
        Ok(())
    }

    /// The buffer that was emptied last is the one to be filled next: it is in the processor's cache.
    fn recycle(&mut self, buffer: Vec<A::Give>) {
        match self.first.cx_mut() {
            Some(inner) if inner.out.capacity() == 0 => inner.out = buffer,
            _ => self.spare = buffer,
        }
    }

    /// What a source has emitted goes on while somebody wants something, or when it was the last of it.
    fn may_pass(&self, cx: &Context<Self>) -> bool {
        !Self::IS_SOURCE || cx.due > cx.out.len() || self.first.cx().is_some_and(|inner| inner.finish)
    }

    fn next_batch(&mut self) -> Batch<A::Give> {
        if self.between.len() <= self.terms.batch {
            return Batch::new(std::mem::take(&mut self.between).into(), self.edge);
        }
        let mut events = std::mem::take(&mut self.spare);
        events.extend(self.between.drain(..self.terms.batch));
        Batch::new(events, self.edge)
    }

    /// The end of the first part is that of the whole, behind its events.
    fn end_with_first(&mut self, cx: &mut Context<Self>) {
        let Some(inner) = self.first.cx_mut() else { return };
        cx.finish |= inner.finish;
        if let Some(reason) = inner.stop.take() {
            cx.stop.get_or_insert(reason);
            self.at = Some(At::First);
        }
    }

    /// How much a source is to be asked for, if so much is wanted of the whole: that and no more is owed then.
    fn unasked(&self, wanted: usize) -> usize {
        if Self::IS_SOURCE { wanted.min(self.terms.window).saturating_sub(self.owed) } else { 0 }
    }

    /// Whether a source can go on without being told anything.
    pub(super) fn is_behind(&self, due: usize) -> bool {
        Self::IS_SOURCE && due > 0 && (!self.between.is_empty() || self.unasked(due) > 0)
    }

    /// What a source emits and nobody wants is bounded by its buffer size, as if it stood alone.
    fn trim(&mut self, cx: &mut Context<Self>) {
        let beyond = self.between.len().saturating_sub(self.terms.capacity);
        if !Self::IS_SOURCE || beyond == 0 {
            return;
        }
        match self.terms.keep {
            Keep::First => self.between.truncate(self.terms.capacity),
            Keep::Last => drop(self.between.drain(..beyond)),
        }
        cx.discarded += beyond;
        if A::Role::discarded(&mut self.first.state, beyond) {
            telemetry::discarded(self.first.name().as_deref().unwrap_or_default(), beyond);
        }
    }
}

/// Takes over what holds for the whole, whichever part says it.
fn hear<P: Stage, S: Stage>(inner: &mut Context<P>, cx: &mut Context<S>) {
    cx.afterwards.append(&mut inner.afterwards);
    cx.asks.append(&mut inner.asks);
    cx.discarded += std::mem::take(&mut inner.discarded);
}

fn has_ended<S: Stage>(cx: &Context<S>) -> bool {
    cx.finish || cx.stop.is_some()
}
