//! The servers, each in a process of its own.
//!
//! Invariant: the first line on standard output is the address, and the process ends when
//! its standard input does.

mod delay;
mod instant;
mod keys;
mod node;

use std::io::{self, Read, Write};
use std::net::SocketAddr;

pub(crate) use delay::ONE_WAY_DELAY;
pub(crate) use keys::PART;

/// Runs the server with this name.
pub(crate) fn run(name: &str, argument: Option<&str>) -> Result<(), String> {
    // The parent may exit without further notice.
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let argument = argument.map(str::parse::<SocketAddr>).transpose().map_err(|error| error.to_string())?;
    if let ("delay", Some(target)) = (name, argument) {
        return delay::run(target).map_err(|error| error.to_string());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let served = match name {
        "instant" => runtime.block_on(instant::run()),
        "node" => runtime.block_on(node::run()),
        "keys" => runtime.block_on(keys::run()),
        _ => return Err(format!("there is no server `{name}`")),
    };
    served.map_err(|error| error.to_string())
}

fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{address}")?;
    out.flush()
}
