//! `#[stage(…)]`: parse, check into a model, expand.

mod dispatcher;
mod expand;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::DeriveInput;

use crate::rebase::rebase;
use crate::report::Report;

pub(crate) fn stage(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut report = Report::default();
    let mut args = report.ok(syn::parse2::<parse::Args>(args)).unwrap_or_default();
    let root = args.take_root(&mut report);
    let stage = match syn::parse2::<DeriveInput>(item.clone()) {
        Ok(input) => model::Stage::new(args, &input, &mut report).map(|stage| expand::expand(&stage, &input)),
        // Half-written or no type at all: the compiler has its own word for that.
        Err(_) => {
            report.at(&item, "`#[stage(…)]` goes on a struct or an enum");
            None
        }
    };
    let stage = match root {
        Some(root) => rebase(stage.to_token_stream(), &root),
        None => stage.to_token_stream(),
    };
    // The item goes through untouched, whatever was wrong: its mistakes are reported where they are.
    quote! { #item #report #stage }
}
