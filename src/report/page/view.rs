//! `Status` → what stands on the page, in words and numbers, in the order in which it is read. Pure. Whatever came from a certificate or a
//! peer is made harmless to the eye here ([`printable`]), and to HTML by the template.

use jiff::Timestamp;

use super::drawing::{Lifetime, Plot, Stage, stages};
use crate::{
    bundle::Leaf,
    diagnosis::{
        Finding, Lang, Severity,
        show::{Show, Styles},
        texts::{self, Piece, printable},
    },
    report::{
        Check, Status, Verdict,
        status::{Expiry, PastRotation, Stages, Surface},
        words::{self, Tone},
    },
};

/// Everything on the page.
#[derive(Debug)]
pub(super) struct View {
    pub(super) lang: Lang,
    pub(super) tone: Tone,
    pub(super) headline: String,
    pub(super) phase: &'static str,
    pub(super) meaning: String,
    pub(super) since: Moment,
    pub(super) at: Moment,
    pub(super) started: Moment,
    pub(super) agent: &'static str,
    pub(super) counted: String,
    pub(super) findings: Vec<Found>,
    pub(super) surfaces: Vec<Door>,
    pub(super) files: Files,
    pub(super) ami: Ami,
    pub(super) healing: String,
    pub(super) rotations: Vec<Rotation>,
    pub(super) tally: [u64; 4],
    pub(super) plot: Option<Plot>,
    pub(super) health: Vec<Health>,
}

/// A point in time.
#[derive(Debug)]
pub(super) struct Moment {
    /// RFC 3339, for programs.
    pub(super) exact: String,
    /// As it is read.
    pub(super) shown: String,
    /// How long ago.
    pub(super) ago: String,
}

#[derive(Debug)]
pub(super) struct Found {
    pub(super) tone: Tone,
    pub(super) severity: String,
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) evidence: Vec<(String, String)>,
    pub(super) meaning: Vec<Block>,
    pub(super) remedy: Vec<Block>,
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum Block {
    /// A paragraph: words, and what stands between backticks.
    Prose(Vec<(bool, String)>),
    /// Lines to paste at once, for a shell or into a file, and their number on the page.
    Paste { shell: bool, text: String, id: usize },
}

#[derive(Debug)]
pub(super) struct Door {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) tone: Tone,
    pub(super) door: String,
    pub(super) millis: String,
    pub(super) protocol: String,
    pub(super) served: Option<Certificate>,
    pub(super) matches: bool,
    pub(super) acceptable: bool,
}

#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) names: String,
    pub(super) issuer: String,
    pub(super) key: String,
    pub(super) fingerprint: String,
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) left: String,
    pub(super) thresholds: String,
    pub(super) lifetime: Lifetime,
}

#[derive(Debug)]
pub(super) struct Files {
    pub(super) cert: String,
    pub(super) key: String,
    pub(super) watching: &'static str,
    pub(super) tone: Tone,
    pub(super) verdict: String,
    /// What lies there, where it is not what is served.
    pub(super) others: Vec<(&'static str, Certificate)>,
}

#[derive(Debug)]
pub(super) struct Ami {
    pub(super) address: String,
    pub(super) tone: Tone,
    pub(super) link: &'static str,
    pub(super) version: String,
    pub(super) lasting: String,
}

#[derive(Debug)]
pub(super) struct Rotation {
    pub(super) at: Moment,
    pub(super) tone: Tone,
    pub(super) outcome: String,
    pub(super) fingerprint: String,
    pub(super) total: String,
    pub(super) told: String,
    pub(super) stages: Vec<Stage>,
}

#[derive(Debug)]
pub(super) struct Health {
    pub(super) path: &'static str,
    pub(super) question: &'static str,
    pub(super) ok: bool,
    pub(super) checks: Vec<Check>,
}

impl View {
    /// `ready`: as it stands at this very moment.
    pub(super) fn of(status: &Status, ready: &Verdict, now: Timestamp, lang: Lang) -> Self {
        let reader = Reader { now, lang };
        let (tone, headline) = words::headline(status.phase, ready.ok, lang);
        let errors = status.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let mut blocks = 0;
        View {
            lang,
            tone: if tone == Tone::Good && errors > 0 { Tone::Warning } else { tone },
            headline,
            phase: status.phase,
            meaning: words::meaning(status.phase, lang).replace('`', ""),
            since: reader.moment(status.since),
            at: reader.moment(status.at),
            started: reader.moment(status.started_at),
            agent: status.agent,
            counted: Show::new(lang, Styles::plain()).counts(&status.findings),
            findings: status.findings.iter().map(|finding| reader.found(finding, &mut blocks)).collect(),
            surfaces: status.surfaces.iter().map(|surface| reader.door(surface)).collect(),
            files: reader.files(status),
            ami: reader.ami(status),
            healing: words::healing(status.healing.by, lang),
            rotations: reader.rotations(&status.rotations),
            tally: [status.counts.proved, status.counts.rejected, status.counts.healed, status.counts.already_served],
            plot: Plot::of(status.latency.iter(), now),
            health: [
                ("readyz", reader.say("Can browsers connect?", "Os navegadores conseguem conectar?"), ready),
                ("livez", reader.say("Can Asterisk do without a restart?", "O Asterisk dispensa um reinício?"), &status.live),
                ("startupz", reader.say("May Asterisk start?", "O Asterisk pode subir?"), &status.startup),
            ]
            .map(|(path, question, verdict)| Health { path, question, ok: verdict.ok, checks: verdict.checks.clone() })
            .into(),
        }
    }

