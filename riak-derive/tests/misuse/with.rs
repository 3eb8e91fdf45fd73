use riak_runtime::RiakMessage;

mod millis {}

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1, with = "millis")]
    no_type: u8,
    #[riak(tag = 2, with = "millis", message)]
    message: u8,
    #[riak(tag = 3, with = 7, uint32)]
    number: u8,
    #[riak(tag = 4, timeout)]
    timeout: String,
    #[riak(tag = 5, context, bucket_type)]
    context: Option<Vec<u8>>,
}

fn main() {}
