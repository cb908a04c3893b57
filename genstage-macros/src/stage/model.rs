use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Expr, GenericParam, Ident, Path};

use super::dispatcher;
use super::parse::{Arg, Args};
use crate::names;
use crate::report::Report;
use crate::value::{literal, word};
use crate::window;

/// A valid `#[stage(…)]`, with the places of what it says.
pub(super) struct Stage {
    pub(super) role: Role,
    /// Where the role's word stands.
    pub(super) span: Span,
    pub(super) buffer_size: Option<BufferSize>,
    pub(super) buffer_keep: Option<Keep>,
    pub(super) dispatcher: Option<Dispatcher>,
    pub(super) demand: Option<Mode>,
    /// Where the word `blocking` stands.
    pub(super) blocking: Option<Ident>,
    pub(super) max_demand: Option<Expr>,
    pub(super) min_demand: Option<Expr>,
    pub(super) children: Children,
}

/// What is stated about the children of a consumer supervisor.
#[derive(Default)]
pub(super) struct Children {
    /// Where the word `transient` stands.
    pub(super) transient: Option<Span>,
    pub(super) shutdown: Option<Shutdown>,
    pub(super) max_restarts: Option<Expr>,
    pub(super) within: Option<Expr>,
}

pub(super) enum Shutdown {
    Abort,
    Unbounded,
    After(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Producer,
    ProducerConsumer,
    Consumer,
    ConsumerSupervisor,
}

pub(super) enum BufferSize {
    Unbounded,
    Events(Expr),
}

pub(super) enum Keep {
    First,
    Last,
    Value(Expr),
}

pub(super) enum Mode {
    Forward,
    Accumulate,
    Value(Expr),
}

pub(super) enum Dispatcher {
    Demand {
        max_demand: Option<Expr>,
        shuffle: Option<Expr>,
    },
    Broadcast,
    Partition {
        partitions: Partitions,
        queue_size: Option<Expr>,
    },
    /// A type of the user's, and what makes it if that is not its default.
    Own {
        ty: Path,
        made: Option<TokenStream>,
    },
}

/// Which partitions there are, and what says which of them an event is for.
pub(super) enum Partitions {
    Hash { count: Expr },
    HashOfKey { count: Expr, key: Expr },
    Index { count: Expr, index: Expr },
    Enum(Keyed),
}

/// The partitions are the values of an enum.
pub(super) struct Keyed {
    pub(super) ty: Path,
    pub(super) values: Vec<Path>,
    /// Where the values stand.
    pub(super) span: Span,
    pub(super) key: Expr,
}

const BUFFER: [&str; 4] = ["buffer_size", "buffer_keep", "dispatcher", "demand"];
const WINDOW: [&str; 2] = ["max_demand", "min_demand"];
const CHILDREN: [&str; 4] = ["restart", "shutdown", "max_restarts", "within"];

impl Role {
    const ALL: [Self; 4] = [Self::Producer, Self::ProducerConsumer, Self::Consumer, Self::ConsumerSupervisor];

    pub(super) fn emits(self) -> bool {
        matches!(self, Self::Producer | Self::ProducerConsumer)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::ProducerConsumer => "producer_consumer",
            Self::Consumer => "consumer",
            Self::ConsumerSupervisor => "consumer_supervisor",
        }
    }

    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// Why it has no options for what goes out.
    fn lacks(self) -> &'static str {
        match self {
            Self::Consumer | Self::ConsumerSupervisor => "nothing goes out of it",
            Self::Producer | Self::ProducerConsumer => "it handles events as its consumers ask for them",
        }
    }

    fn options(self) -> Vec<&'static str> {
        match self {
            Self::Producer => BUFFER.to_vec(),
            // Its demand is its own producers' affair.
            Self::ProducerConsumer => [&BUFFER[..3], &WINDOW[..]].concat(),
            Self::Consumer => WINDOW.to_vec(),
            Self::ConsumerSupervisor => [&WINDOW[..], &CHILDREN[..]].concat(),
        }
    }
}

impl Stage {
    /// The model, if a role can be made out: of a wrong one the nearest right one, so that one mistake stays one.
    pub(super) fn new(args: Args, input: &DeriveInput, report: &mut Report) -> Option<Self> {
        if let Data::Union(union) = &input.data {
            report.at(union.union_token, "`#[stage(…)]` goes on a struct or an enum");
            return None;
        }
        check_lifetimes(input, report);
        let (mut words, options): (Vec<_>, Vec<_>) =
            args.args.into_iter().partition(|arg| arg.value.is_none());
        let blocking = blocking(&mut words, report);
        let (role, span) = role(&words, report)?;
        let mut stage = Self {
            role,
            span,
            buffer_size: None,
            buffer_keep: None,
            dispatcher: None,
            demand: None,
            blocking,
            max_demand: None,
            min_demand: None,
            children: Children::default(),
        };
        stage.check_blocking(report);
        let mut seen: Vec<Ident> = vec![];
        for Arg { name, value } in options {
            let Some(value) = value else { continue };
            if seen.contains(&name) {
                report.at(&name, format!("`{name}` is stated twice"));
                continue;
            }
            stage.set(&name, value, report);
            seen.push(name);
        }
        stage.check_window(report);
        Some(stage)
    }

