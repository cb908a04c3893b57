use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::graph::{EdgeName, GraphEdge, GraphNode};
use crate::control::{Control, Remote};
use crate::demand::WindowError;
use crate::dispatch::{Consumer, Dispatcher, NotDispatched};
use crate::machine::Producer;
use crate::role::{Runnable, Stage};
use crate::snapshot::{Snapshot, plain_type_name};
use crate::subscription::{DispatchOptions, Subscribe, Subscription};
use crate::summary::StageSummary;
use crate::task::{Address, Recipe, Restartable, Shell, StageRef, mailbox};
use crate::{Cancel, Refusal};

/// A stage of a pipeline that has not been started.
pub struct Node<S: Stage> {
    shell: Shell<S>,
    address: Address<S>,
}

/// Makes a node of a stage.
pub fn node<S: Runnable>(name: &str, stage: S) -> S::Node {
    make(name.into(), stage, None)
}

/// Makes a node of one of several replicas.
pub fn replica<S: Runnable>(name: &str, index: usize, stage: S) -> S::Node {
    make(format!("{name}[{index}]").into(), stage, None)
}

/// Makes a node of a stage that can be begun anew.
pub fn restartable<S: Runnable>(name: &str, recipe: &Recipe<S>) -> S::Node {
    make(name.into(), recipe.make(), Some(recipe.clone()))
}

/// Makes a node of one of several replicas that can be begun anew.
pub fn restartable_replica<S: Runnable>(name: &str, index: usize, recipe: &Recipe<S>) -> S::Node {
    make(format!("{name}[{index}]").into(), recipe.make(), Some(recipe.clone()))
}

fn make<S: Runnable>(name: Arc<str>, stage: S, recipe: Option<Recipe<S>>) -> Node<S> {
    let (address, mailbox) = mailbox(name, stage.options());
    let shell = Shell::new(stage, mailbox, address.downgrade(), recipe.map(Restartable::new));
    Node { shell, address }
}

/// Makes the nodes of replicas whose number is not known before.
pub fn replicas<N>(count: usize, replica: impl FnMut(usize) -> N) -> Vec<N> {
    (0..count).map(replica).collect()
}

/// A declared node: one stage, or its replicas.
pub trait Replicas {
    /// The stages' type.
    type Stage: Runnable;
    /// What `app.name` is.
    type Handle;

    /// All stages of the node.
    fn nodes(&mut self) -> &mut [Node<Self::Stage>];

    /// The node's handle.
    fn handle(&self) -> Self::Handle;

    /// Hands the stages over.
    fn into_nodes(self) -> impl Iterator<Item = Node<Self::Stage>>;
}

impl<S: Runnable> Replicas for Node<S> {
    type Stage = S;
    type Handle = StageRef<S>;

    fn nodes(&mut self) -> &mut [Node<S>] {
        std::slice::from_mut(self)
    }

    fn handle(&self) -> StageRef<S> {
        StageRef::new(self.address.clone())
    }

    fn into_nodes(self) -> impl Iterator<Item = Node<S>> {
        std::iter::once(self)
    }
}

/// Replicas whose number is known to the compiler. The nodes stand on the heap, however many they are.
pub struct Array<N, const COUNT: usize>(Vec<N>);

/// Makes the nodes of so many replicas.
pub fn replica_array<N, const COUNT: usize>(replica: impl FnMut(usize) -> N) -> Array<N, COUNT> {
    Array(replicas(COUNT, replica))
}

impl<S: Runnable, const COUNT: usize> Replicas for Array<Node<S>, COUNT> {
    type Stage = S;
    type Handle = [StageRef<S>; COUNT];

    fn nodes(&mut self) -> &mut [Node<S>] {
        &mut self.0
    }

    fn handle(&self) -> [StageRef<S>; COUNT] {
        std::array::from_fn(|index| self.0[index].handle())
    }

    fn into_nodes(self) -> impl Iterator<Item = Node<S>> {
        self.0.into_iter()
    }
}

impl<S: Runnable> Replicas for Vec<Node<S>> {
    type Stage = S;
    type Handle = Vec<StageRef<S>>;

