//! Ed25519 + ML-DSA-65 identity, certificates, SAS.
