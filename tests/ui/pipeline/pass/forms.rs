use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

fn stage_of_another_function(factor: u64) -> genstage::Map<impl FnMut(u64) -> u64, u64, u64> {
    map(move |n| n * factor)
}

mod other {
    pub struct Maker;

    impl Maker {
        pub fn evens() -> crate::Evens {
            crate::Evens
        }
    }
}

#[tokio::main]
async fn main() -> Result {
    let (window, n) = (100, 3);
    let app = pipeline! {
        // Edges may come before the nodes that they name, and options end with a comma.
        { counter, from_iter(0..10) } => evens => { printer [max_demand: window, min_demand: window / 2,], odd };
        counter = Counter, open;
        alone = Counter, replicas: 2, open;
        evens = Evens, replicas: 2,;
        printer = Printer, replicas: n - 1;
        odd = {
            let printer = Printer;
            printer
        };
        counter => stage_of_another_function(3) [cancel: temporary] => other::Maker::evens() => printer [cancel: permanent];
        counter => self::stage_of_another_function(4) => for_each::<_, u64>(|_| ()) [cancel: transient];
        from_stream(futures_util::stream::iter(0..3u64)) => odd [cancel: complete];
    };
    let _: &genstage::StageRef<Counter> = &app.counter;
    let _: &[genstage::StageRef<Evens>; 2] = &app.evens;
    let _: &Vec<genstage::StageRef<Printer>> = &app.printer;
    let running = app.start()?;
    let _: &genstage::StageRef<Printer> = &running.odd;
    Ok(())
}
