use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::graph::{EdgeName, GraphEdge, GraphNode};
use crate::control::{Control, Remote};
use crate::demand::WindowError;
use crate::dispatch::{Consumer, Dispatcher, NotDispatched};
use crate::fused::{self, Fused};
use crate::machine::Producer;
use crate::role::{Role, Runnable, Stage};
use crate::snapshot::{Snapshot, plain_type_name};
use crate::subscription::{DispatchOptions, Subscribe, Subscription};
use crate::summary::StageSummary;
use crate::task::{Address, Recipe, Restartable, Shell, StageRef, mailbox};
use crate::watch::Observed;
use crate::{Cancel, Refusal};

/// A stage of a pipeline that has not been started.
pub struct Node<S: Stage> {
    shell: Shell<S>,
    address: Address<S>,
}

pub(super) fn make<S: Runnable>(name: Arc<str>, stage: S, recipe: Option<Recipe<S>>) -> Node<S> {
    let (address, mailbox) = mailbox(name, stage.options());
    let shell = Shell::new(stage, mailbox, address.downgrade(), recipe.map(Restartable::new));
    Node { shell, address }
}

impl<S: Runnable> Node<S> {
    /// Subscribes a consumer, the `replica`th of its node. Both sides are values still, so a whole pipeline is wired before
    /// its first stage runs and no consumer misses the first events. The subscription as the producer sees it.
    pub(super) fn subscribe<C, T, O>(
        &mut self,
        edge: &EdgeName,
        consumer: &mut Node<C>,
        replica: usize,
        options: Subscribe<O>,
    ) -> Result<Subscription, Refusal>
    where
        S: Runnable<Give = T, Dispatcher: Dispatcher<T>>,
        C: Runnable<Take = T>,
        O: DispatchOptions<<S::Dispatcher as Dispatcher<T>>::Options>,
        T: Send + 'static,
    {
        let refusal = |error| Refusal::Demand { edge: edge.to_string(), error };
        let window = options.window(&consumer.address.shared.options).map_err(refusal)?;
        let cancel = options.cancel.unwrap_or(Cancel::Complete);
        let (ours, theirs) = Subscription::pair(self.shell.name(), consumer.shell.name(), window.bounds().0);
        let upstream = Producer { port: options.way(self.address.clone()), window, cancel };
        let downstream =
            Consumer::new(Box::new(consumer.address.clone()), cancel).of(consumer.address.shared.id);
        let options = options.options.into_options(replica);
        let added = self.shell.machine.add_consumer(ours.clone(), downstream, options);
        added.map_err(|error| Refusal::Dispatch { edge: edge.to_string(), error })?;
        consumer.shell.machine.add_producer(theirs, upstream);
        Ok(ours)
    }

    pub(super) fn name(&self) -> &Arc<str> {
        self.shell.name()
    }

    /// An edge to this stage, as part of the graph.
    pub(super) fn edge<O>(&self, name: &EdgeName, options: &Subscribe<O>) -> Result<GraphEdge, WindowError> {
        let window = options.window(&self.address.shared.options)?;
        let cancel = options.cancel.unwrap_or_default();
        Ok(name.clone().with(window.bounds(), options.rate, cancel))
    }

    /// This stage and that one as one, which begins anew if they do.
    pub(super) fn fuse<B: Runnable<Take = S::Give>>(self, second: Node<B>) -> Node<Fused<S, B>> {
        let name = fused::name(self.shell.name(), second.shell.name());
        let ((first, make_first), (second, make_second)) = (self.shell.undo(), second.shell.undo());
        let recipe = make_first.zip(make_second).map(|(first, second)| {
            Recipe::new(first.restart(), move || Fused::new(first.make(), second.make()))
        });
        make(name, Fused::new(first, second), recipe)
    }

    pub(super) fn handle(&self) -> StageRef<S> {
        StageRef::new(self.address.clone())
    }

    /// What is left of the node: its address is with its neighbours.
    pub(super) fn into_wired(self) -> Wired {
        Wired(Box::new(self.shell))
    }
}

/// A stage that is wired.
pub struct Wired(pub(super) Box<dyn Launch>);

/// A stage that is ready to run, whatever its type.
pub(super) trait Launch: Send {
    /// Starts the stage's task.
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary>;

    /// The stage's name.
    fn name(&self) -> &Arc<str>;

    /// Numbers the stage; how to reach it.
    fn number(&mut self, number: usize) -> Arc<dyn Remote>;

    /// How to see what it does.
    fn observe(&self) -> Arc<dyn Observed>;

    /// Others may subscribe to the stage later: it does not end with its last consumer.
    fn open(&mut self);

    /// Whether there is somebody for all events.
    fn check(&self) -> Result<(), NotDispatched>;

    /// The stage, or `replicas` of it, as part of the graph.
    fn draw(&self, name: &str, replicas: usize) -> GraphNode;
}

impl<S: Runnable> Launch for Shell<S> {
    fn launch(self: Box<Self>, runtime: &Handle, control: &Arc<Control>) -> JoinHandle<StageSummary> {
        // One type of task for all stages: the runtime's part of it is compiled once, and not for each.
        let task: Pin<Box<dyn Future<Output = StageSummary> + Send>> = Box::pin(self.run(control.clone()));
        runtime.spawn(task)
    }

    fn name(&self) -> &Arc<str> {
        Shell::name(self)
    }

    fn number(&mut self, number: usize) -> Arc<dyn Remote> {
        Shell::number(self, number)
    }

    fn observe(&self) -> Arc<dyn Observed> {
        Arc::new(self.this.clone())
    }

    fn open(&mut self) {
        self.machine.outlet.is_open = true;
    }

    fn check(&self) -> Result<(), NotDispatched> {
        self.machine.outlet.dispatcher.check()
    }

    fn draw(&self, name: &str, replicas: usize) -> GraphNode {
        let Snapshot { role, dispatcher, .. } = self.snapshot();
        let types = S::Role::parts();
        GraphNode {
            name: name.to_owned(),
            stage: types.first().copied().unwrap_or_else(plain_type_name::<S>),
            parts: GraphNode::parts(name, &types),
            role,
            replicas,
            dispatcher,
            restart: self.restart(),
            blocking: self.is_blocking(),
            open: self.machine.outlet.is_open,
        }
    }
}
