//! A random pipeline, and handles of its stages.

use std::sync::Arc;

use genstage::prelude::*;
use genstage::{Failure, Pipeline, Running, StageRef};
use genstage_tests::ledger::Ledger;

use crate::dice::{Dice, Luck};
use crate::stages::{Blocks, Common, Dispatch, Middle, Parent, Sink, Source};

/// The stages of a pipeline by their roles.
#[derive(Clone)]
pub(crate) struct Handles {
    pub(crate) sources: Vec<StageRef<Source>>,
    pub(crate) middles: Vec<StageRef<Middle>>,
    pub(crate) sinks: Vec<StageRef<Sink>>,
    pub(crate) blocks: StageRef<Blocks>,
    pub(crate) parents: Vec<StageRef<Parent>>,
}

/// What a pipeline is made of.
#[derive(Clone)]
pub(crate) struct Plan {
    common: Common,
    /// How many sources, stages in the middle, sinks and supervisors.
    counts: [usize; 4],
    windows: [(usize, usize); 4],
    events: u64,
    dispatch: [Dispatch; 2],
    max_restarts: usize,
    restarts: usize,
}

impl Plan {
    pub(crate) fn random(dice: &Dice, ledger: &Ledger) -> Self {
        let luck = Luck::new(dice, dice.one_of(&[20, 200, 2000]), dice.one_of(&[0, 1, 5, 50]));
        let counts: [usize; 4] = std::array::from_fn(|_| 1 + dice.below(3));
        let consumers = [counts[1], counts[2] + 1 + counts[3]];
        Self {
            common: Common { luck, ledger: ledger.clone() },
            counts,
            windows: std::array::from_fn(|_| dice.window()),
            events: dice.one_of(&[1, 10, 300, 2000]),
            dispatch: consumers.map(|consumers| {
                dice.one_of(&[Dispatch::Demand, Dispatch::Broadcast, Dispatch::Partition(consumers)])
            }),
            max_restarts: dice.one_of(&[1, 10, usize::MAX]),
            restarts: dice.below(4),
        }
    }

    fn source(&self) -> Source {
        let Self { common, dispatch: [dispatch, _], .. } = self.clone();
        Source { common, dispatch, left: Arc::new(self.events.into()) }
    }

    fn middle(&self) -> Middle {
        let Self { common, dispatch: [_, dispatch], .. } = self.clone();
        Middle { common, dispatch }
    }

    fn common(&self) -> Common {
        self.common.clone()
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Result<(Running, Handles), Failure> {
        let (pipeline, handles) = self.pipeline();
        Ok((pipeline.start()?, handles))
    }

    fn pipeline(&self) -> (Pipeline, Handles) {
        let [sources, middles, sinks, parents] = self.counts;
        let [middle_window, sink_window, blocks_window, parent_window] = self.windows;
        let [a, b, c, d, e] = std::array::from_fn(|_| self.clone());
        // There have to be some that can be begun anew, or a strategy would be none.
        macro_rules! wired {
            ($strategy:ident $(, $restart:tt)*) => {{
                let (pipeline, handles) = pipeline! {
                    strategy: $strategy, max_restarts: self.max_restarts;
                    source = a.source(), replicas: sources $(, restart: $restart)*;
                    middle = b.middle(), replicas: middles $(, restart: $restart)*;
                    sink = Sink { common: c.common() }, replicas: sinks, restart: on_failure;
                    blocks = Blocks { common: d.common() } $(, restart: $restart)*;
                    parent = Parent { common: e.common() }, replicas: parents $(, restart: $restart)*;
                    source => middle [max_demand: middle_window.0, min_demand: middle_window.1];
                    middle => {
                        sink [max_demand: sink_window.0, min_demand: sink_window.1],
                        blocks [max_demand: blocks_window.0, min_demand: blocks_window.1],
                        parent [max_demand: parent_window.0, min_demand: parent_window.1]
                    };
                }
                .into_parts();
                let handles = Handles {
                    sources: handles.source.to_vec(),
                    middles: handles.middle.to_vec(),
                    sinks: handles.sink.to_vec(),
                    blocks: handles.blocks.clone(),
                    parents: handles.parent.to_vec(),
                };
                (pipeline, handles)
            }};
        }
        match self.restarts {
            0 => wired!(one_for_one),
            1 => wired!(one_for_one, on_failure),
            2 => wired!(rest_for_one, on_failure),
            _ => wired!(one_for_all, on_failure),
        }
    }
}
