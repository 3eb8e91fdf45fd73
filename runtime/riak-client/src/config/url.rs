//! A configuration as a URL: `riak://user:password@host1,host2:8087/?name=value&…`,
//! or without a scheme, `host1,host2:8087`.
//!
//! Invariant: every part of a URL is checked, and none is ignored.

use std::str::FromStr;

use riak_runtime::client::{InvalidNode, Node};

use super::error::InvalidConfig;
use super::parameters::{PARAMETERS, TLS_PARAMETERS};
use super::{ClientConfig, Secret};

/// Parses `riak://user:password@host1,host2:8087?name=value&…`, where the names are
/// those in [`PARAMETERS`]. User, password and values are percent-encoded.
/// Everything but one host may be left out; the port defaults to 8087.
impl FromStr for ClientConfig {
    type Err = InvalidConfig;

    fn from_str(text: &str) -> Result<Self, InvalidConfig> {
        // Text before `://` counts as a scheme only if it looks like one: it may be
        // part of a password, which no error may show.
        let scheme = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
        let rest = match scheme {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("riak") => rest,
            Some((scheme, _)) => return Err(InvalidConfig::Scheme(scheme.to_owned())),
            None => text,
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        // A `?` with nothing after it is no parameter.
        let pairs = query.split('&').filter(|_| !query.is_empty());
        if query.contains('@') {
            // The `@` may follow a password that contains a question mark, so no
            // part of the URL may be shown.
            return Err(InvalidConfig::UnencodedAt);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // A password may contain an `@` that was not encoded.
        let (credentials, hosts) = match rest.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, rest),
        };
        let mut config = Self::default();
        if hosts.is_empty() {
            return Err(InvalidConfig::NoNodes);
        }
        for (index, host) in hosts.split(',').enumerate() {
            if host.is_empty() {
                return Err(InvalidConfig::EmptyNode { position: index + 1 });
            }
            config.nodes.push(host.parse::<Node>().map_err(redact)?);
        }
        // Parameters given before the `@` may not be given again.
        let mut given = GivenParameters::default();
        if let Some(credentials) = credentials {
            let (user, password) = match credentials.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (credentials, None),
            };
            // A password may have both characters, but it follows a colon.
            if user.contains('@') && user.contains(',') {
                return Err(InvalidConfig::TwoUsers);
            }
            config.user = Some(percent_decode(user, "user")?);
            given.seen.push("user");
            if let Some(password) = password {
                config.password = Secret::from(percent_decode(password, "password")?);
                given.seen.push("password");
            }
        }
        for (index, pair) in pairs.enumerate() {
            if pair.is_empty() {
                return Err(InvalidConfig::EmptyParameter { position: index + 1 });
            }
            let (name, value) = pair.split_once('=').ok_or(InvalidConfig::NoValue)?;
            given.set(&mut config, name, &percent_decode(value, "value of a parameter")?)?;
        }
        given.check()?;
        Ok(config)
    }
}

/// The parameters given so far, which are checked together at the end.
#[derive(Default)]
pub(super) struct GivenParameters {
    seen: Vec<&'static str>,
    without_tls: bool,
}

impl GivenParameters {
    /// Records a parameter, which may be given only once.
    pub(super) fn record(&mut self, name: &'static str) -> Result<(), InvalidConfig> {
        if self.seen.contains(&name) {
            return Err(InvalidConfig::Twice(name));
        }
        self.seen.push(name);
        Ok(())
    }

    /// Sets a parameter that has not been given before.
    pub(super) fn set(
        &mut self,
        config: &mut ClientConfig,
        name: &str,
        value: &str,
    ) -> Result<(), InvalidConfig> {
        config.set(name, value)?;
        let known = PARAMETERS.iter().find(|parameter| parameter.name == name);
        if let Some(parameter) = known {
            self.record(parameter.name)?;
        }
        self.without_tls |= name == "tls" && value == "off";
        Ok(())
    }

    /// Checks that the parameters are compatible.
    pub(super) fn check(&self) -> Result<(), InvalidConfig> {
        let of_tls = self.seen.iter().find(|&&name| name != "tls" && TLS_PARAMETERS.contains(&name));
        if self.without_tls
            && let Some(name) = of_tls
        {
            let reason = "configures TLS, and `tls` is off: leave one of the two out".to_owned();
            return Err(InvalidConfig::Value { name, reason });
        }
        Ok(())
    }
}

/// Reports whether a text can be the scheme of a URL.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Returns the error for an invalid node, without the text that may be a password:
/// what follows the host, in case the host was forgotten, and what precedes an `@`.
pub(super) fn redact(mut error: InvalidNode) -> InvalidConfig {
    if error.text.contains('@') {
        error.text = String::from("…@…");
    } else if let Some((host, _)) = error.text.split_once(':') {
        error.text = format!("{host}:…");
    }
    error.into()
}

