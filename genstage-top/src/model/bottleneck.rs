//! Which stage holds up the others.
//!
//! A stage is *pressed* if over one of the edges that lead to it more events wait to be handled than are still wanted: what it asked
//! for has come, and it does not keep up. A stage without such edges, a source, is pressed if over one of its edges more is wanted
//! than is on its way. Both are summed over all frames of the picture, because one of them is a moment.
//!
//! The bottleneck is the pressed stage that was in its callbacks for the largest share of the time, if that was [`BUSY_ENOUGH`]: a
//! stage that is held up by those behind it is pressed as well, but waits. Of two that are equal, it is the one further down.
//!
//! If none was, it is the busiest of those that are pressed and lead to none that is, if any event has passed: such a stage waits for
//! something that is not a callback, as the source of a stream does, or a supervisor of tasks.
//!
//! When all stages have ended nothing is wanted or on its way: then it is the busiest stage of the whole time, with that share.

use std::collections::HashSet;

use super::Picture;
use crate::wire::{Snapshot, Subscription};

/// The share of the time that a bottleneck has to be in callbacks.
pub const BUSY_ENOUGH: f64 = 0.5;

/// The stage that holds up the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bottleneck {
    /// The number of its node.
    pub node: usize,
    /// Which of the node's stages it is.
    pub stage: usize,
    /// The share of the time that it is in callbacks, from 0 to 1.
    pub busy: f64,
    /// Why it is the one.
    pub why: Why,
}

/// Why a stage is the bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Events wait for it, or its consumers do, and it is busy.
    Busy,
    /// The same, but it waits itself, for something outside of the pipeline.
    Waits,
    /// It was the busiest of a pipeline that has ended.
    Was,
}

pub(super) fn find(picture: &Picture, frames: &[&Snapshot]) -> Option<Bottleneck> {
    if picture.has_ended {
        return busiest(picture, Why::Was, |_| true).filter(is_busy);
    }
    let pressed = pressed(frames);
    let busy = busiest(picture, Why::Busy, |stage| pressed.contains(stage)).filter(is_busy);
    busy.or_else(|| {
        let flows = picture.edges.iter().any(|edge| edge.rate > Some(0.0));
        let held_up = leading_to(&pressed, frames);
        let is_last = |stage: &str| flows && pressed.contains(stage) && !held_up.contains(stage);
        busiest(picture, Why::Waits, is_last)
    })
}

fn is_busy(bottleneck: &Bottleneck) -> bool {
    bottleneck.busy >= BUSY_ENOUGH
}

/// The busiest of some stages; of several that are equal, the last.
fn busiest(picture: &Picture, why: Why, is_one: impl Fn(&str) -> bool) -> Option<Bottleneck> {
    let stages = picture.order().into_iter().flat_map(|node| {
        let stages = picture.nodes[node].stages.iter().enumerate();
        stages.map(move |(stage, it)| (node, stage, it))
    });
    let ones = stages.filter(|(.., it)| is_one(&it.name) && it.load.ended.0 == 0 || why == Why::Was);
    let ones =
        ones.filter_map(|(node, stage, it)| Some(Bottleneck { node, stage, busy: it.load.busy?, why }));
    ones.max_by(|a, b| a.busy.total_cmp(&b.busy))
}

/// The names of all stages that are pressed.
fn pressed<'a>(frames: &[&'a Snapshot]) -> HashSet<&'a str> {
    let edges = edges(frames);
    let consumers: HashSet<_> = edges.iter().map(|edge| &*edge.to).collect();
    let mut pressed = HashSet::new();
    for (number, edge) in edges.iter().enumerate() {
        let (in_flight, outstanding) = over(number, frames);
        if in_flight > outstanding {
            pressed.insert(&*edge.to);
        }
        if outstanding > in_flight && !consumers.contains(&*edge.from) {
            pressed.insert(&*edge.from);
        }
    }
    pressed
}

/// The names of all stages with an edge to one of those.
fn leading_to<'a>(stages: &HashSet<&str>, frames: &[&'a Snapshot]) -> HashSet<&'a str> {
    let edges = edges(frames).iter().filter(|edge| stages.contains(&*edge.to));
    edges.map(|edge| &*edge.from).collect()
}

