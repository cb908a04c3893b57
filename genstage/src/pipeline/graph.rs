use std::fmt::{self, Write};

use crate::fused;
use crate::restart::Restart;
use crate::role::Kind;
use crate::{Cancel, Rate};

/// The topology of a pipeline, as a value; from [`Pipeline::graph`](crate::Pipeline::graph).
///
/// ```
/// use genstage::prelude::*;
///
/// let app = pipeline! {
///     numbers = from_iter(0..10);
///     twice = map(|n: u64| n * 2), replicas: 3;
///
///     numbers => twice [max_demand: 100] => for_each(|n| println!("{n}"));
/// };
/// let graph = app.graph();
/// assert_eq!(graph.nodes()[1].replicas, 3);
/// assert_eq!(graph.edges()[0].max_demand, 100);
/// println!("{}", graph.to_mermaid());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<GraphNode>,
    edges: Vec<GraphEdge>,
}

/// A node: a stage, or its replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphNode {
    /// The node's name, or that of the function which makes an unnamed stage.
    pub name: String,
    /// The stage's type, without path and parameters; of a fused one, that of its first part.
    pub stage: &'static str,
    /// The stages that are fused in it, by `|>`, in order; empty for a stage on its own.
    pub parts: Vec<GraphPart>,
    /// Its role.
    pub role: Kind,
    /// How many stages the node stands for.
    pub replicas: usize,
    /// The type of its dispatcher, without path and parameters; none for what has no consumers.
    pub dispatcher: Option<&'static str>,
    /// When it is begun anew.
    pub restart: Restart,
    /// Whether its callbacks run in threads that may block.
    pub blocking: bool,
    /// Whether its output is open for others.
    pub open: bool,
}

/// A stage that is part of a fused one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphPart {
    /// The part's name, or that of the function which makes an unnamed stage.
    pub name: String,
    /// The stage's type, without path and parameters.
    pub stage: &'static str,
}

/// An edge: every stage of `to` subscribes to every stage of `from`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GraphEdge {
    /// The producer's name.
    pub from: String,
    /// The consumer's name.
    pub to: String,
    /// How many events may be on their way over one subscription.
    pub max_demand: usize,
    /// How few may be left before more are asked for.
    pub min_demand: usize,
    /// How many events come over one subscription at most, if the edge states it.
    pub rate: Option<Rate>,
    /// What the end of one side does to the other.
    pub cancel: Cancel,
    /// The consumer's partition, if the edge states one.
    pub partition: Option<String>,
}

/// An edge by the names of its nodes.
#[derive(Clone, Debug)]
pub struct EdgeName {
    from: &'static str,
    to: &'static str,
    partition: Option<&'static str>,
}

impl EdgeName {
    /// `from => to`, with the partition as it is written.
    #[must_use]
    pub fn new(from: &'static str, to: &'static str, partition: Option<&'static str>) -> Self {
        Self { from, to, partition }
    }

    pub(super) fn with(
        self,
        (max_demand, min_demand): (usize, usize),
        rate: Option<Rate>,
        cancel: Cancel,
    ) -> GraphEdge {
        let Self { from, to, partition } = self;
        let [from, to] = [from, to].map(str::to_owned);
        GraphEdge { from, to, max_demand, min_demand, rate, cancel, partition: partition.map(str::to_owned) }
    }
}

impl fmt::Display for EdgeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} => {}", self.from, self.to)
    }
}

impl Graph {
    pub(super) fn add_node(&mut self, node: GraphNode) {
        self.nodes.push(node);
    }

    pub(super) fn add_edge(&mut self, edge: GraphEdge) {
        self.edges.push(edge);
    }

    /// The nodes, in the order in which they were declared; unnamed stages come last.
    #[must_use]
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The edges, in the order in which they were declared.
    #[must_use]
    pub fn edges(&self) -> &[GraphEdge] {
        &self.edges
    }

