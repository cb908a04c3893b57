//! However a pipeline ends, its summary says what became of every event.

use std::sync::Arc;

use genstage::prelude::*;
use genstage::testing::settle;
use genstage::{Failure, Reason, StageSummary, Summary};
use proptest::prelude::*;

use crate::doom::{Doom, Fate};
use crate::events::Tally;
use crate::runtime::{on_one_thread, on_two_threads};
use crate::stages::{Leaf, Made, Middle, Notes, Source};
use crate::topology::{Answer, Dispatch, Kind, OutputSpec, Partitions, StageSpec, topology, window};

/// Three layers, each stage subscribed to all of the layer before; and how each stage comes to its end.
#[derive(Clone, Debug)]
struct Layers {
    stages: Vec<(Kind, Doom)>,
    windows: [(usize, usize); 2],
}

/// The stages of a pipeline, and the tallies of those that emit.
#[derive(Default)]
struct Cast {
    sources: Vec<Source>,
    middles: Vec<Middle>,
    leaves: Vec<Leaf>,
    tallies: Vec<Arc<Tally>>,
}

impl Layers {
    fn cast(&self) -> Cast {
        let mut cast = Cast::default();
        for (number, (kind, doom)) in self.stages.iter().enumerate() {
            let tally = Arc::new(Tally::default());
            let mut made = kind.make(number, &Notes::default(), &tally);
            made.common().doom = doom.clone();
            match made {
                Made::Source(source) => cast.sources.push(Source { finishes: true, ..source }),
                Made::Middle(middle) => cast.middles.push(middle),
                Made::Leaf(leaf) => cast.leaves.push(leaf),
            }
            cast.tallies.push(tally);
        }
        cast
    }

    /// Runs the pipeline to its end; its summary, and what the tallies say.
    async fn run(&self) -> (Summary, Vec<Arc<Tally>>) {
        let Cast { sources, middles, leaves, tallies } = self.cast();
        let [source_count, middle_count, leaf_count] = [sources.len(), middles.len(), leaves.len()];
        let (mut sources, mut middles, mut leaves) =
            (sources.into_iter(), middles.into_iter(), leaves.into_iter());
        let [(max, min), (max2, min2)] = self.windows;
        let pipeline = pipeline! {
            source = sources.next().unwrap(), replicas: source_count;
            middle = middles.next().unwrap(), replicas: middle_count;
            leaf = leaves.next().unwrap(), replicas: leaf_count;
            source => middle [max_demand: max, min_demand: min] => leaf [max_demand: max2, min_demand: min2];
        };
        let summary = match pipeline.run().await {
            Ok(summary) | Err(Failure::Stage { summary, .. }) => summary,
            Err(failure) => panic!("{failure}"),
        };
        (summary, tallies)
    }
}

/// Everything that was made is delivered or dropped by now, and what was dropped is counted.
fn check((summary, tallies): (Summary, Vec<Arc<Tally>>)) {
    let of = |name: &'static str| summary.stages().iter().filter(move |stage| stage.name.starts_with(name));
    let sum = |name, count: fn(&StageSummary) -> u64| of(name).map(count).sum::<u64>();
    for (source, tally) in of("source").zip(&tallies) {
        assert_eq!(tally.made(), source.events_out + source.discarded + source.lost, "emitted by {source:?}");
    }
    let arrived = sum("leaf", |leaf| leaf.events_in + leaf.discarded);
    assert_eq!(arrived, sum("middle", |middle| middle.events_out), "sent to leaves, in\n{summary}");
    let (alive, dropped) = tallies
        .iter()
        .fold((0, 0), |(alive, dropped), tally| (alive + tally.alive(), dropped + tally.dropped()));
    assert_eq!(alive, 0, "still somewhere");
    assert_eq!(dropped, sum("", |stage| stage.discarded + stage.lost), "dropped, in\n{summary}");
}

/// Three layers of any topology.
fn layers() -> impl Strategy<Value = Layers> {
    let stages = topology().prop_filter_map("three layers", |topology| {
        let last = topology.last()?.layer;
        let layers = |spec: &StageSpec| spec.layer < 2 || spec.layer == last;
        (last >= 2).then(|| topology.into_iter().filter(layers).map(|spec| spec.kind).collect::<Vec<_>>())
    });
    let dooms = prop::collection::vec(doom(), 10);
    (stages, dooms, [window(), window()]).prop_map(|(mut stages, dooms, windows)| {
        fit_together(&mut stages);
        Layers { stages: stages.into_iter().zip(dooms).collect(), windows }
    })
}

/// What the edges of a pipeline need: leaves that ask by themselves, and a consumer for each partition.
fn fit_together(stages: &mut [Kind]) {
    let count = |wanted: fn(&Kind) -> bool| stages.iter().filter(|kind| wanted(kind)).count();
    let middles = count(|kind| matches!(kind, Kind::Middle { .. }));
    let leaves = count(|kind| matches!(kind, Kind::Leaf { .. }));
    let fit = |output: &mut OutputSpec, consumers| {
        if let Dispatch::Partition(Partitions { count, queue_size, .. }) = &mut output.dispatch {
            // A consumer that ends early leaves its partition behind: one with a full queue would hold up the others.
            (*count, *queue_size) = (consumers, 10_000);
        }
    };
    for kind in stages {
        match kind {
            Kind::Source { output, answer, .. } => {
                fit(output, middles);
                // Only a fast source is sure to be asked again.
                *answer = Answer::AtLeast(7);
            }
            Kind::Middle { output, .. } => fit(output, leaves),
            Kind::Leaf { manual } => *manual = false,
        }
    }
}

/// Most stages come to no end of their own.
fn doom() -> impl Strategy<Value = Doom> {
    let fate = prop_oneof![
        Just(Fate::Fail),
        Just(Fate::Panic),
        Just(Fate::Finish),
        Just(Fate::Stop(Reason::Normal)),
        Just(Fate::Stop(Reason::Shutdown)),
        Just(Fate::Stop(Reason::custom("enough"))),
    ];
    prop_oneof![
        4 => Just(Doom(None)),
        1 => (0..8usize, fate).prop_map(|fate| Doom(Some(fate)))
    ]
}

proptest! {
    #[test]
    fn the_summary_counts_everything(layers in layers()) {
        let in_time = async {
            tokio::select! {
                biased;
                ended = layers.run() => ended,
                () = settle() => panic!("it has not ended, and nothing happens any more"),
            }
        };
        check(on_one_thread(in_time));
        check(on_two_threads(layers.run()));
    }
}
