//! [`Query`]: a validated index request.
//!
//! Invariant: the checks run in the order in which the node makes them, since the
//! first that fails decides the answer.

use regex::bytes::{Regex, RegexBuilder};
use riak_client::riak_kv::RpbIndexReq;
use riak_client::riak_kv::rpb_index_req::IndexQueryType;
use riak_runtime::Blob;

use crate::index::IndexTerm;
use crate::index::continuation::Position;
use crate::refusal::{IndexFault, Refusal};

/// The results that a query asks for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// All keys of the bucket.
    Bucket,
    /// A range of keys, both ends included.
    Keys(Blob, Blob),
    /// One term of an index.
    Term(Blob, IndexTerm),
    /// A range of terms of an index, both ends included.
    Terms(Blob, IndexTerm, IndexTerm),
}

/// An index query.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) target: Target,
    pub(crate) regex: Option<Regex>,
    /// Whether the results include the terms.
    pub(crate) return_terms: bool,
    /// Whether the results are sorted, as those of pages are.
    pub(crate) sorted: bool,
    /// The size of a page.
    pub(crate) max_results: Option<usize>,
    /// The last result of the previous page.
    pub(crate) after: Option<Position>,
}

impl Query {
    /// Parses a request.
    ///
    /// # Errors
    ///
    /// The first fault of the request.
    pub(crate) fn parse(request: &RpbIndexReq) -> Result<Self, Refusal> {
        let (min, max) = match request.qtype {
            IndexQueryType::Eq => {
                let key = request.key.as_ref().ok_or(Refusal::InvalidEquality)?;
                (key, key)
            }
            IndexQueryType::Range => match (&request.range_min, &request.range_max) {
                (Some(min), Some(max)) => (min, max),
                (min, max) => return Err(Refusal::InvalidRange { min: min.clone(), max: max.clone() }),
            },
        };
        let regex = request.term_regex.as_ref().map(compile).transpose()?;
        let target = target(request, min, max)?;
        if regex.is_some()
            && let Target::Term(_, IndexTerm::Integer(_)) | Target::Terms(_, IndexTerm::Integer(_), _) =
                target
        {
            return Err(Refusal::RegexOnInteger);
        }
        let after = request.continuation.as_ref().map(Position::from_request).transpose()?;
        let max_results = request.max_results.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        Ok(Self {
            return_terms: request.return_terms == Some(true) && matches!(target, Target::Terms(..)),
            sorted: max_results.is_some() || after.is_some() || request.pagination_sort == Some(true),
            target,
            regex,
            max_results,
            after,
        })
    }
}

/// Returns the target that the index's name and the ends of the range describe.
fn target(request: &RpbIndexReq, min: &Blob, max: &Blob) -> Result<Target, IndexFault> {
    match &*request.index {
        b"$bucket" => Ok(Target::Bucket),
        b"$key" => Ok(Target::Keys(min.clone(), max.clone())),
        name => {
            let index = Blob::from(name.to_ascii_lowercase());
            let first = IndexTerm::parse(&index, min)?;
            Ok(match request.qtype {
                IndexQueryType::Eq => Target::Term(index, first),
                IndexQueryType::Range => {
                    let last = IndexTerm::parse(&index, max)?;
                    Target::Terms(index, first, last)
                }
            })
        }
    }
}

/// Compiles a regular expression over bytes.
fn compile(pattern: &Blob) -> Result<Regex, Refusal> {
    // Each byte stands for itself, whether or not the pattern is UTF-8.
    let text: String = pattern
        .iter()
        .map(|byte| if byte.is_ascii() { char::from(*byte).to_string() } else { format!("\\x{byte:02x}") })
        .collect();
    RegexBuilder::new(&text).unicode(false).build().map_err(|error| {
        // The last line gives the reason; the lines before it show the position.
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Refusal::InvalidRegex { pattern: pattern.clone(), reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(index: &str, qtype: IndexQueryType) -> RpbIndexReq {
        RpbIndexReq { index: index.into(), qtype, ..RpbIndexReq::default() }
    }

    fn refused(request: &RpbIndexReq) -> String {
        Query::parse(request).unwrap_err().to_string()
    }

    #[test]
    fn operands_are_required() {
        assert_eq!(refused(&request("x_bin", IndexQueryType::Eq)), "Invalid equality query undefined");
        let half = RpbIndexReq { range_min: Some("a".into()), ..request("x_bin", IndexQueryType::Range) };
        assert_eq!(refused(&half), "Invalid range query: <<\"a\">> -> undefined");
    }

    #[test]
    fn regular_expressions_match_bytes() {
        let eq = |index, pattern: &[u8]| RpbIndexReq {
            key: Some("7".into()),
            term_regex: Some(pattern.into()),
            ..request(index, IndexQueryType::Eq)
        };
        assert_eq!(refused(&eq("n_int", b"7")), "Can not use term regular expression in integer query");
        assert!(refused(&eq("n_bin", b"(")).starts_with("Invalid term regular expression <<\"(\">> : "));
        let query = Query::parse(&eq("n_bin", b"^\xff+$")).unwrap();
        assert!(query.regex.unwrap().is_match(b"\xff\xff"));
    }

    #[test]
    fn invalid_requests_crash_the_node() {
        let unknown = RpbIndexReq { key: Some("x".into()), ..request("nope", IndexQueryType::Eq) };
        let refusal = Query::parse(&unknown).unwrap_err();
        assert!(refusal.closes());
        assert_eq!(
            refusal.to_string(),
            "Error processing incoming message: error:function_clause:[{riak_api_pb_server,send_error,\
             [{unknown_field_type,<<\"nope\">>}]}]"
        );
        let number = RpbIndexReq { key: Some("abc".into()), ..request("n_int", IndexQueryType::Eq) };
        assert!(Query::parse(&number).unwrap_err().closes());
        let page = RpbIndexReq {
            continuation: Some("!".into()),
            ..RpbIndexReq { key: Some("x".into()), ..request("$bucket", IndexQueryType::Eq) }
        };
        assert!(Query::parse(&page).unwrap_err().closes());
    }

    #[test]
    fn only_ranges_of_terms_return_terms() {
        let terms = |index, qtype| {
            let ends = RpbIndexReq {
                key: Some("1".into()),
                range_min: Some("1".into()),
                range_max: Some("2".into()),
                ..request(index, qtype)
            };
            Query::parse(&RpbIndexReq { return_terms: Some(true), ..ends }).unwrap().return_terms
        };
        assert!(terms("n_int", IndexQueryType::Range));
        assert!(!terms("n_int", IndexQueryType::Eq));
        assert!(!terms("$key", IndexQueryType::Range));
    }
}
