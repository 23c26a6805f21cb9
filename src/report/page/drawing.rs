//! Lifetimes, rotations and probes → where lines and bars begin and end. Pure: only numbers leave, which the template puts into attributes
//! of SVG, so that nothing needs a style of its own.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::{
    bundle::Leaf,
    proof::Door,
    report::{
        status::{Expiry, RotationMillis},
        words::Tone,
    },
    state::Probed,
};

/// A certificate's lifetime, in thousandths of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// What is over.
    pub(super) over: i64,
    /// Where its end begins to be spoken of.
    pub(super) warning: i64,
    /// Where it begins to be urgent.
    pub(super) critical: i64,
    /// By where it stands.
    pub(super) tone: Tone,
}

impl Lifetime {
    pub(super) fn of(leaf: &Leaf, expiry: Option<Expiry>, now: Timestamp) -> Self {
        let (begin, end) = (leaf.not_before.as_second(), leaf.not_after.as_second());
        let place = |at: Timestamp| ((at.as_second() - begin).saturating_mul(1000) / (end - begin).max(1)).clamp(0, 1000);
        let (warning, critical) = expiry.map_or((leaf.not_after, leaf.not_after), |expiry| (expiry.warning_from, expiry.critical_from));
        let tone = match now {
            now if now >= critical || now < leaf.not_before => Tone::Bad,
            now if now >= warning => Tone::Warning,
            _ => Tone::Good,
        };
        Lifetime { over: place(now), warning: place(warning), critical: place(critical), tone }
    }

    /// What is left.
    pub(super) fn left(&self) -> i64 {
        1000 - self.over
    }
}

/// One stage of a rotation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stage {
    /// Its name.
    pub(super) name: &'static str,
    /// How long it took.
    pub(super) millis: f64,
    /// Where it begins, in thousandths of the longest rotation.
    pub(super) from: f64,
    /// How wide it is; what took no time at all still is seen.
    pub(super) width: f64,
}

/// The stages of a rotation, drawn to the scale of one that took `longest` milliseconds.
pub(super) fn stages(millis: &RotationMillis, longest: f64) -> Vec<Stage> {
    let named = [
        ("settle", Some(millis.settle)),
        ("check", Some(millis.check)),
        ("publish", millis.publish),
        ("reload", Some(millis.reload)),
        ("prove", Some(millis.prove)),
    ];
    let mut from = 0.0;
    let stages = named.into_iter().filter_map(|(name, took)| Some((name, took?))).map(|(name, took)| {
        let width = (took / longest.max(f64::MIN_POSITIVE) * 1000.0).clamp(0.0, 1000.0);
        let stage = Stage { name, millis: took, from: round(from), width: round(width.max(SEEN)) };
        from += width;
        stage
    });
    stages.collect()
}

/// How long the probes of the last hour took.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plot {
    /// The points of each unbroken line.
    pub(super) lines: Vec<String>,
    /// Where a probe did not get in.
    pub(super) failed: Vec<f64>,
    /// Milliseconds at the upper edge.
    pub(super) top: f64,
    /// The middle one of those that got in, in milliseconds.
    pub(super) median: f64,
    /// The slowest of them.
    pub(super) slowest: f64,
    /// How many there are.
    pub(super) count: usize,
}

impl Plot {
    pub(super) const WIDTH: f64 = 720.0;
    pub(super) const HEIGHT: f64 = 120.0;

    /// `probes`: oldest first. `None`: there are none.
    pub(super) fn of<'a>(probes: impl IntoIterator<Item = &'a Probed>, now: Timestamp) -> Option<Self> {
        let begin = now.as_second() - HOUR;
        let probes: Vec<_> = probes.into_iter().filter(|probed| (begin..=now.as_second()).contains(&probed.at.as_second())).collect();
        let took = |probed: &Probed| probed.times.total().as_secs_f64() * 1e3;
        let mut spans: Vec<f64> = probes.iter().filter(|probed| probed.door == Door::Open).map(|probed| took(probed)).collect();
        spans.sort_by(f64::total_cmp);
        let slowest = spans.last().copied().unwrap_or_default();
        let mut plot = Plot {
            top: nice(slowest),
            median: spans.get(spans.len() / 2).copied().unwrap_or_default(),
            slowest,
            count: probes.len(),
            ..Plot::default()
        };
        let mut line = Vec::new();
        for probed in &probes {
            #[allow(clippy::cast_precision_loss, reason = "at most an hour")]
            let across = round((probed.at.as_second() - begin) as f64 / HOUR as f64 * Self::WIDTH);
            if probed.door == Door::Open {
                line.push((across, round(Self::HEIGHT - took(probed) / plot.top * Self::HEIGHT)));
            } else {
                plot.failed.push(across);
                plot.end(&mut line);
            }
        }
        plot.end(&mut line);
        (plot.count > 0).then_some(plot)
    }

    fn end(&mut self, line: &mut Vec<(f64, f64)>) {
        // A line of one point would not be seen.
        if let [(across, down)] = line[..] {
            line.push((across - 2.0, down));
        }
        let points = line.drain(..).fold(String::new(), |mut points, (across, down)| {
            // Writing to a String does not fail.
            let _ = write!(points, "{across},{down} ");
            points
        });
        if !points.is_empty() {
            self.lines.push(points.trim_end().to_owned());
        }
    }
}

/// The next of 1, 2, 5, 10, 20, … milliseconds.
fn nice(millis: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if millis <= step * power || power > 1e9 {
                return step * power;
            }
        }
        power *= 10.0;
    }
}

/// To a tenth, which no eye can tell apart.
fn round(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

const HOUR: i64 = 3600;
/// The least width of what is there at all.
const SEEN: f64 = 3.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_stand_in_a_row_and_are_as_wide_as_they_took() {
        let millis = RotationMillis { settle: 0.0, check: 10.0, publish: None, reload: 30.0, prove: 10.0, total: 50.0 };
        let drawn: Vec<_> = stages(&millis, 100.0).into_iter().map(|stage| (stage.name, stage.from, stage.width)).collect();
        assert_eq!(drawn, [("settle", 0.0, 3.0), ("check", 0.0, 100.0), ("reload", 100.0, 300.0), ("prove", 400.0, 100.0)]);
        assert!(stages(&millis, 0.0).iter().all(|stage| stage.width.is_finite()));
    }

    #[test]
    fn the_upper_edge_is_a_round_number() {
        for (millis, top) in
            [(0.0, 1.0), (1.0, 1.0), (1.1, 2.0), (4.9, 5.0), (5.1, 10.0), (730.0, 1000.0), (f64::INFINITY, 1e10), (f64::NAN, 1e10)]
        {
            assert_eq!(nice(millis), top, "{millis}");
        }
    }
}
