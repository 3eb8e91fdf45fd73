//! Data types in the in-memory node.
//!
//! `replay_node` compares the node with the recorded one. These tests check it by itself:
//! its errors and answers (`refusals`, `answers`), concurrent clients (`observed`), models
//! of the algebra (`model`), data types as objects (`objects`) and as frames (`frames`),
//! and `riak-client` (`convergent`).

mod answers;
mod convergent;
mod frames;
mod log;
mod model;
mod objects;
mod observed;
mod refusals;
mod requests;

#[path = "../replay/peer.rs"]
mod peer;

// The runtime's generator of reproducible random choices.
#[allow(dead_code)]
#[path = "../../../runtime/src/dice.rs"]
mod dice;
