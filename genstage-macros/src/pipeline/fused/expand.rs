use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Ident;

use crate::pipeline::expand::at;
use crate::pipeline::graph::Graph;

/// The local of a node, or of the stage that it is a part of.
pub(in crate::pipeline) fn local(graph: &Graph, node: usize, locals: &[Ident]) -> Ident {
    match graph.parts(node)[..] {
        [_] => locals[node].clone(),
        _ => format_ident!("genstage_fused_{}", graph.head(node), span = graph.nodes[node].span),
    }
}

/// Makes one node of all that are fused: of the last two, of that and the one before them, and so on.
pub(in crate::pipeline) fn fuse(graph: &Graph, head: usize, locals: &[Ident]) -> Option<TokenStream> {
    let parts = graph.parts(head);
    let last = *parts.last().filter(|_| parts.len() > 1)?;
    let mut whole = locals[last].to_token_stream();
    for pair in parts.windows(2).rev() {
        // What does not fit is reported at the second of the two.
        let span = graph.nodes[pair[1]].span;
        let first = at(&locals[pair[0]], span);
        whole = quote_spanned!(span=> ::genstage::__private::fuse(#first, #whole));
    }
    let local = local(graph, head, locals);
    Some(quote!(#[allow(unused_mut)] let mut #local = #whole;))
}

/// The handles of a fused stage, in pairs: that of each part but the last, and what is left for those behind it.
pub(in crate::pipeline) fn split(graph: &Graph, head: usize, locals: &[Ident]) -> TokenStream {
    let local = local(graph, head, locals);
    let mut rest = quote!(::genstage::__private::Replicas::handle(&#local));
    let parts = graph.parts(head);
    let pairs = parts[..parts.len() - 1].iter().map(|&part| {
        let pair = pair(part);
        let split = quote!(let #pair = ::genstage::__private::parts(&#rest););
        rest = quote!(#pair.1);
        split
    });
    pairs.collect()
}

/// The handle of a node.
pub(in crate::pipeline) fn handle(graph: &Graph, node: usize, locals: &[Ident]) -> TokenStream {
    match (graph.nodes[node].before, graph.nodes[node].behind) {
        (None, None) => {
            let local = &locals[node];
            quote!(::genstage::__private::Replicas::handle(&#local))
        }
        (_, Some(_)) => {
            let pair = pair(node);
            quote!(#pair.0)
        }
        (Some(before), None) => {
            let pair = pair(before);
            quote!(#pair.1)
        }
    }
}

fn pair(node: usize) -> Ident {
    format_ident!("parts_{node}", span = Span::mixed_site())
}
