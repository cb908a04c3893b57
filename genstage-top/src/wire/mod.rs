//! What goes over a connection: one JSON object a line, first a [`Frame::Hello`], then a [`Frame::Snapshot`] again and again.

mod convert;

use anyhow::{Context as _, Result, ensure};
use genstage::Watch;
use serde::{Deserialize, Serialize};

/// Of the frames as they are here. Both sides have to be of the same.
pub const VERSION: u32 = 1;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    /// The first one: what there is to see.
    Hello(Hello),
    /// What the pipeline has done so far.
    Snapshot(Snapshot),
}

/// Which frames come, and of which pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the side that serves.
    pub version: u32,
    /// The topology.
    pub graph: Graph,
}

/// The topology of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// In the order in which they were declared.
    pub nodes: Vec<Node>,
    /// In the order in which they were declared.
    pub edges: Vec<Edge>,
}

/// A node: a stage, or its replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What it does in a pipeline.
    pub role: Role,
    /// How many stages it stands for.
    pub replicas: usize,
}

/// The role of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A producer.
    Source,
    /// A producer-consumer.
    Middle,
    /// A consumer.
    Sink,
    /// A consumer that starts a task for each event.
    Tasks,
}

/// An edge: every stage of `to` subscribes to every stage of `from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The producing node's name.
    pub from: String,
    /// The consuming node's name.
    pub to: String,
    /// How many events may be on their way over one subscription.
    pub max_demand: usize,
}

/// What a pipeline has done so far; see [`genstage::PipelineSnapshot`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The watchers' clock, in nanoseconds. Only differences mean anything.
    pub clock: u64,
    /// In the order of the graph's nodes; of a node with replicas, each of them.
    pub stages: Vec<Stage>,
    /// The subscriptions, in the order of the graph's edges.
    pub edges: Vec<Subscription>,
}

/// What a stage has done so far; see [`genstage::StageSnapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// The number of its node in the graph.
    pub node: usize,
    /// What it is at.
    pub state: State,
    /// How many callbacks have been called.
    pub callbacks: u64,
    /// Nanoseconds of the watchers' clock in callbacks that have ended.
    pub busy: u64,
    /// Events handed to its handler.
    pub events_in: u64,
    /// Events sent.
    pub events_out: u64,
    /// Events that wait in it because nobody wants them.
    pub buffered: u64,
    /// Messages that it has not looked at.
    pub mailbox: usize,
    /// Events that nobody will see.
    pub discarded: u64,
    /// Events lost with failed callbacks.
    pub lost: u64,
    /// How often it has been begun anew.
    pub restarts: u64,
}

/// What a stage is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for something to do.
    Waiting,
    /// A callback runs.
    InCallback,
    /// It has ended.
    Ended,
}

/// What has gone over a subscription so far; see [`genstage::EdgeSnapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The producing stage's name.
    pub from: String,
    /// The consuming stage's name.
    pub to: String,
    /// The number of its edge in the graph.
    pub edge: usize,
    /// Events that the consumer has asked for.
    pub asked: u64,
    /// Events that the producer has sent.
    pub sent: u64,
    /// Events that the consumer has handled.
    pub handled: u64,
}

impl Frame {
    /// The first frame of a connection.
    #[must_use]
    pub fn hello(watch: &Watch) -> Self {
        Self::Hello(Hello { version: VERSION, graph: watch.graph().into() })
    }

    /// What the pipeline has done up to now.
    #[must_use]
    pub fn snapshot(watch: &Watch) -> Self {
        Self::Snapshot((&watch.snapshot()).into())
    }

    /// As a line, with its end.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON.
    pub fn to_line(&self) -> Result<String> {
        Ok(serde_json::to_string(self).context("cannot write a frame")? + "\n")
    }

    /// From a line, with or without its end.
    ///
    /// # Errors
    ///
    /// If that is none, or one of another version.
    pub fn from_line(line: &str) -> Result<Self> {
        // Before anything else is looked at: what another version says may have any form.
        if let Ok(Opening { hello }) = serde_json::from_str(line) {
            ensure!(
                hello.version == VERSION,
                "frames of version {} come, and this genstage-top knows version {VERSION}: use the genstage-top of the \
                 same release as the program that serves",
                hello.version,
            );
        }
        serde_json::from_str(line).with_context(|| {
            let start: String = line.chars().take(60).collect();
            format!("this is no frame of genstage-top: {start:?}")
        })
    }
}

