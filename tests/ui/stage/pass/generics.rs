use std::fmt::Display;
use std::marker::PhantomData;

use genstage::prelude::*;

/// Bounds on the implementation only.
#[stage(producer)]
struct Repeat<T> {
    event: T,
}

impl<T: Clone + Send + 'static> Producer for Repeat<T> {
    type Event = T;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        cx.emit_all(std::iter::repeat_n(self.event.clone(), demand));
        cx.finish();
        Ok(())
    }
}

/// Bounds on the struct, a default and a constant.
#[stage(producer_consumer, max_demand = N)]
struct Chunks<T: Send + 'static, const N: usize = 3>
where
    T: Clone,
{
    events: PhantomData<fn() -> T>,
}

impl<T: Clone + Send + 'static, const N: usize> ProducerConsumer for Chunks<T, N> {
    type Input = T;
    type Output = [T; N];

    async fn handle_events(&mut self, events: &mut Batch<T>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().map(|event| std::array::from_fn(|_| event.clone())));
        Ok(())
    }
}

#[stage(consumer, max_demand = Self::WINDOW, min_demand = 0x1)]
struct Print<T> {
    events: PhantomData<fn(T)>,
}

impl<T> Print<T> {
    const WINDOW: usize = 10;
}

impl<T: Display + Send + 'static, const N: usize> Consumer for Print<[T; N]> {
    type Event = [T; N];

    async fn handle_events(&mut self, events: &mut Batch<[T; N]>, _: &mut Context<Self>) -> Result {
        events.iter().flatten().for_each(|event| println!("{event}"));
        Ok(())
    }
}

fn main() {
    let _ = pipeline! {
        repeat = Repeat { event: "hip".to_owned() };
        chunks = Chunks::<String, 2> { events: PhantomData };
        print = Print { events: PhantomData };
        repeat => chunks => print;
    };
}
