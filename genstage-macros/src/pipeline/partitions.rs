//! The partitions that a producer's edges state: each has one consumer, and of an enum all values have one.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Expr, ExprPath, Ident, Path};

use super::graph::{Edge, Graph, Node};
use crate::report::Report;
use crate::value::{no_more_arms, plain};

/// Reports partitions that two consumers of one producer are for.
pub(super) fn check(graph: &Graph, report: &mut Report) {
    let stated: Vec<_> = graph.edges.iter().filter_map(|edge| Some((edge, partition(edge)?))).collect();
    for (index, (edge, value)) in stated.iter().enumerate() {
        let same = |(other, earlier): &&(&Edge, &Expr)| {
            other.from == edge.from && is_constant(value) && plain(earlier) == plain(value)
        };
        if let Some((first, _)) = stated[..index].iter().find(same) {
            let [producer, consumer] = [first.from, first.to].map(|node| graph.label(node));
            let message =
                format!("partition `{}` of `{producer}` has a consumer already: `{consumer}`", plain(value));
            report.at(value, message);
        }
    }
}

/// What has the compiler check that the edges of a producer cover all values of the enum that its partitions are.
///
/// It is not told which enum that is: the values themselves say so, and a `match` over all of them names the missing one.
pub(super) fn cover(graph: &Graph, node: usize) -> Option<TokenStream> {
    let edges = graph.edges.iter().filter(|edge| edge.from == node);
    let values: Vec<_> = edges
        .map(|edge| Some((enum_value(partition(edge)?)?, &graph.nodes[edge.to].attributes)))
        .collect::<Option<_>>()?;
    let Node { span, attributes, .. } = &graph.nodes[node];
    let span = *span;
    // The value that is matched stands at the producer: that is where the compiler reports what is missing.
    let mut matched = values.first()?.0.clone();
    for segment in &mut matched.segments {
        segment.ident.set_span(segment.ident.span().located_at(span));
    }
    let arms = values.iter().map(|(value, consumer)| consumer.where_compiled(quote!(#value => {})));
    let no_more = no_more_arms();
    let cover = quote_spanned!(span=> let _ = || match #matched { #(#arms)* #no_more => {} };);
    Some(attributes.where_compiled(cover))
}

pub(super) fn partition(edge: &Edge) -> Option<&Expr> {
    let (name, value) = edge.options.dispatch.as_ref()?;
    (name == "partition").then_some(value)
}

/// Whether an expression that is written twice has the same value twice.
fn is_constant(value: &Expr) -> bool {
    matches!(value, Expr::Lit(_) | Expr::Path(_))
}

/// The path of a value of an enum, such as `Parity::Even`, or `Even` if that is in scope; not of a constant.
fn enum_value(value: &Expr) -> Option<&Path> {
    let Expr::Path(ExprPath { path, qself: None, .. }) = value else { return None };
    let mut backwards = path.segments.iter().rev().map(|segment| &segment.ident);
    let is_camel_case = |name: &Ident| {
        let name = name.to_string();
        name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
    };
    let (last, ty) = (backwards.next()?, backwards.next());
    let is_of_a_type = |ty: &Ident| ty != "Self" && is_camel_case(ty);
    (is_camel_case(last) || ty.is_some_and(is_of_a_type)).then_some(path)
}
