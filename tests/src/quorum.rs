//! Checks whether the quorums of a request can be met.
//!
//! Invariant: the node has all replicas, so only a quorum above `n_val` fails.

use riak_client::riak::RpbBucketProps;
use riak_runtime::Quorum;

use crate::refusal::Refusal;

/// Checks quorums, and the request's own `n_val`, against the bucket's `n_val`.
///
/// # Errors
///
/// [`Refusal::NValViolation`].
pub(crate) fn check(
    props: &RpbBucketProps,
    n_val: Option<u32>,
    quorums: &[Option<Quorum>],
    node_confirms: Option<u32>,
) -> Result<(), Refusal> {
    let bucket_n_val = props.n_val.unwrap_or(3);
    let n_val = n_val.unwrap_or(bucket_n_val);
    if n_val == 0 || n_val > bucket_n_val {
        return Err(Refusal::NValViolation(n_val));
    }
    let fits = |quorum: Quorum| match quorum {
        Quorum::ONE | Quorum::QUORUM | Quorum::ALL | Quorum::DEFAULT => true,
        Quorum(replicas) => replicas <= n_val,
    };
    // node_confirms goes through the decoder of quorums.
    if quorums.iter().flatten().copied().chain(node_confirms.map(Quorum)).all(fits) {
        Ok(())
    } else {
        Err(Refusal::NValViolation(n_val))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket_props::default_type_props;

    #[test]
    fn quorums_above_n_val_are_refused() {
        let props = default_type_props();
        let check = |n_val, quorum: Quorum| check(&props, n_val, &[None, Some(quorum)], None);
        assert_eq!(check(None, 3.into()), Ok(()));
        assert_eq!(check(None, 4.into()), Err(Refusal::NValViolation(3)));
        assert_eq!(check(None, Quorum::ALL), Ok(()));
        assert_eq!(check(Some(1), 2.into()), Err(Refusal::NValViolation(1)));
        assert_eq!(check(Some(4), 1.into()), Err(Refusal::NValViolation(4)));
        assert_eq!(check(Some(0), 1.into()), Err(Refusal::NValViolation(0)));
    }
}
