//! The first example of the project's README, as the macros expand it.
//!
//! Tidied: paths are short here, and the nodes' locals have the nodes' names; what is left out is `#[automatically_derived]`, and an
//! `#[allow]` for nodes without edges. A test of the macros sees to it that this is what they write.
//!
//! ```text
//! cargo run --example expanded            # it counts until Ctrl-C
//! ```

// Everything that expansions call: not for use by hand.
use genstage::__private as private;
use genstage::prelude::*;

/// Counts upwards.
struct Counter {
    next: u64,
}

// What `#[stage(producer)]` adds: types and constants, and no code of its own. They tie the struct to the role's trait, by way of
// `DeclaredProducer`, which every `Producer` has. It is that name by which the compiler says what is missing. All of this
// stands, for the compiler, at the word `producer`.
impl genstage::Stage for Counter {
    type Role = private::ProducerRole;
    type Take = private::Nothing;
    type Give = <Self as private::DeclaredProducer>::Event;
    type Dispatcher = private::DemandDispatcher;
    // The options of the attribute, were there any.
    fn options(&self) -> private::StageOptions {
        private::StageOptions::new()
    }
    fn dispatcher(&self) -> Self::Dispatcher {
        Default::default()
    }
}

// This is what makes `cx.emit` compile; a consumer has none.
#[diagnostic::do_not_recommend]
impl genstage::Emits for Counter {
    type Emitted = <Self as private::DeclaredProducer>::Event;
}

// What is wrong with this struct as a stage has been reported here: pipelines need not repeat it.
impl private::Checked for Counter {}

// As it was written, and so are the others.
impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        let end = self.next + demand as u64;
        cx.emit_all(self.next..end);
        self.next = end;
        Ok(())
    }
}

/// Keeps the even numbers.
struct Evens;

impl genstage::Stage for Evens {
    type Role = private::ProducerConsumerRole;
    type Take = <Self as private::DeclaredProducerConsumer>::Input;
    type Give = <Self as private::DeclaredProducerConsumer>::Output;
    type Dispatcher = private::DemandDispatcher;
    fn options(&self) -> private::StageOptions {
        private::StageOptions::new()
    }
    fn dispatcher(&self) -> Self::Dispatcher {
        Default::default()
    }
}

#[diagnostic::do_not_recommend]
impl genstage::Emits for Evens {
    type Emitted = <Self as private::DeclaredProducerConsumer>::Output;
}

impl private::Checked for Evens {}

impl ProducerConsumer for Evens {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain().filter(|n| n % 2 == 0));
        Ok(())
    }
}

struct Printer;

impl genstage::Stage for Printer {
    type Role = private::ConsumerRole;
    type Take = <Self as private::DeclaredConsumer>::Event;
    type Give = private::Nothing;
    type Dispatcher = private::DemandDispatcher;
    fn options(&self) -> private::StageOptions {
        private::StageOptions::new()
    }
    fn dispatcher(&self) -> Self::Dispatcher {
        Default::default()
    }
}

impl private::Checked for Printer {}

impl Consumer for Printer {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        for n in events.drain() {
            println!("{} {n}", cx.name());
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result {
    // What `pipeline!` writes is one expression.
    ({
        let mut wiring = private::Wiring::new();
        // The nodes, in the order in which they are declared. Of the methods called `genstage_node` the compiler takes the first
        // that fits: one for stages that can run, others for what is reported to be none.
        let mut counter = private::Declared::new(Counter { next: 0 }).genstage_node("counter");
        let mut evens = private::Declared::new(Evens).genstage_node("evens");
        let mut printer = private::replica_array::<_, 2>(|index| {
            private::Declared::new(Printer).genstage_node(private::replica_name("printer", index))
        });
        // The macro has seen which sides of each node are connected; whether its role has them, the compiler says here.
        private::source(&counter, &evens);
        private::middle(&evens);
        private::sink(&printer, &evens);
        // Whether the event types fit it says here; the subscription itself is a value on both sides.
        private::edge(
            &mut wiring,
            &private::EdgeName::new("counter", "evens", None),
            &mut counter,
            &mut evens,
            private::Subscribe::edge,
        );
        private::edge(
            &mut wiring,
            &private::EdgeName::new("evens", "printer", None),
            &mut evens,
            &mut printer,
            || private::Subscribe::edge().max_demand(100),
        );
        // `app.counter` and the others. The macro does not know their types, so the compiler is to find them out.
        let handles = {
            #[allow(dead_code, missing_debug_implementations)]
            struct Handles<T0, T1, T2> {
                counter: T0,
                evens: T1,
                printer: T2,
            }
            Handles {
                counter: private::Replicas::handle(&counter),
                evens: private::Replicas::handle(&evens),
                printer: private::Replicas::handle(&printer),
            }
        };
        private::Wiring::add(&mut wiring, "counter", counter);
        private::Wiring::add(&mut wiring, "evens", evens);
        private::Wiring::add(&mut wiring, "printer", printer);
        // Nothing runs before `run` or `start`.
        private::Wiring::finish(wiring, handles)
    })
    .run()
    .await?;
    Ok(())
}
