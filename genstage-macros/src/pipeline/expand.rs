use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use super::attributes::Attributes;
use super::graph::{Edge, Graph, Node, Position};
use super::options::{PipelineOptions, Replicas, Subscription};
use super::{fused, partitions};
use crate::report::Report;
use crate::value::plain;

/// One block: the nodes as locals, the checks of their positions, the edges, the handles, the pipeline.
///
/// The user's expressions see none of the locals, and those hide nothing of the user's.
pub(super) fn expand(graph: &Graph, report: &Report) -> TokenStream {
    let wiring = Ident::new("wiring", Span::mixed_site());
    let locals: Vec<_> = graph.nodes.iter().enumerate().map(|(number, node)| local(number, node)).collect();
    let nodes = graph.nodes.iter().zip(&locals).map(|(node, local)| declare(node, local));
    let positions = (0..graph.nodes.len()).filter_map(|node| position(graph, node, &locals));
    let covers = (0..graph.nodes.len()).filter_map(|node| partitions::cover(graph, node));
    let heads = (0..graph.nodes.len()).filter(|&node| graph.is_head(node));
    let wholes = heads.filter_map(|head| fused::fuse(graph, head, &locals));
    let edges = graph.edges.iter().map(|edge| connect(graph, edge, &wiring, &locals));
    let stages = (0..graph.nodes.len()).filter(|&node| graph.is_eldest(node));
    let adds = stages.map(|node| {
        let (label, local) = (graph.label(node), fused::local(graph, node, &locals));
        let attributes = &graph.nodes[node].attributes;
        let is_open = graph.parts(node).iter().any(|&part| graph.nodes[part].options.open);
        let add = if is_open { quote!(add_open) } else { quote!(add) };
        // A path and no method: a trait of the user's may have one of that name.
        attributes.where_compiled(quote!(::genstage::__private::Wiring::#add(&mut #wiring, #label, #local);))
    });
    let (handles, made) = (Ident::new("handles", Span::mixed_site()), handles(graph, &locals));
    let policy = policy(&graph.options, &wiring);
    quote! {{
        #report
        let mut #wiring = ::genstage::__private::Wiring::new();
        #(#nodes)*
        #(#positions)*
        #(#covers)*
        #(#wholes)*
        #(#edges)*
        let #handles = #made;
        #policy
        #(#adds)*
        ::genstage::__private::Wiring::finish(#wiring, #handles)
    }}
}

/// What is stated about restarts.
fn policy(options: &PipelineOptions, wiring: &Ident) -> TokenStream {
    let mut tokens = TokenStream::new();
    if let Some(strategy) = &options.strategy {
        tokens.extend(
            quote_spanned!(strategy.span()=> ::genstage::__private::Wiring::strategy(&mut #wiring, ::genstage::__private::Strategy::#strategy);),
        );
    }
    for (name, value) in &options.limits {
        let method = Ident::new(&name.to_string(), name.span());
        tokens.extend(
            quote_spanned!(name.span()=> ::genstage::__private::Wiring::#method(&mut #wiring, #value);),
        );
    }
    tokens
}

/// A node's local. Its name is no name of a user's; its place and hygiene are the user's word for the node, because the
/// compiler reports what is wrong with a node at its local.
fn local(number: usize, node: &Node) -> Ident {
    format_ident!("genstage_node_{number}", span = node.span)
}

/// A local, standing somewhere else.
pub(super) fn at(local: &Ident, span: Span) -> Ident {
    let mut moved = local.clone();
    moved.set_span(local.span().located_at(span));
    moved
}

fn declare(node: &Node, local: &Ident) -> TokenStream {
    let Node { label, expr, span, options, attributes, .. } = node;
    let Attributes { cfg, other, .. } = attributes;
    let span = *span;
    let private = quote_spanned!(span=> ::genstage::__private);
    let [index, recipe] = ["index", "recipe"].map(|name| Ident::new(name, Span::mixed_site()));
    // What is wrong with the stage is reported where this stands.
    let stands = first(expr);
    let stage = match &options.restart {
        None => quote_spanned!(stands=> ::genstage::__private::Declared::new(#expr)),
        Some(_) => quote_spanned!(stands=> ::genstage::__private::Declared::again(&#recipe)),
    };
    let node = Ident::new("genstage_node", stands);
    let one = quote_spanned!(span=> #stage.#node(#label));
    let replica = quote_spanned!(span=> |#index| #stage.#node(#private::replica_name(#label, #index)));
    let made = match &options.replicas {
        Replicas::One => one,
        Replicas::Array(count) => quote_spanned!(span=> #private::replica_array::<_, #count>(#replica)),
        Replicas::Vec(count) => quote_spanned!(span=> #private::replicas(#count, #replica)),
    };
    // Edges borrow it, if there are any.
    let attributes = quote!(#(#cfg)* #(#other)* #[allow(unused_mut)]);
    let Some(mode) = &options.restart else {
        return quote_spanned!(span=> #attributes let mut #local = #made;);
    };
    // The closure stands at the option: the compiler shows it with what the expression cannot give away twice.
    let make = quote_spanned!(mode.span()=> move || { #expr });
    quote_spanned! {span=>
        #attributes
        let mut #local = {
            let #recipe = #private::Recipe::new(#private::Restart::#mode, #make);
            #made
        };
    }
}

/// Where an expression begins.
fn first(expr: &TokenStream) -> Span {
    expr.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

fn position(graph: &Graph, node: usize, locals: &[Ident]) -> Option<TokenStream> {
    let Node { span, attributes, .. } = &graph.nodes[node];
    let (span, local) = (*span, &locals[node]);
    let peer = at(graph.peer(node).map_or(local, |peer| &locals[peer]), span);
    let check = match graph.position(node)? {
        Position::Source => quote_spanned!(span=> source(&#local, &#peer)),
        Position::Middle => quote_spanned!(span=> middle(&#local)),
        Position::Sink => quote_spanned!(span=> sink(&#local, &#peer)),
    };
    Some(attributes.where_compiled(quote_spanned!(span=> ::genstage::__private::#check;)))
}

fn connect(graph: &Graph, edge: &Edge, wiring: &Ident, locals: &[Ident]) -> TokenStream {
    let [producer, consumer] =
        [edge.from, edge.to].map(|node| at(&fused::local(graph, node, locals), edge.span));
    let [from, to] = [edge.from, edge.to].map(|node| graph.label(node));
    let partition = match partitions::partition(edge).map(plain) {
        Some(partition) => quote!(::core::option::Option::Some(#partition)),
        None => quote!(::core::option::Option::None),
    };
    let name = quote!(&::genstage::__private::EdgeName::new(#from, #to, #partition));
    let options = subscription(&edge.options, edge.span);
    let connect = quote_spanned! {edge.span=>
        ::genstage::__private::edge(&mut #wiring, #name, &mut #producer, &mut #consumer, #options);
    };
    let [from, to] = [edge.from, edge.to].map(|node| &graph.nodes[node].attributes);
    from.where_compiled(to.where_compiled(connect))
}

fn subscription(options: &Subscription, span: Span) -> TokenStream {
    let mut tokens = quote_spanned!(span=> ::genstage::__private::Subscribe::edge());
    let Subscription { max_demand, min_demand, rate, cancel, dispatch } = options;
    tokens.extend(max_demand.iter().map(|max| quote_spanned!(span=> .max_demand(#max))));
    tokens.extend(min_demand.iter().map(|min| quote_spanned!(span=> .min_demand(#min))));
    tokens.extend(rate.iter().map(|rate| quote_spanned!(span=> .rate(#rate))));
    tokens.extend(
        cancel.iter().map(|mode| quote_spanned!(span=> .cancel(::genstage::__private::Cancel::#mode))),
    );
    if let Some((method, value)) = dispatch {
        let method = Ident::new(&method.to_string(), method.span());
        tokens.extend(quote_spanned!(span=> .#method(#value)));
    }
    match options.is_stated() {
        true => quote_spanned!(span=> || #tokens),
        false => quote_spanned!(span=> ::genstage::__private::Subscribe::edge),
    }
}

/// A struct with a field for every named node. It is generic, so that the compiler finds out the handles' types.
fn handles(graph: &Graph, locals: &[Ident]) -> TokenStream {
    let (mut types, mut fields, mut values) = (vec![], vec![], vec![]);
    let heads = (0..graph.nodes.len()).filter(|&node| graph.is_head(node));
    let parts = heads.map(|head| fused::split(graph, head, locals));
    for (number, Node { name, attributes, .. }) in graph.nodes.iter().enumerate() {
        let (Some(name), ty) = (name, format_ident!("T{number}")) else { continue };
        let doc = &attributes.doc;
        types.push(attributes.where_compiled(quote!(#ty)));
        fields.push(attributes.where_compiled(quote!(#(#doc)* #name: #ty)));
        let value = fused::handle(graph, number, locals);
        values.push(attributes.where_compiled(quote!(#name: #value)));
    }
    quote! {{
        #(#parts)*
        #[allow(dead_code, missing_debug_implementations)]
        struct Handles<#(#types),*> { #(#fields),* }
        Handles { #(#values),* }
    }}
}
