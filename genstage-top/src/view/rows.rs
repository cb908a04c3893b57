//! Which rows there are, in which order.

use super::{Controls, Sort};
use crate::model::{EdgePicture, Load, NodePicture, Picture};
use crate::wire::Role;

/// No name is further in than this: deep pipelines would be indentation only.
const DEEPEST: usize = 3;

/// All rows: stages, then edges.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) stages: Vec<StageRow<'a>>,
    pub(super) edges: Vec<&'a EdgePicture>,
}

/// A node, or one of its stages.
#[derive(Debug)]
pub(super) struct StageRow<'a> {
    /// The name, indented.
    pub(super) label: String,
    pub(super) name: &'a str,
    /// None for a replica: its node has it.
    pub(super) role: Option<Role>,
    pub(super) load: &'a Load,
    pub(super) is_bottleneck: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn of(picture: &'a Picture, controls: &Controls) -> Self {
        let mut order = picture.order();
        let load = |node: usize| &picture.nodes[node].all;
        match controls.sort {
            Sort::Topology => {}
            Sort::Busy => order.sort_by(|&a, &b| descending(load(a).busy, load(b).busy)),
            Sort::Rate => order.sort_by(|&a, &b| descending(passed(load(a)), passed(load(b)))),
        }
        let stages = order.iter().flat_map(|&node| stage_rows(picture, node, controls)).collect();
        let mut edges: Vec<_> = picture.edges.iter().collect();
        match controls.sort {
            Sort::Topology => {
                let place = |name: &str| order.iter().position(|&node| picture.nodes[node].name == name);
                edges.sort_by_key(|edge| (place(&edge.from), place(&edge.to)));
            }
            Sort::Busy => edges.sort_by(|a, b| b.fill().total_cmp(&a.fill())),
            Sort::Rate => edges.sort_by(|a, b| descending(a.rate, b.rate)),
        }
        Self { stages, edges }
    }

    pub(super) fn len(&self) -> usize {
        self.stages.len() + self.edges.len()
    }
}

fn descending(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    b.unwrap_or(-1.0).total_cmp(&a.unwrap_or(-1.0))
}

/// Events a second that pass a stage.
fn passed(load: &Load) -> Option<f64> {
    load.rate_in.zip(load.rate_out).map(|(a, b)| a.max(b))
}

fn stage_rows<'a>(picture: &'a Picture, number: usize, controls: &Controls) -> Vec<StageRow<'a>> {
    let node = &picture.nodes[number];
    let is_unfolded = controls.unfolded && node.stages.len() > 1;
    let bottleneck = picture.bottleneck.filter(|bottleneck| bottleneck.node == number);
    let indent = match controls.sort {
        Sort::Topology if node.depth > 0 => "  ".repeat(node.depth.min(DEEPEST) - 1) + "└ ",
        _ => String::new(),
    };
    let mut rows = vec![StageRow {
        label: indent.clone() + &title(node),
        name: &node.name,
        role: Some(node.role),
        load: &node.all,
        is_bottleneck: bottleneck.is_some() && !is_unfolded,
    }];
    if is_unfolded {
        let indent = " ".repeat(indent.chars().count() + 2);
        rows.extend(node.stages.iter().enumerate().map(|(stage, it)| StageRow {
            label: indent.clone() + &it.name,
            name: &it.name,
            role: None,
            load: &it.load,
            is_bottleneck: bottleneck.is_some_and(|bottleneck| bottleneck.stage == stage),
        }));
    }
    rows
}

fn title(node: &NodePicture) -> String {
    match node.stages.len() {
        0 | 1 => node.name.clone(),
        replicas => format!("{} ×{replicas}", node.name),
    }
}
