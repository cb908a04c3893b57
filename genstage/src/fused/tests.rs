use futures_util::{StreamExt, TryStreamExt};

use super::Fused;
use crate::fused::handles;
use crate::prelude::*;
use crate::{Call, Cast, Error, ReplyTo, Subscribe, SubscribeError, filter, from_iter, map};

/// Emits what it is told to, and nothing of itself.
#[stage(producer, buffer_size = 3)]
#[derive(Default)]
struct Told {
    asked: Vec<usize>,
}

impl Producer for Told {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, _: &mut Context<Self>) -> Result {
        self.asked.push(demand);
        Ok(())
    }
}

impl Cast<Vec<u64>> for Told {
    async fn handle_cast(&mut self, events: Vec<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events);
        Ok(())
    }
}

/// What it was asked for since the last call.
struct Asked;

impl Call<Asked> for Told {
    type Reply = Vec<usize>;

    async fn handle_call(&mut self, _: Asked, reply: ReplyTo<Vec<usize>>, _: &mut Context<Self>) -> Result {
        reply.send(std::mem::take(&mut self.asked));
        Ok(())
    }
}

#[stage(producer_consumer)]
struct Fails;

impl ProducerConsumer for Fails {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Err(Error::msg("no"))
    }
}

#[tokio::test]
async fn a_source_is_asked_again_for_what_a_filter_left_out() {
    let stage = Fused::new(from_iter(0u64..10_000), filter(|n: &u64| n.is_multiple_of(97)));
    let stage = stage.spawn_as("all |> some");
    let some: Vec<_> =
        stage.into_stream(Subscribe::new().max_demand(1)).unwrap().try_collect().await.unwrap();
    assert_eq!(some, (0..10_000).step_by(97).collect::<Vec<_>>());
}

#[tokio::test]
async fn more_than_two() {
    let last = Fused::new(map(|n: u64| n * 2), map(|n: u64| n.to_string()));
    let stage = Fused::new(from_iter(0..3), last).spawn_as("a |> b |> c");
    let all: Vec<_> = stage.into_stream(Subscribe::new()).unwrap().try_collect().await.unwrap();
    assert_eq!(all, ["0", "2", "4"]);
}

#[tokio::test]
async fn each_part_has_a_handle() {
    let stage = Fused::new(Told::default(), filter(|n: &u64| n.is_multiple_of(2))).spawn_as("told |> even");
    let (told, even) = handles(&stage);
    assert_eq!((told.name(), even.name()), ("told", "even"));
    let refused = even.subscribe(&told, Subscribe::new()).await;
    assert_eq!(refused.unwrap_err(), SubscribeError::Fused);
    // Nobody has asked yet, and three of them is all that there is room for.
    told.cast(vec![0, 1, 2, 3, 4]).await.unwrap();
    assert_eq!(told.snapshot().await.unwrap().discarded, 2);
    let mut events = even.into_stream(Subscribe::new().max_demand(10)).unwrap();
    assert_eq!(events.next().await.unwrap().unwrap(), 2);
    assert_eq!(events.next().await.unwrap().unwrap(), 4);
    // Eight of ten are missing, and one more when this one has been left out.
    told.cast(vec![5]).await.unwrap();
    assert_eq!(told.call(Asked).await.unwrap(), [8, 1]);
    told.stop(crate::Reason::Normal).await;
    assert!(even.has_ended());
}

#[tokio::test]
async fn what_a_failing_part_had_is_lost() {
    let stage = Fused::new(from_iter(0u64..10), Fails).spawn_as("all |> fails");
    let events = stage.into_stream(Subscribe::new().max_demand(4)).unwrap();
    let all: Vec<_> = events.collect().await;
    assert!(matches!(&all[..], [Err(reason)] if reason.is_failure()), "{all:?}");
}
