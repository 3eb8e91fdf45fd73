//! Allocator settings that keep the allocator from affecting the results.
//!
//! glibc returns the free top of the heap to the system, and requests it again with the
//! next allocation, so the value that happens to be last on the heap pays for page faults:
//! which contender that is depends on what was measured before it, and it can double the
//! time. A process with more data in memory would not see this. Therefore the heap keeps
//! its memory unless `--trimming-heap` asks otherwise.

use std::env;
use std::process::{Command, ExitCode};

/// Settings that make glibc keep freed memory.
const SETTINGS: [(&str, &str); 3] = [
    ("MALLOC_TRIM_THRESHOLD_", "4294967296"),
    ("MALLOC_TOP_PAD_", "67108864"),
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
];

/// Runs this program again with a heap that keeps its memory, since glibc reads the
/// settings when a process starts. Returns `None` if the settings are in effect already.
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
