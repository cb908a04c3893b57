//! Stages that the tests share.

use std::sync::{Arc, Mutex};

use genstage::Reason;
use genstage::prelude::*;

/// What stages note down for the test to look at.
#[derive(Debug)]
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Log<T> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn push(&self, entry: T) {
        self.0.lock().unwrap().push(entry);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Everything noted since the last look.
    pub(crate) fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Emits exactly what is asked for, from 0 up to below `end`, and notes every demand.
#[stage(producer)]
pub(crate) struct Counter {
    next: u64,
    end: u64,
    pub(crate) demands: Log<usize>,
}

impl Counter {
    pub(crate) fn below(end: u64) -> Self {
        Self { next: 0, end, demands: Log::new() }
    }

    pub(crate) fn endless() -> Self {
        Self::below(u64::MAX)
    }
}

impl Producer for Counter {
    type Event = u64;

    async fn handle_demand(&mut self, demand: usize, cx: &mut Context<Self>) -> Result {
        self.demands.push(demand);
        let end = self.end.min(self.next + demand as u64);
        cx.emit_all(self.next..end);
        self.next = end;
        if end == self.end {
            cx.finish();
        }
        Ok(())
    }
}

/// Notes every batch.
#[stage(consumer)]
pub(crate) struct Collect<T> {
    pub(crate) batches: Log<Vec<T>>,
}

impl<T> Collect<T> {
    pub(crate) fn new() -> Self {
        Self { batches: Log::new() }
    }
}

impl<T: Send + 'static> Consumer for Collect<T> {
    type Event = T;

    async fn handle_events(&mut self, events: &mut Batch<T>, _: &mut Context<Self>) -> Result {
        self.batches.push(events.take());
        Ok(())
    }
}

/// Passes on what comes; notes why it ended.
#[stage(producer_consumer)]
pub(crate) struct Pass {
    pub(crate) ended: Log<String>,
}

impl Pass {
    pub(crate) fn new() -> Self {
        Self { ended: Log::new() }
    }
}

impl ProducerConsumer for Pass {
    type Input = u64;
    type Output = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        cx.emit_all(events.drain());
        Ok(())
    }

    async fn terminate(&mut self, reason: &Reason) {
        self.ended.push(reason.to_string());
    }
}

/// Takes `enough` events and finishes.
#[stage(consumer)]
pub(crate) struct First {
    pub(crate) enough: usize,
    pub(crate) taken: Log<u64>,
}

impl Consumer for First {
    type Event = u64;

    async fn handle_events(&mut self, events: &mut Batch<u64>, cx: &mut Context<Self>) -> Result {
        for event in events.drain().take(self.enough) {
            self.taken.push(event);
            self.enough -= 1;
        }
        if self.enough == 0 {
            cx.finish();
        }
        Ok(())
    }
}

/// Counts the warnings of the present thread.
#[derive(Clone)]
pub(crate) struct Warnings(pub(crate) Log<()>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.push(());
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Writes down what the present thread traces: level, spans, message and fields.
#[derive(Clone, Default)]
pub(crate) struct Traces {
    traces: Log<String>,
    /// All spans there have been, and which of them are entered.
    spans: Arc<Mutex<(Vec<String>, Vec<u64>)>>,
}

impl Traces {
    pub(crate) fn take(&self) -> Vec<String> {
        self.traces.take()
    }

    /// The warnings since the last look, in the order of their texts and without spans.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warnings =
            self.take().into_iter().filter_map(|trace| trace.strip_prefix("WARN ").map(str::to_owned));
        let mut warnings: Vec<_> = warnings.collect();
        warnings.sort();
        warnings
    }
}

/// A message with its fields.
#[derive(Default)]
struct Text(String);

impl tracing::field::Visit for Text {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        let text = match field.name() {
            "message" => format!("{value:?}"),
            name => format!(" {name}={value:?}").replace('"', ""),
        };
        self.0.push_str(&text);
    }
}

impl tracing::Subscriber for Traces {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == genstage::telemetry::TARGET || metadata.target().starts_with("behaviour")
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let mut fields = Text::default();
        span.record(&mut fields);
        let (spans, _) = &mut *self.spans.lock().unwrap();
        spans.push(format!("{}{{{}}}: ", span.metadata().name(), fields.0.trim()));
        tracing::span::Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let (spans, entered) = &*self.spans.lock().unwrap();
        let within: String = entered.iter().map(|span| &*spans[*span as usize - 1]).collect();
        self.traces.push(format!("{} {within}{}", event.metadata().level(), text.0));
    }

    fn enter(&self, span: &tracing::span::Id) {
        self.spans.lock().unwrap().1.push(span.into_u64());
    }

    fn exit(&self, _: &tracing::span::Id) {
        self.spans.lock().unwrap().1.pop();
    }
}
