//! Values that necessarily differ between the recorded node and this one, by their path in
//! the message.
//!
//! Invariant: values that were equal on the recorded node are equal here, and values that
//! differed differ here; only their bytes are free. All other values are compared byte by
//! byte.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use riak_client::AnyMessage;
use riak_client::riak_kv::RpbContent;
use riak_runtime::Blob;

/// The kind of a value that may differ, which decides what is still checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Nature {
    /// A vclock: equal wherever the recorded one was equal.
    Vclock,
    /// The context of a read of a data type: equal wherever the recorded one was equal.
    Context,
    /// As the above, in base 62, with the length of a 128-bit hash.
    Vtag,
    /// As the above, in base 62, with the length of a 160-bit hash.
    Key,
    /// The time of a write, from the node's clock, which the test sets.
    Time,
    /// The rest of an error text, after the prefix that both share.
    Trace,
}

/// The paths of all values that may differ. A path that no exchange has is an unneeded
/// exception, and fails the test.
pub(crate) const PATHS: [(&str, Nature); 17] = [
    ("RpbGetResp.vclock", Nature::Vclock),
    ("RpbGetResp.content.vtag", Nature::Vtag),
    ("RpbGetResp.content.last_mod", Nature::Time),
    ("RpbGetResp.content.last_mod_usecs", Nature::Time),
    ("RpbPutResp.vclock", Nature::Vclock),
    ("RpbPutResp.content.vtag", Nature::Vtag),
    ("RpbPutResp.content.last_mod", Nature::Time),
    ("RpbPutResp.content.last_mod_usecs", Nature::Time),
    ("RpbPutResp.key", Nature::Key),
    ("RpbCSBucketResp.objects.object.vclock", Nature::Vclock),
    ("RpbCSBucketResp.objects.object.content.vtag", Nature::Vtag),
    ("RpbCSBucketResp.objects.object.content.last_mod", Nature::Time),
    ("RpbCSBucketResp.objects.object.content.last_mod_usecs", Nature::Time),
    ("DtFetchResp.context", Nature::Context),
    ("DtUpdateResp.context", Nature::Context),
    ("DtUpdateResp.key", Nature::Key),
    ("RpbErrorResp.errmsg", Nature::Trace),
];

/// The prefixes of error texts that continue with a stack trace, the longest first: a
/// missing function clause when the node prints an error, and all others.
const TRACES: [&[u8]; 2] = [
    b"Error processing incoming message: error:function_clause:[{riak_api_pb_server,",
    b"Error processing incoming message: ",
];

/// A value that was removed from a message.
#[derive(Clone, Debug)]
pub(crate) struct Removed {
    pub(crate) path: &'static str,
    nature: Nature,
    value: Vec<u8>,
}

/// The mapping between our values and the recorded ones.
#[derive(Default)]
pub(crate) struct Mapping {
    ours: HashMap<(Nature, Vec<u8>), Vec<u8>>,
    recorded: HashMap<(Nature, Vec<u8>), Vec<u8>>,
    /// The paths that occurred.
    seen: BTreeSet<&'static str>,
}

impl Mapping {
    /// Removes the values that may differ from both messages, and checks what must still
    /// hold for them. Returns the paths that were removed.
    pub(crate) fn take(
        &mut self,
        recorded: &mut AnyMessage,
        ours: &mut AnyMessage,
        place: &str,
    ) -> BTreeSet<&'static str> {
        let theirs = take(recorded);
        let mine = take(ours);
        let paths = |taken: &[Removed]| taken.iter().map(|taken| taken.path).collect::<Vec<_>>();
        assert_eq!(paths(&mine), paths(&theirs), "{place}: presence of the values that differ by nature");
        for (theirs, mine) in theirs.iter().zip(&mine) {
            self.seen.insert(theirs.path);
            match theirs.nature {
                Nature::Vclock | Nature::Context => {
                    assert!(!mine.value.is_empty(), "{place}: an empty {:?}", theirs.nature);
                }
                Nature::Vtag => assert_name(&mine.value, 20..=22, place),
                Nature::Key => assert_name(&mine.value, 25..=27, place),
                // The test sets the clock, and traces are free.
                Nature::Time | Nature::Trace => continue,
            }
            let key = |value: &[u8]| (theirs.nature, value.to_vec());
            let known = self.ours.entry(key(&theirs.value)).or_insert_with(|| mine.value.clone());
            assert_eq!(*known, mine.value, "{place}: {} was the same before, and is not now", theirs.path);
            let known = self.recorded.entry(key(&mine.value)).or_insert_with(|| theirs.value.clone());
            assert_eq!(
                *known, theirs.value,
                "{place}: {} was another before, and is the same now",
                theirs.path
            );
        }
        paths(&theirs).into_iter().collect()
    }

    /// Replaces recorded vclocks and contexts in a request by this node's own.
    pub(crate) fn translate(&self, request: &mut AnyMessage, place: &str) {
        let (nature, echoed) = match request {
            AnyMessage::RpbGetReq(request) => (Nature::Vclock, &mut request.if_modified),
            AnyMessage::RpbPutReq(request) => (Nature::Vclock, &mut request.vclock),
            AnyMessage::RpbDelReq(request) => (Nature::Vclock, &mut request.vclock),
            AnyMessage::DtUpdateReq(request) => (Nature::Context, &mut request.context),
            _ => return,
        };
        if let Some(echoed) = echoed
            && !echoed.is_empty()
        {
            let ours = self.ours.get(&(nature, echoed.to_vec()));
            *echoed =
                ours.unwrap_or_else(|| panic!("{place}: echoes a {nature:?} that no answer had")).into();
        }
    }

    /// Asserts that every exception was needed.
    pub(crate) fn assert_all_seen(&self) {
        for (path, _) in PATHS {
            assert!(self.seen.contains(path), "{path} is an unneeded exception");
        }
    }

    /// Returns the number of mapped values of each kind.
    pub(crate) fn counts(&self) -> BTreeMap<Nature, usize> {
        let mut counts = BTreeMap::new();
        for (nature, _) in self.ours.keys() {
            *counts.entry(*nature).or_default() += 1;
        }
        counts
    }
}

