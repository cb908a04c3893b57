use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprAssign, ExprCall, ExprPath, Path, Token};

use super::model::{By, Dispatcher};
use crate::names;
use crate::report::Report;
use crate::value::{literal, word};

const KNOWN: [&str; 3] = ["demand", "broadcast", "partition"];

/// `demand`, `broadcast`, `partition(4, by = key)`, the path of a type, or a call that makes one.
pub(super) fn parse(value: Expr, report: &mut Report) -> Option<Dispatcher> {
    match value {
        Expr::Path(ExprPath { path, .. }) => named(path, report),
        Expr::Call(ExprCall { func, args, .. }) => match word(&func).as_deref() {
            Some("demand") => Some(demand(args, report)),
            Some("partition") => partition(&func, args, report),
            Some("broadcast") => {
                report.at(args, "`broadcast` has no options");
                Some(Dispatcher::Broadcast)
            }
            _ => made(*func, args, report),
        },
        other => {
            report.at(
                other,
                "expected `demand`, `broadcast`, `partition(…)`, or the path of a dispatcher's type",
            );
            None
        }
    }
}

/// `Type::new(arguments)`: what stands before the last `::` is the dispatcher's type.
fn made(func: Expr, args: Arguments, report: &mut Report) -> Option<Dispatcher> {
    let Expr::Path(ExprPath { path, .. }) = &func else {
        report.at(func, "expected the path of a function of the dispatcher's type, as in `Type::new(…)`");
        return None;
    };
    let mut ty = path.clone();
    ty.segments.pop();
    ty.segments.pop_punct();
    if ty.segments.is_empty() {
        report.at(path, names::unknown("dispatcher", &path.to_token_stream().to_string(), KNOWN));
        return None;
    }
    Some(Dispatcher::Own { ty, made: Some(quote!(#func(#args))) })
}

fn named(path: Path, report: &mut Report) -> Option<Dispatcher> {
    let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
    match name.as_str() {
        "demand" => Some(Dispatcher::Demand { max_demand: None, shuffle: None }),
        "broadcast" => Some(Dispatcher::Broadcast),
        "partition" => {
            report.at(path, "expected the number of partitions, as in `partition(4)`");
            None
        }
        // A type of the user's begins with a capital.
        lower if lower.starts_with(char::is_lowercase) => {
            report.at(path, names::unknown("dispatcher", lower, KNOWN));
            None
        }
        _ => Some(Dispatcher::Own { ty: path, made: None }),
    }
}

type Arguments = Punctuated<Expr, Token![,]>;

fn demand(args: Arguments, report: &mut Report) -> Dispatcher {
    let (mut max_demand, mut shuffle) = (None, None);
    for (name, value) in options(args, &["max_demand", "shuffle"], report) {
        match name {
            "max_demand" => max_demand = Some(value),
            _ => shuffle = Some(value),
        }
    }
    Dispatcher::Demand { max_demand, shuffle }
}

fn partition(func: &Expr, args: Arguments, report: &mut Report) -> Option<Dispatcher> {
    let mut args = args.into_iter();
    let Some(count) = args.next().filter(|first| !matches!(first, Expr::Assign(_))) else {
        report.at(func, "expected the number of partitions first, as in `partition(4)`");
        return None;
    };
    if literal(&count) == Some(0) {
        report.at(&count, "expected at least one partition, got 0");
    }
    let (mut by, mut queue_size) = (By::Hash, None);
    for (name, value) in options(args.collect(), &["by", "index", "queue_size"], report) {
        match name {
            "by" => by = By::Key(value),
            "index" => by = By::Index(value),
            _ => queue_size = Some(value),
        }
    }
    Some(Dispatcher::Partition { count, by, queue_size })
}

/// The arguments of the form `name = value` whose names are known.
fn options(args: Arguments, known: &[&'static str], report: &mut Report) -> Vec<(&'static str, Expr)> {
    let mut options = vec![];
    for arg in args {
        let Expr::Assign(ExprAssign { left, right, .. }) = arg else {
            report.at(
                arg,
                format!(
                    "expected `name = value`, where the name is {}",
                    names::list(known.iter().copied(), "or")
                ),
            );
            continue;
        };
        let stated = word(&left).unwrap_or_default();
        match known.iter().find(|name| **name == stated) {
            Some(name) => options.push((*name, *right)),
            None => report.at(left, names::unknown("option", &stated, known.iter().copied())),
        }
    }
    options
}