    fn nodes(&mut self) -> &mut [Node<S>] {
        self
    }

    fn handle(&self) -> Vec<StageRef<S>> {
        self.iter().map(Replicas::handle).collect()
    }

    fn into_nodes(self) -> impl Iterator<Item = Node<S>> {
        self.into_iter()
    }
}

impl<S: Runnable> Node<S> {
    /// Subscribes a consumer, the `replica`th of its node. Both sides are values still, so a whole pipeline is wired before
    /// its first stage runs and no consumer misses the first events.
    pub(super) fn subscribe<C, T, O>(
        &mut self,
        edge: &EdgeName,
        consumer: &mut Node<C>,
        replica: usize,
        options: Subscribe<O>,
    ) -> Result<(), Refusal>
    where
        S: Runnable<Give = T, Dispatcher: Dispatcher<T>>,
        C: Runnable<Take = T>,
        O: DispatchOptions<<S::Dispatcher as Dispatcher<T>>::Options>,
        T: Send + 'static,
    {
        let refusal = |error| Refusal::Demand { edge: edge.to_string(), error };
        let window = options.window(&consumer.address.shared.options).map_err(refusal)?;
        let cancel = options.cancel.unwrap_or(Cancel::Complete);
        let (ours, theirs) = Subscription::pair(self.shell.name(), consumer.shell.name());
        let downstream =
            Consumer::new(Box::new(consumer.address.clone()), cancel).of(consumer.address.shared.id);
        let added = self.shell.machine.add_consumer(ours, downstream, options.options.into_options(replica));
        added.map_err(|error| Refusal::Dispatch { edge: edge.to_string(), error })?;
        let upstream = Producer { port: Box::new(self.address.clone()), window, cancel };
        consumer.shell.machine.add_producer(theirs, upstream);
        Ok(())
    }
}

impl<S: Runnable> Node<S> {
    /// An edge to this stage, as part of the graph.
    pub(super) fn edge<O>(&self, name: &EdgeName, options: &Subscribe<O>) -> Result<GraphEdge, WindowError> {
        let window = options.window(&self.address.shared.options)?;
        let cancel = options.cancel.unwrap_or_default();
        Ok(name.clone().with(window.bounds(), cancel))
    }

    /// The stage, or `replicas` of it, as part of the graph.
    pub(super) fn draw(&self, name: &str, replicas: usize) -> GraphNode {
        let Snapshot { role, dispatcher, .. } = self.shell.snapshot();
        GraphNode {
            name: name.to_owned(),
            stage: plain_type_name::<S>(),
            role,
            replicas,
            dispatcher,
            restart: self.shell.restart(),
            blocking: self.address.shared.options.blocking,
            open: self.shell.machine.outlet.is_open,
        }
    }

    /// Others may subscribe to the stage later: it does not end with its last consumer.
    pub(super) fn open(&mut self) {
        self.shell.machine.outlet.is_open = true;
    }

    /// Whether there is somebody for all events.
    pub(super) fn check(&self) -> Result<(), NotDispatched> {
        self.shell.machine.outlet.dispatcher.check()
    }
}

/// A stage that is ready to run, whatever its type.
pub(super) trait Launch: Send {
    /// Starts the stage's task.
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary>;

    /// The stage's name.
    fn name(&self) -> &Arc<str>;

    /// Numbers the stage; how to reach it.
    fn number(&mut self, number: usize) -> Arc<dyn Remote>;
}

impl<S: Runnable> Launch for Shell<S> {
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary> {
        runtime.spawn((*self).run(control.clone()))
    }

    fn name(&self) -> &Arc<str> {
        Shell::name(self)
    }

    fn number(&mut self, number: usize) -> Arc<dyn Remote> {
        Shell::number(self, number)
    }
}

impl<S: Runnable> Node<S> {
    /// What is left of the node once it is wired: its address is with its neighbours.
    pub(super) fn into_launch(self) -> Box<dyn Launch> {
        Box::new(self.shell)
    }
}
