//! Every chore of the project: ci, demo, layers, claims, bench.

fn main() {}
