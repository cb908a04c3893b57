use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::control::Control;
use crate::demand::Window;
use crate::machine::{Consumer, Producer};
use crate::role::{Runnable, Stage};
use crate::subscription::SubscriptionId;
use crate::summary::StageSummary;
use crate::task::{Address, Shell, StageRef, mailbox};
use crate::{Cancel, Reason};

/// A stage of a pipeline that has not been started.
pub struct Node<S: Stage> {
    shell: Shell<S>,
    address: Address<S>,
}

/// Makes a node of a stage.
pub fn node<S: Runnable>(name: &str, stage: S) -> S::Node {
    make(name.into(), stage)
}

/// Makes a node of one of several replicas.
pub fn replica<S: Runnable>(name: &str, index: usize, stage: S) -> S::Node {
    make(format!("{name}[{index}]").into(), stage)
}

fn make<S: Runnable>(name: Arc<str>, stage: S) -> Node<S> {
    let (address, mailbox) = mailbox();
    Node { shell: Shell::new(stage, name, mailbox), address }
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
        StageRef::new(self.shell.name().clone(), self.address.clone())
    }

    fn into_nodes(self) -> impl Iterator<Item = Node<S>> {
        std::iter::once(self)
    }
}

impl<S: Runnable, const N: usize> Replicas for [Node<S>; N] {
    type Stage = S;
    type Handle = [StageRef<S>; N];

    fn nodes(&mut self) -> &mut [Node<S>] {
        self
    }

    fn handle(&self) -> [StageRef<S>; N] {
        self.each_ref().map(Replicas::handle)
    }

    fn into_nodes(self) -> impl Iterator<Item = Node<S>> {
        self.into_iter()
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
    /// Subscribes a consumer. Both sides are values still, so a whole pipeline is wired before its first stage runs and
    /// no consumer misses the first events.
    pub(super) fn subscribe<C>(&mut self, consumer: &mut Node<C>, window: Window, cancel: Cancel)
    where
        C: Runnable<Take = S::Give>,
    {
        let id = SubscriptionId::next();
        let downstream = Consumer::new(Box::new(consumer.address.clone()), cancel);
        self.shell.machine.outlet.subscribe(id, downstream);
        let upstream = Producer::new(Box::new(self.address.clone()), window, cancel);
        consumer.shell.machine.inlet.subscribe(id, upstream);
    }
}

/// A stage that is ready to run, whatever its type.
pub(super) trait Launch: Send {
    /// Starts the stage's task.
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary>;

    /// The stage's name.
    fn name(&self) -> &Arc<str>;
}

impl<S: Runnable> Launch for Shell<S> {
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary> {
        runtime.spawn(run(*self, control.clone()))
    }

    fn name(&self) -> &Arc<str> {
        Shell::name(self)
    }
}

impl<S: Runnable> Node<S> {
    /// What is left of the node once it is wired: its address is with its neighbours.
    pub(super) fn into_launch(self) -> Box<dyn Launch> {
        Box::new(self.shell)
    }
}

/// Runs a stage to its end, or until the pipeline stops.
async fn run<S: Runnable>(mut shell: Shell<S>, control: Arc<Control>) -> StageSummary {
    let stop = control.stop.child_token();
    let reason = stop.run_until_cancelled(shell.drive()).await.unwrap_or(Reason::Shutdown);
    control.ended(shell.name(), &reason);
    let reason = shell.terminate(reason).await;
    control.ended(shell.name(), &reason);
    // The neighbours learn of a failure last: by then they are stopped, they have not failed themselves.
    shell.close(reason)
}
