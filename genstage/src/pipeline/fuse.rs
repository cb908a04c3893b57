//! Fused stages: `a |> b`.

use std::marker::PhantomData;

use super::check::{
    BackOf, Edge, EdgeOf, Events, Forward, FrontOf, GiveOf, RoleOf, Sides, StageOf, TakeOf, Unknown,
};
use super::node::{Node, Wired};
use super::replicas::{AnyNode, Array, Replicas};
use crate::dispatch::{BroadcastDispatcher, DemandDispatcher};
use crate::fused::{Fused, FusedRole, handles};
use crate::role::{ConsumerRole, Nothing, ProducerConsumerRole, ProducerRole, Runnable, Stage};
use crate::task::StageRef;

impl<R: Sides, Q: Sides> Sides for FusedRole<R, Q> {
    type In = R::In;
    type Out = Q::Out;
}

/// A role that may stand beside `|>`.
#[diagnostic::on_unimplemented(
    message = "`{S}` cannot be fused to another stage",
    label = "`{S}` goes on working on events when its callback has returned",
    note = "write `=>` in place of `|>` before it and behind it"
)]
pub trait Fusible<S> {}

#[diagnostic::do_not_recommend]
impl<S> Fusible<S> for ProducerRole {}
#[diagnostic::do_not_recommend]
impl<S> Fusible<S> for ProducerConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S> Fusible<S> for ConsumerRole {}
#[diagnostic::do_not_recommend]
impl<S> Fusible<S> for Unknown {}
#[diagnostic::do_not_recommend]
impl<S, R, Q> Fusible<S> for FusedRole<R, Q> {}

/// A dispatcher that has all events go to a consumer which is the only one.
#[diagnostic::on_unimplemented(
    message = "the dispatcher of `{S}` divides its events, but fused it has one consumer",
    label = "`{Self}` is for several consumers",
    note = "write `=>` in place of `|>` behind it"
)]
pub trait Undivided<S> {}

#[diagnostic::do_not_recommend]
impl<S> Undivided<S> for DemandDispatcher {}
#[diagnostic::do_not_recommend]
impl<S, T> Undivided<S> for BroadcastDispatcher<T> {}

/// Two stages that can be one: `A`, which emits events of type `X`, and `B`, which takes events of type `Y`.
#[diagnostic::on_unimplemented(
    message = "`{A}` emits `{X}`, but `{B}` takes `{Y}`",
    label = "the event types differ: `{X}` on the left, `{Y}` on the right",
    note = "put a stage between them that turns the one into the other, for instance `map(…)`"
)]
pub trait Fuses<A, B, X, Y, P, Q> {
    /// The two as one.
    type Whole: Replicas;

    /// Makes it.
    fn fuse(first: P, second: Q) -> Self::Whole;
}

#[diagnostic::do_not_recommend]
impl<A, B, T, P: Pairs<Q>, Q> Fuses<A, B, T, T, P, Q> for Edge<Events, Events> {
    type Whole = P::Whole;

    fn fuse(first: P, second: Q) -> P::Whole {
        first.pair(second)
    }
}

/// Nothing to say: one of them has been refused for another reason.
macro_rules! silent {
    ($([$($generics:ident),*] $out:ty, $in:ty;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<A, B, X, Y, P: Replicas, Q: Replicas, $($generics),*> Fuses<A, B, X, Y, P, Q> for Edge<$out, $in> {
            type Whole = Unfused<P, Q>;

            fn fuse(_: P, _: Q) -> Unfused<P, Q> {
                Unfused(PhantomData)
            }
        }
    )*};
}

silent! {
    [In] Nothing, In;
    [In] Unknown, In;
    [] Events, Nothing;
    [] Events, Unknown;
}

/// Nodes of two stages each of which is to be one with another: replica by replica.
pub trait Pairs<Q> {
    /// What they become.
    type Whole: Replicas;

    /// Makes it.
    fn pair(self, second: Q) -> Self::Whole;
}

impl<A: Runnable<Role: Sides>, B: Runnable<Take = A::Give, Role: Sides>> Pairs<Node<B>> for Node<A> {
    type Whole = Node<Fused<A, B>>;

    fn pair(self, second: Node<B>) -> Self::Whole {
        self.fuse(second)
    }
}

impl<A: Pairs<B, Whole: AnyNode>, B> Pairs<Vec<B>> for Vec<A> {
    type Whole = Vec<A::Whole>;

