use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitInt};

use super::parse::OptionItem;
use crate::report::Report;
use crate::value::{literal, word};
use crate::{names, window};

/// How many stages a node stands for.
pub(super) enum Replicas {
    One,
    /// An integer literal: the handles are an array.
    Array(LitInt),
    /// Any other expression: the handles are a `Vec`.
    Vec(Expr),
}

/// The options of a node.
pub(super) fn node(options: Vec<OptionItem>, report: &mut Report) -> Replicas {
    let mut replicas = Replicas::One;
    for OptionItem { name, value } in unique(options, &["replicas"], report) {
        replicas = match literal(&value) {
            Some(0) => {
                report.at(&value, format!("expected {name} >= 1, got 0"));
                Replicas::Vec(value)
            }
            // Without a suffix: whatever it says, a count is a `usize`.
            Some(count) => Replicas::Array(LitInt::new(&count.to_string(), value.span())),
            None => Replicas::Vec(value),
        };
    }
    replicas
}

/// The options of an edge.
#[derive(Clone, Default)]
pub(super) struct Subscription {
    pub(super) max_demand: Option<Expr>,
    pub(super) min_demand: Option<Expr>,
    /// A variant of `Cancel`, where the user wrote its word.
    pub(super) cancel: Option<Ident>,
    /// What the producer's dispatcher is told: `partition` or `selector`, and its value.
    pub(super) dispatch: Option<(Ident, Expr)>,
}

const OPTIONS: [&str; 5] = ["max_demand", "min_demand", "cancel", "partition", "selector"];

const CANCEL: [(&str, &str); 4] = [
    ("complete", "Complete"),
    ("permanent", "Permanent"),
    ("transient", "Transient"),
    ("temporary", "Temporary"),
];

impl Subscription {
    pub(super) fn new(options: Vec<OptionItem>, report: &mut Report) -> Self {
        let mut subscription = Self::default();
        for OptionItem { name, value } in unique(options, &OPTIONS, report) {
            match name.to_string().as_str() {
                "max_demand" => subscription.max_demand = Some(value),
                "min_demand" => subscription.min_demand = Some(value),
                "cancel" => subscription.cancel = cancel(&value, report),
                _ => match &subscription.dispatch {
                    Some((other, _)) => {
                        report.at(&name, format!("`{name}` and `{other}` belong to different dispatchers"))
                    }
                    None => subscription.dispatch = Some((name, value)),
                },
            }
        }
        let stated = (subscription.max_demand.as_ref(), subscription.min_demand.as_ref());
        if let Err((culprit, message)) = window::check(stated.0, stated.1, None) {
            report.at(culprit, message);
        }
        subscription
    }
}

impl Subscription {
    /// Whether anything is stated.
    pub(super) fn is_stated(&self) -> bool {
        let Self { max_demand, min_demand, cancel, dispatch } = self;
        max_demand.is_some() || min_demand.is_some() || cancel.is_some() || dispatch.is_some()
    }
}

fn cancel(value: &Expr, report: &mut Report) -> Option<Ident> {
    let stated = word(value).unwrap_or_else(|| value.to_token_stream().to_string());
    match CANCEL.iter().find(|(word, _)| *word == stated) {
        Some((_, variant)) => Some(Ident::new(variant, value.span())),
        None => {
            report.at(value, names::unknown("cancel mode", &stated, CANCEL.map(|(word, _)| word)));
            None
        }
    }
}

/// The known options, each once.
fn unique(options: Vec<OptionItem>, known: &[&'static str], report: &mut Report) -> Vec<OptionItem> {
    let mut unique: Vec<OptionItem> = vec![];
    for option in options {
        let name = option.name.to_string();
        if !known.contains(&name.as_str()) {
            report.at(&option.name, names::unknown("option", &name, known.iter().copied()));
        } else if unique.iter().any(|other| other.name == option.name) {
            report.at(&option.name, format!("`{name}` is stated twice"));
        } else {
            unique.push(option);
        }
    }
    unique
}
