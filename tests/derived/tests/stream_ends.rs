//! A derived request may be answered by a stream of generated messages.

use riak_client::riak_ts::TsQueryResp;
use riak_runtime::operation::{Mode, StreamEnd};
use riak_runtime::{Request, RiakMessage};

#[derive(Clone, Debug, Default, RiakMessage)]
#[riak(code = 236, response = TsQueryResp, stream, done = "done")]
struct ByName;

#[derive(Clone, Debug, Default, RiakMessage)]
#[riak(code = 237, response = TsQueryResp, stream, done = 3)]
struct ByNumber;

/// The default of `done` is true in the schema.
#[test]
fn the_default_of_a_generated_answer_decides_about_its_absence() {
    let end = StreamEnd { field: 3, when_absent: true };
    assert_eq!(ByName::OPERATION.mode, Mode::Stream(end));
    assert_eq!(ByNumber::OPERATION.mode, Mode::Stream(end));
    assert!(end.is_last(&[]).unwrap());
}
