//! What the compiler checks of a pipeline: each node's position once, and each edge's event types.
//!
//! The macro knows the graph but not the types; these bounds know the types. One mistake is to give one message: a
//! node in the wrong position is reported for its position only, so edges keep silent about it ([`Flows`] holds for
//! sides that carry [`Nothing`]); an arrow that points the wrong way is reported as such, so positions keep silent about it; and
//! all keep silent about a stage that was refused where it is declared ([`Unknown`]).

use std::marker::PhantomData;

use super::graph::EdgeName;
use super::node::Node;
use super::replicas::{AnyNode, Replicas};
use super::wiring::Wiring;
use crate::Refusal;
use crate::dispatch::Dispatcher;
use crate::role::{
    ConsumerRole, ConsumerSupervisorRole, Nothing, PacedRole, ProducerConsumerRole, ProducerRole, Runnable,
    Stage,
};
use crate::subscription::{DispatchOptions, Subscribe};

/// A role that may stand left of `=>` only, beside a stage of the role `Peer`.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no input in this pipeline, so it must be a producer",
    label = "`{S}` is not a producer",
    note = "a consumer and a producer_consumer need something that feeds them: `something => this`"
)]
pub trait Source<S, Peer> {}

/// A role that may stand right of `=>` only, beside a stage of the role `Peer`.
#[diagnostic::on_unimplemented(
    message = "`{S}` has no output in this pipeline, so it must be a consumer",
    label = "`{S}` is not a consumer",
    note = "a producer and a producer_consumer need something that takes their events: `this => something`"
)]
pub trait Sink<S, Peer> {}

/// A role that may stand on both sides of `=>`.
#[diagnostic::on_unimplemented(
    message = "`{S}` has an input and an output in this pipeline, so it must be a producer_consumer",
    label = "`{S}` is not a producer_consumer",
    note = "a producer stands left of `=>` only, a consumer right of it only"
)]
pub trait Middle<S> {}

#[diagnostic::do_not_recommend]
impl<S, Peer> Source<S, Peer> for ProducerRole {}
#[diagnostic::do_not_recommend]
impl<S, Peer> Sink<S, Peer> for ConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S, Peer> Sink<S, Peer> for ConsumerSupervisorRole {}
#[diagnostic::do_not_recommend]
impl<S> Middle<S> for ProducerConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S> Middle<S> for PacedRole {}

// The arrow between them is reported, see `Forward`.
#[diagnostic::do_not_recommend]
impl<S, Peer: EmitsOnly> Source<S, Peer> for ConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S, Peer: EmitsOnly> Source<S, Peer> for ConsumerSupervisorRole {}
#[diagnostic::do_not_recommend]
impl<S, Peer: TakesOnly> Sink<S, Peer> for ProducerRole {}

/// A role without an input.
pub trait EmitsOnly {}
impl EmitsOnly for ProducerRole {}

/// A role without an output.
pub trait TakesOnly {}
impl TakesOnly for ConsumerRole {}
impl TakesOnly for ConsumerSupervisorRole {}

/// The role of a stage that has none, as was reported where it is declared.
#[derive(Debug)]
pub enum Unknown {}

#[diagnostic::do_not_recommend]
impl<S, Peer> Source<S, Peer> for Unknown {}
#[diagnostic::do_not_recommend]
impl<S, Peer> Sink<S, Peer> for Unknown {}
#[diagnostic::do_not_recommend]
impl<S> Middle<S> for Unknown {}

pub(super) type StageOf<N> = <<N as Replicas>::Node as AnyNode>::Stage;
pub(super) type RoleOf<N> = <<N as Replicas>::Node as AnyNode>::Role;
pub(super) type TakeOf<N> = <<N as Replicas>::Node as AnyNode>::Take;
pub(super) type GiveOf<N> = <<N as Replicas>::Node as AnyNode>::Give;
pub(super) type FrontOf<N> = <<N as Replicas>::Node as AnyNode>::Front;
pub(super) type BackOf<N> = <<N as Replicas>::Node as AnyNode>::Back;

/// Checks the position of a node that has outputs only, the first of them to `peer`.
pub fn source<N: Replicas, P: Replicas>(_: &N, _peer: &P)
where
    RoleOf<N>: Source<StageOf<N>, RoleOf<P>>,
{
}

/// Checks the position of a node that has inputs only, the first of them from `peer`.
pub fn sink<N: Replicas, P: Replicas>(_: &N, _peer: &P)
where
    RoleOf<N>: Sink<StageOf<N>, RoleOf<P>>,
{
}

/// Checks the position of a node that has both.
pub fn middle<N: Replicas>(_: &N)
where
    RoleOf<N>: Middle<StageOf<N>>,
{
}

/// A side that carries events.
#[derive(Debug)]
pub enum Events {}

/// What a role's two sides carry: [`Events`], [`Nothing`] or [`Unknown`].
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

