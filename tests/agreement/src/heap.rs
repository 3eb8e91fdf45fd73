//! The memory that is allocated while a function runs.
//!
//! Invariant: the count is what this thread has allocated and not freed. Memory that moves
//! between threads would be miscounted, but none does here.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator with a count. It has to be the program's `#[global_allocator]`,
/// or the count stays zero.
#[derive(Debug)]
pub struct CountingAllocator;

fn count_allocated(by: usize) {
    let live = LIVE.get().wrapping_add(by);
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

fn count_freed(by: usize) {
    // Saturates, because memory of another thread may be freed here.
    LIVE.set(LIVE.get().saturating_sub(by));
}

// SAFETY: every method forwards its arguments unchanged to `System`, which upholds the
// contract of `GlobalAlloc`. The counters are thread-local `Cell`s without destructors, so
// counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_allocated(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`, which is the same for `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_allocated(layout.size());
        // SAFETY: the caller upholds the contract of `alloc_zeroed`, which is the same for
        // `System`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        count_freed(layout.size());
        // SAFETY: `start` was allocated by this allocator, hence by `System`, with the same layout.
        unsafe { System.dealloc(start, layout) };
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new allocation may exist at the same time.
        count_allocated(size);
        count_freed(layout.size());
        // SAFETY: `start` was allocated by this allocator, hence by `System`, with
        // `layout`; the caller guarantees a valid size.
        unsafe { System.realloc(start, layout, size) }
    }
}

/// Returns the result of `run`, and the peak of additional memory while it ran.
pub fn peak<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let value = run();
    (value, PEAK.get().saturating_sub(before))
}
