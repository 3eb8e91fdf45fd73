//! Three custom messages, with codes that Riak leaves free. They are declared by hand,
//! served next to the in-memory node's messages, and called over the connection that Riak's
//! client uses. `cargo run --example derive`

use std::sync::{Arc, Mutex};

use riak_client::riak_kv::{RpbContent, RpbPutReq};
use riak_client::{Connection, Riak};
use riak_runtime::client::CallExt;
use riak_runtime::server::{ErrorReply, Failure, unary};
use riak_runtime::{Blob, RiakMessage};
use riak_testkit::Node;

/// Requests numbers that nobody else gets.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 232, response = TicketResp)]
struct TicketReq {
    /// The purpose of the numbers.
    #[riak(tag = 1)]
    queue: Blob,
    /// How many numbers to reserve.
    #[riak(tag = 2, default = 1)]
    count: Option<u32>,
}

/// Consecutive numbers, starting with `first`.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 233)]
struct TicketResp {
    #[riak(tag = 1)]
    first: u64,
    #[riak(tag = 2)]
    count: u32,
}

/// Starts over with the first number. The answer contains the next number that would have
/// been given out.
#[derive(Clone, Debug, Default, PartialEq, RiakMessage)]
#[riak(code = 234, response = TicketResp, retry = "safe")]
struct ResetReq;

/// The next number of the only queue.
#[derive(Default)]
struct Tickets(Mutex<u64>);

impl Tickets {
    fn take(&self, request: &TicketReq) -> Result<TicketResp, Failure> {
        if request.queue != "counter" {
            return Err(ErrorReply::new("there is no such queue").into());
        }
        let mut next = self.0.lock().unwrap();
        let first = *next;
        *next += u64::from(request.count());
        Ok(TicketResp { first, count: request.count() })
    }

    fn reset(&self) -> TicketResp {
        TicketResp { first: std::mem::take(&mut self.0.lock().unwrap()), count: 0 }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tickets = Arc::new(Tickets::default());
    let resets = Arc::clone(&tickets);
    let service = (
        unary(move |request: TicketReq| std::future::ready(tickets.take(&request))),
        unary(move |_: ResetReq| std::future::ready(Ok(resets.reset()))),
    );
    let node = Node::builder().with_service(service).start().await?;

    // One connection carries Riak's messages and these.
    let connection = Connection::connect(node.addr()).await?;
    let riak = Riak::over(connection.clone());

    connection.call(&TicketReq { queue: "counter".into(), count: Some(40) }).await?;
    let ticket = connection.call(&TicketReq { queue: "counter".into(), ..TicketReq::default() }).await?;
    assert_eq!(ticket, TicketResp { first: 40, count: 1 });
    let put = RpbPutReq {
        key: Some(ticket.first.to_string().into()),
        ..RpbPutReq::new("tickets", RpbContent::new("ada"))
    };
    riak.kv().put(&put).await?;
    println!("ticket {} is in Riak", ticket.first);

    let error = connection.call(&TicketReq::default()).await.expect_err("there is no such queue");
    println!("without a queue: {error}");
    println!("{} tickets were handed out", connection.call(&ResetReq).await?.first);
    Ok(())
}
