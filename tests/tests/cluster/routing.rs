//! Which node gets a call, and when a call is repeated at another node.

use std::sync::atomic::Ordering;
use std::time::Duration;

use riak_client::riak::RpbGetBucketReq;
use riak_client::riak_kv::{RpbDelReq, RpbGetReq};
use riak_client::{CallError, CallOptions, Riak};
use riak_runtime::client::{BreakerConfig, BreakerState, ClusterConfig, RetryConfig};

use crate::support::{
    OVERLOAD, UNKNOWN_CODE, addresses, calls, cluster, get, nodes, put, scripted_server, server_by_code,
    unused_address,
};

#[tokio::test]
async fn calls_are_spread_evenly() {
    let (_store, nodes) = nodes(3).await;
    let cluster = cluster(&addresses(&nodes), ClusterConfig::new());
    cluster.connect().await.unwrap();
    let riak = Riak::over(cluster.clone());
    riak.kv().put(put()).await.unwrap();
    for _ in 0..20 {
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let riak = riak.clone();
            running.spawn(async move { riak.kv().get(get()).await.unwrap() });
        }
        while let Some(found) = running.join_next().await {
            assert_eq!(found.unwrap().content[0].value, "v");
        }
    }
    let calls = calls(&cluster);
    assert!(calls.iter().all(|&calls| (100..300).contains(&calls)), "{calls:?}");
    assert!(cluster.stats().nodes.iter().all(|node| node.in_flight == 0 && node.pool.in_flight == 0));
}

#[tokio::test]
async fn a_node_that_is_down_costs_attempts_but_fails_no_call() {
    let (_store, nodes) = nodes(2).await;
    let mut targets = addresses(&nodes);
    targets.insert(0, unused_address().await);
    let cluster = cluster(&targets, ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    for _ in 0..100 {
        // This includes puts, which must not be repeated: they were not sent.
        riak.kv().put(put()).await.unwrap();
        riak.kv().get(get()).await.unwrap();
    }
    let stats = cluster.stats();
    assert_eq!(stats.nodes[0].breaker, BreakerState::Open);
    assert!(stats.nodes[0].calls < 10, "{:?}", stats.nodes[0]);
}

#[tokio::test]
async fn a_call_to_a_hanging_node_succeeds_at_another_within_its_deadline() {
    let (_store, nodes) = nodes(2).await;
    let (hanging, requests) = scripted_server(None).await;
    let mut targets = addresses(&nodes);
    targets.push(hanging);
    let cluster = cluster(&targets, ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(400)));
    for _ in 0..50 {
        quick.kv().get(get()).await.unwrap();
    }
    assert!(requests.load(Ordering::Relaxed) >= 1, "it was never tried");
    // Once the breaker knows that it hangs, it only gets probes.
    assert!(requests.load(Ordering::Relaxed) < 20, "{requests:?}");
}

#[tokio::test]
async fn a_write_that_may_have_been_applied_is_not_repeated() {
    let (hanging, requests) = scripted_server(None).await;
    let (also_hanging, others) = scripted_server(None).await;
    let cluster = cluster(&[hanging, also_hanging], ClusterConfig::new());
    let riak = Riak::over(cluster);
    let quick = riak.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let sent = || requests.load(Ordering::Relaxed) + others.load(Ordering::Relaxed);
    let error = quick.kv().put(put()).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert!(matches!(error.cause(), CallError::Timeout { sent: true, .. }), "{error:?}");
    assert_eq!(sent(), 1);
    // A delete without a causal context could delete a later write of another client.
    quick.kv().delete(RpbDelReq::new("b", "k")).await.unwrap_err();
    assert_eq!(sent(), 2);
    let with_context = RpbDelReq { vclock: Some("c".into()), ..RpbDelReq::new("b", "k") };
    // The first attempt has half of the time, the second a quarter.
    let patient = riak.with(CallOptions::new().timeout(Duration::from_secs(1)));
    patient.kv().delete(with_context).await.unwrap_err();
    assert_eq!(sent(), 2 + 3);
    // The caller can declare the request safe to repeat.
    let options =
        CallOptions::new().timeout(Duration::from_secs(1)).retry(riak_runtime::operation::Retry::Safe);
    riak.with(options).kv().put(put()).await.unwrap_err();
    assert_eq!(sent(), 5 + 3);
}

