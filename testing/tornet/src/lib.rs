//! A private Tor network on loopback, made of real tor processes.
