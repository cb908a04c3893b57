//! The end of an instance, and the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::instance::{Callback, Instance, Place, guarded};
use super::mailbox::{Message, WeakAddress};
use super::shell::{End, Shell};
use crate::Reason;
use crate::control::{Control, Remote};
use crate::machine::Origin;
use crate::restart::{Restart, pause};
use crate::role::Runnable;
use crate::telemetry;

/// What makes a stage's state, for replicas and restarts, and when it is made anew.
pub struct Recipe<S> {
    restart: Restart,
    make: Arc<Mutex<Make<S>>>,
}

type Make<S> = dyn FnMut() -> S + Send;

impl<S> Recipe<S> {
    /// The node's expression, in a closure that owns what it needs.
    pub fn new(restart: Restart, make: impl FnMut() -> S + Send + 'static) -> Self {
        Self { restart, make: Arc::new(Mutex::new(make)) }
    }

    pub(crate) fn restart(&self) -> Restart {
        self.restart
    }

    pub(crate) fn make(&self) -> S {
        (self.make.lock())()
    }
}

impl<S> Clone for Recipe<S> {
    fn clone(&self) -> Self {
        Self { restart: self.restart, make: self.make.clone() }
    }
}

/// A stage that can be begun anew.
pub(crate) struct Restartable<S> {
    recipe: Recipe<S>,
    /// Its number in the pipeline, for the strategy.
    pub(crate) number: usize,
}

impl<S> Restartable<S> {
    pub(crate) fn new(recipe: Recipe<S>) -> Self {
        Self { recipe, number: 0 }
    }

    pub(super) fn into_recipe(self) -> Recipe<S> {
        self.recipe
    }

    /// Whether the stage is begun anew. One that is drained has ended well when it ends normally.
    fn wants(&self, origin: Origin, reason: &Reason, draining: bool) -> bool {
        match origin {
            Origin::Strategy => true,
            Origin::Others => false,
            Origin::Itself => self.recipe.restart.wants(reason) && (reason.is_failure() || !draining),
        }
    }
}

impl<S: Runnable> Shell<S> {
    /// When the stage is begun anew.
    pub(crate) fn restart(&self) -> Restart {
        self.restartable.as_ref().map_or(Restart::Never, |restartable| restartable.recipe.restart)
    }

    /// Numbers the stage among those of its pipeline; how to reach it.
    pub(crate) fn number(&mut self, number: usize) -> Arc<dyn Remote> {
        if let Some(restartable) = &mut self.restartable {
            restartable.number = number;
        }
        Arc::new(self.this.clone())
    }

    /// One instance after the other, until there is to be no more.
    pub(super) async fn live(&mut self, control: &Control) -> Reason {
        let mut end = None;
        loop {
            let (reason, origin) = match end.take() {
                Some(end) => end,
                None => self.drive_unless_stopped(control).await,
            };
            let wait = self.next_after(&(reason.clone(), origin), control);
            let reason = match wait {
                Some(_) => reason,
                None => {
                    self.shut_down_children().await;
                    self.let_go(reason)
                }
            };
            let reason = self.terminate(reason).await;
            let Some(wait) = wait else { return reason };
            self.bury();
            if control.unless_stopped(pause(wait)).await.is_none() {
                self.shut_down_children().await;
                return Reason::Shutdown;
            }
            end = self.renew().err().map(|reason| (reason, Origin::Itself));
        }
    }

    async fn drive_unless_stopped(&mut self, control: &Control) -> End {
        let end = {
            // Pinned here: what goes into an `async fn` is kept twice, as it came and as it runs.
            let driven = pin!(self.drive());
            control.unless_stopped(driven).await
        };
        match end {
            Some(end) => end,
            None => (self.stopped().await, Origin::Others),
        }
    }

    /// How long to wait before the next instance; none if there is to be none.
    fn next_after(&mut self, end: &End, control: &Control) -> Option<Duration> {
        let cause = self.cause.take();
        self.culprit = self.place.culprit().filter(|_| end.1 == Origin::Itself);
        let reason = cause.as_ref().unwrap_or(&end.0);
        let draining = self.machine.is_draining();
        let wanted = |restartable: &&Restartable<S>| restartable.wants(end.1, reason, draining);
        let wait = match self.restartable.as_ref().filter(wanted) {
            Some(_) if end.1 == Origin::Strategy => return Some(Duration::ZERO),
            Some(restartable) => control.group.restart(restartable.number),
            None if cause.is_none() => return None,
            None => None,
        };
        match wait {
            Some(_) => telemetry::begun_anew(self.name(), reason),
            // Whatever the reason is, it was one too many.
            None => control.failed(self.culprit(), reason),
        }
        wait
    }

