use genstage::StageRef;
use genstage::prelude::*;
use stages::*;

#[path = "../../stages.rs"]
mod stages;

#[tokio::main]
async fn main() -> Result {
    let count = 2;
    let app = pipeline! {
        // Parts may be declared anywhere, and only one of them says how many there are.
        last = Evens, replicas: count, restart: on_failure;
        counter = Counter;
        /// Documented.
        first = Evens;
        printer = Printer;
        alone = Evens, open;
        { counter |> map(|n| n), from_iter(0..10u64) } => first [max_demand: 10, cancel: complete] |> last => { printer, map(|n| n) |> for_each(drop::<u64>) };
        // Without an arrow, but open.
        from_iter(0..3u64) |> alone;
        other::counter() |> self::other::evens() => other::printer();
    };
    let _: &Vec<StageRef<Evens>> = &app.first;
    let _: &Vec<StageRef<Evens>> = &app.last;
    let _: &StageRef<Counter> = &app.counter;
    let _: &StageRef<Evens> = &app.alone;
    app.start()?.abort().await?;
    Ok(())
}

mod other {
    pub fn counter() -> crate::Counter {
        crate::Counter
    }

    pub fn evens() -> crate::Evens {
        crate::Evens
    }

    pub fn printer() -> crate::Printer {
        crate::Printer
    }
}
