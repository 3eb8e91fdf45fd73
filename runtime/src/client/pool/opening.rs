//! How connections for unary calls come and go.
//!
//! Invariant: while there is none and someone waits for one, one is being made,
//! and the last maker tells all who wait what came of it. There are never more,
//! open and being made, than there may be.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tokio::sync::watch;
use tokio::time::timeout;

use super::super::connection::{Connection, now};
use super::super::error::{ConnectionError, NotSent};
use super::members::{Member, Signs};
use super::{Inner, Ordering, SWEEP, Share, State};

/// Where the makers of connections say why there is none; without a word when
/// there is one.
pub(super) type Told = watch::Sender<Option<ConnectionError>>;

/// So many times what it should have makes a connection that nobody joins as long
/// as another one is being made: what waits on one never moves to another.
const CROWD: usize = 4;

/// How a unary call asks for a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// For the first time.
    First,
    /// After it has waited for room.
    Again,
    /// After it has waited for as long as it may: it takes what there is.
    Last,
}

/// What a unary call gets.
pub(super) enum Taken<'p> {
    /// A share of an open connection.
    Share(Share<'p>),
    /// None is open: one is being made, and this tells of it; and why the last
    /// one has ended, if nobody could use it.
    First(watch::Receiver<Option<ConnectionError>>, Option<ConnectionError>),
    /// There are open ones, but it is better to wait for one that is being made.
    Crowded,
}

impl Inner {
    /// A share of an open connection, or what to wait for.
    pub(super) fn take(self: &Arc<Self>, asks: Asks) -> Result<Taken<'_>, NotSent> {
        let mut state = self.lock();
        // `close` counts calls under the lock: it finds this one, or this finds that
        // the pool is closing.
        if self.closing.load(Ordering::Relaxed) {
            return Err(NotSent::Connection(ConnectionError::Stopped));
        }
        state.in_vain = false;
        let target = self.config.target_in_flight;
        while let Some((member, load)) = state.members.take(target, Connection::owed) {
            if member.connection.has_ended() {
                member.release();
                state.members.remove(&member);
                state.ended = member.connection.closed();
                continue;
            }
            let all = state.members.len() + state.connecting;
            // One for each who asks, not for each time.
            let wanted = (asks == Asks::First || state.connecting == 0)
                && load >= target
                && all < self.max()
                && state.grows_after.is_none_or(|after| after <= now());
            let more = wanted.then(|| self.open(&mut state));
            let crowded =
                asks != Asks::Last && state.connecting > 0 && load >= target.max(1).saturating_mul(CROWD);
            if crowded {
                member.release();
            }
            drop(state);
            if let Some(opening) = more {
                self.spawn(opening);
            }
            self.start_sweeping();
            return Ok(if crowded { Taken::Crowded } else { Taken::Share(Share { member, inner: self }) });
        }
        let first = state.first.get_or_insert_with(|| watch::channel(None).0).subscribe();
        // Only one, however many wait for it: a node that is down, or that knows
        // another password, is not asked for more than it takes to find out.
        let opening = (state.connecting == 0).then(|| self.open(&mut state));
        let ended = state.ended.clone();
        drop(state);
        if let Some(opening) = opening {
            self.spawn(opening);
        }
        Ok(Taken::First(first, ended))
    }

    /// Takes out a connection on which calls ran out of time while no answer
    /// came, if no other could be opened beside it.
    pub(super) fn doubt(&self, member: &Arc<Member<Connection>>) {
        let mut state = self.lock();
        let full = state.members.len() + state.connecting >= self.max();
        // One such call may have been slow by itself.
        if full && member.connection.owed() > 1 {
            state.members.remove(member);
        }
    }

    /// Counts one more connection that is being made: [`Inner::spawn`] it, once
    /// nothing is locked.
    pub(super) fn open(self: &Arc<Self>, state: &mut State) -> Opening {
        state.connecting += 1;
        // A task that held the pool would keep it alive.
        Opening { pool: Arc::downgrade(self), error: None }
    }

    /// Makes a connection in the background.
    pub(super) fn spawn(self: &Arc<Self>, opening: Opening) {
        self.run(connect(opening));
    }

    /// Runs a task that ends with the pool.
    pub(super) fn run(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        // Those that are over are kept until somebody looks.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
        drop(tasks);
        self.start_sweeping();
    }

    /// Looks after connections from now on, unless a task does so already: again
    /// if that has ended together with its runtime.
    pub(super) fn start_sweeping(self: &Arc<Self>) {
        if !self.sweeping.load(Ordering::Relaxed) && !self.sweeping.swap(true, Ordering::Relaxed) {
            let sweeping = Sweeping(Arc::downgrade(self));
            self.tasks().spawn(sweep(sweeping));
        }
    }

    /// When a connection that is made now has had its time: up to a fifth
    /// later than others, so that they do not all go at once.
    pub(super) fn retires(&self, now: Instant) -> Option<Instant> {
        let lifetime = self.config.max_lifetime?;
        let least = lifetime.saturating_sub(lifetime / 5);
        now.checked_add(least.saturating_add(self.random.jitter(lifetime / 5 * 2)))
    }

    /// Closes what is not to be kept, and connects what is missing.
    fn sweep(self: &Arc<Self>) {
        let now = now();
        let idle = self.config.idle_timeout;
        let mut state = self.lock();
        let signs = |connection: &Connection| Signs {
            broken: connection.closed().is_some(),
            owed: connection.owed(),
            answered: connection.answered(),
        };
        let gone = state.members.sweep(now, idle, self.min(), signs);
        let kept = std::mem::take(&mut state.idle);
        let (kept, idle) = kept.into_iter().partition(|kept| kept.is_fresh(now, idle));
        state.idle = kept;
        // One at a time: a node that is down is not to be asked for all of them
        // every second.
        let missing = !self.closing.load(Ordering::Relaxed)
            && state.members.len() < self.min()
            && state.connecting == 0
            && !state.in_vain;
        let opening = missing.then(|| self.open(&mut state));
        drop(state);
        drop((gone, idle));
        if let Some(opening) = opening {
            self.spawn(opening);
        }
    }
}

