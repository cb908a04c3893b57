//! Snapshots of expansions, one for each form. After a change: `cargo insta review`, or `INSTA_UPDATE=always` and `git diff`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{pipeline, stage};

/// The items, laid out.
fn items(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

fn of_stage(args: TokenStream, item: TokenStream) -> String {
    items(stage::stage(args, item))
}

fn of_pipeline(input: TokenStream) -> String {
    let expanded = pipeline::pipeline(input);
    items(quote!(fn main() { let app = #expanded; }))
}

macro_rules! snapshots {
    ($($name:ident: $expand:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!($expand);
        }
    )*};
}

snapshots! {
    stage_producer: of_stage(quote!(producer), quote!(struct Counter { next: u64 }));
    stage_producer_consumer: of_stage(quote!(producer_consumer), quote!(struct Evens;));
    stage_consumer: of_stage(quote!(consumer, blocking), quote!(pub enum Printer { Loud, Quiet }));
    stage_consumer_supervisor: of_stage(
        quote!(consumer_supervisor, max_demand = 5, restart = transient, shutdown = abort),
        quote!(struct Workers;),
    );
    stage_options: of_stage(
        quote!(producer, buffer_size = LIMIT * 2, buffer_keep = first, demand = accumulate),
        quote!(struct Source;),
    );
    stage_options_that_depend_on_the_state: of_stage(
        quote!(producer, buffer_size = self.size, dispatcher = demand(shuffle = self.seed)),
        quote!(struct Source { size: usize, seed: u64 }),
    );
    stage_generic: of_stage(
        quote!(consumer, max_demand = N),
        quote!(struct Collect<T: Clone, const N: usize> where T: Send { seen: Vec<T> }),
    );
    stage_broadcast: of_stage(quote!(producer, dispatcher = broadcast), quote!(struct Source;));
    stage_partitions: of_stage(quote!(producer, dispatcher = partition(4, by = key, queue_size = 10)), quote!(struct Source;));
    stage_partitions_of_an_enum: of_stage(
        quote!(producer, dispatcher = partition([Parity::Even, Parity::Odd], by = parity)),
        quote!(struct Source;),
    );
    stage_own_dispatcher: of_stage(quote!(producer, dispatcher = my::RoundRobin::new(3)), quote!(struct Source;));
    stage_by_another_path: of_stage(quote!(consumer, crate = my::stages), quote!(struct Sink;));
    stage_with_mistakes: of_stage(quote!(prodcuer, buffer_size = 0, maxdemand = 3), quote!(struct Source;));

    pipeline_chain: of_pipeline(quote! {
        counter = Counter { next: 0 };
        counter => map(|n| n * 2) => printer;
        printer = Printer;
    });
    pipeline_groups_and_options: of_pipeline(quote! {
        a = A;
        b = B;
        { a, b [max_demand: 3] } => { c [max_demand: 10, min_demand: limit, cancel: temporary], d [rate: Rate::per_second(5), selector: |n| n > 3] };
        c = C;
        d = D;
    });
    pipeline_replicas: of_pipeline(quote! {
        source = Source, open;
        three = Sink, replicas: 3u8;
        many = Sink, replicas: count();
        source => { three, many };
    });
    pipeline_restarts: of_pipeline(quote! {
        strategy: rest_for_one, max_restarts: 5, within: Duration::from_secs(1);
        warn_after: Duration::from_secs(10);
        source = Source::new(&path), restart: on_failure;
        sink = Sink, replicas: 2, restart: always;
        source => sink;
    });
    pipeline_partitions_of_an_enum: of_pipeline(quote! {
        source = Source;
        even = Sink;
        odd = Sink;
        source => { even [partition: Parity::Even], odd [partition: Parity::Odd] };
    });
    pipeline_attributes: of_pipeline(quote! {
        #[cfg(unix)]
        /// Says where.
        source = Source;
        #[allow(deprecated)]
        sink = Sink;
        source => sink;
    });
    pipeline_by_another_path: of_pipeline(quote! {
        crate = my::stages;
        from_iter(0..3) => for_each(drop);
    });
    pipeline_fused: of_pipeline(quote! {
        parse = Parse;
        store = Store, restart: on_failure;
        lines => parse |> map(|n| n + 1) |> filter(even) => check [max_demand: 3] |> store;
        lines = Lines;
        check = Check, replicas: 2;
    });
    pipeline_half_written: of_pipeline(quote! {
        counter = Counter { next: 0 };
        evens =
        printer = Printer;
        counter => evens => printer;
        counter => prin;
        counter |> ;
        counter |> evens => printer;
    });
}
