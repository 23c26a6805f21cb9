//! What Asterisk answered to a reload → what came of it. Pure. Which answers there are: `action_reload` in main/manager.c and
//! `handle_reload` in main/cli.c, alike in Asterisk 16 to 22.

use super::{ReloadStatus, Reloaded, codec::Message};
use crate::diagnosis::Code;

/// What came of a reload, as far as an answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Asterisk took it on.
    Taken(Reloaded),
    /// The user's classes do not allow it in this form.
    Denied,
    /// Another reload is running. Asterisk does *not* queue this one behind it.
    Busy,
    /// It was not done.
    Failed(Code, String),
}

/// Judges the answer to `Action: Reload`. Success alone is said of a queued reload too; only `Event: Reload`, where it came, tells.
pub(super) fn of_action(answer: &Message, reported: Option<ReloadStatus>) -> Verdict {
    if answer.response() == Some("Success") {
        return Verdict::Taken(match reported {
            Some(ReloadStatus::Queued) => Reloaded::Queued,
            // The event of somebody else's reload of the same module cannot overrule what was said to us.
            None
            | Some(
                ReloadStatus::Done
                | ReloadStatus::NotFound
                | ReloadStatus::Error
                | ReloadStatus::InProgress
                | ReloadStatus::Uninitialized
                | ReloadStatus::NotImplemented
                | ReloadStatus::Unknown(_),
            ) => Reloaded::Done,
        });
    }
    match said(answer) {
        "Permission denied" => Verdict::Denied,
        "A reload is in progress" => Verdict::Busy,
        "No such module" => Verdict::Failed(Code::ReloadModuleMissing, "No such module".to_owned()),
        other => Verdict::Failed(Code::ReloadFailed, other.to_owned()),
    }
}

/// Judges the answer to `Action: Command` with `module reload X`: `Response: Success` says nothing, the printed line does.
pub(super) fn of_command(answer: &Message) -> Verdict {
    if is_denied(answer) {
        return Verdict::Denied;
    }
    answer.output().find_map(of_line).unwrap_or_else(|| {
        let printed = answer.output().collect::<Vec<_>>().join("\n");
        Verdict::Failed(Code::ReloadFailed, if printed.is_empty() { said(answer).to_owned() } else { printed })
    })
}

/// Whether the user's classes do not allow what was asked.
pub(super) fn is_denied(answer: &Message) -> bool {
    answer.response() == Some("Error") && said(answer) == "Permission denied"
}

fn of_line(line: &str) -> Option<Verdict> {
    let line = line.trim();
    if line.starts_with("Module '") && line.ends_with("' reloaded successfully.") {
        return Some(Verdict::Taken(Reloaded::Done));
    }
    if line.starts_with("Asterisk cannot reload a module yet; request queued") {
        return Some(Verdict::Taken(Reloaded::Queued));
    }
    if line.starts_with("A module reload request is already in progress") {
        return Some(Verdict::Busy);
    }
    if line.starts_with("No such module '") {
        return Some(Verdict::Failed(Code::ReloadModuleMissing, line.to_owned()));
    }
    line.starts_with("The module '").then(|| Verdict::Failed(Code::ReloadFailed, line.to_owned()))
}

fn said(answer: &Message) -> &str {
    answer.get("Message").unwrap_or("nothing").trim()
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tokio_util::codec::Decoder as _;

    use super::{
        super::codec::{Codec, Frame},
        *,
    };

    fn message(lines: &str) -> Message {
        let mut codec = Codec::default();
        let mut bytes = BytesMut::from(format!("Asterisk Call Manager/11.0.0\n{lines}\n\n").as_bytes());
        assert!(matches!(codec.decode(&mut bytes), Ok(Some(Frame::Banner { .. }))));
        match codec.decode(&mut bytes) {
            Ok(Some(Frame::Message(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    fn failed(code: Code, said: &str) -> Verdict {
        Verdict::Failed(code, said.to_owned())
    }

    #[test]
    fn the_answer_to_action_reload_tells_what_came_of_it() {
        for (lines, reported, expected) in [
            ("Response: Success\nMessage: Module Reloaded", None, Verdict::Taken(Reloaded::Done)),
            ("Response: Success\nMessage: Module Reloaded", Some(ReloadStatus::Done), Verdict::Taken(Reloaded::Done)),
            ("Response: Success\nMessage: Module Reloaded", Some(ReloadStatus::Queued), Verdict::Taken(Reloaded::Queued)),
            ("Response: Error\nMessage: Permission denied", None, Verdict::Denied),
            ("Response: Error\nMessage: A reload is in progress", None, Verdict::Busy),
            ("Response: Error\nMessage: No such module", None, failed(Code::ReloadModuleMissing, "No such module")),
            (
                "Response: Error\nMessage: Module does not support reload",
                None,
                failed(Code::ReloadFailed, "Module does not support reload"),
            ),
            ("Response: Error\nMessage: Module not initialized", None, failed(Code::ReloadFailed, "Module not initialized")),
            ("Response: Error\nMessage: An unknown error occurred", None, failed(Code::ReloadFailed, "An unknown error occurred")),
            ("Response: Error", None, failed(Code::ReloadFailed, "nothing")),
        ] {
            assert_eq!(of_action(&message(lines), reported), expected, "{lines}");
        }
    }

    #[test]
    fn the_printed_line_of_module_reload_tells_what_response_success_does_not() {
        for (line, expected) in [
            ("Module 'http' reloaded successfully.", Verdict::Taken(Reloaded::Done)),
            ("Asterisk cannot reload a module yet; request queued", Verdict::Taken(Reloaded::Queued)),
            ("A module reload request is already in progress; please be patient", Verdict::Busy),
            ("No such module 'http'", failed(Code::ReloadModuleMissing, "No such module 'http'")),
            ("The module 'http' does not support reloads", failed(Code::ReloadFailed, "The module 'http' does not support reloads")),
            ("The module 'http' reported a reload failure", failed(Code::ReloadFailed, "The module 'http' reported a reload failure")),
            (
                "The module 'http' was not properly initialized. Before reloading the module, you must run \"module load http\"",
                failed(
                    Code::ReloadFailed,
                    "The module 'http' was not properly initialized. Before reloading the module, you must run \"module load http\"",
                ),
            ),
            ("something that nobody knows", failed(Code::ReloadFailed, "something that nobody knows")),
        ] {
            let answer = message(&format!("Response: Success\nMessage: Command output follows\nOutput: {line}"));
            assert_eq!(of_command(&answer), expected, "{line}");
        }
    }

    #[test]
    fn a_denied_command_is_told_from_a_command_that_failed() {
        assert_eq!(of_command(&message("Response: Error\nMessage: Permission denied")), Verdict::Denied);
        let unknown = "Response: Error\nMessage: Command output follows\nOutput: No such command 'module reload http'";
        assert_eq!(of_command(&message(unknown)), failed(Code::ReloadFailed, "No such command 'module reload http'"));
        assert_eq!(of_command(&message("Response: Success\nMessage: x")), failed(Code::ReloadFailed, "x"));
    }

    #[test]
    fn the_output_of_asterisk_13_is_judged_alike() {
        let answer = message("Response: Follows\nPrivilege: Command\nModule 'http' reloaded successfully.\n--END COMMAND--");
        assert_eq!(of_command(&answer), Verdict::Taken(Reloaded::Done));
    }
}
