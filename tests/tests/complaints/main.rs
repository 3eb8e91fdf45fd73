//! Regression tests for the fifteen complaints that users of other Riak clients raise most
//! often, one test each.
//!
//! The tests are numbered by complaint, the worst first. Each shows its point by itself, in one
//! file that can be read from start to end. Where other tests cover the point as well, the
//! test's comment names them.

mod connections;
mod data;
mod nodes;
mod safety;
mod server;
