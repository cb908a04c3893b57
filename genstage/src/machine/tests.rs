use super::testing::{Recorder, Sent, pair};
use super::*;
use crate::DemandMode;
use crate::buffer::{Capacity, Keep};
use crate::dispatch::{Consumer, DemandDispatcher, Partition, PartitionDispatcher};

const MANY: Capacity = Capacity::Unbounded;

fn producer(recorder: &Recorder<u32>, consumers: usize) -> (Stage, Vec<SubscriptionId>) {
    let mut machine = Machine::new(
        Kind::Producer,
        Outlet::new(Kind::Producer, DemandDispatcher::default(), MANY, Keep::Last),
    );
    let ids = recorder.subscribe(&mut machine, consumers, Cancel::Complete);
    (machine, ids)
}

/// A consumer or producer-consumer with a producer for each window.
fn fed(kind: Kind, windows: &[(usize, usize, Cancel)]) -> (Stage, Vec<SubscriptionId>, Recorder<u32>) {
    let (mut machine, recorder) = (
        Machine::new(kind, Outlet::new(kind, DemandDispatcher::default(), MANY, Keep::Last)),
        Recorder::default(),
    );
    let mut ids = vec![];
    for (producer, &(max, min, cancel)) in windows.iter().enumerate() {
        let (_, theirs) = pair("producer", "consumer");
        ids.push(theirs.id);
        machine.add_producer(theirs, recorder.producer(producer, max, min, cancel));
    }
    assert!(matches!(next(&mut machine), Step::Wait));
    (machine, ids, recorder)
}

type Stage = Machine<u32, u32, DemandDispatcher>;

/// What is to be done besides the callbacks for subscriptions, which agree to everything.
fn next(machine: &mut Stage) -> Step {
    loop {
        match machine.next() {
            Step::Subscribed(subscription) if subscription.side == Side::Producer => {
                machine.subscribed(subscription.id, Demand::Automatic);
            }
            Step::Subscribed(_) => {}
            Step::Cancelled(_) => machine.cancelled(),
            step => return step,
        }
    }
}

fn demand(machine: &mut Stage) -> Option<usize> {
    match next(machine) {
        Step::Demand(demand) => Some(demand),
        Step::Wait => None,
        step => panic!("unexpected {step:?}"),
    }
}

/// Handles everything there is by passing it on; the batches that the handler saw.
fn pass_on(machine: &mut Stage) -> Vec<Vec<u32>> {
    let mut batches = vec![];
    while let Step::Events = next(machine) {
        batches.push(machine.inlet.batch.to_vec());
        let mut events = machine.inlet.batch.take();
        machine.emitted(&mut events);
        machine.handled();
    }
    batches
}

fn end(machine: &mut Stage) -> Option<String> {
    match next(machine) {
        Step::End(reason, _) => Some(reason.to_string()),
        Step::Wait => None,
        step => panic!("unexpected {step:?}"),
    }
}

#[test]
fn a_producer_is_asked_for_what_the_buffer_does_not_hold() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    machine.emitted(&mut vec![1, 2, 3]);
    machine.on_ask(ids[0], 5, vec![]);
    assert_eq!(recorder.events(), [(0, vec![1, 2, 3])]);
    assert_eq!((demand(&mut machine), demand(&mut machine)), (Some(2), None));
}

#[test]
fn unmet_demand_stands_and_is_not_announced_again() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    machine.on_ask(ids[0], 10, vec![]);
    assert_eq!(demand(&mut machine), Some(10));
    machine.emitted(&mut vec![1, 2]);
    assert_eq!(demand(&mut machine), None);
    machine.on_ask(ids[0], 2, vec![]);
    assert_eq!(demand(&mut machine), Some(2));
    assert_eq!(machine.due(), 10);
}

