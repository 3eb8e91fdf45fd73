//! Forces `TCP_NODELAY` on clients that do not set it.
//!
//! A client may keep its sockets private, but they belong to this process: the kernel can
//! duplicate their descriptors, and the option applies to the socket. Invariant: nothing
//! else about a contender is changed.

use std::fs;

use rustix::net::sockopt::set_tcp_nodelay;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Sets the option on every TCP socket of this process.
pub(super) fn force() -> Result<(), String> {
    let said = |error: rustix::io::Errno| format!("TCP_NODELAY cannot be forced: {error}");
    let this = pidfd_open(getpid(), PidfdFlags::empty()).map_err(said)?;
    let descriptors = fs::read_dir("/proc/self/fd").map_err(|error| error.to_string())?;
    for entry in descriptors.flatten() {
        let is_socket =
            fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().starts_with("socket:"));
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (true, Some(number)) = (is_socket, number) {
            let socket = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).map_err(said)?;
            // Other kinds of sockets have no such option.
            let _ = set_tcp_nodelay(&socket, true);
        }
    }
    Ok(())
}
