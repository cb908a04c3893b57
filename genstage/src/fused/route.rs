//! How a part is reached: its messages go to the whole, and there to the part.

use std::marker::PhantomData;
use std::sync::Arc;

use super::{Fused, names};
use crate::message::{Envelope, Handling};
use crate::role::{Runnable, Stage};
use crate::task::{Address, Message, Route, StageRef, Unsent, WeakAddress, WeakRoute};
use crate::{Context, Result};

/// The handles of the two parts.
pub(crate) fn handles<A: Runnable, B: Runnable<Take = A::Give>>(
    whole: &StageRef<Fused<A, B>>,
) -> (StageRef<A>, StageRef<B>) {
    let (whole, [first, second]) = (whole.address(), names(whole.name()));
    let first = Address::part(whole, To::<First<A, B>, _>::new(whole.clone()), first);
    let second = Address::part(whole, To::<Second<A, B>, _>::new(whole.clone()), second);
    (StageRef::new(first), StageRef::new(second))
}

/// The contexts of the two parts.
pub(super) fn contexts<A: Runnable, B: Runnable<Take = A::Give>>(
    whole: &WeakAddress<Fused<A, B>>,
) -> (Context<A>, Context<B>) {
    let [first, second] = names(whole.name());
    let first = WeakAddress::part(whole, To::<First<A, B>, _>::new(whole.clone()), first);
    let second = WeakAddress::part(whole, To::<Second<A, B>, _>::new(whole.clone()), second);
    (Context::new(first), Context::new(second))
}

/// Which part of which whole.
trait Place: Send + Sync + 'static {
    type Whole: Stage;
    type Part: Stage;
    const HAS_INPUT: bool;

    /// The message as one for the whole; back, if the part has no neighbour on that side that could have sent it.
    fn enclose(message: Message<Self::Part>) -> Result<Message<Self::Whole>, Message<Self::Part>>;

    /// The message that was enclosed, where events come back with it.
    fn disclose(message: Message<Self::Whole>) -> Unsent<Self::Part>;
}

struct First<A, B>(PhantomData<fn() -> (A, B)>);
struct Second<A, B>(PhantomData<fn() -> (A, B)>);

impl<A: Runnable, B: Runnable<Take = A::Give>> Place for First<A, B> {
    type Whole = Fused<A, B>;
    type Part = A;
    const HAS_INPUT: bool = true;

    fn enclose(message: Message<A>) -> Result<Message<Self::Whole>, Message<A>> {
        Ok(match message {
            Message::User(envelope, permit) => Message::User(Box::new(ToFirst(envelope)), permit),
            Message::Info(envelope, permit) => Message::Info(Box::new(ToFirst(envelope)), permit),
            Message::Deed(deed) => Message::Deed(deed),
            Message::Events { id, events } => Message::Events { id, events },
            Message::ProducerGone { id, kind, reason } => Message::ProducerGone { id, kind, reason },
            Message::Input(deed) => Message::Input(deed),
            other => return Err(other),
        })
    }

    fn disclose(message: Message<Self::Whole>) -> Unsent<A> {
        match message {
            Message::Events { id, events } => Some(Message::Events { id, events }),
            _ => None,
        }
    }
}

impl<A: Runnable, B: Runnable<Take = A::Give>> Place for Second<A, B> {
    type Whole = Fused<A, B>;
    type Part = B;
    const HAS_INPUT: bool = false;

    fn enclose(message: Message<B>) -> Result<Message<Self::Whole>, Message<B>> {
        Ok(match message {
            Message::User(envelope, permit) => Message::User(Box::new(ToSecond(envelope)), permit),
            Message::Info(envelope, permit) => Message::Info(Box::new(ToSecond(envelope)), permit),
            Message::Deed(deed) => Message::Deed(deed),
            Message::Ask { id, demand, spare } => Message::Ask { id, demand, spare },
            Message::GiveBack { id, events } => Message::GiveBack { id, events },
            Message::ConsumerGone { id, kind, reason } => Message::ConsumerGone { id, kind, reason },
            Message::Output(deed) => Message::Output(deed),
            other => return Err(other),
        })
    }

    fn disclose(_: Message<Self::Whole>) -> Unsent<B> {
        None
    }
}

/// The way to a part, over the address of the whole.
struct To<P, T>(T, PhantomData<fn() -> P>);

impl<P, T> To<P, T> {
    fn new(whole: T) -> Self {
        Self(whole, PhantomData)
    }
}

impl<P: Place<Whole: Runnable>> Route<P::Part> for To<P, Address<P::Whole>> {
    fn send(&self, message: Message<P::Part>) -> Result<(), Unsent<P::Part>> {
        let message = P::enclose(message).map_err(Some)?;
        self.0.sender.send(message).map_err(|unsent| unsent.and_then(P::disclose))
    }

    fn is_closed(&self) -> bool {
        self.0.sender.is_closed()
    }

    fn len(&self) -> usize {
        self.0.sender.len()
    }

    fn downgrade(&self) -> Arc<dyn WeakRoute<P::Part>> {
        Arc::new(To::<P, _>::new(self.0.downgrade()))
    }

    fn has_input(&self) -> bool {
        P::HAS_INPUT && self.0.sender.has_input()
    }
}

impl<P: Place<Whole: Runnable>> WeakRoute<P::Part> for To<P, WeakAddress<P::Whole>> {
    fn upgrade(&self) -> Option<Arc<dyn Route<P::Part>>> {
        Some(Arc::new(To::<P, _>::new(self.0.upgrade()?)))
    }
}

struct ToFirst<A: Stage>(Box<dyn Envelope<A>>);
struct ToSecond<B: Stage>(Box<dyn Envelope<B>>);

impl<A: Runnable, B: Runnable<Take = A::Give>> Envelope<Fused<A, B>> for ToFirst<A> {
    fn open<'a>(
        self: Box<Self>,
        stage: &'a mut Fused<A, B>,
        cx: &'a mut Context<Fused<A, B>>,
    ) -> Handling<'a> {
        Box::pin(async move {
            let (state, inner) = stage.enter_first()?;
            self.0.open(state, inner).await?;
            stage.leave_first(cx);
            stage.flow(cx).await
        })
    }
}

impl<A: Runnable, B: Runnable<Take = A::Give>> Envelope<Fused<A, B>> for ToSecond<B> {
    fn open<'a>(
        self: Box<Self>,
        stage: &'a mut Fused<A, B>,
        cx: &'a mut Context<Fused<A, B>>,
    ) -> Handling<'a> {
        Box::pin(async move {
            let (state, inner) = stage.enter_second()?;
            self.0.open(state, inner).await?;
            stage.leave_second(cx);
            Ok(())
        })
    }
}
