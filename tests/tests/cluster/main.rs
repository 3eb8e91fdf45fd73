//! Several nodes that a client calls as one: load balancing, failover, retries, and the errors
//! that callers get.

mod errors;
mod lifecycle;
mod routing;
mod support;
