//! Whatever the user calls things, the expansions do not mind.

#![deny(warnings)]
#![deny(unused, unreachable_pub, missing_docs)]
#![allow(dead_code)]

mod std {}
mod core {}
mod genstage_macros {}

struct Option;
struct Some;
struct Handles;
struct Wiring;
struct Vec;
trait Emit {
    fn emit(&self) {}
    fn run(&self) {}
    fn handle(&self) {}
    fn nodes(&self) {}
}
impl<T> Emit for T {}

use genstage::{Consumer, Context, Batch, Producer, pipeline, stage};

type Result = ::std::result::Result<(), genstage::Error>;

#[stage(producer)]
struct T0;

impl Producer for T0 {
    type Event = u64;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.finish();
        Ok(())
    }
}

#[stage(consumer)]
struct T1<Stage> {
    stage: Stage,
}

impl<Stage: Send + 'static> Consumer for T1<Stage> {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

fn main() {
    let index = 3;
    let app = pipeline! {
        wiring = T0;
        handles = T1 { stage: Handles };
        run = T1 { stage: index }, replicas: 2;
        r#match = T1 { stage: Wiring };
        wiring => { handles, run, r#match };
    };
    let _ = (&app.run, &app.r#match, app.handles.name());
}
