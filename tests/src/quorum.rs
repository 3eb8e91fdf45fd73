//! Whether the quorums of a request can be met.
//!
//! Invariant: a node that has all replicas meets every quorum that its bucket
//! allows, so that only those above `n_val` fail.

use riak_client::riak::RpbBucketProps;
use riak_runtime::Quorum;

use crate::refusal::Refusal;

/// Checks quorums, and the request's own `n_val`, against the bucket's.
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
    let most = props.n_val.unwrap_or(3);
    let n_val = n_val.unwrap_or(most);
    if n_val == 0 || n_val > most {
        return Err(Refusal::NValViolation(n_val));
    }
    let fits = |quorum: Quorum| match quorum {
        Quorum::ONE | Quorum::QUORUM | Quorum::ALL | Quorum::DEFAULT => true,
        Quorum(replicas) => replicas <= n_val,
    };
    // node_confirms goes through the same decoder as quorums do.
    if quorums.iter().flatten().copied().chain(node_confirms.map(Quorum)).all(fits) {
        Ok(())
    } else {
        Err(Refusal::NValViolation(n_val))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket_props::of_default_type;

    #[test]
    fn quorums_above_n_val_are_refused() {
        let props = of_default_type();
        let check = |n_val, quorum: Quorum| check(&props, n_val, &[None, Some(quorum)], None);
        assert_eq!(check(None, 3.into()), Ok(()));
        assert_eq!(check(None, 4.into()), Err(Refusal::NValViolation(3)));
        assert_eq!(check(None, Quorum::ALL), Ok(()));
        assert_eq!(check(Some(1), 2.into()), Err(Refusal::NValViolation(1)));
        assert_eq!(check(Some(4), 1.into()), Err(Refusal::NValViolation(4)));
        assert_eq!(check(Some(0), 1.into()), Err(Refusal::NValViolation(0)));
    }
}
