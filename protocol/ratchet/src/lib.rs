//! Double Ratchet with an ML-KEM step in every DH step.
