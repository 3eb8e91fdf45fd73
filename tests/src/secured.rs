//! [`SecuredNode`]: a node whose security is on. Feature `tls`.
//!
//! It is a proxy in front of a node. Every connection has to switch to TLS and to
//! authenticate before any request passes. Invariant: nothing reaches the node
//! before that.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use riak_client::riak::RpbAuthReq;
use riak_client::riak::RpbErrorResp;
use riak_client::riak_services::{RpbAuthResp, RpbStartTls};
use riak_runtime::{Blob, Coded, Frame, WriteBuffer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

use crate::permission::Grants;
use crate::relay::relay;

/// The number of failed authentications after which a real node closes the connection.
const MAX_FAILURES: usize = 3;

/// The longest frame that is accepted before authentication.
const MAX_FRAME: u32 = 64 * 1024;

/// The security settings of a node.
///
/// Certificates and keys are PEM. For users whose source is `certificate`, a real
/// node compares the certificate's common name with the user; this one only
/// requires a certificate signed by [`Security::client_authority`].
#[derive(Clone, Debug, Default)]
pub struct Security {
    certificates: String,
    key: String,
    client_authority: Option<String>,
    users: Vec<(String, Source)>,
    grants: BTreeMap<String, Grants>,
    pause: Duration,
}

/// The proof that a user has to present.
#[derive(Clone, Debug)]
enum Source {
    Password(String),
    Certificate,
}

impl Security {
    /// Creates security settings with the node's certificate chain and private key.
    pub fn new(certificates: impl Into<String>, key: impl Into<String>) -> Self {
        Self { certificates: certificates.into(), key: key.into(), ..Self::default() }
    }

    /// Accepts client certificates that this authority has signed.
    #[must_use]
    pub fn client_authority(mut self, certificates: impl Into<String>) -> Self {
        self.client_authority = Some(certificates.into());
        self
    }

    /// Adds a user who authenticates with this password.
    #[must_use]
    pub fn password(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.push((user.into(), Source::Password(password.into())));
        self
    }

    /// Adds a user who authenticates with a certificate; the password is ignored.
    #[must_use]
    pub fn certificate(mut self, user: impl Into<String>) -> Self {
        self.users.push((user.into(), Source::Certificate));
        self
    }

    /// Grants a user permissions, such as `riak_kv.get`, on all buckets.
    ///
    /// A user who is granted anything is denied everything else; one who is granted
    /// nothing may do everything, where a real node permits nothing. Scans over whole
    /// objects and requests of replication are not checked.
    #[must_use]
    pub fn grant(
        mut self,
        user: impl Into<String>,
        permissions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.grants.entry(user.into()).or_default().add(permissions);
        self
    }

    /// Sets the delay before a failed authentication is answered. Default: zero,
    /// where a real node takes 5 seconds.
    #[must_use]
    pub fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let certificates = certificates(&self.certificates)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = match &self.client_authority {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                for certificate in self::certificates(authority)? {
                    roots.add(certificate).map_err(io::Error::other)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(io::Error::other)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(certificates, key).map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn authenticates(&self, request: &RpbAuthReq, has_certificate: bool) -> bool {
        self.users.iter().any(|(user, source)| {
            request.user == user.as_str()
                && match source {
                    Source::Password(password) => request.password == password.as_str(),
                    Source::Certificate => has_certificate,
                }
        })
    }
}

fn certificates(text: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<_, _>>().map_err(io::Error::other)
}

/// A proxy with security in front of a node without security.
///
/// It runs until it is dropped.
#[derive(Debug)]
pub struct SecuredNode {
    addr: SocketAddr,
    /// The tasks, which end when the node is dropped.
    _tasks: JoinSet<()>,
}

impl SecuredNode {
    /// Listens on a free port of 127.0.0.1, for the node that listens at `backend`.
    ///
    /// # Errors
    ///
    /// If the certificate or the key cannot be used, a permission does not exist, or no
    /// socket can be bound.
    pub async fn start(backend: SocketAddr, security: Security) -> io::Result<Self> {
        security.grants.values().try_for_each(Grants::check)?;
        let acceptor = security.acceptor()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let gateway = Arc::new(Gateway { acceptor, security, backend });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, gateway));
        Ok(Self { addr, _tasks: tasks })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

struct Gateway {
    acceptor: TlsAcceptor,
    security: Security,
    backend: SocketAddr,
}

async fn accept(listener: TcpListener, gateway: Arc<Gateway>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let gateway = Arc::clone(&gateway);
        connections.spawn(async move {
            // Errors concern a single client, which sees its connection close.
            let _ = gateway.serve(socket).await;
        });
    }
}

impl Gateway {
    async fn serve(&self, mut socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        while read(&mut socket, MAX_FRAME).await?.code != RpbStartTls::CODE {
            refuse(&mut socket, "Security is enabled, please STARTTLS first").await?;
        }
        write(&mut socket, |out| out.push_body(RpbStartTls::CODE, &[])).await?;
        let mut secured = self.acceptor.accept(socket).await?;
        let has_certificate = secured.get_ref().1.peer_certificates().is_some();
        let mut failures = 0;
        let user = loop {
            let request = read(&mut secured, MAX_FRAME).await?;
            if request.code != RpbAuthReq::CODE {
                refuse(&mut secured, "Security is enabled, please authenticate first").await?;
                continue;
            }
            let request: RpbAuthReq = request.decode().map_err(io::Error::other)?;
            if self.security.authenticates(&request, has_certificate) {
                break request.user.to_string_lossy().into_owned();
            }
            tokio::time::sleep(self.security.pause).await;
            refuse(&mut secured, "Authentication failed").await?;
            failures += 1;
            if failures == MAX_FAILURES {
                return secured.shutdown().await;
            }
        };
        write(&mut secured, |out| out.push_body(RpbAuthResp::CODE, &[])).await?;
        let mut backend = TcpStream::connect(self.backend).await?;
        backend.set_nodelay(true)?;
        if let Some(grants) = self.security.grants.get(&user) {
            return relay(secured, backend, user, grants.clone()).await;
        }
        tokio::io::copy_bidirectional(&mut secured, &mut backend).await?;
        Ok(())
    }
}

/// Reads a frame of at most `max` bytes.
pub(crate) async fn read(io: &mut (impl AsyncRead + Unpin), max: u32) -> io::Result<Frame> {
    let length = io.read_u32().await?;
    if length == 0 || length > max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let code = io.read_u8().await?;
    let mut body = vec![0; length as usize - 1];
    io.read_exact(&mut body).await?;
    Ok(Frame { code, body: Blob::from(body) })
}

async fn refuse(io: &mut (impl AsyncWrite + Unpin), text: &'static str) -> io::Result<()> {
    let error = RpbErrorResp::new(text, 0_u32);
    write(io, |out| out.push(RpbErrorResp::CODE, &error)).await
}

pub(crate) async fn write<E>(
    io: &mut (impl AsyncWrite + Unpin),
    frame: impl FnOnce(&mut WriteBuffer) -> Result<(), E>,
) -> io::Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut out = WriteBuffer::new();
    frame(&mut out).map_err(io::Error::other)?;
    io.write_all(&out.to_vec()).await?;
    io.flush().await
}
