//! What is allocated while something runs.
//!
//! Invariant: counted is what this thread asked for and has not given back;
//! memory that changes threads would be missed, and none does here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counted. Without it as the program's
/// `#[global_allocator]` nothing seems to be allocated.
#[derive(Debug)]
pub struct Counted;

fn grown(by: usize) {
    let live = LIVE.get().wrapping_add(by);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

fn shrunk(by: usize) {
    // What another thread allocated may be freed here.
    LIVE.set(LIVE.get().saturating_sub(by));
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) };
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may exist for a moment.
        grown(size);
        shrunk(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(start, layout, size) }
    }
}

/// What `run` gives, and how many bytes more than before it ever held at once.
pub fn peak<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let value = run();
    (value, PEAK.get().saturating_sub(before))
}