#[tokio::test]
async fn a_node_that_is_still_starting_is_avoided() {
    let (_store, nodes) = nodes(1).await;
    let (starting, requests) = scripted_server(Some(UNKNOWN_CODE)).await;
    let cluster = cluster(&[nodes[0].addr(), starting], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    for _ in 0..100 {
        riak.kv().get(get()).await.unwrap();
    }
    assert!(requests.load(Ordering::Relaxed) < 20, "{requests:?}");
    assert_eq!(cluster.stats().nodes[1].breaker, BreakerState::Open);
}

#[tokio::test]
async fn a_node_of_an_older_release_keeps_the_calls_that_it_serves() {
    const GET: u8 = 9;
    let (_store, nodes) = nodes(1).await;
    let not_found: &[u8] = b"\0\0\0\x01\x0a";
    let (older, requests) =
        server_by_code(move |code| Some(if code == GET { not_found } else { UNKNOWN_CODE })).await;
    let cluster = cluster(&[nodes[0].addr(), older], ClusterConfig::new());
    let riak = Riak::over(cluster.clone());
    let gets = async || {
        for _ in 0..50 {
            riak.kv().get(get()).await.unwrap();
        }
    };
    gets().await;
    // The other node serves these, so each of them succeeds.
    for _ in 0..50 {
        riak.buckets().get_props(RpbGetBucketReq::new("b")).await.unwrap();
    }
    assert_eq!(cluster.stats().nodes[1].breaker, BreakerState::Closed);
    let before = requests.load(Ordering::Relaxed);
    gets().await;
    assert!(requests.load(Ordering::Relaxed) > before, "it gets no calls any more");
}

#[tokio::test]
async fn a_request_that_gives_the_server_more_time_is_not_given_up_before() {
    let (hanging, requests) = scripted_server(None).await;
    let (also_hanging, others) = scripted_server(None).await;
    let retry = RetryConfig::new().attempt_timeout(Some(Duration::from_millis(50)));
    let cluster = cluster(&[hanging, also_hanging], ClusterConfig::new().retry(retry));
    let riak = Riak::over(cluster);
    let sent = || requests.load(Ordering::Relaxed) + others.load(Ordering::Relaxed);
    let patient = RpbGetReq { timeout: Some(60_000), ..get() };
    let result = tokio::time::timeout(Duration::from_millis(200), riak.kv().get(patient)).await;
    assert!(result.is_err(), "{result:?}");
    assert_eq!(sent(), 1);
    // Without a timeout of its own, a request is given up twice, and waited for the third time.
    let call = tokio::spawn({
        let riak = riak.clone();
        async move { riak.kv().get(get()).await }
    });
    while sent() < 1 + 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!call.is_finished());
    call.abort();
}

#[tokio::test]
async fn retries_are_bounded_per_call_and_by_a_budget() {
    let (first, one) = scripted_server(Some(OVERLOAD)).await;
    let (second, other) = scripted_server(Some(OVERLOAD)).await;
    let retry = RetryConfig::new().max_attempts(3).budget_percent(10).budget_reserve(5);
    let breaker = BreakerConfig::new().failures(1_000_000);
    let cluster = cluster(&[first, second], ClusterConfig::new().retry(retry).breaker(breaker));
    let riak = Riak::over(cluster);
    let sent = || one.load(Ordering::Relaxed) + other.load(Ordering::Relaxed);
    let error = riak.kv().get(get()).await.unwrap_err();
    assert_eq!(sent(), 3);
    assert_eq!(error.server_error().unwrap().text, "overload");
    assert!(error.server_error().unwrap().node.is_some());
    for _ in 0..99 {
        riak.kv().get(get()).await.unwrap_err();
    }
    assert!((105..=116).contains(&sent()), "{}", sent());
}
