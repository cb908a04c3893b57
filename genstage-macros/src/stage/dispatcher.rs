use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprArray, ExprAssign, ExprCall, ExprPath, Path, Token};

use super::model::{Dispatcher, Keyed, Partitions};
use crate::names;
use crate::report::Report;
use crate::value::{literal, plain, word};

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
            partition(&Expr::Path(ExprPath { attrs: vec![], qself: None, path }), Arguments::new(), report)
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
    let Some(first) = args.next().filter(|first| !matches!(first, Expr::Assign(_))) else {
        report.at(
            func,
            "expected the partitions first: their number, as in `partition(4)`, or the values of an enum, as in \
             `partition([Parity::Even, Parity::Odd], by = key)`",
        );
        return None;
    };
    let (mut by, mut index, mut queue_size) = (None, None, None);
    for (name, value) in options(args.collect(), &["by", "index", "queue_size"], report) {
        match name {
            "by" => by = Some(value),
            "index" => index = Some(value),
            _ => queue_size = Some(value),
        }
    }
    if let (Some(_), Some(index)) = (&by, &index) {
        report.at(index, "`by` and `index` both say which partition an event is for: state one of them");
    }
    let partitions = match first {
        Expr::Array(values) => Partitions::Enum(keyed(values, by, index, report)?),
        count => numbered(count, by, index, report),
    };
    Some(Dispatcher::Partition { partitions, queue_size })
}

fn numbered(count: Expr, by: Option<Expr>, index: Option<Expr>, report: &mut Report) -> Partitions {
    if literal(&count) == Some(0) {
        report.at(&count, "expected at least one partition, got 0");
    }
    match (by, index) {
        (Some(key), _) => Partitions::HashOfKey { count, key },
        (None, Some(index)) => Partitions::Index { count, index },
        (None, None) => Partitions::Hash { count },
    }
}

fn keyed(array: ExprArray, key: Option<Expr>, index: Option<Expr>, report: &mut Report) -> Option<Keyed> {
    let span = array.bracket_token.span.join();
    let (mut values, is_empty): (Vec<Path>, _) = (vec![], array.elems.is_empty());
    for value in array.elems {
        match value {
            Expr::Path(ExprPath { path, qself: None, .. }) if path.segments.len() > 1 => {
                if values.iter().any(|other| plain(other) == plain(&path)) {
                    report.at(&path, format!("the partition `{}` is stated twice", plain(&path)));
                } else {
                    values.push(path);
                }
            }
            other => report.at(other, "expected a value of an enum, with the enum's name: `Parity::Even`"),
        }
    }
    if is_empty {
        report.add(syn::Error::new(span, "expected the partitions, as in `[Parity::Even, Parity::Odd]`"));
    }
    let mut ty = values.first()?.clone();
    ty.segments.pop();
    ty.segments.pop_punct();
    let Some(key) = key else {
        let message = format!("expected `by = …`: a function that gives the `{}` of an event", plain(&ty));
        match index {
            Some(index) => report.at(index, message),
            None => report.add(syn::Error::new(span, message)),
        }
        return None;
    };
    Some(Keyed { ty, values, span, key })
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