fn edges<'a>(frames: &[&'a Snapshot]) -> &'a [Subscription] {
    frames.last().map_or(&[], |last| &last.edges)
}

/// How many events were on their way over a subscription, and how many were wanted, in all frames together.
fn over(edge: usize, frames: &[&Snapshot]) -> (u64, u64) {
    let sum = |what: fn(&Subscription) -> u64| {
        frames.iter().filter_map(|frame| frame.edges.get(edge)).map(what).fold(0, u64::saturating_add)
    };
    (sum(Subscription::in_flight), sum(Subscription::outstanding))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::measure;
    use crate::wire::{Edge, Graph, Node, Role, Snapshot, Stage, State};

    /// The stages `a => b => c`, after a second of which they were busy for so many percent. Over each edge so many events are
    /// wanted, and so many on their way.
    fn second(busy: [u64; 3], edges: [(u64, u64); 2], state: State) -> Option<(String, Why)> {
        let names = ["a", "b", "c"];
        let node = |name: &str| Node { name: name.into(), role: Role::Middle, replicas: 1 };
        let edge = |from: &str, to: &str| Edge { from: from.into(), to: to.into(), max_demand: 100 };
        let graph = Graph { nodes: names.map(node).into(), edges: vec![edge("a", "b"), edge("b", "c")] };
        let stage = |number: usize, busy| Stage { busy, state, ..Stage::new(names[number], number) };
        let over = |number: usize, (wanted, flight): (u64, u64), handled| Subscription {
            from: names[number].into(),
            to: names[number + 1].into(),
            edge: number,
            asked: wanted + flight + handled,
            sent: flight + handled,
            handled,
        };
        let frame = |seconds: u64, handled| Snapshot {
            clock: seconds * 1_000_000_000,
            stages: (0..3).map(|number| stage(number, busy[number] * 10_000_000 * seconds)).collect(),
            edges: (0..2).map(|number| over(number, edges[number], handled)).collect(),
        };
        let picture = measure(&graph, [frame(0, 0), frame(1, 500)].iter());
        picture.bottleneck.map(|it| (picture.nodes[it.node].name.clone(), it.why))
    }

    fn running(busy: [u64; 3], edges: [(u64, u64); 2]) -> Option<(String, Why)> {
        second(busy, edges, State::Waiting)
    }

    #[test]
    fn it_is_the_busiest_of_those_that_do_not_keep_up() {
        let (short, full) = ((90, 10), (10, 90));
        let busy = |name: &str| Some((name.to_owned(), Why::Busy));
        assert_eq!(running([95, 60, 5], [short, short]), busy("a"));
        assert_eq!(running([20, 99, 5], [full, short]), busy("b"));
        assert_eq!(running([20, 30, 99], [full, full]), busy("c"));
        assert_eq!(running([10, 80, 80], [full, full]), busy("c"), "the one further down");
        assert_eq!(
            running([90, 80, 10], [full, short]),
            busy("b"),
            "nobody waits for a source that is ahead"
        );
    }

    #[test]
    fn where_nobody_is_busy_it_is_the_last_that_does_not_keep_up() {
        let (short, full) = ((90, 10), (10, 90));
        let waits = |name: &str| Some((name.to_owned(), Why::Waits));
        assert_eq!(running([0, 20, 20], [short, short]), waits("a"), "a source that waits for its input");
        assert_eq!(running([0, 20, 0], [full, full]), waits("c"), "a sink that waits for its tasks");
        assert_eq!(running([9, 20, 0], [full, short]), waits("b"));
        assert_eq!(running([20, 20, 20], [(0, 0), (0, 0)]), None);
    }

    #[test]
    fn at_the_end_it_is_the_busiest() {
        let nothing = [(0, 0), (0, 0)];
        assert_eq!(second([10, 90, 80], nothing, State::Ended), Some(("b".into(), Why::Was)));
        assert_eq!(second([10, 40, 20], nothing, State::Ended), None);
    }
}