    /// A [Mermaid](https://mermaid.js.org) flowchart: sources are round, sinks have a double border, and edges carry their window.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("flowchart LR\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let (open, close) = match node.role {
                Kind::Producer => ("([", "])"),
                Kind::ProducerConsumer => ("[", "]"),
                Kind::Consumer | Kind::ConsumerSupervisor => ("[[", "]]"),
            };
            let label = escaped(&node.lines().join("<br/>"), &[('"', "#quot;")]);
            line(&mut text, format_args!("    n{number}{open}\"{label}\"{close}"));
        }
        for (from, to, edge) in self.numbered() {
            let label = escaped(&edge.label(), &[('"', "#quot;")]);
            line(&mut text, format_args!("    n{from} -->|\"{label}\"| n{to}"));
        }
        text
    }

    /// A digraph in the language of [Graphviz](https://graphviz.org): sources are ellipses, sinks have a double border, and edges
    /// carry their window.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut text = String::from("digraph pipeline {\n    rankdir=LR;\n");
        for (number, node) in self.nodes.iter().enumerate() {
            let shape = match node.role {
                Kind::Producer => "shape=ellipse",
                Kind::ProducerConsumer => "shape=box",
                Kind::Consumer | Kind::ConsumerSupervisor => "shape=box, peripheries=2",
            };
            let label = node.lines().map(|line| escaped(&line, &QUOTED)).join("\\n");
            line(&mut text, format_args!("    n{number} [{shape}, label=\"{label}\"];"));
        }
        for (from, to, edge) in self.numbered() {
            let label = escaped(&edge.label(), &QUOTED);
            line(&mut text, format_args!("    n{from} -> n{to} [label=\"{label}\"];"));
        }
        text.push_str("}\n");
        text
    }

    /// The edges, with the numbers of their nodes.
    fn numbered(&self) -> impl Iterator<Item = (usize, usize, &GraphEdge)> {
        let number = |name: &str| self.nodes.iter().position(|node| node.name == name);
        self.edges.iter().filter_map(move |edge| Some((number(&edge.from)?, number(&edge.to)?, edge)))
    }
}

/// What stands for `\` and `"` within quotes.
const QUOTED: [(char, &str); 2] = [('\\', "\\\\"), ('"', "\\\"")];

fn escaped(text: &str, escapes: &[(char, &str)]) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match escapes.iter().find(|(escape, _)| *escape == letter) {
            Some((_, instead)) => escaped.push_str(instead),
            None => escaped.push(letter),
        }
    }
    escaped
}

fn line(text: &mut String, line: fmt::Arguments<'_>) {
    // A `String` takes everything.
    let _ = writeln!(text, "{line}");
}

impl GraphNode {
    /// The parts of a node of that name, by their types; none if it is one stage.
    pub(super) fn parts(name: &str, types: &[&'static str]) -> Vec<GraphPart> {
        match types {
            [_] => vec![],
            _ => {
                let part = |(name, stage): (&str, &&'static str)| GraphPart { name: name.to_owned(), stage };
                fused::parts(name).zip(types).map(part).collect()
            }
        }
    }

    /// The name, the type if it says more, and what is special about the node.
    fn lines(&self) -> [String; 2] {
        let times = if self.replicas == 1 { String::new() } else { format!(" × {}", self.replicas) };
        let types: Vec<_> = self.parts.iter().map(|part| part.stage).collect();
        let mut about = vec![if types.is_empty() { self.stage.to_owned() } else { types.join(" |> ") }];
        about.extend(self.dispatcher.filter(|name| *name != "DemandDispatcher").map(str::to_owned));
        about.extend((self.restart != Restart::Never).then(|| "restarts".to_owned()));
        about.extend(self.blocking.then(|| "blocking".to_owned()));
        about.extend(self.open.then(|| "open".to_owned()));
        [format!("{}{times}", self.name), about.join(", ")]
    }
}

impl GraphEdge {
    fn label(&self) -> String {
        let partition = self.partition.iter().map(|partition| format!("{partition}: "));
        let rate = self.rate.iter().map(|rate| format!(", {rate}"));
        partition.chain([self.max_demand.to_string()]).chain(rate).collect()
    }
}
