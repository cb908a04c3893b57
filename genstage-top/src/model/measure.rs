//! A picture out of a few frames that followed one another.

use std::collections::HashMap;

use super::order::depths;
use super::{EdgePicture, Load, NodePicture, Picture, StagePicture, bottleneck};
use crate::wire::{Graph, Snapshot, Stage, State, Subscription};

/// What was done between the first and the last of these frames of a pipeline. Where they do not fit together, it is left out.
#[must_use]
pub fn measure<'a>(graph: &Graph, frames: impl Iterator<Item = &'a Snapshot>) -> Picture {
    let frames: Vec<_> = frames.collect();
    let empty = Snapshot::default();
    let [first, last] = [frames.first(), frames.last()].map(|frame| frame.copied().unwrap_or(&empty));
    let passed = last.clock.saturating_sub(first.clock);
    let span = Span { first, last, passed, before: Moved::of(first), now: Moved::of(last) };
    let depths = depths(graph);
    let nodes = graph.nodes.iter().zip(depths).enumerate().map(|(number, (node, depth))| {
        let stages = span.stages(number);
        let (name, role) = (node.name.clone(), node.role);
        NodePicture { name, role, depth, all: Load::of_all(&stages), stages }
    });
    let mut picture = Picture {
        watched: span.passed,
        has_ended: last.has_ended(),
        nodes: nodes.collect(),
        edges: (0..graph.edges.len()).map(|number| span.edge(graph, number)).collect(),
        bottleneck: None,
    };
    picture.bottleneck = bottleneck::find(&picture, &frames);
    picture
}

/// The time between two frames.
struct Span<'a> {
    first: &'a Snapshot,
    last: &'a Snapshot,
    passed: u64,
    before: Moved<'a>,
    now: Moved<'a>,
}

/// How many events each stage has handled and sent, by its name, over the edges that were declared.
struct Moved<'a>(HashMap<&'a str, (u64, u64)>);

impl<'a> Moved<'a> {
    fn of(frame: &'a Snapshot) -> Self {
        let mut moved: HashMap<_, (u64, u64)> = HashMap::new();
        for edge in &frame.edges {
            let (handled, _) = moved.entry(&*edge.to).or_default();
            *handled = handled.saturating_add(edge.handled);
            let (_, sent) = moved.entry(&*edge.from).or_default();
            *sent = sent.saturating_add(edge.sent);
        }
        Self(moved)
    }

    /// What a stage has taken in and sent. What it has published may be older than what its edges say; what does not go over an edge
    /// of the pipeline they do not say.
    fn by(&self, stage: &Stage) -> (u64, u64) {
        let (handled, sent) = self.0.get(&*stage.name).copied().unwrap_or_default();
        (stage.events_in.max(handled), stage.events_out.max(sent))
    }
}

impl Span<'_> {
    /// So many a second, if time has passed.
    fn rate(&self, before: u64, now: u64) -> Option<f64> {
        let seconds = self.passed as f64 / 1e9;
        (self.passed > 0).then(|| now.saturating_sub(before) as f64 / seconds)
    }

    fn stages(&self, node: usize) -> Vec<StagePicture> {
        let of_node = |(number, stage): (usize, &Stage)| {
            let load = self.load(number, stage);
            (stage.node == node).then(|| StagePicture { name: stage.name.clone(), load })
        };
        self.last.stages.iter().enumerate().filter_map(of_node).collect()
    }

    fn load(&self, number: usize, stage: &Stage) -> Load {
        let earlier = self.first.stages.get(number);
        let (events_in, events_out) = self.now.by(stage);
        let (before_in, before_out) = earlier.map_or((0, 0), |earlier| self.before.by(earlier));
        Load {
            rate_in: self.rate(before_in, events_in),
            rate_out: self.rate(before_out, events_out),
            busy: self.busy(earlier, stage),
            events_in,
            events_out,
            buffered: stage.buffered,
            mailbox: stage.mailbox as u64,
            restarts: stage.restarts,
            discarded: stage.discarded,
            lost: stage.lost,
            ended: Load::ended(stage.state),
        }
    }

    /// The share of the time in callbacks. One that has not ended yet is not counted: if it is still the same, all the time is its.
    fn busy(&self, earlier: Option<&Stage>, now: &Stage) -> Option<f64> {
        let busy = self.rate(earlier.map_or(0, |earlier| earlier.busy), now.busy)? / 1e9;
        let is_same =
            |earlier: &Stage| (earlier.state, earlier.callbacks) == (State::InCallback, now.callbacks);
        let is_long = now.state == State::InCallback && earlier.is_some_and(is_same);
        Some(if is_long { 1.0 } else { busy.min(1.0) })
    }

    fn edge(&self, graph: &Graph, number: usize) -> EdgePicture {
        let edge = &graph.edges[number];
        let sum = |frame: &Snapshot, what: fn(&Subscription) -> u64| {
            frame.over(number).map(what).fold(0, u64::saturating_add)
        };
        let sent = |frame| sum(frame, |one| one.sent);
        let subscriptions = self.last.over(number).count() as u64;
        let bound = u64::try_from(edge.max_demand).ok().filter(|_| edge.max_demand != usize::MAX);
        EdgePicture {
            from: edge.from.clone(),
            to: edge.to.clone(),
            rate: self.rate(sent(self.first), sent(self.last)),
            sent: sent(self.last),
            outstanding: sum(self.last, Subscription::outstanding),
            in_flight: sum(self.last, Subscription::in_flight),
            max_demand: bound.map(|max| max.saturating_mul(subscriptions)),
        }
    }
}

impl Snapshot {
    /// The subscriptions of an edge.
    fn over(&self, edge: usize) -> impl Iterator<Item = &Subscription> {
        self.edges.iter().filter(move |subscription| subscription.edge == edge)
    }
}
