//! Engine, store and gate in one loop; RPC server and view models.

pub mod types;
