//! The frames that what is shown is worked out from.

use std::collections::VecDeque;

use super::{Picture, measure};
use crate::wire::{Graph, Snapshot};

/// How many frames a picture is made of: with four frames a second, rates are those of the last second.
pub const WINDOW: usize = 5;

/// The last frames of a pipeline, and the first.
#[derive(Clone, Debug, Default)]
pub struct History {
    graph: Graph,
    first: Option<Snapshot>,
    last: VecDeque<Snapshot>,
}

impl History {
    /// Without frames.
    #[must_use]
    pub fn new(graph: Graph) -> Self {
        Self { graph, first: None, last: VecDeque::new() }
    }

    /// Takes the next frame in. Once all stages have ended nothing comes any more, and time stands still.
    pub fn add(&mut self, snapshot: Snapshot) {
        if self.has_ended() {
            return;
        }
        self.first.get_or_insert_with(|| snapshot.clone());
        if self.last.len() == WINDOW {
            self.last.pop_front();
        }
        self.last.push_back(snapshot);
    }

    /// Whether all stages have ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.last.back().is_some_and(Snapshot::has_ended)
    }

    /// What the frames come to.
    #[must_use]
    pub fn picture(&self) -> Picture {
        let frames = || self.last.iter();
        let mut picture = match self.has_ended() {
            true => measure(&self.graph, self.first.iter().chain(self.last.back())),
            false => measure(&self.graph, frames()),
        };
        let clock = |frame: Option<&Snapshot>| frame.map_or(0, |frame| frame.clock);
        picture.watched = clock(self.last.back()).saturating_sub(clock(self.first.as_ref()));
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Edge, Node, Role, Stage, State, Subscription};

    /// A source with two replicas behind it, after so many quarters of a second in each of which one event is handled.
    fn frame(quarters: u64, state: State) -> Snapshot {
        let stage = |name, node, share| Stage {
            state,
            busy: quarters * share,
            restarts: 1,
            ..Stage::new(name, node)
        };
        let edge = |to: &str| Subscription {
            from: "numbers".into(),
            to: to.into(),
            edge: 0,
            asked: quarters + 10,
            sent: quarters + 3,
            handled: quarters,
        };
        let stages =
            vec![stage("numbers", 0, 25_000_000), stage("sum[0]", 1, 250_000_000), stage("sum[1]", 1, 0)];
        Snapshot { clock: 7 + quarters * 250_000_000, stages, edges: vec![edge("sum[0]"), edge("sum[1]")] }
    }

    fn history() -> History {
        let node = |name: &str, role, replicas| Node { name: name.into(), role, replicas };
        let nodes = vec![node("numbers", Role::Source, 1), node("sum", Role::Sink, 2)];
        let edge = Edge { from: "numbers".into(), to: "sum".into(), max_demand: 10 };
        History::new(Graph { nodes, edges: vec![edge] })
    }

    #[test]
    fn one_frame_has_no_rates() {
        let mut history = history();
        assert!(!history.picture().is_measured());
        history.add(frame(0, State::Waiting));
        let picture = history.picture();
        assert!(!picture.is_measured());
        assert_eq!(
            (picture.nodes[1].all.rate_in, picture.edges[0].rate, picture.bottleneck),
            (None, None, None)
        );
        assert_eq!((picture.nodes[1].depth, picture.edges[0].in_flight), (1, 6));
    }

    #[test]
    fn rates_are_those_of_the_last_second_and_replicas_are_added_up() {
        let mut history = history();
        // Nothing passes for a second, then four events a second over each subscription.
        (0..5).for_each(|_| history.add(frame(0, State::Waiting)));
        (1..5).for_each(|quarters| history.add(frame(quarters, State::Waiting)));
        let picture = history.picture();
        assert_eq!(picture.watched, 1_000_000_000);
        let [numbers, sum] = &picture.nodes[..] else { panic!("two nodes") };
        assert_eq!((numbers.all.rate_out, sum.all.rate_in), (Some(8.0), Some(8.0)));
        assert_eq!(
            (numbers.all.busy, sum.all.busy, sum.stages[0].load.busy),
            (Some(0.1), Some(0.5), Some(1.0))
        );
        assert_eq!((sum.all.events_in, sum.all.restarts, sum.all.ended), (8, 2, (0, 2)));
        let edge = &picture.edges[0];
        assert_eq!((edge.rate, edge.sent, edge.outstanding, edge.in_flight), (Some(8.0), 14, 14, 6));
        assert_eq!((edge.max_demand, edge.fill()), (Some(20), 0.3));
    }

    #[test]
    fn at_the_end_rates_are_those_of_the_whole_time_and_stay() {
        let mut history = history();
        (0..20).for_each(|quarters| history.add(frame(quarters, State::Waiting)));
        history.add(frame(20, State::Ended));
        history.add(frame(90, State::Ended));
        let picture = history.picture();
        assert!(picture.has_ended);
        assert_eq!((picture.watched, picture.nodes[1].all.rate_in), (5_000_000_000, Some(8.0)));
        assert_eq!(picture.bottleneck.map(|it| (it.node, it.stage, it.busy)), Some((1, 0, 1.0)));
    }

    #[test]
    fn a_callback_that_does_not_end_takes_all_the_time() {
        let mut history = history();
        for quarters in 0..3 {
            let mut frame = frame(quarters, State::InCallback);
            frame.stages[2].callbacks = 7;
            history.add(frame);
        }
        assert_eq!(history.picture().nodes[1].stages[1].load.busy, Some(1.0));
    }

    #[test]
    fn frames_that_do_not_fit_do_no_harm() {
        let mut history = history();
        history.add(Snapshot::default());
        assert!(!history.has_ended());
        history.add(frame(5, State::Waiting));
        history.add(Snapshot { stages: vec![Stage::new("other", 9)], ..frame(2, State::Waiting) });
        assert_eq!(history.picture().nodes.len(), 2);
    }
}
