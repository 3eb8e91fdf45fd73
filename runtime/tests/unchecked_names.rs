//! Disabling part of the certificate checks is logged as a warning.
#![cfg(feature = "tls")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use riak_runtime::tls::{TlsConfig, Verify};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A certificate authority that was created for this test only.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUQwSRLNVeh54/t9bdlk7/Ickl+xMwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdGVzdCBhdXRob3JpdHkwIBcNMjYxMTI1MjEwNzMxWhgPMjEy
NjExMDEyMTA3MzFaMBkxFzAVBgNVBAMMDnRlc3QgYXV0aG9yaXR5MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEpcd+pW61gnsvH029UI4COYMCCWb26TTlrjw77oj8
VQYi9T9actdyfAiXHKIYCCxb4oVtwPrwWr+xfArK831pgqNTMFEwHQYDVR0OBBYE
FFxBZbNnMwcCA0Qt0nsBhPy85unNMB8GA1UdIwQYMBaAFFxBZbNnMwcCA0Qt0nsB
hPy85unNMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgTptJHTPw
yJkVR4bPDNtiWHuHW9oRv+bC45lzvhVi/mkCIQCEKlQEEwIWSZ54Oyd3Ho0Pbzks
yTzPCmSG3o88uTbXLQ==
-----END CERTIFICATE-----
";

/// Records the messages of warnings.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target() == "riak"
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = String::new();
        event.record(&mut Message(&mut message));
        self.0.lock().unwrap().push(message);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn disabling_the_name_check_logs_a_warning() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let tls = TlsConfig::new().ca_pem(AUTHORITY);
    tls.build().unwrap();
    assert!(warnings.0.lock().unwrap().is_empty());
    let tls = tls.verify(Verify::Chain).build().unwrap();
    assert_eq!(tls.verify(), Verify::Chain);
    let warnings = warnings.0.lock().unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("names of servers' certificates are not checked"), "{}", warnings[0]);
}
