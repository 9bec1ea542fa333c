//! End-to-end tests over real programs and a private Tor network.
