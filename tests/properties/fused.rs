//! Random chains of stages: with `|>` in place of some of the `=>`, the same events come in the same order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use genstage::prelude::*;
use genstage::{Cancelled, Cast, Pipeline, Side, StageSummary};
use proptest::prelude::*;
use tokio::time::timeout;

use crate::runtime::{on_one_thread, on_two_threads};

/// How a source answers demand.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Exactly,
    /// A while later.
    Later,
    /// With so many more than was asked for.
    Beyond(u64),
}

#[stage(producer)]
struct Source {
    next: u64,
    end: u64,
    answer: Answer,
    owed: u64,
}

impl Source {
    fn emit(&mut self, events: u64, cx: &mut Context<Self>) {
        let end = self.end.min(self.next + events);
        cx.emit_all(self.next..end);
        self.next = end;
        if end == self.end {
            cx.finish();
        }
    }
}

impl Producer for Source {
    type Event = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.emit(MARK);
        Ok(())
    }

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        match self.answer {
            Answer::Exactly => self.emit(demand as u64, cx),
            Answer::Beyond(more) => self.emit(demand as u64 + more, cx),
            Answer::Later => {
                self.owed += demand as u64;
                cx.send_after(Duration::from_micros(100), ());
            }
        }
        Ok(())
    }
}

impl Cast<()> for Source {
    async fn handle_cast(&mut self, (): (), cx: &mut Context<Self>) -> Result {
        let owed = std::mem::take(&mut self.owed);
        self.emit(owed, cx);
        Ok(())
    }
}

/// Events that stages emit before anything else.
const MARK: u64 = 1 << 32;

/// What a stage in the middle does.
#[derive(Clone, Copy, Debug)]
enum Work {
    Add(u64),
    Keep(u64),
    Repeat(u64),
    /// Emits what it has when there is so much of it, and at the end.
    Hold(usize),
    /// Finishes when it has emitted that many.
    Finish(usize),
}

#[stage(producer_consumer)]
struct Middle {
    work: Work,
    held: Vec<u64>,
    emitted: usize,
}

impl Middle {
    fn take(&mut self, n: u64, cx: &mut Context<Self>) {
        match self.work {
            Work::Add(more) => cx.emit(n + more),
            Work::Keep(modulus) if n.is_multiple_of(modulus) => cx.emit(n),
            Work::Keep(_) => {}
            Work::Repeat(times) => cx.emit_all((0..times).map(|_| n)),
            Work::Hold(enough) => {
                self.held.push(n);
                if self.held.len() >= enough {
                    cx.emit_all(self.held.drain(..).rev());
                }
            }
            Work::Finish(enough) if self.emitted < enough => {
                cx.emit(n);
                self.emitted += 1;
            }
            Work::Finish(_) => cx.finish(),
        }
    }
}

impl ProducerConsumer for Middle {
    type Input = u64;
    type Output = u64;

    async fn init(&mut self, cx: &mut Context<Self>) -> Result {
        cx.emit(MARK);
        Ok(())
    }

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        events.drain().for_each(|n| self.take(n, cx));
        Ok(())
    }

    async fn handle_cancel(&mut self, cancelled: &Cancelled, cx: &mut Context<Self>) -> Result {
        if cancelled.side() == Side::Producer {
            cx.emit_all(self.held.drain(..));
        }
        Ok(())
    }
}

#[stage(consumer)]
struct Sink {
    taken: Arc<Mutex<Vec<u64>>>,
    enough: Option<usize>,
}