impl Sides for PacedRole {
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

impl Sides for Unknown {
    type In = Self;
    type Out = Self;
}

/// The two sides of an edge.
#[derive(Debug)]
pub struct Edge<Out, In>(PhantomData<(Out, In)>);

/// An edge over which events of type `X` can flow from `A` to `B`, which takes events of type `Y`; of the stages `P` and `C`, in which
/// `A` and `B` may be parts.
#[diagnostic::on_unimplemented(
    message = "`{A}` emits `{X}`, but `{B}` takes `{Y}`",
    label = "the event types differ: `{X}` on the left, `{Y}` on the right",
    note = "put a stage between them that turns the one into the other, for instance `map(…)`"
)]
pub trait Flows<A, B, X, Y, O, P: Stage, C: Stage> {
    /// Subscribes every replica of the consumer to every replica of the producer.
    fn wire(
        wiring: &mut Wiring,
        edge: &EdgeName,
        producers: &mut [impl AnyNode<Stage = P>],
        consumers: &mut [impl AnyNode<Stage = C>],
        options: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal>;
}

// Recommended: if it is the options that do not fit, the message is to be theirs.
impl<A, B, T, O, P, C> Flows<A, B, T, T, O, P, C> for Edge<Events, Events>
where
    P: Runnable<Give = T, Dispatcher: Dispatcher<T>>,
    C: Runnable<Take = T>,
    O: DispatchOptions<<P::Dispatcher as Dispatcher<T>>::Options>,
    T: Send + 'static,
{
    fn wire(
        wiring: &mut Wiring,
        edge: &EdgeName,
        producers: &mut [impl AnyNode<Stage = P>],
        consumers: &mut [impl AnyNode<Stage = C>],
        mut options: impl FnMut() -> Subscribe<O>,
    ) -> Result<(), Refusal> {
        if let Some(Ok(drawn)) = ready(consumers).next().map(|consumer| consumer.edge(edge, &options())) {
            wiring.draw(drawn);
        }
        for producer in ready(producers) {
            for (replica, consumer) in ready(consumers).enumerate() {
                let subscription = producer.subscribe(edge, consumer, replica, options())?;
                wiring.watch_edge(producer.name(), &subscription);
            }
        }
        Ok(())
    }
}

fn ready<N: AnyNode>(nodes: &mut [N]) -> impl Iterator<Item = &mut Node<N::Stage>> {
    nodes.iter_mut().filter_map(AnyNode::ready)
}

/// Nothing to say about the events of an edge: one of its sides has been refused for another reason.
macro_rules! silent {
    ($([$($generics:ident),*] $out:ty => $in:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<A, B, X, Y, O, P: Stage, C: Stage, $($generics),*> Flows<A, B, X, Y, O, P, C> for Edge<$out, $in> {
            fn wire(
                _: &mut Wiring,
                _: &EdgeName,
                _: &mut [impl AnyNode<Stage = P>],
                _: &mut [impl AnyNode<Stage = C>],
                _: impl FnMut() -> Subscribe<O>,
            ) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

silent! {
    [In] Nothing => In;
    [In] Unknown => In;
    [] Events => Nothing;
    [] Events => Unknown;
}

/// An edge that leads from an output, or to an input.
#[diagnostic::on_unimplemented(
    message = "the arrow from `{A}` to `{B}` points the wrong way: `{A}` is a consumer and `{B}` is a producer",
    label = "events would flow from a consumer to a producer",
    note = "events flow as the arrow points, so turn it round: `producer => consumer`"
)]
pub trait Forward<A, B> {}

#[diagnostic::do_not_recommend]
impl<A, B, In> Forward<A, B> for Edge<Events, In> {}
#[diagnostic::do_not_recommend]
impl<A, B, In> Forward<A, B> for Edge<Unknown, In> {}
#[diagnostic::do_not_recommend]
impl<A, B> Forward<A, B> for Edge<Nothing, Events> {}
#[diagnostic::do_not_recommend]
impl<A, B> Forward<A, B> for Edge<Nothing, Unknown> {}

pub(super) type EdgeOf<A, B> = Edge<<RoleOf<A> as Sides>::Out, <RoleOf<B> as Sides>::In>;

/// Declares an edge: checks that events can flow over it, and wires it.
pub fn edge<A: Replicas, B: Replicas, O>(
    wiring: &mut Wiring,
    name: &EdgeName,
    producer: &mut A,
    consumer: &mut B,
    options: impl FnMut() -> Subscribe<O>,
) where
    EdgeOf<A, B>: Forward<BackOf<A>, FrontOf<B>>
        + Flows<BackOf<A>, FrontOf<B>, GiveOf<A>, TakeOf<B>, O, StageOf<A>, StageOf<B>>,
{
    let wired = <EdgeOf<A, B> as Flows<_, _, _, _, _, _, _>>::wire(
        wiring,
        name,
        producer.nodes(),
        consumer.nodes(),
        options,
    );
    if let Err(refusal) = wired {
        wiring.refuse(refusal);
    }
}
