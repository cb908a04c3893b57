use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Expr, Ident, LitInt};

use super::graph::Node;
use super::parse::OptionItem;
use crate::report::Report;
use crate::value::{literal, word};
use crate::{names, window};

/// How many stages a node stands for.
#[derive(Clone)]
pub(super) enum Replicas {
    One,
    /// An integer literal: the handles are an array.
    Array(LitInt),
    /// Any other expression: the handles are a `Vec`.
    Vec(Expr),
}

/// The options of a node.
#[derive(Clone)]
pub(super) struct NodeOptions {
    pub(super) replicas: Replicas,
    /// A variant of `Restart`, where the user wrote its word.
    pub(super) restart: Option<Ident>,
    /// Its output need not be connected.
    pub(super) open: bool,
}

const RESTART: [(&str, &str); 3] = [("never", "Never"), ("on_failure", "OnFailure"), ("always", "Always")];

impl NodeOptions {
    /// Nothing stated.
    pub(super) fn none() -> Self {
        Self { replicas: Replicas::One, restart: None, open: false }
    }

    pub(super) fn new(mut options: Vec<OptionItem>, report: &mut Report) -> Self {
        let mut node = Self::none();
        for OptionItem { name, value } in options.extract_if(.., |option| option.name == "open") {
            match (node.open, &value) {
                (true, _) => report.at(&name, "`open` is stated twice"),
                (false, Some(value)) => report.at(value, "`open` is stated without a value"),
                (false, None) => {}
            }
            node.open = true;
        }
        for (name, value) in unique(options, &["replicas", "restart", "open"], report) {
            match name.to_string().as_str() {
                "replicas" => node.replicas = replicas(&name, value, report),
                _ => node.restart = variant("restart mode", &value, &RESTART, report),
            }
        }
        // That is what a stage without the option does.
        node.restart.take_if(|mode| mode == "Never");
        node
    }

    /// The option, if there is one, for which the node's expression is evaluated apart from its surroundings.
    pub(super) fn evaluates_apart(&self) -> Option<&'static str> {
        match (&self.restart, &self.replicas) {
            (Some(_), _) => Some("restart"),
            (None, Replicas::Array(_) | Replicas::Vec(_)) => Some("replicas"),
            (None, Replicas::One) => None,
        }
    }
}

fn replicas(name: &Ident, value: Expr, report: &mut Report) -> Replicas {
    match literal(&value) {
        Some(0) => {
            report.at(&value, format!("expected {name} >= 1, got 0"));
            Replicas::Vec(value)
        }
        // Without a suffix: whatever it says, a count is a `usize`.
        Some(count) => Replicas::Array(LitInt::new(&count.to_string(), value.span())),
        None => Replicas::Vec(value),
    }
}

/// The options of the whole pipeline.
#[derive(Default)]
pub(super) struct PipelineOptions {
    /// A variant of `Strategy`, where the user wrote its word.
    pub(super) strategy: Option<Ident>,
    /// Others, which the runtime knows by the same names.
    pub(super) limits: Vec<(Ident, Expr)>,
}

/// Those that say something about restarts only.
const RESTARTS: [&str; 4] = ["strategy", "max_restarts", "within", "backoff"];

const STRATEGY: [(&str, &str); 3] =
    [("one_for_one", "OneForOne"), ("rest_for_one", "RestForOne"), ("one_for_all", "OneForAll")];

impl PipelineOptions {
    pub(super) fn new(options: Vec<OptionItem>, report: &mut Report) -> Self {
        let mut pipeline = Self::default();
        let known = [RESTARTS.as_slice(), &["warn_after"]].concat();
        for (name, value) in unique(options, &known, report) {
            match name == "strategy" {
                true => pipeline.strategy = variant("strategy", &value, &STRATEGY, report),
                false => pipeline.limits.push((name, value)),
            }
        }
        pipeline
    }

    /// Reports options about restarts if there are none.
    pub(super) fn check(options: &[OptionItem], nodes: &[Node], report: &mut Report) {
        if nodes.iter().any(|node| node.options.restart.is_some() || node.unclear) {
            return;
        }
        let is_about_restarts = |option: &&OptionItem| RESTARTS.iter().any(|known| option.name == known);
        if let Some(OptionItem { name, .. }) = options.iter().find(is_about_restarts) {
            report.at(
                name,
                format!(
                    "`{name}` is about restarts, but no stage has any: add `restart: on_failure` behind one"
                ),
            );
        }
    }
}

/// The options of an edge.
#[derive(Clone, Default)]
pub(super) struct Subscription {
    pub(super) max_demand: Option<Expr>,
    pub(super) min_demand: Option<Expr>,
    pub(super) rate: Option<Expr>,
    /// A variant of `Cancel`, where the user wrote its word.
    pub(super) cancel: Option<Ident>,
    /// What the producer's dispatcher is told: `partition` or `selector`, and its value.
    pub(super) dispatch: Option<(Ident, Expr)>,
}

const OPTIONS: [&str; 6] = ["max_demand", "min_demand", "rate", "cancel", "partition", "selector"];

const CANCEL: [(&str, &str); 4] = [
    ("complete", "Complete"),
    ("permanent", "Permanent"),
    ("transient", "Transient"),
    ("temporary", "Temporary"),
];

impl Subscription {
    pub(super) fn new(options: Vec<OptionItem>, report: &mut Report) -> Self {
        let mut subscription = Self::default();
        for (name, value) in unique(options, &OPTIONS, report) {
            match name.to_string().as_str() {
                "max_demand" => subscription.max_demand = Some(value),
                "min_demand" => subscription.min_demand = Some(value),
                "rate" => subscription.rate = Some(value),
                "cancel" => subscription.cancel = variant("cancel mode", &value, &CANCEL, report),
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
        let Self { max_demand, min_demand, rate, cancel, dispatch } = self;
        [max_demand, min_demand, rate].iter().any(|option| option.is_some())
            || cancel.is_some()
            || dispatch.is_some()
    }
}

/// The variant that a word stands for.
fn variant(what: &str, value: &Expr, known: &[(&'static str, &str)], report: &mut Report) -> Option<Ident> {
    let stated = word(value).unwrap_or_else(|| value.to_token_stream().to_string());
    match known.iter().find(|(word, _)| *word == stated) {
        Some((_, variant)) => Some(Ident::new(variant, value.span())),
        None => {
            report.at(value, names::unknown(what, &stated, known.iter().map(|(word, _)| *word)));
            None
        }
    }
}

/// The known options with their values, each once.
fn unique(options: Vec<OptionItem>, known: &[&'static str], report: &mut Report) -> Vec<(Ident, Expr)> {
    let mut unique: Vec<(Ident, Expr)> = vec![];
    for OptionItem { name, value } in options {
        let word = name.to_string();
        if !known.contains(&word.as_str()) {
            report.at(&name, names::unknown("option", &word, known.iter().copied()));
        } else if unique.iter().any(|(other, _)| *other == name) {
            report.at(&name, format!("`{word}` is stated twice"));
        } else if let Some(value) = value {
            unique.push((name, value));
        } else {
            report.at(&name, format!("expected `{word}: value`"));
        }
    }
    unique
}
