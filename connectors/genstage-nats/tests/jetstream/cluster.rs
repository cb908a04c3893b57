//! Exchanges on three servers that are one.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::stream::ClusterInfo;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use genstage::prelude::*;
use genstage::remote::Delivered;
use genstage_nats::{Codec, Exchange, Shared};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::numbers::{LONG, PAUSE, Taking, context, open, shared, take, unsettled};
use crate::server::{Cluster, Server};

/// For how long to wait for an answer that may not come.
const SOON: Duration = Duration::from_secs(1);

/// With a bound, where the servers can do that.
async fn replicated(server: &Server) -> Exchange<Shared> {
    let exchange = shared(server).await.replicas(3).ack_wait(Duration::from_secs(3));
    let client = async_nats::connect(&server.url).await.unwrap();
    if client.is_server_compatible(2, 12, 0) { exchange.bounded(1000) } else { exchange }
}

/// Numbers that are put in when they are sent.
fn numbers() -> (UnboundedSender<u64>, impl Stream<Item = u64> + Send + 'static) {
    let (to, mut numbers) = unbounded_channel();
    (to, poll_fn(move |cx| numbers.poll_recv(cx)))
}

/// Waits until they are one: before, they refuse, or do not answer.
async fn form(cluster: &Cluster) {
    let exchange = replicated(&cluster.servers[0]).await;
    let formed = async {
        while !matches!(timeout(SOON, exchange.clone().open::<u64>(Codec::Json)).await, Ok(Ok(_))) {
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, formed).await.expect("they do not become one");
}

/// What they say of the stream when all three have it.
async fn whole(server: &Server) -> ClusterInfo {
    let context = context(server).await;
    let has_all = async {
        loop {
            if let Ok(Ok(stream)) = timeout(SOON, context.get_stream("numbers")).await
                && let Some(three) = &stream.cached_info().cluster
                && three.leader.is_some()
                && three.replicas.iter().filter(|one| one.current && !one.offline).count() == 2
            {
                return three.clone();
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    timeout(LONG, has_all).await.expect("they are not three")
}

/// Takes until all that is left has come, and the servers know that each is done with.
async fn take_all(taking: &mut Taking, mut left: HashSet<u64>, server: &Server) {
    while !left.is_empty() {
        let event = taking.next().await;
        left.remove(&event);
        event.done();
    }
    let settled = async {
        while unsettled(server, "group").await > 0 {
            let again = timeout(Duration::from_millis(100), taking.events.recv()).await;
            again.into_iter().flatten().for_each(Delivered::done);
        }
    };
    timeout(LONG, settled).await.expect("messages are left");
}

/// The leader of what is stored is killed in the middle: nothing is lost, and it becomes one of three again. Then it is needed,
/// because its successor is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_whose_leader_is_killed() {
    let mut cluster = Cluster::start();
    form(&cluster).await;
    for round in 0..2 {
        let leader = whole(&cluster.servers[0]).await.leader.unwrap();
        // Everything goes by the one that is killed.
        let hub = open(replicated(cluster.server(&leader)).await).await;
        let (sink, (to, numbers)) = (hub.sink().id(|n| *n), numbers());
        let putting =
            pipeline! { sink = sink; source = from_stream(numbers); source => sink [max_demand: 100]; }
                .start()
                .unwrap();
        let mut put = (round * 5000..(round + 1) * 5000).map(|n| to.send(n).map(|()| n).unwrap());
        let mut left: HashSet<u64> = put.by_ref().take(3000).collect();
        let mut taking = take(&hub, "group");
        for taken in taking.done(500).await {
            left.remove(&taken);
        }
        cluster.server(&leader).crash();
        left.extend(put);
        drop(to);
        let witness = cluster.servers.iter().find(|server| !server.is_called(&leader)).unwrap();
        take_all(&mut taking, left, witness).await;
        putting.join().await.unwrap();
        taking.ends().await;
        cluster.server(&leader).restart();
        whole(cluster.server(&leader)).await;
    }
}
