//! The command line as people and scripts meet it: the real binary, its exit statuses, what it prints in either language, in a pipe, in
//! colour and on a terminal. `inspect`, `healthcheck` and `reload` are tried on a real Asterisk 22.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails at the place where it stands")]

mod support;

#[path = "cli/check.rs"]
mod check;
#[path = "cli/desk.rs"]
mod desk;
#[path = "cli/generated.rs"]
mod generated;
#[path = "cli/live.rs"]
mod live;
#[path = "cli/pages.rs"]
mod pages;
#[path = "cli/pipes.rs"]
mod pipes;
#[path = "cli/readme.rs"]
mod readme;
#[path = "cli/usage.rs"]
mod usage;
