//! What is Asterisk's own: its configuration files and its manager interface.

pub mod ami;
pub mod config;
pub mod reload;
pub mod surface;
pub mod version;
