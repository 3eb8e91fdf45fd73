//! [`SecuredNode`]: a node whose security is on. Feature `tls`.
//!
//! It stands in front of a node as that one's own listener would: every
//! connection has to change to TLS and to authenticate before a request gets
//! through. Invariant: before that, nothing reaches the node behind.

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

/// Failed authentications after which a real node closes the connection.
const ATTEMPTS: usize = 3;

/// How a node's security is set up.
///
/// Texts are PEM. A real node looks at the certificate's common name for users
/// whose source is `certificate`; here it is enough that the client has one
/// that [`Security::client_authority`] has signed.
#[derive(Clone, Debug, Default)]
pub struct Security {
    certificates: String,
    key: String,
    client_authority: Option<String>,
    users: Vec<(String, Source)>,
    pause: Duration,
}

/// How a user is known.
#[derive(Clone, Debug)]
enum Source {
    Password(String),
    Certificate,
}

impl Security {
    /// Security with the node's certificate and private key.
    pub fn new(certificates: impl Into<String>, key: impl Into<String>) -> Self {
        Self { certificates: certificates.into(), key: key.into(), ..Self::default() }
    }

    /// Takes certificates from clients that this authority has signed.
    #[must_use]
    pub fn client_authority(mut self, certificates: impl Into<String>) -> Self {
        self.client_authority = Some(certificates.into());
        self
    }

    /// Lets a user in who has this password.
    #[must_use]
    pub fn password(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.push((user.into(), Source::Password(password.into())));
        self
    }

    /// Lets a user in who has shown a certificate, whatever the password.
    #[must_use]
    pub fn certificate(mut self, user: impl Into<String>) -> Self {
        self.users.push((user.into(), Source::Certificate));
        self
    }

    /// Sets how long it takes to refuse somebody: nothing, where a real node
    /// takes 5 seconds.
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

    fn lets_in(&self, request: &RpbAuthReq, has_certificate: bool) -> bool {
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

/// A node whose security is on: what stands between clients and a node whose
/// security is off.
///
/// It runs until it is dropped.
#[derive(Debug)]
pub struct SecuredNode {
    addr: SocketAddr,
    /// Ended when this is dropped.
    _tasks: JoinSet<()>,
}

impl SecuredNode {
    /// Listens on a free port of 127.0.0.1, for a node that listens at `behind`.
    ///
    /// # Errors
    ///
    /// If the certificate and the key cannot be used, or there is no socket to
    /// be had.
    pub async fn start(behind: SocketAddr, security: Security) -> io::Result<Self> {
        let acceptor = security.acceptor()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let front = Arc::new(Front { acceptor, security, behind });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, front));
        Ok(Self { addr, _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

struct Front {
    acceptor: TlsAcceptor,
    security: Security,
    behind: SocketAddr,
}

async fn accept(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let front = Arc::clone(&front);
        connections.spawn(async move {
            // A client that has gone is none of our business.
            let _ = front.serve(socket).await;
        });
    }
}

impl Front {
    async fn serve(&self, mut socket: TcpStream) -> io::Result<()> {
        socket.set_nodelay(true)?;
        while read(&mut socket).await?.code != RpbStartTls::CODE {
            refuse(&mut socket, "Security is enabled, please STARTTLS first").await?;
        }
        write(&mut socket, |out| out.push_body(RpbStartTls::CODE, &[])).await?;
        let mut secured = self.acceptor.accept(socket).await?;
        let has_certificate = secured.get_ref().1.peer_certificates().is_some();
        let mut failures = 0;
        loop {
            let request = read(&mut secured).await?;
            if request.code != RpbAuthReq::CODE {
                refuse(&mut secured, "Security is enabled, please authenticate first").await?;
                continue;
            }
            let request: RpbAuthReq = request.decode().map_err(io::Error::other)?;
            if self.security.lets_in(&request, has_certificate) {
                break;
            }
            tokio::time::sleep(self.security.pause).await;
            refuse(&mut secured, "Authentication failed").await?;
            failures += 1;
            if failures == ATTEMPTS {
                return secured.shutdown().await;
            }
        }
        write(&mut secured, |out| out.push_body(RpbAuthResp::CODE, &[])).await?;
        let mut behind = TcpStream::connect(self.behind).await?;
        behind.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut secured, &mut behind).await?;
        Ok(())
    }
}

async fn read(io: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let length = io.read_u32().await?;
    if length == 0 || length > 64 * 1024 {
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

async fn write<E>(
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
