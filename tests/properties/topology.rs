//! Random topologies: layers of stages, each stage's events for stages of any later layer.

use genstage::{Cancel, Keep};
use proptest::prelude::*;

use crate::events::LANES;

/// What a stage is like. A topology is a list of them, layer by layer: sources first, leaves last.
#[derive(Clone, Debug)]
pub(crate) struct StageSpec {
    pub(crate) layer: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Source {
        output: OutputSpec,
        answer: Answer,
        /// How many events it has to emit, besides what it is told to.
        supply: usize,
    },
    Middle {
        output: OutputSpec,
        work: Work,
    },
    Leaf {
        /// Whether it asks only when it is told to.
        manual: bool,
    },
}

impl Kind {
    pub(crate) fn output(&self) -> Option<&OutputSpec> {
        match self {
            Self::Source { output, .. } | Self::Middle { output, .. } => Some(output),
            Self::Leaf { .. } => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OutputSpec {
    pub(crate) dispatch: Dispatch,
    pub(crate) buffer: usize,
    pub(crate) keep: Keep,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dispatch {
    Demand,
    Broadcast,
    Partition(Partitions),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Partitions {
    pub(crate) count: usize,
    pub(crate) queue_size: usize,
    /// Whether every lane has a partition, if need be one that others have; else the last lanes may have none.
    pub(crate) all: bool,
}

impl Partitions {
    pub(crate) fn of(self, lane: usize) -> Option<usize> {
        if self.all { Some(lane % self.count) } else { (lane < self.count).then_some(lane) }
    }
}

/// How many events a source emits when it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Nothing,
    Exactly,
    Chunk(usize),
    AtLeast(usize),
}

impl Answer {
    pub(crate) fn to(self, demand: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Exactly => demand,
            Self::Chunk(events) => events,
            Self::AtLeast(events) => demand.max(events),
        }
    }
}

/// What a middle stage makes of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Pass,
    Expand(u64),
    Filter,
}

impl Work {
    /// The payloads of what comes of one event.
    pub(crate) fn of(self, payload: u64) -> impl Iterator<Item = u64> {
        let copies = match self {
            Self::Pass => 1,
            Self::Expand(copies) => copies,
            Self::Filter => u64::from(payload.is_multiple_of(3)),
        };
        (0..copies).map(move |copy| payload + copy)
    }
}

/// How a consumer subscribes.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) max: usize,
    pub(crate) min: usize,
    pub(crate) cancel: Cancel,
    pub(crate) partition: usize,
    /// Of a broadcast, the events of one lane only.
    pub(crate) lane: Option<usize>,
}

/// A topology in which everything may happen.
pub(crate) fn topology() -> impl Strategy<Value = Vec<StageSpec>> {
    let partitions = (1..=LANES, prop_oneof![3 => Just(10_000), 1 => 1..8usize], any::<bool>());
    let output = (dispatch(partitions), prop_oneof![2 => Just(usize::MAX), 1 => 1..12usize], keep())
        .prop_map(|(dispatch, buffer, keep)| OutputSpec { dispatch, buffer, keep });
    let answer = prop_oneof![
        2 => Just(Answer::Nothing),
        2 => Just(Answer::Exactly),
        1 => (1..20usize).prop_map(Answer::Chunk)
    ];
    stages(output.boxed(), answer.boxed(), any::<bool>().boxed())
}

/// A topology that loses nothing, whose stages end one after the other when the sources have.
pub(crate) fn lossless() -> impl Strategy<Value = Vec<StageSpec>> {
    let partitions = (Just(1), prop_oneof![Just(10_000), 1..8usize], Just(true));
    let output = dispatch(partitions).prop_map(|dispatch| OutputSpec {
        dispatch,
        buffer: usize::MAX,
        keep: Keep::Last,
    });
    // Only a fast source is sure to be asked again: one that stays behind what is wanted is not.
    let answer = (1..30usize).prop_map(Answer::AtLeast);
    stages(output.boxed(), answer.boxed(), Just(false).boxed())
}

fn stages(
    output: BoxedStrategy<OutputSpec>,
    answer: BoxedStrategy<Answer>,
    manual: BoxedStrategy<bool>,
) -> impl Strategy<Value = Vec<StageSpec>> {
    let work =
        prop_oneof![2 => Just(Work::Pass), 1 => (2..4u64).prop_map(Work::Expand), 1 => Just(Work::Filter)];
    let source = (output.clone(), answer, 0..100usize).prop_map(|(output, answer, supply)| Kind::Source {
        output,
        answer,
        supply,
    });
    let middle = (output, work).prop_map(|(output, work)| Kind::Middle { output, work });
    let leaf = manual.prop_map(|manual| Kind::Leaf { manual });
    let sources = few(source).prop_map(|sources| vec![sources]);
    let middles = prop::collection::vec(few(middle), 0..=2);
    let leaves = prop::collection::vec(leaf, 1..=4).prop_map(|leaves| vec![leaves]);
    (sources, middles, leaves).prop_map(|layers| in_layers([layers.0, layers.1, layers.2].concat()))
}

/// One to three, mostly one: the fewer stages there are, the more meets at each.
fn few<T: Clone + std::fmt::Debug + 'static>(
    one: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Vec<T>> {
    prop_oneof![3 => Just(1), 2 => Just(2), 1 => Just(3)].prop_flat_map({
        let one = one.boxed();
        move |count| prop::collection::vec(one.clone(), count)
    })
}

fn in_layers(layers: Vec<Vec<Kind>>) -> Vec<StageSpec> {
    let layers = layers.into_iter().enumerate();
    layers.flat_map(|(layer, kinds)| kinds.into_iter().map(move |kind| StageSpec { layer, kind })).collect()
}

fn dispatch(partitions: impl Strategy<Value = (usize, usize, bool)>) -> impl Strategy<Value = Dispatch> {
    let partitions = partitions.prop_map(|(count, queue_size, all)| Partitions { count, queue_size, all });
    prop_oneof![Just(Dispatch::Demand), Just(Dispatch::Broadcast), partitions.prop_map(Dispatch::Partition)]
}

fn keep() -> impl Strategy<Value = Keep> {
    prop_oneof![Just(Keep::First), Just(Keep::Last)]
}

/// A demand window.
pub(crate) fn window() -> impl Strategy<Value = (usize, usize)> {
    (1..20usize).prop_flat_map(|max| (Just(max), 0..max))
}

/// An edge of any kind.
pub(crate) fn edge() -> impl Strategy<Value = Edge> {
    let cancel = prop_oneof![
        10 => Just(Cancel::Temporary),
        1 => Just(Cancel::Transient),
        1 => Just(Cancel::Permanent)
    ];
    let lane = prop_oneof![3 => Just(None), 1 => (0..LANES).prop_map(Some)];
    (window(), cancel, 0..LANES, lane).prop_map(|((max, min), cancel, partition, lane)| Edge {
        max,
        min,
        cancel,
        partition,
        lane,
    })
}
