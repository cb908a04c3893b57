//! What can be known of a value before it is computed.

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
