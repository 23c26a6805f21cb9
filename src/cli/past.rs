//! What a status remembers → rows of the page: the last rotations with their stages to scale, and an hour of probes. Pure. An agent of before
//! remembers nothing, and then nothing is drawn.

use serde_json::Value;

use super::page::{Page, number, text, time};
use crate::{
    cli::words::{ago, paint},
    report::words::{self, STAGES, Tone},
};

impl Page<'_> {
    pub(super) fn rotations(&self, out: &mut String) {
        let counts = &self.status["counts"];
        let counted = format!(
            "{} {}, {} {}, {} {}",
            number(&counts["proved"]),
            self.say("proved", "provadas"),
            number(&counts["rejected"]),
            self.say("rejected", "rejeitadas"),
            number(&counts["healed"]),
            self.say("wedges healed", "travamentos curados"),
        );
        self.row(out, self.say("rotations", "rotações"), &counted);
        let rotations: Vec<&Value> = self.status["rotations"].as_array().into_iter().flatten().take(SHOWN).collect();
        let told: Vec<[String; 3]> = rotations.iter().map(|rotation| self.told(rotation)).collect();
        let wide = |column: usize| told.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let (when, how, took) = (wide(0), wide(1), wide(2));
        let cells = self.cells(when + how + took + 6);
        let longest = rotations.iter().filter_map(|rotation| rotation["millis"]["total"].as_f64()).fold(0.0, f64::max);
        for (rotation, [at, outcome, total]) in rotations.iter().zip(&told) {
            let colour = super::page::colour(words::outcome(&text(&rotation["outcome"]), self.lang).0);
            let outcome = paint(&format!("{outcome:<how$}"), colour.on_default());
            let bar = self.pen.stages(&stages(rotation), longest, cells);
            self.row(out, "", format!("{at:>when$}  {outcome}  {total:>took$}  {bar}").trim_end());
        }
        if longest > 0.0 && cells > 0 {
            let used = |which: &usize| rotations.iter().any(|rotation| rotation["millis"][STAGES[*which]].is_number());
            let legend = (0..STAGES.len()).filter(used).map(|which| self.pen.stage(which, words::stage(STAGES[which], self.lang)));
            self.row(out, "", &legend.collect::<Vec<_>>().join("  "));
        }
    }

    fn told(&self, rotation: &Value) -> [String; 3] {
        let at = time(&rotation["at"]).zip(self.now).map(|(at, now)| ago(now, at, self.lang)).unwrap_or_default();
        let total = rotation["millis"]["total"].as_f64().map(|total| format!("{} ms", words::millis(total, self.lang)));
        [at, words::outcome(&text(&rotation["outcome"]), self.lang).1, total.unwrap_or_default()]
    }

    pub(super) fn probes(&self, out: &mut String) {
        let Some(now) = self.now.map(|now| now.as_second()) else { return };
        let probes: Vec<(i64, Option<f64>)> = (self.status["latency"].as_array().into_iter().flatten())
            .filter_map(|probe| {
                let took: f64 = ["tcp", "tls", "upgrade"].iter().filter_map(|stage| probe[stage].as_f64()).sum();
                Some((time(&probe["at"])?.as_second(), (probe["door"] == "open").then_some(took)))
            })
            .collect();
        if probes.is_empty() {
            return;
        }
        let drawn = self.pen.probes(&probes, now, self.cells(0).min(MINUTES));
        self.row(out, self.say("probes", "sondas"), &drawn);
        let mut spans: Vec<f64> = probes.iter().filter_map(|(_, took)| *took).collect();
        spans.sort_by(f64::total_cmp);
        let failed = probes.len() - spans.len();
        let of = format!("{failed} {} {}", self.say("of", "de"), probes.len());
        let spans = match (spans.get(spans.len() / 2), spans.last()) {
            (Some(median), Some(slowest)) => format!(
                "{} {}, {} {} ms; ",
                self.say("an hour: median", "uma hora: mediana"),
                words::millis(*median, self.lang),
                self.say("slowest", "a mais lenta"),
                words::millis(*slowest, self.lang),
            ),
            (_, None) | (None, _) => String::new(),
        };
        let failed = format!("{of} {}", self.say("did not get in", "não entraram"));
        let tone = if failed.starts_with("0 ") { Tone::Good } else { Tone::Bad };
        self.row(out, "", &format!("{spans}{}", paint(&failed, super::page::colour(tone).on_default())));
    }
}

/// Each stage that there was, by its place among all.
fn stages(rotation: &Value) -> Vec<(usize, f64)> {
    STAGES.iter().enumerate().filter_map(|(which, stage)| Some((which, rotation["millis"][stage].as_f64()?))).collect()
}

/// So many rotations; JSON has all that are remembered.
const SHOWN: usize = 5;
/// One character a minute.
const MINUTES: usize = 60;