    fn set(&mut self, name: &Ident, value: Expr, report: &mut Report) {
        let (word, role) = (name.to_string(), self.role.word());
        let options = self.role.options();
        match word.as_str() {
            known if BUFFER.contains(&known) && !options.contains(&known) => {
                report.at(name, format!("`{word}` is no option of a {role}: {}", self.role.lacks()));
            }
            known if WINDOW.contains(&known) && !options.contains(&known) => {
                report.at(name, format!("`{word}` is no option of a {role}: it asks nobody for events"));
            }
            known if CHILDREN.contains(&known) && !options.contains(&known) => {
                report.at(name, format!("`{word}` is no option of a {role}: it has no children"));
            }
            "restart" => self.children.transient = transient(&value, report),
            "shutdown" => self.children.shutdown = Some(shutdown(value)),
            "max_restarts" => self.children.max_restarts = Some(value),
            "within" => self.children.within = Some(value),
            "buffer_size" => self.buffer_size = buffer_size(value, report),
            "buffer_keep" => self.buffer_keep = keep(value, report),
            "dispatcher" => self.dispatcher = dispatcher::parse(value, report),
            "demand" => self.demand = demand(value, report),
            "max_demand" => self.max_demand = Some(value),
            "min_demand" => self.min_demand = Some(value),
            _ => report.at(name, names::unknown("option", &word, options)),
        }
    }

    fn check_blocking(&self, report: &mut Report) {
        if let (Role::ConsumerSupervisor, Some(blocking)) = (self.role, &self.blocking) {
            let message = "`blocking` is no option of a consumer_supervisor: a child that blocks calls `spawn_blocking`";
            report.at(blocking, message);
        }
    }

    /// Literals are checked here, other constants by the compiler.
    fn check_window(&mut self, report: &mut Report) {
        let (max, min) = (self.max_demand.as_ref(), self.min_demand.as_ref());
        let Err((culprit, message)) = window::check(max, min, Some(window::DEFAULT_MAX)) else { return };
        report.at(culprit, message);
        // Reported: the compiler need not find it again.
        (self.max_demand, self.min_demand) = (None, None);
    }
}

/// The one option without a value.
fn blocking(words: &mut Vec<Arg>, report: &mut Report) -> Option<Ident> {
    let mut found = words.extract_if(.., |arg| arg.name == "blocking").map(|arg| arg.name);
    let first = found.next();
    found.for_each(|again| report.at(&again, "`blocking` is stated twice"));
    first
}

fn check_lifetimes(input: &DeriveInput, report: &mut Report) {
    for param in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            report.at(lifetime, "a stage runs in a task of its own, so it cannot borrow: own the data, or share it in an `Arc`");
        }
    }
}

fn role(words: &[Arg], report: &mut Report) -> Option<(Role, Span)> {
    let Some((first, rest)) = words.split_first() else {
        let roles = names::list(Role::ALL.map(Role::word), "or");
        let message = format!("expected a role, as in `#[stage(producer)]`: {roles}");
        report.add(syn::Error::new(Span::call_site(), message));
        return None;
    };
    for Arg { name, .. } in rest {
        match Role::named(&name.to_string()) {
            Some(_) => report.at(name, format!("a stage has one role, and this one is a `{}`", first.name)),
            None => report.at(name, format!("expected `{name} = value`")),
        }
    }
    let word = first.name.to_string();
    let known = Role::named(&word);
    if known.is_none() {
        report.at(&first.name, names::unknown("role", &word, Role::ALL.map(Role::word)));
    }
    let near = || names::nearest(&word, Role::ALL.map(Role::word)).and_then(Role::named);
    known.or_else(near).map(|role| (role, first.name.span()))
}

fn buffer_size(value: Expr, report: &mut Report) -> Option<BufferSize> {
    if word(&value).as_deref() == Some("unbounded") {
        return Some(BufferSize::Unbounded);
    }
    if literal(&value) == Some(0) {
        report.at(&value, "expected buffer_size >= 1, got 0; to keep everything, write `unbounded`");
        return None;
    }
    Some(BufferSize::Events(value))
}

fn keep(value: Expr, report: &mut Report) -> Option<Keep> {
    match word(&value).as_deref() {
        Some("first") => Some(Keep::First),
        Some("last") => Some(Keep::Last),
        None if is_computed(&value) => Some(Keep::Value(value)),
        _ => {
            report.at(value, "expected `first` or `last`");
            None
        }
    }
}

fn demand(value: Expr, report: &mut Report) -> Option<Mode> {
    match word(&value).as_deref() {
        Some("accumulate") => Some(Mode::Accumulate),
        Some("forward") => Some(Mode::Forward),
        None if is_computed(&value) => Some(Mode::Value(value)),
        _ => {
            report.at(value, "expected `accumulate` or `forward`");
            None
        }
    }
}

/// Where the word `transient` stands.
fn transient(value: &Expr, report: &mut Report) -> Option<Span> {
    match word(value).as_deref() {
        Some("transient") => return Some(value.span()),
        Some("temporary") => {}
        Some("permanent") => {
            report.at(value, "a child ends with the work of its event: expected `temporary` or `transient`");
        }
        _ => report.at(value, "expected `temporary` or `transient`"),
    }
    None
}

fn shutdown(value: Expr) -> Shutdown {
    match word(&value).as_deref() {
        Some("abort") => Shutdown::Abort,
        Some("unbounded") => Shutdown::Unbounded,
        _ => Shutdown::After(value),
    }
}

/// Whether it is an expression that can have a value of an enum, such as `self.keep`, rather than a misspelt word.
fn is_computed(value: &Expr) -> bool {
    matches!(value, Expr::Field(_) | Expr::Call(_) | Expr::MethodCall(_) | Expr::Path(_))
}
