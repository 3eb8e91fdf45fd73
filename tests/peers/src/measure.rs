//! The clock: what is measured, in rounds that every contender takes part in.
//!
//! Invariant: all measurements of a case run once in each round, so that a
//! noisy machine slows all alike, and the smallest time of each is kept.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How long one measurement runs within a round.
const SLICE: Duration = Duration::from_micros(50);

/// What a measurement is compared within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// A copy of the encoded bytes into a warm buffer.
    Floor,
    /// The message into a buffer that is allocated for it.
    EncodeNew,
    /// Length, code and message into a buffer that is there already.
    EncodeFrame,
    /// The bytes into a value that owns its data, and its drop.
    DecodeOwned,
    /// The bytes into a value that borrows from them, and its drop.
    DecodeBorrowed,
}

impl Group {
    /// The groups that contenders are compared in.
    pub(crate) const COMPARED: [Self; 4] =
        [Self::EncodeNew, Self::EncodeFrame, Self::DecodeOwned, Self::DecodeBorrowed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::EncodeNew => "encode_new",
            Self::EncodeFrame => "encode_frame",
            Self::DecodeOwned => "decode_owned",
            Self::DecodeBorrowed => "decode_borrowed",
        }
    }
}

/// A function under measurement, and its best time so far.
pub(crate) struct Measurement {
    pub(crate) group: Group,
    pub(crate) contender: &'static str,
    /// How many bytes it writes or reads.
    pub(crate) bytes: usize,
    /// Nanoseconds of one call.
    pub(crate) best: f64,
    run: Box<dyn FnMut()>,
    calls: u32,
}

impl Measurement {
    /// Whether this is the project's own.
    pub(crate) fn is_ours(&self) -> bool {
        self.contender.starts_with("riak")
    }

    /// Whether this is of a derived type: the same code as a generated one's, so
    /// that it is compared with that, and says nothing about peers.
    pub(crate) fn is_derived(&self) -> bool {
        self.contender.starts_with("riak-derived")
    }

    fn calibrate(&mut self) {
        let start = Instant::now();
        let mut calls = 0;
        while start.elapsed() < SLICE * 4 {
            (self.run)();
            calls += 1;
        }
        self.calls = (calls / 4).max(1);
    }

    fn round(&mut self) {
        // What another one left in the caches and in the heap is not counted.
        (self.run)();
        let start = Instant::now();
        for _ in 0..self.calls {
            (self.run)();
        }
        self.best = self.best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(self.calls));
    }
}

/// One message, and everything that is measured on it.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The message code of its frame.
    pub(crate) code: u8,
    /// The message, encoded. It lives on: borrowed values point into it.
    pub(crate) body: &'static [u8],
    pub(crate) measurements: Vec<Measurement>,
    /// What a contender does differently from the others.
    pub(crate) notes: Vec<String>,
}

impl Case {
    /// A case that so far has only the floor.
    pub(crate) fn new(name: &str, code: u8, body: Vec<u8>) -> Self {
        let body: &'static [u8] = body.leak();
        let mut case =
            Self { name: name.to_owned(), code, body, measurements: Vec::new(), notes: Vec::new() };
        let mut target = vec![0; body.len()];
        case.add(Group::Floor, "memcpy", move || black_box(&mut target).copy_from_slice(black_box(body)));
        case
    }

    /// Adds a measurement of this case's bytes.
    pub(crate) fn add(&mut self, group: Group, contender: &'static str, run: impl FnMut() + 'static) {
        self.measurements.push(Measurement {
            group,
            contender,
            bytes: self.body.len(),
            best: f64::MAX,
            run: Box::new(run),
            calls: 1,
        });
    }

    /// What a contender made of the bytes; a note if it refuses them.
    pub(crate) fn taken<M, E: std::fmt::Display>(
        &mut self,
        contender: &str,
        decoded: Result<M, E>,
    ) -> Option<M> {
        let refusal = match decoded {
            Ok(message) => return Some(message),
            Err(error) => error,
        };
        let bytes = self.body.len();
        self.notes.push(format!("{}: {contender} refuses {bytes} bytes: {refusal}", self.name));
        None
    }

    /// Notes it if what a contender wrote is not what it was given.
    pub(crate) fn compare(&mut self, contender: &str, written: &[u8]) {
        if written.len() != self.body.len() {
            self.notes.push(format!(
                "{}: {contender} writes {} bytes, of {} that it read",
                self.name,
                written.len(),
                self.body.len()
            ));
        } else if written != self.body {
            self.notes.push(format!("{}: {contender} writes the same fields in another order", self.name));
        }
    }

    /// Runs everything, round by round, every other one backwards: nobody has
    /// the same neighbour before it each time.
    pub(crate) fn run(&mut self, rounds: usize) {
        self.measurements.iter_mut().for_each(Measurement::calibrate);
        for round in 0..rounds {
            if round % 2 == 0 {
                self.measurements.iter_mut().for_each(Measurement::round);
            } else {
                self.measurements.iter_mut().rev().for_each(Measurement::round);
            }
        }
    }

    /// The same results, without the functions and the values that they hold.
    pub(crate) fn without_functions(mut self) -> Self {
        for measurement in &mut self.measurements {
            measurement.run = Box::new(|| ());
        }
        self
    }

    /// What copying the encoded bytes takes.
    pub(crate) fn floor(&self) -> f64 {
        self.best(Group::Floor, |_| true).map_or(f64::NAN, |floor| floor.best)
    }

    /// The fastest of a group, of those that are wanted.
    pub(crate) fn best(&self, group: Group, wanted: impl Fn(&Measurement) -> bool) -> Option<&Measurement> {
        self.measurements
            .iter()
            .filter(|measurement| measurement.group == group && wanted(measurement))
            .min_by(|a, b| a.best.total_cmp(&b.best))
    }

    /// How many times as fast as the fastest peer we are, and that peer.
    pub(crate) fn lead(&self, group: Group) -> Option<(f64, &Measurement)> {
        let ours = self.best(group, |measurement| measurement.is_ours() && !measurement.is_derived())?;
        let peer = self.best(group, |measurement| !measurement.is_ours())?;
        Some((peer.best / ours.best, peer))
    }

    /// How many times what a generated type takes its derived copy does.
    pub(crate) fn derived(&self, group: Group) -> Option<f64> {
        let of = |name| self.best(group, |measurement| measurement.contender == name);
        Some(of("riak-derived")?.best / of("riak")?.best)
    }
}
