//! The order in which events pass the nodes.

use crate::wire::Graph;

/// How many edges there are at most from a source to each node.
pub(super) fn depths(graph: &Graph) -> Vec<usize> {
    let mut depths = vec![0; graph.nodes.len()];
    let edges: Vec<_> = graph.edges.iter().filter_map(|edge| ends(graph, &edge.from, &edge.to)).collect();
    // The longest path of a graph without cycles has fewer edges than it has nodes. A frame may hold anything, though, so no more
    // rounds than that.
    for _ in 1..depths.len() {
        let before = depths.clone();
        for &(from, to) in &edges {
            depths[to] = depths[to].max(depths[from] + 1);
        }
        if depths == before {
            break;
        }
    }
    depths
}

fn ends(graph: &Graph, from: &str, to: &str) -> Option<(usize, usize)> {
    let number = |name: &str| graph.nodes.iter().position(|node| node.name == name);
    Some((number(from)?, number(to)?))
}

/// The numbers of the nodes, those closest to a source first, and otherwise as they were declared.
pub(super) fn topological(depths: &[usize]) -> Vec<usize> {
    let mut order: Vec<_> = (0..depths.len()).collect();
    order.sort_by_key(|&node| depths[node]);
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Edge, Node, Role};

    fn graph(nodes: &[&str], edges: &[(&str, &str)]) -> Graph {
        let node = |name: &&str| Node { name: (*name).into(), role: Role::Middle, replicas: 1 };
        let edge = |&(from, to): &(&str, &str)| Edge { from: from.into(), to: to.into(), max_demand: 1 };
        Graph { nodes: nodes.iter().map(node).collect(), edges: edges.iter().map(edge).collect() }
    }

    #[test]
    fn a_node_stands_behind_all_that_lead_to_it() {
        let diamond = [("b", "d"), ("a", "b"), ("a", "c"), ("c", "d"), ("a", "d")];
        let depths = depths(&graph(&["d", "c", "b", "a"], &diamond));
        assert_eq!(depths, [2, 1, 1, 0]);
        assert_eq!(topological(&depths), [3, 1, 2, 0]);
    }

    #[test]
    fn a_graph_that_makes_no_sense_does_no_harm() {
        assert_eq!(depths(&graph(&[], &[("a", "b")])), [0; 0]);
        assert_eq!(depths(&graph(&["a", "b"], &[("a", "b"), ("b", "a")])).len(), 2);
    }
}
