use super::check::Sides;
use super::node::{Node, Wired};
use crate::role::{Role, Runnable, Stage};
use crate::task::StageRef;

/// One node, with all that the compiler's checks of a pipeline go by.
pub trait AnyNode: Sized {
    /// The stage's type.
    type Stage: Stage;
    /// Its role.
    type Role: Sides;
    /// The events that come in.
    type Take;
    /// The events that go out.
    type Give;
    /// The stage, or its part, that takes events in.
    type Front;
    /// The stage, or its part, that gives events out.
    type Back;

    /// The node to be wired, if the stage can run.
    fn ready(&mut self) -> Option<&mut Node<Self::Stage>>;

    /// The node's handle.
    fn handle(&self) -> StageRef<Self::Stage>;

    /// The stage to be started, if it can run.
    fn into_wired(self) -> Option<Wired>;
}

impl<S: Runnable<Role: Sides>> AnyNode for Node<S> {
    type Stage = S;
    type Role = S::Role;
    type Take = S::Take;
    type Give = S::Give;
    type Front = <S::Role as Role<S>>::Front;
    type Back = <S::Role as Role<S>>::Back;

    fn ready(&mut self) -> Option<&mut Self> {
        Some(self)
    }

    fn handle(&self) -> StageRef<S> {
        Self::handle(self)
    }

    fn into_wired(self) -> Option<Wired> {
        Some(Self::into_wired(self))
    }
}

/// A declared node: one stage, or its replicas.
pub trait Replicas {
    /// Each of them.
    type Node: AnyNode;
    /// What `app.name` is.
    type Handle;

    /// All of them.
    fn nodes(&mut self) -> &mut [Self::Node];

    /// Their handle.
    fn handle(&self) -> Self::Handle;

    /// Hands them over.
    fn into_nodes(self) -> impl Iterator<Item = Self::Node>;
}

impl<N: AnyNode> Replicas for N {
    type Node = N;
    type Handle = StageRef<N::Stage>;

    fn nodes(&mut self) -> &mut [N] {
        std::slice::from_mut(self)
    }

    fn handle(&self) -> StageRef<N::Stage> {
        AnyNode::handle(self)
    }

    fn into_nodes(self) -> impl Iterator<Item = N> {
        std::iter::once(self)
    }
}

/// The name of one of several replicas.
#[must_use]
pub fn replica_name(node: &str, index: usize) -> String {
    format!("{node}[{index}]")
}

/// Makes the nodes of replicas whose number is not known before.
pub fn replicas<N>(count: usize, replica: impl FnMut(usize) -> N) -> Vec<N> {
    (0..count).map(replica).collect()
}

impl<N: AnyNode> Replicas for Vec<N> {
    type Node = N;
    type Handle = Vec<StageRef<N::Stage>>;

    fn nodes(&mut self) -> &mut [N] {
        self
    }

    fn handle(&self) -> Vec<StageRef<N::Stage>> {
        self.iter().map(AnyNode::handle).collect()
    }

    fn into_nodes(self) -> impl Iterator<Item = N> {
        self.into_iter()
    }
}

/// Replicas whose number is known to the compiler. The nodes stand on the heap, however many they are.
pub struct Array<N, const COUNT: usize>(pub(super) Vec<N>);

/// Makes the nodes of so many replicas.
pub fn replica_array<N, const COUNT: usize>(replica: impl FnMut(usize) -> N) -> Array<N, COUNT> {
    Array(replicas(COUNT, replica))
}

impl<N: AnyNode, const COUNT: usize> Replicas for Array<N, COUNT> {
    type Node = N;
    type Handle = [StageRef<N::Stage>; COUNT];

    fn nodes(&mut self) -> &mut [N] {
        &mut self.0
    }

    fn handle(&self) -> [StageRef<N::Stage>; COUNT] {
        std::array::from_fn(|index| self.0[index].handle())
    }

    fn into_nodes(self) -> impl Iterator<Item = N> {
        self.0.into_iter()
    }
}
