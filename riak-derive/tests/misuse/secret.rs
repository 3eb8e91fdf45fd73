use riak_runtime::RiakMessage;

// A derived `Debug` would print the password.
#[derive(Clone, Debug, Default, RiakMessage)]
struct Login {
    #[riak(tag = 1)]
    user: String,
    #[riak(tag = 2, secret)]
    password: String,
}

fn main() {}
