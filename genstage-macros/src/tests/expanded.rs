//! `examples/expanded` is what the macros make of the first example of the README.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{File, Item, Meta};

use crate::{pipeline, stage};

fn read(file: &str) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(project.join(file)).unwrap()
}

/// The first example of the README, expanded.
fn expanded() -> String {
    let readme = read("README.md");
    let example = readme.split("```rust,no_run\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let items = syn::parse_file(example).unwrap().items.into_iter().map(item);
    let file = syn::parse2(quote!(#(#items)*)).unwrap();
    prettyplease::unparse(&file)
}

fn item(item: Item) -> TokenStream {
    let Item::Struct(mut item) = item else { return pipelines(item.to_token_stream()) };
    let stages = item.attrs.extract_if(.., |attribute| attribute.path().is_ident("stage"));
    let args = stages.map(|attribute| match attribute.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    });
    let args: Vec<_> = args.collect();
    stage::stage(quote!(#(#args)*), item.to_token_stream())
}

/// The tokens with every `pipeline! { … }` in them expanded.
fn pipelines(tokens: TokenStream) -> TokenStream {
    let mut all: Vec<TokenTree> = vec![];
    for token in tokens {
        let before = all.len().checked_sub(2).map(|at| all[at].to_string() + &all[at + 1].to_string());
        match token {
            TokenTree::Group(group) if before.as_deref() == Some("pipeline!") => {
                all.truncate(all.len() - 2);
                // An expansion is an expression; a block that begins a statement is one only in parentheses.
                all.push(Group::new(Delimiter::Parenthesis, pipeline::pipeline(group.stream())).into());
            }
            TokenTree::Group(group) => {
                all.push(Group::new(group.delimiter(), pipelines(group.stream())).into());
            }
            other => all.push(other),
        }
    }
    all.into_iter().collect()
}

/// What makes expansions safe wherever they stand, and hard to read.
const UNTIDY: [(&str, &str); 9] = [
    ("::genstage::__private::", "private::"),
    ("::genstage::", "genstage::"),
    ("::core::option::Option::", ""),
    ("::core::default::", ""),
    ("#[automatically_derived]", ""),
    ("#[allow(unused_mut)]", ""),
    ("genstage_node_0", "counter"),
    ("genstage_node_1", "evens"),
    ("genstage_node_2", "printer"),
];

#[test]
fn the_expanded_example_is_what_the_macros_write() {
    let tidied = UNTIDY.iter().fold(expanded(), |text, (untidy, tidy)| text.replace(untidy, tidy));
    let with_names = format!("use genstage::__private as private;\n{tidied}");
    let shown = File { attrs: vec![], ..syn::parse_file(&read("examples/expanded/main.rs")).unwrap() };
    let expected = prettyplease::unparse(&syn::parse_file(&with_names).unwrap());
    assert_eq!(prettyplease::unparse(&shown), expected);
}