impl Consumer for Sink {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        let mut taken = self.taken.lock().unwrap();
        let room = self.enough.map_or(usize::MAX, |enough| enough - taken.len());
        taken.extend(events.drain().take(room));
        if self.enough == Some(taken.len()) {
            cx.finish();
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Chain {
    answer: Answer,
    end: u64,
    work: [Work; 3],
    enough: Option<usize>,
    windows: [usize; 4],
}

fn work() -> impl Strategy<Value = Work> {
    prop_oneof![
        (0..5u64).prop_map(Work::Add),
        (1..40u64).prop_map(Work::Keep),
        (0..5u64).prop_map(Work::Repeat),
        (1..20usize).prop_map(Work::Hold),
        (0..100usize).prop_map(Work::Finish),
    ]
}

fn chain() -> impl Strategy<Value = Chain> {
    let answer =
        prop_oneof![Just(Answer::Exactly), Just(Answer::Later), (1..2000u64).prop_map(Answer::Beyond)];
    let enough = prop::option::weighted(0.2, 1..200usize);
    (answer, 0..3000u64, prop::array::uniform3(work()), enough, prop::array::uniform4(1..30usize))
        .prop_map(|(answer, end, work, enough, windows)| Chain { answer, end, work, enough, windows })
}

macro_rules! pipelines {
    ($chain:expr, $mask:expr, $taken:expr; $($fused:literal: { $($edges:tt)* })*) => {{
        let Chain { answer, end, work, enough, .. } = $chain.clone();
        let [a, b, c] = work.map(|work| Middle { work, held: vec![], emitted: 0 });
        let (source, sink) = (Source { next: 0, end, answer, owed: 0 }, Sink { taken: $taken.clone(), enough });
        match $mask {
            $($fused => {
                pipeline! { source = source; a = a; b = b; c = c; sink = sink; $($edges)*; }.into_parts().0
            })*
            _ => unreachable!(),
        }
    }};
}

/// The chain with `|>` where a bit of the mask is set.
fn build(chain: &Chain, mask: u8, taken: &Arc<Mutex<Vec<u64>>>) -> Pipeline {
    let w = chain.windows;
    pipelines! { chain, mask, taken;
        0b0000: { source => a [max_demand: w[0]] => b [max_demand: w[1]] => c [max_demand: w[2]] => sink [max_demand: w[3]] }
        0b0001: { source |> a => b [max_demand: w[1]] => c [max_demand: w[2]] => sink [max_demand: w[3]] }
        0b0010: { source => a [max_demand: w[0]] |> b => c [max_demand: w[2]] => sink [max_demand: w[3]] }
        0b0011: { source |> a |> b => c [max_demand: w[2]] => sink [max_demand: w[3]] }
        0b0100: { source => a [max_demand: w[0]] => b [max_demand: w[1]] |> c => sink [max_demand: w[3]] }
        0b0101: { source |> a => b [max_demand: w[1]] |> c => sink [max_demand: w[3]] }
        0b0110: { source => a [max_demand: w[0]] |> b |> c => sink [max_demand: w[3]] }
        0b0111: { source |> a |> b |> c => sink [max_demand: w[3]] }
        0b1000: { source => a [max_demand: w[0]] => b [max_demand: w[1]] => c [max_demand: w[2]] |> sink }
        0b1001: { source |> a => b [max_demand: w[1]] => c [max_demand: w[2]] |> sink }
        0b1010: { source => a [max_demand: w[0]] |> b => c [max_demand: w[2]] |> sink }
        0b1011: { source |> a |> b => c [max_demand: w[2]] |> sink }
        0b1100: { source => a [max_demand: w[0]] => b [max_demand: w[1]] |> c |> sink }
        0b1101: { source |> a => b [max_demand: w[1]] |> c |> sink }
        0b1110: { source => a [max_demand: w[0]] |> b |> c |> sink }
    }
}

/// What came to the sink, and what each stage did.
async fn run(chain: &Chain, mask: u8) -> (Vec<u64>, Vec<StageSummary>) {
    let taken = Arc::default();
    let run = timeout(Duration::from_secs(60), build(chain, mask, &taken).run()).await;
    let summary = run.unwrap_or_else(|_| panic!("mask {mask:04b} of {chain:?} stands still")).unwrap();
    let taken = std::mem::take(&mut *taken.lock().unwrap());
    (taken, summary.stages().to_vec())
}

fn compare(
    chain: &Chain,
    mask: u8,
    plain: (Vec<u64>, Vec<StageSummary>),
    fused: (Vec<u64>, Vec<StageSummary>),
) {
    assert_eq!(plain.0, fused.0, "mask {mask:04b} of {chain:?}");
    assert_eq!(fused.1.len(), 5 - mask.count_ones() as usize);
    assert!(fused.1.iter().all(|stage| stage.lost == 0 && stage.reason.is_normal()), "{:?}", fused.1);
    // What one sends comes to the next, and nothing is left over where nobody finishes early.
    let is_whole = chain.enough.is_none() && !chain.work.iter().any(|work| matches!(work, Work::Finish(_)));
    for pair in fused.1.windows(2).filter(|_| is_whole) {
        assert_eq!(pair[0].events_out, pair[1].events_in, "{pair:?}");
        assert_eq!(pair[0].discarded, 0, "{pair:?}");
    }
}

proptest! {
    #[test]
    fn the_same_events_in_the_same_order(chain in chain(), mask in 1..15u8) {
        let plain = on_one_thread(run(&chain, 0));
        let fused = on_one_thread(run(&chain, mask));
        compare(&chain, mask, plain, fused);
    }

    #[test]
    fn and_on_two_threads(chain in chain(), mask in 1..15u8) {
        let plain = on_one_thread(run(&chain, 0));
        let fused = on_two_threads(run(&chain, mask));
        compare(&chain, mask, plain, fused);
    }
}
