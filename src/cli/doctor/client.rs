//! `doctor client`: arguments → the files that they name, and the examination of what a front end is told.

use std::{path::PathBuf, process::ExitCode};

use super::{
    asking::{Asking, TIMEOUT},
    examine, origin, refuse,
};
use crate::{
    cli::{Common, help},
    doctor::client::{self, Asked, Look},
    material::anchors,
    settings::{self, Address, Trust},
};

#[derive(Debug, clap::Args)]
#[command(after_help = help::DOCTOR_CLIENT)]
pub(super) struct Client {
    /// The front end's env file
    #[arg(long, value_name = "FILE")]
    env_file: PathBuf,
    /// The Compose file of Asterisk (repeatable, as `docker compose -f`)
    #[arg(long, value_name = "FILE")]
    compose: Vec<PathBuf>,
    /// Which of its services is Asterisk's [default: the one that looks like it]
    #[arg(long, value_name = "NAME", requires = "compose")]
    service: Option<String>,
    /// Asterisk's configuration [default: what the service mounts as /etc/asterisk]
    #[arg(long, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    /// The origin of the page that connects [default: what the env file says, else https]
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    page: Option<String>,
    /// Judge the files alone, and connect nowhere
    #[arg(long, conflicts_with_all = ["ca", "connect", "user", "hold", "timeout"])]
    offline: bool,
    /// Connect there, whatever DNS says (as curl's --connect-to)
    #[arg(long, value_name = "HOST:PORT", value_parser = settings::place)]
    connect: Option<Address>,
    #[command(flatten)]
    asking: Asking,
}

impl Client {
    pub(super) fn run(&self, common: &Common) -> ExitCode {
        let look = match self.look() {
            Ok(look) => look,
            Err(why) => return refuse(&why),
        };
        let asked = Asked {
            env_file: self.env_file.clone(),
            compose: self.compose.clone(),
            service: self.service.clone(),
            page: self.page.clone(),
            config_dir: self.config_dir.clone(),
            look,
        };
        let evidence = match client::read(&asked, &|name| std::env::var(name).ok()) {
            Ok(evidence) => evidence,
            Err(error) => return refuse(&error.to_string()),
        };
        examine(common, async |book| client::examine(book, &asked, &evidence).await)
    }

    fn look(&self) -> Result<Option<Look>, String> {
        if self.offline {
            return Ok(None);
        }
        let anchors = anchors::load(&self.asking.trust().unwrap_or(Trust::System)).map_err(|error| error.to_string())?;
        let (wishes, timeout) = (self.asking.wishes()?, self.asking.timeout.unwrap_or(TIMEOUT));
        Ok(Some(Look { anchors, connect: self.connect.clone(), wishes, timeout }))
    }
}
