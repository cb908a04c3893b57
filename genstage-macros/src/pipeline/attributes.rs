//! Attributes of nodes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

/// What stands in front of a node, by where it belongs.
#[derive(Default)]
pub(super) struct Attributes {
    /// `#[cfg(…)]`: on everything that is made of the node, and on its edges.
    pub(super) cfg: Vec<Attribute>,
    /// Documentation: on the handle.
    pub(super) doc: Vec<Attribute>,
    /// All others: on the statement that evaluates the node's expression.
    pub(super) other: Vec<Attribute>,
}

impl Attributes {
    pub(super) fn new(attributes: Vec<Attribute>) -> Self {
        let mut sorted = Self::default();
        for attribute in attributes {
            let kind = match attribute.path().get_ident() {
                Some(name) if name == "cfg" => &mut sorted.cfg,
                Some(name) if name == "doc" => &mut sorted.doc,
                _ => &mut sorted.other,
            };
            kind.push(attribute);
        }
        sorted
    }

    /// The tokens, where this node is compiled.
    pub(super) fn where_compiled(&self, tokens: TokenStream) -> TokenStream {
        let cfg = &self.cfg;
        quote!(#(#cfg)* #tokens)
    }
}
