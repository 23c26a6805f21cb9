//! What AMI tells → whether Asterisk can be talked to, and whether somebody else had it reload.

use super::{AmiLink, State, beside};
use crate::{
    asterisk::{
        ami::{AmiEvent, ReloadStatus},
        reload::Reload,
    },
    clock::Now,
};

impl State {
    pub(super) fn take_ami(&mut self, event: AmiEvent, now: Now) {
        match event {
            AmiEvent::Connected { version } => {
                self.ami = AmiLink::Up { version, booted: false, since: now };
                self.tally.ami_connects += 1;
                self.begin_anew(now);
            }
            AmiEvent::FullyBooted => {
                // It comes with every login, also with one that is no news.
                if let AmiLink::Up { booted, .. } = &mut self.ami
                    && !std::mem::replace(booted, true)
                {
                    self.begin_anew(now);
                }
            }
            AmiEvent::Reload { module, status } => match status {
                ReloadStatus::Done | ReloadStatus::Error | ReloadStatus::Unknown(_) => self.take_reload_event(&module, now),
                ReloadStatus::Queued
                | ReloadStatus::NotFound
                | ReloadStatus::InProgress
                | ReloadStatus::Uninitialized
                | ReloadStatus::NotImplemented => {}
            },
            AmiEvent::Disconnected(finding) => {
                self.look |= self.ami.is_up();
                self.echoes.clear();
                self.ami = AmiLink::Down { finding: Some(finding), since: self.ami.down_since().unwrap_or(now) };
            }
        }
    }

    /// A reload by somebody else may have changed what is served: only a look tells.
    fn take_reload_event(&mut self, module: &str, now: Now) {
        if let Some(echo) = self.echoes.iter().position(|echo| *echo == module) {
            self.echoes.swap_remove(echo);
            return;
        }
        self.look |= module == Reload::HTTP.name() || module == beside::ALL;
        self.look_beside_for(module, now);
    }

    /// AMI tells of our own reloads, too.
    pub(super) fn expect_echoes(&mut self, reloads: &[Reload]) {
        self.echoes.retain(|echo| !reloads.iter().any(|reload| reload.name() == *echo));
        self.echoes.extend(reloads.iter().map(Reload::name));
    }
}
