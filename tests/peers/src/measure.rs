//! Measurements, in rounds that include every contender.
//!
//! Invariant: each round runs all measurements of a case once, so that a noisy machine
//! slows all alike; the smallest time of each counts.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The duration of one measurement within a round.
const SLICE: Duration = Duration::from_micros(50);

/// The kind of operation. Measurements are compared within a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// A copy of the encoded bytes to a warm buffer.
    Floor,
    /// Encoding a message to a newly allocated buffer.
    EncodeNew,
    /// Encoding length, code and message to an existing buffer.
    EncodeFrame,
    /// Decoding to a value that owns its data, and dropping it.
    DecodeOwned,
    /// Decoding to a value that borrows from the input, and dropping it.
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
    /// The number of bytes that it encodes or decodes.
    pub(crate) bytes: usize,
    /// The nanoseconds per call.
    pub(crate) best: f64,
    run: Box<dyn FnMut()>,
    calls: u32,
}

impl Measurement {
    /// Reports whether this measures the project's own code.
    pub(crate) fn is_ours(&self) -> bool {
        self.contender.starts_with("riak")
    }

    /// Reports whether this measures a derived type. It is compared with the generated
    /// type, which should have the same code, not with peers.
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
        // One call that is not counted loads the caches and the heap after the previous
        // measurement.
        (self.run)();
        let start = Instant::now();
        for _ in 0..self.calls {
            (self.run)();
        }
        self.best = self.best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(self.calls));
    }
}

/// One message, with all its measurements.
pub(crate) struct Case {
    pub(crate) name: String,
    /// The message code of its frame.
    pub(crate) code: u8,
    /// The encoded message. It is leaked, because borrowed values refer to it.
    pub(crate) body: &'static [u8],
    pub(crate) measurements: Vec<Measurement>,
    /// Differences between contenders that are worth mentioning.
    pub(crate) notes: Vec<String>,
}

impl Case {
    /// Creates a case with only the `memcpy` floor.
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

    /// Returns the value that a contender decoded, or adds a note if it failed.
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

    /// Adds a note if the bytes that a contender encoded differ from its input.
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

    /// Runs all measurements in rounds. Every other round runs backwards, so that neighbours vary.
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

    /// Drops the functions and the values that they hold, and keeps the results.
    pub(crate) fn without_functions(mut self) -> Self {
        for measurement in &mut self.measurements {
            measurement.run = Box::new(|| ());
        }
        self
    }

    /// Returns the time of copying the encoded bytes.
    pub(crate) fn floor(&self) -> f64 {
        self.best(Group::Floor, |_| true).map_or(f64::NAN, |floor| floor.best)
    }

    /// Returns the fastest wanted measurement of a group.
    pub(crate) fn best(&self, group: Group, wanted: impl Fn(&Measurement) -> bool) -> Option<&Measurement> {
        self.measurements
            .iter()
            .filter(|measurement| measurement.group == group && wanted(measurement))
            .min_by(|a, b| a.best.total_cmp(&b.best))
    }

    /// Returns how many times as fast as the fastest peer this project is, and that peer.
    pub(crate) fn lead(&self, group: Group) -> Option<(f64, &Measurement)> {
        let ours = self.best(group, |measurement| measurement.is_ours() && !measurement.is_derived())?;
        let peer = self.best(group, |measurement| !measurement.is_ours())?;
        Some((peer.best / ours.best, peer))
    }

    /// Returns the time of the derived type as a multiple of the generated type's.
    pub(crate) fn derived(&self, group: Group) -> Option<f64> {
        let of = |name| self.best(group, |measurement| measurement.contender == name);
        Some(of("riak-derived")?.best / of("riak")?.best)
    }
}
