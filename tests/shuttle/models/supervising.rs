//! Whoever asks a supervisor is answered, also while it ends.

use genstage::{ChildSpec, Supervisor};

use crate::book::Book;
use crate::check;

/// Waits until it is to end.
async fn patient(supervisor: &Supervisor) -> Option<genstage::ChildId> {
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
