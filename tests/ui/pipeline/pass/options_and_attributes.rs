//! What stands around nodes: options of the pipeline, restarts, attributes, the crate's path.

use std::time::Duration;

use genstage as stages_by_another_name;
use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let (limit, name) = (3, String::from("shared"));
    let app = pipeline! {
        crate = stages_by_another_name;
        strategy: rest_for_one, max_restarts: limit, within: Duration::from_secs(limit as u64);
        backoff: Duration::ZERO,;
        warn_after: Duration::from_secs(limit as u64);

        /// Documentation goes on the handle.
        counter = Counter, restart: on_failure;
        evens = Evens, restart: always, replicas: 2;
        #[allow(unused_variables)]
        printer = {
            let unused = name.clone();
            Printer
        }, replicas: limit, restart: never;
        #[cfg(any())]
        left_out = there::is::nothing::of::this::name();
        #[cfg(all())]
        other = Printer, restart: on_failure,;

        counter => evens => { printer, left_out, other [max_demand: 3] };
        from_iter(0..3) => left_out [cancel: permanent];
    };
    let _ = (&app.evens[1], &app.printer.len(), &app.other);
    let _ = pipeline! { strategy: one_for_one; a = Counter, restart: always; a => for_each(|_| ()); };
    let _ = pipeline! { warn_after: Duration::from_millis(100); a = Counter; a => for_each(|_| ()); };
    let _ = pipeline! { strategy: one_for_all; a = Counter, restart: on_failure; a => for_each(|_| ()); };
}
