//! [`Contender`]: a client under measurement, in a process of its own.
//!
//! Invariant: a client that cannot take part is not measured, and the reason is printed
//! once to standard error.

use crate::foreign;
use crate::options::Options;
use crate::order::{Order, Report};
use crate::process::Process;

/// The names of all contenders. Our own begin with `riak-c`; those of peers begin with
/// their registry. A `+` at the end means that `TCP_NODELAY` is forced on a client that
/// does not set it.
const CONTENDERS: [&str; 14] = [
    "floor",
    "floor-cut",
    "riak-connection",
    "riak-cluster",
    "riak-cluster-threads",
    "crate:riak-async",
    "crate:riak-async+",
    "crate:riak",
    "crate:riak+",
    "npm:basho-riak-client",
    "npm:no-riak",
    "npm:no-riak+",
    "pypi:riak",
    "pypi:riak+",
];

pub(crate) struct Contender {
    pub(crate) name: &'static str,
    process: Process,
}

impl Contender {
    /// Starts all wanted contenders that are available.
    pub(crate) fn all(options: &Options) -> Vec<Self> {
        let wanted = CONTENDERS.into_iter().filter(|name| options.wants_contender(name));
        wanted.filter_map(|name| Self::start(name).map_err(|reason| leave_out(name, &reason)).ok()).collect()
    }

    /// Starts our own clients, and peers in Rust: those that can make single calls.
    pub(crate) fn of_gaps(options: &Options) -> Vec<Self> {
        let wanted = CONTENDERS
            .into_iter()
            .filter(|name| (is_ours(name) || name.starts_with("crate:")) && options.wants_contender(name));
        wanted.filter_map(|name| Self::start(name).map_err(|reason| leave_out(name, &reason)).ok()).collect()
    }

    pub(crate) fn start(name: &'static str) -> Result<Self, String> {
        let (client, forces_nodelay) = match name.strip_suffix('+') {
            Some(client) => (client, true),
            None => (name, false),
        };
        let process = match client.split_once(':') {
            Some(("npm", package)) => Process::start(foreign::node(package)?.command(forces_nodelay))?,
            Some(("pypi", _)) => Process::start(foreign::python()?.command(forces_nodelay))?,
            _ if forces_nodelay => Process::of_this(&["drive", client, "--nodelay"])?,
            _ => Process::of_this(&["drive", client])?,
        };
        match process.line()?.as_str() {
            "ready" => Ok(Self { name, process }),
            line => Err(format!("it says `{line}`")),
        }
    }

    /// Starts a new process, since the old one may have ended, or may be in the middle of a call.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        *self = Self::start(self.name)?;
        Ok(())
    }

    pub(crate) fn ask(&mut self, order: Order) -> Result<Report, String> {
        self.process.ask(order)
    }

    pub(crate) fn is_peer(&self) -> bool {
        is_peer(self.name)
    }
}

pub(crate) fn is_ours(name: &str) -> bool {
    name.starts_with("riak-c")
}

pub(crate) fn is_peer(name: &str) -> bool {
    name.contains(':')
}

fn leave_out(name: &str, reason: &str) {
    eprintln!("note: {name} is left out: {reason}");
}
