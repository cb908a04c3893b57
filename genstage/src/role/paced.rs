use super::{Kind, Role, Stage};
use crate::machine::Pace;
use crate::{Batch, Cancelled, Context, Reason, Result};

/// A producer-consumer that works between its callbacks: on what it holds, when time has passed or a future is ready.
///
/// What its consumers want does not say how much it takes in: it says so itself, and emits what is wanted when there is some.
/// Made for the ready-made stages.
pub trait Paced: Stage {
    /// The events that come in.
    type Input: Send + 'static;
    /// The events that go out.
    type Output: Send + 'static;

    /// How many events it takes in now.
    fn room(&self) -> usize;

    /// How many events it has taken in and not emitted in some form.
    fn held(&self) -> usize;

    /// Takes in at most as many events as it has room for.
    fn take(&mut self, events: &mut Batch<Self::Input>);

    /// Waits for something to emit, and emits at most `due` events. Something waits until nothing is held any more if it is to `hurry`, such
    /// as the end of a producer. Cancellation safe: dropped whenever a message comes.
    fn work(&mut self, due: usize, hurry: bool, cx: &mut Context<Self>) -> impl Future<Output = ()> + Send;
}

/// The role of a [`Paced`] stage.
#[derive(Debug)]
pub enum PacedRole {}

#[diagnostic::do_not_recommend]
impl<S: Paced + Stage<Take = <S as Paced>::Input, Give = <S as Paced>::Output>> Role<S> for PacedRole {
    const KIND: Kind = Kind::ProducerConsumer;
    type Front = S;
    type Back = S;

    async fn init(_: &mut S, _: &mut Context<S>) -> Result {
        Ok(())
    }

    async fn events(stage: &mut S, events: &mut Batch<S::Take>, _: &mut Context<S>) -> Result {
        stage.take(events);
        Ok(())
    }

    fn has_source(_: &S, _: &Context<S>, _: usize) -> bool {
        true
    }

    async fn source(stage: &mut S, due: usize, cx: &mut Context<S>) -> Result {
        let hurry = cx.hurry;
        stage.work(due, hurry, cx).await;
        Ok(())
    }

    fn pace(stage: &S) -> Option<Pace> {
        Some(Pace { room: stage.room(), busy: stage.held() > 0 })
    }

    fn held(stage: &S) -> usize {
        stage.held()
    }

    async fn cancel(_: &mut S, _: &Cancelled, _: &mut Context<S>) -> Result {
        Ok(())
    }

    async fn terminate(_: &mut S, _: &Reason) {}
}

/// Declares a stage of that role, as `#[stage]` does for the others.
macro_rules! paced {
    ([$($generics:tt)*] $stage:ty) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::Stage for $stage {
            type Role = $crate::role::PacedRole;
            type Take = <$stage as $crate::role::Paced>::Input;
            type Give = <$stage as $crate::role::Paced>::Output;
            type Dispatcher = $crate::DemandDispatcher;

            fn options(&self) -> $crate::role::StageOptions {
                $crate::role::StageOptions::new()
            }

            fn dispatcher(&self) -> $crate::DemandDispatcher {
                $crate::DemandDispatcher::default()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::Emits for $stage {
            type Emitted = <$stage as $crate::role::Paced>::Output;
        }
    };
}

pub(crate) use paced;
