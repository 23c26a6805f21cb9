//! What a person asks about → a [`Report`]: evidence is collected once, step by step, by the examinations that stand beside this file,
//! each of which writes into one [`Notebook`]; what it all means is decided in `verdict`. Examinations never fail: what cannot be looked
//! at is written down, too, with what it would need.

mod cause;
pub mod client;
pub mod inside;
mod notebook;
pub mod outside;
#[cfg(test)]
mod tests;
mod verdict;

pub use cause::Cause;
pub use notebook::{Listener, Needs, Notebook, Outcome, Running, Step, Unchecked};
pub use verdict::{BrowserWould, Report};
