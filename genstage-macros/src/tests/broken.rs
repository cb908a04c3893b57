//! Whatever is written, even half of it: no panic, and tokens that the compiler can read on.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

use crate::{pipeline, stage};

/// What the macros know, and a few things that they do not.
const WORDS: [&str; 45] = [
    "a",
    "b",
    "map",
    "Parity",
    "Even",
    "self",
    "crate",
    "let",
    "replicas",
    "restart",
    "open",
    "max_demand",
    "min_demand",
    "cancel",
    "partition",
    "selector",
    "strategy",
    "within",
    "on_failure",
    "temporary",
    "producer",
    "producer_consumer",
    "consumer",
    "consumer_supervisor",
    "blocking",
    "buffer_size",
    "buffer_keep",
    "dispatcher",
    "broadcast",
    "demand",
    "struct",
    "enum",
    "r#type",
    "=",
    "=>",
    ",",
    ";",
    ":",
    "::",
    "#",
    "|",
    "|>",
    "?",
    "0",
    "\"text\"",
];

fn token() -> impl Strategy<Value = TokenStream> {
    prop::sample::select(&WORDS[..]).prop_map(|word| word.parse().unwrap())
}

/// Any tokens, nested to some depth.
fn tokens() -> impl Strategy<Value = TokenStream> {
    let delimiter = prop::sample::select(&[Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket][..]);
    let nested = move |inner| {
        (delimiter.clone(), prop::collection::vec(inner, 0..6)).prop_map(|(delimiter, inner)| {
            let group = Group::new(delimiter, inner.into_iter().collect());
            TokenStream::from(TokenTree::from(group))
        })
    };
    let tree = token().prop_recursive(3, 24, 6, move |inner| prop_oneof![3 => token(), 1 => nested(inner)]);
    prop::collection::vec(tree, 0..24).prop_map(|trees| trees.into_iter().collect())
}

/// Something right, of which a token is left out, doubled, or replaced.
fn nearly(right: TokenStream) -> impl Strategy<Value = TokenStream> {
    let trees: Vec<TokenTree> = right.into_iter().collect();
    (0..trees.len(), 0..3, token()).prop_map(move |(at, what, other)| {
        let mut trees = trees.clone();
        match what {
            0 => drop(trees.remove(at)),
            1 => trees.insert(at, trees[at].clone()),
            _ => drop(trees.splice(at..=at, other)),
        }
        trees.into_iter().collect()
    })
}

fn a_pipeline() -> TokenStream {
    quote! {
        crate = genstage;
        strategy: one_for_all, within: time;
        #[cfg(unix)]
        a = A { next: 0 }, replicas: 3, restart: on_failure;
        b = B::new(), open;
        a => { b [max_demand: 10, cancel: temporary], map(|n| n + 1) [partition: Parity::Even] |> c };
        c = C, restart: always;
    }
}

fn an_attribute() -> TokenStream {
    quote!(
        producer,
        blocking,
        buffer_size = 3,
        dispatcher = partition([P::A, P::B], by = key),
        demand = accumulate
    )
}

/// A whole block. What stands in it may be the user's own half-written code, which the compiler has a word for.
fn is_a_pipeline(expanded: TokenStream) -> Result<(), TestCaseError> {
    let trees: Vec<_> = expanded.into_iter().collect();
    let [TokenTree::Group(block)] = &trees[..] else { panic!("no block: {trees:?}") };
    prop_assert_eq!(block.delimiter(), Delimiter::Brace);
    let block = block.stream().to_string();
    prop_assert!(
        block.contains("let mut wiring") && block.ends_with("Wiring :: finish (wiring , handles)"),
        "{}",
        block
    );
    Ok(())
}

proptest! {
    #[test]
    fn any_pipeline(input in tokens()) {
        is_a_pipeline(pipeline::pipeline(input))?;
    }

    #[test]
    fn nearly_a_pipeline(input in nearly(a_pipeline())) {
        is_a_pipeline(pipeline::pipeline(input))?;
    }

    /// The item comes out as it went in, with readable items behind it.
    #[test]
    fn any_attribute(args in prop_oneof![tokens(), nearly(an_attribute())]) {
        let item = quote!(struct Source<T> { next: T });
        let expanded = stage::stage(args, item.clone());
        prop_assert!(expanded.to_string().starts_with(&item.to_string()));
        let read = syn::parse2::<syn::File>(expanded.clone());
        prop_assert!(read.is_ok(), "{:?}: {expanded}", read.err());
    }

    #[test]
    fn any_item(item in tokens()) {
        let expanded = stage::stage(quote!(producer), item.clone());
        prop_assert!(expanded.to_string().starts_with(&item.to_string()));
    }
}