    fn pair(self, second: Vec<B>) -> Self::Whole {
        self.into_iter().zip(second).map(|(first, second)| first.pair(second)).collect()
    }
}

impl<A: Pairs<B, Whole: AnyNode>, B, const COUNT: usize> Pairs<Array<B, COUNT>> for Array<A, COUNT> {
    type Whole = Array<A::Whole, COUNT>;

    fn pair(self, second: Array<B, COUNT>) -> Self::Whole {
        Array(self.0.pair(second.0))
    }
}

type WholeOf<A, B> = <EdgeOf<A, B> as Fuses<BackOf<A>, FrontOf<B>, GiveOf<A>, TakeOf<B>, A, B>>::Whole;

/// Makes one node of two.
pub fn fuse<A: Replicas, B: Replicas>(first: A, second: B) -> WholeOf<A, B>
where
    EdgeOf<A, B>: Forward<BackOf<A>, FrontOf<B>> + Fuses<BackOf<A>, FrontOf<B>, GiveOf<A>, TakeOf<B>, A, B>,
    RoleOf<A>: Fusible<StageOf<A>>,
    RoleOf<B>: Fusible<StageOf<B>>,
    StageOf<A>: Stage<Dispatcher: Undivided<StageOf<A>>>,
{
    <EdgeOf<A, B> as Fuses<_, _, _, _, _, _>>::fuse(first, second)
}

/// Two nodes that are not one, because something is wrong with them.
pub struct Unfused<P, Q>(PhantomData<fn() -> (P, Q)>);

/// The handle of something that does not compile.
#[derive(Debug)]
pub struct NoHandle<P, Q>(PhantomData<fn() -> (P, Q)>);

impl<P: Replicas, Q: Replicas> Replicas for Unfused<P, Q> {
    type Node = Nowhere<P, Q>;
    type Handle = NoHandle<P, Q>;

    fn nodes(&mut self) -> &mut [Nowhere<P, Q>] {
        &mut []
    }

    fn handle(&self) -> NoHandle<P, Q> {
        NoHandle(PhantomData)
    }

    fn into_nodes(self) -> impl Iterator<Item = Nowhere<P, Q>> {
        std::iter::empty()
    }
}

/// A node of neither.
pub struct Nowhere<P, Q>(PhantomData<fn() -> (P, Q)>);

impl<P: Replicas, Q: Replicas> AnyNode for Nowhere<P, Q> {
    type Stage = StageOf<P>;
    type Role = Unknown;
    type Take = Nothing;
    type Give = Nothing;
    type Front = FrontOf<P>;
    type Back = BackOf<Q>;

    fn ready(&mut self) -> Option<&mut Node<StageOf<P>>> {
        None
    }

    fn handle(&self) -> StageRef<StageOf<P>> {
        unreachable!("{NOT_COMPILED}")
    }

    fn into_wired(self) -> Option<Wired> {
        None
    }
}

const NOT_COMPILED: &str = "stages that cannot be fused do not compile";

/// The handle of a fused stage, which comes to those of its parts.
pub trait Handles {
    /// That of the first.
    type First;
    /// That of the second.
    type Second;

    /// Both.
    fn handles(&self) -> (Self::First, Self::Second);
}

impl<A: Runnable, B: Runnable<Take = A::Give>> Handles for StageRef<Fused<A, B>> {
    type First = StageRef<A>;
    type Second = StageRef<B>;

    fn handles(&self) -> (StageRef<A>, StageRef<B>) {
        handles(self)
    }
}

impl<H: Handles> Handles for Vec<H> {
    type First = Vec<H::First>;
    type Second = Vec<H::Second>;

    fn handles(&self) -> (Vec<H::First>, Vec<H::Second>) {
        self.iter().map(H::handles).unzip()
    }
}

impl<H: Handles, const COUNT: usize> Handles for [H; COUNT] {
    type First = [H::First; COUNT];
    type Second = [H::Second; COUNT];

    fn handles(&self) -> ([H::First; COUNT], [H::Second; COUNT]) {
        (self.each_ref().map(|one| one.handles().0), self.each_ref().map(|one| one.handles().1))
    }
}

impl<P: Replicas, Q: Replicas> Handles for NoHandle<P, Q> {
    type First = P::Handle;
    type Second = Q::Handle;

    fn handles(&self) -> (P::Handle, Q::Handle) {
        unreachable!("{NOT_COMPILED}")
    }
}

/// The handles of the two parts.
pub fn parts<H: Handles>(handle: &H) -> (H::First, H::Second) {
    handle.handles()
}
