//! What came of work, what the watch saw and what Asterisk told → inputs, and what the driver itself goes by from then on.

use tokio_util::task::AbortOnDropHandle;
use tracing::info;

use super::{
    Driver,
    config_folder::ConfigFolder,
    links::{link, watch_files},
    publishing::watching,
    work::{Done, Own, finished},
};
use crate::{clock, host, material::MaterialEvent, plan, proof::Closing, state::Input};

impl Driver {
    pub(super) fn take(&mut self, done: Done) -> Vec<Input> {
        match done {
            Done::Observed(observation, closing) => {
                self.part(closing);
                self.others.look(&self.expected_of_asterisk(), clock::now());
                self.look_at_the_clock(clock::now());
                // Time goes by for what the files hold, too, and Asterisk's own files may have been edited.
                let edited = self.config.as_ref().is_some_and(ConfigFolder::changed).then(|| self.read_config()).flatten();
                let damaged = self.is_damaged().then_some(Input::PublishedDamaged);
                edited.into_iter().chain(damaged).chain(self.judge_again()).chain([Input::Observed(observation)]).collect()
            }
            Done::Looked(surface, observation, closing) => {
                self.part(closing);
                vec![Input::Looked(surface, observation)]
            }
            Done::Published(outcome) => vec![Input::Published(outcome)],
            Done::Reloaded(outcome) => vec![Input::Reloaded(outcome)],
        }
    }

    /// Lets a probe's farewell go on beside what comes next. The one before it may not be over yet: dropped, it would end abruptly.
    fn part(&mut self, closing: Closing) {
        let former = self.closing.take();
        let both = async move {
            tokio::join!(closing.done(), finished(former));
        };
        self.closing = Some(AbortOnDropHandle::new(tokio::spawn(both)));
    }

    pub(super) fn take_material(&mut self, event: MaterialEvent) -> Vec<Input> {
        match event {
            MaterialEvent::Snapshot { snapshot, noticed } => {
                self.want_a_look_around();
                vec![self.judge(snapshot, noticed)]
            }
            MaterialEvent::Watching(mode) => {
                info!(mode = watching(&mode), "watching the files");
                self.watching = mode;
                Vec::new()
            }
        }
    }

    /// Reads Asterisk's own files again, and goes by what they say now.
    pub(super) fn read_config(&mut self) -> Option<Input> {
        let folder = self.settings.asterisk.config_dir.as_deref()?;
        let config = ConfigFolder::read(folder);
        let plan = plan::plan(&self.settings, Some(&config.read), self.asterisk.as_deref());
        self.config = Some(config);
        if plan.sources != self.plan.sources {
            info!(cert = %plan.sources.cert.display(), key = %plan.sources.key.display(), "Asterisk's files name other certificate files");
            self.files = watch_files(&plan, &self.settings);
            self.newest = None;
        }
        if plan.ami != self.plan.ami {
            self.dropped += self.ami.client.dropped();
            self.ami = link(&plan.ami, &self.settings.probe, &self.anchors);
        }
        self.plan = plan;
        self.others.follow(&self.plan.others, &self.expected_of_asterisk(), clock::now());
        self.want_a_look_around();
        self.surroundings.told_by_asterisk(None);
        self.to_ask = true;
        Some(Input::Config(self.plan.means.clone()))
    }

    pub(super) fn take_own(&mut self, own: Own) -> Option<Input> {
        let input = self.take_version(own.version);
        self.to_ask = false;
        let ours = self.config.as_ref().and_then(|config| config.read.http.as_ref().ok());
        let differs = ours.zip(own.http).and_then(|(ours, told)| host::another(ours, &told, &self.plan.ami.address));
        self.surroundings.told_by_asterisk(differs);
        input
    }

    /// Which surfaces can be refreshed depends on the release.
    fn take_version(&mut self, version: Option<String>) -> Option<Input> {
        if version.is_none() || version == self.asterisk {
            return None;
        }
        self.asterisk = version;
        self.read_config()
    }
}
