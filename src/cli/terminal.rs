//! Where people read: stdout and stderr, with colours where they are wanted, and no panic when the reader of a pipe goes away.

use std::io::Write as _;

use super::{Color, Common};
use crate::diagnosis::show::{Show, Styles};

/// What `--color` says; `auto` also heeds NO_COLOR and CLICOLOR_FORCE.
pub(super) fn choose_colour(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// One text on stdout; styles are dropped where they are not wanted.
pub(super) fn out(text: &str) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// One text on stderr.
pub(super) fn err(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// How findings are shown. Styles are always written: `anstream` drops them where they are not wanted.
pub(super) fn show(common: &Common) -> Show {
    Show::new(common.lang(), Styles::coloured())
}
