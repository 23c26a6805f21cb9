//! An endpoint, whether it has a section of its own in pjsip.conf or is one of those that a section of pjsip_wizard.conf stands for
//! (res/res_pjsip_config_wizard.c) → what it says that matters to browsers, read in one pass: there may be a hundred thousand. Pure.

use super::super::{
    conf::{Entry, Section},
    value,
};

/// What an endpoint says. Of what is said twice the last counts.
pub(super) struct Endpoint<'c> {
    pub(super) section: Section<'c>,
    /// What stands before its options: nothing, or `endpoint/`.
    pub(super) prefix: &'static str,
    pub(super) transport: Option<Entry<'c>>,
    pub(super) auth: Option<Entry<'c>>,
    pub(super) aors: Option<Entry<'c>>,
    pub(super) identify_by: Option<Entry<'c>>,
    pub(super) webrtc: bool,
    pub(super) use_avpf: bool,
    pub(super) dtls: bool,
    pub(super) ice_support: bool,
    pub(super) rtcp_mux: bool,
    pub(super) dtls_auto_generate_cert: bool,
    pub(super) dtls_cert_file: Option<Entry<'c>>,
    pub(super) dtls_private_key: Option<Entry<'c>>,
    /// Of the wizard itself: `accepts_auth`, where it says yes.
    pub(super) accepts_auth: Option<Entry<'c>>,
    /// `inbound_auth/username` is there.
    pub(super) has_username: bool,
}

impl<'c> Endpoint<'c> {
    /// A section of pjsip.conf.
    pub(super) fn own(section: Section<'c>) -> Self {
        let mut endpoint = Self::nothing(section, "");
        section.entries().for_each(|entry| lowercase(entry.name_bytes(), |name| endpoint.take(name, entry)));
        endpoint
    }

    /// What a section of pjsip_wizard.conf stands for.
    pub(super) fn of_wizard(section: Section<'c>) -> Self {
        let mut endpoint = Self::nothing(section, "endpoint/");
        let mut transport = None;
        for entry in section.entries() {
            lowercase(entry.name_bytes(), |name| match name {
                b"transport" => transport = Some(entry).filter(said),
                b"accepts_auth" => endpoint.accepts_auth = Some(entry).filter(|entry| value::truth(&entry.value())),
                b"inbound_auth/username" => endpoint.has_username = said(&entry),
                _ => {
                    if let Some(name) = name.strip_prefix(b"endpoint/") {
                        endpoint.take(name, entry);
                    }
                }
            });
        }
        // It is given last, and so before the endpoint's own.
        endpoint.transport = transport.or(endpoint.transport);
        endpoint
    }

    pub(super) fn is_of_wizard(&self) -> bool {
        !self.prefix.is_empty()
    }

    fn nothing(section: Section<'c>, prefix: &'static str) -> Self {
        Endpoint {
            section,
            prefix,
            transport: None,
            auth: None,
            aors: None,
            identify_by: None,
            webrtc: false,
            use_avpf: false,
            dtls: false,
            ice_support: false,
            rtcp_mux: false,
            dtls_auto_generate_cert: false,
            dtls_cert_file: None,
            dtls_private_key: None,
            accepts_auth: None,
            has_username: false,
        }
    }

    fn take(&mut self, name: &[u8], entry: Entry<'c>) {
        let truth = || value::truth(&entry.value());
        match name {
            b"transport" => self.transport = Some(entry).filter(said),
            b"auth" => self.auth = Some(entry),
            b"aors" => self.aors = Some(entry).filter(said),
            b"identify_by" => self.identify_by = Some(entry),
            b"webrtc" => self.webrtc = truth(),
            b"use_avpf" => self.use_avpf = truth(),
            b"media_encryption" => self.dtls = entry.value_bytes().eq_ignore_ascii_case(b"dtls"),
            b"ice_support" => self.ice_support = truth(),
            b"rtcp_mux" => self.rtcp_mux = truth(),
            b"dtls_auto_generate_cert" => self.dtls_auto_generate_cert = truth(),
            b"dtls_cert_file" => self.dtls_cert_file = Some(entry),
            b"dtls_private_key" => self.dtls_private_key = Some(entry),
            _ => {}
        }
    }

    /// What `webrtc = yes` stands for and a browser insists on, and is not there (res/res_pjsip/pjsip_configuration.c). The rest of it
    /// (`dtls_setup`, `dtls_verify`, `media_use_received_transport`, `bundle`) has defaults that a browser calls with.
    pub(super) fn lacking(&self) -> impl Iterator<Item = &'static str> + use<> {
        let whole = [
            ("use_avpf", self.use_avpf),
            ("media_encryption", self.dtls),
            ("ice_support", self.ice_support),
            ("rtcp_mux", self.rtcp_mux),
            ("dtls_auto_generate_cert", self.dtls_auto_generate_cert || self.dtls_cert_file.is_some()),
        ];
        let webrtc = self.webrtc;
        whole.into_iter().filter(move |(_, is_there)| !webrtc && !is_there).map(|(option, _)| option)
    }

    /// The files that it shows in its media, certificate and key. `webrtc` asks for a certificate of Asterisk's own making only where none is
    /// named; both together cost the endpoint.
    pub(super) fn dtls_pair(&self) -> Option<(Entry<'c>, Entry<'c>)> {
        let cert = self.dtls_cert_file.filter(said)?;
        let used = (self.webrtc || self.dtls) && !self.dtls_auto_generate_cert;
        used.then(|| (cert, self.dtls_private_key.filter(said).unwrap_or(cert)))
    }

    /// Opus, and nothing that an Asterisk without codec_opus could translate.
    pub(super) fn allows_opus_alone(&self) -> bool {
        let mut allowed: Vec<&[u8]> = Vec::new();
        for entry in self.section.entries() {
            let name = entry.name_bytes();
            let name = name.get(self.prefix.len()..).filter(|_| name[..self.prefix.len()].eq_ignore_ascii_case(self.prefix.as_bytes()));
            let refuses = match name {
                Some(name) if name.eq_ignore_ascii_case(b"allow") => false,
                Some(name) if name.eq_ignore_ascii_case(b"disallow") => true,
                Some(_) | None => continue,
            };
            for codec in entry.value_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                // `allow = !ulaw` is `disallow = ulaw`.
                let (codec, gone) = codec.strip_prefix(b"!").map_or((codec, refuses), |codec| (codec, true));
                if gone {
                    allowed.retain(|known| !codec.eq_ignore_ascii_case(b"all") && !known.eq_ignore_ascii_case(codec));
                } else {
                    allowed.push(codec);
                }
            }
        }
        let mut audio = allowed.iter().filter(|codec| !VIDEO.iter().any(|video| video.eq_ignore_ascii_case(codec))).peekable();
        audio.peek().is_some() && audio.all(|codec| codec.eq_ignore_ascii_case(b"opus"))
    }
}

const VIDEO: [&[u8]; 8] = [b"vp8", b"vp9", b"h264", b"h265", b"h263", b"h263p", b"h261", b"mpeg4"];

fn said(entry: &Entry<'_>) -> bool {
    !entry.value_bytes().is_empty()
}

/// Names of options have no case; none that matters is longer than this.
pub(super) fn lowercase<T: Default>(name: &[u8], then: impl FnOnce(&[u8]) -> T) -> T {
    let mut buffer = [0; 32];
    match buffer.get_mut(..name.len()) {
        Some(lower) => {
            lower.copy_from_slice(name);
            lower.make_ascii_lowercase();
            then(lower)
        }
        None => T::default(),
    }
}
