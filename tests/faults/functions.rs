//! Functions of the user's that a dispatcher calls, and that panic: which partition, which events, and how an event is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use genstage::Summary;
use genstage::prelude::*;
use genstage::testing::{ConsumerProbe, settle};
use genstage_tests::ledger::{Event, Ledger, assert_balanced};

/// How many events there are, and at which of them it panics, once.
const EVENTS: u64 = 40;
const FATAL: u64 = 23;

/// An event that can be looked at, and copied, once in a bad moment.
struct Fragile {
    event: Event,
    panics: Arc<AtomicUsize>,
}

impl Fragile {
    /// Panics for the first time that it comes to the one.
    fn touch(&self) {
        if self.event.number() == FATAL {
            assert_ne!(self.panics.fetch_add(1, Relaxed), 0, "fatal");
        }
    }

    fn parity(&self) -> Option<usize> {
        self.touch();
        Some(usize::from(self.event.number() % 2 == 1))
    }
}

/// For a broadcast: whose copies panic, and for one in which looking does.
struct Copied(Fragile);
#[derive(Clone)]
struct Looked(Arc<Fragile>);

impl Looked {
    fn is_wanted(&self) -> bool {
        self.0.touch();
        true
    }
}

impl Clone for Copied {
    fn clone(&self) -> Self {
        self.0.touch();
        Self(Fragile { event: self.0.event.clone(), panics: self.0.panics.clone() })
    }
}

trait Made: Send + 'static {
    fn made(fragile: Fragile) -> Self;
    fn event(&self) -> &Event;
}

macro_rules! made {
    ($($name:ty: $made:expr, $this:ident => $event:expr;)*) => {$(
        impl Made for $name {
            fn made(fragile: Fragile) -> Self {
                $made(fragile)
            }

            fn event(&self) -> &Event {
                let $this = self;
                &$event
            }
        }
    )*};
}

made! {
    Fragile: |fragile| fragile, this => this.event;
    Copied: Copied, this => this.0.event;
    Looked: |fragile| Looked(Arc::new(fragile)), this => this.0.event;
}

/// Emits as it is asked, or everything before anyone asks.
struct Numbers {
    makes: Ledger,
    next: Arc<AtomicUsize>,
    panics: Arc<AtomicUsize>,
    at_once: bool,
}

impl Numbers {
    fn new(makes: &Ledger, panics: &Arc<AtomicUsize>, next: &Arc<AtomicUsize>, at_once: bool) -> Self {
        Self { makes: makes.clone(), next: next.clone(), panics: panics.clone(), at_once }
    }

    fn next<T: Made>(&self, most: usize) -> Vec<T> {
        let first = self.next.load(Relaxed) as u64;
        let end = EVENTS.min(first.saturating_add(most as u64));
        self.next.store(end as usize, Relaxed);
        let event = |n| T::made(Fragile { event: self.makes.event(n), panics: self.panics.clone() });
        (first..end).map(event).collect()
    }
}

macro_rules! sources {
    ($($name:ident of $event:ty: ($($option:tt)*);)*) => {$(
        #[stage(producer, $($option)*)]
        struct $name(Numbers);

        impl Producer for $name {
            type Event = $event;

            async fn init(&mut self, cx: &mut Context<Self>) -> Result {
                if self.0.at_once {
                    cx.emit_all(self.0.next(usize::MAX));
                }
                Ok(())
            }

            async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
                cx.emit_all(self.0.next(demand));
                Ok(())
            }
        }
    )*};
}

sources! {
    ByParity of Fragile: (dispatcher = partition(2, index = Fragile::parity));
    ToAll of Copied: (dispatcher = broadcast);
    ToSome of Looked: (dispatcher = broadcast);
}

/// Runs a pipeline that is begun anew once; its summary, its ledger, and how many events were lost.
macro_rules! run {
    ($source:ident of $event:ty, $at_once:expr $(, [$($option:tt)*], [$($other:tt)*])?) => {{
        let (makes, panics, next) = (Ledger::default(), Arc::default(), Arc::default());
        let (ledger, (mut probe, slow)) = (makes.clone(), ConsumerProbe::<$event>::new());
        let app = pipeline! {
            source = $source(Numbers::new(&ledger, &panics, &next, $at_once)), restart: on_failure;
            slow = slow;
            fast = for_each(|event: $event| event.event().deliver());
            source => { slow $([$($option)*])?, fast [max_demand: 10, min_demand: 5 $(, $($other)*)?] };
        }
        .start()
        .unwrap();
        // The buffer waits for the slow one.
        for _ in 0..EVENTS {
            probe.ask(7).await;
            probe.batches().await.iter().flatten().for_each(|event| event.event().deliver());
        }
        settle().await;
        assert_eq!(app.source.snapshot().await.unwrap().restarts, 1);
        let summary = app.drain().await.unwrap();
        check(&summary, &makes)
    }};
}

/// What is lost is counted, and it is not all.
fn check(summary: &Summary, makes: &Ledger) -> u64 {
    assert_balanced(summary, &[makes]);
    let source = summary.stage("source").unwrap();
    assert_eq!((makes.made(), source.discarded), (EVENTS, 0), "{summary}");
    assert!((1..EVENTS).contains(&source.lost), "{summary}");
    source.lost
}

/// What a callback emits is lost with the panic, as with one of its own; of what was buffered, what was to be sent at once.
#[tokio::test(start_paused = true)]
async fn which_partition() {
    for at_once in [false, true] {
        run!(ByParity of Fragile, at_once, [partition: 0], [partition: 1]);
    }
}

/// Nobody gets an event of which there are not copies for all.
#[tokio::test(start_paused = true)]
async fn how_an_event_is_copied() {
    for at_once in [false, true] {
        run!(ToAll of Copied, at_once);
    }
}

/// Nor one of which it is not known who wants it, whoever is asked last.
#[tokio::test(start_paused = true)]
async fn which_events() {
    for at_once in [false, true] {
        run!(ToSome of Looked, at_once, [selector: Looked::is_wanted], [selector: |_: &Looked| true]);
        run!(ToSome of Looked, at_once, [selector: |_: &Looked| true], [selector: Looked::is_wanted]);
    }
}
