//! A configuration from a file: a URL, or a map with the URL's parts. Feature
//! `serde`.
//!
//! Reading only: what could be written would hold the password. By hand, since
//! the derive of serde is more to compile than this crate. Invariant: a map's
//! keys are `nodes` and the names in [`PARAMETERS`](super::PARAMETERS), and
//! each is checked as in a URL.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::ClientConfig;
use super::url::{Given, hidden};

impl<'de> Deserialize<'de> for ClientConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Config)
    }
}

struct Config;

impl<'de> Visitor<'de> for Config {
    type Value = ClientConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL like riak://host1,host2, or a map with `nodes` and parameters")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ClientConfig, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClientConfig, A::Error> {
        let mut config = ClientConfig::default();
        let mut given = Given::default();
        while let Some(name) = map.next_key::<String>()? {
            if name == "nodes" {
                given.note("nodes").map_err(A::Error::custom)?;
                for node in map.next_value::<Vec<String>>()? {
                    // Somebody may have written it as a URL, with a password.
                    config.nodes.push(node.parse().map_err(hidden).map_err(A::Error::custom)?);
                }
            } else {
                let Text(value) = map.next_value()?;
                given.set(&mut config, &name, &value).map_err(A::Error::custom)?;
            }
        }
        given.check().map_err(A::Error::custom)?;
        Ok(config)
    }
}

/// A value as it would stand in a URL: counts may be numbers.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value;

        impl Visitor<'_> for Value {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }

            // Without its digits, which may be those of a password.
            fn visit_f64<E: Error>(self, _: f64) -> Result<Text, E> {
                Err(E::invalid_type(Unexpected::Other("a number that is not whole, or too large"), &self))
            }
        }

        deserializer.deserialize_any(Value)
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
        let error = serde_json::from_str::<ClientConfig>(r#"{"pool_mx": 3}"#).unwrap_err();
        assert!(error.to_string().contains("did you mean `pool_max`?"), "{error}");
    }
}