/// A connection that is being made: counted until this is dropped, which tells
/// those who wait what came of it.
pub(super) struct Opening {
    pool: Weak<Inner>,
    error: Option<ConnectionError>,
}

impl Drop for Opening {
    fn drop(&mut self) {
        let Some(inner) = self.pool.upgrade() else { return };
        let mut state = inner.lock();
        state.connecting -= 1;
        // While others are being made, these may be what is waited for.
        let over = state.members.len() > 0 || state.connecting == 0;
        let told = if over { state.first.take() } else { None };
        drop(state);
        if let (Some(told), Some(error)) = (told, self.error.take()) {
            // Perhaps nobody waits any more.
            let _ = told.send(Some(error));
        }
        inner.room.notify_waiters();
    }
}

async fn connect(mut opening: Opening) {
    // Nobody gets a share of a pool that is closing, and `close` may have ended the
    // tasks before this one was spawned.
    if opening.pool.upgrade().is_none_or(|inner| inner.closing.load(Ordering::Relaxed)) {
        return;
    }
    let Some((inner, result)) = connection(&opening.pool).await else { return };
    let now = now();
    match result {
        Ok(connection) => {
            let retires = inner.retires(now);
            let mut state = inner.lock();
            // `close` takes all out under the lock: it finds this one, or this finds
            // that the pool is closing. A task that is being polled is not ended.
            if inner.closing.load(Ordering::Relaxed) {
                drop(state);
                drop(connection);
                return;
            }
            state.members.add(connection, now, retires);
            state.grows_after = None;
            state.ended = None;
        }
        Err(error) => {
            let mut state = inner.lock();
            state.grows_after = now.checked_add(SWEEP);
            // Nobody will be let in by asking again, and an account may be locked.
            let refused = matches!(error, ConnectionError::Refused(_));
            state.in_vain = refused || inner.arriving.load(Ordering::Relaxed) == 0;
            opening.error = Some(error);
        }
    }
}

/// Connects, in no more time than the connector says that it takes, for a pool
/// that is still there afterwards.
pub(super) async fn connection(
    pool: &Weak<Inner>,
) -> Option<(Arc<Inner>, Result<Connection, ConnectionError>)> {
    let inner = pool.upgrade()?;
    let (connector, node) = (Arc::clone(&inner.connector), inner.node.clone());
    drop(inner);
    let after = connector.connect_timeout();
    let result = match timeout(after, connector.connect(&node)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectionError::ConnectTimeout { after }),
    };
    let inner = pool.upgrade()?;
    let count = if result.is_ok() { &inner.connects } else { &inner.failures };
    count.fetch_add(1, Ordering::Relaxed);
    Some((inner, result))
}

/// Says that nobody sweeps any more, when the task that did so is gone.
struct Sweeping(Weak<Inner>);

impl Drop for Sweeping {
    fn drop(&mut self) {
        if let Some(inner) = self.0.upgrade() {
            inner.sweeping.store(false, Ordering::Relaxed);
        }
    }
}

async fn sweep(sweeping: Sweeping) {
    let mut interval = tokio::time::interval(SWEEP);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match sweeping.0.upgrade() {
            Some(inner) => inner.sweep(),
            None => return,
        }
    }
}