/// GenStage's defect D1: demand of a consumer that has gone hides what is buffered, and later events overtake it.
#[test]
fn d1_a_cancelled_consumer_neither_stalls_nor_reorders_the_others() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 2);
    machine.on_ask(ids[0], 3, vec![]);
    machine.on_ask(ids[1], 3, vec![]);
    assert_eq!(demand(&mut machine), Some(6));
    machine.on_consumer_gone(ids[0], CancelKind::Down, Reason::Normal);
    machine.emitted(&mut vec![1, 2, 3, 4, 5]);
    machine.on_ask(ids[1], 1, vec![]);
    machine.emitted(&mut vec![6]);
    machine.on_ask(ids[1], 2, vec![]);
    assert_eq!(recorder.events(), [(1, vec![1, 2, 3]), (1, vec![4]), (1, vec![5, 6])]);
    assert_eq!(demand(&mut machine), None);
}

#[test]
fn messages_are_cut_into_batches_and_refilled_between_them() {
    let (mut machine, ids, recorder) = fed(Kind::Consumer, &[(10, 5, Cancel::Complete)]);
    assert_eq!(recorder.sent(), [(0, Sent::Ask(10))]);
    machine.on_events(ids[0], (0..6).collect());
    assert!(matches!(next(&mut machine), Step::Events));
    assert_eq!(machine.inlet.batch.drain().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    machine.handled();
    assert_eq!(recorder.sent(), [(0, Sent::Ask(5))]);
    assert!(matches!(next(&mut machine), Step::Events));
    assert_eq!(*machine.inlet.batch, [5]);
    machine.handled();
    assert_eq!((recorder.sent(), end(&mut machine)), (vec![], None));
}

#[test]
fn a_producer_consumer_handles_a_message_only_on_demand_but_then_the_whole_of_it() {
    let (mut machine, ids, _) = fed(Kind::ProducerConsumer, &[(4, 2, Cancel::Complete)]);
    let down = Recorder::default();
    let consumers = down.subscribe(&mut machine, 1, Cancel::Complete);
    machine.on_events(ids[0], vec![1, 2, 3]);
    machine.on_events(ids[0], vec![4]);
    assert_eq!(pass_on(&mut machine), Vec::<Vec<u32>>::new());
    machine.on_ask(consumers[0], 1, vec![]);
    assert_eq!(pass_on(&mut machine), [vec![1, 2], vec![3]]);
    assert_eq!(down.events(), [(0, vec![1])]);
    machine.on_ask(consumers[0], 3, vec![]);
    assert_eq!(pass_on(&mut machine), [[4]]);
    assert_eq!(down.events(), [(0, vec![2, 3]), (0, vec![4])]);
}

#[test]
fn a_stage_completes_after_its_last_producer_and_after_what_it_has_queued() {
    let windows = [(4, 2, Cancel::Complete), (4, 2, Cancel::Complete)];
    let (mut machine, ids, _) = fed(Kind::ProducerConsumer, &windows);
    let down = Recorder::default();
    let consumers = down.subscribe(&mut machine, 1, Cancel::Complete);
    machine.on_producer_gone(ids[1], CancelKind::Down, Reason::Normal);
    assert_eq!(end(&mut machine), None);
    machine.on_events(ids[0], vec![1, 2]);
    machine.on_producer_gone(ids[0], CancelKind::Down, Reason::Normal);
    assert_eq!(end(&mut machine), None);
    machine.on_ask(consumers[0], 1, vec![]);
    assert_eq!(pass_on(&mut machine), [[1, 2]]);
    assert_eq!(end(&mut machine), None, "2 is buffered still");
    machine.on_ask(consumers[0], 1, vec![]);
    assert_eq!(end(&mut machine).as_deref(), Some("normal"));
    machine.close(&Reason::Normal);
    assert_eq!(down.sent().last(), Some(&(0, Sent::Down("normal".into()))));
}

#[test]
fn what_a_producers_end_does_is_up_to_the_cancel_mode() {
    let failure = || Reason::Panic("oops".into());
    for (cancel, reason, expected) in [
        (Cancel::Complete, Reason::Normal, Some("normal")),
        (Cancel::Complete, failure(), Some("shutdown")),
        (Cancel::Permanent, Reason::Normal, Some("normal")),
        (Cancel::Permanent, failure(), Some("panicked: oops")),
        (Cancel::Transient, Reason::Normal, None),
        (Cancel::Transient, Reason::Shutdown, None),
        (Cancel::Transient, failure(), Some("panicked: oops")),
        (Cancel::Temporary, failure(), None),
    ] {
        let (mut machine, ids, _) = fed(Kind::Consumer, &[(4, 2, cancel), (4, 2, Cancel::Temporary)]);
        // The other one does not count: it would never end the stage.
        machine.on_producer_gone(ids[1], CancelKind::Down, Reason::Normal);
        machine.on_producer_gone(ids[0], CancelKind::Down, reason.clone());
        assert_eq!(end(&mut machine).as_deref(), expected, "{cancel:?} {reason}");
    }
}

#[test]
fn a_producer_ends_with_its_last_consumer() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 2);
    machine.on_consumer_gone(ids[0], CancelKind::Down, Reason::Normal);
    assert_eq!(end(&mut machine), None);
    machine.on_consumer_gone(ids[1], CancelKind::Down, Reason::Normal);
    assert_eq!(end(&mut machine).as_deref(), Some("normal"));
}

