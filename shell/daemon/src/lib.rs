//! Engine, store and gate in one loop; RPC server and view models.
//!
//! Without the feature `core` this is the RPC's types and nothing else: what faces link.

pub mod types;

#[cfg(feature = "core")]
mod actor;
#[cfg(feature = "core")]
mod clock;
#[cfg(feature = "core")]
mod dice;
#[cfg(feature = "core")]
mod rpc;
#[cfg(feature = "core")]
mod run;
#[cfg(feature = "core")]
mod wording;
#[cfg(feature = "core")]
mod work;

#[cfg(feature = "core")]
pub use actor::Exit;
#[cfg(feature = "core")]
pub use run::{Config, StartError, run};
#[cfg(feature = "core")]
pub use work::{Worker, serve as work};
