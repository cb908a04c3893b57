//! The order of what comes again.

use std::collections::HashMap;

use genstage::remote::Delivered;

use crate::numbers::{is_empty, open, put, shared, take};
use crate::server::Server;

/// What fails in order comes again in order, each time; and others that wait do not go before it for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_failed_comes_again_in_order_and_before_the_rest() {
    const ALL: u64 = 20_000;
    const FAIL: u64 = 10;
    let server = Server::start();
    let hub = open(shared(&server).await).await;
    put(&hub, 0..ALL).await;
    let mut taking = take(&hub, "group");
    let mut came: HashMap<u64, usize> = HashMap::new();
    let (mut held, mut others) = (vec![], FAIL..ALL);
    for _ in 0..ALL + 2 * FAIL {
        let event = taking.next().await;
        let times = came.entry(*event).or_default();
        *times += 1;
        if *event >= FAIL {
            assert_eq!(others.next(), Some(*event), "what has not failed keeps its order, too");
            event.done();
        } else {
            assert_eq!(*event, held.len() as u64, "in order, the {times}. time");
            let times = *times;
            held.push(event);
            if held.len() as u64 == FAIL {
                let settle = if times < 3 { drop } else { Delivered::done };
                held.drain(..).for_each(settle);
                assert!(times == 1 || !others.is_empty(), "the others go before it");
            }
        }
    }
    is_empty(&server, "numbers").await;
    assert!((0..ALL).all(|event| came[&event] == if event < FAIL { 3 } else { 1 }), "{came:?}");
    taking.ends().await;
}
