//! The `starkeeper` program.

fn main() {}