fn assert_name(name: &[u8], lengths: std::ops::RangeInclusive<usize>, place: &str) {
    assert!(name.iter().all(u8::is_ascii_alphanumeric) && lengths.contains(&name.len()), "{place}: {name:?}");
}

fn nature(path: &str) -> Nature {
    let listed = PATHS.iter().find(|(listed, _)| *listed == path);
    listed.unwrap_or_else(|| panic!("{path} is not listed")).1
}

struct Remover(Vec<Removed>);

impl Remover {
    fn bytes(&mut self, path: &'static str, field: &mut Option<Blob>) {
        if let Some(value) = field {
            self.0.push(Removed { path, nature: nature(path), value: std::mem::take(value).into_vec() });
        }
    }

    fn number(&mut self, path: &'static str, field: &mut Option<u32>) {
        if let Some(value) = field {
            self.0.push(Removed {
                path,
                nature: nature(path),
                value: std::mem::take(value).to_be_bytes().into(),
            });
        }
    }

    /// Removes vtag and time from the siblings of one object. `paths` are those of the
    /// vtag, of the time, and of its fraction of a second.
    ///
    /// Siblings arrive in the order of their vtags. Here, they are sorted by what is left of them.
    fn contents(&mut self, paths: [&'static str; 3], contents: &mut Vec<RpbContent>) {
        contents.sort_by(|one, other| (one.deleted, &one.value).cmp(&(other.deleted, &other.value)));
        for content in contents {
            self.bytes(paths[0], &mut content.vtag);
            self.number(paths[1], &mut content.last_mod);
            assert!(content.last_mod_usecs.is_none_or(|part| part < 1_000_000));
            self.number(paths[2], &mut content.last_mod_usecs);
        }
    }
}

fn take(message: &mut AnyMessage) -> Vec<Removed> {
    let mut taker = Remover(Vec::new());
    match message {
        AnyMessage::RpbGetResp(answer) => {
            let paths = [
                "RpbGetResp.content.vtag",
                "RpbGetResp.content.last_mod",
                "RpbGetResp.content.last_mod_usecs",
            ];
            taker.contents(paths, &mut answer.content);
            taker.bytes("RpbGetResp.vclock", &mut answer.vclock);
        }
        AnyMessage::RpbPutResp(answer) => {
            let paths = [
                "RpbPutResp.content.vtag",
                "RpbPutResp.content.last_mod",
                "RpbPutResp.content.last_mod_usecs",
            ];
            taker.contents(paths, &mut answer.content);
            taker.bytes("RpbPutResp.vclock", &mut answer.vclock);
            taker.bytes("RpbPutResp.key", &mut answer.key);
        }
        AnyMessage::RpbCSBucketResp(answer) => {
            let paths = [
                "RpbCSBucketResp.objects.object.content.vtag",
                "RpbCSBucketResp.objects.object.content.last_mod",
                "RpbCSBucketResp.objects.object.content.last_mod_usecs",
            ];
            for object in &mut answer.objects {
                taker.contents(paths, &mut object.object.content);
                taker.bytes("RpbCSBucketResp.objects.object.vclock", &mut object.object.vclock);
            }
        }
        AnyMessage::DtFetchResp(answer) => taker.bytes("DtFetchResp.context", &mut answer.context),
        AnyMessage::DtUpdateResp(answer) => {
            taker.bytes("DtUpdateResp.context", &mut answer.context);
            taker.bytes("DtUpdateResp.key", &mut answer.key);
        }
        AnyMessage::RpbErrorResp(error) => {
            if let Some(head) = TRACES.into_iter().find(|head| error.errmsg.starts_with(head)) {
                let path = "RpbErrorResp.errmsg";
                taker.0.push(Removed {
                    path,
                    nature: nature(path),
                    value: error.errmsg[head.len()..].to_vec(),
                });
                error.errmsg = head.into();
            }
        }
        _ => {}
    }
    taker.0
}