#[test]
fn finishing_waits_for_the_buffer_and_calls_no_handler() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    machine.emitted(&mut vec![1, 2]);
    machine.finish(Origin::Itself);
    assert_eq!(end(&mut machine), None);
    machine.on_ask(ids[0], 5, vec![]);
    assert_eq!(end(&mut machine).as_deref(), Some("normal"));
    assert_eq!(recorder.events(), [(0, vec![1, 2])]);
}

#[test]
fn what_nobody_will_see_is_counted() {
    let (mut machine, ids, recorder) = fed(Kind::ProducerConsumer, &[(10, 5, Cancel::Complete)]);
    machine.on_events(ids[0], vec![1, 2, 3]);
    machine.emitted(&mut vec![7]);
    assert_eq!(machine.left(), 4);
    machine.close(&Reason::Shutdown);
    assert_eq!(recorder.sent(), [(0, Sent::Ask(10)), (0, Sent::Down("shutdown".into()))]);
}

#[test]
fn a_dropped_machine_says_so() {
    let recorder = Recorder::default();
    drop(producer(&recorder, 1));
    assert_eq!(recorder.sent(), [(0, Sent::Down("killed".into()))]);
}

/// Lines 99 and 101 of the catalogue; line 98 cannot come up, because no two subscriptions have one id.
#[test]
fn c099_c101_messages_of_a_subscription_that_has_ended_are_ignored() {
    let (mut machine, ids, recorder) = fed(Kind::Consumer, &[(4, 2, Cancel::Temporary)]);
    machine.on_producer_gone(ids[0], CancelKind::Down, Reason::Normal);
    machine.on_events(ids[0], vec![1, 2]);
    assert_eq!(end(&mut machine), None);
    assert_eq!(machine.inlet.discarded, 2);
    machine.on_ask(SubscriptionId::next(), 3, vec![]);
    assert_eq!(recorder.sent(), [(0, Sent::Ask(4))]);
}

/// The word that a consumer has ended comes after its first refusal: its demand, however large, is void from then on.
#[test]
fn what_an_ended_consumer_does_not_accept_waits_for_another() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    let (ended, _) = pair("producer", "ended");
    let id = ended.id;
    machine.add_consumer(ended, Consumer::new(Box::new(Ended), Cancel::Temporary), ()).unwrap();
    machine.on_ask(id, usize::MAX, vec![]);
    machine.emitted(&mut vec![1, 2]);
    assert_eq!((machine.outlet.buffered(), machine.due()), (2, 0));
    machine.on_ask(ids[0], 2, vec![]);
    assert_eq!(recorder.events(), [(0, vec![1, 2])]);
}

/// What has to be sent to others then goes out in order.
#[test]
fn what_an_ended_consumer_does_not_accept_is_not_overtaken() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    let (ended, _) = pair("producer", "ended");
    let id = ended.id;
    machine.add_consumer(ended, Consumer::new(Box::new(Ended), Cancel::Temporary), ()).unwrap();
    machine.on_ask(id, 2, vec![]);
    machine.on_ask(ids[0], 1, vec![]);
    machine.emitted(&mut vec![1, 2, 3]);
    machine.on_ask(ids[0], 5, vec![]);
    assert_eq!(recorder.events(), [(0, vec![1]), (0, vec![2, 3])]);
}

