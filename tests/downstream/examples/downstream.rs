//! A custom service, served next to the in-memory node's, and called over the connection
//! that Riak's client uses: `cargo run --example downstream`.

use riak_client::riak::RpbPair;
use riak_client::riak_kv::{RpbContent, RpbGetReq, RpbPutReq};
use riak_client::{Connection, Riak};
use riak_downstream::shop::{PriceReq, PriceResp, Shop, ShopServer, ShopService};
use riak_runtime::server::{ErrorReply, Failure};
use riak_testkit::Node;

/// The shop's articles, with their prices in cents.
struct Prices(Vec<(&'static str, u64)>);

impl ShopServer for Prices {
    async fn price(&self, request: PriceReq) -> Result<PriceResp, Failure> {
        if request.currency() != "EUR" {
            return Err(ErrorReply::new("prices are in EUR").into());
        }
        let mut answer = PriceResp::new(0);
        for item in request.items {
            let count =
                item.value.as_deref().and_then(|value| std::str::from_utf8(value).ok()?.parse::<u64>().ok());
            match self.0.iter().find(|(article, _)| item.key == *article) {
                Some((_, cents)) => answer.cents += cents * count.unwrap_or(1),
                None => answer.unknown.push(item),
            }
        }
        Ok(answer)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let shop = ShopService(Prices(vec![("apple", 30), ("pear", 45)]));
    let node = Node::builder().with_service(shop).start().await?;

    // One connection, two clients.
    let connection = Connection::connect(node.addr()).await?;
    let riak = Riak::over(connection.clone());
    let shop = Shop::new(connection);

    let cart =
        RpbPutReq { key: Some("7".into()), ..RpbPutReq::new("carts", RpbContent::new("apple=3 plum=1")) };
    riak.kv().put(&cart).await?;
    let stored = riak.kv().get(&RpbGetReq::new("carts", "7")).await?;
    println!("Riak has the cart: {:?}", stored.content[0].value);

    let text = stored.content[0].value.to_string_lossy();
    let items = text.split_whitespace().filter_map(|item| {
        let (article, count) = item.split_once('=')?;
        Some(RpbPair { value: Some(count.into()), ..RpbPair::new(article) })
    });
    let price = shop.price(&PriceReq { items: items.collect(), ..PriceReq::default() }).await?;
    println!("The shop prices it at {} cents, and does not sell {:?}", price.cents, price.unknown[0].key);

    let request = PriceReq { currency: Some("USD".into()), ..PriceReq::default() };
    let error = shop.price(&request).await.expect_err("the shop takes no dollars");
    println!("In dollars: {error}");
    Ok(())
}