    /// The one of these that is of the page's language.
    pub(super) fn t<'a>(&self, en: &'a str, pt: &'a str) -> &'a str {
        words::say(self.lang, en, pt)
    }

    pub(super) fn millis(&self, millis: &f64) -> String {
        words::millis(*millis, self.lang)
    }

    pub(super) fn stage(&self, stage: &'static str) -> &'static str {
        words::stage(stage, self.lang)
    }
}

/// Who reads, and when.
struct Reader {
    now: Timestamp,
    lang: Lang,
}

impl Reader {
    fn say<'a>(&self, en: &'a str, pt: &'a str) -> &'a str {
        words::say(self.lang, en, pt)
    }

    fn moment(&self, at: Timestamp) -> Moment {
        let exact = words::moment(at);
        Moment { shown: exact.replace('T', " ").replace('Z', " UTC"), ago: words::ago(self.now, at, self.lang), exact }
    }

    fn found(&self, finding: &Finding, blocks: &mut usize) -> Found {
        let text = texts::text(finding.code, self.lang);
        let mut blocks = |template, pieces| Self::blocks(template, pieces, blocks);
        Found {
            tone: match finding.severity {
                Severity::Error => Tone::Bad,
                Severity::Warning => Tone::Warning,
                Severity::Info => Tone::Busy,
            },
            severity: Show::new(self.lang, Styles::plain()).severity(finding.severity),
            code: finding.code.name(),
            title: text.title,
            evidence: finding.evidence.0.iter().map(|(key, value)| (printable(key), printable(&value.to_string()))).collect(),
            meaning: blocks(text.meaning, texts::fill(text.meaning, &finding.evidence, self.lang)),
            remedy: blocks(text.remedy, finding.remedy_pieces(self.lang)),
        }
    }

    /// Lines for the same place that follow each other are pasted at once. What the template did not hold belongs into a file.
    fn blocks(template: &str, pieces: Vec<Piece>, count: &mut usize) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let shells = template.lines().map(|line| line.starts_with("$ ")).chain(std::iter::repeat(false));
        for (piece, for_shell) in pieces.into_iter().zip(shells) {
            match (piece, blocks.last_mut()) {
                (Piece::Paste(line), Some(Block::Paste { shell, text, .. })) if *shell == for_shell => {
                    text.push('\n');
                    text.push_str(&line);
                }
                (Piece::Paste(text), _) => {
                    *count += 1;
                    blocks.push(Block::Paste { shell: for_shell, text, id: *count });
                }
                (Piece::Prose(paragraph), _) => {
                    let spans = paragraph.split('`').enumerate().map(|(place, text)| (place % 2 == 1, text.to_owned()));
                    blocks.push(Block::Prose(spans.collect()));
                }
            }
        }
        blocks
    }

    fn door(&self, surface: &Surface) -> Door {
        let (tone, door) = words::door(surface.door, self.lang);
        Door {
            name: printable(&surface.surface),
            address: printable(&format!("{}{}", surface.address, surface.path.as_deref().unwrap_or_default())),
            tone,
            door,
            millis: self.stages(surface.millis),
            protocol: printable(surface.protocol.as_deref().unwrap_or_default()).replace("v1_", " 1."),
            served: surface.served.as_ref().map(|leaf| self.certificate(leaf, surface.expiry)),
            matches: surface.matches_wanted,
            acceptable: surface.acceptable.unwrap_or(true),
        }
    }

