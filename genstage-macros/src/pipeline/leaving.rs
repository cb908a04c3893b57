//! What leaves an expression: `?` and `.await`, which have no place in one that is evaluated elsewhere.

use quote::quote;
use syn::visit::{self, Visit};
use syn::{Expr, ExprAsync, ExprAwait, ExprClosure, ExprTry, Item};

use crate::report::Report;

/// Reports every `?` and `.await` of a node's expression that would have to act where the macro stands, because of an option for
/// which the expression is evaluated in a closure. False if there is one.
pub(super) fn check(expr: &Expr, option: &'static str, report: &mut Report) -> bool {
    let mut leaving = Leaving { option, found: false, report };
    leaving.visit_expr(expr);
    !leaving.found
}

struct Leaving<'a> {
    option: &'static str,
    found: bool,
    report: &'a mut Report,
}

impl Leaving<'_> {
    fn report(&mut self, token: impl quote::ToTokens, word: &str) {
        let message = format!(
            "the expression of a node with `{}` is evaluated apart from its surroundings, so it cannot use `{word}`: do \
             that before the pipeline, and use the value here",
            self.option
        );
        self.found = true;
        self.report.at(token, message);
    }
}

impl<'ast> Visit<'ast> for Leaving<'_> {
    fn visit_expr_try(&mut self, expr: &'ast ExprTry) {
        match &*expr.expr {
            // They go together.
            Expr::Await(ExprAwait { base, await_token, .. }) => {
                let question = expr.question_token;
                self.report(quote!(#await_token #question), ".await?");
                self.visit_expr(base);
            }
            inner => {
                self.report(expr.question_token, "?");
                self.visit_expr(inner);
            }
        }
    }

    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        self.report(expr.await_token, ".await");
        visit::visit_expr_await(self, expr);
    }

    // In these they stay.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}
