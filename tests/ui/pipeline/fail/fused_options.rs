use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn main() {
    let _ = pipeline! {
        a = Evens, replicas: 2, restart: on_failure, open;
        b = Evens, replicas: 3;
        #[cfg(unix)]
        c = Evens, restart: always;
        d = Evens, replicas: 2;
        printer = Printer;
        from_iter(0..3u64) => a [max_demand: 10] |> b [max_demand: 3] |> c |> d => printer;
    };
}
