//! What is counted: the parts of the pure core, and batches that go from A to B to C.
//!
//! Each case runs with a hundred batches and with a thousand more, so that what starting costs cancels out in the difference.

#![expect(missing_docs, unused_qualifications, reason = "what the macros write")]

use std::hint::black_box;

// The pure core has no other door; that it changes without notice matters little here.
use genstage::__private::{Buffer, Capacity, Keep, Window};
use genstage::prelude::*;
use genstage::testing::DispatcherProbe;
use genstage::{BroadcastDispatcher, DemandDispatcher, Dispatcher, Partition, PartitionDispatcher, Selector};
use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};

const SHORT: usize = 100;
const LONG: usize = SHORT + 1000;

/// How many events a batch has.
const BATCH: usize = 5;
/// The window of which a batch is one half.
const WINDOW: usize = 2 * BATCH;
/// How many consumers a dispatcher has; a batch is one for each of them there.
const CONSUMERS: usize = 4;

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn demand_window(batches: usize) -> Result<usize> {
    let mut window = Window::new(Some(WINDOW), None)?;
    let first = window.open();
    Ok((0..batches).fold(first, |asked, _| asked + window.handled(black_box(BATCH))))
}

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn buffer(batches: usize) -> Buffer<usize> {
    let mut buffer = Buffer::new(Capacity::Events(WINDOW), Keep::Last);
    let (mut events, mut infos) = (vec![], vec![]);
    for _ in 0..batches {
        events.extend(0..BATCH);
        buffer.store(black_box(&mut events), &mut infos);
        buffer.take(BATCH, &mut events, &mut infos);
        black_box(&mut events).clear();
    }
    buffer
}

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn demand_dispatcher(batches: usize) -> Result<usize> {
    dispatch(DemandDispatcher::default(), |_| (), batches)
}

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn broadcast_dispatcher(batches: usize) -> Result<usize> {
    dispatch(BroadcastDispatcher::default(), |_| Selector::default(), batches)
}

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn partition_dispatcher(batches: usize) -> Result<usize> {
    dispatch(PartitionDispatcher::new(CONSUMERS, |n| Some(n % CONSUMERS)), Partition, batches)
}

/// Every consumer asks for a batch, and as many events come as are wanted then: each is sent one.
fn dispatch<D: Dispatcher<usize>>(
    dispatcher: D,
    options: impl Fn(usize) -> D::Options,
    batches: usize,
) -> Result<usize> {
    let mut probe = DispatcherProbe::new(dispatcher);
    let consumers: Vec<_> = (0..CONSUMERS).map(|n| probe.subscribe(options(n))).collect::<Result<_, _>>()?;
    let mut sent = 0;
    for _ in 0..batches {
        consumers.iter().for_each(|consumer| probe.ask(*consumer, BATCH));
        let wanted = probe.wanted();
        probe.dispatch_owed(black_box((0..wanted).collect()), wanted);
        sent += probe.sent().len();
    }
    assert_eq!(sent, batches * CONSUMERS, "batches sent");
    Ok(sent)
}

#[library_benchmark]
#[bench::short(SHORT)]
#[bench::long(LONG)]
fn a_to_b_to_c(batches: usize) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let app = pipeline! {
        double = map(|n: usize| n.wrapping_mul(2));
        sink = for_each(|n| { black_box(n); });
        from_iter(0..batches * BATCH) => double [max_demand: WINDOW] => sink [max_demand: WINDOW];
    };
    runtime.block_on(app.run())?;
    Ok(())
}

library_benchmark_group!(
    name = counted,
    benchmarks =
        [demand_window, buffer, demand_dispatcher, broadcast_dispatcher, partition_dispatcher, a_to_b_to_c]
);

main!(
    // Nothing but instructions is looked at.
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = counted
);
