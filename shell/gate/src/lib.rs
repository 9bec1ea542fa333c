//! The core's side of the gate: frames, dialer, descriptor passing.
