//! Bucket properties.

use riak_client::riak::{RpbBucketProps, RpbCommitHook, RpbModFun, rpb_bucket_props::RpbReplMode};
use riak_runtime::Quorum;

fn function(module: &str, function: &str) -> RpbModFun {
    RpbModFun { module: module.into(), function: function.into(), ..RpbModFun::default() }
}

/// Returns properties as a server sends them: all are set.
pub(crate) fn full() -> RpbBucketProps {
    let hook =
        |module, name| RpbCommitHook { modfun: Some(function(module, name)), ..RpbCommitHook::default() };
    RpbBucketProps {
        n_val: Some(3),
        allow_mult: Some(true),
        last_write_wins: Some(false),
        precommit: vec![hook("riak_search_kv_hook", "precommit")],
        has_precommit: Some(true),
        postcommit: vec![hook("riak_repl_leader", "postcommit")],
        has_postcommit: Some(true),
        chash_keyfun: Some(function("riak_core_util", "chash_std_keyfun")),
        linkfun: Some(function("riak_kv_wm_link_walker", "mapreduce_linkfun")),
        old_vclock: Some(86_400),
        young_vclock: Some(20),
        big_vclock: Some(50),
        small_vclock: Some(50),
        pr: Some(0.into()),
        r: Some(Quorum::QUORUM),
        w: Some(Quorum::QUORUM),
        pw: Some(0.into()),
        dw: Some(Quorum::QUORUM),
        rw: Some(Quorum::QUORUM),
        basic_quorum: Some(false),
        notfound_ok: Some(true),
        backend: Some("multi_leveldb".into()),
        search: Some(false),
        repl: Some(RpbReplMode::True),
        search_index: Some("people".into()),
        datatype: Some("map".into()),
        consistent: Some(false),
        write_once: Some(false),
        hll_precision: Some(14),
        ..RpbBucketProps::default()
    }
}

/// Returns properties as a client sends them: three are set.
pub(crate) fn sparse() -> RpbBucketProps {
    RpbBucketProps {
        n_val: Some(5),
        allow_mult: Some(true),
        search_index: Some("people".into()),
        ..RpbBucketProps::default()
    }
}
