use genstage::prelude::*;

struct Order;

#[stage(producer, dispatcher = broadcast)]
struct Orders;

impl Producer for Orders {
    type Event = Order;

    async fn handle_demand(&mut self, _: usize, cx: &mut Context<Self>) -> Result {
        cx.emit(Order);
        Ok(())
    }
}

fn main() {}