    fn stages(&self, millis: Stages) -> String {
        let told = [("tcp", millis.tcp), ("tls", millis.tls), ("upgrade", millis.upgrade)];
        let told: Vec<_> = told.iter().filter_map(|(name, took)| Some(format!("{name} {}", words::millis((*took)?, self.lang)))).collect();
        if told.is_empty() { String::new() } else { format!("{} ms", told.join(" · ")) }
    }

    fn certificate(&self, leaf: &Leaf, expiry: Option<Expiry>) -> Certificate {
        let whole = words::age(leaf.not_after, leaf.not_before, self.lang);
        let left = words::age(leaf.not_after, self.now, self.lang);
        let day = |at: Timestamp| words::moment(at).chars().take(10).collect::<String>();
        Certificate {
            subject: printable(&leaf.subject),
            names: printable(&leaf.names.join(", ")),
            issuer: printable(&leaf.issuer),
            key: printable(&leaf.key_algorithm),
            fingerprint: leaf.fingerprint_sha256.to_string(),
            from: self.moment(leaf.not_before),
            until: self.moment(leaf.not_after),
            left: match (self.lang, leaf.not_after > self.now) {
                (Lang::En, true) => format!("{left} left of {whole}"),
                (Lang::PtBr, true) => format!("{left} restantes de {whole}"),
                (Lang::En, false) => format!("ended {}", words::ago(self.now, leaf.not_after, self.lang)),
                (Lang::PtBr, false) => format!("terminou {}", words::ago(self.now, leaf.not_after, self.lang)),
            },
            thresholds: match (self.lang, expiry) {
                (_, None) => String::new(),
                (Lang::En, Some(at)) => format!("warning from {}, critical from {}", day(at.warning_from), day(at.critical_from)),
                (Lang::PtBr, Some(at)) => {
                    format!("aviso a partir de {}, crítico a partir de {}", day(at.warning_from), day(at.critical_from))
                }
            },
            lifetime: Lifetime::of(leaf, expiry, self.now),
        }
    }

    fn files(&self, status: &Status) -> Files {
        let files = &status.files;
        let (tone, verdict) = words::verdict(files.verdict, self.lang);
        let served = status.surfaces.first().is_some_and(|wss| wss.matches_wanted);
        let others = [
            (self.say("Rejected certificate", "Certificado rejeitado"), files.rejected_leaf.as_ref()),
            (
                self.say("Wanted certificate", "Certificado desejado"),
                files.leaf.as_ref().filter(|_| !served && files.rejected_leaf.is_none()),
            ),
            (self.say("Published certificate", "Certificado publicado"), files.published.as_ref().filter(|_| !served)),
        ];
        Files {
            cert: printable(&files.cert),
            key: printable(&files.key),
            watching: match files.watching {
                "inotify" => self.say("watched (inotify)", "observados (inotify)"),
                _ => self.say("looked at again and again (polling)", "relidos de tempos em tempos (polling)"),
            },
            tone,
            verdict,
            others: others.into_iter().filter_map(|(name, leaf)| Some((name, self.certificate(leaf?, None)))).collect(),
        }
    }

    fn ami(&self, status: &Status) -> Ami {
        let (tone, link) = words::link(status.ami.connected, status.ami.fully_booted, self.lang);
        Ami {
            address: printable(&status.ami.address),
            tone,
            link,
            version: printable(status.ami.version.as_deref().unwrap_or_default()),
            lasting: words::age(self.now, status.ami.since, self.lang),
        }
    }

    fn rotations(&self, rotations: &[PastRotation]) -> Vec<Rotation> {
        let longest = rotations.iter().filter_map(|rotation| rotation.millis).map(|millis| millis.total).fold(0.0, f64::max);
        let rotation = |past: &PastRotation| {
            let (tone, outcome) = words::outcome(past.outcome.name(), self.lang);
            let stages = past.millis.map(|millis| stages(&millis, longest)).unwrap_or_default();
            let told =
                stages.iter().map(|stage| format!("{} {}", words::stage(stage.name, self.lang), words::millis(stage.millis, self.lang)));
            Rotation {
                at: self.moment(past.at),
                tone,
                outcome,
                fingerprint: past.fingerprint_sha256.map(|fingerprint| format!("{fingerprint:?}")).unwrap_or_default(),
                total: past.millis.map(|millis| format!("{} ms", words::millis(millis.total, self.lang))).unwrap_or_default(),
                told: told.collect::<Vec<_>>().join(" · "),
                stages,
            }
        };
        rotations.iter().map(rotation).collect()
    }
}
