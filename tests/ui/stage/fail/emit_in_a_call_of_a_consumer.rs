//! Line 117 of the catalogue.

use genstage::ReplyTo;
use genstage::prelude::*;

#[stage(consumer)]
struct Printer;

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, _: &mut Batch<u64>, _: &mut Context<Self>) -> Result {
        Ok(())
    }
}

impl Call<u8> for Printer {
    type Reply = ();

    async fn handle_call(&mut self, _: u8, reply: ReplyTo<()>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(["f", "g", "h"]);
        reply.send(());
        Ok(())
    }
}

fn main() {}
