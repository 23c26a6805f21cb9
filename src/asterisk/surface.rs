//! The TLS doors of one Asterisk, by name.

use std::fmt;

/// A place where Asterisk shows a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surface {
    /// HTTPS and the secure WebSocket: http.conf.
    Wss,
    /// A `protocol=tls` transport of pjsip.conf.
    SipTls {
        /// The transport's section.
        transport: String,
    },
    /// AMI over TLS: manager.conf.
    AmiTls,
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Surface::Wss => f.write_str("wss"),
            Surface::SipTls { transport } => write!(f, "sip-tls/{transport}"),
            Surface::AmiTls => f.write_str("ami-tls"),
        }
    }
}