/// What every version of a hello has.
#[derive(Deserialize)]
struct Opening {
    hello: Version,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Snapshot {
    /// Whether all stages have ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !self.stages.is_empty() && self.stages.iter().all(|stage| stage.state == State::Ended)
    }
}

impl Stage {
    /// One that has done nothing yet.
    #[must_use]
    pub fn new(name: &str, node: usize) -> Self {
        Self {
            name: name.to_owned(),
            node,
            state: State::Waiting,
            callbacks: 0,
            busy: 0,
            events_in: 0,
            events_out: 0,
            buffered: 0,
            mailbox: 0,
            discarded: 0,
            lost: 0,
            restarts: 0,
        }
    }
}

impl Subscription {
    /// Events that the consumer wants and the producer has not sent.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.asked.saturating_sub(self.sent)
    }

    /// Events that have been sent and not handled.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.handled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_line_and_comes_back_as_it_was() {
        let node = Node { name: "read\n".into(), role: Role::Source, replicas: 2 };
        let edge = Edge { from: "a".into(), to: "b".into(), max_demand: usize::MAX };
        let graph = Graph { nodes: vec![node], edges: vec![edge] };
        let hello = Frame::Hello(Hello { version: VERSION, graph });
        let line = hello.to_line().unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(Frame::from_line(&line).unwrap(), hello);

        let edge = Subscription { from: "a".into(), to: "b".into(), edge: 0, asked: 9, sent: 5, handled: 3 };
        assert_eq!((edge.outstanding(), edge.in_flight()), (4, 2));
        let snapshot = Frame::Snapshot(Snapshot { clock: 7, stages: vec![], edges: vec![edge] });
        assert_eq!(Frame::from_line(&snapshot.to_line().unwrap()).unwrap(), snapshot);
    }

    #[test]
    fn what_is_no_frame_or_of_another_version_is_refused() {
        let error = Frame::from_line("SSH-2.0").unwrap_err();
        assert_eq!(error.to_string(), "this is no frame of genstage-top: \"SSH-2.0\"");
        let error = Frame::from_line(r#"{"hello":{"version":99,"new":[]}}"#).unwrap_err();
        assert!(error.to_string().starts_with("frames of version 99 come"), "{error}");
    }

    #[tokio::test]
    async fn frames_say_what_the_pipeline_says() {
        use genstage::prelude::*;

        let app = pipeline! {
            numbers = from_iter(0..10u64);
            twice   = map(|n: u64| n * 2);
            even    = filter(|n: &u64| *n > 4), replicas: 2;

            numbers => twice |> rest => even [max_demand: 4] => for_each(|_: u64| ());
            rest = map(|n: u64| n);
        }
        .start()
        .unwrap();
        let watch = app.watch();
        app.join().await.unwrap();
        let Frame::Hello(Hello { graph, .. }) = Frame::hello(&watch) else { panic!("no hello") };
        let Frame::Snapshot(snapshot) = Frame::snapshot(&watch) else { panic!("no snapshot") };
        for edge in &graph.edges {
            let nodes = |name: &str| graph.nodes.iter().filter(|node| node.name == name).count();
            assert_eq!((nodes(&edge.from), nodes(&edge.to)), (1, 1), "{edge:?}");
        }
        for edge in &snapshot.edges {
            let stages = |name: &str| snapshot.stages.iter().filter(|stage| stage.name == name).count();
            assert_eq!((stages(&edge.from), stages(&edge.to)), (1, 1), "{edge:?}");
        }
        assert!(snapshot.has_ended());
        assert_eq!(snapshot.edges.iter().map(Subscription::in_flight).sum::<u64>(), 0);
        let names: Vec<_> = snapshot.stages.iter().map(|stage| &*stage.name).collect();
        assert_eq!(names[0], "numbers");
    }
}
