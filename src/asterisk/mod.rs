//! What is Asterisk's own: its configuration files and its manager interface.

pub mod ami;
pub mod config;
