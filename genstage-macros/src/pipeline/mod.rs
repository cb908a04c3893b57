//! `pipeline!`: parse, build and check the graph, expand.

mod attributes;
mod expand;
mod fused;
mod graph;
mod leaving;
mod options;
mod parse;
mod partitions;

use proc_macro2::TokenStream;

use crate::rebase::rebase;
use crate::report::Report;

pub(crate) fn pipeline(input: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let mut declared = parse::parse(input, &mut report);
    let root = declared.root.take();
    let graph = graph::Graph::new(declared, &mut report);
    graph.check(&mut report);
    partitions::check(&graph, &mut report);
    let expanded = expand::expand(&graph, &report);
    match root {
        Some(root) => rebase(expanded, &root),
        None => expanded,
    }
}