/// What comes back from a consumer that has been forgotten is discarded, and was not sent.
#[test]
fn what_comes_back_too_late_is_counted_once() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 1);
    machine.on_ask(ids[0], 2, vec![]);
    machine.emitted(&mut vec![1, 2]);
    machine.on_consumer_gone(ids[0], CancelKind::Cancel, Reason::Normal);
    machine.outlet.give_back(ids[0], vec![1, 2]);
    assert_eq!((machine.outlet.out.events_out, machine.outlet.out.discarded), (0, 2));
}

struct Ended;

impl Downstream<u32> for Ended {
    fn events(&self, _: SubscriptionId, _: &mut Vec<u32>) -> bool {
        false
    }

    fn producer_gone(&self, _: SubscriptionId, _: CancelKind, _: Reason) {}
}

/// Demand that was met beforehand leaves room for more than can be counted as held.
#[test]
fn held_demand_saturates() {
    let recorder = Recorder::default();
    let (mut machine, ids) = producer(&recorder, 2);
    machine.outlet.set_demand(DemandMode::Accumulate);
    ids.iter().for_each(|id| machine.on_ask(*id, 4, vec![]));
    machine.outlet.set_demand(DemandMode::Forward);
    assert_eq!(demand(&mut machine), Some(4));
    machine.emitted(&mut vec![1, 2, 3, 4, 5, 6]);
    machine.outlet.set_demand(DemandMode::Accumulate);
    machine.on_ask(ids[0], usize::MAX, vec![]);
    machine.outlet.set_demand(DemandMode::Forward);
    let asked: Vec<_> = std::iter::from_fn(|| demand(&mut machine)).collect();
    // Two of these have been met beforehand; all the rest is owed.
    assert_eq!(asked, [4, usize::MAX - 4, 2]);
    assert_eq!(machine.due(), usize::MAX);
}

/// What a stage in the middle makes of its input does not overtake what it has emitted while it accumulated demand.
#[test]
fn what_is_held_back_comes_before_anything_new() {
    let (mut machine, producers, recorder) = fed(Kind::ProducerConsumer, &[(10, 5, Cancel::Temporary)]);
    let consumers = recorder.subscribe(&mut machine, 1, Cancel::Temporary);
    machine.outlet.set_demand(DemandMode::Accumulate);
    machine.on_ask(consumers[0], 2, vec![]);
    machine.emitted(&mut vec![1]);
    machine.on_events(producers[0], vec![2]);
    machine.outlet.set_demand(DemandMode::Forward);
    assert_eq!(demand(&mut machine), Some(2));
    assert_eq!(pass_on(&mut machine), [[2]]);
    assert_eq!(recorder.events(), [(0, vec![1]), (0, vec![2])]);
}

/// Demand that is not passed on, because as much is queued for others, is not held back: it is met when demand is forwarded.
#[test]
fn forwarding_demand_serves_what_is_buffered() {
    let recorder = Recorder::default();
    let dispatcher = PartitionDispatcher::new(2, |event: &u32| Some(*event as usize % 2));
    let outlet = Outlet::new(Kind::Producer, dispatcher, MANY, Keep::Last);
    let mut machine = Machine::<u32, u32, _>::new(Kind::Producer, outlet);
    let (even, _) = pair("producer", "even");
    let id = even.id;
    machine.add_consumer(even, recorder.consumer(0, Cancel::Temporary), Partition(0)).unwrap();
    machine.on_ask(id, 1, vec![]);
    assert!(matches!(machine.next(), Step::Subscribed(_)));
    assert!(matches!(machine.next(), Step::Demand(1)));
    machine.emitted(&mut vec![1, 0, 2]);
    machine.outlet.set_demand(DemandMode::Accumulate);
    machine.on_ask(id, 1, vec![]);
    assert_eq!((recorder.events(), machine.outlet.buffered()), (vec![(0, vec![0])], 1));
    machine.outlet.set_demand(DemandMode::Forward);
    assert_eq!((recorder.events(), machine.outlet.buffered()), (vec![(0, vec![2])], 0));
}
