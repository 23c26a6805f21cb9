//! Flags and environment variables → what they say in place of the file. A flag wins over a variable, a variable over the file; what is
//! empty was not said. The secret itself has no flag, since arguments can be read by everyone on the machine.

use clap::Args;
use serde_json::Value;

use super::{
    error::Place,
    tree::{Content, Node},
};

/// The settings that are also flags and `STARKEEPER_*` variables. Values are kept as they were typed; [`load`](super::load) judges them
/// together with the file.
#[derive(Args, Clone, Debug, Default)]
pub struct Overrides {
    /// The folder of http.conf, pjsip.conf and manager.conf
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_ASTERISK_CONFIG_DIR", hide_env_values = true, value_name = "DIR")]
    pub config_dir: Option<String>,
    /// Where the Asterisk Manager Interface listens
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_AMI_ADDRESS", hide_env_values = true, value_name = "HOST:PORT")]
    pub ami_address: Option<String>,
    /// The AMI user
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_AMI_USERNAME", hide_env_values = true, value_name = "NAME")]
    pub ami_username: Option<String>,
    /// The file that holds the AMI user's secret (the secret itself: STARKEEPER_AMI_SECRET)
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_AMI_SECRET_FILE", hide_env_values = true, value_name = "FILE")]
    pub ami_secret_file: Option<String>,
    /// The PEM file with the certificate, leaf first
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_CERT", hide_env_values = true, value_name = "FILE")]
    pub cert: Option<String>,
    /// The PEM file with the private key
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_KEY", hide_env_values = true, value_name = "FILE")]
    pub key: Option<String>,
    /// A DNS name or IP address that the certificate must cover (repeatable)
    #[arg(help_heading = HEADING, long = "name", env = "STARKEEPER_NAMES", hide_env_values = true, value_name = "NAME", value_delimiter = ',')]
    pub names: Vec<String>,
    /// Where Asterisk's secure WebSocket listens
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_WSS_ADDRESS", hide_env_values = true, value_name = "HOST:PORT")]
    pub wss_address: Option<String>,
    /// Where the agent's own HTTP listens
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_HTTP_LISTEN", hide_env_values = true, value_name = "IP:PORT")]
    pub listen: Option<String>,
    /// off, error, warn, info, debug, trace, or a filter
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_LOG_LEVEL", hide_env_values = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// auto, text or json
    #[arg(help_heading = HEADING, long, env = "STARKEEPER_LOG_FORMAT", hide_env_values = true, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl Overrides {
    /// Puts what flags and variables say over what the file says.
    pub(super) fn apply(&self, environment: &dyn Fn(&str) -> Option<String>, tree: &mut Node) {
        for (key, flag, variable, typed) in [
            ("asterisk.configDir", "--config-dir", "STARKEEPER_ASTERISK_CONFIG_DIR", &self.config_dir),
            ("asterisk.ami.address", "--ami-address", "STARKEEPER_AMI_ADDRESS", &self.ami_address),
            ("asterisk.ami.username", "--ami-username", "STARKEEPER_AMI_USERNAME", &self.ami_username),
            ("asterisk.ami.secretFile", "--ami-secret-file", "STARKEEPER_AMI_SECRET_FILE", &self.ami_secret_file),
            ("certificate.cert", "--cert", "STARKEEPER_CERT", &self.cert),
            ("certificate.key", "--key", "STARKEEPER_KEY", &self.key),
            ("wss.address", "--wss-address", "STARKEEPER_WSS_ADDRESS", &self.wss_address),
            ("http.listen", "--listen", "STARKEEPER_HTTP_LISTEN", &self.listen),
            ("log.level", "--log-level", "STARKEEPER_LOG_LEVEL", &self.log_level),
            ("log.format", "--log-format", "STARKEEPER_LOG_FORMAT", &self.log_format),
        ] {
            let said = |text: &String| (!text.trim().is_empty()).then(|| text.trim().to_owned());
            let from_environment = environment(variable).as_ref().and_then(said);
            let place = place(flag, variable, typed.as_ref().and_then(said), &from_environment);
            if let Some((text, place)) = place {
                tree.set(key, Node { content: Content::Scalar(Value::String(text)), place });
            }
        }
        let split = |text: &str| text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let said = |names: Vec<String>| (!names.is_empty()).then_some(names);
        let from_environment = environment("STARKEEPER_NAMES").and_then(|text| said(split(&text)));
        let typed = said(self.names.iter().flat_map(|text| split(text)).collect());
        if let Some((names, place)) = place("--name", "STARKEEPER_NAMES", typed, &from_environment) {
            let name = |name: String| Node { content: Content::Scalar(Value::String(name)), place: place.clone() };
            let content = Content::List(names.into_iter().map(name).collect());
            tree.set("certificate.names", Node { content, place });
        }
    }
}

/// Who said it. clap fills a missing flag from the variable, so a flag that says the same as the variable counts as the variable.
fn place<T: Clone + PartialEq>(
    flag: &'static str,
    variable: &'static str,
    typed: Option<T>,
    from_environment: &Option<T>,
) -> Option<(T, Place)> {
    match typed {
        Some(typed) if Some(&typed) != from_environment.as_ref() => Some((typed, Place::Flag(flag))),
        Some(_) | None => from_environment.clone().map(|said| (said, Place::Variable(variable))),
    }
}

/// Said at each argument: said once for all, it would spread to the arguments of whoever takes these in.
const HEADING: &str = "Settings";
