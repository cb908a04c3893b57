//! Whoever asks a supervisor is answered, also while it ends.

use genstage::prelude::*;
use genstage::{ChildId, ChildSpec, Error, Reason, Restart, Shutdown, Stopping, Strategy, Supervisor};

use crate::book::Book;
use crate::check;
use crate::stages::Source;

/// Waits until it is to end.
async fn patient(supervisor: &Supervisor) -> Option<ChildId> {
    let spec = ChildSpec::new("patient");
    let start = supervisor.start_task(spec, |stopping| async move {
        stopping.requested().await;
        Ok(())
    });
    start.await.ok()
}

async fn asked_while_it_ends(_: Book) {
    let supervisor = Supervisor::builder().start();
    let child = patient(&supervisor).await.expect("it has not been told to end");
    let starts = tokio::spawn({
        let supervisor = supervisor.clone();
        async move { patient(&supervisor).await }
    });
    let looks = tokio::spawn({
        let supervisor = supervisor.clone();
        async move { supervisor.count_children().await }
    });
    let terminates = tokio::spawn({
        let supervisor = supervisor.clone();
        async move { supervisor.terminate_child(child).await }
    });
    supervisor.stop().await.expect("nothing has failed");
    assert!(looks.await.expect("no panic") <= 2);
    let _ = (starts.await.expect("no panic"), terminates.await.expect("no panic"));
    assert_eq!(supervisor.count_children().await, 0);
}

#[test]
fn a_supervisor_answers_while_it_ends() {
    check(asked_while_it_ends);
}

/// A child that fails once, and waits to be ended then.
async fn fails_once(stopping: Stopping, failed: bool) -> Result {
    if !failed {
        return Err(Error::msg("once"));
    }
    stopping.requested().await;
    Ok(())
}

#[test]
fn a_supervisor_that_rebuilds_while_it_ends() {
    check(async |book: Book| {
        let supervisor = Supervisor::builder().strategy(Strategy::OneForAll).start();
        let spec = |name| ChildSpec::new(name).restart(Restart::OnFailure).shutdown(Shutdown::Unbounded);
        let (_, source) = supervisor
            .start_stage(spec("source"), move || Source::endless(&book))
            .await
            .expect("it has not been told to end");
        let mut lives = 0..;
        let starts = supervisor
            .start_task(spec("task"), move |stopping| fails_once(stopping, lives.next() != Some(0)))
            .await;
        let child = starts.expect("it has not been told to end");
        let terminating = supervisor.clone();
        let terminates = tokio::spawn(async move { terminating.terminate_child(child).await });
        supervisor.stop().await.expect("once is not too often");
        let _ = terminates.await.expect("no panic");
        assert!(source.has_ended());
    });
}

#[test]
fn a_supervisor_that_nobody_has_any_more() {
    check(async |book: Book| {
        let supervisor = Supervisor::builder().start();
        let spec = ChildSpec::new("source").shutdown(Shutdown::Unbounded);
        let (_, source) = supervisor
            .start_stage(spec, move || Source::endless(&book))
            .await
            .expect("it has not been told to end");
        let clone = supervisor.clone();
        let drops = tokio::spawn(async move { drop(clone) });
        drop(supervisor);
        drops.await.expect("no panic");
        assert!(matches!(source.ended().await, Reason::Shutdown));
    });
}

#[test]
fn a_child_that_asks_its_supervisor_while_that_ends() {
    check(async |_: Book| {
        let supervisor = Supervisor::builder().start();
        let asked = supervisor.clone();
        let spec = ChildSpec::new("curious").shutdown(Shutdown::Unbounded);
        let start = supervisor.start_task(spec, move |stopping| {
            let asked = asked.clone();
            async move {
                asked.count_children().await;
                stopping.requested().await;
                Ok(())
            }
        });
        start.await.expect("it has not been told to end");
        supervisor.stop().await.expect("nothing has failed");
    });
}
