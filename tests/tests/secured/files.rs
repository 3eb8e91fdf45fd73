//! Files with certificates and keys, as they come from tools and editors.
//!
//! Invariant: one that cannot be used is told with its name, before anything is
//! connected to.

use std::path::Path;

use rcgen::DnType;
use riak_runtime::tls::{TlsConfig, TlsError};

use super::authority::Authority;
use super::handshakes::{VERSION_1, VERSION_1_KEY};

fn build(tls: &TlsConfig) -> Result<(), TlsError> {
    tls.build().map(drop)
}

fn with_authority(pem: impl Into<Vec<u8>>) -> Result<(), TlsError> {
    build(&TlsConfig::new().ca_pem(pem))
}

fn with_client(certificate: &str, key: &str) -> Result<(), TlsError> {
    build(&TlsConfig::new().ca_pem(VERSION_1).client_certificate_pem(certificate, key))
}

#[track_caller]
fn assert_says(result: Result<(), TlsError>, parts: &[&str]) {
    let text = result.unwrap_err().to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
}

/// A client's certificate and its key.
fn client() -> (String, String) {
    Authority::new().sign(|params| params.distinguished_name.push(DnType::CommonName, "alice"))
}

#[test]
fn forms_that_tools_write_are_read() {
    let (authority, other) = (Authority::new(), Authority::new());
    with_authority(authority.pem() + &other.pem()).unwrap();
    with_authority(authority.pem().replace('\n', "\r\n")).unwrap();
    with_authority(format!("\u{feff}{}", authority.pem())).unwrap();
    with_authority(format!("subject=CN = Riak\n\n{}", authority.pem())).unwrap();
    let (certificate, key) = client();
    with_client(&certificate, &key).unwrap();
    for both in [format!("{certificate}{key}"), format!("{key}{certificate}")] {
        with_client(&both, &both).unwrap();
        let both = both.replace('\n', "\r\n");
        with_client(&both, &both).unwrap();
    }
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    with_client(VERSION_1, &format!("{parameters}{VERSION_1_KEY}")).unwrap();
}

#[test]
fn a_key_has_to_be_that_of_the_certificate() {
    let ((certificate, key), (other, other_key)) = (client(), client());
    let parts = ["the private key in the PEM text is not that of the first certificate"];
    assert_says(with_client(&certificate, &other_key), &parts);
    assert_says(with_client(&format!("{other}{certificate}"), &key), &parts);
    assert_says(with_client(VERSION_1, &key), &parts);
}

#[test]
fn an_encrypted_key_is_told_as_such() {
    let (certificate, _) = client();
    let newer = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A25\n\n\
                 AAAA\n-----END RSA PRIVATE KEY-----\n";
    for key in [newer, older] {
        for certificates in [certificate.clone(), format!("{certificate}{key}")] {
            assert_says(with_client(&certificates, key), &["is encrypted", "openssl pkey"]);
        }
    }
    assert_says(with_client(newer, newer), &["holds no certificate, but ENCRYPTED PRIVATE KEY"]);
}

#[test]
fn what_a_file_holds_instead_is_told() {
    let (certificate, key) = client();
    assert_says(
        with_authority(""),
        &["the PEM text (given to `TlsConfig::ca_pem`) cannot be used: it is empty"],
    );
    assert_says(with_authority("hello"), &["it holds no certificate in PEM format"]);
    assert_says(with_authority([0x30, 0x82, 1, 2]), &["DER", "openssl x509 -inform der"]);
    assert_says(with_authority(key.as_str()), &["holds no certificate, but PRIVATE KEY"]);
    assert_says(with_client(&certificate, &certificate), &["holds no private key, but CERTIFICATE"]);
    let cut = certificate.replace("-----END CERTIFICATE-----\n", "");
    assert_says(with_authority(cut), &["cut off", "`-----END CERTIFICATE-----` is missing"]);
    assert_says(with_authority(certificate.replace("MII", "M!!")), &["not base64"]);
    let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    assert_says(with_authority(no_certificate), &["a certificate in it is not acceptable: it is malformed"]);
    assert_says(with_client(no_certificate, &key), &["not acceptable: it is malformed"]);
    let no_key = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
    assert_says(with_client(&certificate, no_key), &["private key is malformed or of a kind"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = TlsConfig::new().ca_file("no/such/ca.pem");
    let text = missing.build().unwrap_err().to_string();
    let named = "`no/such/ca.pem` (named by the parameter `ca` or `TlsConfig::ca_file`) cannot be used: ";
    assert!(text.starts_with(named), "{text}");
    assert!(!text.contains("PEM format"), "{text}");
}

#[test]
fn the_option_that_names_a_client_certificate_or_key_is_told() {
    let (certificate, key) = client();
    let good = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certificate-of-alice.pem");
    std::fs::write(&good, &certificate).unwrap();
    let with_files = |certificate: &Path, key: &Path| {
        build(&TlsConfig::new().ca_pem(VERSION_1).client_certificate_files(certificate, key))
    };
    let missing = Path::new("no/such.pem");
    let named = "`no/such.pem` (named by the parameter `cert` or `TlsConfig::client_certificate_files`) cannot be used: ";
    assert_says(with_files(missing, &good), &[named]);
    let named = "`no/such.pem` (named by the parameter `cert` or, as the key, `TlsConfig::client_certificate_files`) cannot";
    assert_says(with_files(&good, missing), &[named]);
    let named = "as the key, `TlsConfig::client_certificate_files`) cannot be used: it holds no private key, but CERTIFICATE";
    assert_says(with_files(&good, &good), &[named]);
    let given =
        "the PEM text (given to `TlsConfig::client_certificate_pem`) cannot be used: it holds no certificate";
    assert_says(with_client("hello", &key), &[given]);
    let given = "the PEM text (given, as the key, to `TlsConfig::client_certificate_pem`) cannot be used: it holds no";
    assert_says(with_client(&certificate, "hello"), &[given]);
    let (_, other) = client();
    assert_says(
        with_client(&certificate, &other),
        &["certificate and private key (`cert`) cannot be used: "],
    );
}
