//! What can be known of a value before it is computed.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprLit, ExprPath, Lit};

/// The value of an integer literal.
pub(crate) fn literal(value: &Expr) -> Option<u128> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        _ => None,
    }
}

/// A single word, such as `unbounded` or `temporary`.
pub(crate) fn word(value: &Expr) -> Option<String> {
    match value {
        Expr::Path(ExprPath { path, .. }) => path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// What was written, as one would write it: without the spaces between tokens.
pub(crate) fn plain(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

/// The pattern of a last arm that matches nothing. It keeps the compiler, which is to say what a `match` does not cover, from
/// proposing to add an arm where the user wrote none.
pub(crate) fn no_more_arms() -> TokenStream {
    quote_spanned!(Span::mixed_site()=> _ if false)
}
