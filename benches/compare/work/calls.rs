//! A call and its answer, one after the other.

use anyhow::Result;
use genstage::prelude::*;
use genstage::{Call, ReplyTo};
use ractor::RpcReplyPort;
use tokio::sync::{mpsc, oneshot};

use crate::measure::{Case, run};
use crate::rivals::ended;

pub(crate) fn cases(scale: u64) -> Vec<Case> {
    let calls = 200_000 / scale;
    vec![Case {
        work: "call round trip",
        window: 1,
        consumers: 1,
        events: calls,
        ours: run(move || ours(calls)),
        rivals: vec![
            ("tokio mpsc and oneshot", run(move || by_hand(calls))),
            ("ractor", run(move || ractor(calls))),
            ("kameo", run(move || kameo(calls))),
        ],
    }]
}

/// Answers each number with the next.
#[stage(consumer)]
#[derive(kameo::Actor)]
struct Successor;

impl Consumer for Successor {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> genstage::Result {
        Ok(())
    }
}

impl Call<u64> for Successor {
    type Reply = u64;

    async fn handle_call(&mut self, n: u64, reply: ReplyTo<u64>, _: &mut Context<Self>) -> genstage::Result {
        reply.send(n + 1);
        Ok(())
    }
}

async fn ours(calls: u64) -> Result<u64> {
    let successor = Successor.spawn();
    let mut n = 0;
    for _ in 0..calls {
        n = successor.call(n).await?;
    }
    Ok(n)
}

async fn by_hand(calls: u64) -> Result<u64> {
    let (sender, mut requests) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(1000);
    tokio::spawn(async move {
        while let Some((n, reply)) = requests.recv().await {
            // Whoever has asked may have gone.
            let _ = reply.send(n + 1);
        }
    });
    let mut n = 0;
    for _ in 0..calls {
        let (reply, answer) = oneshot::channel();
        sender.send((n, reply)).await?;
        n = answer.await?;
    }
    Ok(n)
}

impl ractor::Actor for Successor {
    type Msg = (u64, RpcReplyPort<u64>);
    type State = ();
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ractor::ActorRef<Self::Msg>,
        (): (),
    ) -> Result<(), ractor::ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<Self::Msg>,
        (n, reply): Self::Msg,
        (): &mut (),
    ) -> Result<(), ractor::ActorProcessingErr> {
        Ok(reply.send(n + 1)?)
    }
}

async fn ractor(calls: u64) -> Result<u64> {
    let (successor, task) = ractor::Actor::spawn(None, Successor, ()).await?;
    let mut n = 0;
    for _ in 0..calls {
        n = successor.call(|reply| (n, reply), None).await?.success_or_else(ended)?;
    }
    successor.stop(None);
    task.await?;
    Ok(n)
}

impl kameo::message::Message<u64> for Successor {
    type Reply = u64;

    async fn handle(&mut self, n: u64, _: &mut kameo::message::Context<Self, u64>) -> u64 {
        n + 1
    }
}

async fn kameo(calls: u64) -> Result<u64> {
    let successor = <Successor as kameo::actor::Spawn>::spawn(Successor);
    let mut n = 0;
    for _ in 0..calls {
        n = successor.ask(n).await?;
    }
    Ok(n)
}
