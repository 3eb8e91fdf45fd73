//! Reads `.proto` files.
