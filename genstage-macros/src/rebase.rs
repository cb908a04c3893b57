//! `crate = path`: expansions for users who reach the runtime crate by another path.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Path;

/// Puts the path in the place of every `::genstage`.
pub(crate) fn rebase(tokens: TokenStream, path: &Path) -> TokenStream {
    let mut rebased = vec![];
    for token in tokens {
        let token = match token {
            TokenTree::Group(group) => regrouped(&group, rebase(group.stream(), path)),
            token => token,
        };
        if is_runtime_crate(&rebased, &token) {
            let span = token.span();
            rebased.truncate(rebased.len() - 2);
            rebased.extend(path.to_token_stream().into_iter().map(|token| at(token, span)));
        } else {
            rebased.push(token);
        }
    }
    rebased.into_iter().collect()
}

/// What may stand before a path in an expansion.
const KEYWORDS: [&str; 7] = ["impl", "as", "mut", "for", "dyn", "return", "in"];

/// Whether `::` stands before this `genstage`, and no path before that.
fn is_runtime_crate(before: &[TokenTree], token: &TokenTree) -> bool {
    let is_colon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':');
    let is_name = matches!(token, TokenTree::Ident(ident) if ident == "genstage");
    match before {
        [.., previous, first, second] if is_name && is_colon(first) && is_colon(second) => {
            // A keyword is no path.
            !matches!(previous, TokenTree::Ident(ident) if !KEYWORDS.iter().any(|keyword| ident == keyword))
        }
        [first, second] => is_name && is_colon(first) && is_colon(second),
        _ => false,
    }
}

/// Mistakes are reported where the expansion has them reported, not at the option.
fn at(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(token.span().located_at(span));
    token
}

fn regrouped(group: &Group, stream: TokenStream) -> TokenTree {
    let mut regrouped = Group::new(group.delimiter(), stream);
    regrouped.set_span(group.span());
    regrouped.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_to_the_crate_and_no_others() {
        let plain = |tokens: TokenStream| tokens.to_string().replace(' ', "");
        let path = syn::parse_quote!(crate::own);
        for (tokens, expected) in [
            ("::genstage::A", "crate::own::A"),
            ("f(&::genstage::A { a: ::genstage })", "f(&crate::own::A { a: crate::own })"),
            ("impl ::genstage::A for B", "impl crate::own::A for B"),
            ("a::genstage::B, genstage::C", "a::genstage::B, genstage::C"),
        ] {
            let rebased = rebase(tokens.parse().unwrap(), &path);
            assert_eq!(plain(rebased), plain(expected.parse().unwrap()));
        }
    }
}
