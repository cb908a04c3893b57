//! What the compiler checks of a pipeline: each node's position once, and each edge's event types.
//!
//! The macro knows the graph but not the types; these bounds know the types. One mistake is to give one message: a
//! node in the wrong position is reported for its position only, so edges keep silent about it ([`Flows`] holds for
//! sides that carry [`Nothing`]).

use std::marker::PhantomData;

use super::graph::EdgeName;
use super::node::{Node, Replicas};
use super::wiring::Wiring;
use crate::Refusal;
use crate::dispatch::Dispatcher;
use crate::role::{
    ConsumerRole, ConsumerSupervisorRole, Nothing, ProducerConsumerRole, ProducerRole, Runnable, Stage,
};
use crate::subscription::{DispatchOptions, Subscribe};

/// A role that may stand left of `=>` only.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no input in this pipeline, so it must be a producer",
    label = "`{S}` is not a producer",
    note = "a consumer and a producer_consumer need something that feeds them: `something => this`"
)]
pub trait Source<S> {}

/// A role that may stand right of `=>` only.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no output in this pipeline, so it must be a consumer",
    label = "`{S}` is not a consumer",
    note = "a producer and a producer_consumer need something that takes their events: `this => something`"
)]
pub trait Sink<S> {}

/// A role that may stand on both sides of `=>`.
#[diagnostic::on_unimplemented(
    message = "`{S}` has an input and an output in this pipeline, so it must be a producer_consumer",
    label = "`{S}` is not a producer_consumer",
    note = "a producer stands left of `=>` only, a consumer right of it only"
)]
pub trait Middle<S> {}

#[diagnostic::do_not_recommend]
impl<S> Source<S> for ProducerRole {}
#[diagnostic::do_not_recommend]
impl<S> Sink<S> for ConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S> Sink<S> for ConsumerSupervisorRole {}
#[diagnostic::do_not_recommend]
impl<S> Middle<S> for ProducerConsumerRole {}

/// Checks the position of a node that has outputs only.
pub fn source<N: Replicas>(_: &N)
where
    <N::Stage as Stage>::Role: Source<N::Stage>,
{
}

/// Checks the position of a node that has inputs only.
pub fn sink<N: Replicas>(_: &N)
where
    <N::Stage as Stage>::Role: Sink<N::Stage>,
{
}

/// Checks the position of a node that has both.
pub fn middle<N: Replicas>(_: &N)
where
    <N::Stage as Stage>::Role: Middle<N::Stage>,
{
}

/// A side that carries events.
#[derive(Debug)]
pub enum Events {}

/// What a role's two sides carry: [`Events`] or [`Nothing`].
pub trait Sides {
    /// What comes in.
    type In;
    /// What goes out.
    type Out;
}

impl Sides for ProducerRole {
    type In = Nothing;
    type Out = Events;
}

impl Sides for ProducerConsumerRole {
    type In = Events;
    type Out = Events;
}

impl Sides for ConsumerRole {
    type In = Events;
    type Out = Nothing;
}

impl Sides for ConsumerSupervisorRole {
    type In = Events;
    type Out = Nothing;
}

/// The two sides of an edge.
#[derive(Debug)]
pub struct Edge<Out, In>(PhantomData<(Out, In)>);

/// An edge over which events of type `X` can flow from `A` to `B`, which takes events of type `Y`.
#[diagnostic::on_unimplemented(
    message = "`{A}` emits `{X}`, but `{B}` takes `{Y}`",
    label = "the event types differ: `{X}` on the left, `{Y}` on the right",
    note = "put a stage between them that turns the one into the other, for instance `map(…)`"
)]
pub trait Flows<A: Stage, B: Stage, X, Y, O> {
    /// Subscribes every replica of the consumer to every replica of the producer.
    fn wire(
        edge: &EdgeName,
        producers: &mut [Node<A>],
        consumers: &mut [Node<B>],
        options: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal>;
}

// Recommended: if it is the options that do not fit, the message is to be theirs.
impl<A, B, T, O> Flows<A, B, T, T, O> for Edge<Events, Events>
where
    A: Runnable<Give = T, Dispatcher: Dispatcher<T>>,
    B: Runnable<Take = T>,
    O: DispatchOptions<<A::Dispatcher as Dispatcher<T>>::Options>,
    T: Send + 'static,
{
    fn wire(
        edge: &EdgeName,
        producers: &mut [Node<A>],
        consumers: &mut [Node<B>],
        mut options: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal> {
        for producer in producers {
            for (replica, consumer) in consumers.iter_mut().enumerate() {
                producer.subscribe(edge, consumer, replica, options())?;
            }
        }
        Ok(())
    }
}

// Sides that carry nothing belong to nodes whose position is refused already.

#[diagnostic::do_not_recommend]
impl<A: Stage, B: Stage, In, X, Y, O> Flows<A, B, X, Y, O> for Edge<Nothing, In> {
    fn wire(
        _: &EdgeName,
        _: &mut [Node<A>],
        _: &mut [Node<B>],
        _: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<A: Stage, B: Stage, X, Y, O> Flows<A, B, X, Y, O> for Edge<Events, Nothing> {
    fn wire(
        _: &EdgeName,
        _: &mut [Node<A>],
        _: &mut [Node<B>],
        _: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal> {
        Ok(())
    }
}

type Out<S> = <<S as Stage>::Role as Sides>::Out;
type In<S> = <<S as Stage>::Role as Sides>::In;

/// Declares an edge: checks that events can flow over it, and wires it.
pub fn edge<A: Replicas, B: Replicas, O>(
    wiring: &mut Wiring,
    name: &EdgeName,
    producer: &mut A,
    consumer: &mut B,
    mut options: impl FnMut() -> Subscribe<O>,
) where
    <A::Stage as Stage>::Role: Sides,
    <B::Stage as Stage>::Role: Sides,
    Edge<Out<A::Stage>, In<B::Stage>>:
        Flows<A::Stage, B::Stage, <A::Stage as Stage>::Give, <B::Stage as Stage>::Take, O>,
{
    let (producers, consumers) = (producer.nodes(), consumer.nodes());
    let wire = <Edge<Out<A::Stage>, In<B::Stage>> as Flows<_, _, _, _, _>>::wire;
    if let Some(consumer) = consumers.first()
        && let Ok(edge) = consumer.edge(name, &options())
    {
        wiring.draw(edge);
    }
    if let Err(refusal) = wire(name, producers, consumers, options) {
        wiring.refuse(refusal);
    }
}
