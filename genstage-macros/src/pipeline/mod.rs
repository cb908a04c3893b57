//! `pipeline!`: parse, build and check the graph, expand.

mod expand;
mod graph;
mod leaving;
mod options;
mod parse;
mod partitions;

use proc_macro2::TokenStream;

use crate::report::Report;

pub(crate) fn pipeline(input: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let declared = parse::parse(input, &mut report);
    let graph = graph::Graph::new(declared, &mut report);
    graph.check(&mut report);
    partitions::check(&graph, &mut report);
    expand::expand(&graph, &report)
}
