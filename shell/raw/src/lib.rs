//! The only crate with unsafe code: inherited descriptors, process hardening.
