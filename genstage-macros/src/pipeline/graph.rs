use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Ident;
use syn::ext::IdentExt;

use super::attributes::Attributes;
use super::options::{NodeOptions, PipelineOptions, Subscription};
use super::parse::{Chain, Declared, Group, NodeItem, OptionItem, Part, Target, TargetStage};
use super::{fused, leaving};
use crate::names;
use crate::report::Report;

/// The topology: nodes by number, edges between them.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) options: PipelineOptions,
}

pub(super) struct Node {
    /// What the node is called in messages and in summaries.
    pub(super) label: String,
    /// The user's name for it, if there is one: then it has a handle.
    pub(super) name: Option<Ident>,
    /// Where the user first put it into an edge, or declared it.
    pub(super) span: Span,
    pub(super) attributes: Attributes,
    /// The expression that makes the stage.
    pub(super) expr: TokenStream,
    pub(super) options: NodeOptions,
    /// It stands in something that was reported already: nothing more is said about its connections.
    pub(super) unclear: bool,
    /// The nodes that it is fused to, on its left and on its right.
    pub(super) before: Option<usize>,
    pub(super) behind: Option<usize>,
    connected: bool,
}

pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) options: Subscription,
    /// Where the producer stands.
    pub(super) producer: Span,
    /// Where the consumer stands.
    pub(super) span: Span,
}

/// Which sides of a node are connected.
pub(super) enum Position {
    Source,
    Middle,
    Sink,
}

impl Graph {
    pub(super) fn new(declared: Declared, report: &mut Report) -> Self {
        let mut builder = Builder { report, graph: Self::default(), names: HashMap::new() };
        for name in &declared.unclear {
            builder.names.insert(name.unraw().to_string(), None);
        }
        declared.nodes.into_iter().for_each(|node| builder.node(node));
        declared.chains.into_iter().for_each(|chain| builder.chain(chain));
        let mut graph = builder.graph;
        graph.number_labels();
        graph.settle_fused(report);
        PipelineOptions::check(&declared.options, &graph.nodes, report);
        graph.options = PipelineOptions::new(declared.options, report);
        graph
    }

    /// Several unnamed stages of one function are told apart by numbers.
    fn number_labels(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let labels: Vec<_> = self.nodes.iter().map(|node| node.label.clone()).collect();
        for node in self.nodes.iter_mut().filter(|node| node.name.is_none()) {
            if labels.iter().filter(|label| **label == node.label).count() > 1 {
                let number = seen.entry(node.label.clone()).or_default();
                *number += 1;
                node.label = format!("{}#{number}", node.label);
            }
        }
    }

    pub(super) fn check(&self, report: &mut Report) {
        for node in &self.nodes {
            if let (Some(name), false, false) =
                (&node.name, node.connected || node.options.open, node.unclear)
            {
                report.at(
                    name,
                    format!("`{name}` is not connected: connect it, as in `{name} => …`, or remove it"),
                );
            }
        }
        self.check_fused(report);
        self.check_twice(report);
        self.check_cycles(report);
        if self.nodes.is_empty() && report.is_empty() {
            report.add(syn::Error::new(
                Span::call_site(),
                "a pipeline needs stages, as in `counter => printer;`",
            ));
        }
    }

    fn check_twice(&self, report: &mut Report) {
        for (index, edge) in self.edges.iter().enumerate() {
            if self.edges[..index].iter().any(|other| (other.from, other.to) == (edge.from, edge.to)) {
                let message = format!("the edge `{}` is declared twice", self.edge_name(edge));
                report.add(syn::Error::new(edge.span, message));
            }
        }
    }

    /// Reports every cycle once, at the edge that closes it.
    fn check_cycles(&self, report: &mut Report) {
        let mut state = vec![Visit::New; self.nodes.len()];
        for node in 0..self.nodes.len() {
            self.visit(self.head(node), &mut vec![], &mut state, report);
        }
    }

    fn visit(&self, node: usize, path: &mut Vec<usize>, state: &mut [Visit], report: &mut Report) {
        if state[node] == Visit::Done {
            return;
        }
        state[node] = Visit::Open;
        for (index, edge) in self.edges.iter().enumerate().filter(|(_, edge)| self.head(edge.from) == node) {
            path.push(index);
            match state[edge.to] {
                Visit::Open => self.report_cycle(edge.to, path, report),
                Visit::New | Visit::Done => self.visit(edge.to, path, state, report),
            }
            path.pop();
        }
        state[node] = Visit::Done;
    }

    fn report_cycle(&self, start: usize, path: &[usize], report: &mut Report) {
        let Some(first) = path.iter().position(|&edge| self.head(self.edges[edge].from) == start) else {
            return;
        };
        let cycle = &path[first..];
        let span = self.edges[cycle[cycle.len() - 1]].span;
        let names: Vec<_> = cycle.iter().map(|&edge| self.edge_name(&self.edges[edge])).collect();
        let message = match cycle {
            [_] => {
                format!("`{}` subscribes to itself: events would go round for ever", self.label(start))
            }
            _ => format!(
                "a cycle: {}; events would go round for ever, so remove one of these edges",
                names::list(names.iter().map(String::as_str), "and")
            ),
        };
        report.add(syn::Error::new(span, message));
    }

    /// An edge as the user would write it.
    pub(super) fn edge_name(&self, edge: &Edge) -> String {
        format!("{} => {}", self.label(edge.from), self.label(edge.to))
    }

