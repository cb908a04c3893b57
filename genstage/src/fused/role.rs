use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::coop::consume_budget;

use super::{At, Fused};
use crate::role::{Kind, Role, Runnable};
use crate::subscription::Side;
use crate::{Batch, Cancelled, Context, Demand, Reason, Result, Subscription};

/// The role of a stage made of two, from those of its parts.
#[derive(Debug)]
pub struct FusedRole<R, Q>(PhantomData<(R, Q)>);

#[diagnostic::do_not_recommend]
impl<A: Runnable, B: Runnable<Take = A::Give>> Role<Fused<A, B>> for FusedRole<A::Role, B::Role> {
    const KIND: Kind = Fused::<A, B>::KIND;
    const IS_FUSED: bool = true;
    const KNOWS_DUE: bool = Fused::<A, B>::IS_SOURCE;
    type Front = <A::Role as Role<A>>::Front;
    type Back = <B::Role as Role<B>>::Back;

    fn parts() -> Vec<&'static str> {
        [A::Role::parts(), B::Role::parts()].concat()
    }

    async fn init(stage: &mut Fused<A, B>, cx: &mut Context<Fused<A, B>>) -> Result {
        stage.begin(cx)?;
        let (state, inner) = stage.enter_first()?;
        A::Role::init(state, inner).await?;
        stage.leave_first(cx);
        let (state, inner) = stage.enter_second()?;
        B::Role::init(state, inner).await?;
        stage.leave_second(cx);
        stage.introduce(cx).await?;
        stage.flow(cx).await
    }

    async fn demand(stage: &mut Fused<A, B>, _: usize, cx: &mut Context<Fused<A, B>>) -> Result {
        stage.flow(cx).await
    }

    async fn events(
        stage: &mut Fused<A, B>,
        events: &mut Batch<A::Take>,
        cx: &mut Context<Fused<A, B>>,
    ) -> Result {
        let (state, inner) = stage.enter_first()?;
        A::Role::events(state, events, inner).await?;
        stage.leave_first(cx);
        stage.flow(cx).await
    }

    fn has_source(stage: &Fused<A, B>, _: &Context<Fused<A, B>>, due: usize) -> bool {
        let has_source = |inner| A::Role::has_source(&stage.first.state, inner, due.min(stage.owed));
        stage.is_behind(due) || stage.first.cx().is_some_and(has_source)
    }

    async fn source(stage: &mut Fused<A, B>, due: usize, _: &mut Context<Fused<A, B>>) -> Result {
        if stage.is_behind(due) {
            // There is no waiting in it: others are to have their turn.
            consume_budget().await;
            return Ok(());
        }
        let due = due.min(stage.owed);
        let (state, inner) = stage.enter_first()?;
        A::Role::source(state, due, inner).await
    }

    async fn sourced(stage: &mut Fused<A, B>, cx: &mut Context<Fused<A, B>>) -> Result {
        let (state, inner) = stage.enter_first()?;
        A::Role::sourced(state, inner).await?;
        stage.leave_first(cx);
        stage.flow(cx).await
    }

    async fn finished(stage: &mut Fused<A, B>, cx: &mut Context<Fused<A, B>>) -> Result {
        stage.part_ways(cx).await?;
        let (state, inner) = stage.enter_second()?;
        B::Role::finished(state, inner).await?;
        stage.leave_second(cx);
        Ok(())
    }

    fn emitted(stage: &Fused<A, B>, cx: &Context<Fused<A, B>>) -> usize {
        let first = stage.first.cx().map_or(0, |inner| A::Role::emitted(&stage.first.state, inner));
        let second = stage.second.cx().map_or(0, |inner| B::Role::emitted(&stage.second.state, inner));
        // What came into the whole is counted already, and is with the second part in another form.
        let lent = if Fused::<A, B>::IS_SOURCE { stage.lent } else { 0 };
        first + second + lent + cx.out.len()
    }

    fn held(stage: &Fused<A, B>) -> usize {
        let between = match stage.lent {
            1.. if !Fused::<A, B>::IS_SOURCE => 0,
            _ => stage.between.len(),
        };
        between + A::Role::held(&stage.first.state) + B::Role::held(&stage.second.state)
    }

    fn culprit(stage: &Fused<A, B>) -> Option<Arc<str>> {
        let Fused { first, second, at, .. } = stage;
        match at.as_ref()? {
            At::First => A::Role::culprit(&first.state).or_else(|| first.name()),
            At::Second => B::Role::culprit(&second.state).or_else(|| second.name()),
        }
    }

    async fn subscribe(
        stage: &mut Fused<A, B>,
        producer: &Subscription,
        cx: &mut Context<Fused<A, B>>,
    ) -> Result<Demand> {
        let (state, inner) = stage.enter_first()?;
        let demand = A::Role::subscribe(state, producer, inner).await?;
        stage.leave_first(cx);
        stage.flow(cx).await?;
        Ok(demand)
    }

    async fn subscribed_by(
        stage: &mut Fused<A, B>,
        consumer: &Subscription,
        cx: &mut Context<Fused<A, B>>,
    ) -> Result {
        let (state, inner) = stage.enter_second()?;
        B::Role::subscribed_by(state, consumer, inner).await?;
        stage.leave_second(cx);
        Ok(())
    }

    async fn cancel(stage: &mut Fused<A, B>, cancelled: &Cancelled, cx: &mut Context<Fused<A, B>>) -> Result {
        if cancelled.side() == Side::Consumer {
            let (state, inner) = stage.enter_second()?;
            B::Role::cancel(state, cancelled, inner).await?;
            stage.leave_second(cx);
            return Ok(());
        }
        let (state, inner) = stage.enter_first()?;
        A::Role::cancel(state, cancelled, inner).await?;
        stage.leave_first(cx);
        stage.flow(cx).await
    }

    async fn drain(stage: &mut Fused<A, B>, cx: &mut Context<Fused<A, B>>) -> Result {
        let (state, inner) = stage.enter_first()?;
        A::Role::drain(state, inner).await?;
        stage.leave_first(cx);
        stage.flow(cx).await
    }

    fn discarded(stage: &mut Fused<A, B>, events: usize) -> bool {
        B::Role::discarded(&mut stage.second.state, events)
    }

    async fn terminate(stage: &mut Fused<A, B>, reason: &Reason) {
        let Fused { first, second, at, .. } = stage;
        let before = at.replace(At::First);
        // Both do, whatever becomes of the first.
        let ended = AssertUnwindSafe(A::Role::terminate(&mut first.state, reason)).catch_unwind().await;
        if ended.is_ok() {
            *at = Some(At::Second);
        }
        B::Role::terminate(&mut second.state, reason).await;
        if let Err(panic) = ended {
            resume_unwind(panic);
        }
        *at = before;
    }
}
