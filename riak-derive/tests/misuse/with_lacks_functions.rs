use riak_runtime::RiakMessage;

mod millis {
    pub fn to_wire(value: &u8) -> u32 {
        (*value).into()
    }
}

#[derive(Default, RiakMessage)]
struct Message {
    #[riak(tag = 1, with = "millis", uint32)]
    byte: u8,
}

fn main() {}