    /// Where a node stands; not known if something about it is unclear.
    pub(super) fn position(&self, node: usize) -> Option<Position> {
        let Node { options, before, behind, .. } = &self.nodes[node];
        let output = options.open || behind.is_some() || self.edges.iter().any(|edge| edge.from == node);
        let input = before.is_some() || self.edges.iter().any(|edge| edge.to == node);
        match (input, output) {
            _ if self.nodes[node].unclear => None,
            (false, false) => None,
            (false, true) => Some(Position::Source),
            (true, true) => Some(Position::Middle),
            (true, false) => Some(Position::Sink),
        }
    }

    /// The first of a node's neighbours that is there whatever is configured.
    pub(super) fn peer(&self, node: usize) -> Option<usize> {
        let ends = |edge: &Edge| match edge {
            Edge { from, to, .. } if *from == node => Some(*to),
            Edge { from, to, .. } if *to == node => Some(*from),
            _ => None,
        };
        let Node { before, behind, .. } = &self.nodes[node];
        let peers = before.iter().chain(behind).copied().chain(self.edges.iter().filter_map(ends));
        peers.into_iter().find(|&peer| self.nodes[peer].attributes.cfg.is_empty())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

/// A node in an edge, if it is known, and where it stands.
pub(super) type End = (Option<usize>, Span);

struct Builder<'a> {
    report: &'a mut Report,
    graph: Graph,
    /// The nodes by name; none for a name whose declaration could not be read.
    names: HashMap<String, Option<usize>>,
}

impl Builder<'_> {
    fn node(&mut self, item: NodeItem) {
        let label = item.name.unraw().to_string();
        if let Some(Some(first)) = self.names.get(&label) {
            self.report
                .at(&item.name, format!("`{label}` is declared twice: give one of the stages another name"));
            self.graph.nodes[*first].unclear = true;
            return;
        }
        let mut unclear = self.names.contains_key(&label);
        self.names.insert(label.clone(), Some(self.graph.nodes.len()));
        let mut options = NodeOptions::new(item.options, self.report);
        if let Some(option) = options.evaluates_apart()
            && !leaving::check(&item.expr, option, self.report)
        {
            // Reported: evaluated where it stands, the compiler has nothing to add.
            options = NodeOptions { open: options.open, ..NodeOptions::none() };
            unclear = true;
        }
        self.graph.nodes.push(Node {
            label,
            span: item.name.span(),
            name: Some(item.name),
            attributes: Attributes::new(item.attributes),
            expr: item.expr.into_token_stream(),
            options,
            unclear,
            before: None,
            behind: None,
            connected: false,
        });
    }

    fn chain(&mut self, chain: Chain) {
        let mut producers: Option<Vec<End>> = None;
        for Group { targets } in chain.groups {
            let consumers: Vec<_> =
                targets.into_iter().map(|target| self.target(target, producers.as_deref())).collect();
            producers = Some(consumers);
        }
    }

    /// The node that a target means, or the last one of several that are fused; the first one is subscribed to the group before it.
    fn target(&mut self, Target { parts }: Target, producers: Option<&[End]>) -> End {
        let mut stages = vec![];
        let mut parts = parts.into_iter();
        if let Some(Part { stage, options }) = parts.next() {
            let first = self.resolve(stage);
            self.subscribe(first, options, producers);
            stages.push(first);
        }
        for Part { stage, options } in parts {
            if let Some(option) = options.first() {
                self.report.at(&option.name, fused::NO_OPTIONS);
            }
            stages.push(self.resolve(stage));
        }
        self.graph.fuse(&stages, self.report)
    }

    fn subscribe(&mut self, (node, span): End, options: Vec<OptionItem>, producers: Option<&[End]>) {
        let Some(producers) = producers else {
            if let Some(option) = options.first() {
                self.report.at(
                    &option.name,
                    "the options of a subscription stand behind its consumer, right of `=>`",
                );
            }
            return;
        };
        let options = Subscription::new(options, self.report);
        for &(from, producer) in producers {
            match (from, node) {
                (Some(from), Some(to)) => {
                    self.graph.edges.push(Edge { from, to, options: options.clone(), producer, span });
                }
                // The other end is reported, or unclear: what this one is connected to is not known.
                (Some(one), None) | (None, Some(one)) => self.graph.nodes[one].unclear = true,
                (None, None) => {}
            }
        }
    }

    fn resolve(&mut self, stage: TargetStage) -> End {
        match stage {
            TargetStage::Name(name) => (self.named(&name), name.span()),
            TargetStage::Call { function, arguments } => {
                let Some(last) = function.path.segments.last() else { return (None, Span::call_site()) };
                let (label, span) = (last.ident.unraw().to_string(), last.ident.span());
                self.graph.nodes.push(Node {
                    label,
                    name: None,
                    attributes: Attributes::default(),
                    span,
                    expr: quote::quote!(#function(#arguments)),
                    options: NodeOptions::none(),
                    unclear: false,
                    before: None,
                    behind: None,
                    connected: true,
                });
                (Some(self.graph.nodes.len() - 1), span)
            }
        }
    }

    fn named(&mut self, name: &Ident) -> Option<usize> {
        let label = name.unraw().to_string();
        match self.names.get(&label) {
            Some(&Some(node)) => {
                let node_entry = &mut self.graph.nodes[node];
                if !node_entry.connected {
                    node_entry.span = name.span();
                    node_entry.connected = true;
                }
                Some(node)
            }
            Some(None) => None,
            None => {
                let known: Vec<_> = self
                    .graph
                    .nodes
                    .iter()
                    .filter_map(|node| node.name.as_ref())
                    .map(Ident::to_string)
                    .collect();
                self.report.at(name, names::unknown_stage(&label, known.iter().map(String::as_str)));
                None
            }
        }
    }
}
