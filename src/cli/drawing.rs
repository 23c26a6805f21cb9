//! Lifetimes, rotations and probes → one line of characters each. Pure. Where Unicode is not wanted it is ASCII, and says the same: what colour
//! tells there, other characters tell here.

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::words::paint;

/// What is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pen {
    /// Blocks, and colours.
    Blocks,
    /// ASCII alone.
    Plain,
}

impl Pen {
    /// A certificate's lifetime from its first to its last day: what is over, what is left, and of that what is spoken of as a warning and as critical.
    pub(super) fn lifetime(self, [begin, warning, critical, end]: [Timestamp; 4], now: Timestamp, cells: usize) -> String {
        let [over, good, soon, urgent] = match self {
            Pen::Blocks => ['░', '█', '▓', '▒'],
            Pen::Plain => ['.', '#', '+', '!'],
        };
        let lifetime = i128::from(end.as_second() - begin.as_second());
        let place = |cell: usize| i128::from(begin.as_second()) + lifetime * (2 * cell as i128 + 1) / (2 * cells.max(1) as i128);
        let before = |at: i128, moment: Timestamp| at < i128::from(moment.as_second());
        let drawn = |cell| match place(cell) {
            at if before(at, now) => over,
            at if before(at, warning) => good,
            at if before(at, critical) => soon,
            _ => urgent,
        };
        let colour = if now >= critical {
            AnsiColor::Red
        } else if now >= warning {
            AnsiColor::Yellow
        } else {
            AnsiColor::Green
        };
        paint(&(0..cells).map(drawn).collect::<String>(), colour.on_default())
    }

    /// The stages of a rotation, `(which, milliseconds)`, to the scale of one that took `longest`. Each is known by its place in [`STAGE_COLOURS`],
    /// or by its number.
    pub(super) fn stages(self, stages: &[(usize, f64)], longest: f64, cells: usize) -> String {
        let (mut out, mut until, mut drawn) = (String::new(), 0.0, 0);
        for (which, millis) in stages {
            until += millis.max(0.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a float saturates")]
            let end = ((until / longest.max(f64::MIN_POSITIVE) * cells as f64).round() as usize).min(cells);
            let wide = end.saturating_sub(drawn);
            drawn += wide;
            match self {
                Pen::Blocks => out.push_str(&paint(&"█".repeat(wide), stage_style(*which))),
                Pen::Plain => out.push_str(&(which + 1).to_string().repeat(wide)),
            }
        }
        out
    }

    /// How a stage is known in [`Pen::stages`].
    pub(super) fn stage(self, which: usize, name: &str) -> String {
        match self {
            Pen::Blocks => format!("{} {name}", paint("█", stage_style(which))),
            Pen::Plain => format!("{} {name}", which + 1),
        }
    }

    /// The probes of the hour before `now`, `(second, milliseconds)`, none for one that did not get in: the worst of what falls into each cell.
    pub(super) fn probes(self, probes: &[(i64, Option<f64>)], now: i64, cells: usize) -> String {
        let levels: &[char] = match self {
            Pen::Blocks => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Pen::Plain => &['_', '.', '-', '~', '=', '+', '*', '#'],
        };
        let top = probes.iter().filter_map(|(_, took)| *took).fold(f64::MIN_POSITIVE, f64::max);
        let mut line = vec![None; cells];
        for (second, took) in probes {
            let past = usize::try_from(now.saturating_sub(*second)).ok().filter(|past| *past <= HOUR);
            let cell = past.map(|past| (past * cells / HOUR).min(cells.saturating_sub(1)));
            let Some(cell) = cell.and_then(|back| line.get_mut(cells - 1 - back)) else { continue };
            let took = took.unwrap_or(f64::INFINITY);
            *cell = Some(cell.unwrap_or(0.0_f64).max(took));
        }
        let mut out = String::new();
        for cell in line {
            match cell {
                None => out.push(' '),
                Some(took) if took.is_infinite() => {
                    out.push_str(&paint(if self == Pen::Blocks { "×" } else { "x" }, AnsiColor::Red.on_default()))
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float saturates")]
                Some(took) => out.extend(levels.get(((took / top * 8.0) as usize).min(7))),
            }
        }
        out
    }
}

fn stage_style(which: usize) -> Style {
    STAGE_COLOURS.get(which).map_or_else(Style::new, |colour| colour.on_default())
}

/// In the order of the stages.
const STAGE_COLOURS: [AnsiColor; 5] = [AnsiColor::BrightBlack, AnsiColor::Blue, AnsiColor::Magenta, AnsiColor::Yellow, AnsiColor::Green];
const HOUR: usize = 3600;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bare(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_lifetime_shows_what_is_over_and_what_is_left() {
        let life = [0, 70, 90, 100].map(at);
        assert_eq!(bare(&Pen::Plain.lifetime(life, at(40), 10)), "....###++!");
        assert_eq!(bare(&Pen::Blocks.lifetime(life, at(40), 10)), "░░░░███▓▓▒");
        assert_eq!(bare(&Pen::Plain.lifetime(life, at(500), 10)), "..........");
        assert_eq!(bare(&Pen::Plain.lifetime([5, 5, 5, 5].map(at), at(5), 3)), "!!!", "one that never lasts");
    }

    #[test]
    fn stages_are_as_wide_as_they_took() {
        let stages = [(0, 1.0), (1, 0.0), (3, 5.0), (4, 4.0)];
        assert_eq!(bare(&Pen::Plain.stages(&stages, 10.0, 10)), "1444445555");
        assert_eq!(bare(&Pen::Plain.stages(&stages, 20.0, 10)), "14455");
        assert_eq!(bare(&Pen::Blocks.stages(&stages, 10.0, 10)), "█".repeat(10));
    }

    #[test]
    fn the_worst_probe_of_each_cell_is_drawn() {
        let probes = [(0, Some(8.0)), (10, Some(1.0)), (1801, None), (1802, Some(2.0)), (3600, Some(4.0)), (-1, Some(900.0))];
        assert_eq!(bare(&Pen::Plain.probes(&probes[..5], 3600, 6)), "#  x =");
        assert_eq!(bare(&Pen::Blocks.probes(&probes[..5], 3600, 6)), "█  × ▅");
        assert_eq!(bare(&Pen::Plain.probes(&[], 3600, 4)), "    ");
    }

    proptest! {
        #[test]
        fn whatever_an_agent_says_is_drawn_within_its_cells(
            seconds in proptest::array::uniform4(-9_000_000_000_i64..9_000_000_000),
            now in -9_000_000_000_i64..9_000_000_000,
            millis in proptest::collection::vec((0_usize..9, any::<f64>()), 0..9),
            probes in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<f64>())), 0..9),
            longest in any::<f64>(),
            cells in 0_usize..90,
        ) {
            for pen in [Pen::Blocks, Pen::Plain] {
                prop_assert_eq!(bare(&pen.lifetime(seconds.map(at), at(now), cells)).chars().count(), cells);
                prop_assert!(bare(&pen.stages(&millis, longest, cells)).chars().count() <= cells);
                prop_assert_eq!(bare(&pen.probes(&probes, now, cells)).chars().count(), cells);
            }
        }
    }
}
