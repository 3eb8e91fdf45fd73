//! A configuration from a file: a URL, or a map with the URL's parts. Feature
//! `serde`.
//!
//! There is no serialisation, since its output would contain the password. The
//! implementation is by hand because serde's derive takes longer to compile than
//! this crate. Invariant: a map's keys are `nodes` and the names in
//! [`PARAMETERS`], and each value is checked as in a URL.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::url::{GivenParameters, redact};
use super::{ClientConfig, PARAMETERS};

impl<'de> Deserialize<'de> for ClientConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = ClientConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL like riak://host1,host2, or a map with `nodes` and parameters")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ClientConfig, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClientConfig, A::Error> {
        let mut config = ClientConfig::default();
        let mut given = GivenParameters::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "nodes" {
                given.record("nodes").map_err(A::Error::custom)?;
                for node in map.next_value::<Vec<String>>()? {
                    // A node may have been written as a URL, with a password.
                    config.nodes.push(node.parse().map_err(redact).map_err(A::Error::custom)?);
                }
            } else {
                let value = map.next_value_seed(ValueOf(&name))?;
                given.set(&mut config, &name, &value).map_err(A::Error::custom)?;
            }
        }
        given.check().map_err(A::Error::custom)?;
        Ok(config)
    }
}

/// Reads the value of the parameter with this name, as it would appear in a URL; counts
/// may be numbers.
struct ValueOf<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for ValueOf<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text or a whole number for `{}`", self.0)?;
        match PARAMETERS.iter().find(|parameter| parameter.name == self.0) {
            Some(parameter) => write!(f, " ({})", parameter.unit),
            None => Ok(()),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    // Without the digits, which may be those of a password.
    fn visit_f64<E: Error>(self, _: f64) -> Result<String, E> {
        Err(E::invalid_type(Unexpected::Other("a number that is not whole, or too large"), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_and_a_map_say_the_same() {
        let url: ClientConfig = serde_json::from_str(r#""riak://u@a,b:1?pool_max=3&timeout=2s""#).unwrap();
        let map: ClientConfig =
            serde_json::from_str(r#"{"nodes": ["a", "b:1"], "user": "u", "pool_max": 3, "timeout": "2s"}"#)
                .unwrap();
        assert_eq!(url, map);
        let twice = serde_json::from_str::<ClientConfig>(r#"{"pool_max": 3, "pool_max": 4}"#).unwrap_err();
        assert!(twice.to_string().contains("given twice"), "{twice}");
        #[cfg(feature = "tls")]
        for text in [r#"{"tls": "off", "ca": "x.pem"}"#, r#"{"ca": "x.pem", "tls": "off"}"#] {
            let error = serde_json::from_str::<ClientConfig>(text).unwrap_err();
            assert!(error.to_string().contains("`ca` configures TLS"), "{error}");
        }
        for text in [
            r#"{"nodes": ["riak://u:secret@a"]}"#,
            r#"{"nodes": ["u:secret@a"]}"#,
            r#"{"nodes": ["secret@a"]}"#,
            r#"{"nodes": ["u:secret"]}"#,
            r#"{"password": 31415926535897932384626}"#,
            r#"{"password": 3.14159}"#,
            r#"{"password": ["secret"]}"#,
        ] {
            let error = serde_json::from_str::<ClientConfig>(text).unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("1415"), "{text}: {error}");
        }
        let error = serde_json::from_str::<ClientConfig>(r#"{"nodes": ["a"], "nodes": ["b"]}"#).unwrap_err();
        assert!(error.to_string().contains("`nodes` is given twice"), "{error}");
        let error = serde_json::from_str::<ClientConfig>(r#"{"discover": true}"#).unwrap_err();
        let advice =
            "boolean `true`, expected a text or a whole number for `discover` (off, dns or membership)";
        assert!(error.to_string().contains(advice), "{error}");
        let error = serde_json::from_str::<ClientConfig>(r#"{"pool_mx": 3}"#).unwrap_err();
        assert!(error.to_string().contains("did you mean `pool_max`?"), "{error}");
    }
}
