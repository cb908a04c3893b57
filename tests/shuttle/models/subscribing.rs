//! Subscriptions that begin and end while other things happen to their stages.

use genstage::prelude::*;
use genstage::{Cancel, Reason, StageRef, Subscribe};

use crate::book::Book;
use crate::check;
use crate::stages::{Sink, Source};

fn temporary() -> Subscribe {
    Subscribe::new().cancel(Cancel::Temporary)
}

/// How many subscriptions both have.
async fn subscriptions(source: &StageRef<Source>, sink: &StageRef<Sink>) -> (usize, usize) {
    let consumers = source.snapshot().await.map_or(0, |source| source.consumers.len());
    let producers = sink.snapshot().await.map_or(0, |sink| sink.producers.len());
    (consumers, producers)
}

#[test]
fn a_permanent_subscription_to_a_producer_that_stops() {
    check(async |book: Book| {
        let (source, sink) = (Source::endless(&book).spawn(), Sink::new(&book).spawn());
        let stopping = source.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Normal).await });
        sink.subscribe(&source, Subscribe::new()).await.expect("it lives until it has subscribed");
        let ended = sink.ended().await;
        assert!(matches!(ended, Reason::Normal | Reason::NoStage), "{ended}");
        assert!(matches!(stops.await, Ok(Reason::Normal)));
        book.handled_in_order();
    });
}

#[test]
fn a_temporary_subscription_to_a_producer_that_stops() {
    check(async |book: Book| {
        let (source, sink) = (Source::endless(&book).spawn(), Sink::new(&book).spawn());
        let stopping = source.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Normal).await });
        sink.subscribe(&source, temporary()).await.expect("it lives");
        let _ = stops.await;
        assert_eq!(subscriptions(&source, &sink).await, (0, 0));
        // It is as good as new.
        let next = Source::of(&book, book.made() + 3).spawn();
        sink.subscribe(&next, Subscribe::new()).await.expect("it lives");
        assert!(matches!(sink.ended().await, Reason::Normal));
    });
}

#[test]
fn an_ask_while_the_subscription_is_cancelled() {
    check(async |book: Book| {
        let (source, sink) = (Source::endless(&book).spawn(), Sink::manual(&book).spawn());
        let subscription = sink.subscribe(&source, temporary()).await.expect("it lives");
        let (asking, asked) = (sink.clone(), subscription.clone());
        let asks = tokio::spawn(async move {
            asking.ask(&asked, 2).await;
            asking.ask(&asked, 1).await;
        });
        sink.cancel(&subscription, Reason::Normal).await;
        let _ = asks.await;
        // The end of a subscription goes from the consumer to the producer and back.
        while subscriptions(&source, &sink).await != (0, 0) {
            tokio::task::yield_now().await;
        }
        book.subscriptions_are_over();
        assert!(book.handled_in_order() <= 3);
    });
}

#[test]
fn a_subscription_that_is_cancelled_on_both_sides() {
    check(async |book: Book| {
        let (source, sink) = (Source::endless(&book).spawn(), Sink::new(&book).spawn());
        let subscription = sink.subscribe(&source, temporary()).await.expect("it lives");
        let (cancelling, cancelled) = (sink.clone(), subscription.clone());
        let cancels =
            tokio::spawn(async move { cancelling.cancel(&cancelled, Reason::custom("enough")).await });
        let stopping = source.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Shutdown).await });
        sink.cancel(&subscription, Reason::Normal).await;
        assert!(matches!(stops.await, Ok(Reason::Shutdown)));
        let _ = cancels.await;
        while subscriptions(&source, &sink).await != (0, 0) {
            tokio::task::yield_now().await;
        }
        assert!(!sink.has_ended());
        book.handled_in_order();
    });
}

#[test]
fn a_subscription_that_is_replaced_while_its_producer_stops() {
    check(async |book: Book| {
        let (first, sink) = (Source::endless(&book).spawn(), Sink::new(&book).spawn());
        let old = sink.subscribe(&first, temporary()).await.expect("it lives");
        let stopping = first.clone();
        let stops = tokio::spawn(async move { stopping.stop(Reason::Normal).await });
        let second = Source::of(&book, 4).spawn();
        let replaced = sink.resubscribe(&old, Reason::Normal, &second, Subscribe::new()).await;
        replaced.expect("it lives until the second has ended");
        assert!(matches!(sink.ended().await, Reason::Normal));
        let _ = stops.await;
    });
}
