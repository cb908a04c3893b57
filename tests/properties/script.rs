//! Whatever happens to a topology, in whatever order, and several things at a time.

use genstage::{DemandMode, Reason};
use proptest::prelude::*;

use crate::runtime::on_one_thread;
use crate::topology::{StageSpec, edge, topology};
use crate::world::{At, Op, World};

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => subscribe(),
        8 => pick().prop_flat_map(op_at),
    ]
}

/// What may happen to a subscription, or a stage on one of its sides.
fn op_at(link: usize) -> impl Strategy<Value = Op> {
    let mode = prop_oneof![2 => Just(DemandMode::Accumulate), 3 => Just(DemandMode::Forward)];
    let producer = prop_oneof![4 => Just(At::ProducerOf(link)), 1 => Just(At::ConsumerOf(link))];
    let stage = prop_oneof![Just(At::ProducerOf(link)), Just(At::ConsumerOf(link)), Just(At::Stage(link))];
    prop_oneof![
        10 => (1..15usize).prop_map(move |events| Op::Ask { link, events }),
        8 => (producer.clone(), 0..12usize).prop_map(|(at, events)| Op::Emit { at, events }),
        2 => (reason(), edge()).prop_map(move |(reason, edge)| Op::Resubscribe { link, reason, edge }),
        2 => reason().prop_map(move |reason| Op::Cancel { link, reason }),
        2 => (producer, mode).prop_map(|(at, mode)| Op::SetDemand { at, mode }),
        1 => (stage.clone(), reason()).prop_map(|(at, reason)| Op::Stop { at, reason }),
        1 => stage.prop_map(|at| Op::Nudge { at }),
    ]
}

fn subscribe() -> impl Strategy<Value = Op> {
    (pick(), pick(), edge()).prop_map(|(consumer, producer, edge)| Op::Subscribe { consumer, producer, edge })
}

fn reason() -> impl Strategy<Value = Reason> {
    prop_oneof![Just(Reason::Normal), Just(Reason::Shutdown), Just(Reason::custom("told to"))]
}

fn pick() -> impl Strategy<Value = usize> {
    0..1000usize
}

/// Things that happen at the same time, or so many turns of the runtime one after the other.
type Burst = (Vec<Op>, usize);

/// Mostly one thing at a time, which tells what came of it; else several, anywhere or in one place, which meet on their ways.
fn script() -> impl Strategy<Value = Vec<Burst>> {
    let here = |link| prop::collection::vec(op_at(link), 2..6);
    let turns = || prop_oneof![2 => Just(0), 1 => 1..4usize];
    let scene = prop_oneof![
        8 => any_op().prop_map(|op| vec![(vec![op], 0)]),
        2 => (prop::collection::vec(any_op(), 2..6), turns()).prop_map(|burst| vec![burst]),
        2 => (pick().prop_flat_map(here), turns()).prop_map(|burst| vec![burst]),
        1 => pick().prop_flat_map(pause),
        1 => (pick().prop_flat_map(race), turns()).prop_map(|burst| vec![burst]),
    ];
    prop::collection::vec(scene, 0..40).prop_map(|scenes| scenes.concat())
}

/// A producer accumulates demand for a while.
fn pause(link: usize) -> impl Strategy<Value = Vec<Burst>> {
    let set = move |mode| vec![(vec![Op::SetDemand { at: At::ProducerOf(link), mode }], 0)];
    let meanwhile = prop::collection::vec(op_at(link).prop_map(|op| (vec![op], 0)), 1..5);
    meanwhile.prop_map(move |meanwhile| {
        [set(DemandMode::Accumulate), meanwhile, set(DemandMode::Forward)].concat()
    })
}

/// A consumer ends while it is sent events, so that it does not accept them.
fn race(link: usize) -> impl Strategy<Value = Vec<Op>> {
    (reason(), prop::collection::vec(1..12usize, 1..3)).prop_map(move |(reason, emitted)| {
        let stop = Op::Stop { at: At::ConsumerOf(link), reason };
        let emit = emitted.into_iter().map(|events| Op::Emit { at: At::ProducerOf(link), events });
        [stop].into_iter().chain(emit).collect()
    })
}

async fn play(topology: &[StageSpec], wiring: &[Op], script: &[Burst]) {
    let mut world = World::start(topology, |_| {});
    world.play(wiring, 0).await;
    for (burst, turns) in script {
        world.play(burst, *turns).await;
    }
    world.finish().await;
}

proptest! {
    // Cases are small, and what they are to find is rare.
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn the_invariants_hold(
        topology in topology(),
        wiring in prop::collection::vec(subscribe(), 1..12),
        script in script(),
    ) {
        on_one_thread(play(&topology, &wiring, &script));
    }
}
