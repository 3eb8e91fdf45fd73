//! [`Node`], a store behind a socket, and [`NodeBuilder`], which configures it.
//!
//! Invariant: dropping a node closes its socket and its connections.

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
use crate::services::{NodeInfo, connection};
use crate::store::{Settings, Store};
use crate::tombstone::DeleteMode;

/// A Riak node in this process, on a TCP socket of its own.
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
    /// Starts a node with the settings of a fresh installation, on a free port of
    /// 127.0.0.1.
    ///
    /// # Errors
    ///
    /// If no socket can be bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and timers.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder that configures a node before it starts.
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

    /// Returns the address that the node listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the store that holds the node's data.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.handle.connections()
    }

    /// Stops accepting connections, lets each open connection finish its current
    /// request, and returns when all are closed. The node's data stays in its
    /// [`Store`].
    pub async fn shutdown(mut self) {
        self.handle.shut_down();
        // The result is never an abort: only `Drop` aborts the task.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The configuration of a [`Node`], created by [`Node::builder`].
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
    /// Sets the address to listen on. Default: a free port of 127.0.0.1.
    #[must_use]
    pub fn bind(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.bind = addr.into();
        self
    }

    /// Sets the address that the node reports to clients, for example that of a
    /// proxy in front of it. Default: the address that the node listens on.
    #[must_use]
    pub fn advertise(mut self, addr: impl Into<SocketAddr>) -> Self {
        self.advertised = Some(addr.into());
        self
    }

    /// Sets the node's name. Default: `riak@127.0.0.1`.
    #[must_use]
    pub fn node_name(mut self, name: impl Into<Blob>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the release that the node reports. Default: `3.2.3`, the release that
    /// it is compared with.
    #[must_use]
    pub fn version(mut self, version: impl Into<Blob>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds a bucket type that is active at once. `props` holds the properties
    /// that differ from those of a new type. The name `default` changes the
    /// default type.
    #[must_use]
    pub fn bucket_type(mut self, name: impl Into<Blob>, props: &RpbBucketProps) -> Self {
        self.settings.types.create(name.into(), props);
        self
    }

    /// Adds a bucket type for each kind of data type, with the names that Riak's
    /// documentation uses: `counters`, `sets`, `maps`, `gsets` and `hlls`.
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

    /// Sets how long tombstones are kept. Default: three seconds.
    #[must_use]
    pub fn delete_mode(mut self, mode: DeleteMode) -> Self {
        self.settings.delete_mode = mode;
        self
    }

    /// Sets the source of the time. Default: the system clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Derives keys, vtags and vclocks from this seed, so that the same requests
    /// in the same order produce the same ones. Default: a random seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = Some(seed);
        self
    }

    /// Sets the number of partitions of the ring, rounded up to a power of two.
    /// Default: 8. The number shows in preference lists, and in the number of
    /// parts of a scan.
    #[must_use]
    pub fn ring_size(mut self, partitions: u32) -> Self {
        self.settings.ring_size = partitions;
        self
    }

    /// Sets the maximum number of results in one frame of a stream. Default: 100,
    /// as in Riak.
    #[must_use]
    pub fn part_size(mut self, results: usize) -> Self {
        self.settings.pace.part_size = results;
        self
    }

    /// Sets the time that each part of a scan counts towards a request's timeout.
    /// A request with a shorter timeout gets the parts that fit and then an error.
    /// The node does not actually wait. Default: zero.
    #[must_use]
    pub fn part_time(mut self, time: Duration) -> Self {
        self.settings.pace.part_time = time;
        self
    }

    /// Sets the maximum size of a stored object in bytes, metadata included.
    /// Default: 50 MiB, as in Riak.
    #[must_use]
    pub fn max_object_size(mut self, bytes: usize) -> Self {
        self.settings.max_object = bytes;
        self
    }

    /// Sets the limits that the node imposes on its clients, such as the maximum
    /// frame size.
    #[must_use]
    pub fn server_config(mut self, config: ServerConfig) -> Self {
        self.server = config;
        self
    }

    /// Uses an existing store, which keeps the settings that it was created with.
    /// Two nodes on one store look like a cluster to clients, and a restarted node
    /// can keep its data.
    #[must_use]
    pub fn store(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Adds a service with messages of its own next to Riak's. It takes precedence
    /// over the node's services and over services that were added earlier, so it
    /// may also answer Riak's own requests.
    ///
    /// A generated dispatcher serves every code of its service, including methods
    /// that the trait leaves unimplemented: with `RiakKvService` over a trait that
    /// only implements `get`, every put fails. To answer single codes, implement
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

    /// Builds the node's store without starting a node.
    #[must_use]
    pub fn build_store(self) -> Store {
        self.store.unwrap_or_else(|| Store::with(self.settings))
    }

    /// Starts the node.
    ///
    /// # Errors
    ///
    /// If it cannot listen on its address.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O and timers.
    pub async fn start(self) -> io::Result<Node> {
        let listener = TcpListener::bind(self.bind).await?;
        let addr = listener.local_addr()?;
        let store = self.store.unwrap_or_else(|| Store::with(self.settings));
        let node_info =
            NodeInfo { name: self.name, version: self.version, addr: self.advertised.unwrap_or(addr) };
        let server = Server::new(self.server);
        let handle = server.handle();
        let service = Arc::new(self.service);
        let shared = store.clone();
        let task = tokio::spawn(async move {
            server
                .serve_with(listener, move |_| (Arc::clone(&service), connection(&shared, &node_info)))
                .await;
        });
        Ok(Node { addr, store, handle, task })
    }
}

/// The extra service of a node that serves only Riak's messages.
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
