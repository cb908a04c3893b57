use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, Ident, Path, Token};

use crate::report::Report;

/// What stands in the parentheses of `#[stage(…)]`.
#[derive(Default)]
pub(super) struct Args {
    pub(super) args: Vec<Arg>,
}

/// `name` or `name = value`.
pub(super) struct Arg {
    pub(super) name: Ident,
    pub(super) value: Option<Expr>,
}

impl Args {
    /// The value of `crate = path`, which is no option of the stage.
    pub(super) fn take_root(&mut self, report: &mut Report) -> Option<Path> {
        let mut root = None;
        for Arg { name, value } in self.args.extract_if(.., |arg| arg.name == "crate") {
            match value {
                _ if root.is_some() => report.at(name, "`crate` is stated twice"),
                Some(Expr::Path(ExprPath { path, qself: None, .. })) => root = Some(path),
                _ => report.at(name, "expected the path of the crate genstage, as in `crate = my::genstage`"),
            }
        }
        root
    }
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let args = Punctuated::<Arg, Token![,]>::parse_terminated(input)?;
        Ok(Self { args: args.into_iter().collect() })
    }
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = Ident::parse_any(input)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { name, value })
    }
}