    /// Ends the children of the instance, or of the last one.
    async fn shut_down_children(&mut self) {
        let here = self.place.here().and_then(|instance| instance.cx.children.take());
        let Some(mut children) = self.children.take().or(here) else { return };
        children.shut_down().await;
        self.lost += children.lost;
    }

    /// The pipeline has stopped; the reason to end for. A callback that blocks is not interrupted: what it does counts, and so
    /// does its failure.
    async fn stopped(&mut self) -> Reason {
        let Place::Away(_) = self.place else { return Reason::Shutdown };
        // Nothing more is asked for.
        self.machine.finish(Origin::Others);
        let come_back = async {
            let outcome = self.place.come_back().await?;
            self.called(outcome);
            Ok(())
        };
        match guarded(come_back).await {
            Ok(Ok(())) => Reason::Shutdown,
            Ok(Err(failed)) | Err(failed) => failed,
        }
    }

    /// Drops what is buffered: nobody gets it any more, and `terminate` may wait for what becomes of it.
    fn let_go(&mut self, reason: Reason) -> Reason {
        let outlet = &mut self.machine.outlet;
        match catch_unwind(AssertUnwindSafe(|| outlet.discard_buffered())) {
            Err(payload) if !reason.is_failure() => Reason::from_panic(&*payload),
            _ => reason,
        }
    }

    /// Lets the state clean up; why the stage has ended after all.
    async fn terminate(&mut self, reason: Reason) -> Reason {
        if let Place::Gone = self.place {
            return reason;
        }
        let terminate = self.place.call(Callback::Terminate(reason.clone()), &self.shared);
        match guarded(terminate).await {
            Ok(Err(failed)) | Err(failed) if !reason.is_failure() => {
                self.culprit = self.place.culprit();
                failed
            }
            _ => reason,
        }
    }

    /// Drops the instance that has ended, if there was one, and what its last callback had emitted. Its children stay.
    fn bury(&mut self) {
        self.lost += self.place.emitted() + self.place.held();
        if let Some(Instance { cx, .. }) = self.place.here() {
            self.children = cx.children.take();
        }
        let instance = std::mem::replace(&mut self.place, Place::Gone);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(instance)));
        let emptied = catch_unwind(AssertUnwindSafe(|| self.machine.inlet.clear_batch()));
        if dropped.and(emptied).is_err() {
            telemetry::panicked_in_drop(self.name());
        }
    }

    /// Puts a new instance in the place of the one that has ended.
    fn renew(&mut self) -> Result<(), Reason> {
        let Some(restartable) = &self.restartable else { return Err(Reason::Killed) };
        let state = catch_unwind(AssertUnwindSafe(|| restartable.recipe.make()))
            .map_err(|payload| Reason::from_panic(&*payload))?;
        let mut instance = Instance::new(state, self.this.clone());
        instance.cx.children = self.children.take();
        self.place = Place::Here(instance);
        self.restarts += 1;
        self.lost += self.machine.handling();
        self.machine.renew();
        Ok(())
    }
}

impl<S: Runnable> WeakAddress<S> {
    fn control(&self, control: impl FnOnce(&mut Shell<S>) + Send + 'static) {
        if let Some(address) = self.upgrade() {
            let _ = address.sender.send(Message::Control(Box::new(control)));
        }
    }
}

impl<S: Runnable> Remote for WeakAddress<S> {
    fn rebuild(&self) {
        self.control(|shell| {
            if shell.restart().is_possible() {
                shell.machine.end_with(Reason::Shutdown, Origin::Strategy);
            }
        });
    }

    fn drain(&self) {
        self.control(|shell| shell.machine.drain());
    }

    fn stop(&self, reason: Reason) {
        self.control(move |shell| shell.machine.end_with(reason, Origin::Others));
    }
}
