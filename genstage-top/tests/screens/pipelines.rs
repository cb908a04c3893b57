//! Pipelines that are not there: what they would have done.

use genstage_top::model::{History, Picture};
use genstage_top::wire::{Edge, Graph, Node, Role, Snapshot, Stage, State, Subscription};

/// A node, and what each of its stages did in a second: percent of it in callbacks, events a second in and out.
struct Did {
    node: Node,
    each: Vec<(u64, u64, u64)>,
}

fn did(name: &str, role: Role, each: &[(u64, u64, u64)]) -> Did {
    Did { node: Node { name: name.into(), role, replicas: each.len() }, each: each.to_vec() }
}

/// An edge, and what is wanted, and in flight, over each of its subscriptions.
fn edge(from: &str, to: &str, max_demand: usize, wanted: u64, flight: u64) -> (Edge, u64, u64) {
    (Edge { from: from.into(), to: to.into(), max_demand }, wanted, flight)
}

fn names(did: &Did) -> Vec<String> {
    match did.each.len() {
        1 => vec![did.node.name.clone()],
        replicas => (0..replicas).map(|number| format!("{}[{number}]", did.node.name)).collect(),
    }
}

fn stages(nodes: &[Did], seconds: u64) -> Vec<Stage> {
    let of_node = |(node, did): (usize, &Did)| {
        let stage = move |(name, &(busy, incoming, outgoing)): (String, &(u64, u64, u64))| Stage {
            state: State::InCallback,
            callbacks: seconds,
            busy: busy * 10_000_000 * seconds,
            events_in: incoming * seconds,
            events_out: outgoing * seconds,
            ..Stage::new(&name, node)
        };
        names(did).into_iter().zip(&did.each).map(stage).collect::<Vec<_>>()
    };
    nodes.iter().enumerate().flat_map(of_node).collect()
}

fn subscriptions(nodes: &[Did], edges: &[(Edge, u64, u64)], seconds: u64) -> Vec<Subscription> {
    let named = |name: &str| nodes.iter().find(|did| did.node.name == name).unwrap();
    let mut all = vec![];
    for (number, (edge, wanted, flight)) in edges.iter().enumerate() {
        let (from, to) = (named(&edge.from), named(&edge.to));
        for (producer, &(_, _, sent)) in names(from).iter().zip(&from.each) {
            for consumer in names(to) {
                let handled = sent * seconds / to.each.len() as u64;
                let sent = handled + flight;
                let [from, to] = [producer, &consumer].map(Clone::clone);
                all.push(Subscription { from, to, edge: number, asked: sent + wanted, sent, handled });
            }
        }
    }
    all
}

/// What is seen after that many seconds.
fn picture(
    nodes: &[Did],
    edges: &[(Edge, u64, u64)],
    seconds: u64,
    last: impl Fn(&mut Vec<Stage>),
) -> Picture {
    let graph = Graph {
        nodes: nodes.iter().map(|did| did.node.clone()).collect(),
        edges: edges.iter().map(|(edge, ..)| edge.clone()).collect(),
    };
    let mut history = History::new(graph);
    for second in [0].into_iter().chain(seconds.saturating_sub(4)..=seconds) {
        let mut stages = stages(nodes, second);
        last(&mut stages);
        let clock = second * 1_000_000_000;
        history.add(Snapshot { clock, stages, edges: subscriptions(nodes, edges, second) });
    }
    history.picture()
}

/// Words are counted: the replicas that count do not keep up.
pub(crate) fn words() -> Picture {
    let nodes = [
        did("read", Role::Source, &[(21, 0, 8000)]),
        did("count", Role::Middle, &[(97, 4000, 4000), (95, 4000, 4000)]),
        did("merge", Role::Sink, &[(34, 8000, 0)]),
    ];
    let edges = [edge("read", "count", 4, 0, 4), edge("count", "merge", 16, 13, 3)];
    picture(&nodes, &edges, 12, |stages| {
        stages[1].mailbox = 2;
        stages[2].mailbox = 1;
    })
}

/// Orders of two kinds, with trouble in all of them.
pub(crate) fn orders() -> Picture {
    let nodes = [
        did("store", Role::Sink, &[(100, 120, 0), (64, 60, 0)]),
        did("web", Role::Source, &[(3, 0, 150)]),
        did("check |> price", Role::Middle, &[(12, 180, 180); 3]),
        did("a_telephone_that_nobody_answers", Role::Source, &[(1, 0, 30)]),
        did("mails", Role::Tasks, &[(2, 0, 0)]),
        did("log", Role::Sink, &[(0, 2_500_000, 0)]),
    ];
    let edges = [
        edge("web", "check |> price", 1000, 100, 900),
        edge("a_telephone_that_nobody_answers", "check |> price", 10, 7, 0),
        edge("check |> price", "store", 50, 0, 50),
        edge("check |> price", "mails", 5, 5, 0),
        edge("web", "log", usize::MAX, 1_000_000, 20),
    ];
    picture(&nodes, &edges, 3700, |stages| {
        stages[0].restarts = 3;
        stages[0].lost = 12_345;
        stages[1].state = State::Ended;
        stages[2].buffered = 10_000;
        stages[3].discarded = 7;
        stages[8].state = State::Ended;
    })
}

/// More stages than lines.
pub(crate) fn many() -> Picture {
    let name = |number: usize| format!("step{number}");
    let role = |number| if number == 0 { Role::Source } else { Role::Middle };
    let nodes: Vec<_> = (0..30).map(|number| did(&name(number), role(number), &[(5, 10, 10); 2])).collect();
    let edges: Vec<_> = (1..30).map(|number| edge(&name(number - 1), &name(number), 100, 60, 40)).collect();
    picture(&nodes, &edges, 5, |_| ())
}
