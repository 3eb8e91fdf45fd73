//! [`Node`]: a store behind a socket, and [`NodeBuilder`]: how it is to be.
//!
//! Invariant: when a node is gone, so are its socket and its connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use riak_client::riak::RpbBucketProps;
use riak_runtime::Blob;
use riak_runtime::operation::ErrorFrame;
use riak_runtime::server::{Failure, Outbox, Server, ServerConfig, ServerHandle, Service, unserved};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::crdt::Kind;
use crate::services::{About, connection};
use crate::store::{Settings, Store};
use crate::tombstone::DeleteMode;

/// A Riak node in the process, on a TCP socket of its own.
///
/// It runs until it is dropped or [shut down](Node::shutdown).
#[derive(Debug)]
pub struct Node {
    addr: SocketAddr,
    store: Store,
    handle: ServerHandle,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts a node as a fresh installation has it, on a free port of
    /// 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If there is no socket to be had.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and timers.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Says how a node is to be.
    #[must_use]
    pub fn builder() -> NodeBuilder {
        NodeBuilder {
            settings: Settings::default(),
            store: None,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            advertised: None,
            name: Blob::from_static(b"riak@127.0.0.1"),
            version: Blob::from_static(b"3.2.3"),
            server: ServerConfig::default(),
            service: NoService,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it holds.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.handle.connections()
    }

    /// Accepts no more connections, lets each finish the request it is at, and
    /// returns when all are closed. What the node held stays in its
    /// [`Store`].
    pub async fn shutdown(mut self) {
        self.handle.shut_down();
        // It ends in no other way than by itself: nobody aborts it meanwhile.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a [`Node`] is to be: made by [`Node::builder`].
#[derive(Clone, Debug)]
pub struct NodeBuilder<S = NoService> {
    settings: Settings,
    store: Option<Store>,
    bind: SocketAddr,
    advertised: Option<SocketAddr>,
    name: Blob,
    version: Blob,
    server: ServerConfig,
    service: S,
}

impl<S: Service> NodeBuilder<S> {
    /// Where to listen. A free port of 127.0.0.1 otherwise.
    #[must_use]
    pub fn bind(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.bind = addr.into();
        self
    }

    /// Where the node tells clients that it listens, as behind a proxy. Where
    /// it does otherwise.
    #[must_use]
    pub fn advertise(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.advertised = Some(addr.into());
        self
    }

    /// The node's name. `riak@127.0.0.1` otherwise.
    #[must_use]
    pub fn node_name(mut self, name: impl Into<Blob>) -> Self {
        self.name = name.into();
        self
    }

    /// The release that the node says it is. `3.2.3` otherwise, the one that it
    /// was held against.
    #[must_use]
    pub fn version(mut self, version: impl Into<Blob>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds a bucket type, active at once, with the properties that differ from
    /// those of any new type. `default` changes the default type.
    #[must_use]
    pub fn bucket_type(mut self, name: impl Into<Blob>, props: &RpbBucketProps) -> Self {
        self.settings.types.create(name.into(), props);
        self
    }

    /// Adds a bucket type for each kind of data type, under the names that they
    /// have in Riak's own documentation: `counters`, `sets`, `maps`, `gsets` and
    /// `hlls`.
    ///
    /// ```
    /// use riak_client::{DataType, Location, Riak, SetUpdate};
    /// use riak_testkit::Node;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let node = Node::builder().data_types().start().await?;
    /// let riak = Riak::connect(node.addr()).await?;
    /// let tags = Location::new("tags", "alice").of_type("sets");
    /// riak.convergent().update(&tags, SetUpdate::new().insert("new")).await?;
    /// let Some(DataType::Set(set)) = riak.convergent().fetch(&tags).await? else { panic!() };
    /// assert_eq!(set.elements, ["new"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn data_types(mut self) -> Self {
        for kind in [Kind::Counter, Kind::Set, Kind::Map, Kind::GSet, Kind::Hll] {
            let datatype = Some(Blob::from_static(kind.name().as_bytes()));
            let props = RpbBucketProps { datatype, ..RpbBucketProps::default() };
            self.settings.types.create(format!("{}s", kind.name()).into(), &props);
        }
        self
    }

    /// How long tombstones stay. Three seconds otherwise.
    #[must_use]
    pub fn delete_mode(mut self, mode: DeleteMode) -> Self {
        self.settings.delete_mode = mode;
        self
    }

    /// Where the node takes the time from. The system otherwise.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Lets keys, vtags and vclocks follow from this number: the same requests
    /// in the same order then get the same ones. From chance otherwise.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// The partitions of the ring: a power of two, or the next one. 8
    /// otherwise. It shows in preference lists, and in how many parts a scan
    /// has.
    #[must_use]
    pub fn ring_size(mut self, partitions: u32) -> Self {
        self.settings.ring_size = partitions;
        self
    }

    /// The most results in one frame of a stream. 100 otherwise, as in Riak.
    #[must_use]
    pub fn part_size(mut self, results: usize) -> Self {
        self.settings.pace.part_size = results;
        self
    }

    /// How long each part of a scan takes as far as the timeouts of requests
    /// go: a request whose timeout is shorter gets an error behind the parts
    /// that were in time. Nobody waits for it. No time otherwise.
    #[must_use]
    pub fn part_time(mut self, time: Duration) -> Self {
        self.settings.pace.part_time = time;
        self
    }

    /// The largest object that is stored, in bytes, metadata included. 50 MiB
    /// otherwise, as in Riak.
    #[must_use]
    pub fn max_object_size(mut self, bytes: usize) -> Self {
        self.settings.max_object = bytes;
        self
    }

    /// What the node allows its clients, frames above all.
    #[must_use]
    pub fn server_config(mut self, config: ServerConfig) -> Self {
        self.server = config;
        self
    }

    /// Uses this store, with the settings that it was made with: two nodes on
    /// one store are a cluster as clients see it, and a node can come back with
    /// what it held.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Adds a service: messages of one's own, next to Riak's. It is asked
    /// before the node's, so that it may also answer in the node's place; and
    /// before those that were added earlier.
    ///
    /// A generated dispatcher serves every code of its service, those of
    /// methods without a body too: with `RiakKvService` over a trait that only
    /// implements `get`, nothing can be put. To answer single codes, implement
    /// [`Service`] itself.
    #[must_use]
    pub fn with_service<T: Service>(self, service: T) -> NodeBuilder<(T, S)> {
        NodeBuilder {
            settings: self.settings,
            store: self.store,
            bind: self.bind,
            advertised: self.advertised,
            name: self.name,
            version: self.version,
            server: self.server,
            service: (service, self.service),
        }
    }

    /// The store that the node would have, without a node.
    #[must_use]
    pub fn build_store(self) -> Store {
        self.store.unwrap_or_else(|| Store::with(self.settings))
    }

    /// Starts the node.
    ///
    /// # Errors
    ///
    /// If it cannot listen where it is to.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and timers.
    pub async fn start(self) -> io::Result<Node> {
        let listener = TcpListener::bind(self.bind).await?;
        let addr = listener.local_addr()?;
        let store = self.store.unwrap_or_else(|| Store::with(self.settings));
        let about = About { name: self.name, version: self.version, addr: self.advertised.unwrap_or(addr) };
        let server = Server::new(self.server);
        let handle = server.handle();
        let service = Arc::new(self.service);
        let shared = store.clone();
        let task = tokio::spawn(async move {
            server.serve_with(listener, move |_| (Arc::clone(&service), connection(&shared, &about))).await;
        });
        Ok(Node { addr, store, handle, task })
    }
}

/// The service of a node that has only Riak's.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NoService;

impl Service for NoService {
    fn serves(&self, _: u8) -> bool {
        false
    }

    fn error_frame(&self, _: Option<u8>) -> Option<ErrorFrame> {
        None
    }

    async fn call(&self, request: riak_runtime::Frame, _: &mut Outbox) -> Result<(), Failure> {
        unserved(request.code).await
    }
}
