//! The allocator's settings, where they are not to have a say in the results.
//!
//! glibc gives the top of the heap back to the system when it is free, and asks
//! for it again with the next allocation: whoever happens to lie there pays for
//! page faults. A process with other things in memory does not see that.

use std::env;
use std::process::{Command, ExitCode};

/// What makes glibc keep what it has.
const SETTINGS: [(&str, &str); 3] = [
    ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ("MALLOC_TOP_PAD_", "67108864"),
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
];

/// Runs this program again with a heap that keeps its memory, since the
/// settings are read when a process starts. `None` if it runs with them.
pub(crate) fn steady() -> Option<ExitCode> {
    if SETTINGS.iter().all(|(name, _)| env::var_os(name).is_some()) {
        return None;
    }
    let again = env::current_exe()
        .and_then(|program| Command::new(program).args(env::args_os().skip(1)).envs(SETTINGS).status());
    Some(match again {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: cannot run this program again: {error}");
            ExitCode::FAILURE
        }
    })
}
