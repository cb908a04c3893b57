use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{ChildSpec, GaveUp, Run, Shared, SuperviseError, SupervisedChild};
use crate::Reason;
use crate::children::{ChildId, Shutdown};
use crate::control::{Control, Remote};

/// What a supervisor is asked to do.
pub(super) enum Command {
    Start {
        number: usize,
        entry: Entry,
        run: Run,
        reply: oneshot::Sender<Result<(), SuperviseError>>,
    },
    /// The answer comes when the child has ended; none if there is no such child.
    Terminate(usize, oneshot::Sender<()>),
    Which(oneshot::Sender<Vec<SupervisedChild>>),
    Stop,
}

/// A child that runs, or waits to be begun anew.
pub(super) struct Entry {
    spec: ChildSpec,
    remote: Arc<dyn Remote>,
    control: Arc<Control>,
    /// Who waits for its end.
    terminated: Vec<oneshot::Sender<()>>,
}

impl Entry {
    pub(super) fn new(spec: ChildSpec, remote: Arc<dyn Remote>, control: Arc<Control>) -> Self {
        Self { spec, remote, control, terminated: Vec::new() }
    }

    /// Has the child end; what drops it when its time is up is given to `timers`.
    fn stop(&self, timers: &mut JoinSet<()>) {
        match self.spec.shutdown {
            Shutdown::Abort => self.control.stop(),
            Shutdown::Unbounded => self.remote.stop(Reason::Shutdown),
            Shutdown::After(time) => {
                self.remote.stop(Reason::Shutdown);
                let control = self.control.clone();
                timers.spawn(async move {
                    tokio::time::sleep(time).await;
                    control.stop();
                });
            }
        }
    }
}

/// The supervisor's task.
pub(super) struct Actor {
    commands: UnboundedReceiver<Command>,
    shared: Arc<Shared>,
    max_children: usize,
    /// In the order in which they were started.
    children: BTreeMap<usize, Entry>,
    tasks: JoinSet<usize>,
    timers: JoinSet<()>,
}

impl Actor {
    pub(super) fn new(
        commands: UnboundedReceiver<Command>,
        shared: Arc<Shared>,
        max_children: usize,
    ) -> Self {
        let (children, tasks, timers) = Default::default();
        Self { commands, shared, max_children, children, tasks, timers }
    }

    pub(super) async fn run(mut self) {
        let group = self.shared.group.clone();
        loop {
            tokio::select! {
                biased;
                () = group.failed() => break,
                command = self.commands.recv() => match command {
                    Some(Command::Stop) | None => break,
                    Some(command) => self.handle(command),
                },
                Some(ended) = self.tasks.join_next() => self.ended(ended.ok()),
            }
        }
        self.shut_down().await;
        let gave_up =
            |(child, reason): &(Arc<str>, Reason)| GaveUp { child: child.clone(), reason: reason.clone() };
        // Nobody else says so.
        let _ = self.shared.ended.set(group.failure().map(gave_up).map_or(Ok(()), Err));
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Start { number, entry, run, reply } => {
                // Whoever asked may have gone; the child stays.
                let _ = reply.send(self.start(number, entry, run));
            }
            Command::Terminate(number, reply) => {
                let Some(child) = self.children.get_mut(&number) else { return };
                if child.terminated.is_empty() {
                    child.stop(&mut self.timers);
                }
                child.terminated.push(reply);
            }
            Command::Which(reply) => {
                let child = |(&number, entry): (&usize, &Entry)| SupervisedChild {
                    id: ChildId::new(number),
                    name: entry.spec.name.clone(),
                };
                let _ = reply.send(self.children.iter().map(child).collect());
            }
            Command::Stop => {}
        }
    }

    fn start(&mut self, number: usize, entry: Entry, run: Run) -> Result<(), SuperviseError> {
        if self.children.len() >= self.max_children {
            return Err(SuperviseError::Full(self.max_children));
        }
        self.shared.group.join(number, entry.remote.clone());
        self.children.insert(number, entry);
        self.tasks.spawn(async move {
            run.await;
            number
        });
        Ok(())
    }

    /// A child has ended for good.
    fn ended(&mut self, number: Option<usize>) {
        let Some(number) = number else { return };
        self.shared.group.leave(number);
        if let Some(child) = self.children.remove(&number) {
            for waiting in child.terminated {
                let _ = waiting.send(());
            }
        }
        while self.timers.try_join_next().is_some() {}
    }

    /// Takes no more commands, and answers those that there are; whoever wanted a child started learns that nobody does any more. A
    /// command that is being sent at this very moment is waited for: dropped unread, it would be kept by whoever waits for its answer.
    async fn answer_the_last(&mut self) {
        self.commands.close();
        while let Some(command) = self.commands.recv().await {
            if !matches!(command, Command::Start { .. }) {
                self.handle(command);
            }
        }
    }

    /// Ends all children, one after the other, the last started first.
    async fn shut_down(&mut self) {
        self.answer_the_last().await;
        while let Some((&number, child)) = self.children.last_key_value() {
            child.stop(&mut self.timers);
            while self.children.contains_key(&number) {
                let Some(ended) = self.tasks.join_next().await else { return };
                self.ended(ended.ok());
            }
        }
    }
}
