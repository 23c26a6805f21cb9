//! Starkeeper keeps Asterisk's secure WebSocket door open: it watches the mounted TLS certificate, refuses one that would break
//! Asterisk, has Asterisk load a good one over AMI, and proves on the wire that browsers get it.
//!
//! The rooms, in the order in which facts flow. A room imports from rooms above it or from itself; `tests/layering.rs` holds that.
//!
//! ```text
//! files ─► material ─► bundle ─► asterisk ─► proof ─► report ─► health, metrics, status
//!          (bytes of   (checked  (reload     (TLS +
//!          one gener-  pair)     over AMI)   /ws sip)
//!          ation)
//!                    state ⇄ driver decide and act, supervise owns the tasks
//! ```

pub mod asterisk;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod configure;
pub mod diagnosis;
pub mod dispatch;
pub mod doctor;
pub mod driver;
pub mod host;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
pub mod material;
pub mod plan;
pub mod proof;
pub mod report;
pub mod settings;
pub mod staging;
pub mod state;
pub mod supervise;
