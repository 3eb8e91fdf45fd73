//! [`Events`]: what tests see of the events that the server reports to tracing.
//!
//! Invariant: a test that looks at events, or causes some, holds [`TURN`].

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Serialises the tests: tracing caches whether any subscriber wants an event when the event
/// occurs for the first time, which must not coincide with the start of one.
pub(super) static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Records the level and the error of each event of one module.
#[derive(Clone)]
pub(super) struct Events {
    module: &'static str,
    recorded: Arc<Mutex<Vec<(Level, String)>>>,
}

impl Events {
    pub(super) fn of(module: &'static str) -> Self {
        Self { module, recorded: Arc::default() }
    }

    /// Returns the events so far, and forgets them.
    pub(super) fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.recorded.lock().unwrap())
    }
}

struct ErrorText<'a>(&'a mut String);

impl Visit for ErrorText<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "error" {
            *self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "riak" && metadata.module_path() == Some(self.module)
    }

    fn event(&self, event: &Event<'_>) {
        let mut error = String::new();
        event.record(&mut ErrorText(&mut error));
        self.recorded.lock().unwrap().push((*event.metadata().level(), error));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
