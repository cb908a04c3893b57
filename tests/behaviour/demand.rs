//! Demand arithmetic on whole pipelines: GenStage's numbers.

use genstage::prelude::*;

use crate::stages::{Collect, Counter};

/// The demands that a counter sees and the sizes of the batches that a consumer sees.
async fn play(end: u64, max: usize, min: usize) -> (Vec<usize>, Vec<usize>) {
    let (source, sink) = (Counter::below(end), Collect::<u64>::new());
    let (demands, batches) = (source.demands.clone(), sink.batches.clone());
    pipeline! {
        source = source;
        sink = sink;
        source => sink [max_demand: max, min_demand: min];
    }
    .run()
    .await
    .unwrap();
    (demands.take(), batches.take().iter().map(Vec::len).collect())
}

/// Line 1 of the catalogue.
#[tokio::test]
async fn c001_defaults() {
    let (source, sink) = (Counter::below(2500), Collect::<u64>::new());
    let (demands, batches) = (source.demands.clone(), sink.batches.clone());
    pipeline! { source = source; sink = sink; source => sink; }.run().await.unwrap();
    assert_eq!(demands.take(), [1000, 500, 500, 500]);
    let batches = batches.take();
    assert_eq!(batches[0], (0..500).collect::<Vec<_>>());
    assert_eq!(batches[1], (500..1000).collect::<Vec<_>>());
    assert!(batches.iter().all(|batch| batch.len() == 500));
}

/// Line 2 of the catalogue.
#[tokio::test]
async fn c002_a_window_of_100_and_80() {
    let (demands, batches) = play(200, 100, 80).await;
    assert_eq!(demands, [100, 20, 20, 20, 20, 20]);
    assert!(batches.iter().all(|&size| size == 20));
}

/// Line 4 of the catalogue.
#[tokio::test]
async fn c004_one_at_a_time() {
    let (demands, batches) = play(4, 1, 0).await;
    assert_eq!((demands, batches), (vec![1; 4], vec![1; 4]));
}

/// Lines 9 and 10 of the catalogue: what a producer-consumer's batches and its consumer's are at first.
#[tokio::test]
async fn c009_c010_through_a_producer_consumer() {
    for (min, expected) in [(80, [100, 20, 20]), (20, [100, 80, 100])] {
        let (source, sink) = (Counter::below(1000), Collect::<u64>::new());
        let (demands, batches) = (source.demands.clone(), sink.batches.clone());
        pipeline! {
            source = source;
            sink = sink;
            source => flat_map(|n: u64| [n, n]) [max_demand: 100, min_demand: min] => sink [max_demand: 50, min_demand: 25];
        }
        .run()
        .await
        .unwrap();
        assert_eq!(demands.take()[..3], expected);
        let batches = batches.take();
        assert_eq!(batches[0], (0..25).map(|n| n / 2).collect::<Vec<_>>());
        assert!(batches.concat().into_iter().eq((0..1000).flat_map(|n| [n, n])));
    }
}

#[tokio::test]
async fn the_stages_own_window_holds_where_the_edge_states_none() {
    #[stage(consumer, max_demand = 8, min_demand = 6)]
    struct Careful;

    impl Consumer for Careful {
        type Event = u64;

        async fn handle_events(&mut self, events: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
            assert!(events.len() <= 2);
            Ok(())
        }
    }

    let source = Counter::below(16);
    let demands = source.demands.clone();
    pipeline! { source = source; source => careful; careful = Careful; }.run().await.unwrap();
    assert_eq!(demands.take(), [8, 2, 2, 2, 2]);

    let source = Counter::below(4);
    let demands = source.demands.clone();
    pipeline! { source = source; source => careful [max_demand: 2]; careful = Careful; }.run().await.unwrap();
    assert_eq!(demands.take(), [2, 1, 1], "`max_demand` on the edge replaces the whole window");
}