/// Decodes a percent-encoded text.
fn percent_decode(text: &str, part: &'static str) -> Result<String, InvalidConfig> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(InvalidConfig::Encoding(part));
        };
        bytes.extend(u8::try_from(high * 16 + low));
    }
    String::from_utf8(bytes).map_err(|_| InvalidConfig::Encoding(part))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parse(text: &str) -> Result<ClientConfig, String> {
        text.parse().map_err(|error: InvalidConfig| error.to_string())
    }

    #[test]
    fn all_parts_are_understood() {
        let config =
            parse("riak://al%40ice:s%3Acret@a,b:10017,[::1]/?pool_max=3&timeout=250ms&idle_timeout=off")
                .unwrap();
        let nodes: Vec<String> = config.nodes.iter().map(ToString::to_string).collect();
        assert_eq!(nodes, ["a:8087", "b:10017", "[::1]:8087"]);
        assert_eq!(config.user.as_deref(), Some("al@ice"));
        assert_eq!(config.password.expose(), "s:cret");
        assert_eq!(config.cluster.pool.max_connections, 3);
        assert_eq!(config.cluster.timeout, Some(Duration::from_millis(250)));
        assert_eq!(config.cluster.pool.idle_timeout, None);
        assert_eq!(parse("localhost").unwrap(), parse("riak://localhost:8087/").unwrap());
        assert!(!format!("{config:?}").contains("cret"));
        // Text before `://` is not always a scheme.
        assert_eq!(parse("u:se://cret@a").unwrap().password.expose(), "se://cret");
        assert_eq!(parse("a?password=se://cret").unwrap().password.expose(), "se://cret");
        assert_eq!(parse("RIAK://a").unwrap(), parse("a").unwrap());
        assert_eq!(parse("a/?").unwrap(), parse("a").unwrap());
        assert_eq!(parse("u@a?password=x").unwrap(), parse("u:x@a").unwrap());
        assert_eq!(parse("u:x@,y@a").unwrap().password.expose(), "x@,y");
    }

    #[test]
    fn errors_say_what_is_wrong_and_show_no_password() {
        for (text, part) in [
            ("", "no nodes"),
            ("riak://", "no nodes"),
            ("riak://u:secret@?timeout=1s", "no nodes"),
            // An unset variable must not drop a node or a parameter without notice.
            ("riak://a,,c", "node 2 of the URL is empty"),
            ("riak://u:secret@,b", "node 1 of the URL is empty"),
            ("a,b,", "node 3 of the URL is empty"),
            ("riak://u:secret@a#x", "white space"),
            ("riak://u@a,secret@b", "an `@` at more than one host"),
            (",", "node 1 of the URL is empty"),
            ("a?password=secret&&timeout=1s", "parameter 2 of the URL is empty"),
            ("a?password=secret&", "parameter 2 of the URL is empty"),
            ("a?&timeout=1s", "parameter 1 of the URL is empty"),
            ("http://a", "scheme"),
            ("riak://a:x", "`a:…` does not name a node"),
            ("riak://u:secret@a:x", "`a:…` does not name a node"),
            ("riak://u:secret", "`u:…` does not name a node"),
            ("a?password=1&secret", "has no value"),
            ("riak://u:secret@a?user=v", "given twice"),
            ("riak://u:secret@a?password=other", "given twice"),
            ("riak://u:@a?password=secret", "given twice"),
            ("riak://u:secret%zz@a", "the password in the URL"),
            // Not encoded as they should be, so no part of them is shown.
            ("riak://u:secret?x@a", "write a `?` in the password as %3F"),
            ("riak://u:1?secret@a", "write a `?` in the password as %3F"),
            ("riak://u:1?timeout=secret@a", "write a `?` in the password as %3F"),
            ("riak://u:1?x&secret@a?timeout=1s", "write a `?` in the password as %3F"),
            ("a?password=secret@", "and an `@` in a value as %40"),
            ("a?pool_mx=3", "did you mean `pool_max`?"),
            ("a?pool_max=3&pool_max=4", "given twice"),
            ("a?pool_max", "has no value"),
            ("a?pool_max=", "is ``: it must be a whole number"),
            ("a?timeout=5", "200ms, 5s, 2m or 1h"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn credentials_are_never_sent_in_clear() {
        let config = parse("riak://user:password@a").unwrap();
        assert_eq!(config.build().unwrap_err(), InvalidConfig::NoTls);
    }

    #[cfg(feature = "tls")]
    #[test]
    fn tls_requires_a_user_and_existing_files() {
        assert_eq!(parse("riak://a?tls=full").unwrap().build().unwrap_err(), InvalidConfig::NoUser);
        for text in ["u@a?ca=x.pem&tls=off", "u@a?tls=off&ca=x.pem"] {
            assert!(parse(text).unwrap_err().contains("`ca` configures TLS"), "{text}");
        }
        let config = parse("riak://u@a?ca=nowhere.pem&tls=chain").unwrap();
        let error = config.build().unwrap_err().to_string();
        let named = "`nowhere.pem` (named by the parameter `ca` or `TlsConfig::ca_file`) cannot be used: ";
        assert!(error.starts_with(named), "{error}");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_tls_its_parameters_say_so() {
        let error = parse("riak://u@a?tls=full").unwrap_err();
        assert!(error.contains("needs riak-client's feature `tls`"), "{error}");
        let error = parse("riak://u:p@a").unwrap().build().unwrap_err().to_string();
        assert!(error.contains("enable riak-client's feature `tls`"), "{error}");
        parse("riak://a?tls=off").unwrap().build().unwrap();
    }
}
