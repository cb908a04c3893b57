//! Fused nodes: `a |> b`, one stage of several.

mod expand;

pub(super) use expand::{fuse, handle, local, split};
use proc_macro2::Span;
use quote::ToTokens;
use syn::{Expr, Ident};

use super::graph::{End, Graph, Node};
use super::leaving;
use super::options::{NodeOptions, Replicas};
use crate::report::Report;
use crate::value::plain;

pub(super) const NO_OPTIONS: &str = "there is no subscription between stages that are fused, so there is nothing to state: the options of an edge \
     stand behind the first of them, as in `=> first [max_demand: 10] |> second`";

impl Graph {
    /// Fuses the stages of a target; where events leave it. If one of them is not known, nothing about them is.
    pub(super) fn fuse(&mut self, stages: &[End], report: &mut Report) -> End {
        let known: Vec<_> = stages.iter().filter_map(|(node, _)| *node).collect();
        if known.len() < stages.len() {
            known.iter().for_each(|&node| self.nodes[node].unclear = true);
            return (None, Span::call_site());
        }
        for pair in known.windows(2).zip(&stages[1..]) {
            let (&[first, second], (_, span)) = pair else { continue };
            if let Err(message) = self.link(first, second) {
                report.add(syn::Error::new(*span, message));
                known.iter().for_each(|&node| self.nodes[node].unclear = true);
                return (None, *span);
            }
        }
        stages.last().copied().unwrap_or((None, Span::call_site()))
    }

    fn link(&mut self, first: usize, second: usize) -> Result<(), String> {
        let label = |node: usize| &self.nodes[node].label;
        if self.nodes[first].behind == Some(second) {
            return Err(format!("`{} |> {}` is declared twice", label(first), label(second)));
        }
        if let Some(other) = self.nodes[first].behind {
            return Err(format!("`{}` is fused to `{}` already", label(first), label(other)));
        }
        if let Some(other) = self.nodes[second].before {
            return Err(format!("`{}` is fused to `{}` already", label(second), label(other)));
        }
        if self.head(first) == second {
            return Err(format!("`{}` is fused to itself: events would go round for ever", label(second)));
        }
        self.nodes[first].behind = Some(second);
        self.nodes[second].before = Some(first);
        Ok(())
    }

    /// The first of the nodes that this one is fused to; itself, if it is none.
    pub(super) fn head(&self, node: usize) -> usize {
        self.nodes[node].before.map_or(node, |before| self.head(before))
    }

    /// Whether this is the first of several fused nodes, or a node on its own.
    pub(super) fn is_head(&self, node: usize) -> bool {
        self.nodes[node].before.is_none()
    }

    /// Whether this one was declared before all others that it is fused to, which stand in its place.
    pub(super) fn is_eldest(&self, node: usize) -> bool {
        self.parts(node).into_iter().min() == Some(node)
    }

    /// All nodes that this one is fused to, and itself, in order.
    pub(super) fn parts(&self, node: usize) -> Vec<usize> {
        std::iter::successors(Some(self.head(node)), |&part| self.nodes[part].behind).collect()
    }

    /// What a node is called, or the stage that it is a part of.
    pub(super) fn label(&self, node: usize) -> String {
        let labels: Vec<_> = self.parts(node).into_iter().map(|part| &*self.nodes[part].label).collect();
        labels.join(" |> ")
    }

    /// When all is known: edges of parts that have none are reported and left out, and fused nodes get the same options.
    pub(super) fn settle_fused(&mut self, report: &mut Report) {
        let edges = std::mem::take(&mut self.edges);
        for edge in edges {
            let (from, to) = (&self.nodes[edge.from], &self.nodes[edge.to]);
            let (span, message) = match (from.behind, to.before) {
                (Some(behind), _) => {
                    let last = self.parts(behind).last().map_or("", |&last| &self.nodes[last].label);
                    let from = &from.label;
                    let message = format!(
                        "`{from}` is fused to what is behind it, which takes all its events: subscribe to `{last}`"
                    );
                    (edge.producer, message)
                }
                (None, Some(before)) => {
                    let (to, head) = (&to.label, &self.nodes[self.head(before)].label);
                    let message = format!(
                        "`{to}` is fused to what is before it, and takes events from no other: subscribe `{head}`"
                    );
                    (edge.span, message)
                }
                (None, None) => {
                    self.edges.push(edge);
                    continue;
                }
            };
            report.add(syn::Error::new(span, message));
            self.nodes[edge.from].unclear = true;
            self.nodes[edge.to].unclear = true;
        }
        for head in 0..self.nodes.len() {
            let parts = self.parts(head);
            if self.is_head(head) && parts.len() > 1 {
                self.share_options(&parts, report);
            }
        }
    }

