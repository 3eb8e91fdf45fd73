//! What users of other clients have suffered from, and why it cannot happen
//! here: the fifteen complaints that come up most often, a test each.
//!
//! The tests are numbered as the complaints are, the worst first, and each shows
//! its point by itself, to people who read one file. Where a point is held by
//! more than that, the test's comment says where.

mod connections;
mod data;
mod nodes;
mod safety;
mod server;
