//! A reload that is wanted → the AMI requests that bring it about, in the form that needs the least.

use super::ami::{Client, CommandFailure, ReloadFailure, Reloaded};
use crate::diagnosis::Code;

/// What is to be reloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// One module: `http`, `manager`, `res_pjsip.so`.
    Module(&'static str),
    /// All that `pjsip reload` stands for.
    Pjsip,
}

impl Reload {
    /// HTTPS and the secure WebSocket.
    pub const HTTP: Reload = Reload::Module("http");
    /// The transports of SIP.
    pub const RES_PJSIP: Reload = Reload::Module("res_pjsip.so");
    /// AMI itself.
    pub const MANAGER: Reload = Reload::Module("manager");

    /// As a person would say it.
    pub fn name(&self) -> &'static str {
        match self {
            Reload::Module(module) => module,
            Reload::Pjsip => "pjsip",
        }
    }
}

/// Has it done.
///
/// # Errors
/// The first module that could not be reloaded. Of those that `pjsip reload` stands for, only res_pjsip.so must be there.
pub async fn reload(client: &Client, what: &Reload) -> Result<Reloaded, ReloadFailure> {
    match what {
        Reload::Module(module) => client.reload(module).await,
        Reload::Pjsip => match client.command(ALIAS).await {
            Ok(_) => Ok(Reloaded::Done),
            // Minimal images lack the alias, careful users lack class `command`: both can have what it stands for.
            Err(CommandFailure::Refused { .. }) => each(client).await,
            Err(CommandFailure::Unanswered(finding)) if finding.code == Code::AmiPermissionDenied => each(client).await,
            Err(CommandFailure::Unanswered(finding)) => Err(ReloadFailure { finding }),
        },
    }
}

async fn each(client: &Client) -> Result<Reloaded, ReloadFailure> {
    let mut answered = Reloaded::Done;
    for module in STANDS_FOR {
        match client.reload(module).await {
            Ok(Reloaded::Done) => {}
            Ok(Reloaded::Queued) => answered = Reloaded::Queued,
            Err(failure) if module != STANDS_FOR[0] && failure.finding.code == Code::ReloadModuleMissing => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(answered)
}

/// An alias of cli_aliases.conf, `[friendly]`; needs res_clialiases.
const ALIAS: &str = "pjsip reload";

/// What the alias stands for (`module reload` of each), in its order.
const STANDS_FOR: [&str; 8] = [
    "res_pjsip.so",
    "res_pjsip_authenticator_digest.so",
    "res_pjsip_endpoint_identifier_ip.so",
    "res_pjsip_mwi.so",
    "res_pjsip_notify.so",
    "res_pjsip_outbound_publish.so",
    "res_pjsip_publish_asterisk.so",
    "res_pjsip_outbound_registration.so",
];