    /// What is stated for one of the parts holds for all of them.
    fn share_options(&mut self, parts: &[usize], report: &mut Report) {
        for &part in &parts[..parts.len() - 1] {
            let Node { name, label, options, .. } = &mut self.nodes[part];
            if std::mem::take(&mut options.open) {
                let message = format!("`{label}` is fused to what is behind it, so its output is not open");
                report.at(name, message);
            }
        }
        for &part in parts {
            let Node { name, label, attributes, .. } = &mut self.nodes[part];
            if !attributes.cfg.is_empty() {
                attributes.cfg.clear();
                let message = format!(
                    "`{label}` is fused, so it cannot be left out: put `#[cfg(…)]` on nodes of their own"
                );
                report.at(name, message);
            }
        }
        let replicas = self.shared(
            parts,
            "replicas",
            |options| match &options.replicas {
                Replicas::One => None,
                Replicas::Array(count) => Some(count.to_token_stream()),
                Replicas::Vec(count) => Some(count.to_token_stream()),
            },
            report,
        );
        let restart = self.shared(
            parts,
            "restart",
            |options| options.restart.as_ref().map(Ident::to_token_stream),
            report,
        );
        let mut shared = NodeOptions {
            replicas: replicas.map_or(Replicas::One, |one| self.nodes[one].options.replicas.clone()),
            restart: restart.and_then(|one| self.nodes[one].options.restart.clone()),
            open: false,
        };
        if !self.can_leave(parts, &shared, report) {
            shared = NodeOptions::none();
            parts.iter().for_each(|&part| self.nodes[part].unclear = true);
        }
        for &part in parts {
            let open = self.nodes[part].options.open;
            self.nodes[part].options = NodeOptions { open, ..shared.clone() };
        }
    }

    /// Whether the expressions of all parts can be evaluated apart, if they are to be; reported of those that did not state it
    /// themselves.
    fn can_leave(&self, parts: &[usize], shared: &NodeOptions, report: &mut Report) -> bool {
        let Some(option) = shared.evaluates_apart() else { return true };
        let parts = parts.iter().map(|&part| &self.nodes[part]);
        let unchecked = parts.filter(|part| part.options.evaluates_apart().is_none());
        let exprs = unchecked.filter_map(|part| syn::parse2::<Expr>(part.expr.clone()).ok());
        let stay: Vec<_> = exprs.filter(|expr| !leaving::check(expr, option, report)).collect();
        stay.is_empty()
    }

    /// The one of the parts that states something; reported, if another states something else.
    fn shared(
        &self,
        parts: &[usize],
        option: &str,
        value: impl Fn(&NodeOptions) -> Option<proc_macro2::TokenStream>,
        report: &mut Report,
    ) -> Option<usize> {
        let mut stated =
            parts.iter().copied().filter_map(|part| Some((part, value(&self.nodes[part].options)?)));
        let (first, one) = stated.next()?;
        for (other, another) in stated.filter(|(_, another)| plain(another) != plain(&one)) {
            let [first, second] = [first, other].map(|part| &self.nodes[part].label);
            let message = format!(
                "`{first}` and `{second}` are fused, so they are one stage: state `{option}` for one of them, or the same for both"
            );
            report.at(another, message);
        }
        Some(first)
    }

    /// Reports fused nodes that nothing asks for events.
    pub(super) fn check_fused(&self, report: &mut Report) {
        for head in (0..self.nodes.len()).filter(|&node| self.is_head(node)) {
            let parts = self.parts(head);
            let is = |what: fn(&Node) -> bool| parts.iter().any(|&part| what(&self.nodes[part]));
            let is_connected = self.edges.iter().any(|edge| self.head(edge.from) == head || edge.to == head);
            if parts.len() == 1 || is_connected || is(|node| node.unclear) || is(|node| node.options.open) {
                continue;
            }
            let message = format!(
                "`{}` has no edge, so nothing asks for events and nothing bounds them: write `=>` in one of these places",
                self.label(head)
            );
            report.add(syn::Error::new(self.nodes[parts[1]].span, message));
        }
    }
}
