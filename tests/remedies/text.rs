//! Lines to paste and the text of a file → the file with them in it, as a person would put them there.

use super::support::proxy::Kind;

/// Blocks with a `[section]` each: into the section of that name, and of that `type` where they say one; else a new one at the end.
pub(crate) fn conf(before: &str, lines: &[String]) -> String {
    let mut text = before.to_owned();
    let mut rest = lines;
    while let Some(header) = rest.first() {
        let end = rest.iter().skip(1).position(|line| line.starts_with('[')).map_or(rest.len(), |end| end + 1);
        text = block(&text, header, &rest[1..end]);
        rest = &rest[end..];
    }
    text
}

fn block(before: &str, header: &str, options: &[String]) -> String {
    let kind = options.iter().find(|option| name(option) == "type").map(|option| value(option));
    let all: Vec<&str> = before.lines().collect();
    let starts = all.iter().enumerate().filter(|(_, line)| line.trim() == header).map(|(number, _)| number);
    let found = starts.into_iter().find(|start| {
        let body = section(&all, *start);
        kind.is_none_or(|kind| body.iter().any(|line| name(line) == "type" && value(line) == kind))
    });
    match found {
        Some(start) => into_section(before, Some(start + 1), options),
        None => format!("{}\n{header}\n{}\n", before.trim_end(), options.join("\n")),
    }
}

/// Options into the section in which `line` stands (the first one, where nobody says): in place of those of the same name, or below its header.
pub(crate) fn into_section(before: &str, line: Option<usize>, options: &[String]) -> String {
    let mut all: Vec<String> = before.lines().map(str::to_owned).collect();
    let upto = line.unwrap_or(all.len()).min(all.len());
    let header = if line.is_some() {
        all[..upto].iter().rposition(|line| line.starts_with('['))
    } else {
        all.iter().position(|line| line.starts_with('['))
    };
    let header = header.unwrap_or_else(|| {
        all.insert(0, "[general]".to_owned());
        0
    });
    for option in options {
        let body = section(&all.iter().map(String::as_str).collect::<Vec<_>>(), header).len();
        // `load` and `noload` may stand there many times.
        let many = ["load", "noload"].contains(&name(option));
        let same = (header + 1..=header + body).find(|at| !many && name(&all[*at]) == name(option));
        match same {
            Some(at) => all[at].clone_from(option),
            None => all.insert(header + 1, option.clone()),
        }
    }
    all.join("\n") + "\n"
}

/// What stands between a header and the next one.
fn section<'l>(all: &'l [&'l str], header: usize) -> &'l [&'l str] {
    let rest = &all[header + 1..];
    &rest[..rest.iter().position(|line| line.starts_with('[')).unwrap_or(rest.len())]
}

pub(crate) fn replace_line(before: &str, line: usize, with: &str) -> String {
    let mut all: Vec<&str> = before.lines().collect();
    all[line - 1] = with;
    all.join("\n") + "\n"
}

fn name(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}

fn value(line: &str) -> &str {
    line.split_once('=').map_or("", |(_, value)| value.trim_start_matches('>').trim())
}

/// Into what a proxy reads: in place of what stood there for the same purpose.
pub(crate) fn proxy(kind: Kind, before: &str, lines: &[String]) -> String {
    match kind {
        Kind::Nginx => nginx(before, lines),
        Kind::Apache => lines.iter().fold(before.to_owned(), |text, line| apache(&text, line)),
        Kind::Haproxy => haproxy(before, lines),
        Kind::Caddy => caddy(before, lines),
    }
}

/// Into the `server`: a `location` in place of the one of its path, a directive in place of the same one.
fn nginx(before: &str, lines: &[String]) -> String {
    let directive = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    if lines[0].starts_with("location") {
        let start = before.find("location /ws").unwrap_or_else(|| before.rfind("\n  }\n}").unwrap());
        let end =
            before[start..].find('}').map_or(start, |end| if before[start..].starts_with("location") { start + end + 1 } else { start });
        return format!("{}{}{}", &before[..start], lines.join("\n"), &before[end..]);
    }
    lines.iter().fold(before.to_owned(), |text, line| match text.find(&directive(line)) {
        Some(start) => {
            let end = start + text[start..].find(';').unwrap() + 1;
            format!("{}{line}{}", &text[..start], &text[end..])
        }
        None => {
            let start = text.find("location").unwrap();
            format!("{}{line}\n{}", &text[..start], &text[start..])
        }
    })
}

/// At the end of the server, without the old line of the same directive (and the same path).
fn apache(before: &str, line: &str) -> String {
    let key = |line: &str| line.split_whitespace().take(if line.starts_with("ProxyPass") { 2 } else { 1 }).collect::<Vec<_>>().join(" ");
    let mut kept: Vec<&str> = before.lines().filter(|old| key(old) != key(line)).collect();
    kept.push(line);
    kept.join("\n") + "\n"
}

/// A rule goes into the frontend, a time-out into the defaults, a backend behind all.
fn haproxy(before: &str, lines: &[String]) -> String {
    let backend = lines.iter().position(|line| line.starts_with("backend")).unwrap_or(lines.len());
    let mut all: Vec<String> = before.lines().map(str::to_owned).collect();
    for line in &lines[..backend] {
        let place = if line.starts_with("use_backend") { "bind" } else { "mode" };
        let place = all.iter().position(|old| old.trim_start().starts_with(place)).unwrap();
        all.insert(place + 1, format!("  {line}"));
    }
    all.extend(lines[backend..].iter().cloned());
    all.join("\n") + "\n"
}

/// Into the site, in place of the directive for the same path.
fn caddy(before: &str, lines: &[String]) -> String {
    let key = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut kept: Vec<&str> = before.lines().filter(|old| key(old) != key(&lines[0])).collect();
    let end = kept.iter().rposition(|line| *line == "}").unwrap();
    kept.splice(end..end, lines.iter().map(String::as_str));
    kept.join("\n") + "\n"
}

/// Settings and Compose files.
pub(crate) mod yaml {
    use serde_json::{Map, Value};

    /// Settings over settings.
    pub(crate) fn merged(before: &str, more: &str) -> String {
        let parse = |text: &str| serde_yaml::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut all = parse(before);
        over(all.as_object_mut().unwrap(), parse(more).as_object().unwrap());
        serde_json::to_string(&all).unwrap()
    }

    fn over(all: &mut Map<String, Value>, more: &Map<String, Value>) {
        for (key, value) in more {
            match (all.get_mut(key), value) {
                (Some(Value::Object(all)), Value::Object(more)) => over(all, more),
                _ => {
                    all.insert(key.clone(), value.clone());
                }
            }
        }
    }

    /// Below the service that begins at `line`: list items to the list of that name, or the list as a whole.
    pub(crate) fn into_service(before: &str, line: usize, lines: &[String]) -> String {
        let mut all: Vec<String> = before.lines().map(str::to_owned).collect();
        let depth = all[line - 1].len() - all[line - 1].trim_start().len() + 2;
        let indented = |line: &String| format!("{}{line}", " ".repeat(depth));
        let key = indented(&lines[0]);
        let inside = |line: &String| line.trim().is_empty() || line.starts_with(&" ".repeat(depth));
        let end = all.iter().skip(line).position(|line| !inside(line)).map_or(all.len(), |end| line + end);
        match all[line..end].iter().position(|line| line.starts_with(key.trim_end())) {
            Some(at) => all.splice(line + at + 1..line + at + 1, lines[1..].iter().map(indented)).for_each(drop),
            None => all.splice(line..line, lines.iter().map(indented)).for_each(drop),
        }
        all.join("\n") + "\n"
    }
}
