//! Complaints about security and compatibility: 14 and 15.

use riak_client::riak_kv::RpbFetchReq;
use riak_client::{ClientConfig, InvalidConfig, MessageCode, Riak, ServerErrorKind};
use riak_testkit::Node;

/// Security is on or off only by explicit configuration, and errors say what is wrong.
///
/// `secured` tests the errors for wrong certificates and passwords, and attackers in between.
#[test]
fn no_14_secrets_are_never_sent_in_clear_and_nothing_is_trusted_by_default() {
    let parse = |url: &str| url.parse::<ClientConfig>();
    let open = parse("riak://alice:hunter2@riak.example.com").unwrap();
    let error = open.build().unwrap_err();
    assert_eq!(error, InvalidConfig::NoTls);
    assert!(error.to_string().contains("set tls=full"), "{error}");
    assert!(!format!("{open:?}").contains("hunter2"));
    #[cfg(feature = "tls")]
    {
        use riak_runtime::tls::{TlsConfig, Verify};

        assert_eq!(Verify::default(), Verify::Full);
        let full = parse("riak://alice:hunter2@riak.example.com?tls=full").unwrap();
        assert_eq!(full.tls, Some(TlsConfig::new()), "all of it is checked, with the system's roots");
        for weak in ["none", "insecure", "true", "0", "Full"] {
            let error = parse(&format!("riak.example.com?tls={weak}")).unwrap_err();
            assert!(error.to_string().contains("it must be off, full or chain"), "{error}");
        }
        let error = parse("riak.example.com?tls=full").unwrap().build().unwrap_err();
        assert_eq!(error, InvalidConfig::NoUser);
    }
}

/// The message codes are those of the list that Riak's developers publish. The client talks to
/// any release, whatever its version string, and reports requests that the release does not serve.
///
/// `replay_codes` compares the pairs of requests and answers, and the exceptions, with the list.
/// `.ci/dependency-rules` checks that the client depends on no protobuf library.
#[tokio::test]
async fn no_15_codes_are_the_published_ones_and_no_version_is_parsed() {
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/riak_pb_messages.csv");
    let published = std::fs::read_to_string(published).unwrap();
    let mut seen = 0;
    for line in published.lines() {
        let [code, name, _] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let code: u8 = code.parse().unwrap();
        // These two have a code, but are never sent as frames.
        if !matches!(code, 102 | 103) {
            assert_eq!(MessageCode::try_from(code).unwrap().name(), name);
            seen += 1;
        }
    }
    assert_eq!(seen, MessageCode::ALL.len());

    for version in ["1.4.12", "3.0.10", "openriak-3.4.0-rc1+17", "", "\u{fffd}"] {
        let node = Node::builder().version(version).start().await.unwrap();
        let riak = Riak::connect(node.addr()).await.unwrap();
        let info = riak.server().get_server_info().await.unwrap();
        assert_eq!(info.server_version.unwrap(), version);
        let error = riak.replication().fetch(RpbFetchReq::new("q")).await.unwrap_err();
        assert_eq!(error.server_error().unwrap().kind(), ServerErrorKind::NotServed);
        riak.server().ping().await.unwrap();
    }
}
