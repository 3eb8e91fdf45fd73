//! Data types in the in-memory node.
//!
//! What the node answers is the recorded node's (`replay_node`); here it is held
//! by itself: in its words (`refusals`, `answers`), in what clients do to each
//! other (`observed`), against models of the algebra (`model`), as objects
//! (`objects`), as frames (`frames`), and with `riak-client` (`convergent`).

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

// The runtime's own: choices that are the same in every run.
#[allow(dead_code)]
#[path = "../../../runtime/src/dice.rs"]
mod dice;
